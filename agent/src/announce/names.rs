//! The parameters that may be shown.

use crate::parameters::Parameters;
use std::sync::Arc;
use tokio::sync::watch;

/// Cluster ID and region: all of the parameters but the token, so that what shows them never holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The parameter `cluster-id`.
    pub cluster_id: String,
    /// The parameter `region`.
    pub region: String,
}

// === impl Names ===

impl Names {
    /// Publishes the parameters' names, now and whenever they change, until nobody sends or receives any more.
    pub async fn follow(mut parameters: watch::Receiver<Arc<Parameters>>, names: watch::Sender<Option<Self>>) {
        loop {
            let now = Self::from(parameters.borrow_and_update().as_ref());
            names.send_replace(Some(now));
            tokio::select! {
                changed = parameters.changed() => if changed.is_err() { return },
                () = names.closed() => return,
            }
        }
    }
}

impl From<&Parameters> for Names {
    fn from(parameters: &Parameters) -> Self {
        Self {
            cluster_id: parameters.cluster_id.as_str().to_owned(),
            region: parameters.region.as_str().to_owned(),
        }
    }
}
