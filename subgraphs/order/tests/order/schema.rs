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
