//! Several issuers beside each other, each with its own keys, rules and claims.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::issuer::{Issuer, Key, claims, now};

/// A private key, the algorithm it signs with, and its public or shared half.
struct Signer {
    id: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
    jwk: Value,
}

impl Signer {
    fn rsa() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = pair.as_der().unwrap();
        let public = pair.public_key();
        let (n, e) = (public.modulus(), public.exponent());
        let (n, e) = (
            n.big_endian_without_leading_zero(),
            e.big_endian_without_leading_zero(),
        );
        let jwk = json!({ "kty": "RSA", "kid": "rsa", "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e) });
        Self {
            id: "rsa",
            algorithm: Algorithm::RS256,
            // A private key of RSA begins after the 26 bytes of its PKCS #8 wrapping.
            key: EncodingKey::from_rsa_der(&der.as_ref()[26..]),
            jwk,
        }
    }

    fn ec() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let (x, y) = (
            URL_SAFE_NO_PAD.encode(&point[1..33]),
            URL_SAFE_NO_PAD.encode(&point[33..]),
        );
        Self {
            id: "ec",
            algorithm: Algorithm::ES256,
            key: EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref()),
            jwk: json!({ "kty": "EC", "crv": "P-256", "kid": "ec", "x": x, "y": y }),
        }
    }

    fn shared() -> Self {
        let secret = b"a secret of more than thirty-two bytes";
        let k = URL_SAFE_NO_PAD.encode(secret);
        Self {
            id: "shared",
            algorithm: Algorithm::HS256,
            key: EncodingKey::from_secret(secret),
            jwk: json!({ "kty": "oct", "alg": "HS256", "kid": "shared", "k": k }),
        }
    }

    fn bearer(&self, typ: &str, changes: Value) -> String {
        let header = Header {
            kid: Some(self.id.to_owned()),
            typ: Some(typ.to_owned()),
            ..Header::new(self.algorithm)
        };
        let token = jsonwebtoken::encode(&header, &claims(changes), &self.key).unwrap();
        format!("Bearer {token}")
    }
}

/// Three keys in a file of their own, which goes with it.
struct Partners {
    signers: [Signer; 3],
    file: std::path::PathBuf,
}

impl Partners {
    fn new() -> Self {
        let signers = [Signer::rsa(), Signer::ec(), Signer::shared()];
        let file = std::env::temp_dir().join(format!("fondaco-keys-{}.json", uuid::Uuid::now_v7()));
        let keys: Vec<&Value> = signers.iter().map(|signer| &signer.jwk).collect();
        std::fs::write(&file, json!({ "keys": keys }).to_string()).unwrap();
        Self { signers, file }
    }

    /// An issuer of that name with these keys and `rest` of its settings.
    fn issuer(&self, name: &str, rest: &str) -> String {
        format!("{{ issuer: {name}, jwks_file: '{}'{rest} }}", self.file.display())
    }

    fn signer(&self, id: &str) -> &Signer {
        self.signers.iter().find(|signer| signer.id == id).unwrap()
    }
}

impl Drop for Partners {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// A token, and what it is answered with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Id of the key that signs; ours without.
    by: Option<String>,
    #[serde(default = "Case::usual_type")]
    typ: String,
    /// Changes to good claims.
    claims: Value,
    /// Seconds since it has expired.
    late: Option<u64>,
    status: u16,
}

impl Case {
    fn usual_type() -> String {
        "JWT".to_owned()
    }
}

#[tokio::test]
async fn each_issuer_has_its_own_rules() {
    let ours = Key::new("one");
    let (issuer, partners) = (Issuer::start(&[&ours]).await, Partners::new());
    let strict =
        ", algorithms: [ES256], token_types: [at+jwt], audiences: [shop, fondaco], leeway_seconds: 60";
    let client = Client::new(&format!(
        "authentication: {{ issuers: [{{ issuer: fondaco, audiences: [fondaco], jwks_url: '{}' }}, {}, {}] }}",
        issuer.url,
        partners.issuer("any", ""),
        partners.issuer("strict", strict),
    ));
    let cases: Vec<Case> = serde_saphyr::from_str(include_str!("issuers/tokens.yaml")).unwrap();
    for mut case in cases {
        if let Some(late) = case.late {
            case.claims["exp"] = json!(now() - late);
        }
        let bearer = match &case.by {
            None => format!("Bearer {}", ours.token(case.claims)),
            Some(id) => partners.signer(id).bearer(&case.typ, case.claims),
        };
        let answer = client.query("{ account }", &[("authorization", &bearer)]).await;
        assert_eq!(
            answer.status.as_u16(),
            case.status,
            "{}: {}",
            case.name,
            answer.json()
        );
    }
}

/// What a partner's claims mean is ours to say: groups become scopes, and it grants nothing else.
#[tokio::test]
async fn an_issuer_grants_what_it_may() {
    let partners = Partners::new();
    let rules = ", claims: { subject: uid, roles: [groups], scope_map: { bosses: [root] }, allowed_scopes: [root], allowed_roles: [] }";
    let client = Client::new(&format!(
        "authentication: {{ issuers: [{}] }}",
        partners.issuer("partner", rules)
    ));
    for (changes, cost) in [
        (json!({ "groups": ["bosses"] }), json!(7)),
        (
            json!({ "groups": ["clerks"], "scope": "write admin" }),
            json!(null),
        ),
    ] {
        let mut claims = json!({ "iss": "partner", "uid": "p1" });
        claims
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        let bearer = partners.signer("rsa").bearer("JWT", claims);
        client.subgraphs.calls();
        let answer = client
            .query("{ product { id cost } }", &[("authorization", &bearer)])
            .await;
        assert_eq!(answer.json()["data"]["product"]["cost"], cost, "{changes}");
        let call = &client.subgraphs.calls()[0];
        let caller: Value =
            jsonwebtoken::dangerous::insecure_decode_claims(call.headers["fondaco-caller"].as_bytes())
                .unwrap();
        assert_eq!(
            (&caller["sub"], &caller["roles"]),
            (&json!("p1"), &json!([])),
            "{caller}"
        );
    }
}
