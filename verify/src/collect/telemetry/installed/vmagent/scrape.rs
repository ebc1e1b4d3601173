//! A scrape configuration, as far as checks read it.

use super::super::credentials;
use crate::evidence::{CLUSTER_LABELS, KeepRule, ScrapeConfig, ScrapeJob};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What vmagent puts in where a job does not say (VictoriaMetrics, `docs/victoriametrics/scrape_config_examples.md`).
const PATH: &str = "/metrics";
const SCHEME: &str = "http";

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    global: Option<Global>,
    #[serde(default)]
    scrape_configs: Option<Vec<Value>>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
struct Global {
    external_labels: Option<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
struct RawJob {
    #[serde(default)]
    job_name: String,
    #[serde(default)]
    honor_labels: bool,
    scheme: Option<String>,
    metrics_path: Option<String>,
    max_scrape_size: Option<Value>,
    #[serde(default)]
    relabel_configs: Vec<RelabelConfig>,
    #[serde(default)]
    kubernetes_sd_configs: Vec<KubernetesDiscovery>,
    #[serde(default)]
    static_configs: Vec<StaticConfig>,
}

#[derive(Deserialize)]
struct RelabelConfig {
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    source_labels: Vec<String>,
    regex: Option<Value>,
    #[serde(rename = "if")]
    condition: Option<Value>,
    target_label: Option<String>,
    replacement: Option<String>,
}

#[derive(Deserialize)]
struct KubernetesDiscovery {
    role: String,
}

#[derive(Deserialize)]
struct StaticConfig {
    #[serde(default)]
    targets: Vec<String>,
}

/// Reads one; also the places in it that hold a credential in clear.
///
/// # Errors
/// Where it is no YAML, or not of this form. What exactly is wrong with it may quote it, and is not told.
pub(super) fn parse(text: &str) -> Result<(ScrapeConfig, Vec<String>), ()> {
    let raw: Raw = serde_saphyr::from_str(text).map_err(|_| ())?;
    let mut scrape = ScrapeConfig::default();
    let labels = raw.global.and_then(|global| global.external_labels).unwrap_or_default();
    for (name, value) in labels {
        if CLUSTER_LABELS.contains(&name.as_str()) {
            scrape.external_labels.insert(name, scalar(&value));
        }
    }
    scrape.other_sections = raw.others.into_iter().map(|(section, _)| section).collect();
    let mut in_clear = Vec::new();
    for job in raw.scrape_configs.unwrap_or_default() {
        let read: RawJob = serde_json::from_value(job.clone()).map_err(|_| ())?;
        in_clear.extend(credentials::in_clear(&format!("job {}", read.job_name), &job));
        scrape.jobs.push(read.into_job());
    }
    Ok((scrape, in_clear))
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(scalar).collect::<Vec<_>>().join("|"),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

// === impl RawJob ===

impl RawJob {
    fn into_job(self) -> ScrapeJob {
        let mut discovery: Vec<String> = self.kubernetes_sd_configs.into_iter().map(|sd| sd.role).collect();
        if !self.static_configs.is_empty() {
            discovery.push("static".to_owned());
        }
        let mut keeps = Vec::new();
        let mut replaced = BTreeMap::new();
        for rule in self.relabel_configs {
            let action = rule.action.as_deref().unwrap_or("replace");
            let pattern = rule.regex.or(rule.condition).as_ref().map(scalar);
            match (action, rule.target_label.as_deref(), rule.replacement) {
                ("keep", _, _) => keeps.push(KeepRule {
                    sources: rule.source_labels,
                    pattern: pattern.unwrap_or_default(),
                }),
                ("replace", Some(target @ ("__address__" | "__metrics_path__")), Some(replacement)) => {
                    replaced.insert(target.to_owned(), replacement);
                }
                _ => {}
            }
        }
        ScrapeJob {
            name: self.job_name,
            honor_labels: self.honor_labels,
            scheme: self.scheme.unwrap_or_else(|| SCHEME.to_owned()),
            path: self.metrics_path.unwrap_or_else(|| PATH.to_owned()),
            discovery,
            targets: (self.static_configs.into_iter().flat_map(|config| config.targets))
                .map(|target| without_user_info(&target))
                .collect(),
            keeps,
            replaced,
            max_scrape_size: self.max_scrape_size.as_ref().map(scalar),
        }
    }
}

/// A target without user, password and query.
fn without_user_info(target: &str) -> String {
    let rest = target.split_once("://").map_or(target, |(_, rest)| rest);
    let rest = rest.split('?').next().unwrap_or_default();
    rest.rsplit_once('@').map_or(rest, |(_, host)| host).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_read_by_allow_list() {
        let (scrape, in_clear) = parse(
            r#"
global: {scrape_interval: 30s, external_labels: {cluster: c1, region: nyc3, more: hush}}
rule_files: [a]
scrape_configs:
  - job_name: kube-state-metrics
    honor_labels: true
    max_scrape_size: 64MiB
    kubernetes_sd_configs: [{role: endpointslices}]
    relabel_configs:
      - {action: keep, source_labels: [__meta_kubernetes_service_name], regex: kube-state-metrics}
      - {source_labels: [a], target_label: node}
      - {target_label: __address__, replacement: "kubernetes.default.svc:443"}
      - {action: keep, if: '{a="b"}'}
  - job_name: self
    static_configs: [{targets: ["http://u:hush@localhost:8429/metrics?x=hush"]}]
    basic_auth: {username: hush, password: hush}
"#,
        )
        .unwrap();
        assert_eq!(scrape.external_labels.len(), 2);
        assert_eq!(scrape.other_sections, ["rule_files"]);
        let job = &scrape.jobs[0];
        assert!(job.honor_labels);
        assert_eq!((job.scheme.as_str(), job.path.as_str()), ("http", "/metrics"));
        assert_eq!(job.discovery, ["endpointslices"]);
        assert_eq!(job.keeps.len(), 2);
        assert_eq!(job.keeps[0].sources, ["__meta_kubernetes_service_name"]);
        assert_eq!(job.keeps[1].pattern, r#"{a="b"}"#);
        assert_eq!(job.replaced["__address__"], "kubernetes.default.svc:443");
        assert_eq!(job.max_scrape_size.as_deref(), Some("64MiB"));
        assert_eq!(scrape.jobs[1].targets, ["localhost:8429/metrics"]);
        assert_eq!(in_clear, ["job self: password", "job self: a URL"]);
        let text = serde_json::to_string(&scrape).unwrap();
        assert!(!text.contains("hush"), "{text}");
    }

    #[test]
    fn what_is_no_scrape_configuration_is_refused() {
        for text in [
            "scrape_configs: {",
            "scrape_configs: 3",
            "scrape_configs: [{honor_labels: [1]}]",
        ] {
            assert_eq!(parse(text), Err(()), "{text}");
        }
    }
}
