//! A real Kubernetes cluster on one Linux machine without Docker: etcd, the control plane, two nodes with containerd,
//! runc, kubelet and kube-proxy, each in network namespaces of its own. The command line and the end-to-end tests use
//! the same functions.

mod args;
mod authority;
mod broken;
mod budgets;
mod cgroups;
mod charts;
mod churn;
mod collectors;
mod components;
mod control_plane;
mod daemon;
pub mod exposition_peers;
mod faults;
mod gateway;
mod go_binaries;
mod healthy;
mod https;
mod images;
mod inside;
mod kubeconfig;
mod kubelet_filter;
mod leftovers;
mod network;
mod node;
mod paths;
mod peer;
mod processes;
mod programs;
mod python;
mod recipes;
mod record;
mod repository;
mod scale;
mod scenarios;
mod scratch;
mod shared;
mod shown;
pub mod shuttle;
mod spent;
mod standins;
mod starbase;
mod status;
mod steps;
mod stores;
mod turns;
mod up;

pub use args::run;
pub use charts::helm_4;
pub use churn::Churn;
pub use components::Versions;
pub use record::auditor;
pub use scenarios::Scenario;
pub use scratch::Scratch;
pub use shared::{Cluster, Leave, cluster, fleet_cluster, leave};
pub use starbase::{
    CertificateFault, Exchange, Fault, FaultKind, Known, Operation, RetryAfter, Serving, Starbase,
    State as ClusterState,
};
pub use stores::{Part, Reach, Region, Sink, Stores};
