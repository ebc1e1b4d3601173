//! Reads and writes the one Lease. Every write but the first carries the resourceVersion that was read.

use crate::request::{self, Refusal};
use http::StatusCode;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Resource;
use kube::api::{GetParams, PostParams};
use kube::core::Request;
use std::time::Duration;

/// The Lease's place in the API.
pub(super) struct LeaseClient {
    client: kube::Client,
    request: Request,
    name: String,
    timeout: Duration,
}

/// Why a write did not happen.
#[derive(Debug)]
pub(super) enum Unwritten {
    /// Somebody else wrote since this process read.
    Conflict,
    /// Anything else; whether it happened after all is not known where no answer came.
    Failed(Refusal),
}

// === impl LeaseClient ===

impl LeaseClient {
    pub(super) fn new(client: kube::Client, namespace: &str, name: &str, timeout: Duration) -> Self {
        let url = Lease::url_path(&(), Some(namespace));
        Self {
            client,
            request: Request::new(url),
            name: name.to_owned(),
            timeout,
        }
    }

    /// The Lease; `None` where there is none.
    pub(super) async fn read(&self) -> Result<Option<Lease>, Refusal> {
        let request = self.request.get(&self.name, &GetParams::default());
        match request::send(&self.client, request, self.timeout).await {
            Ok(lease) => Ok(Some(lease)),
            Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Creates or replaces it; what is stored now.
    pub(super) async fn write(&self, lease: &Lease) -> Result<Lease, Unwritten> {
        let params = PostParams::default();
        let body = serde_json::to_vec(lease).unwrap_or_default();
        let request = match lease.metadata.resource_version {
            None => self.request.create(&params, body),
            Some(_) => self.request.replace(&self.name, &params, body),
        };
        match request::send(&self.client, request, self.timeout).await {
            Ok(lease) => Ok(lease),
            // 404: it was deleted; the next reading finds none, and creates it.
            Err(refusal) if refusal.is(StatusCode::CONFLICT) || refusal.is(StatusCode::NOT_FOUND) => {
                Err(Unwritten::Conflict)
            }
            Err(refusal) => Err(Unwritten::Failed(refusal)),
        }
    }
}
