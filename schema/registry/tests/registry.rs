//! Publishing and reading, each in a folder and in a Postgres (`DATABASE_URL`).

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use fondaco_check::Evidenced;
use fondaco_check::settings::CheckSettings;
use fondaco_composition::SubgraphSource;
use fondaco_registry::{
    Access, Address, ChangeKind, Outcome, Proposal, ProposedSubgraphs, PublishError, Store, follow, publish,
};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use uuid::Uuid;

/// A registry of one test: it goes with it.
struct Scratch {
    address: Address,
    folder: Option<PathBuf>,
    database: Option<(PgConnectOptions, String)>,
}

impl Scratch {
    fn folder() -> Self {
        let folder = std::env::temp_dir().join(format!("fondaco-registry-{}", Uuid::new_v4()));
        Self {
            address: Address::Folder(folder.clone()),
            folder: Some(folder),
            database: None,
        }
    }

    async fn database() -> Self {
        let url = std::env::var("DATABASE_URL").expect("DATABASE_URL names a Postgres; ./dev test sets it");
        let server = PgConnectOptions::from_str(&url).unwrap();
        let maintenance = server.get_database().unwrap_or("postgres").to_owned();
        let server = server.database(&maintenance);
        let name = format!("fondaco_registry_test_{}", Uuid::new_v4().simple());
        run(&server, &format!("create database {name}")).await;
        Self {
            address: Address::Postgres(Box::new(server.clone().database(&name))),
            folder: None,
            database: Some((server, name)),
        }
    }

    async fn both() -> [Self; 2] {
        [Self::folder(), Self::database().await]
    }

    async fn store(&self) -> Store {
        Store::open(&self.address, Access::Publish).await.unwrap()
    }

    async fn remove(self) {
        if let Some((server, name)) = &self.database {
            run(server, &format!("drop database {name} with (force)")).await;
        }
        if let Some(folder) = self.folder {
            std::fs::remove_dir_all(folder).unwrap();
        }
    }
}

async fn run(server: &PgConnectOptions, statement: &str) {
    let mut connection: PgConnection = server.connect().await.unwrap();
    let statement = AssertSqlSafe(statement.to_owned());
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn subgraph(name: &str, fields: &str) -> SubgraphSource {
    SubgraphSource {
        name: name.to_owned(),
        url: format!("http://{name}.test/graphql"),
        sdl: format!("type Query {{ {fields} }}\n"),
        file: Some(format!("{name}.graphql")),
    }
}

fn proposal(subgraphs: ProposedSubgraphs) -> Proposal {
    Proposal {
        subgraphs,
        evidenced: Evidenced::default(),
        settings: CheckSettings::default(),
        force: None,
        publisher: "ada".to_owned(),
    }
}

fn put(name: &str, fields: &str) -> Proposal {
    proposal(ProposedSubgraphs::Some {
        put: vec![subgraph(name, fields)],
        remove: Vec::new(),
    })
}

async fn published(store: &Store, proposal: Proposal) -> u64 {
    match publish(store, proposal).await.unwrap() {
        Outcome::Published { version, .. } => version.number,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_history_of_changes() {
    for scratch in Scratch::both().await {
        let store = scratch.store().await;
        assert_eq!(store.latest().await.unwrap(), None);
        assert_eq!(published(&store, put("a", "a: Int b: Int")).await, 1);
        assert_eq!(published(&store, put("z", "z: Int")).await, 2);
        let unchanged = publish(&store, put("z", "z: Int")).await.unwrap();
        assert!(matches!(unchanged, Outcome::Unchanged(2)), "{unchanged:?}");

        let Outcome::Refused { against: 2, report } = publish(&store, put("a", "a: Int")).await.unwrap()
        else {
            panic!("a removed field is not refused");
        };
        assert_eq!(report.findings[0].rule, "FIELD_REMOVED");
        let broken = publish(&store, put("b", "b: Nothing")).await;
        assert!(matches!(broken, Err(PublishError::Graph(_))), "{broken:?}");
        assert_eq!(
            store.latest().await.unwrap(),
            Some(2),
            "nothing of that was stored"
        );

        let forced = Proposal {
            force: Some("nobody uses it".to_owned()),
            ..put("a", "a: Int")
        };
        assert_eq!(published(&store, forced).await, 3);
        let needless = Proposal {
            force: Some("to be sure".to_owned()),
            ..put("a", "a: Int c: Int")
        };
        assert_eq!(published(&store, needless).await, 4);
        let restore = || proposal(ProposedSubgraphs::OfVersion(2));
        let refused = publish(&store, restore()).await.unwrap();
        assert!(
            matches!(refused, Outcome::Refused { against: 4, .. }),
            "{refused:?}"
        );
        let forced = Proposal {
            force: Some("c was a mistake".to_owned()),
            ..restore()
        };
        assert_eq!(published(&store, forced).await, 5);
        check_history(&store).await;
        scratch.remove().await;
    }
}

async fn check_history(store: &Store) {
    let history = store.history().await.unwrap();
    let numbers: Vec<u64> = history.iter().map(|version| version.number).collect();
    assert_eq!(numbers, [5, 4, 3, 2, 1]);
    let reasons: Vec<Option<&str>> = history
        .iter()
        .map(|version| version.forced_because.as_deref())
        .collect();
    let (mistake, unused) = (Some("c was a mistake"), Some("nobody uses it"));
    // A reason is kept where it was needed.
    assert_eq!(reasons, [mistake, None, unused, None, None]);
    assert_eq!((history[2].summary.breaking, history[1].summary.breaking), (1, 0));
    assert_eq!(history[0].publisher, "ada");
    assert_eq!(history[3].changes[0].kind, ChangeKind::Added);
    assert_eq!(history[2].changes[0].kind, ChangeKind::Changed);

    let third = store.read(3).await.unwrap();
    assert_eq!(third.version, history[2]);
    assert_eq!(third.subgraphs.len(), 2);
    assert_eq!(third.subgraphs[0].sdl, "type Query { a: Int }\n");
    assert_eq!(third.subgraphs[1].url, "http://z.test/graphql");
    assert_eq!(third.supergraph, store.supergraph(3).await.unwrap());
    assert!(third.supergraph.contains("http://z.test/graphql"));
    let missing = store.read(9).await.unwrap_err().to_string();
    assert!(missing.contains("no version 9; the newest is 5"), "{missing}");
}

#[tokio::test]
async fn subgraphs_are_removed_by_name() {
    for scratch in Scratch::both().await {
        let store = scratch.store().await;
        let remove = |name: &str| {
            let remove = vec![name.to_owned()];
            proposal(ProposedSubgraphs::Some {
                put: Vec::new(),
                remove,
            })
        };
        let shared = |name: &str| SubgraphSource {
            sdl: format!(
                "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@shareable\"])\ntype Query {{ a: Int @shareable {name}: Int }}"
            ),
            ..subgraph(name, "")
        };
        let all = ProposedSubgraphs::All(vec![shared("x"), shared("y")]);
        assert_eq!(published(&store, proposal(all)).await, 1);
        let refused = publish(&store, remove("nobody")).await.unwrap_err().to_string();
        assert!(refused.contains("no subgraph \"nobody\""), "{refused}");
        let breaking = publish(&store, remove("y")).await.unwrap();
        assert!(matches!(breaking, Outcome::Refused { .. }), "{breaking:?}");
        let forced = Proposal {
            force: Some("gone".to_owned()),
            ..remove("y")
        };
        assert_eq!(published(&store, forced).await, 2);
        let nothing = publish(&store, remove("x")).await;
        assert!(matches!(nothing, Err(PublishError::NoSubgraphs)), "{nothing:?}");
        scratch.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn publishers_at_the_same_time_lose_nothing() {
    const PUBLISHERS: usize = 8;
    for scratch in Scratch::both().await {
        let publishers: Vec<_> = (0..PUBLISHERS)
            .map(|index| {
                let address = scratch.address.clone();
                tokio::spawn(async move {
                    // Each makes the registry where it is the first.
                    let store = Store::open(&address, Access::Publish).await.unwrap();
                    let name = format!("s{index}");
                    published(&store, put(&name, &format!("{name}: Int"))).await
                })
            })
            .collect();
        let mut numbers = Vec::new();
        for publisher in publishers {
            numbers.push(publisher.await.unwrap());
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=PUBLISHERS as u64).collect::<Vec<_>>());
        let store = scratch.store().await;
        for number in numbers {
            let stored = store.read(number).await.unwrap();
            assert_eq!(stored.subgraphs.len() as u64, number, "each version adds one");
            assert_eq!(stored.version.changes.len(), 1);
        }
        scratch.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_are_told_of_every_version_they_are_awake_for() {
    for scratch in Scratch::both().await {
        let store = scratch.store().await;
        assert_eq!(published(&store, put("a", "a: Int")).await, 1);
        let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
        let following = tokio::spawn(follow(
            store.clone(),
            1,
            Duration::from_millis(20),
            move |number, sdl| {
                sender.send((number, sdl)).unwrap();
            },
        ));
        for number in 2..=3 {
            let fields = format!("a: Int f{number}: Int g{}: Int", number % 2);
            let forced = Proposal {
                force: Some("a test".to_owned()),
                ..put("a", &fields)
            };
            assert_eq!(published(&store, forced).await, number);
            let (seen, sdl) = tokio::time::timeout(Duration::from_secs(20), told.recv())
                .await
                .unwrap()
                .unwrap();
            assert_eq!(seen, number);
            assert!(sdl.contains(&format!("f{number}: Int")), "{sdl}");
        }
        assert!(told.try_recv().is_err(), "nothing is told twice");
        following.abort();
        scratch.remove().await;
    }
}

#[tokio::test]
async fn what_is_no_registry_is_named() {
    let check = async |address: &Address, expected: &str| {
        let error = Store::open(address, Access::Read).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    };
    let nowhere = "/no/such/folder".parse().unwrap();
    check(&nowhere, "no registry at /no/such/folder").await;
    let database = Scratch::database().await;
    check(&database.address, "there is no registry at postgres://").await;
    database.remove().await;
    let closed = "postgres://me:hunter2@127.0.0.1:1/shop".parse().unwrap();
    check(&closed, "postgres://127.0.0.1:1/shop cannot be used").await;
    let file = std::env::temp_dir().join(format!("fondaco-registry-{}", Uuid::new_v4()));
    std::fs::write(&file, "").unwrap();
    let refused = Store::open(&Address::Folder(file.clone()), Access::Publish).await;
    assert!(refused.unwrap_err().to_string().contains("cannot be written"));
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn a_damaged_folder_is_named_and_leftovers_do_no_harm() {
    let scratch = Scratch::folder();
    let folder = scratch.folder.clone().unwrap();
    let store = scratch.store().await;
    assert_eq!(published(&store, put("a", "a: Int")).await, 1);
    // A publisher that was killed, and things that are not ours.
    std::fs::create_dir_all(folder.join(".draft-killed/subgraphs")).unwrap();
    for other in ["versions/notes.txt", "versions/7", "README"] {
        std::fs::write(folder.join(other), "other").unwrap();
    }
    assert_eq!(published(&store, put("a", "a: Int b: Int")).await, 2);

    let version = folder.join("versions/00000002");
    let check = async |file: &str, content: &str, expected: &str| {
        let path = version.join(file);
        let before = std::fs::read(&path).unwrap();
        std::fs::write(&path, content).unwrap();
        let error = store.read(2).await.unwrap_err().to_string();
        assert!(error.contains(file) && error.contains(expected), "{error}");
        std::fs::write(&path, before).unwrap();
        store.read(2).await.unwrap();
    };
    check("supergraph.graphql", "type Query { a: Int }", "SHA-256").await;
    check("subgraphs/a.graphql", "", "SHA-256").await;
    check("version.json", "{", "damaged").await;
    let moved = std::fs::read_to_string(version.join("version.json")).unwrap();
    let moved = moved.replace("\"number\": 2", "\"number\": 3");
    check("version.json", &moved, "describes version 3").await;
    scratch.remove().await;
}
