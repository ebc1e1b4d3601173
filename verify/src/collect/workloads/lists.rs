//! The lists of workloads that one collection has read: one that several sources ask for is requested once.

use super::raw::Raw;
use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::obstacle::Obstacle;
use crate::evidence::WorkloadKind;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// What came of a list. Why there is none is told to every source that asked.
type List = Result<Vec<Arc<Raw>>, Obstacle>;

/// The lists, by their requests.
#[derive(Default)]
pub(in crate::collect) struct Lists(Mutex<HashMap<String, Arc<OnceCell<List>>>>);

// === impl Lists ===

impl Lists {
    /// Reads a list, or waits for the source that is reading it. `keep` says what is kept of it: all that any source may want
    /// of this list.
    pub(in crate::collect) async fn read(
        &self,
        cluster: &Cluster<'_>,
        kind: WorkloadKind,
        get: &Get,
        keep: impl Fn(&Raw) -> bool,
    ) -> List {
        let list = self.list(get.uri());
        list.get_or_init(|| super::list(cluster, kind, get, keep)).await.clone()
    }

    fn list(&self, uri: String) -> Arc<OnceCell<List>> {
        // The lock is held for no longer than this, and nothing in here panics.
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lists.entry(uri).or_default())
    }
}
