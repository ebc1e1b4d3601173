//! What keeps an object as it is: what is typed at it is taken back.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What applies an object again and again from a repository, as the object's labels and annotations tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Keeper {
    /// An Application of Argo CD.
    ArgoCd {
        /// Its name; with its namespace before it, `NAMESPACE_NAME`, where that is not Argo CD's own. Empty where the object
        /// does not tell it.
        application: String,
    },
    /// A HelmRelease of Flux.
    FluxHelmRelease {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A Kustomization of Flux.
    FluxKustomization {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

// === impl Keeper ===

impl fmt::Display for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ArgoCd { application } if application.is_empty() => f.write_str("Argo CD"),
            Self::ArgoCd { application } => write!(f, "Argo CD (Application {application})"),
            Self::FluxHelmRelease { namespace, name } => write!(f, "Flux (HelmRelease {namespace}/{name})"),
            Self::FluxKustomization { namespace, name } => write!(f, "Flux (Kustomization {namespace}/{name})"),
        }
    }
}
