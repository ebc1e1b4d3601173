//! Audits a Kubernetes cluster against the install contract.
