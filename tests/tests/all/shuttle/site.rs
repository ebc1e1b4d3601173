//! A cluster with what comes before Shuttle, Shuttle on it, the Starbase that it registers with, and the stores that its
//! collectors send to.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use testbed::shuttle::Installation;
use testbed::{Cluster, ClusterState, Exchange, Known, Serving, Sink, Starbase};

use crate::fleet::{self, CLUSTER_ID, REGION};

pub(crate) const NAMESPACE: &str = "starform-system";
pub(crate) const AGENTS: &str = "app.kubernetes.io/name=shuttle,app.kubernetes.io/component=agent";
pub(crate) const PORT: u16 = 8443;

/// The Starbase of this test run: one for all tests, as the control plane is.
struct Control {
    starbase: Starbase,
    token: Mutex<String>,
    /// Goes with this process.
    serving: Serving,
    _folder: tempfile::TempDir,
}

/// Set once this process has installed Shuttle, so that it trusts this process's Starbase.
static INSTALLED: OnceLock<()> = OnceLock::new();

/// A cluster and Starbase.
pub(crate) struct Site {
    pub(crate) cluster: Cluster,
    control: &'static Control,
}

fn control(cluster: &Cluster) -> &'static Control {
    static CONTROL: OnceLock<Control> = OnceLock::new();
    CONTROL.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let starbase = Starbase::open(folder.path()).unwrap();
        // Often enough for a test; the agent takes what it is told.
        starbase
            .rhythm(Duration::from_secs(3), Duration::from_secs(15))
            .unwrap();
        let token = Mutex::new(starbase.mint(CLUSTER_ID).unwrap());
        let serving = starbase.serve_within(cluster.name(), PORT).unwrap();
        Control {
            starbase,
            token,
            serving,
            _folder: folder,
        }
    })
}

impl Site {
    /// The fleet's cluster, as it is, without Shuttle.
    pub(crate) fn without_shuttle() -> Self {
        Self::cleared(testbed::fleet_cluster().unwrap())
    }

    fn cleared(cluster: Cluster) -> Self {
        cluster.mend().unwrap();
        cluster.uninstall_shuttle().unwrap();
        cluster.build_shuttle_image().unwrap();
        let control = control(&cluster);
        control.starbase.clear().unwrap();
        // What comes before Shuttle. From now on `mend` restores the collectors, and the next test run finds both.
        cluster.install_envoy_gateway().unwrap();
        let site = Self { cluster, control };
        site.cluster
            .install_collectors(CLUSTER_ID, site.sink().stores())
            .unwrap();
        site
    }

    /// The stores that the collectors send to.
    pub(crate) fn sink(&self) -> &'static Sink {
        fleet::sink(&self.cluster)
    }

    /// The fleet's cluster, healthy, with Shuttle registered and every pod of it ready.
    pub(crate) fn active() -> Self {
        let cluster = testbed::fleet_cluster().unwrap();
        let site = if INSTALLED.get().is_some() {
            cluster.mend().unwrap();
            let control = control(&cluster);
            Self { cluster, control }
        } else {
            // What an earlier run left trusts another authority.
            Self::cleared(cluster)
        };
        site.starbase().clear().unwrap();
        if site.pods().is_empty() {
            site.install();
        }
        site.wait_until_active();
        site
    }

    pub(crate) fn starbase(&self) -> &Starbase {
        &self.control.starbase
    }

    pub(crate) fn url(&self) -> String {
        self.control.serving.url()
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.control.starbase.authority()
    }

    pub(crate) fn token(&self) -> String {
        self.control
            .token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// From now on the token of this cluster is another one.
    pub(crate) fn use_token(&self, token: String) {
        *self.control.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
        self.make_secret();
    }

    /// Makes the Secret, or replaces it.
    pub(crate) fn make_secret(&self) {
        self.with_installation(|cluster, installation| cluster.set_shuttle_parameters(installation).unwrap());
    }

    /// Applies the manifests and makes the Secret; waits for nothing.
    pub(crate) fn install(&self) {
        self.with_installation(|cluster, installation| cluster.install_shuttle(installation).unwrap());
        let _ = INSTALLED.set(());
    }

    fn with_installation(&self, act: impl FnOnce(&Cluster, &Installation<'_>)) {
        let authority = std::fs::read_to_string(self.authority()).unwrap();
        let (starbase, token) = (self.url(), self.token());
        let installation = Installation {
            starbase: &starbase,
            authority: &authority,
            cluster_id: CLUSTER_ID,
            region: REGION,
            token: &token,
        };
        act(&self.cluster, &installation);
    }

    /// What Starbase knows of this cluster.
    pub(crate) fn known(&self) -> Option<Known> {
        let clusters = self.starbase().clusters().unwrap();
        clusters.into_iter().find(|known| known.cluster_id == CLUSTER_ID)
    }

    pub(crate) fn generation(&self) -> u64 {
        self.known().map_or(0, |known| known.generation)
    }

    /// Requests since a number of them.
    pub(crate) fn requests_since(&self, before: usize) -> Vec<Exchange> {
        self.starbase().requests().unwrap().split_off(before)
    }

    pub(crate) fn request_count(&self) -> usize {
        self.starbase().requests().unwrap().len()
    }

    /// The pods of the Deployment.
    pub(crate) fn pods(&self) -> Vec<String> {
        self.cluster.pods(NAMESPACE, AGENTS).unwrap()
    }

    /// `/readyz?verbose` of a pod; empty while it does not answer.
    pub(crate) fn verbose(&self, pod: &str) -> (u16, String) {
        let answer = self.cluster.admin(NAMESPACE, pod, "/readyz?verbose");
        answer.map_or((0, String::new()), |answer| (answer.status, answer.body))
    }

    /// What each pod says of its readiness.
    pub(crate) fn readiness(&self) -> Vec<(u16, String)> {
        self.pods().iter().map(|pod| self.verbose(pod)).collect()
    }

    /// The ConfigMap `shuttle-status`.
    pub(crate) fn status(&self) -> Value {
        let words = [
            "kubectl",
            "--namespace",
            NAMESPACE,
            "get",
            "configmap",
            "shuttle-status",
            "--output=jsonpath={.data.status\\.json}",
        ];
        let text = self.cluster.run(&words).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Registered, every pod ready, and Starbase says so.
    pub(crate) fn wait_until_active(&self) {
        self.cluster.wait_for_shuttle(300).unwrap();
        self.until("Starbase lists it active, and both pods are ready", 120, || {
            let known = self.known().ok_or("Starbase does not know it")?;
            let ready = self.readiness();
            if known.state == ClusterState::Active && ready.len() == 2 && ready.iter().all(|(status, _)| *status == 200)
            {
                return Ok(());
            }
            Err(format!(
                "{:?} at Starbase ({}), pods: {ready:?}",
                known.state, known.reason
            ))
        });
    }

    /// Waits until Starbase has heard of a state, and no pod is ready.
    pub(crate) fn until_unready(&self, because: &str, seconds: u64) {
        self.until(&format!("no pod is ready, because of {because}"), seconds, || {
            let pods = self.readiness();
            let leader = self.cluster.shuttle_leader().ok().flatten().ok_or("no leader")?;
            let (_, said) = self.verbose(&leader);
            if !pods.is_empty() && pods.iter().all(|(status, _)| *status == 503) && said.contains(because) {
                return Ok(());
            }
            Err(format!("leader {leader} says {said}; pods {pods:?}"))
        });
    }

    /// Asks again and again until the answer is yes; what stood against it last is in the failure.
    pub(crate) fn until<E: Into<String>>(&self, what: &str, seconds: u64, mut ask: impl FnMut() -> Result<(), E>) {
        let start = Instant::now();
        loop {
            let Err(reason) = ask() else { return };
            if start.elapsed() > Duration::from_secs(seconds) {
                let logs: Vec<String> = (self.pods().iter())
                    .map(|pod| self.cluster.logs(NAMESPACE, pod, false).unwrap_or_default())
                    .map(|log| log.lines().rev().take(30).collect::<Vec<_>>().join("\n"))
                    .collect();
                panic!(
                    "not within {seconds} s: {what}: {}\nlogs, newest first:\n{}",
                    reason.into(),
                    logs.join("\n--\n")
                );
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Runs the auditor in the cluster's network: exit code and report.
    pub(crate) fn audit(&self, arguments: &[&str]) -> (i32, Value) {
        let auditor = testbed::auditor().unwrap();
        let mut words = vec![auditor.to_str().unwrap(), "audit", "--output", "json"];
        words.extend(arguments);
        let output = self.cluster.exec(&words).unwrap();
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code().unwrap(), report)
    }
}

/// `CODE verdict: observed` of every check that did not pass.
pub(crate) fn complaints(report: &Value) -> Vec<String> {
    let steps = report["steps"].as_array().unwrap();
    (steps.iter())
        .flat_map(|step| step["checks"].as_array().unwrap())
        .filter(|check| check["verdict"] != "pass")
        .map(|check| format!("{} {}: {}", check["code"], check["verdict"], check["observed"]))
        .collect()
}

/// The verdict on one check.
pub(crate) fn verdict<'a>(report: &'a Value, code: &str) -> &'a str {
    let steps = report["steps"].as_array().unwrap();
    let checks = steps.iter().flat_map(|step| step["checks"].as_array().unwrap());
    let mut found = checks.filter(|check| check["code"] == code);
    found.next().map_or("none", |check| check["verdict"].as_str().unwrap())
}
