//! Step 2: Envoy Gateway.

pub(super) mod controller;
pub(super) mod crds;
pub(super) mod objects;
pub(super) mod proxies;
