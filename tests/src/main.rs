//! A real Kubernetes cluster on one machine.
fn main() {}
