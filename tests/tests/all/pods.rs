//! Pods in every state that a kubelet can be brought to: an audit sees each as the API server prints it.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};
use testbed::{Cluster, cluster};

const NAMESPACE: &str = "states";
/// A pod that takes its time to end.
const BEING_DELETED: &str = "is-being-deleted";
/// Its one binary answers with its version and ends well, or complains about a flag and ends badly; without either it serves.
const IMAGE: &str = "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.20.0";
const STOREFRONT: &str = "docker.io/starform/storefront:1";

/// What a pod has been seen as: `Status`, `Ready`, and how often its containers were started again.
type Seen = BTreeMap<String, (String, String, u64)>;

fn container(name: &str, arguments: &[&str]) -> Value {
    json!({"name": name, "image": IMAGE, "imagePullPolicy": "Never", "args": arguments})
}

fn runs(name: &str) -> Value {
    json!({"name": name, "image": STOREFRONT, "imagePullPolicy": "Never"})
}

/// A pod of each state, with the word that is waited for.
fn pods() -> Vec<(&'static str, Value, &'static str)> {
    let ends = |name: &str| container(name, &["version"]);
    let fails = |name: &str| container(name, &["--no-such-flag"]);
    let missing = |name: &str| json!({"name": name, "image": "nobody.example/missing:1", "imagePullPolicy": "Never"});
    let never_runs = |name: &str| {
        let mut container = runs(name);
        container["command"] = json!(["/no-such-program"]);
        container
    };
    let mut not_ready = runs("web");
    not_ready["readinessProbe"] = json!({"tcpSocket": {"port": 1}});
    let mut slow = runs("web");
    slow["lifecycle"] = json!({"preStop": {"sleep": {"seconds": 300}}});
    let mut sidecar = runs("mesh");
    sidecar["restartPolicy"] = "Always".into();
    vec![
        ("runs", json!({"containers": [runs("web")]}), "Running"),
        (
            "runs-beside-what-is-done",
            json!({"restartPolicy": "OnFailure", "containers": [ends("job"), runs("web")]}),
            "NotReady",
        ),
        (
            "is-not-ready",
            json!({"containers": [runs("log"), not_ready]}),
            "Running",
        ),
        (
            "is-done",
            json!({"restartPolicy": "Never", "containers": [ends("job")]}),
            "Completed",
        ),
        (
            "has-failed",
            json!({"restartPolicy": "Never", "containers": [fails("job")]}),
            "Error",
        ),
        (
            "crashes",
            json!({"containers": [fails("web"), runs("log")]}),
            "CrashLoopBackOff",
        ),
        (
            "has-no-image",
            json!({"containers": [missing("web")]}),
            "ErrImageNeverPull",
        ),
        (
            "has-no-program",
            json!({"restartPolicy": "Never", "containers": [never_runs("web")]}),
            "StartError",
        ),
        (
            "does-not-initialize",
            json!({"initContainers": [fails("init")], "containers": [runs("web")]}),
            "Init:CrashLoopBackOff",
        ),
        (
            "lacks-an-init-image",
            json!({"initContainers": [ends("one"), missing("two")], "containers": [runs("web")]}),
            "Init:ErrImageNeverPull",
        ),
        (
            "initializes",
            json!({"initContainers": [ends("one"), runs("two")], "containers": [runs("web")]}),
            "Init:1/2",
        ),
        (
            "has-a-sidecar",
            json!({"initContainers": [sidecar], "containers": [runs("web")]}),
            "Running",
        ),
        (
            "finds-no-node",
            json!({"nodeSelector": {"no": "where"}, "containers": [runs("web")]}),
            "Pending",
        ),
        (
            "is-gated",
            json!({"schedulingGates": [{"name": "starform.io/wait"}], "containers": [runs("web")]}),
            "SchedulingGated",
        ),
        (
            BEING_DELETED,
            json!({"terminationGracePeriodSeconds": 300, "containers": [slow]}),
            "Terminating",
        ),
    ]
}

/// What the API server prints of every pod of the cluster.
fn printed(cluster: &Cluster) -> Seen {
    let words = ["kubectl", "get", "pods", "--all-namespaces", "--no-headers"];
    let text = cluster.run(&words).unwrap();
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let mut next = || words.next().unwrap().to_owned();
        let (namespace, name, ready, status, restarts) = (next(), next(), next(), next(), next());
        (
            format!("{namespace}/{name}"),
            (status, ready, restarts.parse().unwrap()),
        )
    };
    text.lines().map(row).collect()
}

/// What an audit sees of them.
fn audited(cluster: &Cluster) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evidence.json");
    let auditor = testbed::auditor().unwrap();
    let words = [
        auditor.to_str().unwrap(),
        "audit",
        "--check",
        "SF325",
        "--record",
        file.to_str().unwrap(),
    ];
    let output = cluster.exec(&words).unwrap();
    let text = fs::read_to_string(&file).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
    });
    let evidence: Value = serde_json::from_str(&text).unwrap();
    evidence["pods"]["seen"]
        .as_array()
        .unwrap_or_else(|| panic!("{}", evidence["pods"]))
        .clone()
}

fn seen(pods: &[Value]) -> Seen {
    let row = |pod: &Value| {
        let text = |field: &str| pod[field].as_str().unwrap().to_owned();
        (
            format!("{}/{}", text("namespace"), text("name")),
            (
                text("status"),
                format!("{}/{}", pod["ready"], pod["containers"]),
                pod["restarts"].as_u64().unwrap(),
            ),
        )
    };
    pods.iter().map(row).collect()
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn every_pod_is_seen_as_the_api_server_prints_it() {
    let cluster = cluster().unwrap();
    cluster.run(&["kubectl", "create", "namespace", NAMESPACE]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pods.json");
    let items: Vec<Value> = (pods().into_iter())
        .map(|(name, mut spec, _)| {
            spec["automountServiceAccountToken"] = false.into();
            if name != BEING_DELETED {
                spec["terminationGracePeriodSeconds"] = 1.into();
            }
            let metadata = json!({"name": name, "namespace": NAMESPACE});
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        })
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    fs::write(&file, list.to_string()).unwrap();
    cluster
        .run(&["kubectl", "create", "--filename", file.to_str().unwrap()])
        .unwrap();
    let kubectl = |words: &[&str]| {
        cluster
            .run(&[&["kubectl", "--namespace", NAMESPACE], words].concat())
            .unwrap()
    };
    // One that has not begun yet is gone at once.
    kubectl(&["wait", "--for=condition=Ready", "pod", BEING_DELETED, "--timeout=120s"]);
    kubectl(&["delete", "pod", BEING_DELETED, "--wait=false"]);

    // Every state is waited for; a pod that crashes passes through several, and all of them are compared.
    let mut waited: BTreeSet<(String, String)> = (pods().iter())
        .map(|(name, _, status)| (format!("{NAMESPACE}/{name}"), (*status).to_owned()))
        .collect();
    let mut compared = BTreeSet::new();
    let begun = Instant::now();
    while !waited.is_empty() {
        assert!(
            begun.elapsed() < Duration::from_mins(3),
            "never seen: {waited:?}; seen: {compared:?}"
        );
        let before = printed(&cluster);
        let pods = audited(&cluster);
        // What changed meanwhile is compared the next time.
        let after = printed(&cluster);
        let audited = seen(&pods);
        for (pod, printed) in before.iter().filter(|(pod, printed)| after.get(*pod) == Some(*printed)) {
            assert_eq!(audited.get(pod), Some(printed), "{pod}");
            compared.insert(printed.0.clone());
            waited.remove(&(pod.clone(), printed.0.clone()));
        }
        // What runs and is ready says since when; what ended says how.
        for pod in &pods {
            if pod["status"] == "Running" && pod["ready"] == pod["containers"] {
                assert!(pod["started"].is_string(), "{pod}");
            }
            if pod["status"] == "CrashLoopBackOff" {
                assert_eq!(pod["lastTermination"]["reason"], "Error", "{pod}");
                assert_eq!(pod["waits"]["reason"], "CrashLoopBackOff", "{pod}");
            }
        }
    }
    println!("compared: {compared:?}");
    kubectl(&["delete", "pod", BEING_DELETED, "--force", "--grace-period=0"]);
    cluster
        .run(&["kubectl", "delete", "namespace", NAMESPACE, "--wait"])
        .unwrap();
    cluster.wait_until_healthy().unwrap();
}
