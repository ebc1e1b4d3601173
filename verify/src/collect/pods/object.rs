//! A pod as the API server writes it, with the fields that are judged: the rest is skipped unread.
//!
//! The numbers are those of `k8s.io/api`, `core/v1/generated.proto`, and of `k8s.io/apimachinery`,
//! `pkg/apis/meta/v1/generated.proto`; they never change. The same messages read the JSON of an API server, or of a proxy before
//! it, that gives no protobuf.

use jiff::Timestamp;
use prost::Message;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A pod.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct PodObject {
    #[prost(message, optional, tag = "1")]
    pub(super) metadata: Option<Metadata>,
    #[prost(message, optional, tag = "2")]
    pub(super) spec: Option<Spec>,
    #[prost(message, optional, tag = "3")]
    pub(super) status: Option<Status>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) namespace: String,
    #[prost(string, tag = "5")]
    pub(super) uid: String,
    #[prost(message, optional, tag = "8")]
    pub(super) creation_timestamp: Option<Time>,
    #[prost(message, optional, tag = "9")]
    pub(super) deletion_timestamp: Option<Time>,
    #[prost(btree_map = "string, string", tag = "11")]
    #[serde(deserialize_with = "or_default")]
    pub(super) labels: BTreeMap<String, String>,
    #[prost(message, repeated, tag = "13")]
    #[serde(deserialize_with = "or_default")]
    pub(super) owner_references: Vec<OwnerReference>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct OwnerReference {
    #[prost(string, tag = "1")]
    pub(super) kind: String,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(bool, tag = "6")]
    pub(super) controller: bool,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "or_default")]
    pub(super) containers: Vec<Container>,
    #[prost(message, repeated, tag = "20")]
    #[serde(deserialize_with = "or_default")]
    pub(super) init_containers: Vec<Container>,
    #[prost(string, tag = "10")]
    pub(super) node_name: String,
    #[prost(string, tag = "29")]
    pub(super) runtime_class_name: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Container {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) image: String,
    #[prost(string, tag = "24")]
    pub(super) restart_policy: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    #[prost(string, tag = "1")]
    pub(super) phase: String,
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "or_default")]
    pub(super) conditions: Vec<Condition>,
    #[prost(string, tag = "4")]
    pub(super) reason: String,
    #[prost(message, repeated, tag = "10")]
    #[serde(deserialize_with = "or_default")]
    pub(super) init_container_statuses: Vec<ContainerStatus>,
    #[prost(message, repeated, tag = "8")]
    #[serde(deserialize_with = "or_default")]
    pub(super) container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct Condition {
    #[prost(string, tag = "1")]
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[prost(string, tag = "2")]
    pub(super) status: String,
    #[prost(string, tag = "5")]
    pub(super) reason: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ContainerStatus {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) state: Option<State>,
    #[prost(message, optional, tag = "3")]
    pub(super) last_state: Option<State>,
    #[prost(bool, tag = "4")]
    pub(super) ready: bool,
    #[prost(int32, tag = "5")]
    pub(super) restart_count: i32,
    #[prost(bool, tag = "9")]
    #[serde(deserialize_with = "or_default")]
    pub(super) started: bool,
}

/// Where a container stands: one of the three, or none where the kubelet has not said.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct State {
    #[prost(message, optional, tag = "1")]
    pub(super) waiting: Option<Waiting>,
    #[prost(message, optional, tag = "2")]
    pub(super) running: Option<Running>,
    #[prost(message, optional, tag = "3")]
    pub(super) terminated: Option<Terminated>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct Waiting {
    #[prost(string, tag = "1")]
    pub(super) reason: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Running {
    #[prost(message, optional, tag = "1")]
    pub(super) started_at: Option<Time>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Terminated {
    #[prost(int32, tag = "1")]
    pub(super) exit_code: i32,
    #[prost(int32, tag = "2")]
    pub(super) signal: i32,
    #[prost(string, tag = "3")]
    pub(super) reason: String,
    #[prost(message, optional, tag = "6")]
    pub(super) finished_at: Option<Time>,
}

/// A time. In protobuf a message without fields is no time, as `null` is in JSON.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Time {
    #[prost(int64, optional, tag = "1")]
    seconds: Option<i64>,
    #[prost(int32, tag = "2")]
    nanoseconds: i32,
}

/// What a pod without a status has.
static NO_STATUS: LazyLock<Status> = LazyLock::new(Status::default);

// === impl PodObject ===

impl PodObject {
    /// A pod of its protobuf.
    pub(super) fn of_protobuf(bytes: &[u8]) -> Result<Self, String> {
        // prost's own words name its fields, which are ours, and nothing of the document.
        Self::decode(bytes).map_err(|error| format!("a pod: {error}"))
    }

    /// A pod of its JSON.
    pub(super) fn of_json(json: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(json).map_err(|error| format!("a pod: {}", crate::collect::answer::json_error(&error)))
    }

    /// Its status.
    pub(super) fn status(&self) -> &Status {
        self.status.as_ref().unwrap_or(&NO_STATUS)
    }

    /// Its containers and its init containers.
    pub(super) fn containers(&self) -> (&[Container], &[Container]) {
        (self.spec.as_ref()).map_or((&[], &[]), |spec| (&spec.containers, &spec.init_containers))
    }

    /// The node that it is bound to.
    pub(super) fn node(&self) -> Option<&str> {
        let node = self.spec.as_ref()?.node_name.as_str();
        (!node.is_empty()).then_some(node)
    }

    /// Its `RuntimeClass`, where it names one.
    pub(super) fn runtime_class(&self) -> Option<&str> {
        let class = self.spec.as_ref()?.runtime_class_name.as_str();
        (!class.is_empty()).then_some(class)
    }

    /// Whether it is being deleted.
    pub(super) fn is_deleting(&self) -> bool {
        (self.metadata.as_ref()).is_some_and(|metadata| metadata.deletion_timestamp.is_some())
    }
}

// === impl State ===

impl State {
    /// Why the container waits; `None` where it does not, or does not say why.
    pub(super) fn reason_to_wait(&self) -> Option<&str> {
        let reason = self.waiting.as_ref()?.reason.as_str();
        (!reason.is_empty()).then_some(reason)
    }
}

// === impl Time ===

impl Time {
    /// It as evidence has it.
    pub(super) fn timestamp(self) -> Option<Timestamp> {
        Timestamp::new(self.seconds?, self.nanoseconds).ok()
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Timestamp::deserialize(deserializer)?;
        Ok(Self {
            seconds: Some(read.as_second()),
            nanoseconds: read.subsec_nanosecond(),
        })
    }
}

/// What stands there, or nothing for the `null` that Go writes where nothing does.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
