//! Which pod something is of.

use super::metrics::PodMetrics;
use super::pod::{Pod, PodRow};

/// Namespace and name: by these what carries no UID, such as metrics, is joined with a pod.
pub type PodName<'a> = (&'a str, &'a str);

// === impl Pod ===

impl Pod {
    /// Namespace and name.
    #[must_use]
    pub fn full_name(&self) -> PodName<'_> {
        (&self.namespace, &self.name)
    }
}

// === impl PodMetrics ===

impl PodMetrics {
    /// Of which pod they are.
    #[must_use]
    pub fn pod(&self) -> PodName<'_> {
        (&self.namespace, &self.name)
    }
}

// === impl PodRow ===

impl PodRow {
    /// Of which pod it is, or of an earlier one of that name.
    #[must_use]
    pub fn pod(&self) -> PodName<'_> {
        (&self.namespace, &self.pod)
    }

    /// Whether it is of the pod with that UID: a row of an earlier pod of the same name is none of it.
    #[must_use]
    pub fn is_of(&self, uid: &str) -> bool {
        *self.uid == *uid
    }
}
