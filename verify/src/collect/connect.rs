//! How to connect, and why there is no connection.

use crate::report::ToolError;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// How to connect; as `kubectl` has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectOptions {
    /// The kubeconfig context; `None` for the current one.
    pub context: Option<String>,
    /// The kubeconfig file; `None` for `KUBECONFIG`, then `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// The user to impersonate.
    pub user: Option<String>,
    /// The groups to impersonate.
    pub groups: Vec<String>,
    /// How long a request may take; bounds connecting too.
    pub request_timeout: Duration,
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .0.message)]
pub struct ConnectError(ToolError);

/// Makes aws-lc-rs the process's TLS implementation. Idempotent; whoever came first stays. Without it kube and other
/// users of rustls in one process may each expect another one, and panic.
pub fn install_crypto_provider() {
    // An error only says that there is one already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

// === impl ConnectError ===

impl ConnectError {
    pub(super) fn new(message: impl Into<String>, hints: &[&str]) -> Self {
        Self(ToolError::new(
            message,
            hints.iter().map(|hint| (*hint).to_owned()).collect(),
        ))
    }

    /// The same, with where was looked.
    pub(super) fn where_tried(self, tried: Option<String>) -> Self {
        Self(ToolError { tried, ..self.0 })
    }

    /// What happened, and what to do about it.
    #[must_use]
    pub fn tool_error(&self) -> &ToolError {
        &self.0
    }
}

impl From<ToolError> for ConnectError {
    fn from(error: ToolError) -> Self {
        Self(error)
    }
}

impl From<ConnectError> for ToolError {
    fn from(error: ConnectError) -> Self {
        error.0
    }
}
