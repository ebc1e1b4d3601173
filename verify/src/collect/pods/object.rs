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
pub(in crate::collect) struct PodObject {
    #[prost(message, optional, tag = "1")]
    pub(in crate::collect) metadata: Option<Metadata>,
    #[prost(message, optional, tag = "2")]
    pub(in crate::collect) spec: Option<Spec>,
    #[prost(message, optional, tag = "3")]
    pub(in crate::collect) status: Option<Status>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::collect) struct Metadata {
    #[prost(string, tag = "1")]
    pub(in crate::collect) name: String,
    #[prost(string, tag = "3")]
    pub(in crate::collect) namespace: String,
    #[prost(string, tag = "5")]
    pub(in crate::collect) uid: String,
    #[prost(message, optional, tag = "8")]
    pub(in crate::collect) creation_timestamp: Option<Time>,
    #[prost(message, optional, tag = "9")]
    pub(in crate::collect) deletion_timestamp: Option<Time>,
    #[prost(btree_map = "string, string", tag = "11")]
    #[serde(deserialize_with = "or_default")]
    pub(in crate::collect) labels: BTreeMap<String, String>,
    #[prost(message, repeated, tag = "13")]
    #[serde(deserialize_with = "or_default")]
    pub(in crate::collect) owner_references: Vec<OwnerReference>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(in crate::collect) struct OwnerReference {
    #[prost(string, tag = "1")]
    pub(in crate::collect) kind: String,
    #[prost(string, tag = "3")]
    pub(in crate::collect) name: String,
    #[prost(bool, tag = "6")]
    pub(in crate::collect) controller: bool,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::collect) struct Spec {
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "or_default")]
    pub(in crate::collect) containers: Vec<Container>,
    #[prost(message, repeated, tag = "20")]
    #[serde(deserialize_with = "or_default")]
    pub(in crate::collect) init_containers: Vec<Container>,
    #[prost(string, tag = "10")]
    pub(in crate::collect) node_name: String,
    #[prost(string, tag = "29")]
    pub(in crate::collect) runtime_class_name: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::collect) struct Container {
    #[prost(string, tag = "1")]
    pub(in crate::collect) name: String,
    #[prost(string, tag = "2")]
    pub(in crate::collect) image: String,
    #[prost(string, tag = "24")]
    pub(in crate::collect) restart_policy: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::collect) struct Status {
    #[prost(string, tag = "1")]
    pub(in crate::collect) phase: String,
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "or_default")]
    pub(in crate::collect) conditions: Vec<Condition>,
    #[prost(string, tag = "4")]
    pub(in crate::collect) reason: String,
    #[prost(string, tag = "6")]
    #[serde(rename = "podIP")]
    pub(in crate::collect) pod_ip: String,
    #[prost(message, repeated, tag = "10")]
    #[serde(deserialize_with = "or_default")]
    pub(in crate::collect) init_container_statuses: Vec<ContainerStatus>,
    #[prost(message, repeated, tag = "8")]
    #[serde(deserialize_with = "or_default")]
    pub(in crate::collect) container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(in crate::collect) struct Condition {
    #[prost(string, tag = "1")]
    #[serde(rename = "type")]
    pub(in crate::collect) kind: String,
    #[prost(string, tag = "2")]
    pub(in crate::collect) status: String,
    #[prost(string, tag = "5")]
    pub(in crate::collect) reason: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::collect) struct ContainerStatus {
    #[prost(string, tag = "1")]
    pub(in crate::collect) name: String,
    #[prost(message, optional, tag = "2")]
    pub(in crate::collect) state: Option<State>,
    #[prost(message, optional, tag = "3")]
    pub(in crate::collect) last_state: Option<State>,
    #[prost(bool, tag = "4")]
    pub(in crate::collect) ready: bool,
    #[prost(int32, tag = "5")]
    pub(in crate::collect) restart_count: i32,
    #[prost(bool, tag = "9")]
    #[serde(deserialize_with = "or_default")]
    pub(in crate::collect) started: bool,
}

/// Where a container stands: one of the three, or none where the kubelet has not said.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(in crate::collect) struct State {
    #[prost(message, optional, tag = "1")]
    pub(in crate::collect) waiting: Option<Waiting>,
    #[prost(message, optional, tag = "2")]
    pub(in crate::collect) running: Option<Running>,
    #[prost(message, optional, tag = "3")]
    pub(in crate::collect) terminated: Option<Terminated>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(in crate::collect) struct Waiting {
    #[prost(string, tag = "1")]
    pub(in crate::collect) reason: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::collect) struct Running {
    #[prost(message, optional, tag = "1")]
    pub(in crate::collect) started_at: Option<Time>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::collect) struct Terminated {
    #[prost(int32, tag = "1")]
    pub(in crate::collect) exit_code: i32,
    #[prost(int32, tag = "2")]
    pub(in crate::collect) signal: i32,
    #[prost(string, tag = "3")]
    pub(in crate::collect) reason: String,
    #[prost(message, optional, tag = "6")]
    pub(in crate::collect) finished_at: Option<Time>,
}

/// A time. In protobuf a message without fields is no time, as `null` is in JSON.
#[derive(Clone, Copy, PartialEq, Message)]
pub(in crate::collect) struct Time {
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
    pub(in crate::collect) fn of_protobuf(bytes: &[u8]) -> Result<Self, String> {
        // prost's own words name its fields, which are ours, and nothing of the document.
        Self::decode(bytes).map_err(|error| format!("a pod: {error}"))
    }

    /// A pod of its JSON.
    pub(in crate::collect) fn of_json(json: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(json).map_err(|error| format!("a pod: {}", crate::collect::answer::json_error(&error)))
    }

    /// Its status.
    pub(in crate::collect) fn status(&self) -> &Status {
        self.status.as_ref().unwrap_or(&NO_STATUS)
    }

    /// Its containers and its init containers.
    pub(in crate::collect) fn containers(&self) -> (&[Container], &[Container]) {
        (self.spec.as_ref()).map_or((&[], &[]), |spec| (&spec.containers, &spec.init_containers))
    }

    /// The node that it is bound to.
    pub(in crate::collect) fn node(&self) -> Option<&str> {
        let node = self.spec.as_ref()?.node_name.as_str();
        (!node.is_empty()).then_some(node)
    }

    /// Its `RuntimeClass`, where it names one.
    pub(in crate::collect) fn runtime_class(&self) -> Option<&str> {
        let class = self.spec.as_ref()?.runtime_class_name.as_str();
        (!class.is_empty()).then_some(class)
    }

    /// Whether it is being deleted.
    pub(in crate::collect) fn is_deleting(&self) -> bool {
        (self.metadata.as_ref()).is_some_and(|metadata| metadata.deletion_timestamp.is_some())
    }
}

// === impl State ===

impl State {
    /// Why the container waits; `None` where it does not, or does not say why.
    pub(in crate::collect) fn reason_to_wait(&self) -> Option<&str> {
        let reason = self.waiting.as_ref()?.reason.as_str();
        (!reason.is_empty()).then_some(reason)
    }
}

// === impl Time ===

impl Time {
    /// It as evidence has it.
    pub(in crate::collect) fn timestamp(self) -> Option<Timestamp> {
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
