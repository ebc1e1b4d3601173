//! A connection to Starbase, the control plane, by the client stack that the cluster is read with.

use super::connection::{ConnectError, install_crypto_provider};
use super::proxy;
use http::Uri;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long connecting may take, however long a request may.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest token (`manifests/starbase/openapi.yaml`, `securitySchemes`).
const TOKEN_BOUND: usize = 8 << 10;

/// Where Starbase is, and what it knows the caller by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StarbaseOptions {
    /// `https://starbase.example`; without TLS only on this machine itself.
    pub url: Uri,
    /// The file with the token, read once.
    pub token_file: PathBuf,
    /// The file with the authorities that sign its certificate, as PEM; `None` for those of this machine.
    pub authority_file: Option<PathBuf>,
    /// How long a request may take; bounds connecting too.
    pub request_timeout: Duration,
}

/// A client for Starbase, which holds the token.
#[derive(Clone)]
pub struct Starbase(kube::Client);

impl Starbase {
    /// Reads the files, and sends nothing yet. Has to be called within a Tokio runtime.
    ///
    /// # Errors
    /// An address that would carry the token in the clear, a file that cannot be read, that is empty or that holds no
    /// such thing: in words, never with what is in it.
    pub fn connect(options: &StarbaseOptions) -> Result<Self, ConnectError> {
        install_crypto_provider();
        refuse_clear_text(&options.url)?;
        let mut config = kube::Config::new(options.url.clone());
        config.auth_info.token = Some(token(&options.token_file)?.into());
        config.root_cert = options.authority_file.as_deref().map(authorities).transpose()?;
        config.default_retry = false;
        config.connect_timeout = Some(options.request_timeout.min(CONNECT_TIMEOUT));
        config.read_timeout = Some(options.request_timeout.saturating_mul(2).max(Duration::from_mins(1)));
        config.write_timeout = Some(options.request_timeout);
        config.proxy_url = proxy::choose(&options.url, None, |name| std::env::var(name).ok()).map_err(|origin| {
            ConnectError::new(
                format!("the proxy's address in {origin} cannot be read"),
                &["it is written http://HOST:PORT"],
            )
        })?;
        // What the client says of a failure is not repeated: it has the token.
        kube::Client::try_from(config).map(Self).map_err(|_| {
            ConnectError::new(
                "no client for Starbase could be made of these files",
                &["--token-file holds the token alone; --starbase-ca holds certificates as PEM"],
            )
        })
    }

    pub(super) fn client(&self) -> &kube::Client {
        &self.0
    }
}

impl fmt::Debug for Starbase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Starbase").finish_non_exhaustive()
    }
}

fn refuse_clear_text(url: &Uri) -> Result<(), ConnectError> {
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
            "Starbase's address does not begin with https://: the token would travel in the clear",
            &["--starbase https://HOST"],
        )),
        _ => Err(ConnectError::new(
            "Starbase's address is no URL of a host, without user, password and query",
            &["--starbase https://HOST"],
        )),
    }
}

fn token(path: &Path) -> Result<String, ConnectError> {
    let wrong = |what: &str| {
        ConnectError::new(
            format!("token file {}: {what}", path.display()),
            &["it holds the token that Starbase minted for this cluster, and nothing else"],
        )
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    let token = text.trim();
    if token.is_empty() {
        return Err(wrong("it is empty"));
    }
    if token.len() > TOKEN_BOUND || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong(
            "what is in it is no token: visible ASCII without spaces, at most 8 KiB",
        ));
    }
    Ok(token.to_owned())
}

fn authorities(path: &Path) -> Result<Vec<Vec<u8>>, ConnectError> {
    let wrong = |what: &str| {
        ConnectError::new(
            format!("authority file {}: {what}", path.display()),
            &["it holds the certificates that sign Starbase's, as PEM"],
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::io::Write;

    fn options(url: &str, token: &str) -> (StarbaseOptions, tempfile::NamedTempFile) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(token.as_bytes()).unwrap();
        let options = StarbaseOptions {
            url: url.parse().unwrap(),
            token_file: file.path().to_owned(),
            authority_file: None,
            request_timeout: Duration::from_secs(1),
        };
        (options, file)
    }

    #[rstest]
    #[case::clear_text("http://starbase.example", "hush", "in the clear")]
    #[case::user("https://user:hush@starbase.example", "hush", "no URL of a host")]
    #[case::query("https://starbase.example/?token=hush", "hush", "no URL of a host")]
    #[case::no_scheme("starbase.example", "hush", "no URL of a host")]
    #[case::empty("https://starbase.example", " \n", "it is empty")]
    #[case::two_words("https://starbase.example", "hush hush", "no token")]
    #[case::binary("https://starbase.example", "hush\u{1}", "no token")]
    #[tokio::test]
    async fn what_would_give_the_token_away_is_refused(#[case] url: &str, #[case] token: &str, #[case] words: &str) {
        let (options, _file) = options(url, token);
        let error = Starbase::connect(&options).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }

    #[rstest]
    #[case("https://starbase.example")]
    #[case("http://127.0.0.1:8080")]
    #[case("http://[::1]:8080")]
    #[tokio::test]
    async fn the_token_is_never_shown(#[case] url: &str) {
        let (options, _file) = options(url, "hush\n");
        let starbase = Starbase::connect(&options).unwrap();
        assert!(!format!("{starbase:?}").contains("hush"));
    }

    #[tokio::test]
    async fn an_authority_file_without_a_certificate_is_refused() {
        let (mut options, file) = options("https://starbase.example", "hush");
        options.authority_file = Some(file.path().to_owned());
        let error = Starbase::connect(&options).unwrap_err();
        assert!(error.to_string().contains("no certificate"), "{error}");
    }
}
