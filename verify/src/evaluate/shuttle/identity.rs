//! Step 5: everything tells which cluster this is, and all of it the same.

use super::status::{parameters, read, status_object};
use crate::contract::LabelKey;
use crate::evaluate::cluster::no_such_api;
use crate::evaluate::fix::{count, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Observed, Pod};
use std::collections::BTreeSet;

/// SF503.
pub(in crate::evaluate) fn agree(subject: Subject<'_>) -> Judge {
    let evidence = subject.evidence;
    let shuttle = &subject.contract.components.shuttle;
    let uid = (evidence.identity).or_else(|| Outcome::undetermined("there is no namespace kube-system"))?;
    let nodes = evidence.nodes.or_else(|| no_such_api("/api/v1/nodes"))?;
    let pods = evidence.pods.or_else(|| no_such_api("/api/v1/pods"))?;
    if nodes.is_empty() || pods.is_empty() {
        return Ok(Outcome::undetermined(
            "the cluster has no node or no pod, and Shuttle is one",
        ));
    }
    if evidence.shuttle.status == Observed::Absent {
        return Ok(Outcome::not_applicable("Shuttle has written no status (SF504)"));
    }
    let status = &read(subject)?.status;
    let regions: BTreeSet<&str> = nodes.iter().filter_map(|node| node.region.as_deref()).collect();
    let fail = |observed: String, expected: &str| {
        Outcome::fail(observed)
            .expected(expected)
            .objects([status_object(subject)])
            .fix(parameters(
                subject,
                &status.cluster_id,
                regions.first().unwrap_or(&status.region.as_str()),
                "give Shuttle this cluster's parameters: it takes them from the Secret as soon as they change",
            ))
            .lasting()
    };
    if status.uid.is_empty() {
        return Ok(
            Outcome::undetermined("Shuttle has not read this cluster's UID yet").expected("its UID in the status")
        );
    }
    if &status.uid != uid {
        return Ok(fail(
            format!("the status is of another cluster: UID {}, not {uid}", status.uid),
            "the UID of this cluster's kube-system: was the status restored from a backup?",
        ));
    }
    if let Some(other) = regions.iter().find(|region| **region != status.region) {
        return Ok(fail(
            format!("Shuttle was told region {:?}, and nodes are in {other}", status.region),
            "the nodes' region as the parameter `region`",
        ));
    }
    for (key, value, parameter) in [
        (&shuttle.cluster_id_label, &status.cluster_id, "cluster-id"),
        (&shuttle.region_label, &status.region, "region"),
    ] {
        let others = labelled_otherwise(subject, pods, key, value);
        if let Some((first, found)) = others.first() {
            return Ok(fail(
                format!(
                    "{} with another {key} than {value:?}: {} ({found:?})",
                    count(others.len(), "pod"),
                    names(others.iter().map(|(pod, _)| format!("{}/{}", pod.namespace, pod.name)))
                ),
                &format!(
                    "the parameter `{parameter}` on every pod that carries {key}: Shuttle corrects what it manages"
                ),
            )
            .objects([object("Pod", &first.namespace, &first.name)]));
        }
    }
    if regions.is_empty() {
        return Ok(Outcome::warn(format!(
            "no node says in which region it is, so {:?} cannot be compared",
            status.region
        ))
        .expected("label topology.kubernetes.io/region on the nodes"));
    }
    Ok(Outcome::pass(format!("{} in {}", status.cluster_id, status.region)))
}

/// The pods that carry that key with another value.
fn labelled_otherwise<'a>(
    subject: Subject<'_>,
    pods: &'a [Pod],
    key: &LabelKey,
    value: &str,
) -> Vec<(&'a Pod, &'a str)> {
    let position = subject
        .evidence
        .label_keys
        .iter()
        .position(|known| known == key.as_str());
    let label = |pod: &'a Pod| pod.labels.get(position?)?.as_deref();
    pods.iter()
        .filter_map(|pod| Some((pod, label(pod)?)))
        .filter(|(_, found)| *found != value)
        .collect()
}
