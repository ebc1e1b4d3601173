//! The keys that charts know. Helm ignores any other without a word.
//!
//! One file a chart under `verify/cli/charts/`: name and version, then one key a line, indented below the key that holds it.
//! ` +` marks a key below which anything may stand: a list, a map that the chart has empty, or one that it passes on to
//! Kubernetes. `*` is any name. Taken from each chart's `values.yaml`, and of k8s-monitoring from those of its subcharts.

use starform_verify::contract::EVERY;
use std::collections::BTreeMap;

const LISTS: [&str; 6] = [
    include_str!("../../../charts/fluent-bit.keys"),
    include_str!("../../../charts/gateway-helm.keys"),
    include_str!("../../../charts/k8s-monitoring.keys"),
    include_str!("../../../charts/kube-state-metrics.keys"),
    include_str!("../../../charts/metrics-server.keys"),
    include_str!("../../../charts/victoria-metrics-agent.keys"),
];

/// The keys of a chart.
#[derive(Debug, Default)]
pub(crate) struct ChartKeys {
    root: Key,
}

#[derive(Debug, Default)]
struct Key {
    /// Whether anything may stand below.
    open: bool,
    keys: BTreeMap<&'static str, Self>,
}

/// The keys of the chart of that name; `None` where they are not known.
#[must_use]
pub(crate) fn chart_keys(chart: &str) -> Option<ChartKeys> {
    let (_, keys) = list(chart)?;
    Some(ChartKeys { root: Key::parse(keys) })
}

/// The version of the chart of that name, and its keys.
fn list(chart: &str) -> Option<(&'static str, &'static str)> {
    LISTS.iter().find_map(|list| {
        let (head, keys) = list.split_once('\n')?;
        let (name, version) = head.strip_prefix("# ")?.split_once(' ')?;
        (name == chart).then_some((version, keys))
    })
}

// === impl ChartKeys ===

impl ChartKeys {
    /// Whether the chart knows the key at a path, or passes on whatever stands there.
    pub(crate) fn knows<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> bool {
        let mut key = &self.root;
        for part in path {
            if key.open {
                return true;
            }
            match key.keys.get(part).or_else(|| key.keys.get(EVERY)) {
                Some(next) => key = next,
                None => return false,
            }
        }
        true
    }
}

// === impl Key ===

impl Key {
    fn parse(list: &'static str) -> Self {
        let mut root = Self::default();
        let mut path: Vec<&'static str> = Vec::new();
        for line in list.lines() {
            let name = line.trim_start();
            path.truncate(line.len() - name.len());
            let (name, open) = match name.strip_suffix(" +") {
                Some(name) => (name, true),
                None => (name, false),
            };
            path.push(name);
            let mut key = &mut root;
            for part in &path {
                key = key.keys.entry(part).or_default();
            }
            key.open = open;
        }
        root
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use starform_verify::contract::Contract;

    #[test]
    fn keys_are_known_by_their_path() {
        let keys = chart_keys("k8s-monitoring").unwrap();
        let knows = |path: &str| keys.knows(path.split('/'));
        assert!(knows("cluster/name"));
        assert!(knows("destinations/any/auth/passwordFrom"));
        assert!(knows(
            "clusterMetrics/kube-state-metrics/metricsTuning/includeMetrics/0"
        ));
        assert!(!knows("destinations/any/auht"));
        assert!(!knows("clusterMetrics/kube-state-metrics/deploy"), "version 3's");
        assert!(!knows("alloy-metrics"), "version 3's");
        assert!(chart_keys("nginx").is_none());
    }

    #[test]
    fn the_lists_are_of_the_versions_that_the_contract_pins() {
        let contract = Contract::embedded().unwrap();
        for release in contract.steps.iter().flat_map(|step| &step.releases) {
            let (version, _) = list(release.chart_name()).unwrap();
            assert_eq!(version, release.version, "{}", release.name);
        }
    }
}
