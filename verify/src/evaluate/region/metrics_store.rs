//! The region's VictoriaMetrics: what it holds of the cluster.

use super::{ago, ask_metrics, asked, is_above, number, region_object, unless_ended, unless_of_a_predecessor};
use crate::evaluate::cluster::no_such_api;
use crate::evaluate::fix::{Advice, cluster_object, count, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{KubeletSeries, MetricsStore, Node, Source, StoreQuestion};
use crate::report::ObjectReference;

/// SF701.
pub(in crate::evaluate) fn answers(subject: Subject<'_>) -> Judge {
    let store = asked(&subject.evidence.region.metrics_store)?;
    Ok(Outcome::pass(format!("{} answers", store.asked.url)))
}

/// SF702.
pub(in crate::evaluate) fn series_arrive(subject: Subject<'_>) -> Judge {
    let store = asked(&subject.evidence.region.metrics_store)?;
    let terms = subject.region_terms();
    let StoreQuestion { url, region, cluster } = &store.asked;
    let id = &cluster.id;
    let look = || {
        let query = format!("time() - max by (region) (tlast_over_time(up{{cluster=\"{id}\"}}[1d]))");
        ask_metrics(
            url,
            &query,
            "see how old the newest sample of the cluster is, and under which region",
        )
    };
    if let Some(other) = cluster.region.as_ref().filter(|other| *other != region) {
        return Ok(
            Outcome::fail(format!("{id} is in {other:?}, and the stores file is {region:?}'s"))
                .expected("the stores of the cluster's own region")
                .objects([object(store)])
                .lasting(),
        );
    }
    let own = store.series.newest.iter().find(|sample| &sample.region == region);
    let others = names(store.series.newest.iter().map(|sample| format!("{:?}", sample.region)));
    let Some(newest) = own else {
        let history = crate::evaluate::age::words(if cluster.ended {
            terms.ended_history
        } else {
            terms.history
        });
        let observed = if others.is_empty() {
            format!("no sample of {id} within {history}")
        } else {
            format!("no sample of {id} with region {region:?}, but with {others}")
        };
        let fix = if cluster.ended {
            look()
        } else {
            look_at_vmagent(subject)
        };
        return Ok(Outcome::fail(observed)
            .expected(format!(
                "`up` of every target, with cluster {id:?} and region {region:?}"
            ))
            .objects([object(store)])
            .fix(fix));
    };
    let is_fresh = !is_above(newest.age_ms, terms.freshness);
    let age = ago(newest.age_ms);
    if is_above(newest.age_ms.saturating_neg(), terms.freshness) {
        return Ok(Outcome::undetermined(format!(
            "the newest sample of {id} is {} in the store's future",
            ago(newest.age_ms.saturating_neg())
        ))
        .expected("clocks of cluster and store that agree"));
    }
    match (cluster.ended, is_fresh) {
        (false, true) => {
            unless_of_a_predecessor(subject, cluster, newest.age_ms)?;
            Ok(Outcome::pass(format!("the newest sample of {id} is {age} old")))
        }
        (false, false) => Ok(Outcome::fail(format!("the newest sample of {id} is {age} old"))
            .expected(format!("one within {}", crate::evaluate::age::words(terms.freshness)))
            .objects([object(store)])
            .fix(look_at_vmagent(subject))),
        (true, false) => Ok(Outcome::pass(format!(
            "{id} was taken down; its newest sample, {age} old, is still there"
        ))),
        (true, true) => Ok(Outcome::warn(format!(
            "{id} is said to have been taken down, and sent a sample {age} ago"
        ))
        .expected("`cluster.ended: true` in the stores file only of a cluster that is gone")
        .objects([object(store)])
        .fix(look())),
    }
}

/// SF703.
pub(in crate::evaluate) fn kubelets_arrive(subject: Subject<'_>) -> Judge {
    let store = asked(&subject.evidence.region.metrics_store)?;
    let StoreQuestion { cluster, .. } = &store.asked;
    unless_ended(cluster)?;
    let kubelets = &store.series.kubelets;
    let fail = |observed: String, objects: Vec<ObjectReference>| {
        Outcome::fail(observed)
            .expected("container_memory_working_set_bytes of every Ready node, by label `node` or `instance`")
            .objects(objects)
            .fix(look_at_vmagent(subject))
    };
    if kubelets.is_empty() {
        return Ok(fail(
            format!("no container metrics of {}", cluster.id),
            vec![object(store)],
        ));
    }
    if cluster.region.is_none() {
        return Ok(Outcome::not_applicable(format!(
            "the stores file names the cluster, so that its nodes are not known; {} sent container metrics",
            count(kubelets.len(), "kubelet")
        )));
    }
    let nodes = subject.evidence.nodes.or_else(|| no_such_api("/api/v1/nodes"))?;
    let now = crate::evaluate::age::now(subject, Source::Nodes)?;
    let grace = subject.contract.cluster.node_ready_grace;
    // Younger ones had no time for a scrape, a batch, and a query behind it.
    let is_expected = |node: &&Node| node.is_settled(now, grace);
    let expected: Vec<&Node> = nodes.iter().filter(is_expected).collect();
    if expected.is_empty() {
        return Ok(Outcome::not_applicable(
            "no node has been Ready for long enough to have sent anything",
        ));
    }
    let missing: Vec<&Node> = expected
        .iter()
        .copied()
        .filter(|node| !kubelets.iter().any(|kubelet| is_of(kubelet, node)))
        .collect();
    if missing.is_empty() {
        return Ok(Outcome::pass(format!(
            "{} of {}",
            count(expected.len(), "kubelet"),
            cluster.id
        )));
    }
    Ok(fail(
        format!(
            "{} of {} without container metrics in the store: {}",
            missing.len(),
            count(expected.len(), "Ready node"),
            names(missing.iter().map(|node| &node.name))
        ),
        missing.iter().map(|node| cluster_object("Node", &node.name)).collect(),
    ))
}

/// SF704.
pub(in crate::evaluate) fn pod_labels_arrive(subject: Subject<'_>) -> Judge {
    let store = asked(&subject.evidence.region.metrics_store)?;
    let StoreQuestion { url, cluster, .. } = &store.asked;
    unless_ended(cluster)?;
    let rows: u64 = store.series.pod_rows.iter().map(|rows| rows.rows).sum();
    if rows == 0 {
        return Ok(Outcome::fail(format!("no row of kube_pod_labels of {}", cluster.id))
            .expected("a row for every pod: vmagent scrapes kube-state-metrics")
            .objects([object(store)])
            .fix(look_at_vmagent(subject)));
    }
    let renamed = store.series.renamed_rows;
    if renamed > 0 {
        let query = format!(
            "count by (job) (kube_pod_labels{{cluster=\"{}\", exported_pod!=\"\"}})",
            cluster.id
        );
        return Ok(Outcome::fail(format!(
            "{} of {} of kube_pod_labels with label exported_pod: `pod` is kube-state-metrics' own there",
            renamed,
            count(number(rows), "row")
        ))
        .expected("honor_labels in the scrape job of kube-state-metrics")
        .objects([object(store)])
        .fix(ask_metrics(
            url,
            &query,
            "see which scrape job renames labels; in vmagent.values.yaml it lacks honor_labels",
        ))
        .lasting());
    }
    Ok(Outcome::pass(format!(
        "{} of kube_pod_labels",
        count(number(rows), "row")
    )))
}

/// SF706.
pub(in crate::evaluate) fn identity_agrees(subject: Subject<'_>) -> Judge {
    let store = asked(&subject.evidence.region.metrics_store)?;
    let StoreQuestion { url, region, cluster } = &store.asked;
    unless_ended(cluster)?;
    let id = &cluster.id;
    let key = &subject.contract.components.shuttle.cluster_id_label;
    let fail = |observed: String, expected: String| {
        let query = format!(
            "count by (region, {}) (kube_pod_labels{{cluster=\"{id}\"}})",
            key.column()
        );
        Outcome::fail(observed)
            .expected(expected)
            .objects([object(store)])
            .fix(ask_metrics(url, &query, "see who else sends as this cluster"))
            .lasting()
    };
    let foreign = &store.series.foreign_ids;
    if !foreign.is_empty() {
        return Ok(fail(
            format!(
                "series with cluster {id:?} are of pods that carry {key} {}",
                names(foreign)
            ),
            format!("vmagent's label `cluster` and the pods' label {key} of one cluster"),
        ));
    }
    let freshness = subject.region_terms().freshness;
    let fresh = store
        .series
        .newest
        .iter()
        .filter(|sample| !is_above(sample.age_ms, freshness));
    let fresh = fresh.map(|sample| sample.region.as_str());
    let rows = store.series.pod_rows.iter().map(|rows| rows.region.as_str());
    if let Some(other) = fresh.chain(rows).find(|other| other != region) {
        return Ok(fail(
            format!("series with cluster {id:?} carry region {other:?} too"),
            format!("region {region:?} on every series: else two clusters send under one ID"),
        ));
    }
    Ok(Outcome::pass(format!("cluster {id:?}, region {region:?}")))
}

/// The store, as reports name it.
pub(in crate::evaluate) fn object(store: &MetricsStore) -> ObjectReference {
    region_object("VictoriaMetrics", &store.asked.region)
}

fn look_at_vmagent(subject: Subject<'_>) -> Advice {
    subject.look_at_collector(
        "vmagent",
        "statefulset/vmagent",
        "see why vmagent does not scrape or does not deliver; SF430 and what follows it tell more",
    )
}

fn is_of(kubelet: &KubeletSeries, node: &Node) -> bool {
    let host = kubelet
        .instance
        .rsplit_once(':')
        .map_or(kubelet.instance.as_str(), |(host, _)| host);
    let host = host.trim_matches(['[', ']']);
    kubelet.series > 0 && (kubelet.node == node.name || node.address.as_deref() == Some(host) || host == node.name)
}
