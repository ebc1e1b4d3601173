//! Step 4: what Alloy collects, and where its configuration sends that.

use super::alloy::installed;
use super::collector::settings;
use crate::evaluate::fix::{count, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{AlloyDestination, AlloyPipelines, AlloySettings, Observed};
use crate::report::ObjectReference;

/// The destinations that send to the endpoints that they name, and need one; others have resolvers, brokers or files
/// (grafana/alloy v1.18.1: internal/component).
const WITH_ENDPOINTS: [&str; 5] = [
    "loki.write",
    "otelcol.exporter.otlp",
    "otelcol.exporter.otlphttp",
    "prometheus.remote_write",
    "pyroscope.write",
];

/// SF448. A collector that sends nothing is told though another could not be read.
pub(in crate::evaluate) fn sends(subject: Subject<'_>) -> Judge {
    let collector = installed(subject);
    let all = settings(collector, &subject.evidence.telemetry.alloy_settings)?;
    let expected = "what is collected sent to an address that is verified: `destinations` of the values";
    let told =
        |outcome: Outcome, settings: &AlloySettings| outcome.expected(expected).objects([this(settings)]).lasting();
    let run: Vec<&AlloySettings> = all.iter().filter(|settings| !runs_nowhere(subject, settings)).collect();
    let (mut unknown, mut warned, mut passed) = (None, None, Vec::new());
    for settings in &run {
        let workload = &settings.workload;
        let Some(pipelines) = settings.pipelines.as_ref().filter(|_| settings.unread.is_none()) else {
            let why = settings.unread.as_deref().unwrap_or("its configuration was not read");
            let outcome = Outcome::undetermined(format!("what {workload} sends is not known: {why}"));
            unknown = unknown.or_else(|| Some(told(outcome, settings)));
            continue;
        };
        if let Some(hidden) = hides(settings, pipelines).filter(|_| lacks(pipelines).is_some()) {
            let outcome = Outcome::undetermined(format!("what {workload} sends is not known: {hidden}"));
            unknown = unknown.or_else(|| Some(told(outcome, settings)));
            continue;
        }
        if let Some(lacking) = lacks(pipelines) {
            let outcome = told(Outcome::fail(format!("{workload} {lacking}")), settings);
            return Ok(outcome.fix(collector.upgrade(Some(&settings.namespace), "install with the contract's values")));
        }
        let addresses = || pipelines.destinations.iter().flat_map(|one| &one.addresses).flatten();
        if let Some(plain) = addresses().find(|address| address.starts_with("http://") && !is_local(address)) {
            let outcome = Outcome::warn(format!("{workload} sends to {plain} without TLS"));
            let fix = collector.upgrade(Some(&settings.namespace), "install with the contract's values");
            warned = warned.or_else(|| Some(told(outcome, settings).fix(fix)));
        }
        if let Some(store) = shared_store(subject, pipelines) {
            let outcome = Outcome::warn(format!(
                "{workload} sends metrics to {store}, and so does vmagent: of what both scrape every series comes twice"
            ));
            let fix = collector.upgrade(Some(&settings.namespace), "install with the contract's values");
            warned = warned.or_else(|| Some(told(outcome, settings).fix(fix)));
        }
        let sources = count(pipelines.sources.len(), "source");
        passed.push(format!(
            "{workload}: {sources} to {}",
            names(pipelines.destinations.iter().map(sent_to))
        ));
    }
    if let Some(outcome) = unknown.or(warned) {
        return Ok(outcome);
    }
    if passed.is_empty() {
        return Ok(Outcome::not_applicable("no workload of Alloy has a pod"));
    }
    Ok(Outcome::pass(names(passed)))
}

/// What a configuration does not do that it has to.
fn lacks(pipelines: &AlloyPipelines) -> Option<String> {
    let AlloyPipelines {
        sources, destinations, ..
    } = pipelines;
    if sources.is_empty() {
        return Some("collects nothing: no component of its configuration does".to_owned());
    }
    if destinations.is_empty() {
        return Some(format!("sends nothing of what it collects: {}", names(sources)));
    }
    let needs_endpoint = |one: &&AlloyDestination| {
        let name = one.component.split_whitespace().next().unwrap_or_default();
        WITH_ENDPOINTS.contains(&name)
    };
    let mut nowhere = destinations.iter().filter(needs_endpoint);
    let nowhere = nowhere.find(|one| one.addresses.is_empty())?;
    Some(format!("sends nothing: {} has no endpoint", nowhere.component))
}

/// The store of metrics that vmagent writes to as well, where what is collected are metrics: both read the kubelets.
fn shared_store<'a>(subject: Subject<'a>, pipelines: &'a AlloyPipelines) -> Option<&'a str> {
    if !pipelines.sources.iter().any(|source| source.starts_with("prometheus.")) {
        return None;
    }
    let Observed::Seen(vmagents) = &subject.evidence.telemetry.vmagent_settings else {
        return None;
    };
    let remote_writes = vmagents.iter().flat_map(|settings| &settings.remote_writes);
    let stores: Vec<(&str, Option<&str>)> = remote_writes
        .filter_map(|write| write.address.as_deref())
        .map(place)
        .collect();
    let destinations = pipelines.destinations.iter();
    let of_metrics = destinations.filter(|one| one.component.starts_with("prometheus.remote_write"));
    let mut addresses = of_metrics.flat_map(|one| &one.addresses).flatten();
    addresses
        .find(|address| stores.contains(&place(address)))
        .map(String::as_str)
}

/// Host and port of an address, and of a VictoriaMetrics cluster the tenant that its path names: `/insert/7/…` is another store
/// than `/insert/8/…`, and the other paths of one host are one store's.
fn place(address: &str) -> (&str, Option<&str>) {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let mut parts = rest.split('/');
    let host = parts.next().unwrap_or_default();
    let port = if scheme == "http" { ":80" } else { ":443" };
    let tenant = parts.skip_while(|part| *part != "insert").nth(1);
    (host.strip_suffix(port).unwrap_or(host), tenant)
}

/// Why a part of a configuration is not known.
fn hides(settings: &AlloySettings, pipelines: &AlloyPipelines) -> Option<String> {
    let texts = settings.config_maps.iter().flat_map(|map| &map.texts);
    let mut unread = texts.filter_map(|text| Some(format!("{}, {}", text.key, text.unread.as_ref()?)));
    let mut others = pipelines.imports.iter().chain(&pipelines.unknown);
    unread.next().or_else(|| others.next().cloned())
}

fn sent_to(destination: &AlloyDestination) -> String {
    let addresses = destination.addresses.iter();
    if destination.addresses.is_empty() {
        return destination.component.clone();
    }
    names(addresses.map(|address| address.as_deref().unwrap_or("an address that is not written in it")))
}

/// Whether it has no pod and wants none.
fn runs_nowhere(subject: Subject<'_>, settings: &AlloySettings) -> bool {
    let Observed::Seen(workloads) = &installed(subject).component.workloads else {
        return false;
    };
    let its = workloads
        .iter()
        .find(|found| (&found.workload.namespace, &found.workload.name) == (&settings.namespace, &settings.workload));
    its.is_some_and(|found| found.workload.desired == 0 && found.pods.is_empty())
}

fn is_local(address: &str) -> bool {
    let host = address.trim_start_matches("http://");
    let host = host.split(['/', ':']).next().unwrap_or_default();
    // A Service of the cluster is `NAME.NAMESPACE.svc`, with or without the cluster's domain.
    ["localhost", "127.0.0.1", "[::1]"].contains(&host) || host.split('.').nth(2) == Some("svc")
}

fn this(settings: &AlloySettings) -> ObjectReference {
    match settings.config_maps.first() {
        Some(map) => object("ConfigMap", &settings.namespace, &map.name),
        None => object("Alloy", &settings.namespace, &settings.workload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::itself("https://vm.example.com/api/v1/write", true)]
    #[case::another_path("https://vm.example.com/api/v1/push", true)]
    #[case::the_port_that_is_meant("https://vm.example.com:443/", true)]
    #[case::another_port("https://vm.example.com:8427/api/v1/write", false)]
    #[case::another_host("https://vm2.example.com/api/v1/write", false)]
    #[case::a_tenant("https://vm.example.com/insert/7/prometheus", false)]
    fn a_store_is_told_by_its_host_and_tenant(#[case] other: &str, #[case] is_one: bool) {
        assert_eq!(place("https://vm.example.com/api/v1/write") == place(other), is_one);
    }

    #[test]
    fn two_tenants_are_two_stores() {
        let of = |tenant: &str| format!("https://vm.example.com/insert/{tenant}/prometheus/api/v1/write");
        assert_ne!(place(&of("7")), place(&of("8")));
        assert_eq!(place(&of("7")), place("https://vm.example.com/insert/7/prometheus"));
    }
}
