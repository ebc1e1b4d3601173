//! What the testbed itself calls healthy, by plain requests to the API server: independent of the auditor that it
//! tests.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::components::LABEL_KEYS;
use crate::https::Client;
use crate::inside;
use crate::paths::State;
use crate::steps;

/// An answer to "is it so?": yes, or what stands against it.
pub(crate) type Verdict = std::result::Result<(), String>;

/// Asks the API server of a running cluster. Lives on a thread in the cluster's network.
pub(crate) struct Api {
    client: Client,
}

impl Api {
    /// The status and the body of a GET.
    pub(crate) fn text(&mut self, path: &str) -> Result<(u16, String)> {
        let answer = self.client.get(path)?;
        Ok((answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
    }

    /// The object at a path, or the HTTP status that came instead.
    pub(crate) fn object(&mut self, path: &str) -> Result<std::result::Result<Value, u16>> {
        let answer = self.client.get(path)?;
        if answer.status != 200 {
            return Ok(Err(answer.status));
        }
        Ok(Ok(
            serde_json::from_slice(&answer.body).with_context(|| format!("{path} is no JSON"))?
        ))
    }

    /// The items of a list; none if it cannot be had.
    pub(crate) fn items(&mut self, path: &str) -> Result<Vec<Value>> {
        let list = self.object(path)?.unwrap_or_default();
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }

    /// "namespace/name" of every item of a list.
    pub(crate) fn names(&mut self, path: &str) -> Result<BTreeSet<String>> {
        Ok(self.items(path)?.iter().map(full_name).collect())
    }
}

pub(crate) fn full_name(object: &Value) -> String {
    let part = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
    format!("{}/{}", part("namespace"), part("name"))
}

/// Waits in the cluster's network until the question is answered with yes.
pub(crate) fn until(
    state: &State,
    what: &str,
    seconds: u64,
    mut ask: impl FnMut(&mut Api) -> Result<Verdict> + Send,
) -> Result<()> {
    inside::within(state, || {
        let mut api = Api {
            client: Client::api_server(state)?,
        };
        steps::until(what, Duration::from_secs(seconds), || {
            // A connection that broke is made anew by the next question.
            Ok(ask(&mut api).unwrap_or_else(|error| Err(format!("{error:#}"))))
        })
    })
}

/// Whether both components answer completely.
pub(crate) fn healthy(api: &mut Api) -> Result<Verdict> {
    for question in [
        metrics_api_available,
        rolled_out,
        no_pod_is_leaving,
        all_nodes_measured,
        all_pods_measured,
        autoscaler_reads,
        labels_flow,
    ] {
        if let Err(reason) = question(api)? {
            return Ok(Err(reason));
        }
    }
    Ok(Ok(()))
}

pub(crate) const API_SERVICE: &str = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io";
pub(crate) const NODE_METRICS: &str = "/apis/metrics.k8s.io/v1beta1/nodes";
pub(crate) const POD_METRICS: &str = "/apis/metrics.k8s.io/v1beta1/pods";
/// Through the Service, as an auditor outside the cluster reads it.
pub(crate) const SCRAPE: &str =
    "/api/v1/namespaces/kube-system/services/kube-state-metrics:http/proxy/metrics?resources=pods";
pub(crate) const SYSTEM_PODS: &str = "/api/v1/namespaces/kube-system/pods";

pub(crate) fn metrics_api_available(api: &mut Api) -> Result<Verdict> {
    let object = match api.object(API_SERVICE)? {
        Ok(object) => object,
        Err(status) => return Ok(Err(format!("the APIService v1beta1.metrics.k8s.io: HTTP {status}"))),
    };
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let available = conditions.iter().find(|condition| condition["type"] == "Available");
    Ok(match available {
        Some(condition) if condition["status"] == "True" => Ok(()),
        Some(condition) => Err(format!("the metrics API is not available: {}", condition["message"])),
        None => Err("the metrics API has no condition Available yet".to_owned()),
    })
}

/// While a rollout is under way, the process of an earlier state answers, and may answer well.
fn rolled_out(api: &mut Api) -> Result<Verdict> {
    let settled = |deployment: &Value| {
        let (wanted, status) = (&deployment["spec"]["replicas"], &deployment["status"]);
        let counts = ["replicas", "updatedReplicas", "availableReplicas"];
        status["observedGeneration"] == deployment["metadata"]["generation"]
            && counts.iter().all(|count| status[*count] == *wanted)
    };
    let deployments = api.items("/apis/apps/v1/namespaces/kube-system/deployments")?;
    let moving = deployments.iter().find(|deployment| !settled(deployment));
    Ok(moving.map_or(Ok(()), |one| Err(format!("{} is not rolled out", full_name(one)))))
}

/// A pod of an earlier state that still shuts down is in lists and scrapes.
pub(crate) fn no_pod_is_leaving(api: &mut Api) -> Result<Verdict> {
    let leaving = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_string();
    let pods = api.items(SYSTEM_PODS)?;
    Ok(pods
        .iter()
        .find(leaving)
        .map_or(Ok(()), |pod| Err(format!("{} is still shutting down", full_name(pod)))))
}

pub(crate) fn all_nodes_measured(api: &mut Api) -> Result<Verdict> {
    Ok(missing("node", &api.names("/api/v1/nodes")?, &api.names(NODE_METRICS)?))
}

pub(crate) fn all_pods_measured(api: &mut Api) -> Result<Verdict> {
    Ok(missing(
        "pod",
        &api.names("/api/v1/pods?fieldSelector=status.phase%3DRunning")?,
        &api.names(POD_METRICS)?,
    ))
}

/// The autoscaler's controller looks every 15 s: until then its condition tells of an earlier state.
pub(crate) fn autoscaler_reads(api: &mut Api) -> Result<Verdict> {
    let scaler = api.object("/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/storefront")?;
    let scaler = scaler.unwrap_or_default();
    let conditions = scaler["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let active = conditions.iter().find(|condition| condition["type"] == "ScalingActive");
    Ok(match active {
        Some(condition) if condition["status"] == "True" => Ok(()),
        Some(condition) => Err(format!("the autoscaler cannot read metrics: {}", condition["message"])),
        None => Err("the autoscaler has not looked yet".to_owned()),
    })
}

fn missing(kind: &str, wanted: &BTreeSet<String>, measured: &BTreeSet<String>) -> Verdict {
    let missing: Vec<_> = wanted.difference(measured).map(String::as_str).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("no {kind} metrics of {}", missing.join(", ")))
    }
}

/// Whether every pod of the sample workload has its row with all five labels.
pub(crate) fn labels_flow(api: &mut Api) -> Result<Verdict> {
    let (status, text) = api.text(SCRAPE)?;
    if status != 200 {
        return Ok(Err(format!(
            "kube-state-metrics through its Service: HTTP {status}: {}",
            text.trim()
        )));
    }
    let complete = |row: &&str| {
        LABEL_KEYS
            .iter()
            .all(|key| row.contains(&format!("{}=\"", column(key))))
    };
    let rows = text
        .lines()
        .filter(|line| line.starts_with("kube_pod_labels{namespace=\"shop\""))
        .filter(complete);
    let rows = rows.count();
    Ok(if rows == 3 {
        Ok(())
    } else {
        Err(format!("{rows} of 3 sample pods have all labels in kube-state-metrics"))
    })
}

/// The column that kube-state-metrics makes of a label key.
pub(crate) fn column(key: &str) -> String {
    format!("label_{}", key.replace(['.', '/', '-'], "_"))
}
