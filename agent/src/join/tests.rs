use super::sample::{healthy, node_pods, nodes, rows};
use super::*;
use crate::kubelet::mock::{Authority, EXPOSITION, Reply, Server};
use crate::kubelet::{METRIC, ServiceAccount};
use std::fmt::Write as _;
use std::time::Duration;

/// A cluster whose nodes' kubelets are servers of this test.
struct Cluster {
    _folder: tempfile::TempDir,
    authority: Authority,
    account: ServiceAccount,
    contract: Contract,
    evidence: Box<Evidence>,
    servers: Vec<Server>,
}

impl Cluster {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let account = authority.account(folder.path(), "token");
        let mut cluster = Self {
            _folder: folder,
            authority,
            account,
            contract: Contract::embedded().unwrap(),
            evidence: Box::new(healthy()),
            servers: Vec::new(),
        };
        for node in ["node1", "node2"] {
            let body = exposition(&node_pods(&cluster.evidence, node));
            cluster
                .serve(node, move |_| Reply::Whole(200, EXPOSITION, body.clone().into()))
                .await;
        }
        cluster
    }

    async fn serve(
        &mut self,
        node: &str,
        answer: impl Fn(&crate::kubelet::mock::Request) -> Reply + Send + Sync + 'static,
    ) {
        let serving = self.authority.serving("127.0.0.1", false);
        let server = Server::tls(serving, answer).await;
        let listed = nodes(&mut self.evidence)
            .iter_mut()
            .find(|listed| listed.name == node)
            .unwrap();
        listed.address = Some(server.address.ip().to_string());
        listed.kubelet_port = Some(server.address.port());
        self.servers.push(server);
    }

    fn joiner(&self, timeout: Duration) -> Joiner {
        Joiner::new(Kubelets::new(self.account.clone(), timeout), Metrics::default())
    }

    async fn round(&self, joiner: &mut Joiner) -> Join {
        let deadline = Instant::now() + Duration::from_secs(10);
        joiner.round(&self.contract, &self.evidence, deadline).await;
        joiner.join()
    }

    fn reads(&self) -> usize {
        self.servers.iter().map(|server| server.requests().len()).sum()
    }
}

fn exposition(pods: &[(String, String)]) -> String {
    let mut body = format!("{METRIC}{{container=\"\",id=\"/\",namespace=\"\",pod=\"\"}} 1\n");
    for (namespace, name) in pods {
        let _ = writeln!(
            body,
            "{METRIC}{{container=\"\",namespace=\"{namespace}\",pod=\"{name}\"}} 1"
        );
    }
    body
}

const PATIENT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn one_round_reads_every_kubelet_once_and_the_next_none() {
    let cluster = Cluster::new().await;
    let mut joiner = cluster.joiner(PATIENT);
    assert_eq!(joiner.join(), Join::default());
    let join = cluster.round(&mut joiner).await;
    assert!(join.complete);
    assert_eq!(join.joined, ["node1", "node2"]);
    assert_eq!((join.failed_nodes, join.pods), (0, 6));
    assert!(join.oldest.is_some());
    assert_eq!(cluster.reads(), 2);
    cluster.round(&mut joiner).await;
    assert_eq!(cluster.reads(), 2, "it is nobody's turn");
    joiner.forget();
    assert_eq!(joiner.join(), Join::default());
}

#[tokio::test]
async fn a_kubelet_that_refuses_is_a_failed_node_and_is_read_again_each_round() {
    let mut cluster = Cluster::new().await;
    cluster
        .serve("node2", |_| Reply::Whole(403, "text/plain", "Forbidden".into()))
        .await;
    let mut joiner = cluster.joiner(PATIENT);
    let join = cluster.round(&mut joiner).await;
    assert_eq!((join.joined, join.failed_nodes), (vec!["node1".to_owned()], 1));
    assert_eq!(join.failed[0].node, "node2");
    assert!(
        join.failed[0].problem.contains("needs `get nodes/metrics`"),
        "{}",
        join.failed[0].problem
    );
    let body = exposition(&node_pods(&cluster.evidence, "node2"));
    cluster
        .serve("node2", move |_| Reply::Whole(200, EXPOSITION, body.clone().into()))
        .await;
    let join = cluster.round(&mut joiner).await;
    assert_eq!((join.joined.len(), join.failed_nodes), (2, 0));
}

#[tokio::test]
async fn a_pod_that_the_rows_lack_fails_its_node() {
    let mut cluster = Cluster::new().await;
    let (_, name) = node_pods(&cluster.evidence, "node2").remove(0);
    rows(&mut cluster.evidence).retain(|row| *row.pod != *name);
    let mut joiner = cluster.joiner(PATIENT);
    let join = cluster.round(&mut joiner).await;
    assert_eq!((join.joined, join.failed_nodes), (vec!["node1".to_owned()], 1));
    assert!(join.failed[0].problem.contains(&name), "{}", join.failed[0].problem);
}

#[tokio::test]
async fn a_kubelet_that_hangs_neither_holds_up_the_round_nor_passes() {
    let mut cluster = Cluster::new().await;
    cluster.serve("node1", |_| Reply::Hang).await;
    let mut joiner = cluster.joiner(PATIENT);
    let begun = Instant::now();
    let deadline = begun + Duration::from_millis(500);
    joiner.round(&cluster.contract, &cluster.evidence, deadline).await;
    assert!(begun.elapsed() < Duration::from_secs(3));
    let join = joiner.join();
    assert_eq!((join.complete, join.joined), (false, vec!["node2".to_owned()]));
    // With its own time over it is a failure, in words.
    let mut joiner = cluster.joiner(Duration::from_millis(300));
    let join = cluster.round(&mut joiner).await;
    assert!(join.complete);
    assert!(
        join.failed[0].problem.contains("no whole answer within 300ms"),
        "{}",
        join.failed[0].problem
    );
}

#[tokio::test]
async fn a_node_without_an_address_fails_and_one_that_is_not_ready_is_left_out() {
    let mut cluster = Cluster::new().await;
    nodes(&mut cluster.evidence)[0].address = None;
    let mut joiner = cluster.joiner(PATIENT);
    let join = cluster.round(&mut joiner).await;
    assert_eq!(join.failed[0].problem, "its status has no address of type InternalIP");
    nodes(&mut cluster.evidence)[0].ready.as_mut().unwrap().status = "Unknown".to_owned();
    let join = cluster.round(&mut joiner).await;
    assert_eq!((join.joined, join.failed_nodes), (vec!["node2".to_owned()], 0));
}

#[tokio::test]
async fn nothing_is_read_that_could_not_be_judged() {
    let mut cluster = Cluster::new().await;
    cluster.evidence.scrapes = Observed::not_collected();
    let mut joiner = cluster.joiner(PATIENT);
    let join = cluster.round(&mut joiner).await;
    assert!(!join.complete && join.joined.is_empty());
    assert_eq!(cluster.reads(), 0);
}

#[tokio::test]
async fn what_is_known_is_shown_as_metrics() {
    let cluster = Cluster::new().await;
    let mut registry = Registry::with_prefix("shuttle");
    let mut joiner = cluster.joiner(PATIENT);
    joiner.metrics.register(&mut registry);
    cluster.round(&mut joiner).await;
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        "shuttle_join_nodes_joined 2",
        "shuttle_join_nodes_failed 0",
        "shuttle_join_pods 6",
        "shuttle_join_reads_total 2",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
    }
}
