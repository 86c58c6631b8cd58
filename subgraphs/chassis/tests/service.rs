//! The chassis' own service: limits and faults of the server, guards, calls between services, databases.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use async_graphql::{Context, EmptyMutation, Object};
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    routing::post,
};
use fondaco_chassis::{
    ApiError, CallError, Caller, GraphqlServer, Readiness, Redis, Repeat, Runtime, Service, ServiceClient,
    StartError, Tasks, caller, database,
    federation::{authenticated, schema},
    request_id::RequestId,
    require_scope, require_service, require_user, service,
    testing::{self, TestRuntime},
};
use fondaco_contracts::UserId;
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::migrate::Migrator;
use tokio::{net::TcpListener, time::Instant};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

struct Query;

#[Object]
impl Query {
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn user(&self, ctx: &Context<'_>) -> Option<UserId> {
        caller(ctx).user_id()
    }

    #[graphql(guard = "require_scope(\"product:write\")")]
    async fn scope(&self) -> bool {
        true
    }

    #[graphql(inaccessible, guard = "require_service()")]
    async fn service(&self) -> bool {
        true
    }

    async fn boom(&self) -> bool {
        assert!(std::hint::black_box(false), "told to panic");
        true
    }

    async fn leak(&self) -> Result<bool, ApiError> {
        Err(ApiError::internal("password=hunter2"))
    }

    async fn outage(&self) -> Result<bool, ApiError> {
        Err(sqlx::Error::PoolTimedOut.into())
    }

    async fn request_id(&self) -> Option<String> {
        RequestId::current().map(|id| id.as_str().to_owned())
    }

    async fn nested(&self) -> Query {
        Query
    }
}

fn example(test: &TestRuntime) -> Service {
    let tasks = Tasks::new(&test.runtime);
    let schema = schema(Query, EmptyMutation).finish();
    let router = GraphqlServer::new(&test.runtime, &tasks, "example", schema).into_router();
    Service {
        name: "example",
        router,
        tasks,
    }
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or("none")
}

#[tokio::test]
async fn guards_tell_callers_apart() {
    let test = TestRuntime::new();
    let example = example(&test);
    let id = UserId::new();
    let (anonymous, customer) = (Caller::Anonymous, testing::customer(id));
    let (merchant, other) = (testing::merchant(id), testing::service("order"));
    let cases = [
        ("user", &anonymous, "UNAUTHENTICATED"),
        ("user", &customer, "none"),
        ("user", &other, "UNAUTHENTICATED"),
        ("scope", &anonymous, "UNAUTHENTICATED"),
        ("scope", &customer, "FORBIDDEN"),
        ("scope", &merchant, "none"),
        ("service", &anonymous, "FORBIDDEN"),
        ("service", &merchant, "FORBIDDEN"),
        ("service", &other, "none"),
    ];
    for (field, caller, expected) in cases {
        let query = format!("{{ {field} }}");
        let answer = test
            .call(&example.router, "example", caller, &query, Value::Null)
            .await;
        assert_eq!(code(&answer), expected, "{field} for {caller:?}: {answer}");
    }
}

#[tokio::test]
async fn faults_have_codes_and_keep_their_causes() {
    let test = TestRuntime::new();
    let example = example(&test);
    let deep = format!("{{ {} requestId {} }}", "nested { ".repeat(200), "}".repeat(200));
    let cases = [
        (
            json!({ "query": "{ leak }" }),
            StatusCode::OK,
            "INTERNAL_SERVER_ERROR",
        ),
        (
            json!({ "query": "{ outage }" }),
            StatusCode::OK,
            "TEMPORARILY_UNAVAILABLE",
        ),
        (
            json!({ "query": "{ boom }" }),
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL_SERVER_ERROR",
        ),
        (
            json!({ "query": "{ unknown }" }),
            StatusCode::OK,
            "BAD_USER_INPUT",
        ),
        (json!({ "query": "{" }), StatusCode::OK, "BAD_USER_INPUT"),
        (json!({ "query": deep }), StatusCode::OK, "BAD_USER_INPUT"),
        (json!({ "query": 3 }), StatusCode::BAD_REQUEST, "BAD_USER_INPUT"),
        (json!([]), StatusCode::BAD_REQUEST, "BAD_USER_INPUT"),
        (
            json!({ "query": "x".repeat(3 << 20) }),
            StatusCode::PAYLOAD_TOO_LARGE,
            "PAYLOAD_TOO_LARGE",
        ),
    ];
    for (body, status, expected) in cases {
        let (actual, answer) = testing::post(&example.router, None, body.to_string()).await;
        let shown: String = body.to_string().chars().take(60).collect();
        assert_eq!((actual, code(&answer)), (status, expected), "{shown}: {answer}");
        assert!(!answer.to_string().contains("hunter2"));
        assert!(!answer.to_string().contains("told to panic"));
    }
    let (status, _) = testing::post(&example.router, None, "{ not json").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = testing::get(&example.router, "/graphql").await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_service_publishes_the_sdl_that_composition_reads() {
    let test = TestRuntime::new();
    let example = example(&test);
    let query = "{ _service { text: sdl } }";
    let answer = test
        .call(&example.router, "example", &Caller::Anonymous, query, Value::Null)
        .await;
    let sdl = answer["data"]["_service"]["text"].as_str().unwrap();
    assert!(
        sdl.contains("import: [\"@authenticated\", \"@inaccessible\"]"),
        "{sdl}"
    );
}

#[tokio::test]
async fn readiness_follows_its_checks() {
    let test = TestRuntime::new();
    let pool = database::open(&test.runtime, "example", &Migrator::DEFAULT)
        .await
        .unwrap();
    let redis = Redis::connect(&test.runtime).await.unwrap();
    let ready = async |readiness: Readiness| {
        let tasks = Tasks::new(&test.runtime);
        let schema = schema(Query, EmptyMutation).finish();
        let server = GraphqlServer::new(&test.runtime, &tasks, "example", schema).readiness(readiness);
        testing::get(&server.into_router(), "/ready").await
    };
    let both = Readiness::default().database(pool.clone()).redis(redis);
    assert_eq!(ready(both.clone()).await.0, StatusCode::OK);
    let failing = both.check("stock", || async { Err("not loaded".to_owned()) });
    let (status, answer) = ready(failing).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        answer["checks"],
        json!({ "database": "ok", "redis": "ok", "stock": "failing" })
    );
    pool.close().await;
    let (status, _) = ready(Readiness::default().database(pool)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_request_id_is_passed_on_or_made_up() {
    let test = TestRuntime::new();
    let example = example(&test);
    for (given, expected) in [
        (Some("abc-1"), Some("abc-1")),
        (Some("two words"), None),
        (None, None),
    ] {
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        if let Some(given) = given {
            request = request.header("x-request-id", given);
        }
        let request = request.body(Body::from(r#"{"query":"{ requestId }"}"#)).unwrap();
        let response = example.router.clone().oneshot(request).await.unwrap();
        let echoed = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(answer["data"]["requestId"], echoed);
        assert_eq!(expected.unwrap_or(&echoed), echoed);
    }
}

#[derive(Debug, Deserialize)]
struct Answer {
    service: bool,
}

#[tokio::test]
async fn services_call_each_other_in_process_and_over_http() {
    let test = TestRuntime::new();
    let client = ServiceClient::new(&test.runtime, "order", "example");
    let call = async || {
        client
            .call::<Answer>("{ service }", &json!({}), Repeat::Never)
            .await
    };
    assert!(
        call().await.unwrap_err().had_no_effect(),
        "the name is not known yet"
    );

    let example = example(&test);
    test.runtime.peers.insert_local("example", example.router.clone());
    assert!(call().await.unwrap().service);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    test.runtime
        .peers
        .insert_http("example", format!("http://{address}/graphql"));
    let stop = CancellationToken::new();
    let served = tokio::spawn(example.serve(listener, stop.clone()));
    assert!(call().await.unwrap().service);
    let refused = client
        .call::<Value>("{ user }", &json!({}), Repeat::Safe)
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, CallError::Refused { code, .. } if code == "UNAUTHENTICATED"),
        "{refused}"
    );

    stop.cancel();
    served.await.unwrap().unwrap();
    assert!(
        call().await.unwrap_err().is_retryable(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn only_harmless_calls_are_repeated() {
    let test = TestRuntime::new();
    let attempts = Arc::new(AtomicU32::new(0));
    let failing_twice = |status: StatusCode| {
        let attempts = Arc::clone(&attempts);
        attempts.store(0, Ordering::SeqCst);
        let handler = async move || match attempts.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => (status, Body::empty()),
            _ => (StatusCode::OK, Body::from(r#"{"data":{"service":true}}"#)),
        };
        test.runtime
            .peers
            .insert_local("example", Router::new().route("/graphql", post(handler)));
    };
    let client = ServiceClient::new(&test.runtime, "order", "example");
    let cases = [
        (StatusCode::BAD_GATEWAY, Repeat::Safe, true, 3),
        (StatusCode::BAD_GATEWAY, Repeat::Never, false, 1),
        (StatusCode::SERVICE_UNAVAILABLE, Repeat::Never, true, 3),
        // Whoever is refused at the door has done nothing: its clock may be right by now.
        (StatusCode::UNAUTHORIZED, Repeat::Never, true, 3),
        (StatusCode::FORBIDDEN, Repeat::Safe, false, 1),
    ];
    for (status, repeat, succeeds, made) in cases {
        failing_twice(status);
        let outcome = client.call::<Answer>("{ service }", &json!({}), repeat).await;
        let seen = attempts.load(Ordering::SeqCst);
        assert_eq!(
            (outcome.is_ok(), seen),
            (succeeds, made),
            "{status} {repeat:?}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let test = TestRuntime::new();
    let slow = async || tokio::time::sleep(Duration::from_secs(30)).await;
    test.runtime
        .peers
        .insert_local("example", Router::new().route("/graphql", post(slow)));
    let client =
        ServiceClient::new(&test.runtime, "order", "example").with_deadline(Duration::from_millis(100));
    let began = Instant::now();
    let error = client
        .call::<Value>("{ service }", &json!({}), Repeat::Safe)
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::Lost { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(2));
}

/// A peer that counts the calls it gets, and says when each came; it answers while `healthy`.
fn counted(test: &TestRuntime, healthy: &Arc<AtomicBool>) -> Arc<Mutex<Vec<Instant>>> {
    let calls = Arc::<Mutex<Vec<Instant>>>::default();
    let (seen, healthy) = (Arc::clone(&calls), Arc::clone(healthy));
    let handler = async move || {
        seen.lock().unwrap().push(Instant::now());
        match healthy.load(Ordering::SeqCst) {
            true => (StatusCode::OK, Body::from(r#"{"data":{"service":true}}"#)),
            false => (StatusCode::BAD_GATEWAY, Body::empty()),
        }
    };
    let router = Router::new().route("/graphql", post(handler));
    test.runtime.peers.insert_local("example", router);
    calls
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_is_left_alone_until_it_does() {
    let test = TestRuntime::new();
    let healthy = Arc::new(AtomicBool::new(false));
    let calls = counted(&test, &healthy);
    let client = ServiceClient::new(&test.runtime, "order", "example");
    let call = async |repeat| client.call::<Answer>("{ service }", &json!({}), repeat).await;
    for _ in 0..10 {
        assert!(matches!(call(Repeat::Never).await, Err(CallError::Lost { .. })));
    }
    let refused = call(Repeat::Safe).await.err().unwrap();
    assert!(refused.had_no_effect() && refused.is_retryable(), "{refused}");
    let shown = ApiError::from(refused);
    assert_eq!(
        (shown.code(), shown.to_string().as_str()),
        ("TEMPORARILY_UNAVAILABLE", "temporarily unavailable, try again")
    );
    assert_eq!(calls.lock().unwrap().len(), 10, "nobody is called any more");
    healthy.store(true, Ordering::SeqCst);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(call(Repeat::Never).await.is_ok());
    assert!(call(Repeat::Never).await.is_ok());
    assert_eq!(calls.lock().unwrap().len(), 12);
}

#[tokio::test(start_paused = true)]
async fn retries_are_spread_and_end_before_the_deadline() {
    let test = TestRuntime::new();
    let calls = counted(&test, &Arc::default());
    let client = || ServiceClient::new(&test.runtime, "order", "example");
    let mut pauses = Vec::new();
    for _ in 0..20 {
        let failed = client()
            .call::<Answer>("{ service }", &json!({}), Repeat::Safe)
            .await;
        assert!(failed.is_err());
        let times = std::mem::take(&mut *calls.lock().unwrap());
        assert_eq!(times.len(), 3);
        pauses.push([times[1] - times[0], times[2] - times[1]].map(|pause| pause.as_millis()));
    }
    let within = |pause: &[u128; 2]| (25..=51).contains(&pause[0]) && (50..=101).contains(&pause[1]);
    assert!(pauses.iter().all(within), "{pauses:?}");
    assert!(
        pauses.iter().any(|pause| pause != &pauses[0]),
        "in step: {pauses:?}"
    );

    let (began, deadline) = (Instant::now(), Duration::from_millis(60));
    let hurried = client().with_deadline(deadline);
    let failed = hurried
        .call::<Answer>("{ service }", &json!({}), Repeat::Safe)
        .await;
    assert!(
        failed.is_err() && began.elapsed() <= deadline,
        "{:?}",
        began.elapsed()
    );
    assert!(calls.lock().unwrap().len() < 3);
}

#[tokio::test]
async fn what_cannot_be_reached_is_named() {
    let unreachable = |database: &str, redis: &str| {
        let mut runtime = Runtime::new(database, redis, "a secret for tests, of more than 32 bytes").unwrap();
        runtime.patience = Duration::from_millis(300);
        runtime
    };
    let check = async |database_url: &str, expected: &str| {
        let runtime = unreachable(database_url, "redis://127.0.0.1:1");
        let opened = database::open(&runtime, "example", &Migrator::DEFAULT).await;
        let message = opened.unwrap_err().to_string();
        assert!(
            message.contains(expected) && !message.contains("hunter2"),
            "{message}"
        );
    };
    check("postgres://someone:hunter2@127.0.0.1:1", "127.0.0.1:1").await;
    check("mysql://someone:hunter2@127.0.0.1:1", "DATABASE_URL").await;
    let runtime = unreachable("postgres://127.0.0.1:1", "redis://127.0.0.1:1");
    let message = Redis::connect(&runtime).await.unwrap_err().to_string();
    assert!(message.contains("127.0.0.1:1"), "{message}");
    let runtime = unreachable("postgres://127.0.0.1:1", "http://127.0.0.1:1");
    let message = Redis::connect(&runtime).await.unwrap_err().to_string();
    assert!(message.contains("REDIS_URL"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn bodies_that_never_end_do_not_keep_places() {
    let test = TestRuntime::new();
    let router = example(&test).router;
    let endless = || Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let slow: Vec<_> = (0..300)
        .map(|_| {
            let router = router.clone();
            tokio::spawn(async move { testing::post(&router, None, endless()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let (status, answer) = testing::post(&router, None, r#"{ "query": "{ __typename }" }"#).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    for client in slow {
        let (status, answer) = client.await.unwrap();
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT, "{answer}");
        assert_eq!(code(&answer), "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let error: StartError = service::listen(address).await.unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn two_instances_may_create_the_database_at_once() {
    let test = TestRuntime::new();
    let open = || database::open(&test.runtime, "example", &Migrator::DEFAULT);
    let (one, two, three) = tokio::join!(open(), open(), open());
    assert!(
        one.is_ok() && two.is_ok() && three.is_ok(),
        "{one:?} {two:?} {three:?}"
    );
}
