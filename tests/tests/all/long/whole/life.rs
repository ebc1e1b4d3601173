//! One life of a cluster: from nothing, by the printed sequence, to its end.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use testbed::{Cluster, Reach, Serving};

use super::ground::{Audit, CLUSTER_ID, Ground, PORT, REGION, audit};

/// For how long the whole sequence may take; each wait in it has a bound of its own.
const SEQUENCE: &str = "900";

/// A cluster that is up, within reach of the stores and of Starbase.
pub(crate) struct Life<'a> {
    ground: &'a Ground,
    /// As the Worker minted it for this life.
    pub(crate) token: String,
    serving: Serving,
    _reach: Reach,
    /// Goes down last.
    pub(crate) cluster: Cluster,
}

impl<'a> Life<'a> {
    /// A cluster without anything of the contract, and a token for it.
    pub(crate) fn begin(ground: &'a Ground) -> Self {
        let cluster = testbed::shuttle::bare_cluster("whole").unwrap();
        cluster.supply().unwrap();
        Self {
            ground,
            token: ground.starbase.mint(CLUSTER_ID).unwrap(),
            serving: ground.starbase.serve_within("whole", PORT).unwrap(),
            _reach: ground.region.reach(&cluster).unwrap(),
            cluster,
        }
    }

    /// The kube-system namespace's UID: which cluster this really is.
    pub(crate) fn uid(&self) -> String {
        let get = ["kubectl", "get", "namespace", "kube-system"];
        let uid = "--output=jsonpath={.metadata.uid}";
        self.cluster.run(&[&get[..], &[uid]].concat()).unwrap()
    }

    /// The pods whose names no other life has: those of Deployments and DaemonSets.
    pub(crate) fn pods(&self) -> BTreeSet<String> {
        let owners = "jsonpath={range .items[*]}{.metadata.ownerReferences[0].kind} {.metadata.name}{\"\\n\"}{end}";
        let get = ["kubectl", "get", "pods", "--all-namespaces", "--output", owners];
        let rows = self.cluster.run(&get).unwrap();
        let rows = rows.lines().filter_map(|row| row.split_once(' '));
        rows.filter(|(owner, _)| matches!(*owner, "ReplicaSet" | "DaemonSet"))
            .map(|(_, pod)| pod.to_owned())
            .collect()
    }

    /// Types what `starform-verify plan` prints for this cluster, as it is printed, with two exceptions: where the
    /// charts come from. No registry answers here, so the repositories are the testbed's own, under the names that the
    /// contract gives them, and Envoy Gateway's chart is a file.
    pub(crate) fn install(&self) {
        let begun = Instant::now();
        let manifests = self.ground.file("manifests");
        let auditor = testbed::auditor().unwrap();
        let plan = [
            auditor.to_str().unwrap(),
            "plan",
            "--manifests",
            manifests.to_str().unwrap(),
        ];
        let parameters = ["--cluster-id", CLUSTER_ID, "--region", REGION];
        let plan = self.cluster.run(&[&plan[..], &parameters].concat()).unwrap();
        let script = self.ground.write("plan.sh", &self.typed(&plan));
        let log = self.ground.file("plan.log");
        // Programs are found on PATH, and all that was said is in one file.
        let shell = "PATH=$(dirname \"$0\"):$PATH exec timeout \"$1\" bash \"$2\" > \"$3\" 2>&1";
        let mut words = vec!["env".to_owned()];
        words.extend(self.secrets().map(|(name, file)| format!("{name}={}", file.display())));
        words.extend(["sh", "-c", shell, auditor.to_str().unwrap(), SEQUENCE].map(str::to_owned));
        words.extend([script, log.clone()].map(|path| path.to_str().unwrap().to_owned()));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = self.cluster.exec(&words).unwrap();
        let said = fs::read_to_string(&log).unwrap();
        assert!(
            output.status.success(),
            "the sequence ended with {}:\n{said}",
            output.status
        );
        for step in said.lines().filter(|line| line.contains(" s: # Step ")) {
            eprintln!("{step}");
        }
        eprintln!("{:>7.1} s  the whole sequence", begun.elapsed().as_secs_f64());
    }

    /// The script as it can be typed here; and each step says when it begins.
    fn typed(&self, plan: &str) -> String {
        let here = self.cluster.run(&["helm", "repo", "list", "--output=yaml"]).unwrap();
        let mut script = String::new();
        let mut repositories = 0;
        for line in plan.lines() {
            if let Some(repository) = line.strip_prefix("helm repo add ") {
                let alias = repository.split(' ').next().unwrap();
                assert!(here.contains(&format!("name: {alias}\n")), "no {alias} in {here}");
                repositories += 1;
                continue;
            }
            script.push_str(line);
            script.push('\n');
            if line.starts_with("# Step ") {
                writeln!(script, "echo \"$SECONDS s: {line}\"").unwrap();
            }
        }
        assert_eq!(repositories, 5, "{plan}");
        self.cluster.typed(&script).unwrap()
    }

    /// The variables of the script, and the files that they name: the region's credentials, made-up ones of Grafana
    /// Cloud, where nothing goes from here, and Starbase's token.
    fn secrets(&self) -> impl Iterator<Item = (&'static str, PathBuf)> {
        let clusters = self.ground.region.credentials().join("clusters");
        let write = |name, content| self.ground.write(name, content);
        [
            ("TELEMETRY_STORES_CA_CRT", clusters.join("ca.crt")),
            (
                "TELEMETRY_STORES_FLUENT_BIT_PASSWORD",
                clusters.join("fluent-bit-password"),
            ),
            ("TELEMETRY_STORES_VMAGENT_PASSWORD", clusters.join("vmagent-password")),
            ("GRAFANA_CLOUD_METRICS_USERNAME", write("metrics-username", "100001\n")),
            ("GRAFANA_CLOUD_LOGS_USERNAME", write("logs-username", "100002\n")),
            ("GRAFANA_CLOUD_TOKEN", write("grafana-token", "glc_testbed\n")),
            ("SHUTTLE_TOKEN", write("token", &format!("{}\n", self.token))),
        ]
        .into_iter()
    }

    /// The audit of everything: steps 1 to 6, asked of the cluster and of Starbase, and the region.
    pub(crate) fn audit(&self, arguments: &[&str]) -> Audit {
        let token = self.ground.write("token-of-the-auditor", &self.token);
        let (authority, stores) = (self.ground.starbase.authority(), self.ground.stores_file());
        let url = self.serving.url();
        let starbase = ["--starbase", &url, "--token-file", token.to_str().unwrap()];
        let files = [
            "--starbase-ca",
            authority.to_str().unwrap(),
            "--stores",
            stores.to_str().unwrap(),
        ];
        audit(self.ground, &[&starbase[..], &files, arguments].concat(), |words| {
            self.ground.region.command(&self.cluster, words).unwrap()
        })
    }

    /// Its end, for good: nothing of it is kept but what it has sent.
    pub(crate) fn end(self) {
        let Self { cluster, serving, .. } = self;
        drop(serving);
        cluster.down().unwrap();
    }
}
