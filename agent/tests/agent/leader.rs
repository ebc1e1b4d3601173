//! Elections among replicas, under paused time, over an API server that stores one Lease as a real one does and fails on
//! demand. What a real API server does with the same requests is tested on the testbed.

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};
use shuttle::identity::Identity;
use shuttle::leader::{self, Settings};
use shuttle::liveness::Liveness;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/starform-system/leases";

/// One Lease, with optimistic concurrency.
#[derive(Clone, Default)]
struct ApiServer(Arc<Mutex<Stored>>);

#[derive(Default)]
struct Stored {
    lease: Option<Value>,
    version: u64,
    fault: Option<Fault>,
    writes: usize,
}

#[derive(Clone, Copy)]
enum Fault {
    /// Answered with this status.
    Status(u16),
    /// Nobody listens.
    Refused,
    /// Done, and never answered.
    Unanswered,
    /// Each request fails in one of these ways with this probability; and each takes up to a second.
    Some(f64),
}

struct Replica {
    leading: watch::Receiver<bool>,
    step_down: Arc<Notify>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

// === impl ApiServer ===

impl ApiServer {
    fn client(&self) -> kube::Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { server.serve(request).await }
        });
        kube::Client::new(service, "starform-system")
    }

    async fn serve(&self, request: Request<Body>) -> Result<Response<Body>, std::io::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let mut fault = self.0.lock().unwrap().fault;
        if let Some(Fault::Some(probability)) = fault {
            sleep(Duration::from_secs(1).mul_f64(fastrand::f64())).await;
            let faults = [Fault::Status(503), Fault::Refused, Fault::Unanswered];
            let chosen = faults[fastrand::usize(..faults.len())];
            fault = (fastrand::f64() < probability).then_some(chosen);
        }
        match fault {
            Some(Fault::Status(status)) => return Ok(status_object(status, "ServiceUnavailable")),
            Some(Fault::Refused) => return Err(std::io::Error::other("connection refused")),
            _ => {}
        }
        let answer = self.store(&head.method, head.uri.path(), &body);
        if let Some(Fault::Unanswered) = fault {
            std::future::pending::<()>().await;
        }
        Ok(answer)
    }

    fn store(&self, method: &Method, path: &str, body: &[u8]) -> Response<Body> {
        let mut stored = self.0.lock().unwrap();
        let named = format!("{LEASES}/shuttle");
        if *method == Method::GET && path == named {
            return match &stored.lease {
                Some(lease) => object(200, lease),
                None => status_object(404, "NotFound"),
            };
        }
        let mut lease: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(lease["metadata"]["name"], "shuttle");
        let version = lease["metadata"]["resourceVersion"].as_str().map(str::to_owned);
        let current = stored
            .lease
            .as_ref()
            .map(|lease| lease["metadata"]["resourceVersion"].as_str().unwrap());
        match (method, path, version, current) {
            (&Method::POST, LEASES, None, None) => {}
            (&Method::POST, LEASES, None, Some(_)) => return status_object(409, "AlreadyExists"),
            (&Method::PUT, path, Some(_), None) if path == named => return status_object(404, "NotFound"),
            (&Method::PUT, path, Some(version), Some(current)) if path == named => {
                if version != current {
                    return status_object(409, "Conflict");
                }
            }
            other => panic!("a request that no agent should send: {other:?}"),
        }
        stored.writes += 1;
        stored.put(&mut lease);
        object(200, &lease)
    }

    fn set(&self, fault: Option<Fault>) {
        self.0.lock().unwrap().fault = fault;
    }

    /// Somebody else writes.
    fn change(&self, change: impl FnOnce(&mut Value)) {
        let mut stored = self.0.lock().unwrap();
        let mut lease = stored.lease.clone().unwrap();
        change(&mut lease);
        stored.put(&mut lease);
    }

    fn spec(&self, field: &str) -> Value {
        self.0.lock().unwrap().lease.as_ref().unwrap()["spec"][field].clone()
    }

    fn writes(&self) -> usize {
        self.0.lock().unwrap().writes
    }
}

impl Stored {
    fn put(&mut self, lease: &mut Value) {
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(lease.clone());
    }
}

fn object(status: u16, object: &Value) -> Response<Body> {
    let body = Body::from(object.to_string().into_bytes());
    Response::builder().status(status).body(body).unwrap()
}

fn status_object(status: u16, reason: &str) -> Response<Body> {
    assert!(!StatusCode::from_u16(status).unwrap().is_success());
    let said = json!({ "kind": "Status", "status": "Failure", "code": status, "reason": reason, "message": reason });
    object(status, &said)
}

// === impl Replica ===

impl Replica {
    fn start(server: &ApiServer, pod: &str) -> Self {
        let (sender, leading) = watch::channel(false);
        let (step_down, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let identity = Identity {
            namespace: "starform-system".to_owned(),
            pod: pod.to_owned(),
            uid: pod.to_owned(),
            node: "node-1".to_owned(),
        };
        let (client, pulse) = (
            server.client(),
            Liveness::default().watch("leader", Duration::from_secs(30)),
        );
        let (theirs, token) = (Arc::clone(&step_down), stop.clone());
        let task = tokio::spawn(async move {
            leader::run(client, Settings::default(), &identity, sender, theirs, pulse, token).await;
        });
        Self {
            leading,
            step_down,
            stop,
            task,
        }
    }

    /// Waits until it leads, or no longer does; how long that took.
    async fn until(&mut self, leads: bool) -> Duration {
        let start = Instant::now();
        let changed = timeout(
            Duration::from_mins(10),
            self.leading.wait_for(|leading| *leading == leads),
        )
        .await;
        changed.expect("ten minutes passed").unwrap();
        start.elapsed()
    }

    fn leads(&self) -> bool {
        *self.leading.borrow()
    }

    /// As `kill -9`: nothing is given back.
    fn kill(self) {
        self.task.abort();
    }
}

async fn two(server: &ApiServer) -> (Replica, Replica) {
    let mut leader = Replica::start(server, "a");
    leader.until(true).await;
    let standby = Replica::start(server, "b");
    sleep(Duration::from_secs(10)).await;
    (leader, standby)
}

#[tokio::test(start_paused = true)]
async fn one_of_two_leads_and_the_lease_says_which() {
    let server = ApiServer::default();
    let (leader, standby) = two(&server).await;
    sleep(Duration::from_hours(1)).await;
    assert!(leader.leads() && !standby.leads());
    assert_eq!(server.spec("holderIdentity"), "a");
    assert_eq!(server.spec("leaseTransitions"), 0);
    let writes = server.writes();
    assert!((720..=910).contains(&writes), "{writes} writes in an hour");
}

#[tokio::test(start_paused = true)]
async fn a_killed_leader_is_succeeded_within_the_duration_and_three_seconds_and_not_before_its_lease_ends() {
    for _ in 0..50 {
        let server = ApiServer::default();
        let (leader, mut standby) = two(&server).await;
        sleep(Duration::from_secs(5).mul_f64(fastrand::f64())).await;
        leader.kill();
        let took = standby.until(true).await;
        // The last renewal was up to five seconds before.
        assert!(
            took >= Duration::from_secs(10) && took <= Duration::from_secs(18),
            "{took:?}"
        );
        assert_eq!(server.spec("holderIdentity"), "b");
        assert_eq!(server.spec("leaseTransitions"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stopped_leader_gives_the_lease_back_and_the_standby_takes_it_at_its_next_look() {
    let server = ApiServer::default();
    let (leader, mut standby) = two(&server).await;
    leader.stop.cancel();
    leader.task.await.unwrap();
    assert!(!*leader.leading.borrow());
    assert_eq!(server.spec("holderIdentity"), "");
    let took = standby.until(true).await;
    assert!(took <= Duration::from_secs(2), "{took:?}");
    assert_eq!(server.spec("leaseTransitions"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_standby_leaves_the_lease_alone() {
    let server = ApiServer::default();
    let (leader, standby) = two(&server).await;
    standby.stop.cancel();
    standby.task.await.unwrap();
    assert_eq!(server.spec("holderIdentity"), "a");
    assert!(leader.leads());
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_steps_down_lets_another_lead() {
    let server = ApiServer::default();
    let (mut leader, mut standby) = two(&server).await;
    leader.step_down.notify_one();
    leader.until(false).await;
    let took = standby.until(true).await;
    assert!(took <= Duration::from_secs(2), "{took:?}");
    sleep(Duration::from_mins(10)).await;
    assert!(!leader.leads() && standby.leads());
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_steps_down_alone_comes_back_after_the_duration() {
    let server = ApiServer::default();
    let mut only = Replica::start(&server, "a");
    only.until(true).await;
    only.step_down.notify_one();
    only.until(false).await;
    let took = only.until(true).await;
    assert!(
        took >= Duration::from_secs(15) && took <= Duration::from_secs(21),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_to_step_down_that_came_too_late_does_not_end_the_next_leadership() {
    let server = ApiServer::default();
    let (leader, mut standby) = two(&server).await;
    standby.step_down.notify_one();
    leader.stop.cancel();
    standby.until(true).await;
    sleep(Duration::from_mins(1)).await;
    assert!(standby.leads());
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_restarts_does_not_end_leadership() {
    for fault in [
        Fault::Status(503),
        Fault::Status(429),
        Fault::Refused,
        Fault::Unanswered,
    ] {
        let server = ApiServer::default();
        let (leader, standby) = two(&server).await;
        let mut watched = leader.leading.clone();
        watched.mark_unchanged();
        server.set(Some(fault));
        sleep(Duration::from_secs(6)).await;
        server.set(None);
        sleep(Duration::from_mins(1)).await;
        assert!(leader.leads() && !standby.leads());
        assert!(!watched.has_changed().unwrap());
        assert_eq!(server.spec("leaseTransitions"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_stops_before_its_lease_could_be_taken_and_comes_back_by_itself() {
    for fault in [Fault::Status(500), Fault::Refused, Fault::Unanswered] {
        let server = ApiServer::default();
        let (mut leader, mut standby) = two(&server).await;
        server.set(Some(fault));
        let took = leader.until(false).await;
        assert!(
            took >= Duration::from_secs(7) && took <= Duration::from_secs(12),
            "{took:?}"
        );
        sleep(Duration::from_mins(2)).await;
        assert!(!leader.leads() && !standby.leads());
        server.set(None);
        let either = async {
            tokio::select! {
                took = leader.until(true) => took,
                took = standby.until(true) => took,
            }
        };
        let took = either.await;
        assert!(took <= Duration::from_secs(5), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_answers_are_lost_still_knows_its_own_lease() {
    let server = ApiServer::default();
    let (leader, _standby) = two(&server).await;
    for _ in 0..20 {
        server.set(Some(Fault::Unanswered));
        sleep(Duration::from_secs(5)).await;
        server.set(None);
        sleep(Duration::from_secs(7)).await;
    }
    assert!(leader.leads());
    assert_eq!(server.spec("leaseTransitions"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_leaves_the_holder_does_not_end_leadership() {
    let server = ApiServer::default();
    let (leader, _standby) = two(&server).await;
    let mut watched = leader.leading.clone();
    watched.mark_unchanged();
    for _ in 0..20 {
        server.change(|lease| lease["metadata"]["annotations"] = json!({ "seen": fastrand::u32(..).to_string() }));
        sleep(Duration::from_secs(6)).await;
    }
    assert!(leader.leads() && !watched.has_changed().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_lease_another_took_follows_at_its_next_renewal() {
    let server = ApiServer::default();
    let mut leader = Replica::start(&server, "a");
    leader.until(true).await;
    server.change(|lease| lease["spec"]["holderIdentity"] = json!("somebody"));
    let took = leader.until(false).await;
    assert!(took <= Duration::from_secs(5), "{took:?}");
    // That one never renews.
    let took = leader.until(true).await;
    assert!(
        took >= Duration::from_secs(14) && took <= Duration::from_secs(18),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_deleted_is_made_again() {
    let server = ApiServer::default();
    let mut leader = Replica::start(&server, "a");
    leader.until(true).await;
    server.0.lock().unwrap().lease = None;
    sleep(Duration::from_secs(10)).await;
    leader.until(true).await;
    assert_eq!(server.spec("holderIdentity"), "a");
}

#[tokio::test(start_paused = true)]
async fn three_replicas_never_lead_two_at_a_time_whatever_fails() {
    // The same elections each time: one that went wrong is seen again.
    let (mut led, mut changes) = (0, 0);
    for seed in 0..3 {
        let (steps, successions) = an_hour_of_elections(seed).await;
        led += steps;
        changes += successions;
    }
    // The test would prove nothing where nobody ever leads, or always the same.
    assert!(
        led > 3 * 3_600 && changes > 3 * 10,
        "led in {led} steps, {changes} changes"
    );
}

/// In how many tenths of a second somebody led, and how often that became another.
async fn an_hour_of_elections(seed: u64) -> (usize, usize) {
    fastrand::seed(seed);
    let server = ApiServer::default();
    let mut replicas: Vec<_> = ["a", "b", "c"].iter().map(|pod| Replica::start(&server, pod)).collect();
    let (mut led, mut changes) = (0, 0);
    let mut last = None;
    for step in 0..36_000_u32 {
        if step % 300 == 0 {
            let probability = [0.0, 0.2, 0.5, 0.9, 1.0][fastrand::usize(..5)];
            server.set(Some(Fault::Some(probability)));
        }
        if step % 700 == 0 {
            let replica = fastrand::usize(..3);
            match fastrand::u8(..3) {
                0 => replicas[replica].step_down.notify_one(),
                1 => replicas[replica].task.abort(),
                _ => replicas[replica].stop.cancel(),
            }
        }
        for (place, pod) in ["a", "b", "c"].iter().enumerate() {
            if replicas[place].task.is_finished() {
                replicas[place] = Replica::start(&server, pod);
            }
        }
        sleep(Duration::from_millis(100)).await;
        let leaders: Vec<_> = (0..3).filter(|place| replicas[*place].leads()).collect();
        assert!(leaders.len() <= 1, "seed {seed}, step {step}: {leaders:?} lead");
        led += leaders.len();
        if let Some(leader) = leaders.first()
            && last.replace(*leader) != Some(*leader)
        {
            changes += 1;
        }
    }
    for replica in replicas {
        replica.task.abort();
    }
    (led, changes)
}
