//! Step 4 on a real cluster: Fluent Bit, vmagent and Alloy by Helm from the contract's values. vmagent is the real one;
//! Fluent Bit, Alloy and the charts are stand-ins (`charts/`, `standins/`). They send to stores of the test's own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "clippy knows only those functions that are tests themselves; figures go to the test's output"
)]

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use testbed::{Cluster, Sink};

const CLUSTER_ID: &str = "blue";
/// As the testbed's nodes say.
const REGION: &str = "nyc3";
const NAMESPACE: &str = "telemetry";

/// The shared cluster with the collectors on it, and the stores of this test run.
struct Site {
    cluster: Cluster,
    sink: &'static Sink,
}

impl Site {
    fn installed() -> Option<Self> {
        static SINK: OnceLock<Sink> = OnceLock::new();
        let cluster = testbed::cluster().unwrap()?;
        let sink = SINK.get_or_init(|| Sink::of_cluster("default").unwrap());
        cluster.mend().unwrap();
        cluster.install_collectors(CLUSTER_ID, sink.stores()).unwrap();
        Some(Self { cluster, sink })
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.cluster.run(words).unwrap()).unwrap()
    }

    fn get(&self, resource: &str) -> Vec<Value> {
        let list = self.json(&["kubectl", "--namespace", NAMESPACE, "get", resource, "--output=json"]);
        list["items"].as_array().unwrap().clone()
    }

    /// A page of each pod that a selector selects, through the API server.
    fn pages(&self, selector: &str, port: u16, path: &str) -> Vec<String> {
        let pods = self.cluster.pods(NAMESPACE, selector).unwrap();
        assert!(!pods.is_empty(), "no pod has {selector}");
        let page = |pod: &String| {
            let raw = format!("/api/v1/namespaces/{NAMESPACE}/pods/{pod}:{port}/proxy{path}");
            self.cluster.run(&["kubectl", "get", "--raw", &raw]).unwrap()
        };
        pods.iter().map(page).collect()
    }

    fn fluent_bit(&self) -> Vec<String> {
        let selector = "app.kubernetes.io/name=fluent-bit";
        self.pages(selector, 2020, "/api/v2/metrics/prometheus")
    }

    fn vmagent(&self, path: &str) -> String {
        self.pages("app.kubernetes.io/instance=vmagent", 8429, path).remove(0)
    }

    /// The series of a query, once there are any.
    fn series(&self, query: &str) -> Vec<Value> {
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
    fn all_ready(&self) -> Result<(), String> {
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
fn until<T>(what: &str, seconds: u64, mut ask: impl FnMut() -> Result<T, String>) -> T {
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
fn assert_none(page: &str, metric: &str) {
    assert!(page.contains(metric), "no {metric} on {page}");
    assert!(total(page, metric) < 1.0, "{metric}: {page}");
}

/// The sum of a metric over a page.
fn total(page: &str, metric: &str) -> f64 {
    let rows = page.lines().filter(|row| {
        let rest = row.strip_prefix(metric);
        rest.is_some_and(|rest| rest.starts_with([' ', '{']))
    });
    rows.map(|row| row.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A pod that logs a word and a number five times a second, until it is dropped.
struct Scribe<'a> {
    cluster: &'a Cluster,
    word: String,
}

impl<'a> Scribe<'a> {
    fn start(cluster: &'a Cluster) -> Self {
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
    fn written(&self) -> u64 {
        let log = self.cluster.run(&["kubectl", "logs", &self.word, "--tail=1"]).unwrap();
        log.trim().rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// The numbers of its lines that have arrived.
    fn numbers(&self, sink: &Sink) -> Result<BTreeSet<u64>, String> {
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
fn installed_from_the_contracts_values_everything_is_complete_and_installing_again_is_quick() {
    let Some(site) = Site::installed() else { return };
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
fn vmagent_scrapes_kube_state_metrics_and_every_kubelet_and_its_series_arrive_with_cluster_and_region() {
    let Some(site) = Site::installed() else { return };
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
fn a_pods_log_arrives_with_its_origin_and_its_labels() {
    let Some(site) = Site::installed() else { return };
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
#[ignore = "minutes: .ci/long runs it"]
fn while_the_stores_are_away_everything_stays_ready_and_nothing_is_lost() {
    let Some(site) = Site::installed() else { return };
    let scribe = Scribe::start(&site.cluster);
    until("records of the pod", 60, || match scribe.numbers(site.sink)? {
        numbers if numbers.len() > 10 => Ok(()),
        numbers => Err(format!("{} of them", numbers.len())),
    });
    site.series("up{job=\"kubelet\"}");
    let away = now();
    site.sink.pause();
    // The store of logs forgets, and what was written until now it may have had.
    let before = scribe.written();
    // Twice the interval of scrapes, and longer than any probe's patience.
    while now() < away + 75 {
        std::thread::sleep(Duration::from_secs(5));
        site.all_ready().unwrap();
    }
    let pages = site.fluent_bit();
    let sum = |metric: &str| -> f64 { pages.iter().map(|page| total(page, metric)).sum() };
    assert!(sum("fluentbit_output_retries_total") > 0.0, "{pages:#?}");
    assert!(sum("fluentbit_storage_fs_chunks") > 0.0, "{pages:#?}");
    let waiting = total(&site.vmagent("/metrics"), "vmagent_remotewrite_pending_data_bytes");
    assert!(waiting > 0.0, "vmagent has nothing in its queue");
    site.sink.resume().unwrap();
    let back = now();
    // A line that was written a while after it came back: all before it have to be there.
    let last = until("what was written meanwhile, and after", 120, || {
        let numbers = scribe.numbers(site.sink)?;
        let newest = numbers.last().copied().unwrap_or_default();
        let missing: Vec<_> = (before + 1..=newest).filter(|one| !numbers.contains(one)).collect();
        if newest > before + 400 && missing.is_empty() {
            Ok(newest)
        } else {
            Err(format!(
                "newest {newest}, {} missing after {before}: {missing:?}",
                missing.len()
            ))
        }
    });
    eprintln!(
        "lines {before} to {last} arrived, none is missing, {} s after the stores were back",
        now() - back
    );
    // Every scrape of that time is there: of 75 s at 30 s at least two, of each node.
    let query = format!("count_over_time(up{{job=\"kubelet\"}}[75s] @ {back})");
    until("the samples of that time", 90, || {
        let found = site.sink.query(&query).map_err(|error| format!("{error:#}"))?;
        let count = |one: &Value| one["value"][1].as_str()?.parse::<u32>().ok();
        let counts: Vec<_> = found.iter().filter_map(count).collect();
        if counts.len() == 2 && counts.iter().all(|count| *count >= 2) {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    });
    for page in site.fluent_bit() {
        for metric in ["dropped_records", "retries_failed", "errors"] {
            assert_none(&page, &format!("fluentbit_output_{metric}_total"));
        }
    }
    let page = site.vmagent("/metrics");
    assert_none(&page, "vmagent_remotewrite_packets_dropped_total");
    assert_none(&page, "vm_persistentqueue_bytes_dropped_total");
}

#[test]
#[ignore = "minutes: .ci/long runs it"]
fn the_operator_follows_an_alloy_resource_and_mending_restores_what_was_changed() {
    let Some(site) = Site::installed() else { return };
    let kubectl = |words: &[&str]| {
        let words = [&["kubectl", "--namespace", NAMESPACE], words].concat();
        site.cluster.run(&words).unwrap()
    };
    let selector = "app.kubernetes.io/instance=k8s-monitoring-alloy-metrics";
    let page = || site.pages(selector, 12345, "/metrics").remove(0);
    until("Alloy's page counts what it delivered", 30, || {
        let page = page();
        if total(&page, "prometheus_remote_storage_samples_total") > 0.0 {
            Ok(())
        } else {
            Err(page)
        }
    });
    // The stand-in's switch, through the resource as the operator reads it.
    let switch = json!([{ "op": "add", "path": "/spec/alloy/extraEnv/-",
        "value": { "name": "TESTBED_DELIVERY", "value": "failing" } }]);
    kubectl(&[
        "patch",
        "alloy",
        "k8s-monitoring-alloy-metrics",
        "--type=json",
        "--patch",
        &switch.to_string(),
    ]);
    until("its page says that every sample fails", 120, || {
        let raw = format!("/api/v1/namespaces/{NAMESPACE}/pods/k8s-monitoring-alloy-metrics-0:12345/proxy/metrics");
        let page = site
            .cluster
            .run(&["kubectl", "get", "--raw", &raw])
            .map_err(|error| error.to_string())?;
        if total(&page, "prometheus_remote_storage_samples_failed_total") > 0.0 {
            Ok(())
        } else {
            Err("it does not yet".to_owned())
        }
    });
    // An upgrade by Helm would leave what nobody's chart has set.
    let nowhere = r#"{"spec":{"template":{"spec":{"nodeSelector":{"testbed/nowhere":"true"}}}}}"#;
    kubectl(&["patch", "daemonset", "fluent-bit", "--patch", nowhere]);
    kubectl(&["delete", "configmap", "vmagent-config"]);
    site.cluster.mend().unwrap();
    site.all_ready().unwrap();
    assert_eq!(site.get("daemonsets")[0]["status"]["numberReady"], 2);
    kubectl(&["get", "configmap", "vmagent-config"]);
    let alloys = site.get("alloys");
    assert!(!json!(alloys).to_string().contains("TESTBED_DELIVERY"), "{alloys:#?}");
}

#[test]
fn a_value_that_a_stand_in_does_not_know_is_refused() {
    let Some(site) = Site::installed() else { return };
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
