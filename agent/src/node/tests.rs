use super::*;
use crate::kubelet::METRIC;
use crate::kubelet::mock::{Authority, EXPOSITION, Reply, Request, Server};
use crate::liveness::Liveness;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

const JSON: &str = "application/json";

/// A node as an API server of this test stores it.
struct Stored {
    conditions: Value,
    taints: Vec<Value>,
    created: Timestamp,
    /// So many patches of the taints find that somebody else was quicker.
    races: usize,
}

struct Case {
    _folder: tempfile::TempDir,
    api: Server,
    _kubelet: Server,
    stored: Arc<Mutex<Stored>>,
    role: Role,
}

impl Case {
    /// A node whose kubelet shows these pods, and whose API server knows these collectors' pods.
    async fn new(pods: &'static [&'static str], collector_pods: Value, collectors: Vec<Collector>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let account = authority.account(folder.path(), "token");
        let kubelet = Server::tls(authority.serving("127.0.0.1", false), move |_| {
            let mut body = format!("{METRIC}{{id=\"/\"}} 1\n");
            for pod in pods {
                let _ = writeln!(body, "{METRIC}{{namespace=\"starform-system\",pod=\"{pod}\"}} 1");
            }
            Reply::Whole(200, EXPOSITION, body.into())
        })
        .await;
        let stored = Arc::new(Mutex::new(Stored {
            conditions: json!([{"type": "Ready", "status": "True"}]),
            taints: Vec::new(),
            created: Timestamp::now(),
            races: 0,
        }));
        let behind = Arc::clone(&stored);
        let api = Server::plain(move |request| answer(&mut behind.lock().unwrap(), request, &collector_pods)).await;
        let settings = Settings {
            identity: Identity {
                namespace: "starform-system".to_owned(),
                pod: "shuttle-node-x".to_owned(),
                uid: "u".to_owned(),
                node: "node1".to_owned(),
            },
            kubelet: kubelet.kubelet("node1"),
            condition: "StarformTelemetryReady".to_owned(),
            collectors,
            lift_startup_taint: false,
        };
        let role = Role {
            client: api.client(),
            kubelets: Kubelets::new(account, Duration::from_secs(5)),
            settings,
            published: Published::default(),
            lifting: None,
            metrics: Metrics::default(),
        };
        Self {
            _folder: folder,
            api,
            _kubelet: kubelet,
            stored,
            role,
        }
    }

    fn lifting(mut self, taints: &[&str]) -> Self {
        self.stored.lock().unwrap().taints = (taints.iter())
            .map(|key| json!({"key": key, "effect": "NoSchedule"}))
            .collect();
        let Role { client, settings, .. } = &self.role;
        self.role.lifting = Some(Lifting::new(client.clone(), &settings.identity, Instant::now()));
        self
    }

    fn condition(&self) -> Value {
        let stored = self.stored.lock().unwrap();
        let conditions = stored.conditions.as_array().unwrap();
        let own = conditions
            .iter()
            .find(|condition| condition["type"] == "StarformTelemetryReady");
        own.cloned().unwrap_or_default()
    }

    fn taints(&self) -> Vec<String> {
        let stored = self.stored.lock().unwrap();
        stored
            .taints
            .iter()
            .map(|taint| taint["key"].as_str().unwrap().to_owned())
            .collect()
    }

    fn requests(&self, method: &str, part: &str) -> Vec<Request> {
        let mut requests = self.api.requests();
        requests.retain(|request| request.method == method && request.path.contains(part));
        requests
    }
}

/// What an API server does with nodes, as far as this role asks.
fn answer(stored: &mut Stored, request: &Request, collector_pods: &Value) -> Reply {
    let ok = |value: Value| Reply::Whole(200, JSON, value.to_string().into());
    if request.path.contains("/events") {
        return Reply::Whole(201, JSON, request.body.clone().into());
    }
    if request.path.contains("/pods") {
        return ok(json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": collector_pods}));
    }
    let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
    if request.path.contains("/status") {
        for new in body["status"]["conditions"].as_array().into_iter().flatten() {
            let conditions = stored.conditions.as_array_mut().unwrap();
            conditions.retain(|condition| condition["type"] != new["type"]);
            conditions.push(new.clone());
        }
    } else if request.method == "PATCH" {
        if stored.races > 0 {
            stored.races -= 1;
            let refusal = json!({
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Invalid", "code": 422,
                "message": "the server rejected our request due to an error in our request",
            });
            return Reply::Whole(422, JSON, refusal.to_string().into());
        }
        for operation in body.as_array().unwrap() {
            let path = operation["path"].as_str().unwrap();
            let position: usize = path.strip_prefix("/spec/taints/").unwrap().parse().unwrap();
            match operation["op"].as_str().unwrap() {
                "test" => assert_eq!(stored.taints[position], operation["value"]),
                "remove" => drop(stored.taints.remove(position)),
                other => panic!("{other}"),
            }
        }
    }
    ok(json!({
        "kind": "Node", "apiVersion": "v1",
        "metadata": {"name": "node1", "uid": "n", "creationTimestamp": stored.created.to_string()},
        "spec": {"taints": stored.taints},
        "status": {"conditions": stored.conditions},
    }))
}

const OWN: &[&str] = &["shuttle-node-x", "another"];

#[tokio::test]
async fn a_proven_node_says_so_and_the_pod_is_ready() {
    let mut case = Case::new(OWN, json!([]), Vec::new()).await;
    let standing = case.role.turn().await;
    assert!(standing.ready, "{standing:?}");
    let condition = case.condition();
    assert_eq!(condition["status"], "True");
    assert_eq!(condition["reason"], "Proven");
    assert_eq!(condition["lastHeartbeatTime"], condition["lastTransitionTime"]);
    assert_eq!(
        case.stored.lock().unwrap().conditions.as_array().unwrap().len(),
        2,
        "the other condition stays"
    );
    assert!(
        case.requests("GET", "").is_empty(),
        "nothing is read that needs another permission"
    );
    let patches = case.requests("PATCH", "/nodes/node1/status");
    assert_eq!(patches.len(), 2);
    assert_eq!(patches[0].body, "{}");
    assert!(
        patches[1]
            .headers
            .contains("content-type: application/strategic-merge-patch+json")
    );
}

#[tokio::test]
async fn a_node_whose_kubelet_does_not_show_this_pod_is_not_proven_and_the_pod_not_ready() {
    let mut case = Case::new(&["another"], json!([]), Vec::new()).await;
    let standing = case.role.turn().await;
    assert!(!standing.ready);
    assert_eq!(case.condition()["status"], "False");
    assert_eq!(case.condition()["reason"], "OwnPodNotShown");
}

#[tokio::test]
async fn the_time_of_the_last_transition_outlives_the_agent() {
    let mut case = Case::new(OWN, json!([]), Vec::new()).await;
    case.stored.lock().unwrap().conditions = json!([{
        "type": "StarformTelemetryReady", "status": "True", "reason": "Proven", "message": "",
        "lastHeartbeatTime": "2026-01-01T00:10:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z",
    }]);
    case.role.turn().await;
    assert_eq!(case.condition()["lastTransitionTime"], "2026-01-01T00:00:00Z");
    assert_ne!(case.condition()["lastHeartbeatTime"], "2026-01-01T00:10:00Z");
    case.role.turn().await;
    assert_eq!(case.condition()["lastTransitionTime"], "2026-01-01T00:00:00Z");
    assert_eq!(case.requests("PATCH", "status").len(), 3, "what it was is asked once");
}

#[tokio::test]
async fn a_condition_that_cannot_be_written_leaves_the_pod_unready_and_says_why() {
    let mut case = Case::new(OWN, json!([]), Vec::new()).await;
    let refusing = Server::plain(|_| {
        let refusal = json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403,
            "message": "nodes \"node1\" is forbidden",
        });
        Reply::Whole(403, JSON, refusal.to_string().into())
    })
    .await;
    case.role.client = refusing.client();
    let standing = case.role.turn().await;
    assert!(standing.verdict.unwrap().proven);
    assert!(!standing.ready);
    assert_eq!(
        standing.problem.unwrap(),
        "writing the condition of node node1: 403: nodes \"node1\" is forbidden"
    );
}

fn collector() -> Collector {
    Collector {
        name: "fluent-bit".to_owned(),
        namespace: "telemetry".to_owned(),
        selector: "app.kubernetes.io/name=fluent-bit".to_owned(),
    }
}

fn collector_pod(ready: &str) -> Value {
    json!({"metadata": {"name": "fluent-bit-x"}, "status": {"conditions": [{"type": "Ready", "status": ready}]}})
}

#[tokio::test]
async fn a_collector_that_does_not_run_here_is_missed() {
    for (pods, words) in [
        (json!([]), "no pod of fluent-bit is on this node"),
        (
            json!([collector_pod("False")]),
            "1 pods of fluent-bit on this node, none Ready",
        ),
    ] {
        let mut case = Case::new(OWN, pods, vec![collector()]).await;
        let standing = case.role.turn().await;
        assert!(!standing.ready);
        assert_eq!(case.condition()["reason"], "CollectorNotRunning");
        let message = standing.verdict.unwrap().message;
        assert!(message.contains(words), "{message}");
    }
    let mut case = Case::new(OWN, json!([collector_pod("True")]), vec![collector()]).await;
    assert!(case.role.turn().await.ready);
    let request = case.requests("GET", "/namespaces/telemetry/pods").remove(0);
    assert!(
        request.path.contains("fieldSelector=spec.nodeName%3Dnode1"),
        "{}",
        request.path
    );
    assert!(
        request
            .path
            .contains("labelSelector=app.kubernetes.io%2Fname%3Dfluent-bit"),
        "{}",
        request.path
    );
}

#[tokio::test]
async fn the_startup_taint_is_lifted_once_the_node_is_proven_and_no_other() {
    let mut case = Case::new(OWN, json!([]), Vec::new()).await.lifting(&["a", TAINT, "b"]);
    assert!(case.role.turn().await.ready);
    assert_eq!(case.taints(), ["a", "b"]);
    let event: Value = serde_json::from_str(&case.requests("POST", "/namespaces/default/events")[0].body).unwrap();
    assert_eq!(
        (&event["reason"], &event["type"]),
        (&json!("StartupTaintLifted"), &json!("Normal"))
    );
    assert_eq!(event["regarding"]["name"], "node1");
    case.role.turn().await;
    assert_eq!(
        case.requests("GET", "/nodes/node1").len(),
        1,
        "once it is lifted nobody looks again"
    );
}

#[tokio::test]
async fn a_node_that_is_not_proven_keeps_its_taint_for_ten_minutes_and_no_longer() {
    let mut case = Case::new(&[], json!([]), Vec::new()).await.lifting(&[TAINT]);
    case.role.turn().await;
    assert_eq!(case.taints(), [TAINT]);
    case.stored.lock().unwrap().created = Timestamp::now() - jiff::SignedDuration::from_mins(10);
    let standing = case.role.turn().await;
    assert!(!standing.ready, "the node is not proven all the same");
    assert!(case.taints().is_empty());
    let event: Value = serde_json::from_str(&case.requests("POST", "/events")[0].body).unwrap();
    assert_eq!(event["type"], "Warning");
    assert!(
        event["note"]
            .as_str()
            .unwrap()
            .starts_with("not proven after 10 minutes"),
        "{event}"
    );
}

#[tokio::test]
async fn a_taint_that_moved_in_between_is_looked_for_again_but_not_for_ever() {
    let mut case = Case::new(OWN, json!([]), Vec::new()).await.lifting(&[TAINT]);
    case.stored.lock().unwrap().races = 2;
    case.role.turn().await;
    assert!(case.taints().is_empty());
    let mut case = Case::new(OWN, json!([]), Vec::new()).await.lifting(&[TAINT]);
    case.stored.lock().unwrap().races = 4;
    let standing = case.role.turn().await;
    assert!(standing.problem.unwrap().contains("changed 3 times"));
    assert_eq!(case.taints(), [TAINT]);
    case.role.turn().await;
    assert!(case.taints().is_empty(), "the next turn tries again");
}

#[tokio::test]
async fn it_stops_when_it_is_told_to() {
    let case = Case::new(OWN, json!([]), Vec::new()).await;
    let stop = CancellationToken::new();
    let (standing, mut seen) = watch::channel(Standing::starting(Timestamp::now()));
    let Role {
        client,
        kubelets,
        settings,
        metrics,
        ..
    } = case.role;
    let pulse = Liveness::default().watch("node", TURNS_WITHIN);
    let task = tokio::spawn(run(client, kubelets, settings, metrics, standing, pulse, stop.clone()));
    seen.wait_for(|standing| standing.ready).await.unwrap();
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), task)
        .await
        .unwrap()
        .unwrap();
}
