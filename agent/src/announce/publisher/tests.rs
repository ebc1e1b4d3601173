use super::*;
use crate::admin::sample;
use crate::announce::fake::{Server, refusal};
use crate::liveness::Liveness;
use crate::names::Names;
use http::StatusCode;
use starform_verify::contract::Contract;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// A publisher at work, and what it follows.
struct Bench {
    server: Server,
    snapshot: watch::Sender<Snapshot>,
    verified: watch::Sender<Option<Arc<Verification>>>,
    _names: watch::Sender<Option<Names>>,
    liveness: Liveness,
    task: JoinHandle<()>,
}

impl Bench {
    fn new(server: Server, phase: Phase) -> Self {
        let (snapshot, snapshots) = watch::channel(sample::snapshot(phase, None));
        let (verified, verifications) = watch::channel(None);
        let (names, names_seen) = watch::channel(sample::view(phase, "").names);
        let liveness = Liveness::default();
        let sources = Sources {
            identity: sample::identity(),
            contract: Arc::new(Contract::embedded().unwrap()),
            names: names_seen,
            snapshot: snapshots,
            verifications,
        };
        let pulse = liveness.watch("status", Publisher::TURNS_WITHIN);
        let publisher = Publisher::new(server.client(), sources, Metrics::default(), pulse);
        Self {
            server,
            snapshot,
            verified,
            _names: names,
            liveness,
            task: tokio::spawn(publisher.run()),
        }
    }

    fn phase(&self, phase: Phase) {
        self.snapshot.send_replace(sample::snapshot(phase, None));
    }

    /// What was written, in order.
    fn written(&self) -> Vec<ShuttleStatus> {
        let requests = self.server.requests();
        let json = |body: &serde_json::Value| body["data"]["status.json"].as_str().map(str::to_owned);
        let statuses = requests.iter().filter_map(|request| json(&request.body));
        statuses.map(|json| serde_json::from_str(&json).unwrap()).collect()
    }
}

fn taken() -> (StatusCode, serde_json::Value) {
    let object = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shuttle-status"}});
    (StatusCode::OK, object)
}

fn seconds(seconds: u64) -> impl Future<Output = ()> {
    sleep(Duration::from_secs(seconds))
}

#[tokio::test(start_paused = true)]
async fn it_is_applied_to_the_one_config_map_under_the_agent_s_name() {
    let bench = Bench::new(Server::answering([taken()]), Phase::Active);
    seconds(1).await;
    let requests = bench.server.requests();
    let methods: Vec<_> = requests.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["GET", "PATCH"]);
    for request in &requests {
        assert_eq!(
            request.path,
            "/api/v1/namespaces/starform-system/configmaps/shuttle-status"
        );
    }
    assert!(requests[1].query.contains("fieldManager=shuttle") && requests[1].query.contains("force=true"));
    assert_eq!(bench.written()[0].phase, Phase::Active);
}

#[tokio::test(start_paused = true)]
async fn what_changes_together_is_written_once_and_at_once() {
    let bench = Bench::new(Server::answering([taken()]), Phase::Verifying);
    seconds(5).await;
    assert_eq!(bench.written().len(), 1);
    bench.phase(Phase::Registering);
    bench
        .verified
        .send_replace(Some(Arc::new(sample::verification("healthy"))));
    sleep(Duration::from_millis(100)).await;
    bench.phase(Phase::Active);
    sleep(Duration::from_millis(500)).await;
    let written = bench.written();
    assert_eq!(written.len(), 2);
    assert_eq!(written[1].phase, Phase::Active);
    assert!(written[1].verdict.as_ref().unwrap().passes);
}

#[tokio::test(start_paused = true)]
async fn where_nothing_changes_it_is_written_every_minute() {
    let bench = Bench::new(Server::answering([taken()]), Phase::Active);
    // The same verdict and other heartbeats are no news.
    for _ in 0..60 {
        seconds(10).await;
        bench
            .verified
            .send_replace(Some(Arc::new(sample::verification("healthy"))));
        bench.snapshot.send_modify(|snapshot| {
            let registered = snapshot.registration.as_mut().unwrap();
            registered.heartbeat_accepted = Some(Timestamp::now());
        });
    }
    let count = bench.written().len();
    // Ten minutes, each write within a tenth of one; and one for the first verdict.
    assert!((10..=14).contains(&count), "{count}");
    assert_eq!(bench.liveness.stuck(), []);
}

#[tokio::test(start_paused = true)]
async fn the_standby_writes_nothing() {
    let bench = Bench::new(Server::answering([taken()]), Phase::Standby);
    seconds(3600).await;
    assert_eq!(bench.server.requests().len(), 0);
    assert_eq!(bench.liveness.stuck(), []);
    // Once it leads it does so at once.
    bench.phase(Phase::Active);
    seconds(1).await;
    assert_eq!(bench.written().len(), 1);
    bench.phase(Phase::Standby);
    seconds(3600).await;
    assert_eq!(bench.written().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_last_one_says_that_the_agent_stops_even_where_the_lease_is_gone() {
    let bench = Bench::new(Server::answering([taken()]), Phase::Active);
    seconds(1).await;
    bench.snapshot.send_modify(|snapshot| {
        snapshot.phase = Phase::Stopping;
        snapshot.leader = false;
    });
    let Bench {
        server,
        snapshot,
        verified,
        task,
        ..
    } = bench;
    drop((snapshot, verified));
    task.await.unwrap();
    let last = server.requests().pop().unwrap().body["data"]["status.json"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        serde_json::from_str::<ShuttleStatus>(&last).unwrap().phase,
        Phase::Stopping
    );
    assert_eq!(server.requests().len(), 3, "one reading, two writings");
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_never_led_says_nothing_when_it_stops() {
    let bench = Bench::new(Server::answering([taken()]), Phase::Standby);
    seconds(1).await;
    bench.snapshot.send_modify(|snapshot| snapshot.phase = Phase::Stopping);
    seconds(1).await;
    let Bench {
        server, snapshot, task, ..
    } = bench;
    drop(snapshot);
    task.await.unwrap();
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_refused_is_tried_again_ever_more_slowly() {
    let bench = Bench::new(
        Server::answering([refusal(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable")]),
        Phase::Active,
    );
    seconds(600).await;
    let count = bench.server.requests().len();
    // 1, 2, 4, 8, 16, 32 s, then every minute.
    assert!((12..=20).contains(&count), "{count}");
    assert_eq!(bench.liveness.stuck(), []);
    bench.phase(Phase::Degraded);
    bench.server.answers_now([taken()]);
    seconds(67).await;
    assert_eq!(bench.written().last().unwrap().phase, Phase::Degraded);
}

#[tokio::test(start_paused = true)]
async fn a_silent_api_server_holds_up_the_stop_for_one_request_at_most() {
    let bench = Bench::new(Server::silent(), Phase::Active);
    seconds(60).await;
    assert_eq!(bench.liveness.stuck(), []);
    bench.phase(Phase::Stopping);
    let Bench { snapshot, task, .. } = bench;
    drop(snapshot);
    let before = Instant::now();
    task.await.unwrap();
    assert!(before.elapsed() <= 2 * REQUEST_WITHIN, "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_uid_that_was_read_once_is_not_taken_back() {
    let bench = Bench::new(Server::answering([taken()]), Phase::Active);
    let mut verification = sample::verification("healthy");
    let uid = verification.uid.clone().unwrap();
    bench.verified.send_replace(Some(Arc::new(verification.clone())));
    seconds(1).await;
    verification.uid = None;
    bench.verified.send_replace(Some(Arc::new(verification)));
    seconds(70).await;
    assert!(bench.written().len() > 1);
    assert_eq!(bench.written().last().unwrap().uid, uid);
}

#[tokio::test(start_paused = true)]
async fn a_new_leader_leaves_the_registration_that_it_finds_until_it_has_its_own_or_is_refused() {
    let mut verification = sample::verification("healthy");
    let uid = verification.uid.clone().unwrap();
    // What the last leader left.
    let earlier = Bench::new(Server::answering([taken()]), Phase::Active);
    earlier.verified.send_replace(Some(Arc::new(verification.clone())));
    seconds(1).await;
    let left = earlier.written().pop().unwrap();
    assert!(left.registration.is_some() && left.uid == uid);
    let json = serde_json::to_string(&left).unwrap();
    let found = serde_json::json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shuttle-status"}, "data": {"status.json": json},
    });
    let bench = Bench::new(
        Server::answering([(StatusCode::OK, found.clone()), taken()]),
        Phase::Verifying,
    );
    seconds(1).await;
    let first = bench.written().pop().unwrap();
    assert_eq!((first.phase, &first.uid), (Phase::Verifying, &uid));
    assert_eq!(first.registration, left.registration);
    bench.phase(Phase::Rejected);
    seconds(1).await;
    assert_eq!(bench.written().pop().unwrap().registration, None);
    bench.phase(Phase::Registering);
    seconds(1).await;
    assert_eq!(
        bench.written().pop().unwrap().registration,
        None,
        "what was refused does not come back"
    );
    // Of another cluster nothing is taken over.
    verification.uid = Some("another".to_owned());
    let bench = Bench::new(Server::answering([(StatusCode::OK, found), taken()]), Phase::Verifying);
    bench.verified.send_replace(Some(Arc::new(verification)));
    seconds(1).await;
    assert_eq!(bench.written().pop().unwrap().registration, None);
}
