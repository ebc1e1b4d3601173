//! What a configuration of Alloy's collects and where it sends that: the components, by their blocks.
//!
//! A component stands at the top of a text or in a `declare`. Names are those of grafana/alloy v1.18.1: internal/component/all.

use super::syntax::Statement;
use super::value::{REFERENCE, Value};
use crate::collect::status::bounded;
use crate::evidence::{AlloyDestination, AlloyPipelines};

/// What collects: a component whose name begins so.
const SOURCES: [&str; 10] = [
    "beyla.ebpf",
    "faro.receiver",
    "loki.source.",
    "otelcol.receiver.",
    "prometheus.operator.",
    "prometheus.receive_http",
    "prometheus.scrape",
    "pyroscope.ebpf",
    "pyroscope.java",
    "pyroscope.scrape",
];
/// What sends.
const DESTINATIONS: [&str; 5] = [
    "loki.write",
    "otelcol.exporter.",
    "prometheus.remote_write",
    "prometheus.write.queue",
    "pyroscope.write",
];
/// Exporters that hand on to another component, or print.
const NO_DESTINATIONS: [&str; 3] = [
    "otelcol.exporter.debug",
    "otelcol.exporter.loki",
    "otelcol.exporter.prometheus",
];
/// What does neither: it finds, changes, keeps or hands on.
const NEITHER: [&str; 20] = [
    "discovery.",
    "local.",
    "loki.echo",
    "loki.enrich",
    "loki.process",
    "loki.relabel",
    "loki.secretfilter",
    "otelcol.auth.",
    "otelcol.connector.",
    "otelcol.exporter.debug",
    "otelcol.exporter.loki",
    "otelcol.exporter.prometheus",
    "otelcol.extension.",
    "otelcol.processor.",
    "otelcol.storage.",
    "prometheus.echo",
    "prometheus.exporter.",
    "prometheus.relabel",
    "pyroscope.relabel",
    "remote.",
];
/// The blocks in which a destination says where it sends, and the attributes that do.
const ENDPOINTS: [&str; 2] = ["endpoint", "client"];
const ADDRESSES: [&str; 2] = ["url", "endpoint"];
/// Of each that many are kept.
const BOUND: usize = 500;

/// Adds what a text has of them.
pub(super) fn find(statements: &[Statement], pipelines: &mut AlloyPipelines) {
    for statement in statements {
        let Statement::Block { name, label, body } = statement else {
            continue;
        };
        let component = || {
            let label = label.as_deref().unwrap_or_default();
            bounded(&format!("{name} {label:?}"))
        };
        let begins = |beginning: &&str| name.starts_with(*beginning);
        if name == "declare" {
            find(body, pipelines);
        } else if name.starts_with("import.") {
            push(&mut pipelines.imports, component());
        } else if SOURCES.iter().any(begins) {
            push(&mut pipelines.sources, component());
        } else if DESTINATIONS.iter().any(begins) && !NO_DESTINATIONS.contains(&name.as_str()) {
            let mut addresses = Vec::new();
            endpoints(body, &mut addresses);
            let component = component();
            push(&mut pipelines.destinations, AlloyDestination { component, addresses });
        } else if name.contains('.') && !NEITHER.iter().any(begins) {
            // Settings of Alloy itself have no dot: `logging`.
            push(&mut pipelines.unknown, component());
        }
    }
}

fn push<T>(kept: &mut Vec<T>, one: T) {
    if kept.len() < BOUND {
        kept.push(one);
    }
}

fn endpoints(body: &[Statement], addresses: &mut Vec<Option<String>>) {
    for statement in body {
        let Statement::Block { name, body, .. } = statement else {
            continue;
        };
        if ENDPOINTS.contains(&name.as_str()) {
            let address = body.iter().find_map(|inner| match inner {
                Statement::Attribute { name, value } if ADDRESSES.contains(&name.as_str()) => {
                    Some(address(&Value::of(value)))
                }
                _ => None,
            });
            push(addresses, address.flatten());
        }
    }
}

/// Scheme, host and port of an address that stands there whole: user and password, path, and what is asked, may be
/// credentials.
fn address(value: &Value) -> Option<String> {
    let [text] = value.texts.as_slice() else {
        return None;
    };
    if text.contains(REFERENCE) {
        return None;
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text.as_str()),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    Some(bounded(&format!("{scheme}{host}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::telemetry::installed::alloy::syntax;

    #[test]
    fn of_a_configuration_the_components_that_collect_and_send_are_told() {
        let text = r#"
            import.git "more" { repository = "https://git.example.com/a" }
            declare "feature" {
              argument "out" {}
              prometheus.scrape "kubelet" { forward_to = argument.out.value }
            }
            loki.source.kubernetes_events "events" { forward_to = [loki.write.logs.receiver] }
            otelcol.exporter.loki "logs" { forward_to = [loki.write.logs.receiver] }
            loki.write "logs" { endpoint { url = "https://u:hush@logs.example.com/hooks/T01/hush?token=hush" } }
            mimir.rules.kubernetes "rules" { address = "https://u:hush@mimir.example.com" }
            otelcol.exporter.loadbalancing "traces" { resolver { kubernetes { service = "gateway" } } }
            prometheus.relabel "some" { forward_to = [] }
            prometheus.remote_write "metrics" {
              endpoint { url = "http://metrics.example.com/push" }
              endpoint { url = sys.env("URL") }
            }
            otelcol.exporter.otlp "traces" { client { endpoint = "tempo.example.com:4317" } }
        "#;
        let (statements, problem) = syntax::read(text);
        assert!(problem.is_none());
        let mut found = AlloyPipelines::default();
        find(&statements, &mut found);
        assert_eq!(
            found.sources,
            [
                "prometheus.scrape \"kubelet\"",
                "loki.source.kubernetes_events \"events\""
            ]
        );
        assert_eq!(found.imports, ["import.git \"more\""]);
        assert_eq!(found.unknown, ["mimir.rules.kubernetes \"rules\""]);
        let told: Vec<(&str, Vec<Option<&str>>)> = (found.destinations.iter())
            .map(|one| {
                (
                    one.component.as_str(),
                    one.addresses.iter().map(Option::as_deref).collect(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("loki.write \"logs\"", vec![Some("https://logs.example.com")]),
                ("otelcol.exporter.loadbalancing \"traces\"", Vec::new()),
                (
                    "prometheus.remote_write \"metrics\"",
                    vec![Some("http://metrics.example.com"), None]
                ),
                ("otelcol.exporter.otlp \"traces\"", vec![Some("tempo.example.com:4317")]),
            ]
        );
    }
}
