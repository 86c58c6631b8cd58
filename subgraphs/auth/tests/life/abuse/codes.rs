//! Guessing: passwords and mailed codes, one by one, by aliases, by batches, at once.

use fondaco_chassis::Caller;
use futures::future::join_all;
use serde_json::{Value, json};

use super::{Rows, World, row};
use crate::support::{
    Auth, OTHER_PASSWORD, PASSWORD, codes, error_code, mutation, other_code, random_address, random_email,
};

pub fn rows(world: &World) -> Rows<'_> {
    let auth = &world.auth;
    vec![
        row(
            "passwords of one account by 100 aliases",
            passwords_by_aliases(auth),
        ),
        row(
            "passwords of one account, one request each, from everywhere",
            passwords_from_everywhere(auth),
        ),
        row("one password for many accounts from one address", spraying(auth)),
        row("changePassword as a way to guess", by_changing(auth)),
        row(
            "verification codes by 100 aliases",
            codes_by_aliases(auth, "verifyEmail"),
        ),
        row(
            "reset codes by 100 aliases",
            codes_by_aliases(auth, "resetPassword"),
        ),
        row("right code after five wrong ones at once", five_at_once(auth)),
        row("verification code as reset code", other_purpose(auth)),
        row(
            "reset code of one's own account for another's",
            other_account(auth),
        ),
        row("reset code twice at once: one wins", twice_at_once(auth)),
        row(
            "mail bombing by requestPasswordReset",
            mail_bombing(auth, "requestPasswordReset"),
        ),
        row(
            "mail bombing by sendEmailVerification",
            mail_bombing(auth, "sendEmailVerification"),
        ),
        row("mail bombing by signUp", mail_bombing(auth, "signUp")),
        row("code of a million digits", long_code(auth)),
        row("password of a megabyte", long_password(auth)),
        row("weak passwords, to have them judged", judging(auth)),
        row("everything of a megabyte", long_everything(auth)),
        row("address that only looks like another's", lookalikes(auth)),
    ]
}

/// One operation with `count` aliases of a mutation that each try something else.
fn aliases(name: &str, input: impl Fn(usize) -> String, count: usize) -> String {
    let fields = (0..count).map(|index| {
        format!(
            "a{index}: {name}(input: {{ {} }}) {{ userErrors {{ code }} }}",
            input(index)
        )
    });
    format!("mutation {{ {} }}", fields.collect::<Vec<_>>().join(" "))
}

fn limited(answer: &Value) -> usize {
    let errors = answer["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors
        .iter()
        .filter(|error| error["extensions"]["code"] == "RATE_LIMITED")
        .count()
}

async fn passwords_by_aliases(auth: &Auth) {
    let person = auth.person().await;
    let (email, last) = (person.email.clone(), 99);
    let input = |index| {
        let password = if index == last {
            PASSWORD.to_owned()
        } else {
            format!("guess {index}")
        };
        format!("email: \"{email}\", password: \"{password}\"")
    };
    let answer = auth
        .ask(&Caller::Anonymous, &aliases("signIn", input, 100), Value::Null)
        .await;
    assert!(limited(&answer) >= 80, "each alias counts: {answer}");
    assert!(
        answer["data"]["a99"].is_null(),
        "the right password came too late"
    );
    let failures = auth.events(person.id).await;
    let tried = failures.iter().filter(|event| *event == "sign_in_failed").count();
    assert!(tried <= 20, "{tried} passwords were tried");
}

async fn passwords_from_everywhere(auth: &Auth) {
    let person = auth.person().await;
    let mut refused = 0;
    for index in 0..25 {
        let input = json!({ "email": person.email, "password": format!("guess {index}") });
        let answer = auth.try_mutate(&Caller::Anonymous, "signIn", input).await;
        refused += usize::from(error_code(&answer) == "RATE_LIMITED");
    }
    assert!(refused >= 4, "{refused} of 25");
}

async fn spraying(auth: &Auth) {
    let (address, query) = (random_address(), mutation("signIn"));
    let mut refused = 0;
    for _ in 0..210 {
        let input = json!({ "input": { "email": random_email(), "password": "Summer2026!" } });
        let answer = auth.ask_from(&address, &Caller::Anonymous, &query, input).await;
        refused += usize::from(error_code(&answer) == "RATE_LIMITED");
    }
    assert!(refused >= 5, "{refused} of 210");
}

async fn by_changing(auth: &Auth) {
    let person = auth.person().await;
    let mut refused = 0;
    for index in 0..25 {
        let input = json!({ "currentPassword": format!("guess {index}"), "newPassword": OTHER_PASSWORD });
        let answer = auth.try_mutate(&person.caller, "changePassword", input).await;
        refused += usize::from(error_code(&answer) == "RATE_LIMITED");
    }
    assert!(refused >= 4, "{refused} of 25");
}

async fn codes_by_aliases(auth: &Auth, name: &str) {
    let person = auth.person().await;
    let ask = if name == "resetPassword" {
        "requestPasswordReset"
    } else {
        "sendEmailVerification"
    };
    auth.anonymous(ask, json!({ "email": person.email })).await;
    let new = if name == "resetPassword" {
        format!(", newPassword: \"{OTHER_PASSWORD}\"")
    } else {
        String::new()
    };
    let input = |index| format!("email: \"{}\", code: \"{index:06}\"{new}", person.email);
    let answer = auth
        .ask(&Caller::Anonymous, &aliases(name, input, 100), Value::Null)
        .await;
    assert!(limited(&answer) >= 1, "{answer}");
}

async fn five_at_once(auth: &Auth) {
    let person = auth.person().await;
    auth.anonymous("requestPasswordReset", json!({ "email": person.email }))
        .await;
    let code = auth.code(&person.email, 2).await;
    let enter = async |code: String| {
        let input = json!({ "email": person.email, "code": code, "newPassword": OTHER_PASSWORD });
        auth.anonymous("resetPassword", input).await
    };
    let wrong = join_all((0..6).map(|_| enter(other_code(&code)))).await;
    assert!(wrong.iter().all(|answer| codes(answer) == ["INVALID_CODE"]));
    assert_eq!(codes(&enter(code).await), ["INVALID_CODE"]);
}

async fn other_purpose(auth: &Auth) {
    let email = random_email();
    auth.anonymous("signUp", json!({ "email": email, "password": PASSWORD }))
        .await;
    let code = auth.code(&email, 1).await;
    for code in [code.clone(), format!("00{code}")] {
        let input = json!({ "email": email, "code": code, "newPassword": OTHER_PASSWORD });
        assert_eq!(
            codes(&auth.anonymous("resetPassword", input).await),
            ["INVALID_CODE"]
        );
    }
}

async fn other_account(auth: &Auth) {
    let (attacker, victim) = (auth.person().await, auth.person().await);
    for person in [&attacker, &victim] {
        auth.anonymous("requestPasswordReset", json!({ "email": person.email }))
            .await;
    }
    let code = auth.code(&attacker.email, 2).await;
    let input = json!({ "email": victim.email, "code": code, "newPassword": OTHER_PASSWORD });
    assert_eq!(
        codes(&auth.anonymous("resetPassword", input).await),
        ["INVALID_CODE"]
    );
    assert!(codes(&auth.sign_in(&victim.email, PASSWORD).await).is_empty());
}

async fn twice_at_once(auth: &Auth) {
    let person = auth.person().await;
    auth.anonymous("requestPasswordReset", json!({ "email": person.email }))
        .await;
    let code = auth.code(&person.email, 2).await;
    let input = json!({ "email": person.email, "code": code, "newPassword": OTHER_PASSWORD });
    let answers = join_all((0..4).map(|_| auth.anonymous("resetPassword", input.clone()))).await;
    assert_eq!(
        answers.iter().filter(|answer| codes(answer).is_empty()).count(),
        1
    );
}

async fn mail_bombing(auth: &Auth, name: &str) {
    let person = auth.person().await;
    let before = auth.mails_at_rest(&person.email).await;
    let mut input = json!({ "email": person.email });
    if name == "signUp" {
        input["password"] = json!(PASSWORD);
    }
    let mut refused = 0;
    for _ in 0..8 {
        let answer = auth.try_mutate(&Caller::Anonymous, name, input.clone()).await;
        refused += usize::from(error_code(&answer) == "RATE_LIMITED");
    }
    assert!(refused >= 3, "{refused} of 8");
    assert!(auth.mails_at_rest(&person.email).await <= before + 5);
}

async fn long_code(auth: &Auth) {
    let input = json!({ "email": random_email(), "code": "1".repeat(1_000_000) });
    assert_eq!(
        codes(&auth.anonymous("verifyEmail", input).await),
        ["INVALID_CODE"]
    );
}

async fn long_password(auth: &Auth) {
    let person = auth.person().await;
    let input = json!({ "email": person.email, "password": "x".repeat(1_000_000) });
    assert_eq!(
        codes(&auth.anonymous("signIn", input).await),
        ["INVALID_CREDENTIALS"]
    );
}

/// Judging a password costs a hash's time: it is counted although no code was tried.
async fn judging(auth: &Auth) {
    let (address, query) = (random_address(), mutation("resetPassword"));
    let mut refused = 0;
    for _ in 0..210 {
        let input =
            json!({ "email": random_email(), "code": "00000000", "newPassword": "password password" });
        let answer = auth
            .ask_from(&address, &Caller::Anonymous, &query, json!({ "input": input }))
            .await;
        refused += usize::from(error_code(&answer) == "RATE_LIMITED");
    }
    assert!(refused >= 5, "{refused} of 210");
}

async fn long_everything(auth: &Auth) {
    let person = auth.person().await;
    let (long, email) = ("x".repeat(900_000), random_email());
    let cases = [
        (
            "signUp",
            json!({ "email": long, "password": PASSWORD }),
            &["INVALID_INPUT"][..],
        ),
        (
            "signUp",
            json!({ "email": email, "password": long, "name": "Ada" }),
            &["WEAK_PASSWORD"],
        ),
        (
            "signUp",
            json!({ "email": email, "password": PASSWORD, "name": long }),
            &["INVALID_INPUT"],
        ),
        (
            "signIn",
            json!({ "email": long, "password": PASSWORD }),
            &["INVALID_CREDENTIALS"],
        ),
        (
            "refreshToken",
            json!({ "refreshToken": long }),
            &["INVALID_REFRESH_TOKEN"],
        ),
        (
            "requestPasswordReset",
            json!({ "email": long }),
            &["INVALID_INPUT"],
        ),
        (
            "resetPassword",
            json!({ "email": email, "code": "12345678", "newPassword": long }),
            &["WEAK_PASSWORD"],
        ),
        (
            "changePassword",
            json!({ "currentPassword": long, "newPassword": OTHER_PASSWORD }),
            &["INVALID_CREDENTIALS"],
        ),
        ("updateProfile", json!({ "name": long }), &["INVALID_INPUT"]),
    ];
    for (name, input, expected) in cases {
        let answer = auth.mutate(&person.caller, name, input).await;
        assert_eq!(codes(&answer), expected, "{name}");
    }
    let input = json!({ "email": person.email, "password": PASSWORD, "deviceName": long });
    assert!(
        codes(&auth.anonymous("signIn", input).await).is_empty(),
        "it is cut off"
    );
}

/// Letters that Unicode folds into those of the victim's address, or that look like them: none of these is an address here.
async fn lookalikes(auth: &Auth) {
    let victim = format!("kit-{}", random_email());
    auth.person_called(&victim).await;
    let mails = auth.mails_at_rest(&victim).await;
    for lookalike in [
        victim.replacen('k', "\u{212a}", 1),
        victim.replacen('i', "\u{456}", 1),
        victim.replacen('i', "\u{131}", 1),
        victim.replacen('@', "\u{200b}@", 1),
        victim.replacen('@', "\u{ff20}", 1),
        victim.replacen(".com", "\u{3002}com", 1),
        format!("{victim}\u{0}"),
        format!("{victim},eve@example.com"),
        format!("{victim}\r\nBcc: eve@example.com"),
        format!("\"{victim}\"@example.com"),
    ] {
        let answer = auth
            .anonymous("requestPasswordReset", json!({ "email": lookalike }))
            .await;
        assert_eq!(codes(&answer), ["INVALID_INPUT"], "{lookalike:?}");
        let input = json!({ "email": lookalike, "password": PASSWORD });
        assert_eq!(
            codes(&auth.anonymous("signUp", input.clone()).await),
            ["INVALID_INPUT"],
            "{lookalike:?}"
        );
        assert_eq!(
            codes(&auth.anonymous("signIn", input).await),
            ["INVALID_CREDENTIALS"],
            "{lookalike:?}"
        );
    }
    assert_eq!(auth.mails_at_rest(&victim).await, mails);
    // Blanks around it and capitals are slips of the keyboard.
    let slips = format!("  {} ", victim.to_uppercase());
    assert!(codes(&auth.sign_in(&slips, PASSWORD).await).is_empty());
}
