//! The recording of a healthy cluster with steps 2 and 4 added, for tests that change one thing in it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "it is part of tests; clippy knows only those functions that are tests themselves"
)]

use starform_verify::evidence::{Evidence, Node, Observed, Pod, PodRow};
use testdata::recordings;

/// The recording, its pods an hour older as its nodes are: what is young is judged by other rules.
pub(crate) fn healthy() -> Evidence {
    let mut evidence = recordings::with_steps_2_and_4("healthy");
    for pod in seen(&mut evidence.pods) {
        pod.created -= jiff::SignedDuration::from_hours(1);
    }
    evidence
}

/// What was seen, to change it.
pub(crate) fn seen<T>(observed: &mut Observed<T>) -> &mut T {
    match observed {
        Observed::Seen(value) => value,
        _ => panic!("the healthy recording has seen it"),
    }
}

pub(crate) fn nodes(evidence: &mut Evidence) -> &mut Vec<Node> {
    seen(&mut evidence.nodes)
}

pub(crate) fn pod<'a>(evidence: &'a mut Evidence, namespace: &str, name: &str) -> &'a mut Pod {
    let mut pods = seen(&mut evidence.pods).iter_mut();
    pods.find(|pod| *pod.namespace == *namespace && *pod.name == *name)
        .unwrap()
}

pub(crate) fn rows(evidence: &mut Evidence) -> &mut Vec<PodRow> {
    &mut seen(&mut seen(&mut evidence.scrapes)[0].rows).rows
}

/// The pods of a node, as its kubelet's metrics name them.
pub(crate) fn node_pods(evidence: &Evidence, node: &str) -> Vec<(String, String)> {
    let Observed::Seen(pods) = &evidence.pods else {
        panic!("no pods were seen")
    };
    (pods.iter())
        .filter(|pod| pod.node.as_deref() == Some(node))
        .map(|pod| (pod.namespace.to_string(), pod.name.to_string()))
        .collect()
}
