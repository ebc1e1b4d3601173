//! What an audit asks.

use super::connection::Connection;
use super::starbase::Starbase;
use super::stores::Stores;
use super::terraform::TerraformDocument;
use crate::evidence::Target;

/// What an audit asks. What is not there is not asked: a cluster and its region can each be audited without the other, and
/// Starbase is asked about a cluster only.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// The cluster. Without one its sources are not collected.
    pub cluster: Option<Connection>,
    /// Starbase, about the cluster.
    pub starbase: Option<Starbase>,
    /// The stores of the region.
    pub stores: Option<Stores>,
    /// What Terraform says of the region.
    pub terraform: Option<TerraformDocument>,
}

// === impl Targets ===

impl Targets {
    /// How the cluster is addressed; without one, from outside.
    #[must_use]
    pub fn target(&self) -> Target {
        self.cluster
            .as_ref()
            .map_or_else(Target::outside, |cluster| cluster.target().clone())
    }
}

impl From<Connection> for Targets {
    fn from(cluster: Connection) -> Self {
        Self {
            cluster: Some(cluster),
            ..Self::default()
        }
    }
}
