//! Step 4: what vmagent scrapes, and how: the two sides of the join.

use super::vmagent::each;
use crate::evaluate::fix::names;
use crate::evaluate::flag;
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::size::bytes;
use crate::evaluate::subject::Subject;
use crate::evidence::{KeepRule, ScrapeConfig, ScrapeJob, Workload};

/// vmagent's own (`-promscrape.maxScrapeSize`): some 4,000 pods of kube-state-metrics.
const DEFAULT_SCRAPE_SIZE: f64 = 16.0 * 1024.0 * 1024.0;
const MAX_SCRAPE_SIZE: &str = "--promscrape.maxScrapeSize";
const STATE_METRICS: &str = "kube-state-metrics";
/// What vmagent does not start with, or passes over (`docs/victoriametrics/vmagent.md`, unsupported sections).
const UNSUPPORTED: [&str; 5] = ["rule_files", "alerting", "remote_write", "remote_read", "storage"];

/// SF426.
pub(in crate::evaluate) fn honors_labels(subject: Subject<'_>) -> Judge {
    let expected = "one job for kube-state-metrics with honor_labels: true and a filter on its port's name";
    scraped(subject, expected, |workload, scrape| {
        let unsupported = |section: &&String| UNSUPPORTED.contains(&section.as_str());
        if let Some(section) = scrape.other_sections.iter().find(unsupported) {
            return Outcome::fail(format!(
                "the scrape configuration has {section}, with which vmagent does not start"
            ));
        }
        let jobs: Vec<&ScrapeJob> = scrape.jobs.iter().filter(|job| is_of_state_metrics(job)).collect();
        let Some(job) = jobs.first() else {
            if scrape
                .other_sections
                .iter()
                .any(|section| section == "scrape_config_files")
            {
                return Outcome::undetermined("no job for kube-state-metrics, and scrape_config_files were not read");
            }
            return Outcome::fail("no job for kube-state-metrics: there is nothing to join with");
        };
        if let Some(job) = jobs.iter().find(|job| !job.honor_labels) {
            return Outcome::fail(format!(
                "job {} has no honor_labels: namespace and pod of every series become exported_namespace and exported_pod",
                job.name
            ));
        }
        if jobs.len() > 1 {
            return Outcome::warn(format!(
                "{} jobs scrape kube-state-metrics: {}",
                jobs.len(),
                names(jobs.iter().map(|job| &job.name))
            ));
        }
        let filters_port = |job: &ScrapeJob| {
            let mut sources = job.keeps.iter().flat_map(|rule| &rule.sources);
            job.discovery == ["static"]
                || job.discovery == ["service"]
                || sources.any(|source| source.contains("port_n"))
        };
        if !filters_port(job) {
            return Outcome::warn(format!(
                "job {} scrapes every port of kube-state-metrics, its metrics of itself among them",
                job.name
            ));
        }
        let own = job.max_scrape_size.as_deref();
        if own.is_none()
            && let Some(unread) = flag::unread(workload, &[MAX_SCRAPE_SIZE])
        {
            return unread;
        }
        let size = own.or(workload.last_value(MAX_SCRAPE_SIZE)).and_then(bytes);
        if size.is_none_or(|size| size <= DEFAULT_SCRAPE_SIZE) {
            return Outcome::warn(format!(
                "job {} takes pages of 16 MiB at most: kube-state-metrics passes that at some 4,000 pods",
                job.name
            ));
        }
        Outcome::pass(job.name.clone())
    })
}

/// SF427.
pub(in crate::evaluate) fn cadvisor(subject: Subject<'_>) -> Judge {
    let expected = "a job that reads /metrics/cadvisor of every kubelet at its own address, over HTTPS";
    scraped(subject, expected, |_, scrape| {
        let jobs: Vec<&ScrapeJob> = scrape
            .jobs
            .iter()
            .filter(|job| metrics_path(job).contains("cadvisor"))
            .collect();
        if jobs.is_empty()
            && scrape
                .other_sections
                .iter()
                .any(|section| section == "scrape_config_files")
        {
            return Outcome::undetermined("no job for cAdvisor, and scrape_config_files were not read");
        }
        let through_api_server = |job: &&&ScrapeJob| {
            let address = job.replaced.get("__address__");
            metrics_path(job).contains("/proxy/")
                || address.is_some_and(|address| address.contains("kubernetes.default"))
        };
        if let Some(job) = jobs.iter().find(through_api_server) {
            return Outcome::fail(format!(
                "job {} reads the kubelets through the API server: every page of every node is its load",
                job.name
            ));
        }
        let direct = |job: &&&ScrapeJob| job.discovery.iter().any(|role| role == "node") && job.scheme == "https";
        match jobs.iter().find(direct) {
            Some(job) => Outcome::pass(job.name.clone()),
            None if jobs.is_empty() => Outcome::fail("no job reads cAdvisor: there is nothing to join"),
            None => Outcome::fail(format!(
                "job {} does not read every kubelet over HTTPS (role node)",
                names(jobs.iter().map(|job| &job.name))
            )),
        }
    })
}

/// Judges each workload by its scrape configuration.
fn scraped(subject: Subject<'_>, expected: &str, judge: impl Fn(&Workload, &ScrapeConfig) -> Outcome) -> Judge {
    each(subject, expected, |workload, settings| match &settings.scrape {
        Some(scrape) => judge(workload, scrape),
        None => Outcome::not_applicable("nothing is scraped"),
    })
}

fn is_of_state_metrics(job: &ScrapeJob) -> bool {
    let in_rules = |rule: &KeepRule| {
        let by_name = rule.sources.is_empty() || rule.sources.iter().any(|source| source.contains("name"));
        by_name && rule.pattern.contains(STATE_METRICS)
    };
    job.name.contains(STATE_METRICS)
        || job.keeps.iter().any(in_rules)
        || job.targets.iter().any(|target| target.contains(STATE_METRICS))
}

/// Where a job reads its targets.
fn metrics_path(job: &ScrapeJob) -> &str {
    job.replaced.get("__metrics_path__").unwrap_or(&job.path)
}
