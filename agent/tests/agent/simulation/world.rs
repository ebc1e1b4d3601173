//! The network between the agents and Starbase, and whoever watches it.

use super::fault::{Fault, World as WorldFault};
use super::starbase::{Answer, Starbase, answer, problem};
use http::header::{CONTENT_TYPE, IF_MATCH, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Request, Response};
use serde_json::json;
use shuttle::lifecycle::Phase;
use shuttle::registrar::{Transport, TransportError};
use shuttle::snapshot::Snapshot;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// In every token, and nowhere else.
pub(crate) const SECRET: &str = "sEcReT";
/// As the real transport has it.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Of a hundred requests, while faults happen.
const FAULTY: u8 = 55;
/// No agent asks more often within ten seconds, whatever happens.
const BURST: usize = 20;

pub(crate) type Shared = Arc<Mutex<World>>;

/// Everything outside the agents.
pub(crate) struct World {
    pub(crate) starbase: Starbase,
    pub(crate) random: fastrand::Rng,
    pub(crate) chaos: bool,
    pub(crate) down_until: Duration,
    started: Instant,
    pub(crate) processes: Vec<Process>,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    pub(crate) violations: Vec<String>,
    pub(crate) trace: Vec<String>,
    pub(crate) requests: u64,
    pub(crate) most_in_ten_seconds: usize,
}

/// One agent's process, and what it may not do.
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) snapshot: watch::Receiver<Snapshot>,
    pub(crate) alive: bool,
    not_before: Duration,
    /// When it was refused, as long as neither parameters nor Lease have changed since.
    pub(crate) refused: Option<Duration>,
    /// It was told that a later registration stands, and has not been elected since.
    pub(crate) superseded: bool,
    recent: VecDeque<Duration>,
}

/// The agent's end of the network.
pub(crate) struct Wire {
    pub(crate) world: Shared,
    pub(crate) process: usize,
}

// === impl World ===

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let starbase = Starbase::new(random.u64(5..40));
        Self {
            starbase,
            random,
            chaos: false,
            down_until: Duration::ZERO,
            started: Instant::now(),
            processes: Vec::new(),
            faults: BTreeMap::new(),
            violations: Vec::new(),
            trace: Vec::new(),
            requests: 0,
            most_in_ten_seconds: 0,
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn process(&mut self, name: &str, snapshot: watch::Receiver<Snapshot>) -> usize {
        self.processes.push(Process {
            name: name.to_owned(),
            snapshot,
            alive: true,
            not_before: Duration::ZERO,
            refused: None,
            superseded: false,
            recent: VecDeque::new(),
        });
        self.processes.len() - 1
    }

    pub(crate) fn note(&mut self, what: &str) {
        let line = format!("{:>9.3} {what}", self.now().as_secs_f64());
        self.trace.push(line);
    }

    pub(crate) fn violate(&mut self, what: &str) {
        let line = format!("at {:.3} s: {what}", self.now().as_secs_f64());
        self.violations.push(line);
    }

    pub(crate) fn count(&mut self, class: &'static str) {
        *self.faults.entry(class).or_default() += 1;
    }

    /// Two that believe in the same generation are fenced by nothing.
    pub(crate) fn check_generations(&mut self) {
        let mut seen = BTreeSet::new();
        let mut twice = None;
        for process in self.processes.iter().filter(|process| process.alive) {
            let snapshot = process.snapshot.borrow();
            if let (Phase::Active, true, Some(registered)) = (snapshot.phase, snapshot.leader, snapshot.registration)
                && !seen.insert(registered.generation)
            {
                twice = Some(registered.generation);
            }
        }
        if let Some(generation) = twice {
            self.violate(&format!("two agents are active with generation {generation}"));
        }
    }

    /// A request leaves the agent.
    fn begin(&mut self, index: usize, request: &Request<Vec<u8>>) -> (Fault, Duration) {
        let now = self.now();
        let path = request.uri().path().to_owned();
        let resource = path.rsplit('/').next().unwrap_or_default().to_owned();
        let down = now < self.down_until;
        let fault = if self.chaos && self.random.u8(0..100) < FAULTY {
            Fault::draw(&mut self.random)
        } else {
            Fault::None
        };
        let latency = Duration::from_millis(self.random.u64(2..80));
        self.requests += 1;
        match &fault {
            _ if down => self.count(WorldFault::Down.class()),
            Fault::None => {}
            other => self.count(other.class()),
        }
        let process = &mut self.processes[index];
        let name = process.name.clone();
        let phase = process.snapshot.borrow().phase;
        let mut wrong = Vec::new();
        if now < process.not_before {
            wrong.push(format!(
                "asked {:?} before Retry-After was over",
                process.not_before - now
            ));
        }
        if process.superseded {
            wrong.push("asked after 412, without having been elected".to_owned());
        }
        if resource == "registration" {
            if phase == Phase::Rejected {
                wrong.push("registered while rejected".to_owned());
            }
            if let Some(since) = process.refused.filter(|since| now - *since < Duration::from_mins(4)) {
                wrong.push(format!("registered {:?} after it was refused", now - since));
            }
        }
        if !matches!(
            phase,
            Phase::Registering | Phase::Active | Phase::Degraded | Phase::Stopping
        ) {
            wrong.push(format!("asked in phase {phase}"));
        }
        process.recent.push_back(now);
        while process
            .recent
            .front()
            .is_some_and(|first| now - *first > Duration::from_secs(10))
        {
            process.recent.pop_front();
        }
        let recent = process.recent.len();
        if recent > BURST {
            wrong.push(format!("asked {recent} times in ten seconds"));
        }
        if String::from_utf8_lossy(request.body()).contains(SECRET) || path.contains(SECRET) {
            wrong.push("told the token outside of the header".to_owned());
        }
        self.most_in_ten_seconds = self.most_in_ten_seconds.max(recent);
        let matched = request.headers().get(IF_MATCH).cloned();
        self.note(&format!(
            "{name} {phase} asks {resource} {matched:?}: {fault:?}, down: {down}"
        ));
        for what in wrong {
            self.violate(&format!("{name} {what}"));
        }
        (fault, latency)
    }

    /// An answer reaches the agent.
    fn end(&mut self, index: usize, heartbeat: bool, outcome: &Result<Answer, TransportError>) {
        let now = self.now();
        let name = self.processes[index].name.clone();
        let Ok(answer) = outcome else {
            return self.note(&format!("{name} gets no answer"));
        };
        let status = answer.status().as_u16();
        self.note(&format!("{name} gets {status}"));
        let process = &mut self.processes[index];
        let after = answer
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(after) = after {
            process.not_before = process.not_before.max(now + Duration::from_secs(after));
        }
        let own = answer
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|media| media == "application/problem+json");
        // One that breaks off is nobody's word.
        let whole = serde_json::from_slice::<serde_json::Value>(answer.body()).is_ok();
        match status {
            401 | 403 | 409 if own && whole => process.refused = Some(now),
            412 if own && whole && heartbeat => process.superseded = true,
            _ => {}
        }
    }

    fn handle(&mut self, request: &Request<Vec<u8>>) -> Answer {
        let answer = self.starbase.handle(request);
        self.note(&format!("Starbase answers {}", answer.status().as_u16()));
        answer
    }
}

// === impl Wire ===

impl Transport for Wire {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let heartbeat = request.uri().path().ends_with("/heartbeat");
        let (fault, latency) = self.world.lock().unwrap().begin(self.process, &request);
        let outcome = match timeout(TIMEOUT, self.carry(fault, latency, request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(broken("no answer in time: none within 15 s")),
        };
        self.world.lock().unwrap().end(self.process, heartbeat, &outcome);
        outcome
    }
}

impl Wire {
    async fn carry(
        &self,
        fault: Fault,
        latency: Duration,
        request: Request<Vec<u8>>,
    ) -> Result<Answer, TransportError> {
        sleep(latency).await;
        let handle = || {
            let mut world = self.world.lock().unwrap();
            if world.now() < world.down_until {
                return Err(broken("the connection was refused"));
            }
            Ok(world.handle(&request))
        };
        if let Fault::Late(by) = fault {
            return self.carry_late(by, request).await;
        }
        {
            let world = self.world.lock().unwrap();
            if world.now() < world.down_until {
                return Err(broken("the connection was refused"));
            }
        }
        match fault {
            Fault::None | Fault::Late(_) => handle(),
            Fault::Slow(by) => {
                let answer = handle()?;
                sleep(by).await;
                Ok(answer)
            }
            Fault::Hang { applied } => {
                if applied {
                    handle()?;
                }
                std::future::pending().await
            }
            Fault::Dropped { applied } => {
                if applied {
                    handle()?;
                }
                Err(broken("the connection broke before an answer began"))
            }
            Fault::Truncated => {
                let (head, mut body) = handle()?.into_parts();
                body.truncate(body.len() / 2);
                Ok(Response::from_parts(head, body))
            }
            Fault::Portal => Ok(answer(
                200,
                "text/html",
                b"<html><title>Sign in to the network</title></html>".to_vec(),
            )),
            Fault::Foreign => Ok(answer(
                200,
                "application/json",
                br#"{"status":"ok","generation":1}"#.to_vec(),
            )),
            Fault::Redirect => {
                let mut redirect = answer(302, "text/html", Vec::new());
                redirect
                    .headers_mut()
                    .insert(LOCATION, HeaderValue::from_static("https://login.example/"));
                Ok(redirect)
            }
            Fault::Status {
                status,
                problem: own,
                retry_after,
            } => {
                let bearer = request
                    .headers()
                    .get("authorization")
                    .and_then(|value| value.to_str().ok());
                let mut answer = if own {
                    // A server that repeats what it was sent: the token must not be repeated in turn.
                    problem(status, &format!("you sent {}", bearer.unwrap_or_default()), &json!({}))
                } else {
                    answer(status, "text/html", format!("<html>{bearer:?}</html>").into_bytes())
                };
                if let Some(seconds) = retry_after {
                    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                }
                Ok(answer)
            }
        }
    }

    /// It is on its way, whether or not the agent still waits for an answer.
    async fn carry_late(&self, by: Duration, request: Request<Vec<u8>>) -> Result<Answer, TransportError> {
        let world = Arc::clone(&self.world);
        let arrival = tokio::spawn(async move {
            sleep(by).await;
            let mut world = world.lock().unwrap();
            if world.now() < world.down_until {
                return Err(broken("the connection was refused"));
            }
            Ok(world.handle(&request))
        });
        arrival.await.unwrap_or_else(|_| Err(broken("the connection broke")))
    }
}

fn broken(message: &str) -> TransportError {
    TransportError {
        message: message.to_owned(),
    }
}
