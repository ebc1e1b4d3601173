//! A connection to Starbase, the control plane, by the client stack that the cluster is read with.

use super::certificates::Door;
use super::connect::ConnectError;
use super::external::{self, Naming};
use http::Uri;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

const NAMING: Naming = Naming {
    server: "Starbase",
    credential: "token",
    credential_file: "it holds the token that Starbase minted for this cluster, and nothing else",
    address: "--starbase https://HOST",
};

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
pub struct Starbase {
    client: kube::Client,
    door: Door,
}

impl Starbase {
    /// Reads the files, and sends nothing yet. Has to be called within a Tokio runtime.
    ///
    /// # Errors
    /// An address that would carry the token in the clear, a file that cannot be read, that is empty or that holds no
    /// such thing: in words, never with what is in it.
    pub fn connect(options: &StarbaseOptions) -> Result<Self, ConnectError> {
        Self::connect_by(options, kube::Client::try_from)
    }

    /// The same, with a client that the caller makes of the configuration, in which the token is.
    ///
    /// # Errors
    /// As `connect`, and what the caller's function says, of which nothing is repeated.
    pub fn connect_by(
        options: &StarbaseOptions,
        client: impl FnOnce(kube::Config) -> kube::Result<kube::Client>,
    ) -> Result<Self, ConnectError> {
        let authority = options.authority_file.as_deref();
        let mut config = external::configuration(&options.url, authority, options.request_timeout, &NAMING)?;
        let door = Door::of(&config);
        config.auth_info.token = Some(external::credential(&options.token_file, &NAMING)?.into());
        // What the client says of a failure is not repeated: it has the token.
        client(config).map(|client| Self { client, door }).map_err(|_| {
            ConnectError::new(
                "no client for Starbase could be made of these files",
                &["--token-file holds the token alone; --starbase-ca holds certificates as PEM"],
            )
        })
    }

    pub(super) fn client(&self) -> &kube::Client {
        &self.client
    }

    pub(super) fn door(&self) -> &Door {
        &self.door
    }
}

impl fmt::Debug for Starbase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Starbase").finish_non_exhaustive()
    }
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
