//! The region: what its checks have in common.

pub(super) mod jobs;
pub(super) mod log_aggregator;
pub(super) mod log_store;
pub(super) mod metrics_store;
pub(super) mod recorded_join;
pub(super) mod terraform;

use super::age::{now, words};
use super::cluster::no_such_api;
use super::fix::{Advice, Command, fix};
use super::outcome::Outcome;
use super::subject::Subject;
use crate::contract::RegionTerms;
use crate::evidence::{Asked, Observed, Source, StoreCluster};
use crate::report::ObjectReference;
use jiff::SignedDuration;

/// What asks the stores, and what gives Terraform's document.
const STORES: &str = "--stores FILE";
const TERRAFORM: &str = "--terraform FILE";

/// What a store answered.
pub(super) fn asked<T>(read: &Observed<Asked<T>>) -> Result<&T, Box<Outcome>> {
    answered(read, || {
        Outcome::not_asked("the stores were not asked: --stores FILE asks them", STORES)
    })
}

/// What Terraform says.
pub(super) fn given<T>(read: &Observed<Asked<T>>) -> Result<&T, Box<Outcome>> {
    answered(read, || {
        let observed = "Terraform's document was not given: --terraform FILE is what `terraform show -json` prints";
        Outcome::not_asked(observed, TERRAFORM)
    })
}

fn answered<T>(read: &Observed<Asked<T>>, not_asked: impl FnOnce() -> Outcome) -> Result<&T, Box<Outcome>> {
    let read = read.or_else(|| {
        Outcome::undetermined("Shuttle has written no status, so that it is not known whose data to look for")
            .expected("Shuttle's status (SF504), or `cluster.id` in the stores file")
    })?;
    match read {
        Asked::Answered(answer) => Ok(answer),
        Asked::NotAsked => not_asked().early(),
    }
}

/// Ends a judgement of what a cluster that was taken down no longer does.
pub(super) fn unless_ended(cluster: &StoreCluster) -> Result<(), Box<Outcome>> {
    if cluster.ended {
        return Outcome::not_applicable(format!("{} was taken down: nothing new is expected of it", cluster.id))
            .early();
    }
    Ok(())
}

/// Ends a judgement that rests on nothing newer than `age_ms` where the cluster is younger: what the store has then is of
/// an earlier cluster of the same ID, whose last samples count as current for some minutes. A cluster is as old as its
/// oldest node, at the least.
pub(super) fn unless_of_a_predecessor(
    subject: Subject<'_>,
    cluster: &StoreCluster,
    age_ms: i64,
) -> Result<(), Box<Outcome>> {
    // The stores file names it: its nodes were not asked for.
    if cluster.region.is_none() {
        return Ok(());
    }
    let nodes = subject.evidence.nodes.or_else(|| no_such_api("/api/v1/nodes"))?;
    let now = now(subject, Source::Nodes)?;
    let Some(oldest) = nodes.iter().filter_map(|node| node.created).min() else {
        return Outcome::undetermined("no node tells how old the cluster is, and so whether what arrived is its own")
            .early();
    };
    if is_above(age_ms, now.duration_since(oldest)) {
        return Outcome::undetermined(format!(
            "the newest of {} is {} old, and of its nodes none is: another cluster of that ID may have sent it",
            cluster.id,
            ago(age_ms)
        ))
        .expected("a sample of this cluster's own")
        .early();
    }
    Ok(())
}

/// An age in words, to the second.
pub(super) fn ago(milliseconds: i64) -> String {
    words(SignedDuration::from_secs(milliseconds / 1000))
}

/// Whether an age is above a limit.
pub(super) fn is_above(milliseconds: i64, limit: SignedDuration) -> bool {
    SignedDuration::from_millis(milliseconds) > limit
}

/// Part of a whole.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share of counts; what is lost is far below any threshold"
)]
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A count as large as memory.
pub(super) fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// A thing of the region, as reports name it.
pub(super) fn region_object(kind: &str, name: &str) -> ObjectReference {
    super::fix::cluster_object(kind, name)
}

// === impl Subject ===

impl<'a> Subject<'a> {
    pub(super) fn region_terms(self) -> &'a RegionTerms {
        &self.contract.components.region
    }

    /// To look at a collector's own words: what does not arrive was not sent, or was refused.
    pub(super) fn look_at_collector(self, release: &str, workload: &str, summary: &str) -> Advice {
        let namespace = self.contract.release(release).map(|release| release.namespace.as_str());
        let mut arguments = Vec::new();
        if let Some(namespace) = namespace {
            arguments.extend(["--namespace", namespace]);
        }
        arguments.extend(["logs", workload, "--all-pods", "--tail", "50"]);
        fix(summary, [self.kubectl(arguments)])
    }
}

/// To ask VictoriaMetrics by hand; `curl` asks for the password.
pub(super) fn ask_metrics(url: &str, query: &str, summary: &str) -> Advice {
    let query = format!("query={query}");
    by_curl(&[&format!("{url}/api/v1/query"), "--data-urlencode", &query], summary)
}

/// To ask ClickHouse by hand; `curl` asks for the password.
pub(super) fn ask_logs(url: &str, statement: &str, summary: &str) -> Advice {
    let query = format!("query={statement}");
    by_curl(&[&format!("{url}/"), "--data-urlencode", &query], summary)
}

fn by_curl(arguments: &[&str], summary: &str) -> Advice {
    let mut words = vec!["curl", "--user", "reader", "--cacert", "ca.crt", "--get"];
    words.extend(arguments);
    fix(summary, [Command::that_looks(shell_words::join(words))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_that_is_the_limit_is_not_above_it() {
        let limit = SignedDuration::from_mins(5);
        assert!(!is_above(300_000, limit));
        assert!(is_above(300_001, limit));
    }
}
