//! What each source comes to where a request of an audit is answered wrongly.

use serde::Deserialize;
use serde_json::Value;
use starform_verify::evidence::{Evidence, Source};
use std::collections::BTreeMap;
use testdata::{Asked, Fault, PARTS, PASSWORDS, REQUESTS, TOKEN};

/// What a source comes to: `seen`, `absent`, or the reason why it is unknown.
pub(crate) fn state(evidence: &Value, source: Source) -> String {
    let pointer = match source {
        Source::ApiServer => "/apiServer",
        Source::Identity => "/identity",
        Source::Nodes => "/nodes",
        Source::MetricsApiService => "/metricsApiService",
        Source::NodeMetrics => "/nodeMetrics",
        Source::PodMetrics => "/podMetrics",
        Source::Autoscalers => "/autoscalers",
        Source::MetricsServerServices => "/metricsServer/services",
        Source::MetricsServerEndpoints => "/metricsServer/endpoints",
        Source::MetricsServerWorkloads => "/metricsServer/workloads",
        Source::StateMetricsServices => "/kubeStateMetrics/services",
        Source::StateMetricsEndpoints => "/kubeStateMetrics/endpoints",
        Source::StateMetricsWorkloads => "/kubeStateMetrics/workloads",
        Source::Pods => "/pods",
        Source::StateMetricsScrape => "/scrapes",
        Source::ShuttleStatus => "/shuttle/status",
        Source::ShuttleAgent => "/shuttle/agent",
        Source::ShuttleNode => "/shuttle/node",
        Source::ShuttleConfigMaps => "/shuttle/configMaps",
        Source::ShuttleGrants => "/shuttle/grants",
        Source::Starbase => "/shuttle/starbase",
        Source::FluentBitWorkloads => "/telemetry/fluentBit/workloads",
        Source::FluentBitMetrics => "/telemetry/fluentBit/metrics",
        Source::VmagentMetrics => "/telemetry/vmagent/metrics",
        Source::AlloyMetrics => "/telemetry/alloy/metrics",
        Source::FluentBitSettings => "/telemetry/fluentBitSettings",
        Source::VmagentWorkloads => "/telemetry/vmagent/workloads",
        Source::VmagentSettings => "/telemetry/vmagentSettings",
        Source::AlloyWorkloads => "/telemetry/alloy/workloads",
        Source::AlloySettings => "/telemetry/alloySettings",
        Source::AlloyResources => "/telemetry/alloys",
        Source::EnvoyGatewayWorkloads => "/gateway/controller",
        Source::GatewayClasses => "/gateway/classes",
        Source::Gateways => "/gateway/gateways",
        Source::GatewayCrds => "/gateway/crds",
        Source::GatewayProxies => "/gateway/proxies",
        Source::GatewayConfiguration => "/gateway/configuration",
        Source::MetricsStore => "/region/metricsStore",
        Source::LogStore => "/region/logStore",
        Source::LogAggregator => "/region/logAggregator",
        Source::Terraform => "/region/terraform",
        Source::HelmReleases => return releases_state(evidence),
    };
    let seen = evidence.pointer(pointer).unwrap();
    // The scrape is a list of scrapes; with one target, that one's state is the source's.
    let seen = seen.pointer("/seen/0/rows").unwrap_or(seen);
    // Of pages, the first that could not be read is the source's state.
    let pages = seen["seen"].as_array().into_iter().flatten();
    let parts = pages.flat_map(|page| [&page["first"], &page["jobs"], &page["updates"]]);
    let unread = parts.into_iter().find(|part| part.get("unknown").is_some());
    let seen = unread.unwrap_or(seen);
    match (seen.as_str(), seen.get("unknown")) {
        (Some(word), _) => word.to_owned(),
        (None, Some(unknown)) => unknown["reason"].as_str().unwrap().to_owned(),
        (None, None) if seen["seen"].as_array().is_some_and(Vec::is_empty) => "empty".to_owned(),
        (None, None)
            if ["/seen/rows", "/seen/services"]
                .iter()
                .filter_map(|part| seen.pointer(part)?.as_array())
                .any(Vec::is_empty) =>
        {
            "empty".to_owned()
        }
        (None, None) => "seen".to_owned(),
    }
}

/// The sources that some request is known for.
pub(crate) fn sources() -> Vec<Source> {
    Source::ALL
        .into_iter()
        .filter(|source| REQUESTS.iter().any(|asked| asked.sources.contains(source)))
        .collect()
}

/// What the releases come to: the first that is not seen whole tells.
fn releases_state(evidence: &Value) -> String {
    let Some(releases) = evidence.pointer("/releases/seen").and_then(Value::as_array) else {
        return evidence["releases"]["unknown"]["reason"].as_str().unwrap().to_owned();
    };
    let state = |release: &Value| {
        let history = &release["history"];
        let unknown = [
            history.pointer("/unknown/reason"),
            history.pointer("/seen/content/unknown/reason"),
        ];
        let reason = unknown.into_iter().flatten().find_map(Value::as_str);
        reason.or((history == "absent").then_some("empty")).map(str::to_owned)
    };
    releases.iter().find_map(state).unwrap_or_else(|| "seen".to_owned())
}

/// What the source that is read with a request has to come to.
fn expected(asked: &Asked, fault: Fault) -> &'static str {
    let page = asked.is_page();
    let scrape = asked.name == "scrape" || page;
    let object = asked.empty.is_none();
    match fault {
        // What stands behind the API server's proxy answers for itself.
        Fault::Plain(401) | Fault::Redirect if scrape => "refused",
        // Starbase's refusals have a form of their own; any other comes from something in between.
        Fault::Plain(_) if asked.name == "starbase" => "malformed",
        // Every API server has that page, and refuses it in a form of its own.
        Fault::Plain(404 | 502) if asked.name == "version" => "malformed",
        // A door before a store has words of its own; a store whose tables are empty has answered.
        Fault::Plain(403) if asked.is_of_store() => "forbidden",
        Fault::EmptyList if asked.name.starts_with("store: ") => "malformed",
        Fault::EmptyList if asked.name.starts_with("logs: ") => "seen",
        Fault::Status(401) | Fault::Plain(401) => "unauthorized",
        Fault::Status(403) => "forbidden",
        Fault::Status(404) if object && !page && asked.name != "version" => "absent",
        Fault::Status(_) | Fault::Plain(_) => "refused",
        // A configuration has no mark of its end; what is left of this one is no YAML.
        Fault::Short | Fault::EmptyList | Fault::EmptyObject | Fault::Garbage if asked.name == "vmagent's jobs" => {
            "malformed"
        }
        Fault::EmptyList if page => "truncated",
        Fault::EmptyList if asked.sources == [Source::ShuttleGrants] => "seen",
        Fault::EmptyList
            if [
                "statefulsets",
                "deployments of envoy-gateway",
                "failed mounts",
                "pending pods of envoy-gateway",
            ]
            .contains(&asked.name) =>
        {
            "seen"
        }
        // Of the lists of its source the only one that has something.
        Fault::EmptyList if asked.name == "clienttrafficpolicies" => "empty",
        // One list of several of its source, and those of which the good answer is empty.
        Fault::EmptyList if PARTS.contains(&asked.name) || asked.body().contains(r#""items":[]"#) => "seen",
        Fault::EmptyList if asked.name == "alloy's operator" => "seen",
        // The list has it, and then it is gone: Helm is at work.
        Fault::EmptyList if asked.name.starts_with("helm release ") => "refused",
        Fault::EmptyList if !object => "empty",
        Fault::EmptyObject | Fault::Garbage if scrape => "truncated",
        Fault::Cut | Fault::Short => "truncated",
        Fault::Hang | Fault::HangInBody | Fault::Drip => "timed-out",
        Fault::Close => "unreachable",
        Fault::EmptyList
        | Fault::EmptyObject
        | Fault::Garbage
        | Fault::ContentType
        | Fault::Portal
        | Fault::Redirect
        | Fault::NotHttp => "malformed",
    }
}

/// What a source comes to where one that it is found through is as given.
fn behind(source: Source, direct: &str) -> &str {
    match (source, direct) {
        // Of workloads that are not there, and of pods, no page is asked for.
        (Source::FluentBitMetrics | Source::VmagentMetrics | Source::AlloyMetrics, "empty") => "empty",
        // metrics-server's Services are listed whether or not the APIService could be read; a Service is scraped
        // whether or not a workload stands behind it.
        (Source::MetricsServerServices, _) | (Source::StateMetricsScrape, "empty") | (_, "seen") => "seen",
        (_, "empty" | "absent") => "absent",
        (_, "forbidden") => "forbidden",
        _ => "behind",
    }
}

/// The lists without which there is nothing in a source: of all pods that its pages are asked of, and of the definitions without
/// which a kind has no objects.
const EMPTIED_BY: [(&str, Source); 3] = [
    ("customresourcedefinitions", Source::GatewayConfiguration),
    ("fluent-bit's pods", Source::FluentBitMetrics),
    ("vmagent's pods", Source::VmagentMetrics),
];

/// What is wrong with the evidence of an audit with one fault.
pub(crate) fn wrong_states(asked: &Asked, fault: Fault, evidence: &Evidence, good: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let json = serde_json::to_value(evidence).unwrap();
    let direct = expected(asked, fault);
    let mut states: BTreeMap<Source, String> = BTreeMap::new();
    for source in sources() {
        let state = state(&json, source);
        let expected = if asked.sources.contains(&source) {
            direct.to_owned()
        } else if fault == Fault::EmptyList && EMPTIED_BY.contains(&(asked.name, source)) {
            "empty".to_owned()
        } else {
            (source.found_through().iter())
                .map(|through| behind(source, &states[through]))
                .find(|state| *state != "seen")
                .unwrap_or("seen")
                .to_owned()
        };
        if state != expected {
            wrong.push(format!("{} {fault:?}: {source} is {state}, not {expected}", asked.name));
        }
        states.insert(source, state);
    }
    // A full round: what was written is what is read.
    assert_eq!(&Evidence::deserialize(&json).unwrap(), evidence);
    // The permission that is missing is named; `/version` is no resource, and Starbase's are not the cluster's.
    let text = json.to_string();
    // Every text of the evidence, a thousand times: by a search that is optimised.
    let holds = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    assert!(!holds(TOKEN), "{} {fault:?}: the token is evidence", asked.name);
    for password in PASSWORDS {
        assert!(!holds(password), "{} {fault:?}: a password is evidence", asked.name);
    }
    // What still came when its time was over came slowly; what hangs did not.
    let slow = holds("\"trouble\":\"slow\"");
    assert_eq!(
        slow,
        fault == Fault::Drip && direct == "timed-out",
        "{} {fault:?}",
        asked.name
    );
    let has_own_door = ["version", "starbase"].contains(&asked.name) || asked.is_of_store();
    let forbidden = direct == "forbidden" && !has_own_door;
    assert_eq!(holds("\"access\""), forbidden, "{} {fault:?}", asked.name);
    if asked.name != "version" {
        assert_eq!(evidence.api_server, good.api_server);
    }
    assert_eq!(evidence.timings.len(), good.timings.len());
    wrong
}
