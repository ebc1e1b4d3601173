//! The region's stores on the testbed, and the auditor's `--step region` against them. VictoriaMetrics, vmauth, vmalert and
//! vmagent are real, so are the rules, the schema and Vector's programs; `tests/stores` says what is not.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{Cluster, Part, Region};

/// As the labels of the sample workload's pods say.
const CLUSTER_ID: &str = "testbed";
/// As the testbed's nodes say.
const REGION: &str = "nyc3";
const RECORDED: [&str; 4] = [
    "starform:container_cpu_usage_seconds:rate5m",
    "starform:container_memory_working_set_bytes",
    "starform:container_network_receive_bytes:rate5m",
    "starform:container_network_transmit_bytes:rate5m",
];

/// What is asked of each store: unseen where the store does not answer.
const OF_METRICS: [&str; 10] = [
    "SF701", "SF702", "SF703", "SF704", "SF705", "SF706", "SF707", "SF721", "SF722", "SF723",
];
const OF_LOGS: [&str; 4] = ["SF711", "SF712", "SF713", "SF714"];

/// What an audit said: its exit code and its report.
struct Audit {
    exit: i32,
    report: Value,
}

struct Site {
    region: Region,
    cluster: Cluster,
}

impl Audit {
    fn codes(&self, verdict: &str) -> Vec<&str> {
        self.checks()
            .filter(|check| check["verdict"] == verdict)
            .map(|check| check["code"].as_str().unwrap())
            .collect()
    }

    fn checks(&self) -> impl Iterator<Item = &Value> {
        let steps = self.report["steps"].as_array().unwrap().iter();
        steps.flat_map(|step| step["checks"].as_array().unwrap())
    }

    /// Everything that did not pass, for a failed assertion.
    fn complaints(&self) -> String {
        self.checks()
            .filter(|check| check["verdict"] != "pass")
            .map(|c| format!("{} {} {} {}", c["code"], c["verdict"], c["observed"], c["behind"]))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Exactly these have that verdict, and everything else that a store or a pod decides passes.
    fn is_told(&self, verdict: &str, codes: &[&str], exit: i32) {
        let complaints = self.complaints();
        assert_eq!(self.codes(verdict), codes, "{complaints}");
        let other = if verdict == "fail" { "unknown" } else { "fail" };
        assert_eq!(self.codes(other), [] as [&str; 0], "{complaints}");
        assert_eq!(self.codes("blocked"), [] as [&str; 0], "{complaints}");
        assert_eq!(self.codes("warn"), [] as [&str; 0], "{complaints}");
        // Nodes are not known where the stores file names the cluster, and Terraform is not asked here.
        for code in self.codes("not-applicable") {
            assert_eq!(code, "SF703", "{complaints}");
        }
        for code in self.codes("not-asked") {
            assert!(code.starts_with("SF73"), "{complaints}");
        }
        assert_eq!(
            self.report["summary"]["firstBroken"].as_str(),
            codes.first().copied(),
            "{complaints}"
        );
        assert_eq!(self.exit, exit, "{complaints}");
    }
}

impl Site {
    /// The auditor's standard output and exit code, with a stores file, from within the cluster's network.
    fn run(&self, stores: &Path, arguments: &[&str]) -> (i32, String) {
        let auditor = testbed::auditor().unwrap();
        let stores = stores.to_str().unwrap();
        let words = [
            &[
                auditor.to_str().unwrap(),
                "audit",
                "--step",
                "region",
                "--stores",
                stores,
            ],
            arguments,
        ]
        .concat();
        let output = self.region.command(&self.cluster, &words).unwrap().output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let code = output.status.code().unwrap();
        assert!(
            !said.is_empty(),
            "{words:?}: {code}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        (code, said)
    }

    fn audit(&self, stores: &Path, arguments: &[&str]) -> Audit {
        let (exit, said) = self.run(stores, &[&["--output", "json"], arguments].concat());
        let report = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        Audit { exit, report }
    }

    /// The status that Vector's door answers with to what Fluent Bit would send.
    fn send(&self, password: &str, body: &str) -> String {
        let (host, port, path) = self.region.stores().unwrap().logs;
        let (url, user) = (format!("https://{host}:{port}{path}"), format!("fluent-bit:{password}"));
        let authority = self.region.credentials().join("clusters/ca.crt");
        let words = [
            "curl",
            "--silent",
            "--show-error",
            "--max-time",
            "20",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            "--cacert",
            authority.to_str().unwrap(),
            "--user",
            &user,
            "--data-binary",
            body,
            &url,
        ];
        let output = self.region.command(&self.cluster, &words).unwrap().output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What was recorded is judged again without any store, to the same bytes.
    fn is_replayed(&self, stores: &Path) {
        let folder = tempfile::tempdir().unwrap();
        let evidence = folder.path().join("evidence.json");
        let evidence = evidence.to_str().unwrap();
        for format in ["json", "text"] {
            let live = self.run(stores, &["-o", format, "--record", evidence]);
            let auditor = testbed::auditor().unwrap();
            let words = [
                auditor.to_str().unwrap(),
                "audit",
                "--step",
                "region",
                "-o",
                format,
                "--evidence",
                evidence,
            ];
            let replayed = self.cluster.exec(&words).unwrap();
            assert_eq!(String::from_utf8(replayed.stdout).unwrap(), live.1, "{format}");
            assert_eq!(replayed.status.code(), Some(live.0));
        }
    }

    /// Broken for real, one after the other, and mended again.
    fn is_broken(&self, stores: &Path) {
        let folder = tempfile::tempdir().unwrap();
        self.region.stop(Part::VictoriaMetrics).unwrap();
        self.audit(stores, &[]).is_told("unknown", &OF_METRICS, 5);
        self.region.resume(Part::VictoriaMetrics).unwrap();

        self.region.clickhouse_answers(Some(503)).unwrap();
        self.audit(stores, &[]).is_told("unknown", &OF_LOGS, 5);
        self.region.clickhouse_answers(None).unwrap();

        let wrong = folder.path().join("wrong");
        std::fs::write(&wrong, "wrong\n").unwrap();
        for (key, codes) in [("metrics", &OF_METRICS[..]), ("logs", &OF_LOGS[..])] {
            let mut file: Value = serde_json::from_slice(&std::fs::read(stores).unwrap()).unwrap();
            file[key] = json!({ "passwordFile": wrong });
            let path = folder.path().join("stores.yaml");
            std::fs::write(&path, file.to_string()).unwrap();
            self.audit(&path, &[]).is_told("unknown", codes, 5);
        }
    }

    fn until<T>(&self, what: &str, seconds: u64, mut ask: impl FnMut(&Self) -> Result<T, String>) -> T {
        let start = Instant::now();
        loop {
            match ask(self) {
                Ok(answer) => {
                    eprintln!("{:>7.1} s  {what}", start.elapsed().as_secs_f64());
                    return answer;
                }
                Err(reason) if start.elapsed() > Duration::from_secs(seconds) => {
                    panic!("not within {seconds} s: {what}: {reason}")
                }
                Err(_) => std::thread::sleep(Duration::from_secs(1)),
            }
        }
    }

    /// The rows of a query of metrics, once there are any.
    fn series(&self, query: &str, seconds: u64) -> Vec<Value> {
        self.until(query, seconds, |site| {
            let rows = site.region.metrics(query).map_err(|error| format!("{error:#}"))?;
            if rows.is_empty() {
                Err("no rows".to_owned())
            } else {
                Ok(rows)
            }
        })
    }
}

/// One test: what it waits for are the rhythms of scrapes and of rules, which are the project's own, and it waits once.
#[test]
#[ignore = "needs a cluster, for minutes: .ci/long"]
fn a_cluster_that_sends_is_seen_in_its_regions_stores_and_what_breaks_there_is_told() {
    let _leave = testbed::leave();
    // Before there is a cluster: the stores depend on none.
    let region = Region::start_empty("region-test", REGION).unwrap();
    region.stop(Part::Vmalert).unwrap();
    let cluster = testbed::shuttle::second_cluster("stores").unwrap();
    let site = Site { region, cluster };
    let reach = site.region.reach(&site.cluster).unwrap();
    site.cluster
        .install_collectors(CLUSTER_ID, &site.region.stores().unwrap())
        .unwrap();
    let sends = Instant::now();
    let stores = site.region.stores_file(CLUSTER_ID, false).unwrap();

    // Series and lines arrive, under the cluster's ID and region.
    let own = format!("cluster=\"{CLUSTER_ID}\", region=\"{REGION}\"");
    let jobs = site.series(&format!("count by (job) (up{{{own}}} == 1)"), 120);
    for job in ["kubelet-cadvisor", "kube-state-metrics", "vmagent", "fluent-bit"] {
        assert!(jobs.iter().any(|row| row["metric"]["job"] == job), "no {job}: {jobs:?}");
    }
    let pods = format!("kube_pod_labels{{{own}, label_starform_io_app=\"storefront\"}}");
    for row in site.series(&pods, 90) {
        assert_eq!(row["metric"]["label_starform_io_cluster_id"], CLUSTER_ID, "{row}");
    }
    let of_cluster = format!(
        "SELECT namespace, pod, toUInt32(count()) AS lines FROM logs.kubernetes \
         WHERE starform_cluster_id = '{CLUSTER_ID}' AND starform_region = '{REGION}' GROUP BY namespace, pod ORDER BY namespace, pod"
    );
    let lines = site.until("lines", 90, |site| {
        let rows = site.region.logs(&of_cluster).map_err(|error| format!("{error:#}"))?;
        let found = rows.iter().any(|row| row["namespace"] == "kube-system");
        if found { Ok(rows) } else { Err(format!("{rows:?}")) }
    });
    assert!(
        lines
            .iter()
            .all(|row| row["pod"].as_str().is_some_and(|pod| !pod.is_empty())),
        "{lines:?}"
    );

    // Nobody has evaluated the rules so far; all else is there.
    site.until("an audit without rules", 90, |site| {
        let audit = site.audit(&stores, &[]);
        if audit.codes("fail") == ["SF705"] && audit.codes("unknown").is_empty() {
            audit.is_told("fail", &["SF705"], 3);
            Ok(())
        } else {
            Err(audit.complaints())
        }
    });
    site.region.resume(Part::Vmalert).unwrap();
    for name in RECORDED {
        let labelled = format!("{name}{{{own}, namespace=\"shop\", label_starform_io_deployment=\"storefront\"}}");
        // A rate needs two scrapes, which the second node may have a minute later.
        let least = if name.contains(":rate") { 1 } else { 3 };
        site.until(name, 240, |site| {
            let rows = site.region.metrics(&labelled).map_err(|error| format!("{error:#}"))?;
            if rows.len() < least {
                return Err(format!("{rows:?}"));
            }
            Ok(())
        });
    }
    eprintln!(
        "the join has rows {} s after the collectors were installed",
        sends.elapsed().as_secs()
    );
    site.audit(&stores, &["--wait", "90s"]).is_told("fail", &[], 0);

    site.is_replayed(&stores);
    site.is_broken(&stores);

    // What ClickHouse did not take was repeated: nothing is missing, nothing was dropped.
    site.audit(&stores, &["--wait", "90s"]).is_told("fail", &[], 0);

    // A line that Vector's programs make no row of. Last, because it shows for an hour.
    assert_eq!(site.send("wrong", "[]"), "401");
    let password = site.region.stores().unwrap().fluent_bit_password;
    let line =
        json!([{ "date": "2026-01-01T00:00:00.000000Z", "log": "a line", "cluster": CLUSTER_ID, "region": REGION }]);
    assert_eq!(site.send(&password, &line.to_string()), "200");
    site.until("the dead letter", 30, |site| {
        let audit = site.audit(&stores, &[]);
        if audit.codes("fail").is_empty() {
            return Err(audit.complaints());
        }
        audit.is_told("fail", &["SF714"], 3);
        Ok(())
    });

    // The cluster goes, its history stays, also when the stores start anew. Nothing else does.
    drop(reach);
    let Site { region, cluster } = site;
    cluster.down().unwrap();
    drop(region);
    assert_eq!(processes_of("stores/region-test"), Vec::<String>::new());
    let region = Region::start("region-test", REGION).unwrap();
    // Of a rate not every pod may have had a row when the cluster went.
    let recorded = RECORDED.iter().find(|name| !name.contains(":rate")).unwrap();
    let held = region
        .metrics(&format!("last_over_time({recorded}{{{own}}}[1h])"))
        .unwrap();
    assert!(held.len() >= 3, "{held:?}");
    let held = region.logs(&of_cluster).unwrap();
    assert!(held.len() >= lines.len(), "{held:?} and before {lines:?}");
}

/// Every process with this in its command line.
fn processes_of(what: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(what)).collect()
}
