//! Step 3: which contract labels `kube_pod_labels` shows, by its rows: for where the allow-list itself is not known.

use super::pod_label_rows::{pods, rows, shards};
use crate::evaluate::fix::{count, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Pod, PodRow};
use std::collections::HashMap;

/// Judges by the rows of the pods that carry the labels. A label that no such pod carries may be shown or not.
pub(in crate::evaluate) fn judge(subject: Subject<'_>, why: &str) -> Judge {
    let pods = pods(subject)?;
    let shards = shards(subject)?;
    let by_uid: HashMap<&str, &PodRow> = rows(&shards).map(|row| (&*row.uid, row)).collect();
    let carrying: Vec<(&Pod, &PodRow)> = pods
        .iter()
        .filter_map(|pod| Some((pod, *by_uid.get(&*pod.uid)?)))
        .collect();
    let mut lost: Vec<(&str, &Pod)> = Vec::new();
    let mut unproven: Vec<&str> = Vec::new();
    for (position, key) in subject.evidence.label_keys.iter().enumerate() {
        let mut carriers = carrying
            .iter()
            .filter(|(pod, _)| pod.labels.get(position).is_some_and(Option::is_some));
        let shows = |(pod, row): &(&Pod, &PodRow)| pod.labels.get(position) == row.labels.get(position);
        match carriers.clone().next() {
            None => unproven.push(key),
            Some((first, _)) if !carriers.any(shows) => lost.push((key, first)),
            Some(_) => {}
        }
    }
    let labels = subject.evidence.label_keys.len();
    if !lost.is_empty() {
        let lacking = names(lost.iter().map(|(key, _)| key));
        let carriers = lost.iter().map(|(_, pod)| object("Pod", &pod.namespace, &pod.name));
        return Ok(
            Outcome::fail(format!("{lacking} on no row of a pod that carries it; {why}"))
                .expected("every contract label on the rows of the pods that carry it")
                .objects(carriers),
        );
    }
    if labels == 0 || !unproven.is_empty() {
        return Ok(
            Outcome::undetermined(format!("{why}; no pod with a row carries {}", names(&unproven)))
                .expected("rows that show it: Shuttle, installed in step 5, labels a pod of its own"),
        );
    }
    Ok(Outcome::pass(format!("{}, by the rows: {why}", count(labels, "label"))))
}
