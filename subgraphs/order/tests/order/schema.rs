//! What this subgraph publishes, and what its migrations share with messaging.

use expect_test::expect_file;

#[test]
fn the_published_schema() {
    expect_file!["../../../../schema/subgraphs/order.graphql"].assert_eq(&fondaco_order::sdl());
}

#[test]
fn the_outbox_is_the_one_the_relay_reads() {
    assert_eq!(
        include_str!("../../migrations/0002_outbox.sql"),
        fondaco_messaging::outbox::DDL
    );
}

#[test]
fn the_inbox_is_the_one_consumers_write() {
    assert_eq!(
        include_str!("../../migrations/0011_inbox.sql"),
        fondaco_messaging::inbox::DDL
    );
}

#[test]
fn parked_events_and_progress_are_kept_as_messaging_does() {
    assert_eq!(
        include_str!("../../migrations/0012_dead_letters.sql"),
        fondaco_messaging::dead_letter::DDL
    );
    assert_eq!(
        include_str!("../../migrations/0013_outbox_progress.sql"),
        fondaco_messaging::outbox::PROGRESS_DDL
    );
}
