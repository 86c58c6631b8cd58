//! Somebody signs up, proves the address, uses two devices, changes and forgets the password, and deletes the account.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Client;
use crate::platform::Platform;

const PASSWORDS: [&str; 3] = [
    "seven purple wombats yodel",
    "eleven rusty kettles hum",
    "nine velvet anchors drift",
];

/// Tells the story; returns everything secret that was in it: passwords, tokens, codes.
pub async fn run(platform: &Platform) -> Vec<String> {
    let mut story = Story::begin(platform).await;
    story.prove_the_address().await;
    story.sign_the_other_device_out().await;
    story.change_the_password().await;
    story.forget_the_password().await;
    story.delete_the_account().await;
    story.secrets
}

struct Story<'a> {
    platform: &'a Platform,
    email: String,
    device: Device,
    secrets: Vec<String>,
}

/// A signed-in device.
struct Device {
    client: Client,
    refresh_token: String,
}

impl<'a> Story<'a> {
    async fn begin(platform: &'a Platform) -> Self {
        let email = format!("ada-{}@example.com", Uuid::new_v4().simple());
        let mut story = Self {
            platform,
            email: email.clone(),
            device: Device {
                client: platform.client(),
                refresh_token: String::new(),
            },
            secrets: PASSWORDS.map(str::to_owned).to_vec(),
        };
        let input = json!({ "email": email, "password": PASSWORDS[0], "deviceName": "Phone" });
        let signed_up = story.call("signUp", "SignUpInput", TOKENS, input).await;
        story.device = story.device(&signed_up);
        story
    }

    async fn prove_the_address(&mut self) {
        let code = self.code(1).await;
        let input = json!({ "email": self.email, "code": code });
        let verified = self
            .call("verifyEmail", "VerifyEmailInput", "user { emailVerified }", input)
            .await;
        assert_eq!(verified["user"]["emailVerified"], true, "{verified}");
    }

    async fn sign_the_other_device_out(&mut self) {
        let other = self.sign_in(PASSWORDS[0]).await;
        let sessions = self.sessions().await;
        assert_eq!(sessions.len(), 2, "{sessions:?}");
        let session = sessions
            .iter()
            .find(|session| session["isCurrent"] == false)
            .unwrap();
        assert_eq!(session["deviceName"], "Laptop", "{sessions:?}");
        let input = json!({ "sessionId": session["id"] });
        self.call("revokeSession", "RevokeSessionInput", "", input).await;
        self.cannot_go_on(&other).await;
    }

    async fn change_the_password(&mut self) {
        let other = self.sign_in(PASSWORDS[0]).await;
        let input = json!({ "currentPassword": PASSWORDS[0], "newPassword": PASSWORDS[1] });
        self.call("changePassword", "ChangePasswordInput", "", input)
            .await;
        self.cannot_go_on(&other).await;
        assert_eq!(self.sessions().await.len(), 1);
    }

    async fn forget_the_password(&mut self) {
        let input = json!({ "email": self.email });
        self.call("requestPasswordReset", "RequestPasswordResetInput", "", input)
            .await;
        // After the code to prove the address and the notice of the change.
        let code = self.code(3).await;
        let input = json!({ "email": self.email, "code": code, "newPassword": PASSWORDS[2] });
        self.call("resetPassword", "ResetPasswordInput", "", input).await;
        let device = self.sign_in(PASSWORDS[2]).await;
        let before = std::mem::replace(&mut self.device, device);
        self.cannot_go_on(&before).await;
    }

    async fn delete_the_account(&mut self) {
        let input = json!({ "password": PASSWORDS[2] });
        self.call("deleteAccount", "DeleteAccountInput", "", input).await;
        let input = json!({ "email": self.email, "password": PASSWORDS[2] });
        let refused = self.payload("signIn", "SignInInput", TOKENS, input).await;
        assert_eq!(
            refused["userErrors"][0]["code"], "INVALID_CREDENTIALS",
            "{refused}"
        );
    }

    async fn sign_in(&mut self, password: &str) -> Device {
        let input = json!({ "email": self.email, "password": password, "deviceName": "Laptop" });
        let signed_in = self.call("signIn", "SignInInput", TOKENS, input).await;
        self.device(&signed_in)
    }

    async fn sessions(&self) -> Vec<Value> {
        let query = "{ sessions { id deviceName isCurrent } }";
        let answer = self.device.client.query(query, json!({})).await.unwrap();
        answer.expect_data()["sessions"].as_array().unwrap().clone()
    }

    async fn cannot_go_on(&self, device: &Device) {
        let input = json!({ "refreshToken": device.refresh_token });
        let refused = self
            .payload("refreshToken", "RefreshTokenInput", TOKENS, input)
            .await;
        assert_eq!(
            refused["userErrors"][0]["code"], "INVALID_REFRESH_TOKEN",
            "{refused}"
        );
    }

    /// The code in the `count`th mail.
    async fn code(&mut self, count: usize) -> String {
        let mail = self
            .platform
            .mail(&self.email, count)
            .await
            .expect("a mail arrives");
        let is_code = |line: &&str| line.len() >= 6 && line.bytes().all(|byte| byte.is_ascii_digit());
        let code = mail
            .lines()
            .map(str::trim)
            .find(is_code)
            .expect("a mail has a code");
        self.secrets.push(code.to_owned());
        code.to_owned()
    }

    fn device(&mut self, payload: &Value) -> Device {
        let token = |name: &str| payload["tokens"][name].as_str().unwrap().to_owned();
        let (access_token, refresh_token) = (token("accessToken"), token("refreshToken"));
        let client = self.platform.client().with_token(&access_token);
        self.secrets.extend([access_token, refresh_token.clone()]);
        Device {
            client,
            refresh_token,
        }
    }

    /// The payload of a mutation that must succeed.
    async fn call(&self, name: &str, input_type: &str, selection: &str, input: Value) -> Value {
        let payload = self.payload(name, input_type, selection, input).await;
        assert_eq!(payload["userErrors"], json!([]), "{name}: {payload}");
        payload
    }

    async fn payload(&self, name: &str, input_type: &str, selection: &str, input: Value) -> Value {
        let query = format!(
            "mutation($input: {input_type}!) {{ {name}(input: $input) {{ {selection} userErrors {{ code message }} }} }}"
        );
        let client = if SIGNED_OUT.contains(&name) {
            self.platform.client()
        } else {
            self.device.client.clone()
        };
        let answer = client.query(&query, json!({ "input": input })).await.unwrap();
        answer.expect_data()[name].clone()
    }
}

const TOKENS: &str = "tokens { accessToken refreshToken }";

/// What people do without a token, or with one that may be dead.
const SIGNED_OUT: [&str; 6] = [
    "signUp",
    "signIn",
    "refreshToken",
    "verifyEmail",
    "requestPasswordReset",
    "resetPassword",
];
