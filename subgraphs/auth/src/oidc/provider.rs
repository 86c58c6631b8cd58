//! One provider: discovery, the authorization request, the code's exchange, and the checks of the ID token.

use std::{
    fmt,
    time::{Duration, Instant},
};

use openidconnect::{
    AccessTokenHash, AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, SubjectIdentifier, TokenResponse,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreTokenResponse,
        CoreUserInfoClaims,
    },
};
use tokio::sync::Mutex;

use crate::config::OidcProviderConfig;

/// How long what discovery said is believed.
const METADATA_LIFETIME: Duration = Duration::from_secs(600);
/// A signature by an unknown key is reason to ask again, but not more often.
const METADATA_MIN_AGE: Duration = Duration::from_secs(10);
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_CODE: usize = 4096;
/// Metadata, keys and tokens are a few kilobytes.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// Signatures that only the provider can make. HMAC under the client secret is not among them, and `none` is none.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 6] = [
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
];

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A provider's configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("auth.oidc.{name}.{key}: {problem}")]
pub struct InvalidProvider {
    name: String,
    key: &'static str,
    problem: String,
}

/// Why a provider proved nobody.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It does not answer, or not as specified.
    #[error("the provider cannot be used: {0}")]
    Unusable(String),
    /// It does not know the code, or the code belongs to another flow.
    #[error("the provider refused the code: {0}")]
    RefusedCode(String),
    /// Its ID token is missing, forged, stale, or for somebody else.
    #[error("the ID token is invalid: {0}")]
    IdToken(String),
}

/// Whom a provider proves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutsideUser {
    /// The provider's id of the person.
    pub subject: String,
    /// The address, where the provider says that it is proven.
    pub verified_email: Option<String>,
    /// What to call the person.
    pub name: Option<String>,
}

/// What [`Provider::authorize`] prepared.
pub(super) struct Redirect {
    pub(super) url: String,
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) pkce_verifier: String,
}

/// An outside provider.
pub struct Provider {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    redirect_url: RedirectUrl,
    http: Http,
    metadata: Mutex<Option<(Instant, CoreProviderMetadata)>>,
}

impl Provider {
    /// A provider that is not called yet.
    pub fn new(name: &str, config: &OidcProviderConfig) -> Result<Self, InvalidProvider> {
        let invalid = |key, problem: String| InvalidProvider {
            name: name.to_owned(),
            key,
            problem,
        };
        let issuer = IssuerUrl::new(config.issuer.clone());
        let issuer = issuer.map_err(|error| invalid("issuer", error.to_string()))?;
        if !is_confidential(&issuer) {
            return Err(invalid(
                "issuer",
                "only https, or http on this machine".to_owned(),
            ));
        }
        let redirect_url = RedirectUrl::new(config.redirect_url.clone());
        let http = Http::new().map_err(|error| invalid("issuer", error.to_string()))?;
        Ok(Self {
            issuer,
            client_id: ClientId::new(config.client_id.clone()),
            client_secret: config
                .client_secret
                .as_ref()
                .map(|secret| ClientSecret::new(secret.expose().to_owned())),
            redirect_url: redirect_url.map_err(|error| invalid("redirect_url", error.to_string()))?,
            http,
            metadata: Mutex::new(None),
        })
    }

    /// Its issuer, as configured.
    pub fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    /// Where to send a person, and what must match when the person comes back.
    pub(super) async fn authorize(&self) -> Result<Redirect, ProviderError> {
        let client = self.client(METADATA_LIFETIME).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Redirect {
            url: url.to_string(),
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            pkce_verifier: verifier.into_secret(),
        })
    }

    /// Swaps a code for an ID token and checks it.
    pub(super) async fn redeem(
        &self,
        code: String,
        pkce_verifier: String,
        nonce: String,
    ) -> Result<OutsideUser, ProviderError> {
        if code.len() > MAX_CODE {
            return Err(ProviderError::RefusedCode("it is too long".to_owned()));
        }
        let client = self.client(METADATA_LIFETIME).await?;
        let response = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| ProviderError::Unusable(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(pkce_verifier))
            .request_async(&self.http)
            .await
            .map_err(refused_code)?;
        let nonce = Nonce::new(nonce);
        let user = match verify(&client, &response, &nonce) {
            // Its keys may be newer than what we know.
            Err(_) => verify(&self.client(METADATA_MIN_AGE).await?, &response, &nonce)?,
            Ok(verified) => verified,
        };
        match user.verified_email {
            Some(_) => Ok(user),
            None => self.ask_about(user, &client, &response).await,
        }
    }

    /// A provider may leave the address out of the ID token and tell it to whom has the access token (OpenID Connect Core 1.0, section 5.4).
    async fn ask_about(
        &self,
        user: OutsideUser,
        client: &Client,
        response: &CoreTokenResponse,
    ) -> Result<OutsideUser, ProviderError> {
        let subject = SubjectIdentifier::new(user.subject.clone());
        let Ok(request) = client.user_info(response.access_token().clone(), Some(subject)) else {
            return Ok(user);
        };
        let claims: CoreUserInfoClaims = request
            .request_async(&self.http)
            .await
            .map_err(refused_user_info)?;
        let is_verified = claims.email_verified() == Some(true);
        let email = claims.email().filter(|_| is_verified);
        let name = claims.name().and_then(|name| name.get(None));
        Ok(OutsideUser {
            verified_email: email.map(|email| email.to_string()),
            name: user.name.or_else(|| name.map(|name| name.to_string())),
            ..user
        })
    }

    async fn client(&self, max_age: Duration) -> Result<Client, ProviderError> {
        let mut known = self.metadata.lock().await;
        let fresh = known.take().filter(|(read_at, _)| read_at.elapsed() < max_age);
        let (read_at, metadata) = match fresh {
            Some(fresh) => fresh,
            None => (Instant::now(), self.discover().await?),
        };
        *known = Some((read_at, metadata.clone()));
        let client =
            CoreClient::from_provider_metadata(metadata, self.client_id.clone(), self.client_secret.clone());
        Ok(client.set_redirect_uri(self.redirect_url.clone()))
    }

    async fn discover(&self) -> Result<CoreProviderMetadata, ProviderError> {
        CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http)
            .await
            .map_err(|error| ProviderError::Unusable(error.to_string()))
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("issuer", &self.issuer.as_str())
            .finish_non_exhaustive()
    }
}

/// Signature, issuer, audience, times and nonce (the library's checks), and that the access token is the one it came with.
fn verify(
    client: &Client,
    response: &CoreTokenResponse,
    nonce: &Nonce,
) -> Result<OutsideUser, ProviderError> {
    let invalid = |error: &dyn fmt::Display| ProviderError::IdToken(error.to_string());
    let id_token = response.id_token().ok_or_else(|| invalid(&"there is none"))?;
    let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
    let claims = id_token
        .claims(&verifier, nonce)
        .map_err(|error| invalid(&error))?;
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = id_token.signing_alg().map_err(|error| invalid(&error))?;
        let key = id_token.signing_key(&verifier).map_err(|error| invalid(&error))?;
        let actual = AccessTokenHash::from_token(response.access_token(), algorithm, key)
            .map_err(|error| invalid(&error))?;
        if actual != *expected {
            return Err(invalid(&"it belongs to another access token"));
        }
    }
    let is_verified = claims.email_verified() == Some(true);
    Ok(OutsideUser {
        subject: claims.subject().to_string(),
        verified_email: claims
            .email()
            .filter(|_| is_verified)
            .map(|email| email.to_string()),
        name: claims
            .name()
            .and_then(|name| name.get(None))
            .map(|name| name.to_string()),
    })
}

/// The server's answer says why; that it answered at all tells refusal from outage.
fn refused_code<RE, T>(error: openidconnect::RequestTokenError<RE, T>) -> ProviderError
where
    RE: std::error::Error + 'static,
    T: openidconnect::ErrorResponse + 'static,
{
    use openidconnect::RequestTokenError as Error;
    match error {
        Error::ServerResponse(_) => ProviderError::RefusedCode("it answered with an error".to_owned()),
        Error::Request(error) => ProviderError::Unusable(error.to_string()),
        Error::Parse(..) | Error::Other(_) => {
            ProviderError::Unusable("its answer is not a token response".to_owned())
        }
    }
}

/// An answer about somebody else is a lie; no answer is an outage.
fn refused_user_info<RE>(error: openidconnect::UserInfoError<RE>) -> ProviderError
where
    RE: std::error::Error + 'static,
{
    use openidconnect::UserInfoError as Error;
    match error {
        Error::ClaimsVerification(error) => ProviderError::IdToken(error.to_string()),
        Error::Request(error) => ProviderError::Unusable(error.to_string()),
        _ => ProviderError::Unusable("its answer does not say who signed in".to_owned()),
    }
}

/// Codes and tokens travel there: in clear only on this machine.
fn is_confidential(issuer: &IssuerUrl) -> bool {
    let url = issuer.url();
    let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.scheme() == "https" || (url.scheme() == "http" && is_local)
}

/// Calls providers. Redirects are not followed: a provider must not send us elsewhere.
struct Http {
    client: reqwest::Client,
}

/// A call that got no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("{0}")]
    Call(#[from] reqwest::Error),
    #[error("{0}")]
    Parts(#[from] axum::http::Error),
    #[error("its answer is larger than {LARGEST_ANSWER} bytes")]
    TooLarge,
}

impl Http {
    fn new() -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(CALL_TIMEOUT)
            .build()?;
        Ok(Self { client })
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut response = self.client.execute(request.try_into()?).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_ANSWER {
                return Err(HttpError::TooLarge);
            }
        }
        let mut built = axum::http::Response::new(body);
        *built.status_mut() = status;
        *built.headers_mut() = headers;
        Ok(built)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
