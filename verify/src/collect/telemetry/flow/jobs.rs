//! The scrape jobs that a running vmagent has: its page `/config`.
//!
//! What it was given lies in a ConfigMap; what it goes by is told here. Of a page that holds addresses and file names, and
//! `<secret>` where a credential stands, the jobs' names and `honor_labels` are kept, whether they read cAdvisor, and the longest
//! interval.

use super::{Target, request};
use crate::collect::access::Cluster;
use crate::collect::obstacle::{Obstacle, observed, unknown};
use crate::evidence::{Observed, Reason, RunningJob};
use crate::flow::{self, Program};
use http::header;
use serde::Deserialize;

/// Where vmagent tells it.
const CONFIG: &str = "/config";
/// The largest configuration.
const BODY_BOUND: u64 = 1 << 20;
/// The most jobs, and the longest name of one, that are kept.
const JOB_BOUND: usize = 512;
const NAME_BOUND: usize = 256;
/// Where neither the job nor the whole names an interval (VictoriaMetrics v1.150.0: lib/promscrape/config.go).
const DEFAULT_INTERVAL_MS: u64 = 60_000;

/// What a running vmagent goes by.
#[derive(Debug)]
pub(super) struct Running {
    /// In the page's order.
    pub(super) jobs: Vec<RunningJob>,
    /// The longest interval of a job, in milliseconds.
    pub(super) scrape_interval_ms: u64,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    global: Global,
    #[serde(default)]
    scrape_configs: Vec<Job>,
}

#[derive(Default, Deserialize)]
struct Global {
    scrape_interval: Option<String>,
}

#[derive(Deserialize)]
struct Job {
    #[serde(rename = "job_name")]
    name: String,
    scrape_interval: Option<String>,
    #[serde(default)]
    honor_labels: bool,
    metrics_path: Option<String>,
    #[serde(default)]
    relabel_configs: Vec<Relabel>,
}

/// A relabelling rule.
#[derive(Deserialize)]
struct Relabel {
    target_label: Option<String>,
    replacement: Option<String>,
}

/// Reads it. Needs what the metrics page needs.
pub(super) async fn read(cluster: &Cluster<'_>, program: Program, target: &Target<'_>) -> Observed<Running> {
    let get = match request(cluster, program, target, CONFIG) {
        Ok(get) => get,
        Err(why) => return Observed::Unknown(unknown(&why.0, Reason::Unreachable, why.1)),
    };
    let read = async {
        let answer = cluster.send(&get, BODY_BOUND).await?;
        let content_type = answer.header(header::CONTENT_TYPE).unwrap_or_default();
        if content_type.split(';').next().unwrap_or_default().trim() != "text/plain" {
            return Err(answer.unknown(Reason::Malformed, "it is no text").into());
        }
        let body = answer.bytes().await?;
        parse(&body).map_err(|message| Obstacle::from(unknown(&get, Reason::Malformed, message)))
    };
    observed(read.await)
}

/// No error quotes the page.
fn parse(body: &[u8]) -> Result<Running, &'static str> {
    let text = std::str::from_utf8(body).map_err(|_| "it is not UTF-8")?;
    let config: Config = serde_saphyr::from_str(text).map_err(|_| "it is no scrape configuration")?;
    if config.scrape_configs.is_empty() {
        return Err("it has no scrape_configs");
    }
    if config.scrape_configs.len() > JOB_BOUND {
        return Err("it has more scrape jobs than can be");
    }
    let milliseconds = |interval: &Option<String>| flow::milliseconds(interval.as_deref()?);
    let global = milliseconds(&config.global.scrape_interval).unwrap_or(DEFAULT_INTERVAL_MS);
    let intervals = config.scrape_configs.iter();
    let scrape_interval_ms = intervals
        .map(|job| milliseconds(&job.scrape_interval).unwrap_or(global))
        .max()
        .unwrap_or(global);
    let jobs = config.scrape_configs.into_iter().map(|job| {
        let running = RunningJob {
            honor_labels: job.honor_labels,
            reads_cadvisor: Some(job.reads_cadvisor()),
            name: job.name,
        };
        (running.name.len() <= NAME_BOUND)
            .then_some(running)
            .ok_or("a scrape job's name is longer than can be")
    });
    Ok(Running {
        jobs: jobs.collect::<Result<_, _>>()?,
        scrape_interval_ms,
    })
}

// === impl Job ===

impl Job {
    /// Whether it reads cAdvisor's page of kubelets, directly or through the API server: by the last rule that sets the path, else
    /// by its own.
    fn reads_cadvisor(&self) -> bool {
        let rules = self.relabel_configs.iter().rev();
        let mut replaced = rules.filter(|rule| rule.target_label.as_deref() == Some("__metrics_path__"));
        let replaced = replaced.find_map(|rule| rule.replacement.as_deref());
        let path = replaced.or(self.metrics_path.as_deref());
        path.is_some_and(|path| path.contains("/cadvisor"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_honor_labels_are_kept() {
        // As vmagent v1.150.0 prints it.
        let page = "global:\n  scrape_interval: 30s\n  external_labels:\n    cluster: testbed\nscrape_configs:\n\
            - job_name: kube-state-metrics\n  honor_labels: true\n  kubernetes_sd_configs:\n  - role: endpointslice\n\
            - job_name: kubelet-cadvisor\n  basic_auth:\n    username: u\n    password: <secret>\n";
        let running = parse(page.as_bytes()).unwrap();
        let jobs = running.jobs;
        assert_eq!(running.scrape_interval_ms, 30_000);
        let told: Vec<_> = jobs.iter().map(|job| (job.name.as_str(), job.honor_labels)).collect();
        assert_eq!(told, [("kube-state-metrics", true), ("kubelet-cadvisor", false)]);
    }

    #[test]
    fn a_job_reads_cadvisor_by_its_path_or_by_the_rule_that_sets_it() {
        let reads = |job: &str| {
            let jobs = parse(format!("scrape_configs:\n- job_name: a\n{job}").as_bytes())
                .unwrap()
                .jobs;
            jobs[0].reads_cadvisor
        };
        assert_eq!(reads("  metrics_path: /metrics/cadvisor\n"), Some(true));
        let through = "  relabel_configs:\n  - target_label: __metrics_path__\n    replacement: /api/v1/nodes/$1/proxy/metrics/cadvisor\n";
        assert_eq!(reads(through), Some(true));
        let other = "  metrics_path: /metrics/cadvisor\n  relabel_configs:\n  - target_label: __metrics_path__\n    replacement: /metrics/probes\n";
        assert_eq!(reads(other), Some(false));
        assert_eq!(
            reads("  relabel_configs:\n  - action: labeldrop\n    regex: a\n"),
            Some(false)
        );
    }

    #[test]
    fn the_longest_interval_of_a_job_counts() {
        let interval = |page: &str| parse(page.as_bytes()).unwrap().scrape_interval_ms;
        assert_eq!(interval("scrape_configs:\n- job_name: a\n"), 60_000);
        let jobs = "scrape_configs:\n- job_name: a\n  scrape_interval: 10s\n- job_name: b\n";
        assert_eq!(interval(jobs), 60_000);
        assert_eq!(interval(&format!("global:\n  scrape_interval: 15s\n{jobs}")), 15_000);
        assert_eq!(interval(&format!("global:\n  scrape_interval: 5s\n{jobs}")), 10_000);
    }

    #[test]
    fn what_is_no_configuration_has_no_jobs() {
        for page in [
            "",
            "{}",
            "global: {}",
            "<html>",
            "scrape_configs: []",
            "scrape_configs: [{}]",
            "\u{1}",
        ] {
            assert!(parse(page.as_bytes()).is_err(), "{page}");
        }
        let many = format!("scrape_configs:\n{}", "- job_name: a\n".repeat(JOB_BOUND + 1));
        assert!(parse(many.as_bytes()).is_err());
    }
}
