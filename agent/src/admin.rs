//! The admin server: what the kubelet, a metrics collector and a person ask the agent.
//!
//! Two listeners. The probe address answers anyone in the pod network: `/livez`, `/readyz`, `/metrics`. The loopback
//! address answers only what `kubectl port-forward` brings: the status page and the report. The node role has the first
//! one only.
//!
//! It is started before everything else, so that a pod that is not ready says why from its first second.

mod answer;
mod loopback;
mod page;
mod probes;
mod readiness;
mod server;
mod view;

pub use self::answer::{Answer, Routes};
pub use self::loopback::Loopback;
pub use self::probes::{Line, Probes, Readiness, Standing, Statement};
pub use self::server::{BindError, Server};

#[cfg(test)]
pub(crate) mod sample;
