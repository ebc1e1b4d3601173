//! What the region's VictoriaMetrics holds of the cluster, and what the region's jobs told it.

use super::Region;
use super::vector::{self, Facts, milliseconds, whole};
use super::{Obstacle, promql};
use crate::collect::status::bounded;
use crate::collect::stores::Store;
use crate::evidence::{
    ClusterSeries, JobReport, KubeletSeries, MetricsStore, RecordedJoin, RecordedSeries, RegionJobs, RegionRows,
    RegionSample, SnapshotReport, StoreQuestion,
};
use std::collections::BTreeMap;

/// How many foreign IDs are evidence: one is enough to look.
const FOREIGN: usize = 10;

/// Asks. Three queries at once.
pub(super) async fn ask(region: Region<'_>, store: &Store, asked: StoreQuestion) -> Result<MetricsStore, Obstacle> {
    let (contract, timeout) = (region.contract, region.request_timeout);
    let queries = (
        promql::series(contract, &asked.cluster),
        promql::join(contract, &asked.cluster),
        promql::jobs(&asked.region),
    );
    // All to their end: which of several failures is told must not depend on which came first.
    let (series, join, jobs) = tokio::join!(
        vector::ask(store, &queries.0, "the cluster's series", timeout),
        vector::ask(store, &queries.1, "the recorded join", timeout),
        vector::ask(store, &queries.2, "the region's jobs", timeout),
    );
    Ok(MetricsStore {
        series: cluster_series(&series?)?,
        join: recorded_join(&join?)?,
        jobs: region_jobs(&jobs?)?,
        asked,
    })
}

fn cluster_series(facts: &Facts) -> Result<ClusterSeries, Obstacle> {
    Ok(ClusterSeries {
        renamed_rows: facts.one("renamed")?,
        newest: facts
            .rows("newest", ["region"])
            .map(|([region], age)| RegionSample {
                region,
                age_ms: milliseconds(age),
            })
            .collect(),
        pod_rows: facts
            .rows("rows", ["region"])
            .map(|([region], rows)| RegionRows {
                region,
                rows: whole(rows),
            })
            .collect(),
        foreign_ids: facts
            .rows("foreign", ["id"])
            .map(|([id], _)| bounded(&id))
            .take(FOREIGN)
            .collect(),
        kubelets: facts
            .rows("kubelet", ["node", "instance"])
            .map(|([node, instance], series)| KubeletSeries {
                node,
                instance,
                series: whole(series),
            })
            .collect(),
    })
}

fn recorded_join(facts: &Facts) -> Result<RecordedJoin, Obstacle> {
    let by_series = |fact: &str| -> BTreeMap<String, f64> {
        facts
            .rows(fact, ["series"])
            .map(|([series], value)| (series, value))
            .collect()
    };
    let (rows, labelled) = (by_series("rows"), by_series("labelled"));
    let of = |counts: &BTreeMap<String, f64>, name: &str| counts.get(name).copied().map(whole).unwrap_or_default();
    Ok(RecordedJoin {
        joinable_pods: facts.one("joinable")?,
        unjoined_pods: facts.one("unjoined")?,
        series: by_series("age")
            .into_iter()
            .map(|(name, age)| RecordedSeries {
                rows: of(&rows, &name),
                labelled: of(&labelled, &name),
                age_ms: milliseconds(age),
                name,
            })
            .collect(),
    })
}

fn region_jobs(facts: &Facts) -> Result<RegionJobs, Obstacle> {
    facts.one("asked")?;
    let mut jobs: BTreeMap<[String; 2], JobReport> = BTreeMap::new();
    let report = |[droplet, job]: &[String; 2]| JobReport {
        droplet: droplet.clone(),
        job: job.clone(),
        succeeded: None,
        success_age_ms: None,
    };
    for (labels, value) in facts.rows("succeeded", ["droplet", "job_name"]) {
        let job = jobs.entry(labels).or_insert_with_key(report);
        job.succeeded = Some(whole(value) == 1);
    }
    for (labels, value) in facts.rows("success", ["droplet", "job_name"]) {
        let job = jobs.entry(labels).or_insert_with_key(report);
        job.success_age_ms = Some(milliseconds(value));
    }
    Ok(RegionJobs {
        snapshots: facts
            .rows("snapshot", ["volume"])
            .map(|([volume], age)| SnapshotReport {
                volume,
                age_ms: milliseconds(age),
            })
            .collect(),
        jobs: jobs.into_values().collect(),
    })
}
