//! Helm's releases of the whole contract, added to evidence that was recorded without them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use starform_verify::contract::{Contract, Release};
use starform_verify::evidence::{Evidence, HelmContent, HelmHistory, HelmRelease, Observed, Source, Timing};
use starform_verify::values::Paths;

/// Adds them: each deployed an hour ago, one minute after the one before it.
pub fn install(evidence: &mut Evidence) {
    let contract = Contract::embedded().unwrap();
    let ended = evidence.timings[&Source::Nodes].ended_ms;
    let (started_ms, ended_ms) = (0, ended);
    evidence
        .timings
        .insert(Source::HelmReleases, Timing { started_ms, ended_ms });
    let begun = evidence.now(Source::Nodes).unwrap() - SignedDuration::from_hours(1);
    let releases = contract.steps.iter().flat_map(|step| &step.releases);
    let releases = (0..).zip(releases).map(|(minutes, release)| {
        let deployed = begun + SignedDuration::from_mins(minutes);
        self::release(release, &values(release), deployed)
    });
    evidence.releases = Observed::Seen(releases.collect());
}

/// A release as Helm keeps it after one install with these values.
#[must_use]
pub fn release(release: &Release, values: &Value, deployed: Timestamp) -> HelmRelease {
    HelmRelease {
        name: release.name.clone(),
        history: Observed::Seen(HelmHistory {
            namespace: release.namespace.clone(),
            revision: 1,
            secret: format!("sh.helm.release.v1.{}.v1", release.name),
            status: "deployed".to_owned(),
            stored: Some(deployed),
            earlier: None,
            content: Observed::Seen(HelmContent {
                cannot_change: None,
                chart: release.chart_name().to_owned(),
                version: release.version.clone(),
                app_version: None,
                first_deployed: Some(deployed),
                last_deployed: Some(deployed),
                values: Paths::of(release).read(values).unwrap(),
            }),
        }),
    }
}

/// What Helm is given for a release.
#[must_use]
pub fn values(release: &Release) -> Value {
    match release.name.as_str() {
        "kube-state-metrics" => json!({
            "prometheusScrape": false,
            "metricLabelsAllowlist": ["pods=[starform.io/cluster-id,starform.io/region,starform.io/project,starform.io/app,starform.io/deployment]"],
        }),
        "envoy-gateway" => json!({"crds": {"enabled": false}}),
        "fluent-bit" => json!({
            "cluster": {"name": "testbed"}, "tolerations": [{"operator": "Exists"}],
            "config": {"service": "storage.path /x", "inputs": "DB /x\nstorage.type filesystem",
                "outputs": "Retry_Limit no_limits\nstorage.total_limit_size 2G"},
        }),
        "vmagent" => json!({
            "mode": "statefulSet", "persistentVolume": {"enabled": true}, "cluster": {"name": "testbed"},
            "remoteWrite": [{"maxDiskUsagePerURL": "8GiB"}], "extraArgs": {"promscrape.maxScrapeSize": "268435456"},
            "config": {"scrape_configs": [{"job_name": "kube-state-metrics", "honor_labels": true}]},
        }),
        "k8s-monitoring" => json!({
            "cluster": {"name": "testbed"}, "destinations": {"cloud": {"auth": {"passwordFrom": "x"}}},
            "clusterMetrics": {"kube-state-metrics": {"metricsTuning": {"includeMetrics": ["kube_pod_labels"]}}},
        }),
        _ => json!({}),
    }
}
