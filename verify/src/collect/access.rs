//! What a collector has of the cluster: a client, and how long it may wait.

use super::answer::Answer;
use super::get::{Accept, Get, Origin};
use super::items::Reduce;
use super::list::{self, Shape};
use super::obstacle::Obstacle;
use super::protobuf::ReduceMessages;
use super::request::send;
use crate::contract::Contract;
use crate::evidence::Vantage;
use std::time::Duration;

/// The cluster as collectors see it.
#[derive(Clone, Copy)]
pub(super) struct Cluster<'a> {
    pub(super) client: &'a kube::Client,
    /// For addresses in the cluster: no TLS, no credential.
    pub(super) direct: &'a kube::Client,
    pub(super) contract: &'a Contract,
    pub(super) vantage: Vantage,
    /// Bounds one request, its body included.
    pub(super) request_timeout: Duration,
}

impl<'a> Cluster<'a> {
    /// The client that a request takes: an address in the cluster is shown no credential.
    pub(super) fn client_of(&self, get: &Get) -> &'a kube::Client {
        match get.origin {
            Origin::Direct => self.direct,
            // The requests of collectors are the first two; the rest have clients of their own.
            Origin::Proxied | Origin::Api | Origin::Starbase | Origin::MetricsStore | Origin::LogStore => self.client,
        }
    }

    /// The request for a page of a pod: outside of the cluster through the API server, inside at the pod's address. `Err` is why it
    /// cannot be sent, with the one that would reach the pod from outside.
    pub(super) fn pod_page(
        &self,
        (namespace, pod): (&str, &str),
        address: Option<&str>,
        port: u16,
        page: &str,
        accept: Accept,
    ) -> Result<Get, Box<(Get, &'static str)>> {
        let proxied = Get::proxied_pod(namespace, &format!("{pod}:{port}"), page, accept);
        match (self.vantage, address) {
            (Vantage::Outside, _) => Ok(proxied),
            (Vantage::Inside, Some(address)) => Ok(Get::direct(address, port, page, accept)),
            (Vantage::Inside, None) => Err(Box::new((proxied, "the pod has no address yet"))),
        }
    }

    /// Sends a request whose answer is at most that large.
    pub(super) async fn send(&self, get: &Get, bound: u64) -> Result<Answer, Obstacle> {
        send(self.client_of(get), get, self.request_timeout, bound).await
    }

    /// Reads a list in one piece, in protobuf where the API server gives it. The request's time is that of each page's worth of items.
    pub(super) async fn whole_list<R: Reduce + ReduceMessages>(
        &self,
        get: &Get,
        kind: &'static str,
        reduce: R,
    ) -> Result<R, Obstacle> {
        list::whole(self.client, get, kind, self.request_timeout, reduce).await
    }

    /// Reads a list to its end.
    pub(super) async fn list<R: Reduce>(&self, get: &Get, shape: Shape, new: impl Fn() -> R) -> Result<R, Obstacle> {
        list::list(self.client, get, shape, self.request_timeout, new).await
    }
}
