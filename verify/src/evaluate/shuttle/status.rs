//! Step 5, second half: what Shuttle proved. Only its status is read, so that the agent judges its own by the same checks.

use crate::evaluate::age::{age, is_older, milliseconds, now, words};
use crate::evaluate::cluster::no_such_api;
use crate::evaluate::fix::{Advice, cluster_object, count, fix, in_clone, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{STATUS_CONFIG_MAP, STATUS_VERSION, ShuttleStatus, Source, StatusRead};
use crate::report::ObjectReference;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;

/// SF504.
pub(in crate::evaluate) fn fresh(subject: Subject<'_>) -> Judge {
    let StatusRead { status, stored } = read(subject)?;
    if status.api_version != STATUS_VERSION {
        return Ok(Outcome::undetermined(format!(
            "the status is of {}; this version reads {STATUS_VERSION}",
            status.api_version
        ))
        .lasting());
    }
    let now = now(subject, Source::ShuttleStatus)?;
    let Some(stored) = *stored else {
        return Ok(
            Outcome::undetermined("the API server does not say when the status was stored")
                .expected("an entry of metadata.managedFields with the time of its last write"),
        );
    };
    let limit = subject.contract.thresholds.status_age;
    let observed = format!("{}, written {} ago by {}", status.phase, age(now, stored), status.pod);
    if is_older(stored, now, limit) {
        return Ok(Outcome::fail(observed)
            .expected(format!(
                "a status that is at most {} old: its leader writes it every minute",
                words(limit)
            ))
            .objects([status_object(subject)])
            .fix(look_at_agent(subject)));
    }
    Ok(Outcome::pass(observed))
}

/// SF505.
pub(in crate::evaluate) fn canary_proven(subject: Subject<'_>) -> Judge {
    let status = &read(subject)?.status;
    let canary = &status.canary;
    let pod = format!("pod {}", canary.pod);
    let keys = subject.contract.label_keys();
    let broken = |observed: String, expected: &str| {
        Ok(Outcome::fail(observed)
            .expected(expected)
            .objects([status_object(subject)])
            .fix(look_at_agent(subject)))
    };
    let Some(observed) = canary.observed.filter(|_| !canary.uid.is_empty()) else {
        return broken(
            format!("Shuttle has not looked for its own pod's row yet ({})", status.phase),
            "a pod of Shuttle's whose labels came back on its row",
        );
    };
    if canary.labelled.is_none() {
        return broken(
            format!("{pod} has not got its labels yet"),
            "the contract's labels on Shuttle's own pod",
        );
    }
    if !canary.row {
        return broken(
            format!("no row of kube_pod_labels is of {pod} with UID {}", canary.uid),
            "a row of kube_pod_labels under the pod's own UID",
        );
    }
    if !canary.missing.is_empty() {
        return broken(
            format!(
                "the row of {pod} does not show {} of {}: {}",
                canary.missing.len(),
                count(keys.len(), "label"),
                names(&canary.missing)
            ),
            "every label of the contract on the row, with the pod's own value",
        );
    }
    let limit = milliseconds(canary.metrics_age_limit_ms);
    let Some(age_ms) = canary.metrics_age_ms else {
        return broken(
            format!("{pod} has no PodMetrics"),
            "fresh PodMetrics of Shuttle's own pod",
        );
    };
    if age_ms > canary.metrics_age_limit_ms {
        let age = milliseconds(age_ms);
        return broken(
            format!("the PodMetrics of {pod} are {} old", whole(age)),
            &format!("PodMetrics that are at most {} old", whole(limit)),
        );
    }
    if let Some(stale) = stale(subject, status, observed, "Shuttle looked for its own pod's row") {
        return Ok(stale);
    }
    let lag = canary
        .lag_ms
        .map_or_else(String::new, |lag| format!(", {lag} ms after it got its labels"));
    Ok(Outcome::pass(format!("{pod} on kube_pod_labels{lag}")))
}

/// SF506.
pub(in crate::evaluate) fn join_proven(subject: Subject<'_>) -> Judge {
    let status = &read(subject)?.status;
    let join = &status.join;
    let nodes = subject.evidence.nodes.or_else(|| no_such_api("/api/v1/nodes"))?;
    if nodes.is_empty() {
        return Ok(Outcome::undetermined(
            "the cluster has no node, and Shuttle runs on one",
        ));
    }
    let now = now(subject, Source::Nodes)?;
    let expected = "every Ready node's cAdvisor metrics, joined with kube_pod_labels on (namespace, pod)";
    let broken = |observed: String, objects: Vec<ObjectReference>| {
        Ok(Outcome::fail(observed)
            .expected(expected)
            .objects(objects)
            .fix(look_at_agent(subject)))
    };
    if let Some(first) = join.failed.first() {
        let failed = usize::try_from(join.failed_nodes)
            .unwrap_or(usize::MAX)
            .max(join.failed.len());
        return broken(
            format!(
                "{} whose container metrics do not join: {} ({}: {})",
                count(failed, "node"),
                names(join.failed.iter().map(|failed| &failed.node)),
                first.node,
                first.problem
            ),
            join.failed
                .iter()
                .map(|failed| cluster_object("Node", &failed.node))
                .collect(),
        );
    }
    if join.failed_nodes > 0 {
        let failed = usize::try_from(join.failed_nodes).unwrap_or(usize::MAX);
        return broken(
            format!("{} whose container metrics do not join", count(failed, "node")),
            Vec::new(),
        );
    }
    let joined: HashSet<&str> = join.joined.iter().map(String::as_str).collect();
    let Some(oldest) = join.oldest.filter(|_| join.complete && !joined.is_empty()) else {
        return broken(
            format!(
                "Shuttle has not read every kubelet yet: {} of {}",
                joined.len(),
                count(nodes.len(), "node")
            ),
            Vec::new(),
        );
    };
    // A node that was just added gets its turn in the next pass.
    let grace = subject.contract.cluster.node_ready_grace;
    let left_out: Vec<_> = (nodes.iter())
        .filter(|node| node.is_settled(now, grace) && !joined.contains(node.name.as_str()))
        .collect();
    if !left_out.is_empty() {
        return broken(
            format!(
                "{} that Shuttle has not read: {}",
                count(left_out.len(), "Ready node"),
                names(left_out.iter().map(|node| &node.name))
            ),
            left_out.iter().map(|node| cluster_object("Node", &node.name)).collect(),
        );
    }
    if join.pods == 0 {
        return broken("the kubelets showed no pod at all".to_owned(), Vec::new());
    }
    if let Some(stale) = stale(subject, status, oldest, "one of the nodes was read") {
        return Ok(stale);
    }
    let pods = usize::try_from(join.pods).unwrap_or(usize::MAX);
    Ok(Outcome::pass(format!(
        "{} on {}",
        count(pods, "pod"),
        count(joined.len(), "node")
    )))
}

/// The status; where there is none, no agent leads.
pub(in crate::evaluate) fn read(subject: Subject<'_>) -> Result<&StatusRead, Box<Outcome>> {
    subject.evidence.shuttle.status.or_else(|| {
        let namespace = &subject.contract.components.shuttle.namespace;
        Outcome::fail(format!("no ConfigMap {STATUS_CONFIG_MAP} in namespace {namespace}"))
            .expected("the status that Shuttle's leader writes")
            .objects([status_object(subject)])
            .fix(install(subject))
    })
}

/// What to type where Shuttle is not there.
pub(in crate::evaluate) fn install(subject: Subject<'_>) -> Advice {
    fix(
        "install Shuttle",
        [subject.kubectl(["apply", "--filename", &in_clone("../shuttle/")])],
    )
}

/// What to look at where the agent's leader says that something is wrong, or nothing any more.
pub(in crate::evaluate) fn look_at_agent(subject: Subject<'_>) -> Advice {
    let shuttle = &subject.contract.components.shuttle;
    let deployment = format!("deployment/{}", shuttle.agent.workload);
    fix(
        "see what the agent says of it",
        [
            subject.kubectl(["--namespace", &shuttle.namespace, "get", "pods", "--output", "wide"]),
            subject.kubectl([
                "--namespace",
                &shuttle.namespace,
                "logs",
                &deployment,
                "--all-pods",
                "--tail",
                "50",
            ]),
        ],
    )
}

/// What to type where Shuttle was given other parameters than this cluster's. The Secret itself is never read.
pub(in crate::evaluate) fn parameters(subject: Subject<'_>, cluster_id: &str, region: &str, summary: &str) -> Advice {
    let create = subject.kubectl([
        "--namespace",
        &subject.contract.components.shuttle.namespace,
        "create",
        "secret",
        "generic",
        "shuttle",
        &format!("--from-literal=cluster-id={cluster_id}"),
        &format!("--from-literal=region={region}"),
        "--from-file=token=TOKEN_FILE",
        "--dry-run=client",
        "--output=yaml",
    ]);
    let apply = subject.kubectl(["apply", "--filename", "-"]);
    fix(summary, [create.piped_into(&apply)])
}

pub(in crate::evaluate) fn status_object(subject: Subject<'_>) -> ObjectReference {
    object(
        "ConfigMap",
        &subject.contract.components.shuttle.namespace,
        STATUS_CONFIG_MAP,
    )
}

/// A proof that was made too long before the status was written. Both times are the agent's.
fn stale(subject: Subject<'_>, status: &ShuttleStatus, proved: Timestamp, what: &str) -> Option<Outcome> {
    let limit = subject.contract.thresholds.proof_age;
    let ago = status.written.duration_since(proved);
    is_older(proved, status.written, limit).then(|| {
        Outcome::fail(format!("{what} {} before the status was written", whole(ago)))
            .expected(format!("a proof that is at most {} old", words(limit)))
            .objects([status_object(subject)])
            .fix(look_at_agent(subject))
    })
}

/// A duration without its fraction of a second.
fn whole(duration: SignedDuration) -> String {
    words(SignedDuration::from_secs(duration.as_secs()))
}
