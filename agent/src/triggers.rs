//! Asks for a verification when something changes that the checks rest on: the APIService of the metrics API, and the
//! EndpointSlices, Deployments, StatefulSets and DaemonSets where a component of steps 2 to 4 may stand.
//!
//! Only metadata is watched. That a status changed shows in the object's resourceVersion, and what it says now is read by
//! the verification.

use crate::canary::in_words;
use futures::StreamExt as _;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kube::api::Api;
use kube::core::metadata::PartialObjectMeta;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Resource, ResourceExt as _};
use starform_verify::contract::Contract;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, info, info_span, warn};

/// The APIService of the metrics API.
const METRICS_API: &str = "v1beta1.metrics.k8s.io";

/// Watches until `stop`, and notifies `verify` of every change. A watch that breaks is taken up again, for ever; one that
/// is forbidden is told of once, and tried again at the pace of its backoff.
///
/// Needs `list` and `watch` of `apiservices.apiregistration.k8s.io v1beta1.metrics.k8s.io`, and in the contract's accepted
/// namespaces of `endpointslices.discovery.k8s.io`, `deployments.apps`, `statefulsets.apps` and `daemonsets.apps`. Without
/// one of them the periodic verification sees the change.
pub async fn run(client: kube::Client, contract: Arc<Contract>, verify: Arc<Notify>, stop: CancellationToken) {
    let mut watches = JoinSet::new();
    let api_services = Api::<PartialObjectMeta<APIService>>::all(client.clone());
    let one = watcher::Config::default().fields(&format!("metadata.name={METRICS_API}"));
    let watch = follow(api_services, one, Arc::clone(&verify));
    watches.spawn(watch.instrument(info_span!("watch", resource = "apiservices")));
    for namespace in namespaces(&contract) {
        spawn::<EndpointSlice>(&mut watches, &client, namespace, &verify);
        spawn::<Deployment>(&mut watches, &client, namespace, &verify);
        spawn::<StatefulSet>(&mut watches, &client, namespace, &verify);
        spawn::<DaemonSet>(&mut watches, &client, namespace, &verify);
    }
    // A watch ends with its task only, so that the set is empty only if the runtime is going.
    tokio::select! {
        () = stop.cancelled() => {}
        () = async { while watches.join_next().await.is_some() {} } => warn!("watches ended"),
    }
    watches.shutdown().await;
}

/// The namespaces in which a component may stand.
fn namespaces(contract: &Contract) -> BTreeSet<&str> {
    let components = &contract.components;
    [
        &components.envoy_gateway.controller.namespaces,
        &components.metrics_server.namespaces,
        &components.kube_state_metrics.namespaces,
        &components.fluent_bit.namespaces,
        &components.vmagent.namespaces,
        &components.alloy.namespaces,
    ]
    .into_iter()
    .flatten()
    .map(String::as_str)
    .collect()
}

fn spawn<K>(watches: &mut JoinSet<()>, client: &kube::Client, namespace: &str, verify: &Arc<Notify>)
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + Send + Sync + 'static,
{
    let api = Api::<PartialObjectMeta<K>>::namespaced(client.clone(), namespace);
    let watch = follow(api, watcher::Config::default(), Arc::clone(verify));
    let span = info_span!("watch", resource = %K::plural(&()), namespace);
    watches.spawn(watch.instrument(span));
}

async fn follow<K>(api: Api<PartialObjectMeta<K>>, config: watcher::Config, verify: Arc<Notify>)
where
    K: Clone + Debug + Send + Sync + 'static,
    PartialObjectMeta<K>: Resource,
{
    let mut events = pin!(watcher(api, config).default_backoff());
    let mut listed = false;
    let mut forbidden = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(object) | Event::Delete(object)) => {
                debug!(name = %object.name_any(), "object changed");
                verify.notify_one();
            }
            // What changed while nobody watched cannot be told. The first list is no change.
            Ok(Event::InitDone) => {
                if std::mem::replace(&mut listed, true) {
                    verify.notify_one();
                }
                if std::mem::take(&mut forbidden) {
                    info!("watch was allowed");
                }
            }
            Ok(Event::Init | Event::InitApply(_)) => {}
            Err(error) if is_forbidden(&error) => {
                if !std::mem::replace(&mut forbidden, true) {
                    warn!(error = %words(&error), "watch was forbidden; changes are seen by the periodic verification only");
                }
            }
            Err(error) => debug!(error = %words(&error), "watch broke"),
        }
    }
}

fn is_forbidden(error: &watcher::Error) -> bool {
    matches!(
        error,
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status)) if status.is_forbidden()
    ) || matches!(error, watcher::Error::WatchError(status) if status.is_forbidden())
}

fn words(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => in_words(error),
        watcher::Error::WatchError(status) => format!("{}: {}", status.code, status.message),
        watcher::Error::NoResourceVersion => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
