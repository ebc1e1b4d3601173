//! What happens in one seed: faults for forty minutes, then none, and how long it takes to recover.

use super::fault::World as Event;
use super::feed::Feed;
use super::logs::Logs;
use super::replica::{Cluster, Replica};
use super::verification::Weather;
use super::world::{SECRET, Shared, World};
use futures::FutureExt;
use shuttle::lifecycle::Phase;
use shuttle::parameters::{ClusterId, Parameters, Region, Token};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;

const CHAOS: Duration = Duration::from_mins(40);
/// Retry-After of five minutes and a quarter, a backoff of two, a refusal's six, Lease and verifier in between.
const RECOVERY: Duration = Duration::from_mins(20);
/// So long one leader has to stay before that counts.
const STABLE: Duration = Duration::from_mins(2);
const SLICE: Duration = Duration::from_secs(2);
const OUT: Duration = Duration::from_secs(15);

/// What a seed came to.
pub(crate) struct Outcome {
    pub(crate) trace: Vec<String>,
    pub(crate) digest: u64,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    pub(crate) violations: Vec<String>,
    pub(crate) simulated: Duration,
    pub(crate) recovery: Duration,
    pub(crate) requests: u64,
    pub(crate) most_in_ten_seconds: usize,
}

/// What will happen.
#[derive(Clone, Copy)]
enum Later {
    Weather(Weather),
    Mint,
    OneLeader,
    SecondClusterLeaves,
}

/// One seed in progress.
struct Script {
    world: Shared,
    random: fastrand::Rng,
    own: Cluster,
    other: Cluster,
    weather: Feed<Weather>,
    parameters: Feed<Arc<Parameters>>,
    changes: Feed<u64>,
    token: String,
    minted: u64,
    replicas: Vec<Replica>,
    /// Of each replica: it stays out of the election until then.
    out_until: [Duration; 2],
    holder: Option<usize>,
    free_at: Duration,
    second: Option<Replica>,
    later: Vec<(Duration, Later)>,
    started: u64,
}

pub(crate) fn simulate(seed: u64) -> Outcome {
    let logs = Logs::default();
    let guard = logs.keep();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let (world, recovery) = runtime.block_on(async {
        let mut script = Script::new(seed);
        script.chaos().await;
        let recovery = script.recover().await;
        (Arc::clone(&script.world), recovery)
    });
    let simulated = runtime.block_on(async { world.lock().unwrap().now() });
    drop(runtime);
    drop(guard);
    let mut world = world.lock().unwrap();
    let mut hasher = DefaultHasher::new();
    world.trace.hash(&mut hasher);
    let mut violations = std::mem::take(&mut world.violations);
    let text = logs.text();
    if let Some(line) = text
        .lines()
        .chain(world.trace.iter().map(String::as_str))
        .find(|line| line.contains(SECRET))
    {
        violations.push(format!("the token was told: {line}"));
    }
    if !text.contains("Starbase did not accept") {
        violations.push("nothing was logged: that the token is in no log proves nothing".to_owned());
    }
    Outcome {
        digest: hasher.finish(),
        trace: std::mem::take(&mut world.trace),
        faults: std::mem::take(&mut world.faults),
        violations,
        simulated,
        recovery,
        requests: world.requests,
        most_in_ten_seconds: world.most_in_ten_seconds,
    }
}

/// Two leaders without any fault: how long the first stays active beside the second, and the heartbeat interval.
pub(crate) fn fence(seed: u64) -> (Duration, Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let script = Script::new(seed);
        let active = |index: usize| script.replicas[index].snapshot.borrow().phase == Phase::Active;
        script.replicas[0].leading.send_replace(true);
        while !active(0) {
            sleep(Duration::from_millis(100)).await;
        }
        sleep(Duration::from_secs(fastrand::Rng::with_seed(seed).u64(0..100))).await;
        script.replicas[1].leading.send_replace(true);
        while !active(1) {
            sleep(Duration::from_millis(10)).await;
        }
        let both = script.now();
        while active(0) {
            sleep(Duration::from_millis(10)).await;
            assert!(
                script.now() - both < Duration::from_mins(10),
                "seed {seed}: never fenced"
            );
        }
        assert!(active(1) && script.replicas[0].step_down.notified().now_or_never().is_some());
        assert!(!script.replicas[0].snapshot.borrow().leader);
        let world = script.world.lock().unwrap();
        assert!(world.violations.is_empty(), "{:?}", world.violations);
        (world.now() - both, Duration::from_secs(world.starbase.interval))
    })
}

// === impl Script ===

impl Script {
    fn new(seed: u64) -> Self {
        let world: Shared = Arc::new(Mutex::new(World::new(seed)));
        let token = format!("{SECRET}-{seed}-0");
        world.lock().unwrap().starbase.mint(&token, "c1");
        let (parameters, changes) = (Feed::new(Arc::new(parameters(&token))), Feed::new(0));
        let weather = Feed::new(Weather::Passes);
        let cluster = |uid, weather| Cluster {
            world: Arc::clone(&world),
            uid,
            parameters: parameters.clone(),
            changes: changes.clone(),
            weather,
            status: Feed::new(None),
        };
        // The second cluster's sky stays blue.
        let (own, other) = (
            cluster("uid-1", weather.clone()),
            cluster("uid-2", Feed::new(Weather::Passes)),
        );
        let replicas = vec![
            Replica::start(&own, "a0", seed * 1000),
            Replica::start(&own, "b1", seed * 1000 + 10),
        ];
        Self {
            random: fastrand::Rng::with_seed(seed ^ 0x5eed),
            world,
            own,
            other,
            weather,
            parameters,
            changes,
            token,
            minted: 0,
            replicas,
            out_until: [Duration::ZERO; 2],
            holder: None,
            free_at: Duration::ZERO,
            second: None,
            later: Vec::new(),
            started: seed * 1000 + 20,
        }
    }

    fn now(&self) -> Duration {
        self.world.lock().unwrap().now()
    }

    async fn chaos(&mut self) {
        self.world.lock().unwrap().chaos = true;
        let mut next = Duration::from_secs(self.random.u64(30..180));
        while self.now() < CHAOS {
            if self.now() >= next {
                let event = Event::ALL[self.random.usize(0..Event::ALL.len())];
                self.begin(event).await;
                next = self.now() + Duration::from_secs(self.random.u64(30..360));
            }
            self.turn().await;
        }
    }

    /// All faults cease, and a human has mended what only a human can: the token. Until one leader is active, to stay.
    async fn recover(&mut self) -> Duration {
        let begin = self.now();
        {
            let mut world = self.world.lock().unwrap();
            world.chaos = false;
            world.down_until = Duration::ZERO;
            world.note("no more faults");
        }
        let minting = self.later.iter().any(|(_, later)| matches!(later, Later::Mint));
        self.later.clear();
        self.weather.send(&Weather::Passes);
        self.one_leader();
        self.second_cluster_leaves().await;
        if minting || self.taken() {
            self.rotate();
        }
        let mut since = None;
        loop {
            self.turn().await;
            let now = self.now();
            match (self.recovered(), since) {
                (true, None) => since = Some(now),
                (false, Some(_)) => since = None,
                _ => {}
            }
            if let Some(first) = since.filter(|first| now - *first >= STABLE) {
                return first - begin;
            }
            if now - begin > RECOVERY + STABLE {
                let shown: Vec<_> = self
                    .replicas
                    .iter()
                    .map(|replica| replica.snapshot.borrow().clone())
                    .collect();
                self.violate(&format!("not recovered {RECOVERY:?} after the last fault: {shown:?}"));
                return now - begin;
            }
        }
    }

    /// Exactly one leader, active with the registration that stands; every replica ready.
    fn recovered(&self) -> bool {
        let world = self.world.lock().unwrap();
        let standing = world.starbase.registration("c1");
        let ready = self.replicas.iter().all(|replica| replica.snapshot.borrow().ready);
        let active: Vec<_> = (self.replicas.iter())
            .map(|replica| replica.snapshot.borrow().clone())
            .filter(|snapshot| snapshot.leader || snapshot.phase == Phase::Active)
            .collect();
        let [leader] = &active[..] else { return false };
        ready
            && leader.phase == Phase::Active
            && leader.setback.is_none()
            && standing.is_some_and(|standing| {
                standing.uid == "uid-1"
                    && standing.phase == "active"
                    && leader
                        .registration
                        .is_some_and(|own| own.generation == standing.generation)
            })
    }

    /// Time goes on, and the election with it.
    async fn turn(&mut self) {
        let now = self.now();
        let (due, later): (Vec<_>, Vec<_>) = self.later.drain(..).partition(|(at, _)| *at <= now);
        self.later = later;
        for (_, what) in due {
            match what {
                Later::Weather(weather) => self.weather.send(&weather),
                Later::Mint => self.rotate(),
                Later::OneLeader => self.one_leader(),
                Later::SecondClusterLeaves => self.second_cluster_leaves().await,
            }
        }
        self.elect(now);
        for replica in &self.replicas {
            if replica.is_over() {
                self.violate(&format!("{} is over", replica.name));
            }
            if !replica.liveness.stuck().is_empty() {
                self.violate(&format!("{} does not turn", replica.name));
            }
        }
        sleep(SLICE).await;
    }

    fn elect(&mut self, now: Duration) {
        for index in 0..self.replicas.len() {
            if self.replicas[index].step_down.notified().now_or_never().is_some() {
                self.lead(index, false);
                self.out_until[index] = now + OUT;
                self.holder = self.holder.filter(|holder| *holder != index);
            }
        }
        if self.holder.is_none() && now >= self.free_at {
            let first = self.random.usize(0..2);
            self.holder = [first, 1 - first]
                .into_iter()
                .find(|index| now >= self.out_until[*index]);
            if let Some(holder) = self.holder {
                self.lead(holder, true);
            }
        }
    }

    /// Says so where it is a change.
    fn lead(&self, index: usize, leads: bool) {
        let replica = &self.replicas[index];
        if *replica.leading.borrow() == leads {
            return;
        }
        {
            let mut world = self.world.lock().unwrap();
            world.note(&format!("{} leads: {leads}", replica.name));
            let process = &mut world.processes[replica.process];
            process.refused = None;
            process.superseded &= !leads;
        }
        replica.leading.send_replace(leads);
    }

    fn one_leader(&mut self) {
        for index in 0..self.replicas.len() {
            if self.holder != Some(index) {
                self.lead(index, false);
            }
        }
    }

    async fn begin(&mut self, event: Event) {
        let now = self.now();
        {
            let mut world = self.world.lock().unwrap();
            world.note(&format!("{event:?}"));
            world.count(event.class());
        }
        let mut after = |least: u64, most: u64| now + Duration::from_secs(self.random.u64(least..most));
        match event {
            Event::Down => self.world.lock().unwrap().down_until = now + Duration::from_mins(10),
            Event::Forgets => self.world.lock().unwrap().starbase.forget(),
            Event::Revoked => {
                let at = after(60, 480);
                self.later.push((at, Later::Mint));
                self.world.lock().unwrap().starbase.revoke(&self.token);
            }
            Event::TwoLeaders => {
                let at = after(30, 300);
                self.later.push((at, Later::OneLeader));
                self.lead(0, true);
                self.lead(1, true);
            }
            Event::SecondCluster => {
                let at = after(120, 600);
                self.later.push((at, Later::SecondClusterLeaves));
                if self.second.is_none() {
                    self.started += 10;
                    let second = Replica::start(&self.other, "second", self.started);
                    second.leading.send_replace(true);
                    self.second = Some(second);
                }
            }
            Event::Flaps => {
                let mut at = now;
                for weather in [Weather::Fails, Weather::Passes, Weather::Unknown, Weather::Passes].repeat(4) {
                    at += Duration::from_millis(self.random.u64(500..25_000));
                    self.later.push((at, Later::Weather(weather)));
                }
            }
            Event::Fails | Event::Blind | Event::Silent => {
                let (weather, most) = match event {
                    Event::Fails => (Weather::Fails, 300),
                    Event::Blind => (Weather::Unknown, 900),
                    _ => (Weather::Silent, 1_500),
                };
                let at = after(30, most);
                self.weather.send(&weather);
                self.later.push((at, Later::Weather(Weather::Passes)));
            }
            Event::LeaseLost => {
                self.free_at = after(1, 60);
                if let Some(holder) = self.holder.take() {
                    self.lead(holder, false);
                    self.out_until[holder] = self.free_at + SLICE;
                }
            }
            Event::Killed => self.replace().await,
        }
    }

    /// The leader, or any, is killed or stopped, and another pod takes its place.
    async fn replace(&mut self) {
        let index = self.holder.take().unwrap_or_else(|| self.random.usize(0..2));
        self.started += 10;
        let name = format!("{}{}", ["a", "b"][index], self.started);
        let new = Replica::start(&self.own, &name, self.started);
        let old = std::mem::replace(&mut self.replicas[index], new);
        if self.random.bool() {
            // The Lease has to run out.
            self.free_at = self.now() + OUT;
            old.kill(&self.world);
        } else if let Err(what) = old.stop(&self.world).await {
            self.violate(&what);
        }
    }

    async fn second_cluster_leaves(&mut self) {
        if let Some(second) = self.second.take() {
            if let Err(what) = second.stop(&self.world).await {
                self.violate(&what);
            }
            // It may have taken the ID while nobody had it; then a new token is due.
            if self.taken() {
                self.rotate();
            }
        }
    }

    /// Whether the ID stands for the other cluster.
    fn taken(&self) -> bool {
        let world = self.world.lock().unwrap();
        world
            .starbase
            .registration("c1")
            .is_some_and(|standing| standing.uid != "uid-1")
    }

    /// The token is revoked, and a new one takes its place.
    fn rotate(&mut self) {
        self.minted += 1;
        let token = format!(
            "{}-{}",
            self.token.rsplit_once('-').map_or("", |(first, _)| first),
            self.minted
        );
        {
            let mut world = self.world.lock().unwrap();
            world.starbase.revoke(&self.token);
            world.starbase.mint(&token, "c1");
            world.note("a new token");
            for process in &mut world.processes {
                process.refused = None;
            }
        }
        self.parameters.send(&Arc::new(parameters(&token)));
        self.changes.send(&(self.changes.last() + 1));
        self.token = token;
    }

    fn violate(&self, what: &str) {
        self.world.lock().unwrap().violate(what);
    }
}

fn parameters(token: &str) -> Parameters {
    Parameters {
        cluster_id: ClusterId::new("c1").unwrap(),
        region: Region::new("nyc3").unwrap(),
        token: Token::new(token).unwrap(),
    }
}
