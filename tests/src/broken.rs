//! Breaks the cluster in the ways of `Scenario`, and mends it from any of them.

use std::fs;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde_json::Value;

use crate::components::{self, LABEL_KEYS, Versions, allow_list};
use crate::healthy::{self, full_name};
use crate::network::node_name;
use crate::paths::State;
use crate::scenarios::Scenario;
use crate::shown;
use crate::up::NODES;
use crate::{collectors, faults, inside, shuttle, steps};

/// Puts a healthy cluster into the scenario and waits until it shows.
pub(crate) fn break_(state: &State, scenario: Scenario) -> Result<()> {
    if current(state) != Some(Scenario::Healthy) {
        mend(state)?;
    }
    // Remembered first: a break that fails half-way leaves something to mend.
    remember(state, scenario)?;
    steps::step(format_args!("{} made", scenario.name()), || make(state, scenario))?;
    steps::step(format_args!("{} shows", scenario.name()), || {
        shown::wait(state, scenario)
    })
}

fn make(state: &State, scenario: Scenario) -> Result<()> {
    let versions = Versions::of(state)?;
    let kube_state_metrics = versions.kube_state_metrics.as_str();
    let kubectl = |words: &[&str]| inside::run(state, &[&["kubectl", "--namespace", "kube-system"], words].concat());
    match scenario {
        Scenario::Healthy => Ok(()),
        Scenario::MetricsServerAbsent => components::uninstall(state, "metrics-server"),
        Scenario::KubeStateMetricsAbsent => components::uninstall(state, "kube-state-metrics"),
        Scenario::MetricsServerScaledToZero => {
            kubectl(&["scale", "deployment", "metrics-server", "--replicas=0"]).map(drop)
        }
        Scenario::ApiServicePointsAtNothing => {
            let patch = r#"{"spec":{"service":{"name":"metrics-server-v1"}}}"#;
            kubectl(&[
                "patch",
                "apiservice",
                "v1beta1.metrics.k8s.io",
                "--type=merge",
                "--patch",
                patch,
            ])
            .map(drop)
        }
        Scenario::KubeletCertificateRefused => {
            faults::refuse_certificate(state, NODES)?;
            shown::wait_for_refusal(state)?;
            restart_metrics_server(state)
        }
        Scenario::MetricsServerNodeMetricsOnly => {
            for node in 1..=NODES {
                faults::filter_kubelet(state, node)?;
            }
            components::supply(state, "metrics-server-0.8.0")?;
            components::metrics_server(state, "0.8.0", &["--wait"])
        }
        Scenario::KubeStateMetricsWildcard => {
            let wildcard = allow_list(&["starform.io/*"]);
            components::supply(state, "kube-state-metrics-2.18.0")?;
            components::kube_state_metrics(state, "2.18.0", &["--set-json", &wildcard, "--wait"])
        }
        Scenario::AllowlistMissing => {
            let none = "metricLabelsAllowlist=[]";
            components::kube_state_metrics(state, kube_state_metrics, &["--set-json", none, "--wait"])
        }
        Scenario::AllowlistLacksOneKey => {
            let keys: Vec<_> = LABEL_KEYS
                .into_iter()
                .filter(|key| *key != "starform.io/project")
                .collect();
            let four = allow_list(&keys);
            components::kube_state_metrics(state, kube_state_metrics, &["--set-json", &four, "--wait"])
        }
        Scenario::ShardDown => shard_down(state, kube_state_metrics),
        Scenario::KubeStateMetricsHangs => {
            let pod = pod(state, "app.kubernetes.io/name=kube-state-metrics")?;
            let address = pod["status"]["podIP"].as_str().context("the pod has no address")?;
            faults::hang(state, node_of(&pod)?, address)
        }
    }
}

/// Without its memory: points of before the break would stay for as long as the process lives.
fn restart_metrics_server(state: &State) -> Result<()> {
    let words = [
        "delete",
        "pod",
        "--selector",
        "app.kubernetes.io/name=metrics-server",
        "--wait",
    ];
    inside::run(
        state,
        &[&["kubectl", "--namespace", "kube-system"], words.as_slice()].concat(),
    )
    .map(drop)
}

fn shard_down(state: &State, version: &str) -> Result<()> {
    let apart = r#"affinity={"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{
        "topologyKey":"kubernetes.io/hostname",
        "labelSelector":{"matchLabels":{"app.kubernetes.io/name":"kube-state-metrics"}}}]}}"#;
    // A Service with an address cannot become headless: whoever goes from one to shards starts anew.
    components::uninstall(state, "kube-state-metrics")?;
    let sharded = [
        "--set",
        "autosharding.enabled=true,replicas=2",
        "--set-json",
        apart,
        "--wait",
    ];
    components::kube_state_metrics(state, version, &sharded)?;
    let pod = pod(state, "statefulset.kubernetes.io/pod-name=kube-state-metrics-1")?;
    let node = node_name(node_of(&pod)?);
    inside::run(state, &["kubectl", "cordon", &node])?;
    let words = [
        "kubectl",
        "--namespace",
        "kube-system",
        "delete",
        "pod",
        "kube-state-metrics-1",
        "--wait",
    ];
    inside::run(state, &words).map(drop)
}

fn pod(state: &State, selector: &str) -> Result<Value> {
    let words = [
        "kubectl",
        "--namespace",
        "kube-system",
        "get",
        "pods",
        "--selector",
        selector,
        "--output=json",
    ];
    let mut list: Value = serde_json::from_str(&inside::run(state, &words)?)?;
    let first = list["items"].get_mut(0).map(Value::take);
    first.with_context(|| format!("no pod in kube-system has {selector}"))
}

fn node_of(pod: &Value) -> Result<u8> {
    let name = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    (1..=NODES)
        .find(|node| node_name(*node) == name)
        .with_context(|| format!("{} is on no node of ours: `{name}`", full_name(pod)))
}

/// Back to healthy, from whatever state, also one that somebody mended by hand.
pub(crate) fn mend(state: &State) -> Result<()> {
    let versions = Versions::of(state)?;
    steps::step("mended", || {
        faults::clear(state, NODES)?;
        for node in 1..=NODES {
            shuttle::mend_node(state, node)?;
        }
        let service = [
            "kubectl",
            "--namespace=kube-system",
            "get",
            "service",
            "kube-state-metrics",
            "--ignore-not-found",
        ];
        if inside::run(
            state,
            &[service.as_slice(), &["--output=jsonpath={.spec.clusterIP}"]].concat(),
        )? == "None"
        {
            components::uninstall(state, "kube-state-metrics")?;
        }
        components::both(state, &versions)?;
        // Helm leaves a changed APIService alone, see the scenario.
        let patch = r#"{"spec":{"service":{"name":"metrics-server","namespace":"kube-system"}}}"#;
        let words = [
            "kubectl",
            "patch",
            "apiservice",
            "v1beta1.metrics.k8s.io",
            "--type=merge",
            "--patch",
            patch,
        ];
        inside::run(state, &words).map(drop)
    })?;
    steps::step("both answer for every node and pod", || {
        healthy::until(state, "both components", 180, healthy::healthy)
    })?;
    collectors::mend(state)?;
    remember(state, Scenario::Healthy)
}

pub(crate) fn remember(state: &State, scenario: Scenario) -> Result<()> {
    let path = state.path("scenario");
    fs::write(&path, scenario.name()).with_context(|| format!("{} cannot be written", path.display()))
}

/// The scenario that the cluster was last put into.
pub(crate) fn current(state: &State) -> Option<Scenario> {
    Scenario::from_str(fs::read_to_string(state.path("scenario")).ok()?.trim(), false).ok()
}
