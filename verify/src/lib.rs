//! Audits a Kubernetes cluster against the install contract.
pub mod exposition;
