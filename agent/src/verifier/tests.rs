use super::status::Proven;
use super::*;
use crate::canary::Labelled;
use crate::identity::Identity;
use crate::join::Joiner;
use crate::join::sample::{healthy, nodes, pod, rows, seen};
use crate::kubelet::{Kubelets, ServiceAccount};
use crate::lifecycle::Gate;
use crate::liveness::Liveness;
use crate::parameters::{ClusterId, Region, Token};
use jiff::{SignedDuration, Timestamp};
use starform_verify::contract::Contract;
use starform_verify::evidence::{Canary, Condition, Evidence, Join, NodeJoin, NodesProven, Observed, PodRow, Source};

fn parameters(cluster_id: &str) -> Arc<Parameters> {
    Arc::new(Parameters {
        cluster_id: ClusterId::new(cluster_id).unwrap(),
        region: Region::new("nyc3").unwrap(),
        token: Token::new("token").unwrap(),
    })
}

fn circumstances() -> Circumstances {
    Circumstances {
        leading: true,
        status: None,
        snapshot: Snapshot::starting(Timestamp::now()),
        parameters: parameters("c-1"),
    }
}

/// A healthy cluster in which a pod of the recording takes the part of the agent's, labelled, and its labels on its row.
/// Evidence of this moment, as a proof has to be.
fn flowing() -> (Evidence, Identity, Labelled) {
    let mut evidence = healthy();
    let own = seen(&mut evidence.pods)
        .iter()
        .find(|pod| &*pod.namespace == "shop")
        .unwrap();
    let identity = Identity {
        namespace: own.namespace.to_string(),
        pod: own.name.to_string(),
        uid: own.uid.to_string(),
        node: own.node.as_deref().unwrap().to_owned(),
    };
    let labels = ["c-1", "nyc3", "starform", "shuttle", "shuttle"];
    let values: Box<[_]> = labels.iter().map(|value| Some((*value).into())).collect();
    pod(&mut evidence, &identity.namespace, &identity.pod).labels = values.clone();
    let row = rows(&mut evidence)
        .iter_mut()
        .find(|row| *row.uid == *identity.uid)
        .unwrap();
    row.labels = values;
    evidence.collected = Timestamp::now() - SignedDuration::from_millis(100);
    let labels = (evidence.label_keys.iter().cloned())
        .zip(labels.map(ToOwned::to_owned))
        .collect();
    let at = evidence.collected - SignedDuration::from_secs(1);
    (
        evidence,
        identity,
        Labelled {
            labels,
            at,
            fresh: true,
        },
    )
}

fn joined() -> Join {
    Join {
        complete: true,
        joined: vec!["node1".to_owned(), "node2".to_owned()],
        pods: 6,
        oldest: Some(Timestamp::now()),
        ..Join::default()
    }
}

fn verifier(identity: Identity, labelled: Option<Labelled>) -> Verifier {
    starform_verify::collect::install_crypto_provider();
    let config = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
    let client = kube::Client::try_from(config).unwrap();
    let account = ServiceAccount {
        token: "/nowhere".into(),
        authority: "/nowhere".into(),
    };
    let joiner = Joiner::new(
        Kubelets::new(account, Duration::from_secs(1)),
        crate::join::Metrics::default(),
    );
    let contract = Arc::new(Contract::embedded().unwrap());
    let metrics = Metrics::new(&contract);
    let mut verifier = Verifier::new(client, contract, identity, joiner, metrics);
    verifier.labelled = labelled;
    verifier
}

/// The gate of a cluster that differs from a healthy one in one thing.
fn gate(change: impl FnOnce(&mut Evidence, &Identity, &mut Join)) -> Gate {
    let (mut evidence, identity, labelled) = flowing();
    let mut join = joined();
    change(&mut evidence, &identity, &mut join);
    verifier(identity, Some(labelled))
        .judge(&circumstances(), evidence, join)
        .gate
}

fn code(gate: Gate) -> (bool, String) {
    match gate {
        Gate::Passes => (true, String::new()),
        Gate::Fails(broken) => (false, broken.code().unwrap_or_default().to_owned()),
        Gate::Unknown(broken) => (false, format!("unknown {}", broken.code().unwrap_or_default())),
    }
}

#[tokio::test]
async fn a_cluster_whose_labels_flow_and_whose_kubelets_join_passes() {
    let gate = gate(|_, _, _| {});
    assert_eq!(gate, Gate::Passes);
}

#[tokio::test]
async fn the_gate_names_what_is_missing() {
    let refused = |join: &mut Join| {
        join.failed_nodes = 1;
        join.failed.push(NodeJoin {
            node: "node2".to_owned(),
            problem: "403".to_owned(),
        });
    };
    let own_row = |evidence: &mut Evidence, identity: &Identity, change: fn(&mut PodRow)| {
        change(rows(evidence).iter_mut().find(|row| *row.uid == *identity.uid).unwrap());
    };
    let young = |evidence: &mut Evidence, identity: &Identity| {
        // So young that no other check misses its metrics.
        let now = evidence.now(Source::Pods).unwrap();
        pod(evidence, &identity.namespace, &identity.pod).created = now - SignedDuration::from_secs(20);
        seen(&mut evidence.pod_metrics).retain(|each| *each.name != *identity.pod);
    };
    for (expected, found) in [
        // One pod among several is no failure of the check of all pods, which stands before.
        (
            "SF505",
            gate(|evidence, identity, _| own_row(evidence, identity, |row| row.labels[0] = None)),
        ),
        ("SF505", gate(|evidence, identity, _| young(evidence, identity))),
        ("SF506", gate(|_, _, join| join.complete = false)),
        ("SF506", gate(|_, _, join| *join = Join::default())),
        ("SF506", gate(|_, _, join| refused(join))),
        ("SF506", gate(|_, _, join| drop(join.joined.pop()))),
        (
            "SF301",
            gate(|evidence, _, _| evidence.metrics_api_service = Observed::Absent),
        ),
        (
            "unknown SF308",
            gate(|evidence, _, _| evidence.pods = Observed::not_collected()),
        ),
    ] {
        assert_eq!(code(found), (false, expected.to_owned()));
    }
}

#[tokio::test]
async fn a_pod_that_was_not_labelled_proves_nothing() {
    let (evidence, identity, _) = flowing();
    let verification = verifier(identity, None).judge(&circumstances(), evidence, joined());
    assert_eq!(code(verification.gate), (false, "SF505".to_owned()));
}

#[tokio::test]
async fn what_the_round_has_found_is_published_with_the_verdict() {
    let (mut evidence, identity, labelled) = flowing();
    let uid = seen(&mut evidence.identity).clone();
    let now = evidence.now(Source::Nodes).unwrap();
    nodes(&mut evidence)[0].telemetry_renewed = Some(now);
    nodes(&mut evidence)[0].telemetry = Some(Condition {
        status: "True".to_owned(),
        reason: String::new(),
        message: String::new(),
        since: None,
    });
    let verification = verifier(identity.clone(), Some(labelled)).judge(&circumstances(), evidence, joined());
    assert_eq!(verification.uid, Some(uid));
    assert_eq!(verification.canary.uid, identity.uid);
    assert_eq!(verification.canary.lag_ms, Some(1_073));
    assert_eq!(verification.join.pods, 6);
    let nodes = &verification.nodes;
    assert_eq!(
        (nodes.proven, nodes.of, nodes.unproven.as_slice()),
        (1, 2, ["node2".to_owned()].as_slice())
    );
}

#[tokio::test]
async fn a_nodes_word_that_is_old_is_none() {
    let (mut evidence, ..) = flowing();
    let contract = Contract::embedded().unwrap();
    let now = evidence.now(Source::Nodes).unwrap();
    for node in nodes(&mut evidence) {
        node.telemetry_renewed = Some(now - SignedDuration::from_hours(1));
        node.telemetry = Some(Condition {
            status: "True".to_owned(),
            reason: String::new(),
            message: String::new(),
            since: None,
        });
    }
    assert_eq!(proven::nodes(&contract, &evidence).proven, 0);
    evidence.nodes = Observed::not_collected();
    assert_eq!(proven::nodes(&contract, &evidence), NodesProven::default());
}

fn status(join: &Join) -> ShuttleStatus {
    let (evidence, identity, _) = flowing();
    drop(evidence);
    let snapshot = Snapshot::starting(Timestamp::now());
    let proven = Proven {
        uid: None,
        canary: &Canary::default(),
        join,
        nodes: &NodesProven::default(),
    };
    status::own(&identity, &parameters("c-1"), &snapshot, proven, Timestamp::now())
}

#[tokio::test]
async fn a_standby_judges_by_the_leaders_join_and_reads_no_kubelet() {
    let (evidence, identity, labelled) = flowing();
    let mut verifier = verifier(identity, Some(labelled));
    let standby = Circumstances {
        leading: false,
        status: Some(status(&joined())),
        ..circumstances()
    };
    let join = verifier.join(&standby, &evidence).await;
    assert_eq!(join.joined, joined().joined);
    let alone = Circumstances {
        status: None,
        ..standby
    };
    assert_eq!(verifier.join(&alone, &evidence).await, Join::default());
}

#[tokio::test]
async fn a_new_leader_goes_by_the_last_ones_join_until_its_own_is_known_and_no_longer_than_it_is_fresh() {
    let (mut evidence, identity, labelled) = flowing();
    // Its own first pass cannot be made: there are no rows to join with.
    evidence.scrapes = Observed::not_collected();
    let mut verifier = verifier(identity, Some(labelled));
    let with = |join: Join| Circumstances {
        status: Some(status(&join)),
        ..circumstances()
    };
    assert!(verifier.join(&with(joined()), &evidence).await.complete);
    let stale = Join {
        oldest: Some(Timestamp::now() - SignedDuration::from_mins(16)),
        ..joined()
    };
    assert!(!verifier.join(&with(stale), &evidence).await.complete);
    let partial = Join {
        complete: false,
        ..joined()
    };
    assert!(verifier.join(&with(partial), &evidence).await.joined.is_empty());
    // What it has itself found to be broken counts at once: these kubelets have no token file to be read with.
    let (evidence, ..) = flowing();
    let own = verifier.join(&with(joined()), &evidence).await;
    assert_eq!(own.failed_nodes, 2);
}

#[tokio::test]
async fn it_can_be_a_task_of_its_own_and_stops_within_a_round() {
    let (_, identity, labelled) = flowing();
    let (_leading, leading) = watch::channel(true);
    let (_status, status) = watch::channel(None);
    let (_snapshot, snapshot) = watch::channel(Snapshot::starting(Timestamp::now()));
    let (_parameters, parameters) = watch::channel(parameters("c-1"));
    let stop = CancellationToken::new();
    let inbox = Inbox {
        leading,
        status,
        snapshot,
        parameters,
        verify: Arc::new(Notify::new()),
        stop: stop.clone(),
    };
    let (verifications, mut seen) = watch::channel(None);
    let pulse = Liveness::default().watch("verifier", TURNS_WITHIN);
    // Nothing answers: the verdict is that nothing could be seen.
    let task = tokio::spawn(run(verifier(identity, Some(labelled)), inbox, verifications, pulse));
    seen.changed().await.unwrap();
    assert_eq!(
        code(
            seen.borrow()
                .as_deref()
                .map(|verification: &Verification| verification.gate.clone())
                .unwrap()
        ),
        (false, "unknown SF101".to_owned())
    );
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), task)
        .await
        .unwrap()
        .unwrap();
}
