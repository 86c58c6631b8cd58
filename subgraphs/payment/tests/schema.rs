//! What this subgraph publishes.

use expect_test::expect_file;

#[test]
fn the_published_schema() {
    expect_file!["../../../schema/subgraphs/payment.graphql"].assert_eq(&fondaco_payment::sdl());
}
