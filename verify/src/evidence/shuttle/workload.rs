//! Shuttle's two workloads, by their names only: values of arguments and variables are never evidence.

use super::super::workload::Workload;
use serde::{Deserialize, Serialize};

/// The Deployment or DaemonSet of a role of Shuttle's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShuttleWorkload {
    /// The workload; none of its flags is evidence.
    pub workload: Workload,
    /// The ServiceAccount of its pods.
    pub service_account: String,
    /// Its containers, init containers first.
    pub containers: Vec<ContainerNames>,
    /// The names of its volumes.
    pub volumes: Vec<String>,
}

/// What a container is given, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerNames {
    /// Its name.
    pub name: String,
    /// The arguments that the contract names for the role, in order.
    pub arguments: Vec<String>,
    /// How many words of its command line are neither that nor a flag. What they say is not read.
    pub other_arguments: u32,
    /// Its flags without their values, in order.
    pub flags: Vec<String>,
    /// The names of its environment variables.
    pub environment: Vec<String>,
    /// What it takes further variables from: `ConfigMap NAME`, `Secret NAME`.
    pub environment_from: Vec<String>,
}
