//! Where Starbase is.

use http::Uri;
use std::fmt;
use std::str::FromStr;

/// Starbase's address: `https://starbase.example`, a port where it has one, and nothing behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    authority: http::uri::Authority,
}

/// Why a text is no address of Starbase's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It cannot be read at all.
    #[error("it is not a URL: {0}")]
    Malformed(String),
    /// Anything but `https://`: the token would travel in the clear.
    #[error("it does not begin with https://: the token would travel in the clear")]
    NotHttps,
    /// A user or password within the URL would be printed with it.
    #[error("it holds a user or a password; the token is read from the mounted Secret alone")]
    Credential,
    /// A path or a query: the API's paths begin at the root.
    #[error("it goes on behind the host and port; the API's paths begin at the root")]
    Path,
}

// === impl Address ===

impl Address {
    /// The host: a name or an address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.authority.host().trim_matches(['[', ']'])
    }

    /// The port; 443 where none is given.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(443)
    }

    /// The URL of an absolute path of the API.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}", self.authority)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let uri: Uri = text.parse().map_err(|error: http::uri::InvalidUri| {
            // The text itself is not repeated: it may hold a password.
            AddressError::Malformed(error.to_string())
        })?;
        if uri.scheme_str() != Some("https") {
            return Err(AddressError::NotHttps);
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(AddressError::Path);
        }
        let Some(authority) = uri.authority() else {
            return Err(AddressError::Malformed("it has no host".to_owned()));
        };
        if authority.as_str().contains('@') {
            return Err(AddressError::Credential);
        }
        Ok(Self {
            authority: authority.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://starbase.example", "https://starbase.example", "starbase.example", 443)]
    #[case("https://starbase.example/", "https://starbase.example", "starbase.example", 443)]
    #[case("https://127.0.0.1:8443", "https://127.0.0.1:8443", "127.0.0.1", 8443)]
    #[case("https://[::1]:8443", "https://[::1]:8443", "::1", 8443)]
    fn an_address_is_host_and_port(#[case] text: &str, #[case] shown: &str, #[case] host: &str, #[case] port: u16) {
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), shown);
        assert_eq!((address.host(), address.port()), (host, port));
        assert_eq!(address.join("/v1/x"), format!("{shown}/v1/x"));
    }

    #[rstest]
    #[case("http://starbase.example", AddressError::NotHttps)]
    #[case("starbase.example", AddressError::NotHttps)]
    #[case("https://user:secret@starbase.example", AddressError::Credential)]
    #[case("https://starbase.example/api", AddressError::Path)]
    #[case("https://starbase.example?x", AddressError::Path)]
    fn anything_else_is_refused(#[case] text: &str, #[case] error: AddressError) {
        let found = Address::from_str(text).unwrap_err();
        assert_eq!(found, error);
        assert!(!found.to_string().contains("secret"));
    }
}
