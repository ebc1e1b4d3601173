//! A Deployment, StatefulSet or DaemonSet: the same of every step.
//!
//! A field that evidence of an earlier version lacks is `None`: unknown.

mod placement;
mod rollout;

use super::Shared;
use super::keeper::Keeper;
use super::last_change::LastChange;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

pub use self::placement::{NodeRequirement, NodeTerm, Placement, Toleration};
pub use self::rollout::{Rollout, RolloutCondition};

/// The kinds of workload that a component is installed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WorkloadKind {
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
}

/// A workload, as far as its object tells. Its pods are none of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// Kind.
    pub kind: WorkloadKind,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// `spec.replicas`; of a DaemonSet `status.desiredNumberScheduled`.
    pub desired: u32,
    /// `status.readyReplicas`; of a DaemonSet `status.numberReady`.
    pub ready: u32,
    /// `status.updatedReplicas`; of a DaemonSet `status.updatedNumberScheduled`.
    pub updated: u32,
    /// `status.availableReplicas`; of a DaemonSet `status.numberAvailable`: those that have been ready for long enough.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub available: Option<u32>,
    /// Whether the controller has seen the newest generation; until then the status speaks of an older one.
    pub observed: bool,
    /// The image of the component's container: repository and tag or digest, as the object says.
    pub image: String,
    /// The version: the image's tag without `v`, else the label `app.kubernetes.io/version`.
    pub version: Option<String>,
    /// The Helm release that the annotations name (`meta.helm.sh/release-name`).
    pub release: Option<String>,
    /// The namespace of that release (`meta.helm.sh/release-namespace`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_namespace: Option<String>,
    /// What applies it again and again, where something does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeper: Option<Keeper>,
    /// The flags that the contract names for this component, each with its values in order. A flag without a value has `""`.
    pub flags: BTreeMap<String, Vec<String>>,
    /// Whether flags also come from somewhere that was not read, and from where (a configuration file): then a flag
    /// that is not in `flags` may be set all the same.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub unread_flags: Option<String>,
    /// Of the component's container, where flags stand in its `command`: charts write them into `args`, and Helm leaves what
    /// no chart writes as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_command: Option<OwnCommand>,
    /// The arguments that are not known, for a variable in them was not read.
    pub unread_arguments: Vec<UnreadArgument>,
    /// The condition that says why it makes no progress (`Progressing=False`, `ReplicaFailure`), as `reason: message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The selector of its pods, as `kubectl --selector` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Which nodes its pods may be on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// The containers of its pods, init containers first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub containers: Option<Vec<ContainerImage>>,
    /// The Services of its namespace that the component is found by and that select its pods; `None` where it is found
    /// otherwise, or where that was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<String>>,
    /// What owns it: an operator's resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owners: Option<Vec<Owner>>,
    /// How far its newest revision has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// The last change of its spec that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_change: Option<LastChange>,
}

/// An argument that is not known, for a variable in it (`$(NAME)`) was not read. In the values of flags it stands as it is
/// written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnreadArgument {
    /// The flag whose value it is; `None` where it may be any flag.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub flag: Option<String>,
    /// Which variable, and where it comes from.
    pub why: String,
}

/// A container whose `command` has flags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnCommand {
    /// The container's name.
    pub container: String,
    /// The flags, by name.
    pub flags: Vec<String>,
}

/// A container, by its image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerImage {
    /// Its name.
    pub name: String,
    /// Its image, as the object says.
    pub image: String,
    /// Whether it is an init container.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub init: bool,
}

/// An object that owns another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// Kind: `ReplicaSet`, `Node`, `Alloy`.
    pub kind: Shared,
    /// Name; its namespace is that of what it owns, where it has one.
    pub name: Shared,
}

// === impl WorkloadKind ===

impl fmt::Display for WorkloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
        })
    }
}

// === impl Owner ===

impl Owner {
    /// Whether what it owns is a pod of that workload: a Deployment's pods are owned by its ReplicaSets.
    #[must_use]
    pub(crate) fn is_of(&self, kind: WorkloadKind, name: &str) -> bool {
        match kind {
            WorkloadKind::Deployment => self.is_replica_set_of(name),
            WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => {
                *self.kind == *kind.to_string() && *self.name == *name
            }
        }
    }

    /// Whether it is a ReplicaSet that a Deployment of that name has made: it is called `NAME-HASH`.
    #[must_use]
    pub(crate) fn is_replica_set_of(&self, name: &str) -> bool {
        let is_hash = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
        let parts = self.name.rsplit_once('-');
        *self.kind == *"ReplicaSet" && parts.is_some_and(|(of, hash)| of == name && is_hash(hash))
    }
}

// === impl Workload ===

impl Workload {
    /// The selector of its pods, where it is known and selects any.
    #[must_use]
    pub(crate) fn pod_selector(&self) -> Option<&str> {
        self.selector.as_deref().filter(|selector| !selector.is_empty())
    }

    /// The last value of a flag as it is written, which is the one that counts. `None` where it is not given. Whoever judges
    /// by it asks [`Workload::why_unread`] first.
    #[must_use]
    pub(crate) fn last_value(&self, flag: &str) -> Option<&str> {
        self.flags.get(flag)?.last().map(String::as_str)
    }

    /// Why the value of a flag is not known, where it is not: also where an argument may be any flag.
    #[must_use]
    pub(crate) fn why_unread(&self, flag: &str) -> Option<&str> {
        let mut unread = self.unread_arguments.iter();
        let argument = unread.find(|argument| argument.flag.as_deref().is_none_or(|named| named == flag))?;
        Some(&argument.why)
    }
}
