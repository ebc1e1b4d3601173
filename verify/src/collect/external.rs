//! Servers outside of the cluster, each with a credential and perhaps an authority of its own: Starbase, and the stores of
//! the region.

use super::connect::{ConnectError, install_crypto_provider};
use super::{authorities as machine, proxy};
use http::Uri;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

/// How long connecting may take at the least, where a request may take longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest token or password (`manifests/starbase/openapi.yaml`, `securitySchemes`).
const CREDENTIAL_BOUND: usize = 8 << 10;

/// How messages name a server and what it is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Naming {
    /// `Starbase`.
    pub(super) server: &'static str,
    /// What it knows the caller by: `token`.
    pub(super) credential: &'static str,
    /// What is said to be in the credential's file.
    pub(super) credential_file: &'static str,
    /// How its address is written.
    pub(super) address: &'static str,
}

/// The client's configuration, without a credential yet. Reads the authorities' file, if there is one.
///
/// # Errors
/// An address that would carry the credential in the clear, a file that holds no certificates: in words.
pub(super) fn configuration(
    url: &Uri,
    authority_file: Option<&Path>,
    request_timeout: Duration,
    naming: &Naming,
) -> Result<kube::Config, ConnectError> {
    install_crypto_provider();
    refuse_clear_text(url, naming)?;
    let mut config = kube::Config::new(url.clone());
    config.root_cert = authority_file.map(|path| authorities(path, naming)).transpose()?;
    machine::complete(&mut config);
    config.default_retry = false;
    config.connect_timeout = Some(connect_timeout(request_timeout));
    config.read_timeout = Some(request_timeout.saturating_mul(2).max(Duration::from_mins(1)));
    config.write_timeout = Some(request_timeout);
    config.proxy_url = proxy::choose(url, None, |name| std::env::var(name).ok()).map_err(|origin| {
        ConnectError::new(
            format!("the proxy's address in {origin} cannot be read"),
            &["it is written http://HOST:PORT"],
        )
    })?;
    Ok(config)
}

/// How long connecting may take, of the time that a request has: an address where nobody answers is told early, and whoever waits
/// longer for a slow line waits longer for its handshake too.
pub(super) fn connect_timeout(request_timeout: Duration) -> Duration {
    (request_timeout / 2).max(CONNECT_TIMEOUT).min(request_timeout)
}

/// The credential that a file holds, and nothing else.
///
/// # Errors
/// A file that cannot be read, is empty or holds no such thing: in words, never with what is in it.
pub(super) fn credential(path: &Path, naming: &Naming) -> Result<String, ConnectError> {
    let noun = naming.credential;
    let wrong = |what: &str| {
        ConnectError::new(
            format!("{noun} file {}: {what}", path.display()),
            &[naming.credential_file],
        )
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    let credential = text.trim();
    if credential.is_empty() {
        return Err(wrong("it is empty"));
    }
    if credential.len() > CREDENTIAL_BOUND || !credential.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong(&format!(
            "what is in it is no {noun}: visible ASCII without spaces, at most 8 KiB"
        )));
    }
    Ok(credential.to_owned())
}

fn refuse_clear_text(url: &Uri, naming: &Naming) -> Result<(), ConnectError> {
    let Naming {
        server,
        credential,
        address,
        ..
    } = naming;
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let plain = url
        .authority()
        .is_some_and(|authority| !authority.as_str().contains('@'))
        && url.query().is_none();
    match url.scheme_str() {
        Some("https") if plain => Ok(()),
        Some("http") if plain && is_here => Ok(()),
        Some("http") => Err(ConnectError::new(
            format!("{server}'s address does not begin with https://: the {credential} would travel in the clear"),
            &[address],
        )),
        _ => Err(ConnectError::new(
            format!("{server}'s address is no URL of a host, without user, password and query"),
            &[address],
        )),
    }
}

fn authorities(path: &Path, naming: &Naming) -> Result<Vec<Vec<u8>>, ConnectError> {
    let server = naming.server;
    let wrong = |what: &str| {
        ConnectError::new(
            format!("authority file {}: {what}", path.display()),
            &[&format!("it holds the certificates that sign {server}'s, as PEM")],
        )
    };
    let text = fs::read(path).map_err(|error| wrong(&error.to_string()))?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let certificates = read.map_err(|_| wrong("it is not PEM"))?;
    if certificates.is_empty() {
        return Err(wrong("there is no certificate in it"));
    }
    Ok(certificates
        .into_iter()
        .map(|certificate| certificate.to_vec())
        .collect())
}
