//! Step 4 on a real cluster: Fluent Bit, vmagent and Alloy by Helm from the contract's values. vmagent is the real one;
//! Fluent Bit, Alloy and the charts are stand-ins (`charts/`, `standins/`). They send to stores of the test's own.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use testbed::{Cluster, Sink};

use crate::fleet::{self, CLUSTER_ID, REGION};

pub(crate) const NAMESPACE: &str = "telemetry";

/// The shared cluster with the collectors on it, and the stores of this test run.
pub(crate) struct Site {
    pub(crate) cluster: Cluster,
    pub(crate) sink: &'static Sink,
}

impl Site {
    pub(crate) fn installed() -> Self {
        let cluster = testbed::fleet_cluster().unwrap();
        let sink = fleet::sink(&cluster);
        cluster.mend().unwrap();
        cluster.install_collectors(CLUSTER_ID, sink.stores()).unwrap();
        Self { cluster, sink }
    }

    pub(crate) fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.cluster.run(words).unwrap()).unwrap()
    }

    pub(crate) fn get(&self, resource: &str) -> Vec<Value> {
        let list = self.json(&["kubectl", "--namespace", NAMESPACE, "get", resource, "--output=json"]);
        list["items"].as_array().unwrap().clone()
    }

    /// A page of each pod that a selector selects, through the API server.
    pub(crate) fn pages(&self, selector: &str, port: u16, path: &str) -> Vec<String> {
        let pods = self.cluster.pods(NAMESPACE, selector).unwrap();
        assert!(!pods.is_empty(), "no pod has {selector}");
        let page = |pod: &String| {
            let raw = format!("/api/v1/namespaces/{NAMESPACE}/pods/{pod}:{port}/proxy{path}");
            self.cluster.run(&["kubectl", "get", "--raw", &raw]).unwrap()
        };
        pods.iter().map(page).collect()
    }

    pub(crate) fn fluent_bit(&self) -> Vec<String> {
        let selector = "app.kubernetes.io/name=fluent-bit";
        self.pages(selector, 2020, "/api/v2/metrics/prometheus")
    }

    pub(crate) fn vmagent(&self, path: &str) -> String {
        self.pages("app.kubernetes.io/instance=vmagent", 8429, path).remove(0)
    }

    /// The series of a query, once there are any.
    pub(crate) fn series(&self, query: &str) -> Vec<Value> {
        until(&format!("series of {query}"), 150, || {
            let found = self.sink.query(query).map_err(|error| format!("{error:#}"))?;
            if found.is_empty() {
                Err("none".to_owned())
            } else {
                Ok(found)
            }
        })
    }

    /// Every pod of step 4 is ready.
    pub(crate) fn all_ready(&self) -> Result<(), String> {
        for pod in self.get("pods") {
            let conditions = pod["status"]["conditions"].as_array().unwrap();
            let ready = |one: &Value| one["type"] == "Ready" && one["status"] == "True";
            if !conditions.iter().any(ready) {
                return Err(format!("{}: {}", pod["metadata"]["name"], pod["status"]));
            }
        }
        Ok(())
    }
}

/// Asks again and again until the answer is there; what stood against it last is in the failure.
pub(crate) fn until<T>(what: &str, seconds: u64, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(reason) if start.elapsed() > Duration::from_secs(seconds) => {
                panic!("not within {seconds} s: {what}: {reason}")
            }
            Err(_) => std::thread::sleep(Duration::from_millis(500)),
        }
    }
}

/// That a counter which counts losses has counted none. A page without it proves nothing.
pub(crate) fn assert_none(page: &str, metric: &str) {
    assert!(page.contains(metric), "no {metric} on {page}");
    assert!(total(page, metric) < 1.0, "{metric}: {page}");
}

/// The sum of a metric over a page.
pub(crate) fn total(page: &str, metric: &str) -> f64 {
    let rows = page.lines().filter(|row| {
        let rest = row.strip_prefix(metric);
        rest.is_some_and(|rest| rest.starts_with([' ', '{']))
    });
    rows.map(|row| row.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum()
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A pod that logs a word and a number five times a second, until it is dropped.
pub(crate) struct Scribe<'a> {
    cluster: &'a Cluster,
    word: String,
}

impl<'a> Scribe<'a> {
    pub(crate) fn start(cluster: &'a Cluster) -> Self {
        let word = format!("scribe-{}", now());
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": word, "namespace": "default", "labels": { "starform.io/app": "scribe" } },
            "spec": {
                "terminationGracePeriodSeconds": 1,
                "automountServiceAccountToken": false,
                "containers": [{ "name": "writer", "image": "docker.io/starform/storefront:1", "args": [word] }],
            },
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pod.json");
        std::fs::write(&file, pod.to_string()).unwrap();
        cluster
            .run(&["kubectl", "create", "--filename", file.to_str().unwrap()])
            .unwrap();
        Self { cluster, word }
    }

    /// The records of it that have arrived.
    fn records(&self, sink: &Sink) -> Result<Vec<Value>, String> {
        let records = sink.records().map_err(|error| format!("{error:#}"))?;
        let own = |one: &Value| one["log"].as_str().is_some_and(|log| log.starts_with(&self.word));
        Ok(records.into_iter().filter(own).collect())
    }

    /// The number of its newest line.
    pub(crate) fn written(&self) -> u64 {
        let log = self.cluster.run(&["kubectl", "logs", &self.word, "--tail=1"]).unwrap();
        log.trim().rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// The numbers of its lines that have arrived.
    pub(crate) fn numbers(&self, sink: &Sink) -> Result<BTreeSet<u64>, String> {
        let number = |one: &Value| one["log"].as_str()?.rsplit(' ').next()?.parse().ok();
        Ok(self.records(sink)?.iter().filter_map(number).collect())
    }
}

impl Drop for Scribe<'_> {
    fn drop(&mut self) {
        let words = ["kubectl", "delete", "pod", &self.word, "--wait=false"];
        let _ = self.cluster.run(&words);
    }
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn installed_from_the_contracts_values_everything_is_complete_and_installing_again_is_quick() {
    let site = Site::installed();
    let releases = site.json(&["helm", "list", "--namespace", NAMESPACE, "--output", "json"]);
    let chart = |release: &str| {
        let found = releases.as_array().unwrap().iter().find(|one| one["name"] == release);
        let found = found.unwrap_or_else(|| panic!("no release {release}: {releases}"));
        assert_eq!(found["status"], "deployed", "{found}");
        found["chart"].as_str().unwrap().to_owned()
    };
    assert_eq!(chart("fluent-bit"), "fluent-bit-0.58.1");
    assert_eq!(chart("vmagent"), "victoria-metrics-agent-0.46.0");
    assert_eq!(chart("k8s-monitoring"), "k8s-monitoring-4.4.0");
    let names = |resource: &str| -> Vec<String> {
        let name = |one: &Value| one["metadata"]["name"].as_str().unwrap().to_owned();
        site.get(resource).iter().map(name).collect()
    };
    assert_eq!(names("daemonsets"), ["fluent-bit"]);
    assert_eq!(names("statefulsets"), ["k8s-monitoring-alloy-metrics", "vmagent"]);
    let operated = ["k8s-monitoring-alloy-operator", "k8s-monitoring-alloy-singleton"];
    assert_eq!(names("deployments"), operated);
    assert_eq!(site.get("daemonsets")[0]["status"]["numberReady"], 2);
    for alloy in site.get("alloys") {
        let conditions = alloy["status"]["conditions"].as_array().unwrap();
        let deployed = |one: &Value| one["type"] == "Deployed" && one["status"] == "True";
        assert!(conditions.iter().any(deployed), "{alloy}");
    }
    let start = Instant::now();
    site.cluster.install_collectors(CLUSTER_ID, site.sink.stores()).unwrap();
    let took = start.elapsed();
    eprintln!("installed once more in {} ms", took.as_millis());
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn vmagent_scrapes_kube_state_metrics_and_every_kubelet_and_its_series_arrive_with_cluster_and_region() {
    let site = Site::installed();
    let up = |job: &str| -> usize {
        let targets: Value = serde_json::from_str(&site.vmagent("/api/v1/targets")).unwrap();
        let active = targets["data"]["activeTargets"].as_array().unwrap();
        let of_job = |one: &&Value| one["labels"]["job"] == job && one["health"] == "up";
        active.iter().filter(of_job).count()
    };
    for (job, count) in [
        ("kube-state-metrics", 1),
        ("kubelet-cadvisor", 2),
        ("kubelet", 2),
        ("fluent-bit", 2),
    ] {
        until(&format!("{count} targets of {job} are up"), 90, || match up(job) {
            found if found == count => Ok(()),
            found => Err(format!("{found} are")),
        });
    }
    let of = format!("cluster=\"{CLUSTER_ID}\",region=\"{REGION}\"");
    // The object's own namespace, not that of kube-state-metrics: honor_labels is in effect.
    let labels = site.series(&format!(
        "kube_pod_labels{{{of},namespace=\"shop\",label_starform_io_app=\"storefront\"}}"
    ));
    assert_eq!(labels.len(), 3, "{labels:#?}");
    let usage = site.series(&format!(
        "count by (node) (container_memory_working_set_bytes{{{of},pod!=\"\",container!=\"\"}})"
    ));
    assert_eq!(usage.len(), 2, "of every node: {usage:#?}");
    site.series(&format!("up{{{of},job=\"fluent-bit\"}} == 1"));
    // What vmagent aggregates by itself.
    site.series(&format!(
        "{{__name__=~\"container_cpu_usage_seconds_total:1m.*\",{of},namespace=\"kube-system\"}}"
    ));
    let other = site
        .sink
        .query(&format!("count({{__name__!=\"\",cluster!=\"{CLUSTER_ID}\"}})"));
    assert_eq!(other.unwrap(), Vec::<Value>::new(), "series without the cluster");
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_pods_log_arrives_with_its_origin_and_its_labels() {
    let site = Site::installed();
    let scribe = Scribe::start(&site.cluster);
    let record = until("a record of the pod", 60, || {
        let records = scribe.records(site.sink)?;
        records.into_iter().next_back().ok_or_else(|| "none".to_owned())
    });
    assert_eq!(record["cluster"], CLUSTER_ID);
    assert_eq!(record["region"], REGION);
    assert_eq!(record["stream"], "stdout");
    assert!(record["date"].is_string(), "{record}");
    let origin = &record["kubernetes"];
    assert_eq!(origin["namespace_name"], "default");
    assert_eq!(origin["pod_name"], scribe.word.as_str());
    assert_eq!(origin["container_name"], "writer");
    assert_eq!(origin["labels"]["starform.io/app"], "scribe", "{record}");
    for page in site.fluent_bit() {
        assert!(total(&page, "fluentbit_output_proc_records_total") > 0.0, "{page}");
        assert_none(&page, "fluentbit_output_errors_total");
    }
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_value_that_a_stand_in_does_not_know_is_refused() {
    let site = Site::installed();
    for (chart, version, value) in [
        ("fluent/fluent-bit", "0.58.1", "config.nonsense=1"),
        ("vm/victoria-metrics-agent", "0.46.0", "persistentVolumes.enabled=true"),
        (
            "grafana/k8s-monitoring",
            "4.4.0",
            "clusterMetrics.kube-state-metrics.deploy=true",
        ),
        ("grafana/k8s-monitoring", "4.4.0", "collectors.a.alloy.nonsense=1"),
    ] {
        let words = ["helm", "template", "x", chart, "--version", version, "--set", value];
        let output = site.cluster.exec(&words).unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("additional properties"),
            "{chart} {value}: {said}"
        );
    }
}
