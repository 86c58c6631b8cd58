//! The way to an SMTP server: its URL, the certificates it may show, and no password in clear (RFC 8314).

use std::{fs, path::Path, time::Duration};

use lettre::{
    AsyncSmtpTransport, Tokio1Executor,
    transport::smtp::client::{Certificate, Tls, TlsParameters},
};
use reqwest::Url;

use super::InvalidMailConfig;

const TIMEOUT: Duration = Duration::from_secs(20);

/// How the connection is encrypted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encryption {
    /// Not.
    None,
    /// If the server offers it; whoever is on the way can take the offer out.
    Opportunistic,
    /// By STARTTLS, or not at all.
    StartTls,
    /// From the first byte.
    Implicit,
}

/// A transport to the server that `url` names. Its certificate may come from an authority in `ca_file`, a PEM file, or from a public one.
pub(super) fn transport(
    url: &str,
    ca_file: Option<&Path>,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, InvalidMailConfig> {
    let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
    let mut builder = builder.map_err(|_| InvalidMailConfig::SmtpUrl)?;
    let url = Url::parse(url).map_err(|_| InvalidMailConfig::SmtpUrl)?;
    let encryption = encryption(&url);
    let is_certain = matches!(encryption, Encryption::StartTls | Encryption::Implicit);
    if url.password().is_some() && !is_certain {
        return Err(InvalidMailConfig::PasswordInClear);
    }
    if let Some(file) = ca_file {
        let host = url.host_str().unwrap_or_default();
        builder = builder.tls(tls(encryption, parameters(host, file)?)?);
    }
    Ok(builder.timeout(Some(TIMEOUT)).build())
}

fn encryption(url: &Url) -> Encryption {
    let asked = url.query_pairs().find(|(name, _)| name == "tls");
    match (url.scheme(), asked.as_ref().map(|(_, value)| &**value)) {
        ("smtps", _) => Encryption::Implicit,
        (_, Some("required")) => Encryption::StartTls,
        (_, Some("opportunistic")) => Encryption::Opportunistic,
        _ => Encryption::None,
    }
}

fn tls(encryption: Encryption, parameters: TlsParameters) -> Result<Tls, InvalidMailConfig> {
    match encryption {
        Encryption::None => Err(ca_file("is of no use to an unencrypted connection")),
        Encryption::Opportunistic => Ok(Tls::Opportunistic(parameters)),
        Encryption::StartTls => Ok(Tls::Required(parameters)),
        Encryption::Implicit => Ok(Tls::Wrapper(parameters)),
    }
}

fn parameters(host: &str, file: &Path) -> Result<TlsParameters, InvalidMailConfig> {
    let pem = fs::read_to_string(file).map_err(ca_file)?;
    if !pem.contains("BEGIN CERTIFICATE") {
        return Err(ca_file("it holds no certificate in PEM"));
    }
    let certificate = Certificate::from_pem(pem.as_bytes()).map_err(ca_file)?;
    // An address of IPv6 stands in brackets in URLs only.
    let host = host.trim_matches(['[', ']']).to_owned();
    let parameters = TlsParameters::builder(host).add_root_certificate(certificate);
    parameters.build().map_err(ca_file)
}

fn ca_file(problem: impl ToString) -> InvalidMailConfig {
    InvalidMailConfig::CaFile(problem.to_string())
}
