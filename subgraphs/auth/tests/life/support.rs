//! A running auth service with databases, an outbox and a Redis prefix of its own, and what people do with it.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fondaco_auth::{
    AuthConfig,
    config::{EmailVerification, MailConfig, PasswordConfig},
};
use fondaco_chassis::{
    Caller, Redis, Service,
    testing::{self, TestRuntime},
};
use fondaco_contracts::{SessionId, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

/// A password nobody would guess.
pub const PASSWORD: &str = "seven purple wombats yodel";
/// Another.
pub const OTHER_PASSWORD: &str = "eleven rusty kettles hum";

/// Name, input type and selection of each mutation.
const MUTATIONS: &[(&str, &str, &str)] = &[
    (
        "signUp",
        "SignUpInput",
        "verificationRequired user { id email name roles } tokens { accessToken refreshToken }",
    ),
    (
        "signIn",
        "SignInInput",
        "user { id email roles } tokens { accessToken refreshToken }",
    ),
    (
        "refreshToken",
        "RefreshTokenInput",
        "user { id } tokens { accessToken refreshToken }",
    ),
    ("sendEmailVerification", "SendEmailVerificationInput", ""),
    (
        "verifyEmail",
        "VerifyEmailInput",
        "user { id email emailVerified roles } tokens { accessToken refreshToken }",
    ),
    ("revokeSession", "RevokeSessionInput", ""),
    ("updateProfile", "UpdateProfileInput", "user { id name }"),
    ("changePassword", "ChangePasswordInput", "user { id }"),
    ("requestPasswordReset", "RequestPasswordResetInput", ""),
    ("resetPassword", "ResetPasswordInput", ""),
    ("deleteAccount", "DeleteAccountInput", ""),
    ("grantRole", "RoleInput", "user { id roles scopes }"),
    ("revokeRole", "RoleInput", "user { id roles scopes }"),
    ("grantScope", "ScopeInput", "user { id roles scopes }"),
    ("revokeScope", "ScopeInput", "user { id roles scopes }"),
    (
        "beginOidcSignIn",
        "BeginOidcSignInInput",
        "flow { authorizationUrl state flowSecret }",
    ),
    (
        "completeOidcSignIn",
        "CompleteOidcSignInInput",
        "user { id email roles } tokens { accessToken refreshToken }",
    ),
];

/// A running service.
pub struct Auth {
    pub test: TestRuntime,
    pub service: Service,
    outbox: PathBuf,
}

/// Somebody with an account, signed in on one device.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: UserId,
    pub email: String,
    pub caller: Caller,
    pub session: SessionId,
    pub refresh_token: String,
}

impl Auth {
    /// As deployed: addresses are proven first; only hashes are cheap.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut AuthConfig)) -> Self {
        Self::start_on(TestRuntime::new(), change).await
    }

    pub async fn start_on(test: TestRuntime, change: impl FnOnce(&mut AuthConfig)) -> Self {
        let outbox = std::env::temp_dir().join(format!("fondaco-outbox-{}", Uuid::new_v4().simple()));
        let mut config = config(&outbox);
        change(&mut config);
        let service = fondaco_auth::start(&config, &test.runtime).await.unwrap();
        Self {
            test,
            service,
            outbox,
        }
    }

    /// Where an account begins at once.
    pub async fn start_optional() -> Self {
        Self::start_with(|config| config.email_verification = Some(EmailVerification::Optional)).await
    }

    /// The whole answer to a query, asked from a client address.
    pub async fn ask_from(&self, address: &str, caller: &Caller, query: &str, variables: Value) -> Value {
        let identity = &self.test.runtime.identity;
        let mut claims = identity.claims(caller, "auth");
        claims.addr = Some(address.parse::<IpAddr>().unwrap());
        let header = identity.sign_claims(&claims);
        let body = json!({ "query": query, "variables": variables }).to_string();
        testing::post(&self.service.router, Some(&header), body).await.1
    }

    /// The whole answer to a query.
    pub async fn ask(&self, caller: &Caller, query: &str, variables: Value) -> Value {
        self.ask_from(&random_address(), caller, query, variables).await
    }

    /// The whole answer to one mutation.
    pub async fn try_mutate(&self, caller: &Caller, name: &str, input: Value) -> Value {
        self.ask(caller, &mutation(name), json!({ "input": input })).await
    }

    /// The payload of one mutation, which must have one.
    pub async fn mutate(&self, caller: &Caller, name: &str, input: Value) -> Value {
        let answer = self.try_mutate(caller, name, input).await;
        assert_eq!(answer.get("errors"), None, "{name}: {answer}");
        answer["data"][name].clone()
    }

    /// The payload of one mutation by nobody.
    pub async fn anonymous(&self, name: &str, input: Value) -> Value {
        self.mutate(&Caller::Anonymous, name, input).await
    }

    /// The payload of `signOut` or `signOutAll`.
    pub async fn sign_out(&self, name: &str, person: &Person) -> Value {
        let query = format!("mutation {{ {name} {{ userErrors {{ code }} }} }}");
        let answer = self.ask(&person.caller, &query, Value::Null).await;
        answer["data"][name].clone()
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Value {
        let input = json!({ "email": email, "password": password, "deviceName": "Laptop" });
        self.anonymous("signIn", input).await
    }

    /// Another device of a person.
    pub async fn device_of(&self, person: &Person) -> Person {
        person_of(&self.sign_in(&person.email, PASSWORD).await, &person.email)
    }

    pub async fn refresh(&self, token: &str) -> Value {
        self.anonymous("refreshToken", json!({ "refreshToken": token }))
            .await
    }

    /// Signs up and proves the address.
    pub async fn person(&self) -> Person {
        self.person_called(&random_email()).await
    }

    pub async fn person_called(&self, email: &str) -> Person {
        let input = json!({ "email": email, "password": PASSWORD, "name": "Ada" });
        let signed_up = self.anonymous("signUp", input).await;
        assert!(codes(&signed_up).is_empty(), "{signed_up}");
        if signed_up["tokens"].is_object() {
            return person_of(&signed_up, email);
        }
        let code = self.code(email, 1).await;
        let verified = self
            .anonymous("verifyEmail", json!({ "email": email, "code": code }))
            .await;
        person_of(&verified, email)
    }

    /// Somebody with the admin role, for whom there is no other way in than the database.
    pub async fn admin(&self) -> Person {
        let person = self.person().await;
        self.sql(
            "update users set roles = '{customer,admin}' where id = $1",
            person.id,
        )
        .await;
        self.device_of(&person).await
    }

    /// Waits for the `count`th mail to an address and returns them all, oldest first.
    pub async fn mails(&self, to: &str, count: usize) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let mails = read_mails(&self.outbox, to);
            if mails.len() >= count {
                return mails;
            }
            assert!(Instant::now() < deadline, "{count} mails to {to}, but: {mails:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The code in the latest of `count` mails.
    pub async fn code(&self, to: &str, count: usize) -> String {
        code_in(self.mails(to, count).await.last().unwrap())
    }

    /// How many mails have arrived after time for another.
    pub async fn mails_at_rest(&self, to: &str) -> usize {
        tokio::time::sleep(Duration::from_millis(300)).await;
        read_mails(&self.outbox, to).len()
    }

    pub async fn redis(&self) -> Redis {
        Redis::connect(&self.test.runtime).await.unwrap()
    }

    /// The service's own database.
    pub async fn database(&self) -> sqlx::PgPool {
        let runtime = &self.test.runtime;
        let url = format!(
            "{}/{}auth",
            runtime.database_url.trim_end_matches('/'),
            runtime.database_prefix
        );
        sqlx::PgPool::connect(&url).await.unwrap()
    }

    /// Runs a statement about a user.
    pub async fn sql(&self, statement: &'static str, user: UserId) {
        let pool = self.database().await;
        sqlx::query(statement)
            .bind(user.as_uuid())
            .execute(&pool)
            .await
            .unwrap();
    }

    /// Kinds of the security events of a user, oldest first.
    pub async fn events(&self, user: UserId) -> Vec<String> {
        let pool = self.database().await;
        sqlx::query_scalar("select kind from security_events where user_id = $1 order by id")
            .bind(user.as_uuid())
            .fetch_all(&pool)
            .await
            .unwrap()
    }
}

impl Drop for Auth {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.outbox);
    }
}

/// The text of one mutation.
pub fn mutation(name: &str) -> String {
    let (_, input, selection) = MUTATIONS.iter().find(|(known, ..)| *known == name).unwrap();
    format!(
        "mutation($input: {input}!) {{ {name}(input: $input) {{ {selection} userErrors {{ code field message }} }} }}"
    )
}

/// Codes of the user errors of a payload.
pub fn codes(payload: &Value) -> Vec<&str> {
    let errors = payload["userErrors"].as_array();
    let errors = errors.unwrap_or_else(|| panic!("no payload: {payload}"));
    errors
        .iter()
        .map(|error| error["code"].as_str().unwrap())
        .collect()
}

/// `extensions.code` of the first error of an answer, or the empty string.
pub fn error_code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_default()
}

/// Who the tokens of a payload are for.
pub fn person_of(payload: &Value, email: &str) -> Person {
    let token = payload["tokens"]["accessToken"].as_str();
    let claims = claims(token.unwrap_or_else(|| panic!("no tokens: {payload}")));
    let text = |name: &str| claims[name].as_str().unwrap();
    let (id, session) = (text("sub").parse().unwrap(), text("sid").parse().unwrap());
    let roles = claims["roles"].as_array().unwrap();
    Person {
        id,
        email: email.to_owned(),
        session,
        caller: Caller::User {
            id,
            session: Some(session),
            roles: roles
                .iter()
                .map(|role| role.as_str().unwrap().to_owned())
                .collect(),
            scopes: text("scope").split_whitespace().map(str::to_owned).collect(),
        },
        refresh_token: payload["tokens"]["refreshToken"].as_str().unwrap().to_owned(),
    }
}

/// The claims of a JWT, unverified.
pub fn claims(token: &str) -> Value {
    let payload = BASE64_URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).unwrap())
        .unwrap();
    serde_json::from_slice(&payload).unwrap()
}

pub fn random_email() -> String {
    format!("{}@example.com", Uuid::new_v4().simple())
}

/// A client address that nobody else in the test has.
pub fn random_address() -> String {
    let [a, b, c, ..] = Uuid::new_v4().into_bytes();
    format!("10.{a}.{b}.{c}")
}

/// The code in a mail: the one line of nothing but digits.
pub fn code_in(mail: &str) -> String {
    let is_code = |line: &&str| line.len() >= 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    let code = mail.lines().map(str::trim).find(is_code);
    code.unwrap_or_else(|| panic!("no code in {mail}")).to_owned()
}

/// A code of as many digits that is another one.
pub fn other_code(code: &str) -> String {
    let first = if code.starts_with('1') { "2" } else { "1" };
    format!("{first}{}", &code[1..])
}

fn read_mails(outbox: &Path, to: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(outbox) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    paths.sort();
    let header = format!("To: {to}\r\n");
    let mails = paths.iter().map(|path| std::fs::read_to_string(path).unwrap());
    mails.filter(|mail| mail.contains(&header)).collect()
}

fn config(outbox: &Path) -> AuthConfig {
    AuthConfig {
        password: PasswordConfig {
            min_chars: None,
            memory_kib: 64,
            iterations: 1,
            parallelism: 1,
            max_concurrent: Some(2),
        },
        mail: MailConfig {
            outbox: Some(outbox.to_owned()),
            ..MailConfig::default()
        },
        ..AuthConfig::default()
    }
}
