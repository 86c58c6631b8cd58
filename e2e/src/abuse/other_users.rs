//! Other people's things, by every path: what the owner sees there, nobody else does.

use serde_json::{Value, json};

use super::lab::{Lab, identity};
use super::{Matrix, send};
use crate::client::Answer;
use crate::shop::{self, Shopper};

const TABLE: &str = "other users' objects";

/// A way to something private. `mark` shows in the answer to its owner.
struct Path {
    name: &'static str,
    /// The subgraph that is called directly, as the router would; else the router.
    at: Option<&'static str>,
    query: &'static str,
    variables: Value,
    mark: String,
}

/// Goes every way as the owner, a stranger and nobody.
pub async fn run(lab: &Lab, matrix: &mut Matrix) {
    let client = lab.platform.client();
    let (owner, stranger) = (shop::sign_up(&client).await, shop::sign_up(&client).await);
    let variants = shop::variants(&client).await;
    let variant = variants
        .iter()
        .find(|variant| !variant.drop && variant.available > 0)
        .unwrap();
    let bought = shop::buy_one(&owner, &variant.sku).await;
    let order = bought.expect_data()["purchase"]["order"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for path in through_the_router(&owner, &order)
        .into_iter()
        .chain(at_subgraphs(&owner, &order))
    {
        let own = go(lab, &path, Some(&owner)).await;
        assert!(
            own.body.to_string().contains(&path.mark),
            "{}: {}",
            path.name,
            own.body
        );
        for (who, shopper) in [("a stranger", Some(&stranger)), ("nobody", None)] {
            let answer = go(lab, &path, shopper).await;
            let held = !answer.body.to_string().contains(&path.mark);
            matrix.note(TABLE, format!("{} by {who}", path.name), held, &answer);
        }
    }
    cancel(&stranger, &owner, &order, matrix).await;
}

async fn go(lab: &Lab, path: &Path, shopper: Option<&Shopper>) -> Answer {
    let Some(subgraph) = path.at else {
        let anonymous = lab.platform.client();
        let client = shopper.map_or(&anonymous, |shopper| &shopper.client);
        return client.query(path.query, path.variables.clone()).await.unwrap();
    };
    let caller = identity(subgraph, shopper.map(|shopper| shopper.id.as_str()), json!({}));
    let request = reqwest::Client::new()
        .post(lab.platform.url(subgraph, "/graphql"))
        .header("fondaco-caller", caller)
        .json(&json!({ "query": path.query, "variables": path.variables }));
    send(request).await
}

fn path(
    name: &'static str,
    at: Option<&'static str>,
    query: &'static str,
    variables: &Value,
    mark: &str,
) -> Path {
    Path {
        name,
        at,
        query,
        variables: variables.clone(),
        mark: mark.to_owned(),
    }
}

fn through_the_router(owner: &Shopper, order: &str) -> Vec<Path> {
    let by_id = json!({ "id": order });
    vec![
        path(
            "order",
            None,
            "query($id: ID!) { order(id: $id) { id status } }",
            &by_id,
            order,
        ),
        path(
            "order by aliases",
            None,
            "query($id: ID!) { a: order(id: $id) { id } b: order(id: $id) { x: id } c: order(id: $id) { status } }",
            &by_id,
            order,
        ),
        path(
            "order in a fragment",
            None,
            "query($id: ID!) { ...F } fragment F on Query { order(id: $id) { ...O } } fragment O on Order { id total { amount } }",
            &by_id,
            order,
        ),
        path(
            "payment of an order",
            None,
            "query($id: ID!) { order(id: $id) { payment { id status amount { amount } } } }",
            &by_id,
            "CAPTURED",
        ),
        path(
            "own orders",
            None,
            "{ orders { edges { node { id } } } }",
            &json!({}),
            order,
        ),
        path(
            "orders of me",
            None,
            "{ me { orders { edges { node { id } } } } }",
            &json!({}),
            order,
        ),
        path("e-mail of me", None, "{ me { email } }", &json!({}), &owner.email),
    ]
}

fn at_subgraphs(owner: &Shopper, order: &str) -> Vec<Path> {
    let by_id = json!({ "id": order });
    let entity = |typename: &str, id: &str| json!({ "of": [{ "__typename": typename, "id": id }] });
    let (orders, users) = (entity("Order", order), entity("User", &owner.id));
    let (at_order, at_payment, at_auth) = (Some("order"), Some("payment"), Some("auth"));
    vec![
        path(
            "order as an entity",
            at_order,
            "query($of: [_Any!]!) { _entities(representations: $of) { ... on Order { status total { amount } } } }",
            &orders,
            "CONFIRMED",
        ),
        path(
            "order as an entity, by aliases",
            at_order,
            "query($of: [_Any!]!) { a: _entities(representations: $of) { ... on Order { s: status } } \
             b: _entities(representations: $of) { ... on Order { status } } }",
            &orders,
            "CONFIRMED",
        ),
        path(
            "order at its subgraph",
            at_order,
            "query($id: ID!) { order(id: $id) { status } }",
            &by_id,
            "CONFIRMED",
        ),
        path(
            "orders of a user as an entity",
            at_order,
            "query($of: [_Any!]!) { _entities(representations: $of) { ... on User { orders { edges { node { id status } } } } } }",
            &users,
            order,
        ),
        path(
            "payment through the order as an entity",
            at_payment,
            "query($of: [_Any!]!) { _entities(representations: $of) { ... on Order { payment { id status } } } }",
            &orders,
            "CAPTURED",
        ),
        path(
            "user as an entity",
            at_auth,
            "query($of: [_Any!]!) { _entities(representations: $of) { ... on User { email name } } }",
            &users,
            &owner.email,
        ),
    ]
}

/// Somebody else's order cannot be changed, and the answer is that of an order that does not exist.
async fn cancel(stranger: &Shopper, owner: &Shopper, order: &str, matrix: &mut Matrix) {
    let mutation = "mutation($input: CancelOrderInput!) { cancelOrder(input: $input) { order { id } userErrors { code } } }";
    let input =
        |id: &str| json!({ "input": { "orderId": id, "idempotencyKey": uuid::Uuid::new_v4().to_string() } });
    let missing = uuid::Uuid::now_v7().to_string();
    let of_nobody = stranger.client.query(mutation, input(&missing)).await.unwrap();
    let of_other = stranger.client.query(mutation, input(order)).await.unwrap();
    matrix.note(
        TABLE,
        "cancelOrder by a stranger",
        of_other.body == of_nobody.body,
        &of_other,
    );
    let after = owner
        .client
        .query(
            "query($id: ID!) { order(id: $id) { status } }",
            json!({ "id": order }),
        )
        .await
        .unwrap();
    let untouched = after.data()["order"]["status"] == "CONFIRMED";
    matrix.note(TABLE, "cancelOrder by a stranger, its effect", untouched, &after);
}
