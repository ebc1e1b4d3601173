//! Whether the collectors that are to run on every node run on this one.

use crate::canary::in_words;
use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use std::time::Duration;

/// How long the API server may take.
const REQUEST: Duration = Duration::from_secs(10);
/// The most pods of one collector on one node that are read; there should be one.
const PODS: u32 = 10;

/// A collector that runs on every node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// What it is called: `fluent-bit`.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The label selector of its pods.
    pub selector: String,
}

/// Looks for each on the node. Sends nothing where there are none to look for.
///
/// Needs `list pods` in their namespaces.
pub(super) async fn look(client: &kube::Client, node: &str, collectors: &[Collector]) -> Vec<Result<(), String>> {
    join_all(collectors.iter().map(|collector| runs(client, node, collector))).await
}

async fn runs(client: &kube::Client, node: &str, collector: &Collector) -> Result<(), String> {
    let Collector {
        name,
        namespace,
        selector,
    } = collector;
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let parameters = ListParams::default()
        .labels(selector)
        .fields(&format!("spec.nodeName={node}"))
        .limit(PODS);
    match tokio::time::timeout(REQUEST, pods.list(&parameters)).await {
        Ok(Ok(list)) if list.items.iter().any(is_ready) => Ok(()),
        Ok(Ok(list)) => Err(match list.items.len() {
            0 => format!("no pod of {name} is on this node (namespace {namespace}, {selector})"),
            count => format!("{count} pods of {name} on this node, none Ready (namespace {namespace}, {selector})"),
        }),
        Ok(Err(error)) => Err(format!("pods of {name} could not be listed: {}", in_words(&error))),
        Err(_) => Err(format!(
            "pods of {name} could not be listed: no answer within {}s",
            REQUEST.as_secs()
        )),
    }
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    pod.metadata.deletion_timestamp.is_none()
        && (conditions.into_iter().flatten()).any(|condition| condition.type_ == "Ready" && condition.status == "True")
}
