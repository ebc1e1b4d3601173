//! What VictoriaMetrics is asked, in MetricsQL. Each question is one query: all its facts are of one moment, and each
//! row tells by the label `fact` which one it is.
//!
//! A fact that counts something is there also where there is nothing to count (`or vector(0)`), so that an answer that is
//! empty where it must not be is told from one that says "none".

use crate::contract::Contract;
use crate::evidence::StoreCluster;
use jiff::SignedDuration;

/// How far back a recorded series, a job's report and Vector's counters are looked for.
const RECORDED_WINDOW: &str = "1h";
const REPORT_WINDOW: &str = "14d";
pub(super) const FLOW_WINDOW: &str = "10m";
pub(super) const LOSS_WINDOW: &str = "15m";
/// How long a pod must have had both inputs of the join: a scrape, a rule's interval, and what delays each.
const SETTLED: &str = "5m";

/// A query of several facts.
#[derive(Default)]
struct Facts(Vec<String>);

impl Facts {
    fn add(mut self, fact: &str, query: &str) -> Self {
        self.0.push(format!("label_set({query}, \"fact\", \"{fact}\")"));
        self
    }

    fn count(self, fact: &str, query: &str) -> Self {
        self.add(fact, &format!("(count({query}) or vector(0))"))
    }

    fn query(self) -> String {
        format!("union({})", self.0.join(", "))
    }
}

/// What it holds of a cluster: `newest`, `rows`, `renamed`, `foreign`, `kubelet`.
pub(super) fn series(contract: &Contract, cluster: &StoreCluster) -> String {
    let terms = &contract.components.region;
    let own = format!("cluster=\"{}\"", cluster.id);
    let id = contract.components.shuttle.cluster_id_label.column();
    let history = seconds(if cluster.ended {
        terms.ended_history
    } else {
        terms.history
    });
    Facts::default()
        .add(
            "newest",
            &format!("time() - max by (region) (tlast_over_time(up{{{own}}}[{history}]))"),
        )
        .add("rows", &format!("count by (region) (kube_pod_labels{{{own}}})"))
        .count("renamed", &format!("kube_pod_labels{{{own}, exported_pod!=\"\"}}"))
        .add(
            "foreign",
            &format!(
                "label_copy(count by ({id}) (kube_pod_labels{{{own}, {id}!=\"\", {id}!=\"{}\"}}), \"{id}\", \"id\")",
                cluster.id
            ),
        )
        .add(
            "kubelet",
            &format!("count by (node, instance) ({})", container_memory(&own)),
        )
        .query()
}

/// What is recorded of it: `rows`, `labelled` and `age` of each series, `joinable` and `unjoined` pods.
pub(super) fn join(contract: &Contract, cluster: &StoreCluster) -> String {
    let terms = &contract.components.region;
    let own = format!("cluster=\"{}\"", cluster.id);
    let recorded = format!("__name__=~\"{}\", {own}", terms.recorded.join("|"));
    let labels: Vec<String> = (terms.recorded_labels.iter())
        .map(|key| format!("{}!=\"\"", key.column()))
        .collect();
    let labels = labels.join(", ");
    let id = contract.components.shuttle.cluster_id_label.column();
    let pods = |selector: &str| format!("count by (namespace, pod) ({selector})");
    let memory = container_memory(&own);
    let rows = format!("kube_pod_labels{{{own}, {id}!=\"\"}}");
    let both = [
        pods(&memory),
        pods(&rows),
        pods(&format!("{memory} offset {SETTLED}")),
        pods(&format!("{rows} offset {SETTLED}")),
    ]
    .join(" and on (namespace, pod) ");
    let joined = pods(&format!("{{{recorded}}}"));
    // Binary operators drop the name, so it is kept under another label.
    let by_series = |rollup: &str| format!("(label_copy({rollup}, \"__name__\", \"series\"))");
    Facts::default()
        .add(
            "rows",
            &format!("count by (series) {}", by_series(&format!("{{{recorded}}}"))),
        )
        .add(
            "labelled",
            &format!("count by (series) {}", by_series(&format!("{{{recorded}, {labels}}}"))),
        )
        .add(
            "age",
            &format!(
                "time() - max by (series) {}",
                by_series(&format!(
                    "tlast_over_time({{{recorded}}}[{RECORDED_WINDOW}]) keep_metric_names"
                ))
            ),
        )
        .count("joinable", &both)
        .count("unjoined", &format!("{both} unless on (namespace, pod) {joined}"))
        .query()
}

/// What the region's jobs report: `snapshot` by volume, `succeeded` and `success` by droplet and job; `asked`, always.
pub(super) fn jobs(region: &str) -> String {
    let last = |series: &str| format!("last_over_time({series}{{region=\"{region}\"}}[{REPORT_WINDOW}])");
    Facts::default()
        .add("asked", "vector(1)")
        .add(
            "snapshot",
            &format!(
                "time() - max by (volume) ({})",
                last("starform_region_snapshot_timestamp_seconds")
            ),
        )
        .add(
            "succeeded",
            &format!("min by (droplet, job_name) ({})", last("starform_region_job_success")),
        )
        .add(
            "success",
            &format!(
                "time() - max by (droplet, job_name) ({})",
                last("starform_region_job_last_success_timestamp_seconds")
            ),
        )
        .query()
}

/// What Vector says of itself: `targets`, `up`, `received`, `delivered`; `discarded` and `errors` by component; `used` and
/// `size` of each buffer.
pub(super) fn aggregator(region: &str) -> String {
    let own = format!("region=\"{region}\", job=\"vector\"");
    let sum = |query: &str| format!("(sum({query}) or vector(0))");
    let events = |direction: &str, component: &str| {
        let series = format!("vector_component_{direction}_events_total");
        sum(&format!(
            "increase({series}{{{own}, component_id=\"{component}\"}}[{FLOW_WINDOW}])"
        ))
    };
    let lost = |series: &str| format!("sum by (component_id) (increase({series}{{{own}}}[{LOSS_WINDOW}]))");
    let buffers = |series: &str| format!("max by (component_id) ({series}{{{own}}})");
    Facts::default()
        .count("targets", &format!("up{{{own}}}"))
        .add("up", &sum(&format!("up{{{own}}}")))
        .add("received", &events("received", "fluent_bit"))
        .add("delivered", &events("sent", "clickhouse"))
        .add("discarded", &lost("vector_component_discarded_events_total"))
        .add("discarded-by-buffer", &lost("vector_buffer_discarded_events_total"))
        .add("errors", &lost("vector_component_errors_total"))
        .add("used", &buffers("vector_buffer_size_bytes"))
        .add("size", &buffers("vector_buffer_max_size_bytes"))
        .query()
}

fn container_memory(own: &str) -> String {
    format!("container_memory_working_set_bytes{{{own}, container!=\"\", container!=\"POD\"}}")
}

fn seconds(duration: SignedDuration) -> String {
    format!("{}s", duration.as_secs())
}

/// The names that [`join`] asks for are the contract's, and safe in a query: its reader sees to that.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_questions_name_the_cluster_and_what_the_contract_records() {
        let contract = Contract::embedded().unwrap();
        let cluster = StoreCluster {
            id: "blue".to_owned(),
            region: None,
            ended: false,
        };
        let join = join(&contract, &cluster);
        for name in &contract.components.region.recorded {
            assert!(join.contains(name), "{join}");
        }
        assert!(join.contains("label_starform_io_deployment!=\"\""), "{join}");
        let series = series(&contract, &cluster);
        assert!(series.contains("up{cluster=\"blue\"}[86400s]"), "{series}");
        let ended = StoreCluster { ended: true, ..cluster };
        let series = super::series(&contract, &ended);
        assert!(series.contains("[2592000s]"), "{series}");
        for query in [join, series, jobs("fra1"), aggregator("fra1")] {
            let depth = query.chars().fold(0i32, |depth, c| match c {
                '(' | '{' | '[' => depth + 1,
                ')' | '}' | ']' => depth - 1,
                _ => depth,
            });
            assert_eq!(depth, 0, "{query}");
        }
    }
}
