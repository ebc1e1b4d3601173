//! What no cluster's end ends: the region's stores, Starbase, and the files that whoever installs a cluster has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{Known, Region, Starbase};

pub(crate) const CLUSTER_ID: &str = "blue";
/// As the testbed's nodes say.
pub(crate) const REGION: &str = "nyc3";
/// Where Starbase answers in a cluster's network.
pub(crate) const PORT: u16 = 8443;

/// Stays while clusters come and go.
pub(crate) struct Ground {
    pub(crate) region: Region,
    pub(crate) starbase: Starbase,
    /// Goes last: the others' files lie in it.
    folder: tempfile::TempDir,
}

/// What an audit said.
pub(crate) struct Audit {
    pub(crate) exit: i32,
    pub(crate) json: String,
    pub(crate) text: String,
}

// === impl Ground ===

impl Ground {
    /// Nothing in the stores, nobody at Starbase.
    pub(crate) fn new() -> Self {
        let region = Region::start_empty("whole", REGION).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let starbase = Starbase::open(&folder.path().join("starbase")).unwrap();
        // Often enough for a test; the agent takes what it is told.
        starbase
            .rhythm(Duration::from_secs(3), Duration::from_secs(15))
            .unwrap();
        let ground = Self {
            region,
            starbase,
            folder,
        };
        ground.copy_manifests();
        ground
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file with that content; its path.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.file(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// The project's manifests as a fleet has them: with this region's stores, with Shuttle's image in a registry, and
    /// with this Starbase. Nothing else in them is another.
    fn copy_manifests(&self) {
        let manifests = self.file("manifests");
        let origin = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests");
        assert!(
            Command::new("cp")
                .args(["-R", origin])
                .arg(&manifests)
                .status()
                .unwrap()
                .success()
        );
        let values = self.region.stores().unwrap().region_values().unwrap();
        fs::write(manifests.join(format!("helm/regions/{REGION}.yaml")), values).unwrap();
        let mut set_image = Command::new(manifests.join("set-image"));
        assert!(set_image.arg(testbed::shuttle::IMAGE).status().unwrap().success());
        let authority = fs::read_to_string(self.starbase.authority()).unwrap();
        let starbase = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "starbase", "namespace": "starform-system" },
            "data": { "address": format!("https://10.0.0.254:{PORT}"), "ca.crt": authority },
        });
        let file = manifests.join("shuttle/40-starbase.yaml");
        assert!(file.exists(), "Starbase's address stands elsewhere now");
        fs::write(file, starbase.to_string()).unwrap();
    }

    /// For the auditor's `--stores`: the region, and the cluster is the one that is audited.
    pub(crate) fn stores_file(&self) -> PathBuf {
        let text = json!({
            "regionFile": self.file(&format!("manifests/helm/regions/{REGION}.yaml")),
            "credentials": self.region.credentials().join("readers"),
        });
        self.write("stores.yaml", &text.to_string())
    }

    /// What Starbase knows of the cluster.
    pub(crate) fn known(&self) -> Known {
        let clusters = self.starbase.clusters().unwrap();
        let found = clusters.into_iter().find(|known| known.cluster_id == CLUSTER_ID);
        found.unwrap_or_else(|| panic!("Starbase does not know {CLUSTER_ID}"))
    }

    /// The pods that a query's rows are about.
    pub(crate) fn pods_in_metrics(&self, query: &str) -> BTreeSet<String> {
        let rows = self.region.metrics(query).unwrap();
        rows.iter().filter_map(|row| text(&row["metric"]["pod"])).collect()
    }

    /// The pods whose lines the store of logs has under the cluster's ID and region.
    pub(crate) fn pods_in_logs(&self) -> BTreeSet<String> {
        let query = format!(
            "SELECT DISTINCT pod FROM logs.kubernetes WHERE starform_cluster_id = '{CLUSTER_ID}' AND \
             starform_region = '{REGION}'"
        );
        let rows = self.region.logs(&query).unwrap();
        rows.iter().filter_map(|row| text(&row["pod"])).collect()
    }

    /// The audit of the region about the cluster after its end, from beside the stores: there is no cluster to ask.
    pub(crate) fn audit_ended(&self, arguments: &[&str]) -> Audit {
        let stores = self.region.stores_file(CLUSTER_ID, true).unwrap();
        let stores = stores.to_str().unwrap();
        let step = ["--step", "region", "--stores", stores];
        audit(self, &[&step[..], arguments].concat(), |words| {
            self.region.command_beside(words).unwrap()
        })
    }
}

// === impl Audit ===

impl Audit {
    fn checks(&self) -> Vec<Value> {
        let report: Value = serde_json::from_str(&self.json).unwrap();
        let steps = report["steps"].as_array();
        let steps = steps.unwrap_or_else(|| panic!("no report: {}", self.json));
        steps
            .iter()
            .flat_map(|step| step["checks"].as_array().unwrap().clone())
            .collect()
    }

    /// The codes with a verdict.
    pub(crate) fn codes(&self, verdict: &str) -> Vec<String> {
        let checks = self.checks().into_iter();
        checks
            .filter(|check| check["verdict"] == verdict)
            .filter_map(|check| text(&check["code"]))
            .collect()
    }

    /// What a check saw.
    pub(crate) fn observed(&self, code: &str) -> String {
        let checks = self.checks().into_iter();
        let mut found = checks.filter(|check| check["code"] == code);
        found
            .next()
            .and_then(|check| text(&check["observed"]))
            .unwrap_or_default()
    }

    /// Everything that did not pass, for a failed assertion.
    pub(crate) fn complaints(&self) -> String {
        let checks = self.checks().into_iter().filter(|check| check["verdict"] != "pass");
        let lines = checks.map(|one| {
            format!(
                "{} {} {} {}",
                one["code"], one["verdict"], one["observed"], one["behind"]
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Runs the auditor; `command` says where.
pub(crate) fn audit(ground: &Ground, arguments: &[&str], command: impl FnOnce(&[&str]) -> Command) -> Audit {
    let auditor = testbed::auditor().unwrap();
    let text = ground.file("report.txt");
    let outputs = ["--output", "json", "--output", &format!("text={}", text.display())];
    let words = [&[auditor.to_str().unwrap(), "audit"], &outputs[..], arguments].concat();
    let output = command(&words).output().unwrap();
    let json = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!json.is_empty(), "{words:?}: {}: {said}", output.status);
    Audit {
        exit: output.status.code().unwrap(),
        json,
        text: fs::read_to_string(text).unwrap(),
    }
}

/// What was recorded, judged again, without any cluster or store: exit code and both reports are the same.
pub(crate) fn is_replayed(ground: &Ground, record: &Path, arguments: &[&str], live: &Audit) {
    let words = [&["--evidence", record.to_str().unwrap()], arguments].concat();
    let replayed = audit(ground, &words, |words| {
        let mut command = Command::new("unshare");
        command.args(["--net", "--"]).args(words).env_remove("KUBECONFIG");
        command
    });
    assert_eq!(replayed.json, live.json);
    assert_eq!(replayed.text, live.text);
    assert_eq!(replayed.exit, live.exit);
}

/// Asks until it is so, and says how long that took.
pub(crate) fn until<T>(what: &str, seconds: u64, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match ask() {
            Ok(value) => {
                eprintln!("{:>7.1} s  {what}", begun.elapsed().as_secs_f64());
                return value;
            }
            Err(why) if begun.elapsed() > Duration::from_secs(seconds) => {
                panic!("not within {seconds} s: {what}: {why}")
            }
            Err(_) => std::thread::sleep(Duration::from_secs(1)),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
