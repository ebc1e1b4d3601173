//! Why a kubelet's metrics could not be read, in words that say what to do.

use rustls::CertificateError;
use std::error::Error;
use std::time::Duration;
use thiserror::Error;

/// Why a kubelet's metrics could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KubeletError {
    /// The token or the authority.
    #[error("{path} cannot be read: {message}")]
    File {
        /// The file.
        path: String,
        /// Why not.
        message: String,
    },
    /// No connection.
    #[error("GET {0}: no connection: {1}; see that the node's firewall lets pods reach the kubelet's port")]
    Unreachable(String, String),
    /// TLS failed.
    #[error("GET {0}: {1}")]
    Untrusted(String, String),
    /// No whole answer in time.
    #[error("GET {0}: no whole answer within {1:?}")]
    TimedOut(String, Duration),
    /// Another status than 200.
    #[error("GET {url}: {status}{}{said}{}", if .said.is_empty() { "" } else { ": " }, advice(*.status))]
    Refused {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// The beginning of the answer.
        said: String,
    },
    /// Another content type.
    #[error("GET {0}: its content type is {1:?}, which is no exposition format")]
    NotExposition(String, String),
    /// The connection broke while the answer was read.
    #[error("GET {0}: the answer broke off: {1}")]
    Broken(String, String),
    /// The answer stopped before its end.
    #[error("GET {0}: the answer stops before its end, after {1} bytes")]
    Truncated(String, u64),
    /// The answer is beyond its bounds.
    #[error("GET {0}: the answer is larger than is read: {1} bytes, {2} pods so far")]
    TooLarge(String, u64, usize),
    /// Rows that cannot be read.
    #[error("GET {0}: {1} rows of container_memory_working_set_bytes cannot be read, the first: {2}")]
    Unreadable(String, u64, String),
    /// The metric is missing.
    #[error(
        "GET {0}: not one row of container_memory_working_set_bytes; the kubelet serves no container metrics: restart it, \
         or its container runtime"
    )]
    NoRows(String),
}

// === impl KubeletError ===

impl KubeletError {
    /// What became of a request that was not answered.
    pub(super) fn sending(url: &str, error: &reqwest::Error) -> Self {
        let url = url.to_owned();
        match tls(error) {
            Some(tls) => Self::Untrusted(url, untrusted(tls)),
            None => Self::Unreachable(url, deepest(error)),
        }
    }

    /// What became of an answer that began.
    pub(super) fn reading(url: &str, error: &reqwest::Error) -> Self {
        Self::Broken(url.to_owned(), deepest(error))
    }
}

/// The innermost cause, which names what happened; those around it name what was being done.
pub(super) fn deepest(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(cause) = cause(error) {
        error = cause;
    }
    error.to_string()
}

fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    // An io::Error that wraps another tells the other's cause as its own, and not the other.
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = cause(error);
    }
    None
}

fn untrusted(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(certificate) = error else {
        return format!("TLS failed: {error}");
    };
    let why = match certificate {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the cluster's authority did not sign it; a kubelet with a certificate of its own is mended by recycling its node"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired, or this node's clock is wrong; the kubelet renews it once its CertificateSigningRequest is approved"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet: this node's clock, or that node's, is wrong"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it does not name this address"
        }
        _ => "it is not valid",
    };
    format!("the kubelet's certificate is refused: {why} ({error})")
}

fn advice(status: u16) -> &'static str {
    match status {
        401 => "; the kubelet does not accept this ServiceAccount's token: it needs webhook authentication",
        403 => "; this ServiceAccount needs `get nodes/metrics`",
        _ => "",
    }
}
