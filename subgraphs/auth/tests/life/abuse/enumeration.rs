//! Who has an account? Neither what is answered nor how long it takes may tell.

use std::time::{Duration, Instant};

use fondaco_chassis::Caller;
use serde_json::{Value, json};

use super::{Rows, World, row};
use crate::support::{Auth, OTHER_PASSWORD, PASSWORD, mutation, random_email};

/// Times each answer is measured, in turns.
const SAMPLES: usize = 24;
/// How far medians may lie apart: noise of a busy machine, far below a hash, a mail, or a transaction more.
const FACTOR: f64 = 1.6;

type Input = fn(&str) -> Value;

const ASKED: &[(&str, Input)] = &[
    (
        "signIn",
        |email| json!({ "email": email, "password": "not the password" }),
    ),
    ("signUp", |email| json!({ "email": email, "password": PASSWORD })),
    ("requestPasswordReset", |email| json!({ "email": email })),
    ("sendEmailVerification", |email| json!({ "email": email })),
    (
        "resetPassword",
        |email| json!({ "email": email, "code": "12345678", "newPassword": OTHER_PASSWORD }),
    ),
    ("verifyEmail", |email| json!({ "email": email, "code": "123456" })),
];

pub fn rows(world: &World) -> Rows<'_> {
    let mut rows = Rows::new();
    for (name, input) in ASKED {
        rows.push(row(
            format!("enumeration by body: {name}"),
            by_body(&world.auth, name, *input),
        ));
        rows.push(row(
            format!("enumeration by time: {name}"),
            by_time(&world.costly, name, *input),
        ));
    }
    rows
}

async fn by_body(auth: &Auth, name: &str, input: Input) {
    let known = auth.person().await.email;
    let answers = [
        auth.try_mutate(&Caller::Anonymous, name, input(&known)).await,
        auth.try_mutate(&Caller::Anonymous, name, input(&random_email()))
            .await,
    ];
    assert_eq!(answers[0], answers[1]);
    // Once more: a second question must not tell either.
    let answers = [
        auth.try_mutate(&Caller::Anonymous, name, input(&known)).await,
        auth.try_mutate(&Caller::Anonymous, name, input(&known)).await,
    ];
    assert_eq!(answers[0], answers[1]);
}

/// Three tries: what is really slower is slower every time.
async fn by_time(auth: &Auth, name: &str, input: Input) {
    let mut seen = Vec::new();
    for _ in 0..3 {
        let (known, unknown) = medians(auth, name, input).await;
        let ratio = known.as_secs_f64() / unknown.as_secs_f64();
        if (1.0 / FACTOR..FACTOR).contains(&ratio) {
            return;
        }
        seen.push(format!("{known:?} with an account, {unknown:?} without"));
    }
    panic!("{}", seen.join("; "));
}

/// Addresses are asked about once each: what is limited must not be measured.
async fn medians(auth: &Auth, name: &str, input: Input) -> (Duration, Duration) {
    let people: Vec<String> = seed(auth).await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for person in &people {
        known.push(time(auth, name, input(person)).await);
        unknown.push(time(auth, name, input(&random_email())).await);
    }
    (median(known), median(unknown))
}

/// Accounts straight into the database: how they sign up is not what is measured.
async fn seed(auth: &Auth) -> Vec<String> {
    let model = auth.person().await;
    let pool = auth.database().await;
    let mut people = Vec::new();
    for _ in 0..SAMPLES {
        let email = random_email();
        sqlx::query(
            "insert into users (id, email, password_hash, email_verified_at)
             select $1, $2, password_hash, now() from users where id = $3",
        )
        .bind(uuid::Uuid::now_v7())
        .bind(&email)
        .bind(model.id.as_uuid())
        .execute(&pool)
        .await
        .unwrap();
        people.push(email);
    }
    people
}

async fn time(auth: &Auth, name: &str, input: Value) -> Duration {
    let (query, input) = (mutation(name), json!({ "input": input }));
    let begun = Instant::now();
    let answer = auth.ask(&Caller::Anonymous, &query, input).await;
    let took = begun.elapsed();
    assert_eq!(answer.get("errors"), None, "{answer}");
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
