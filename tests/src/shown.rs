//! Waits until a scenario shows itself as its story tells it, and nothing else does.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::healthy::{
    API_SERVICE, Api, NODE_METRICS, POD_METRICS, SCRAPE, SYSTEM_PODS, Verdict, all_nodes_measured, all_pods_measured,
    autoscaler_reads, column, full_name, healthy, metrics_api_available, no_pod_is_leaving, until,
};
use crate::https::Client;
use crate::network::{node_address, node_name};
use crate::paths::State;
use crate::scenarios::Scenario;
use crate::up::NODES;

const SERVICE: &str = "/api/v1/namespaces/kube-system/services/kube-state-metrics";

/// Until it shows; the parts of the cluster that the scenario does not concern are as in a healthy one.
pub(crate) fn wait(state: &State, scenario: Scenario) -> Result<()> {
    until(state, &scenario.name(), 180, |api| {
        let shown = match scenario {
            Scenario::Healthy => return healthy(api),
            Scenario::MetricsServerAbsent => gone(api, API_SERVICE),
            Scenario::MetricsServerScaledToZero => unavailable(api, "MissingEndpoints"),
            Scenario::ApiServicePointsAtNothing => unavailable(api, "ServiceNotFound"),
            Scenario::KubeletCertificateRefused => one_node_missing(api),
            Scenario::MetricsServerNodeMetricsOnly => no_pods(api),
            Scenario::KubeStateMetricsAbsent => gone(api, SERVICE),
            Scenario::KubeStateMetricsWildcard => rows(api, true, &[]),
            Scenario::AllowlistMissing => rows(api, false, &[]),
            Scenario::AllowlistLacksOneKey => rows(
                api,
                true,
                &["starform.io/app", "starform.io/cluster-id", "starform.io/region"],
            ),
            Scenario::ShardDown => one_shard(api),
            Scenario::KubeStateMetricsHangs => hangs(state),
        }?;
        if shown.is_err() {
            return Ok(shown);
        }
        if let Err(reason) = no_pod_is_leaving(api)? {
            return Ok(Err(reason));
        }
        if scenario.concerns_kube_state_metrics() {
            match all_pods_measured(api)? {
                Ok(()) => autoscaler_reads(api),
                not_yet => Ok(not_yet),
            }
        } else {
            Ok(Ok(()))
        }
    })
}

impl Scenario {
    fn concerns_kube_state_metrics(self) -> bool {
        matches!(
            self,
            Self::KubeStateMetricsAbsent
                | Self::KubeStateMetricsWildcard
                | Self::AllowlistMissing
                | Self::AllowlistLacksOneKey
                | Self::ShardDown
                | Self::KubeStateMetricsHangs
        )
    }
}

fn gone(api: &mut Api, path: &str) -> Result<Verdict> {
    Ok(match api.object(path)? {
        Err(404) => Ok(()),
        Err(status) => Err(format!("{path}: HTTP {status}")),
        Ok(_) => Err(format!("{path} is there")),
    })
}

fn unavailable(api: &mut Api, reason: &str) -> Result<Verdict> {
    let object = api.object(API_SERVICE)?.unwrap_or_default();
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let broken = |condition: &Value| condition["status"] == "False" && condition["reason"] == reason;
    Ok(if conditions.iter().any(broken) {
        Ok(())
    } else {
        Err(format!("the APIService has {conditions:?}"))
    })
}

/// Until the last node's kubelet really serves what the authority has not issued: it reads its files on its own time.
pub(crate) fn wait_for_refusal(state: &State) -> Result<()> {
    let kubelet = format!("{}:10250", node_address(NODES)).parse()?;
    until(state, "the kubelet's new certificate", 90, |_| {
        Ok(match Client::new(state, kubelet, None)?.get("/healthz") {
            Ok(_) => Err("the kubelet's certificate is still accepted".to_owned()),
            Err(error) if format!("{error:#}").contains("certificate") => Ok(()),
            Err(error) => Err(format!("{error:#}")),
        })
    })
}

fn one_node_missing(api: &mut Api) -> Result<Verdict> {
    if let Err(reason) = metrics_api_available(api)? {
        return Ok(Err(reason));
    }
    let refused = node_name(NODES);
    let nodes = api.names(NODE_METRICS)?;
    if nodes.is_empty() || nodes.iter().any(|name| name.ends_with(&refused)) {
        return Ok(Err(format!("node metrics of {nodes:?}")));
    }
    // The other node's pods are all there.
    let running = "/api/v1/pods?fieldSelector=status.phase%3DRunning%2Cspec.nodeName%3D";
    let measured = api.names(POD_METRICS)?;
    let wanted = api.names(&format!("{running}{}", node_name(1)))?;
    let missing: Vec<_> = wanted.difference(&measured).collect();
    Ok(if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("no pod metrics of {missing:?}"))
    })
}

fn no_pods(api: &mut Api) -> Result<Verdict> {
    for question in [metrics_api_available, all_nodes_measured] {
        if let Err(reason) = question(api)? {
            return Ok(Err(reason));
        }
    }
    let pods = api.names(POD_METRICS)?;
    Ok(if pods.is_empty() {
        Ok(())
    } else {
        Err(format!("pod metrics of {pods:?}"))
    })
}

/// Whether there are rows of `kube_pod_labels`, and whether those of the sample workload carry these labels only.
fn rows(api: &mut Api, any: bool, keys: &[&str]) -> Result<Verdict> {
    let (status, text) = api.text(SCRAPE)?;
    if status != 200 {
        return Ok(Err(format!("kube-state-metrics through its Service: HTTP {status}")));
    }
    let rows: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("kube_pod_labels{namespace=\"shop\""))
        .collect();
    let carries = |row: &&&str| keys.iter().all(|key| row.contains(&format!("{}=\"", column(key))));
    let full = |row: &&&str| row.contains(&format!("{}=\"", column("starform.io/project")));
    let as_told = rows.is_empty() != any && rows.iter().all(|row| carries(&row)) && !rows.iter().any(|row| full(&row));
    Ok(if as_told {
        Ok(())
    } else {
        Err(format!("kube_pod_labels has for the sample workload: {rows:?}"))
    })
}

fn one_shard(api: &mut Api) -> Result<Verdict> {
    let pods = api.items(&format!(
        "{SYSTEM_PODS}?labelSelector=app.kubernetes.io%2Fname%3Dkube-state-metrics"
    ))?;
    let pending = |pod: &&Value| {
        pod["status"]["phase"] == "Pending" && pod["status"]["conditions"][0]["reason"] == "Unschedulable"
    };
    let told: Vec<_> = pods
        .iter()
        .map(|pod| (full_name(pod), pod["status"]["phase"].to_string()))
        .collect();
    let as_told = pods.len() == 2 && pods.iter().filter(pending).count() == 1;
    Ok(if as_told {
        Ok(())
    } else {
        Err(format!("the shards are {told:?}"))
    })
}

/// A request of our own with little patience: the API server would wait for its own time limit.
fn hangs(state: &State) -> Result<Verdict> {
    let answer = Client::api_server(state)?.patience(Duration::from_secs(2)).get(SCRAPE);
    let Err(error) = answer else {
        return Ok(Err("kube-state-metrics answers".to_owned()));
    };
    let timed_out = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| {
            matches!(
                cause.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
            )
        });
    Ok(if timed_out { Ok(()) } else { Err(format!("{error:#}")) })
}
