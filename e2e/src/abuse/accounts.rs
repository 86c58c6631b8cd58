//! Accounts attacked over HTTP, through the router: guessing, enumeration, tokens that outlive what they stand for, outside sign-in.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Matrix;
use super::lab::{Lab, claims};
use crate::client::{Answer, Client};
use crate::shop;

const SIGN_IN: &str = "mutation($input: SignInInput!) { signIn(input: $input) { tokens { accessToken refreshToken } userErrors { code message } } }";
const REFRESH: &str = "mutation($input: RefreshTokenInput!) { refreshToken(input: $input) { tokens { accessToken refreshToken } userErrors { code } } }";
/// The promise is two seconds.
const SOON: Duration = Duration::from_secs(2);

/// A signed-in device.
struct Device {
    client: Client,
    access: String,
    refresh: String,
}

/// Makes every attack.
pub async fn run(lab: &Lab, matrix: &mut Matrix) {
    let client = lab.platform.client();
    enumerate(&client, matrix).await;
    end_sessions(&client, matrix).await;
    reuse(&client, matrix).await;
    refresh_at_once(&client, matrix).await;
    confuse(&client, matrix).await;
    // Last: it uses up what one address may try.
    guess(&client, matrix).await;
}

async fn sign_in(client: &Client, email: &str) -> Device {
    let input = json!({ "input": { "email": email, "password": shop::PASSWORD } });
    let answer = client.query(SIGN_IN, input).await.unwrap();
    let tokens = &answer.expect_data()["signIn"]["tokens"];
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let (access, refresh) = (text("accessToken"), text("refreshToken"));
    Device {
        client: client.with_token(&access),
        access,
        refresh,
    }
}

async fn refresh(client: &Client, token: &str) -> Answer {
    let input = json!({ "input": { "refreshToken": token } });
    client.query(REFRESH, input).await.unwrap()
}

fn is_refused(answer: &Answer) -> bool {
    shop::user_error(answer, "refreshToken") == "INVALID_REFRESH_TOKEN"
        && answer.data()["refreshToken"]["tokens"].is_null()
}

/// A hundred passwords in one request, the right one last: as aliases, and as a batch.
async fn guess(client: &Client, matrix: &mut Matrix) {
    const TABLE: &str = "guessing";
    let victim = shop::sign_up(client).await;
    let field = |index: usize| {
        let password = if index == 99 {
            shop::PASSWORD
        } else {
            "a wrong password"
        };
        let input = format!("email: \"{}\", password: \"{password}\"", victim.email);
        format!("a{index}: signIn(input: {{ {input} }}) {{ tokens {{ accessToken }} }}")
    };
    let fields: Vec<String> = (0..100).map(field).collect();
    let answer = client
        .query(&format!("mutation {{ {} }}", fields.join(" ")), json!({}))
        .await
        .unwrap();
    let limited = |error: &&Value| error["extensions"]["code"] == "RATE_LIMITED";
    let counted = answer.errors().iter().filter(limited).count() >= 80;
    let held = counted && !answer.body.to_string().contains("\"accessToken\"");
    matrix.note(TABLE, "passwords by 100 aliases", held, &answer);

    let victim = shop::sign_up(client).await;
    let one = |password: &str| json!({ "query": SIGN_IN, "variables": { "input": { "email": victim.email, "password": password } } });
    let mut batch = vec![one("a wrong password"); 99];
    batch.push(one(shop::PASSWORD));
    let answer = client.post(json!(batch).to_string()).await.unwrap();
    let held = !answer.body.to_string().contains("\"accessToken\"");
    matrix.note(TABLE, "passwords by a batch of 100", held, &answer);

    for (name, rest) in [
        ("verifyEmail", ""),
        ("resetPassword", ", newPassword: \"a completely new secret\""),
    ] {
        let field = |index: usize| {
            format!(
                "a{index}: {name}(input: {{ email: \"{}\", code: \"{index:08}\"{rest} }}) {{ userErrors {{ code }} }}",
                victim.email
            )
        };
        let fields: Vec<String> = (0..100).map(field).collect();
        let answer = client
            .query(&format!("mutation {{ {} }}", fields.join(" ")), json!({}))
            .await
            .unwrap();
        let held = answer.errors().iter().filter(limited).count() >= 80;
        matrix.note(TABLE, format!("codes of {name} by 100 aliases"), held, &answer);
    }
}

/// What is answered does not tell who has an account.
async fn enumerate(client: &Client, matrix: &mut Matrix) {
    let known = shop::sign_up(client).await.email;
    let unknown = format!("{}@example.com", Uuid::new_v4().simple());
    for (name, input_type, rest) in [
        ("signIn", "SignInInput", json!({ "password": "not the password" })),
        ("requestPasswordReset", "RequestPasswordResetInput", json!({})),
        ("sendEmailVerification", "SendEmailVerificationInput", json!({})),
        ("verifyEmail", "VerifyEmailInput", json!({ "code": "000000" })),
        (
            "resetPassword",
            "ResetPasswordInput",
            json!({ "code": "00000000", "newPassword": "a completely new secret" }),
        ),
    ] {
        let query = format!(
            "mutation($input: {input_type}!) {{ {name}(input: $input) {{ userErrors {{ code field message }} }} }}"
        );
        let ask = async |email: &str| {
            let mut input = rest.clone();
            input["email"] = json!(email);
            client.query(&query, json!({ "input": input })).await.unwrap()
        };
        let (of_known, of_unknown) = (ask(&known).await, ask(&unknown).await);
        let held = of_known.body == of_unknown.body && of_known.status == of_unknown.status;
        matrix.note("enumeration by body", name, held, &of_known);
    }
}

/// After a session has ended, neither of its tokens is good for anything.
async fn end_sessions(client: &Client, matrix: &mut Matrix) {
    let revoke = "mutation($id: ID!) { revokeSession(input: { sessionId: $id }) { userErrors { code } } }";
    let change = format!(
        "mutation {{ changePassword(input: {{ currentPassword: \"{}\", newPassword: \"a completely new secret\" }}) {{ userErrors {{ code }} }} }}",
        shop::PASSWORD
    );
    for (what, mutation, from_elsewhere) in [
        ("signOut", "mutation { signOut { userErrors { code } } }", false),
        (
            "signOutAll",
            "mutation { signOutAll { userErrors { code } } }",
            true,
        ),
        ("revokeSession", revoke, true),
        ("changePassword elsewhere", &change, true),
    ] {
        let person = shop::sign_up(client).await;
        let device = sign_in(client, &person.email).await;
        let by = if from_elsewhere {
            &person.client
        } else {
            &device.client
        };
        let id = claims(&device.access)["sid"].clone();
        by.query(mutation, json!({ "id": id }))
            .await
            .unwrap()
            .expect_data();
        tokio::time::sleep(SOON).await;
        let answer = device.client.query("{ me { id } }", json!({})).await.unwrap();
        matrix.note(
            "ended sessions",
            format!("access token after {what}"),
            answer.status == 401,
            &answer,
        );
        let answer = refresh(client, &device.refresh).await;
        matrix.note(
            "ended sessions",
            format!("refresh token after {what}"),
            is_refused(&answer),
            &answer,
        );
    }
}

/// A refresh token that is used again when the chain has moved on ends the session.
async fn reuse(client: &Client, matrix: &mut Matrix) {
    const TABLE: &str = "refresh tokens";
    let person = shop::sign_up(client).await;
    let device = sign_in(client, &person.email).await;
    let mut newest = device.refresh.clone();
    for _ in 0..2 {
        let answer = refresh(client, &newest).await;
        newest = answer.expect_data()["refreshToken"]["tokens"]["refreshToken"]
            .as_str()
            .unwrap()
            .to_owned();
    }
    let answer = refresh(client, &device.refresh).await;
    matrix.note(TABLE, "used again", is_refused(&answer), &answer);
    let answer = refresh(client, &newest).await;
    matrix.note(
        TABLE,
        "the newest, after an old one was used again",
        is_refused(&answer),
        &answer,
    );
    tokio::time::sleep(SOON).await;
    let answer = device.client.query("{ me { id } }", json!({})).await.unwrap();
    matrix.note(
        TABLE,
        "access token, after an old refresh token was used again",
        answer.status == 401,
        &answer,
    );
}

/// Many who refresh with one token at once hold one successor: no fork of the chain.
async fn refresh_at_once(client: &Client, matrix: &mut Matrix) {
    let person = shop::sign_up(client).await;
    let device = sign_in(client, &person.email).await;
    let answers = join_all((0..8).map(|_| refresh(client, &device.refresh))).await;
    let token = |answer: &Answer| answer.data()["refreshToken"]["tokens"]["refreshToken"].clone();
    let first = token(&answers[0]);
    let held = first.is_string() && answers.iter().all(|answer| token(answer) == first);
    matrix.note("refresh tokens", "used eight times at once", held, &answers[0]);
}

/// Tokens of one kind in place of the other.
async fn confuse(client: &Client, matrix: &mut Matrix) {
    let person = shop::sign_up(client).await;
    let device = sign_in(client, &person.email).await;
    let answer = client
        .with_token(&device.refresh)
        .query("{ me { id } }", json!({}))
        .await
        .unwrap();
    matrix.note(
        "refresh tokens",
        "refresh used as access",
        answer.status == 401,
        &answer,
    );
    for (name, token) in [
        ("access used as refresh", &*device.access),
        ("empty", ""),
        ("made up", &"A".repeat(43)),
    ] {
        let answer = refresh(client, token).await;
        matrix.note("refresh tokens", name, is_refused(&answer), &answer);
    }
}
