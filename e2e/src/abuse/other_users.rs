//! Other people's things, by every path: what the owner sees there nobody else does, and what nobody else may change answers as if it were
//! not there. `other_users/` has the ways in; `{order}` and the like stand for the owner's things.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::lab::{Lab, claims, identity};
use super::{Matrix, send};
use crate::client::Answer;
use crate::shop::{self, Shopper};

const TABLE: &str = "other users' objects";

/// A way to read something private. `mark` shows in the answer to its owner.
#[derive(Deserialize)]
struct Read {
    name: String,
    /// The subgraph that is called directly, as the router would; else the router.
    at: Option<String>,
    query: String,
    mark: String,
}

/// A way to change something private.
#[derive(Deserialize)]
struct Write {
    mutation: String,
    input: Value,
    /// Takes no idempotency key.
    #[serde(default)]
    keyless: bool,
}

/// What somebody owns, by the names that ways use.
#[derive(Clone)]
struct Things(Vec<(&'static str, String)>);

/// Goes every way as the owner, a stranger and nobody.
pub async fn run(lab: &Lab, matrix: &mut Matrix) {
    let client = lab.platform.client();
    let (owner, stranger) = (shop::sign_up(&client).await, shop::sign_up(&client).await);
    let things = Things::of(&owner).await;
    let reads: Vec<Read> = things.fill(include_str!("other_users/reads.json"));
    for read in &reads {
        let own = look(lab, read, &things, Some(&owner)).await;
        assert!(
            own.body.to_string().contains(&read.mark),
            "{}: {}",
            read.name,
            own.body
        );
        for (who, shopper) in [("a stranger", Some(&stranger)), ("nobody", None)] {
            let answer = look(lab, read, &things, shopper).await;
            let held = !answer.body.to_string().contains(&read.mark);
            matrix.note(TABLE, format!("{} by {who}", read.name), held, &answer);
        }
    }
    let before = state(lab, &reads, &things, &owner).await;
    write_all(lab, &things, &stranger, matrix).await;
    take_off_wishlist(&stranger, &things, matrix).await;
    let after = state(lab, &reads, &things, &owner).await;
    for ((read, before), after) in reads.iter().zip(before).zip(after) {
        let attack = format!("all changes by a stranger, as seen in: {}", read.name);
        matrix.note(TABLE, attack, before.body == after.body, &after);
    }
}

impl Things {
    /// Has the owner buy something, begin something, and wish for something.
    async fn of(owner: &Shopper) -> Self {
        let variants = shop::variants(&owner.client).await;
        let variant = variants
            .iter()
            .find(|variant| !variant.drop && variant.available > 0)
            .unwrap();
        let bought = shop::buy_one(owner, &variant.sku).await;
        let order = text(&bought.expect_data()["purchase"]["order"]["id"]);
        let draft = "mutation($input: CreateOrderInput!) { createOrder(input: $input) { order { id } } }";
        let lines = json!([{ "sku": variant.sku, "quantity": 2 }]);
        let input = json!({ "input": { "idempotencyKey": Uuid::new_v4(), "lines": lines } });
        let drafted = owner.client.query(draft, input).await.unwrap();
        let wish =
            "mutation($input: WishlistItemInput!) { addToWishlist(input: $input) { userErrors { code } } }";
        let input = json!({ "input": { "sku": variant.sku, "quantity": 3 } });
        owner.client.query(wish, input).await.unwrap().expect_data();
        Self(vec![
            ("order", order),
            (
                "draft",
                text(&drafted.expect_data()["createOrder"]["order"]["id"]),
            ),
            ("user", owner.id.clone()),
            ("email", owner.email.clone()),
            ("session", text(&claims(&owner.token)["sid"])),
            ("sku", variant.sku.clone()),
        ])
    }

    /// Things of the same kinds that do not exist; what is for sale exists for everybody.
    fn missing(&self) -> Self {
        let missing = |(name, value): &(&'static str, String)| match *name {
            "sku" => (*name, value.clone()),
            _ => (*name, Uuid::now_v7().to_string()),
        };
        Self(self.0.iter().map(missing).collect())
    }

    /// Reads a table with the things' values in place of their names.
    fn fill<T: for<'de> Deserialize<'de>>(&self, table: &str) -> Vec<T> {
        let filled = self.0.iter().fold(table.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        });
        serde_json::from_str(&filled).unwrap()
    }

    /// Variables for every query: ids by name, and representations of entities.
    fn variables(&self) -> Value {
        let mut variables: serde_json::Map<String, Value> = self
            .0
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let entity = |typename: &str, id: &Value| json!([{ "__typename": typename, "id": id }]);
        variables.insert("orders".into(), entity("Order", &variables["order"]));
        variables.insert("users".into(), entity("User", &variables["user"]));
        Value::Object(variables)
    }
}

async fn look(lab: &Lab, read: &Read, things: &Things, shopper: Option<&Shopper>) -> Answer {
    let Some(subgraph) = &read.at else {
        let anonymous = lab.platform.client();
        let client = shopper.map_or(&anonymous, |shopper| &shopper.client);
        return client.query(&read.query, things.variables()).await.unwrap();
    };
    let caller = identity(subgraph, shopper.map(|shopper| shopper.id.as_str()), json!({}));
    let request = reqwest::Client::new()
        .post(lab.platform.url(subgraph, "/graphql"))
        .header("fondaco-caller", caller)
        .json(&json!({ "query": read.query, "variables": things.variables() }));
    send(request).await
}

/// What the owner sees on every way.
async fn state(lab: &Lab, reads: &[Read], things: &Things, owner: &Shopper) -> Vec<Answer> {
    let mut answers = Vec::new();
    for read in reads {
        answers.push(look(lab, read, things, Some(owner)).await);
    }
    answers
}

/// Each change by a stranger gets the answer that a thing gets which does not exist.
async fn write_all(lab: &Lab, things: &Things, stranger: &Shopper, matrix: &mut Matrix) {
    let table = include_str!("other_users/writes.json");
    let (theirs, nobodys): (Vec<Write>, Vec<Write>) = (things.fill(table), things.missing().fill(table));
    for (write, missing) in theirs.iter().zip(&nobodys) {
        let of_other = change(stranger, write).await;
        let of_nobody = change(stranger, missing).await;
        let refused = !shop::user_error(&of_other, &write.mutation).is_empty();
        let held = refused && of_other.body == of_nobody.body;
        matrix.note(
            TABLE,
            format!("{} by a stranger", write.mutation),
            held,
            &of_other,
        );
        let anonymous = Shopper {
            client: lab.platform.client(),
            ..stranger.clone()
        };
        let by_nobody = change(&anonymous, write).await;
        let held = by_nobody.data()[&write.mutation].is_null() && !by_nobody.errors().is_empty();
        matrix.note(TABLE, format!("{} by nobody", write.mutation), held, &by_nobody);
    }
}

async fn change(shopper: &Shopper, write: &Write) -> Answer {
    let name = &write.mutation;
    let input_type = match &**name {
        "startPayment" => "PurchaseInput".to_owned(),
        _ => format!("{}{}Input", name[..1].to_uppercase(), &name[1..]),
    };
    let mut input = write.input.clone();
    if !write.keyless {
        input["idempotencyKey"] = json!(Uuid::new_v4());
    }
    let query =
        format!("mutation($input: {input_type}!) {{ {name}(input: $input) {{ userErrors {{ code }} }} }}");
    shopper
        .client
        .query(&query, json!({ "input": input }))
        .await
        .unwrap()
}

/// A stranger who takes the variant off a wishlist takes it off an own one.
async fn take_off_wishlist(stranger: &Shopper, things: &Things, matrix: &mut Matrix) {
    let sku = &things.variables()["sku"];
    for query in [
        "mutation($sku: ID!) { updateWishlistItem(input: { sku: $sku, quantity: 99 }) { wishlist { items { quantity } } } }",
        "mutation($sku: ID!) { removeFromWishlist(input: { sku: $sku }) { wishlist { items { quantity } } } }",
    ] {
        let answer = stranger.client.query(query, json!({ "sku": sku })).await.unwrap();
        let held = !answer.body.to_string().contains("\"quantity\":3");
        matrix.note(
            TABLE,
            "a wishlist item of the owner's, changed by a stranger",
            held,
            &answer,
        );
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
