use super::*;
use crate::kubelet::mock::{Reply, Request, Server};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const JSON: &str = "application/json";

fn list(names: &[&str]) -> Reply {
    let items: Vec<Value> = names.iter().map(|name| object(name)).collect();
    let list = json!({
        "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "10"}, "items": items,
    });
    Reply::Whole(200, JSON, list.to_string().into())
}

fn object(name: &str) -> Value {
    json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
        "metadata": {"name": name, "namespace": "kube-system", "resourceVersion": "11"},
    })
}

fn is_watch(request: &Request) -> bool {
    request.path.contains("watch=true")
}

async fn run_against(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> (Server, Arc<Notify>, Running) {
    let server = Server::plain(answer).await;
    let verify = Arc::new(Notify::new());
    let stop = CancellationToken::new();
    let contract = Arc::new(Contract::embedded().unwrap());
    let task = tokio::spawn(run(server.client(), contract, Arc::clone(&verify), stop.clone()));
    (server, verify, Running { stop, task })
}

struct Running {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn stopped(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(5), self.task)
            .await
            .unwrap()
            .unwrap();
    }
}

async fn is_notified(verify: &Notify, within: Duration) -> bool {
    tokio::time::timeout(within, verify.notified()).await.is_ok()
}

#[tokio::test]
async fn a_change_of_the_api_service_asks_for_a_verification_and_the_first_list_does_not() {
    let watches = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&watches);
    let (server, verify, running) = run_against(move |request| {
        if !is_watch(request) {
            return list(&["one"]);
        }
        // The status of the APIService changes, a second after it was listed; nothing else ever changes.
        if request.path.contains("/apiservices") && seen.fetch_add(1, Ordering::SeqCst) == 0 {
            let event = json!({"type": "MODIFIED", "object": object(METRICS_API)});
            return Reply::Whole(200, JSON, format!("{event}\n").into());
        }
        Reply::Hang
    })
    .await;
    assert!(is_notified(&verify, Duration::from_secs(20)).await);
    assert!(
        !is_notified(&verify, Duration::from_millis(500)).await,
        "one change, one notification"
    );
    let requests = server.requests();
    assert!(
        requests
            .iter()
            .all(|request| request.headers.contains("as=partialobjectmetadata"))
    );
    let lists = |what: &str| {
        let of = |request: &&Request| !is_watch(request) && request.path.contains(what);
        requests.iter().filter(of).count()
    };
    let contract = Contract::embedded().unwrap();
    let namespaces = namespaces(&contract);
    for namespace in ["kube-system", "envoy-gateway-system", "telemetry", "default"] {
        assert!(namespaces.contains(namespace), "{namespaces:?}");
    }
    let namespaces = namespaces.len();
    assert_eq!(
        lists("/apiservices?&fieldSelector=metadata.name%3Dv1beta1.metrics.k8s.io"),
        1
    );
    for resource in ["/endpointslices", "/deployments", "/statefulsets", "/daemonsets"] {
        assert_eq!(lists(resource), namespaces, "{resource}");
    }
    running.stopped().await;
}

#[tokio::test]
async fn a_watch_that_is_forbidden_does_not_stop_the_others() {
    let sent = Arc::new(AtomicUsize::new(0));
    let (_server, verify, running) = run_against(move |request| {
        if request.path.contains("/apiservices") {
            let refusal = json!({
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403,
                "message": "forbidden",
            });
            return Reply::Whole(403, JSON, refusal.to_string().into());
        }
        if !is_watch(request) {
            return list(&[]);
        }
        if request.path.contains("/deployments") && sent.fetch_add(1, Ordering::SeqCst) == 0 {
            let event = json!({"type": "DELETED", "object": object("metrics-server")});
            return Reply::Whole(200, JSON, format!("{event}\n").into());
        }
        Reply::Hang
    })
    .await;
    assert!(is_notified(&verify, Duration::from_secs(20)).await);
    running.stopped().await;
}
