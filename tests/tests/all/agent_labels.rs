//! The agent's election and labeler on a real API server, with an account that may do what they say they need, and no
//! more.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use testbed::{Cluster, cluster};

const NAMESPACE: &str = "labels-test";
const KEYS: [&str; 5] = ["cluster-id", "region", "project", "app", "deployment"];

/// A process of the agent's two tasks.
struct Tasks {
    child: Child,
    lines: Receiver<String>,
}

// === impl Tasks ===

impl Tasks {
    fn start(cluster: &Cluster, pod: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        let profile = program.parent().unwrap().parent().unwrap();
        let example = profile.join("examples/election_and_labels");
        let words = [example.to_str().unwrap(), pod, "c1", "nyc3", "labels-test"];
        let mut command = cluster.command(&words).unwrap();
        let mut child = command.env("RUST_LOG", "info").stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// Waits for the line; how long that took.
    fn until(&self, line: &str) -> Duration {
        let start = Instant::now();
        while self.lines.recv_timeout(Duration::from_mins(1)).unwrap() != line {}
        start.elapsed()
    }

    fn kill(self) {
        drop(self);
    }

    /// As the kubelet stops it. What it counted.
    fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(
            std::process::Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        assert!(self.child.wait().unwrap().success());
        self.lines.iter().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Tasks {
    /// With SIGKILL, where it still runs: also when a test fails.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The pods of a namespace by name, with the values of the five keys, in their order.
fn pods(cluster: &Cluster, namespace: &str) -> Vec<(String, String)> {
    let pods = list(cluster, namespace, "pods");
    let mut pods: Vec<_> = pods
        .iter()
        .map(|pod| (pod["metadata"]["name"].as_str().unwrap().to_owned(), labels(pod)))
        .collect();
    pods.sort();
    pods
}

fn labels(pod: &Value) -> String {
    let of = |key| {
        pod["metadata"]["labels"][format!("starform.io/{key}")]
            .as_str()
            .unwrap_or("-")
            .to_owned()
    };
    KEYS.map(of).join(" ")
}

fn list(cluster: &Cluster, namespace: &str, resource: &str) -> Vec<Value> {
    let text = cluster
        .run(&["kubectl", "get", resource, "-n", namespace, "-o", "json"])
        .unwrap();
    let list: Value = serde_json::from_str(&text).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// Waits until the pods whose name begins so carry these values.
fn until(cluster: &Cluster, expected: &[(&str, &str)]) {
    let start = Instant::now();
    loop {
        let pods = pods(cluster, NAMESPACE);
        let fits = |(name, values): &(&str, &str)| {
            let mut fitting = pods.iter().filter(|(pod, _)| pod.starts_with(name)).peekable();
            fitting.peek().is_some() && fitting.all(|(_, of)| of == values)
        };
        if expected.iter().all(fits) {
            return;
        }
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "expected {expected:?}, found {pods:#?}"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn kubectl(cluster: &Cluster, words: &str) {
    let words: Vec<_> = std::iter::once("kubectl").chain(words.split_whitespace()).collect();
    cluster.run(&words).unwrap();
}

fn apply(cluster: &Cluster) {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/all/agent_labels/objects.yaml");
    kubectl(cluster, &format!("apply -f {manifest}"));
}

fn remove(cluster: &Cluster) {
    kubectl(
        cluster,
        "delete namespace starform-system labels-test labels-test-unmanaged labels-test-many --ignore-not-found",
    );
    kubectl(
        cluster,
        "delete clusterrole,clusterrolebinding labels-test --ignore-not-found",
    );
}

/// Reasons of the Events on a pod.
fn events(cluster: &Cluster, pod: &str) -> Vec<(String, String)> {
    let events = list(cluster, NAMESPACE, "events");
    let of = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
    let told = events.iter().filter(|event| event["involvedObject"]["name"] == pod);
    let told = told.filter(|event| event["reason"].as_str().unwrap_or_default().starts_with("Label"));
    told.map(|event| (of(event, "reason"), of(event, "message"))).collect()
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn pods_get_their_labels_from_parameters_namespace_and_owner_and_only_what_is_shuttles_is_forced() {
    let cluster = cluster().unwrap();
    remove(&cluster);
    apply(&cluster);
    kubectl(&cluster, "create job --from=cronjob/report report-now -n labels-test");
    let tasks = Tasks::start(&cluster, "a");
    until(
        &cluster,
        &[
            ("web-", "c1 nyc3 p1 shop web"),
            ("db-0", "c1 nyc3 p1 of-namespace db"),
            ("report-now", "c1 nyc3 p1 reports -"),
            ("bare", "c1 nyc3 p1 of-namespace -"),
            ("contested", "c1 nyc3 p1 theirs -"),
            ("selecting-", "c1 wrong p1 of-namespace -"),
        ],
    );
    assert_eq!(
        pods(&cluster, "labels-test-unmanaged"),
        [("bare".to_owned(), "- - - - -".to_owned())]
    );
    let told = events(&cluster, "contested");
    let of = |reason| {
        told.iter()
            .filter(|(of, _)| of == reason)
            .map(|(_, note)| note.as_str())
            .collect::<String>()
    };
    assert!(
        of("LabelCorrected").contains("starform.io/region was `wrong`, set by the field manager `kubectl-"),
        "{told:?}"
    );
    assert!(
        of("LabelConflict").contains("starform.io/app is `theirs`, set by the field manager `kubectl-"),
        "{told:?}"
    );

    // What somebody removes or changes of Shuttle's own comes back.
    kubectl(
        &cluster,
        "label pod bare -n labels-test starform.io/cluster-id- starform.io/app- starform.io/project-",
    );
    kubectl(
        &cluster,
        "label pod db-0 -n labels-test starform.io/region=elsewhere --overwrite",
    );
    // An app that somebody takes over is theirs from then on.
    let taken = "starform.io/app=taken --overwrite";
    kubectl(
        &cluster,
        &format!("label pod -n labels-test -l job-name=report-now {taken}"),
    );
    until(
        &cluster,
        &[
            ("bare", "c1 nyc3 p1 of-namespace -"),
            ("db-0", "c1 nyc3 p1 of-namespace db"),
        ],
    );

    // A StatefulSet's next pod has the same name, and another UID.
    kubectl(
        &cluster,
        "delete pod db-0 -n labels-test --wait=true --grace-period=0 --force",
    );
    until(&cluster, &[("db-0", "c1 nyc3 p1 of-namespace db")]);

    kubectl(
        &cluster,
        "label namespace labels-test starform.io/project=p2 --overwrite",
    );
    until(
        &cluster,
        &[("web-", "c1 nyc3 p2 shop web"), ("contested", "c1 nyc3 p2 theirs -")],
    );
    kubectl(&cluster, "label namespace labels-test starform.io/project-");
    until(&cluster, &[("web-", "c1 nyc3 - shop web")]);
    kubectl(
        &cluster,
        "label namespace labels-test starform.io/project=p3 starform.io/managed-",
    );
    kubectl(
        &cluster,
        "label namespace labels-test-unmanaged starform.io/managed=true",
    );
    let start = Instant::now();
    while pods(&cluster, "labels-test-unmanaged")[0].1 != "c1 nyc3 - - -" {
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(100));
    }
    // What was given stays in a namespace that is no longer managed.
    until(&cluster, &[("web-", "c1 nyc3 - shop web")]);

    // The ReplicaSet kept its one pod, and was told why it was left.
    let selecting: Vec<_> = pods(&cluster, NAMESPACE)
        .into_iter()
        .filter(|(pod, _)| pod.starts_with("selecting-"))
        .collect();
    assert_eq!(selecting.len(), 1, "{selecting:?}");
    assert!(
        events(&cluster, &selecting[0].0)
            .iter()
            .any(|(reason, _)| reason == "LabelSelected")
    );
    tasks.stop();
    remove(&cluster);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_killed_leader_is_succeeded_in_time_and_a_stopped_one_at_once() {
    let cluster = cluster().unwrap();
    remove(&cluster);
    apply(&cluster);
    let first = Tasks::start(&cluster, "first");
    first.until("leads");
    let second = Tasks::start(&cluster, "second");
    second.until("follows");
    std::thread::sleep(Duration::from_secs(6));
    first.kill();
    let took = second.until("leads");
    assert!(took <= Duration::from_secs(18), "{took:?}");
    let third = Tasks::start(&cluster, "third");
    third.until("follows");
    std::thread::sleep(Duration::from_secs(3));
    second.stop();
    let took = third.until("leads");
    assert!(took <= Duration::from_secs(3), "{took:?}");
    let lease = list(&cluster, "starform-system", "leases").remove(0);
    assert_eq!(lease["spec"]["holderIdentity"], "third");
    assert_eq!(lease["spec"]["leaseTransitions"], 2);
    third.stop();
    remove(&cluster);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_thousand_pods_are_labelled_within_a_minute_by_one_write_each_and_none_after_a_restart() {
    let cluster = cluster().unwrap();
    remove(&cluster);
    apply(&cluster);
    create_many(&cluster);
    let tasks = Tasks::start(&cluster, "a");
    tasks.until("leads");
    until(
        &cluster,
        &[("bare", "c1 nyc3 p1 of-namespace -"), ("web-", "c1 nyc3 p1 shop web")],
    );
    let before = (written(&cluster), Instant::now());
    kubectl(
        &cluster,
        "label namespace labels-test-many starform.io/managed=true starform.io/project=many",
    );
    let selector = "starform.io/cluster-id=c1,starform.io/region=nyc3,starform.io/project=many";
    let labelled = || {
        let words = [
            "kubectl",
            "get",
            "pods",
            "-n",
            "labels-test-many",
            "-l",
            selector,
            "-o",
            "name",
            "--chunk-size=0",
        ];
        cluster.run(&words).unwrap().lines().count()
    };
    while labelled() < 1_000 {
        assert!(
            before.1.elapsed() < Duration::from_mins(1),
            "{} of 1,000 after a minute",
            labelled()
        );
        std::thread::sleep(Duration::from_millis(500));
    }
    let took = before.1.elapsed();
    // The burst, and 25 a second.
    assert!(
        took >= Duration::from_secs(39),
        "1,000 pods in {took:?} is faster than the pace"
    );
    let writes = written(&cluster) - before.0;
    assert_eq!(writes, 1_000, "in {took:?}");
    tasks.stop();

    let again = Tasks::start(&cluster, "b");
    again.until("leads");
    std::thread::sleep(Duration::from_secs(15));
    let counted = again.stop();
    assert!(
        !counted.contains("applied\"}") && !counted.contains("corrected\"}"),
        "{counted}"
    );
    assert_eq!(written(&cluster) - before.0, 1_000);
    remove(&cluster);
}

fn create_many(cluster: &Cluster) {
    kubectl(cluster, "create namespace labels-test-many");
    let container = json!({ "name": "c", "image": "docker.io/starform/storefront:1" });
    let pod = |number: u32| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": format!("p{number:04}"), "namespace": "labels-test-many" },
            "spec": { "schedulerName": "none", "containers": [container] },
        })
    };
    let pods: Vec<_> = (0..1_000).map(pod).collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": pods });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), list.to_string()).unwrap();
    kubectl(cluster, &format!("create -f {}", file.path().display()));
}

/// How many server-side applies of pods the API server has served, whatever came of them.
fn written(cluster: &Cluster) -> u64 {
    let metrics = cluster.run(&["kubectl", "get", "--raw", "/metrics"]).unwrap();
    let served = metrics
        .lines()
        .filter(|line| line.starts_with("apiserver_request_total{"));
    let applies = served.filter(|line| line.contains("resource=\"pods\"") && line.contains("verb=\"APPLY\""));
    applies
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum()
}
