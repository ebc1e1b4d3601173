//! What is asked for, of whom, and with what.

use starform_verify::collect::{ConnectOptions, Connection, Plan, rbac};
use starform_verify::contract::{Contract, StepId};
use starform_verify::evaluate::{Selection, SelectionRequest, evaluate};
use starform_verify::evidence::{Evidence, Observed, Reason, Source, StarbaseRead, Vantage, WorkloadKind};
use starform_verify::report::Verdict;
use std::collections::BTreeSet;
use std::time::Duration;
use testdata::{Answers, Fault, Mock, asked, cases, collect, plan, status};

const JSON: &str = "application/json";

async fn audit(mock: &Mock) -> Evidence {
    audit_from(mock, Vantage::Outside).await
}

async fn audit_from(mock: &Mock, vantage: Vantage) -> Evidence {
    let contract = Contract::embedded().unwrap();
    collect(&mock.targets_from(vantage), &contract, &plan()).await
}

fn seen<T>(observed: &Observed<T>) -> &T {
    match observed {
        Observed::Seen(value) => value,
        Observed::Absent => panic!("absent"),
        Observed::Unknown(unknown) => panic!("{unknown}"),
    }
}

fn unknown<T>(observed: &Observed<T>) -> (Reason, String) {
    match observed {
        Observed::Unknown(unknown) => (unknown.reason, unknown.message.clone()),
        _ => panic!("known"),
    }
}

/// The nodes in pages of one.
fn pages() -> Vec<String> {
    let nodes: serde_json::Value = serde_json::from_str(asked("nodes").body()).unwrap();
    let items = nodes["items"].as_array().unwrap().clone();
    let last = items.len() - 1;
    let pages = items.into_iter().enumerate().map(|(page, item)| {
        let mut one = nodes.clone();
        one["items"] = serde_json::json!([item]);
        if page < last {
            one["metadata"]["continue"] = format!("token {page}").into();
        }
        one.to_string()
    });
    pages.collect()
}

#[tokio::test]
async fn pages_follow_their_tokens_and_an_expired_one_restarts_the_list_once() {
    let mock = Mock::start().await;
    let whole = audit(&mock).await.nodes;
    let pages: Vec<_> = pages().into_iter().map(|page| (200, JSON, page)).collect();
    mock.answer("nodes", pages.clone());
    assert_eq!(audit(&mock).await.nodes, whole);
    let lists = || {
        mock.log()
            .iter()
            .filter(|head| head.starts_with("GET /api/v1/nodes?"))
            .count()
    };
    let log = mock.log();
    assert!(log.iter().any(|head| head.contains("&continue=token%200 ")), "{log:#?}");

    mock.mend();
    let expired = (410, JSON, status(410));
    let mut answers = vec![pages[0].clone(), expired.clone()];
    answers.extend(pages.clone());
    mock.answer("nodes", answers);
    assert_eq!(audit(&mock).await.nodes, whole);
    assert_eq!(lists(), pages.len() + 2);

    mock.mend();
    mock.answer(
        "nodes",
        vec![pages[0].clone(), expired.clone(), pages[0].clone(), expired],
    );
    assert_eq!(unknown(&audit(&mock).await.nodes).0, Reason::Refused);
    assert_eq!(lists(), 4);

    mock.mend();
    mock.answer("nodes", vec![pages[0].clone()]);
    let (reason, message) = unknown(&audit(&mock).await.nodes);
    assert_eq!((reason, message.as_str()), (Reason::Malformed, "its pages never end"));
}

/// What a list of pods is that is given in another form, or not whole.
#[tokio::test]
async fn pods_are_the_same_in_json_and_a_page_of_them_is_not_the_list() {
    let mock = Mock::start().await;
    let whole = audit(&mock).await.pods;
    let table: serde_json::Value = serde_json::from_str(asked("pods").body()).unwrap();
    let json = testdata::pod_list(&table).unwrap();
    mock.answer("pods", vec![(200, JSON, json.to_string())]);
    assert_eq!(audit(&mock).await.pods, whole);

    let mut page = table.clone();
    page["metadata"]["continue"] = "token".into();
    for page in [page.to_string(), testdata::pod_list(&page).unwrap().to_string()] {
        mock.answer("pods", vec![(200, JSON, page)]);
        let (reason, message) = unknown(&audit(&mock).await.pods);
        assert_eq!(reason, Reason::Malformed);
        assert!(
            message.contains("it is a page, and the whole list was asked for"),
            "{message}"
        );
    }
    // Where something lets no protobuf through, JSON is asked for.
    for code in [406, 415] {
        mock.mend();
        mock.answer(
            "pods",
            vec![(code, "text/plain", "no".to_owned()), (200, JSON, table.to_string())],
        );
        assert_eq!(audit(&mock).await.pods, whole);
        mock.mend();
        mock.answer("pods", vec![(code, "text/plain", "no".to_owned())]);
        assert_eq!(unknown(&audit(&mock).await.pods).0, Reason::Refused);
        assert_eq!(
            mock.log()
                .iter()
                .filter(|head| head.starts_with("GET /api/v1/pods "))
                .count(),
            2
        );
    }
    let log = mock.log();
    let asked = log.iter().find(|head| head.starts_with("GET /api/v1/pods")).unwrap();
    assert!(
        asked.contains("accept: application/vnd.kubernetes.protobuf, application/json"),
        "{asked}"
    );
    assert!(!asked.contains("limit="), "{asked}");
}

/// A request may take four seconds here. A list of 2,000 pods that comes in ten parts has that for every 500.
#[tokio::test(start_paused = true)]
async fn a_large_list_on_a_slow_line_has_the_time_that_its_pages_would_have() {
    let answers = Answers::good();
    let mut table: serde_json::Value = serde_json::from_str(asked("pods").body()).unwrap();
    let row = table["rows"][0].clone();
    let rows = (0..2_000).map(|position| {
        let mut row = row.clone();
        row["object"]["metadata"]["name"] = format!("pod-{position}").into();
        row
    });
    table["rows"] = rows.collect();
    let contract = Contract::embedded().unwrap();
    for (pause, is_seen) in [(1_000, true), (1_900, false)] {
        answers.mend();
        answers.answer_slowly("pods", table.to_string(), Duration::from_millis(pause));
        let pods = collect(&answers.targets(), &contract, &plan()).await.pods;
        match pods {
            Observed::Seen(pods) => assert!(is_seen && pods.len() == 2_000, "{pause} ms between the parts"),
            other => {
                assert!(!is_seen, "{pause} ms between the parts: {other:?}");
                assert_eq!(unknown(&other).0, Reason::TimedOut);
            }
        }
    }
}

#[tokio::test]
async fn only_the_bodies_that_are_lists_are_lists() {
    let mock = Mock::start().await;
    for (body, reason) in [
        (r#"{"kind":"NodeList","items":null}"#, None),
        (r#"{"kind":"NodeList"}"#, Some(Reason::Malformed)),
        (r#"{"kind":"NodeList","items":{}}"#, Some(Reason::Malformed)),
        (r#"{"kind":"PodList","items":[]}"#, Some(Reason::Malformed)),
        (r#"{"items":[]}"#, Some(Reason::Malformed)),
        (r#"{"kind":"NodeList","items":[{}]}"#, Some(Reason::Malformed)),
        (r#"{"kind":"NodeList","items":[]}{}"#, Some(Reason::Malformed)),
        (r#"{"kind":"Status","status":"Success"}"#, Some(Reason::Malformed)),
        ("[]", Some(Reason::Malformed)),
        ("", Some(Reason::Truncated)),
        (r#"{"kind":"NodeList","items":[{"#, Some(Reason::Truncated)),
    ] {
        mock.answer("nodes", vec![(200, JSON, body.to_owned())]);
        let nodes = audit(&mock).await.nodes;
        match reason {
            None => assert!(seen(&nodes).is_empty(), "{body}"),
            Some(reason) => assert_eq!(unknown(&nodes).0, reason, "{body}"),
        }
    }
}

#[tokio::test]
async fn metrics_server_is_found_by_the_apiservice_s_reference_too() {
    let mock = Mock::start().await;
    let good = audit(&mock).await;
    mock.fault("services of metrics-server", Fault::EmptyList);
    let services = asked("services of metrics-server").body().to_owned();
    mock.answer("referenced service", vec![(200, JSON, services)]);
    let found = audit(&mock).await;
    assert_eq!(found.metrics_server, good.metrics_server);
    // Without the APIService there is no reference, and what the labels find is what there is.
    mock.mend();
    mock.fault("apiservice", Fault::Status(404));
    let found = audit(&mock).await;
    assert_eq!(found.metrics_api_service, Observed::Absent);
    assert_eq!(found.metrics_server, good.metrics_server);
}

#[tokio::test]
async fn a_service_that_stands_elsewhere_is_told_and_not_scraped() {
    let mock = Mock::start().await;
    let body = asked("services of kube-state-metrics").body();
    mock.answer(
        "services of kube-state-metrics",
        vec![(200, JSON, body.replace("kube-system", "tenant"))],
    );
    let evidence = audit(&mock).await;
    let services = seen(&evidence.kube_state_metrics.services);
    assert!(
        services
            .iter()
            .all(|service| service.namespace == "tenant" && !service.accepted),
        "{services:?}"
    );
    assert_eq!(evidence.kube_state_metrics.endpoints, Observed::Absent);
    assert_eq!(evidence.scrapes, Observed::Absent);
    assert!(
        !mock
            .log()
            .iter()
            .any(|head| head.contains("tenant") || head.contains("kube-state-metrics:"))
    );
}

#[tokio::test]
async fn every_shard_is_asked_and_the_one_that_is_down_shows() {
    let mock = Mock::start().await;
    let one = asked("endpoints of kube-state-metrics").body();
    let mut list: serde_json::Value = serde_json::from_str(one).unwrap();
    let endpoint = list["items"][0]["endpoints"][0].clone();
    let mut shards = Vec::new();
    for shard in 0..2 {
        let mut endpoint = endpoint.clone();
        endpoint["targetRef"]["name"] = format!("kube-state-metrics-{shard}").into();
        endpoint["addresses"] = serde_json::json!([format!("10.244.0.{shard}")]);
        endpoint["conditions"]["ready"] = (shard == 0).into();
        shards.push(endpoint);
    }
    list["items"][0]["endpoints"] = shards.into();
    mock.answer("endpoints of kube-state-metrics", vec![(200, JSON, list.to_string())]);
    let body = asked("deployments").body();
    // Replicas hold the same: the Service is asked once.
    assert_eq!(seen(&audit(&mock).await.scrapes).len(), 1);
    let sharded = body.replace("--port=8080", "--total-shards=2");
    assert_ne!(sharded, body);
    mock.answer("deployments", vec![(200, JSON, sharded)]);
    let evidence = audit(&mock).await;
    let scrapes = seen(&evidence.scrapes);
    let pods: Vec<_> = scrapes.iter().map(|scrape| scrape.pod.as_deref()).collect();
    assert_eq!(pods, [Some("kube-state-metrics-0"), Some("kube-state-metrics-1")]);
    // The mock knows no such pods.
    assert!(scrapes.iter().all(|scrape| matches!(scrape.rows, Observed::Unknown(_))));
    let path = "/api/v1/namespaces/kube-system/pods/kube-state-metrics-1:8080/proxy/metrics?resources=pods";
    assert!(mock.log().iter().any(|head| head.contains(path)), "{:#?}", mock.log());
}

#[tokio::test]
async fn shards_by_node_are_each_asked() {
    let contract = Contract::embedded().unwrap();
    let answers = cases::case("ksm-daemonset-sharding").unwrap().answers().unwrap();
    let evidence = collect(&answers.targets(), &contract, &plan()).await;
    let workloads = seen(&evidence.kube_state_metrics.workloads).iter();
    let workloads: Vec<_> = workloads
        .map(|workload| (workload.kind, workload.name.as_str()))
        .collect();
    let expected = [
        (WorkloadKind::Deployment, "kube-state-metrics"),
        (WorkloadKind::DaemonSet, "kube-state-metrics-shard"),
    ];
    assert_eq!(workloads, expected);
    let scrapes = seen(&evidence.scrapes).iter();
    let rows: Vec<_> = scrapes
        .map(|scrape| (scrape.pod.as_deref(), seen(&scrape.rows).rows.len()))
        .collect();
    let expected = [
        (None, 0),
        (Some("kube-state-metrics-shard-0abcd"), 5),
        (Some("kube-state-metrics-shard-1abcd"), 5),
    ];
    assert_eq!(rows, expected);
    let report = evaluate(&contract, &evidence, &Selection::all());
    for code in [
        "SF320", "SF321", "SF322", "SF323", "SF324", "SF325", "SF326", "SF327", "SF328", "SF329",
    ] {
        let check = report.checks().find(|check| check.code == code).unwrap();
        assert_eq!(check.verdict, Verdict::Pass, "{code}: {}", check.observed);
    }
}

#[tokio::test]
async fn a_list_that_two_sources_are_found_in_is_asked_for_once() {
    let mock = Mock::start().await;
    let evidence = audit(&mock).await;
    for component in [&evidence.metrics_server, &evidence.kube_state_metrics] {
        assert_eq!(seen(&component.workloads).len(), 1);
    }
    let log = mock.log();
    for resource in ["deployments", "statefulsets", "daemonsets"] {
        let path = format!("GET /apis/apps/v1/namespaces/kube-system/{resource}?");
        assert_eq!(
            log.iter().filter(|head| head.starts_with(&path)).count(),
            1,
            "{resource}"
        );
    }
    let mut requests: Vec<&str> = log.iter().filter_map(|head| head.lines().next()).collect();
    requests.sort_unstable();
    let all = requests.len();
    requests.dedup();
    assert_eq!(requests.len(), all, "no request is sent twice");
}

#[tokio::test]
async fn a_scrape_is_whole_or_unknown() {
    let mock = Mock::start().await;
    let whole = asked("scrape").body();
    let without_mark = whole.strip_suffix("# EOF\n").unwrap();
    let open_metrics = asked("scrape").content_type();
    let text = "text/plain; version=0.0.4; charset=utf-8";
    for (content_type, body, reason) in [
        (open_metrics, whole.to_owned(), None),
        (open_metrics, without_mark.to_owned(), Some(Reason::Truncated)),
        (open_metrics, format!("{whole}a 1\n"), Some(Reason::Malformed)),
        (open_metrics, String::new(), Some(Reason::Truncated)),
        (text, without_mark.to_owned(), None),
        (text, without_mark.trim_end().to_owned(), Some(Reason::Truncated)),
        ("text/plain", without_mark.to_owned(), Some(Reason::Malformed)),
        (JSON, whole.to_owned(), Some(Reason::Malformed)),
    ] {
        mock.answer("scrape", vec![(200, content_type, body)]);
        let evidence = audit(&mock).await;
        let [scrape] = seen(&evidence.scrapes).as_slice() else {
            panic!("not one scrape")
        };
        match reason {
            None => assert_eq!(seen(&scrape.rows).rows.len(), seen(&evidence.pods).len()),
            Some(reason) => assert_eq!(unknown(&scrape.rows).0, reason, "{content_type}"),
        }
    }
    let unreachable = status(503).replace("the mock says 503", "error trying to reach service: dial tcp: refused");
    mock.answer("scrape", vec![(503, JSON, unreachable)]);
    let evidence = audit(&mock).await;
    assert_eq!(unknown(&seen(&evidence.scrapes)[0].rows).0, Reason::Unreachable);
}

#[tokio::test]
async fn inside_the_cluster_no_credential_goes_to_a_scrape_target() {
    let mock = Mock::start().await;
    let target = Mock::start().await;
    let body = asked("endpoints of kube-state-metrics").body();
    let mut list: serde_json::Value = serde_json::from_str(body).unwrap();
    list["items"][0]["endpoints"][0]["addresses"] = serde_json::json!(["127.0.0.1"]);
    list["items"][0]["ports"][0]["port"] = target.address.port().into();
    mock.answer("endpoints of kube-state-metrics", vec![(200, JSON, list.to_string())]);
    let evidence = audit_from(&mock, Vantage::Inside).await;
    assert!(!mock.log().iter().any(|head| head.contains("/proxy/")));
    let [head] = target.log().try_into().unwrap();
    let head: String = head;
    assert!(head.starts_with("GET /metrics?resources=pods HTTP/1.1\r\n"), "{head}");
    assert!(!head.to_lowercase().contains("authorization"), "{head}");
    // The target is no kube-state-metrics: it answers 404, and that says nothing about an object.
    assert_eq!(unknown(&seen(&evidence.scrapes)[0].rows).0, Reason::Refused);
}

#[tokio::test]
async fn what_is_not_planned_is_not_asked_for() {
    let mock = Mock::start().await;
    let contract = Contract::embedded().unwrap();
    let mut plan = plan();
    plan.sources = BTreeSet::from([Source::ApiServer, Source::Nodes]);
    let evidence = collect(&mock.targets(), &contract, &plan).await;
    assert_eq!(mock.log().len(), 2, "{:#?}", mock.log());
    assert_eq!(evidence.timings.keys().copied().collect::<BTreeSet<_>>(), plan.sources);
    assert_eq!(unknown(&evidence.pods).0, Reason::NotCollected);
    assert_eq!(unknown(&evidence.metrics_server.services).0, Reason::NotCollected);
    assert_eq!(unknown(&evidence.scrapes).0, Reason::NotCollected);
}

#[tokio::test]
async fn every_request_is_covered_by_a_rule() {
    let mock = Mock::start().await;
    let contract = Contract::embedded().unwrap();
    let options = rbac::RuleOptions {
        vantage: Vantage::Outside,
        accepted_namespaces: false,
        shards: false,
        releases: &plan().releases,
    };
    let rules = rbac::rules(&plan().sources, &contract, options);
    // A refusal names the permission that its request takes: that is a rule's.
    for asked in &testdata::REQUESTS {
        mock.mend();
        mock.fault(asked.name, Fault::Status(403));
        let text = serde_json::to_value(audit(&mock).await).unwrap();
        let mut accesses = Vec::new();
        find_access(&text, &mut accesses);
        let takes_none = ["version", "starbase"].contains(&asked.name) || asked.is_of_store();
        assert_eq!(accesses.is_empty(), takes_none, "{}", asked.name);
        for access in accesses {
            let covered = rules.iter().any(|rule| {
                rule.verbs.iter().any(|verb| access["verb"] == **verb)
                    && access["group"] == *rule.group
                    && access["resource"] == *rule.resource
                    && (rule.namespace.is_none() || access["namespace"].as_str() == rule.namespace.as_deref())
                    && (rule.names.is_empty() || rule.names.iter().any(|name| access["name"] == **name))
                    && asked.sources.iter().any(|source| rule.for_source(*source))
            });
            assert!(covered, "{}: {access}", asked.name);
        }
    }
}

/// Of each step, and of single checks: what is asked for is what the roles of that selection grant, and no more.
#[tokio::test]
async fn the_requests_of_a_selection_are_those_of_its_roles() {
    let contract = Contract::embedded().unwrap();
    let mock = Mock::start().await;
    let of_steps = StepId::ALL.map(|step| SelectionRequest {
        steps: vec![step],
        ..SelectionRequest::default()
    });
    let of_checks = ["SF324", "SF381", "SF483"].map(|check| SelectionRequest {
        checks: vec![check.to_owned()],
        ..SelectionRequest::default()
    });
    for request in of_steps.into_iter().chain(of_checks) {
        let selection = Selection::new(&request).unwrap();
        mock.mend();
        let plan = Plan {
            sources: selection.collected(),
            releases: selection.releases(),
            ..plan()
        };
        collect(&mock.cluster(), &contract, &plan).await;
        let options = rbac::RuleOptions {
            vantage: Vantage::Outside,
            accepted_namespaces: false,
            shards: false,
            releases: &plan.releases,
        };
        let rules = rbac::rules(&plan.sources, &contract, options);
        let secrets = |namespace: &str| {
            rules
                .iter()
                .any(|rule| rule.resource == "secrets" && rule.namespace.as_deref() == Some(namespace))
        };
        let log = mock.log();
        for namespace in ["envoy-gateway-system", "kube-system", "telemetry"] {
            let path = format!("GET /api/v1/namespaces/{namespace}/secrets?");
            let is_asked = log.iter().any(|head| head.starts_with(&path));
            assert_eq!(is_asked, secrets(namespace), "{request}: Secrets of {namespace}");
            let alone = match request.steps.as_slice() {
                [StepId::Two] => Some("envoy-gateway-system"),
                [StepId::Three] => Some("kube-system"),
                [StepId::One | StepId::Five | StepId::Six | StepId::Region] => Some("none of them"),
                _ => None,
            };
            if let Some(alone) = alone {
                assert_eq!(is_asked, namespace == alone, "{request}: Secrets of {namespace}");
            }
        }
        let paths = log
            .iter()
            .filter_map(|head| head.split(' ').nth(1))
            .map(|path| path.split('?').next().unwrap());
        for path in paths.filter(|path| *path != "/version") {
            let is_granted = rules.iter().any(|rule| grants(rule, path));
            assert!(is_granted, "{request}: {path}");
        }
    }
}

/// Whether a rule lets a GET of that path through, as Kubernetes reads both.
fn grants(rule: &rbac::Rule, path: &str) -> bool {
    let mut parts = path.trim_start_matches('/').split('/');
    let group = match parts.next() {
        Some("api") => Some(""),
        _ => parts.next(),
    };
    let mut rest = parts.skip(1).peekable();
    let namespace = rest
        .next_if_eq(&"namespaces")
        .map(|_| rest.next().unwrap_or_default())
        // A namespace itself is an object of the cluster.
        .filter(|_| rest.peek().is_some());
    let resource = match namespace {
        None if path.starts_with("/api/v1/namespaces/") => Some("namespaces"),
        _ => rest.next(),
    };
    let name = match resource {
        Some("namespaces") => path.rsplit('/').next(),
        _ => rest.next(),
    };
    let resource = match rest.next() {
        Some(part) => format!("{}/{part}", resource.unwrap_or_default()),
        None => resource.unwrap_or_default().to_owned(),
    };
    let verb = if name.is_some() { "get" } else { "list" };
    let is_named = || rule.names.is_empty() || name.is_some_and(|name| rule.names.iter().any(|one| one == name));
    Some(rule.group.as_str()) == group
        && rule.resource == resource
        && rule.verbs.iter().any(|one| one == verb)
        && rule.namespace.as_deref().is_none_or(|own| Some(own) == namespace)
        && (verb == "list" || is_named())
}

fn find_access<'a>(value: &'a serde_json::Value, found: &mut Vec<&'a serde_json::Value>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                if key == "access" {
                    found.push(value);
                } else {
                    find_access(value, found);
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| find_access(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn a_kubeconfig_that_cannot_be_used_is_explained() {
    let directory = std::env::temp_dir().join(format!("starform-verify-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("config");
    let connect = |context: Option<&str>, path: &std::path::Path| {
        let options = ConnectOptions {
            context: context.map(str::to_owned),
            kubeconfig: Some(path.to_owned()),
            request_timeout: Duration::from_secs(2),
            ..ConnectOptions::default()
        };
        async move { Connection::from_kubeconfig(&options).await }
    };
    let missing = connect(None, &directory.join("missing")).await.unwrap_err();
    assert!(missing.to_string().contains("missing cannot be read"), "{missing}");
    std::fs::write(&file, "users:\n- name: a\n  user: {token: [sup3rsecret\n").unwrap();
    let broken = connect(None, &file).await.unwrap_err();
    assert!(broken.to_string().contains("not a kubeconfig"), "{broken}");
    assert!(!format!("{broken:?}").contains("sup3rsecret"), "{broken:?}");
    let config = |user: &str, server: &str| {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: prod\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
             contexts: [{{name: prod, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {user}}}]\n"
        )
    };
    std::fs::write(&file, config("{token: sup3rsecret}", "http://127.0.0.1:1")).unwrap();
    let no_context = connect(Some("staging"), &file).await.unwrap_err();
    assert!(
        no_context.to_string().contains("\"staging\"") && no_context.to_string().contains("it has prod"),
        "{no_context}"
    );
    let connection = connect(None, &file).await.unwrap();
    assert_eq!(connection.target().context.as_deref(), Some("prod"));
    assert!(!connection.target().context_named);
    assert_eq!(connection.target().kubeconfig.as_deref(), file.to_str());
    let contract = Contract::embedded().unwrap();
    let evidence = collect(&connection.into(), &contract, &plan()).await;
    let error = evaluate(&contract, &evidence, &Selection::all()).error.unwrap();
    assert!(
        error.message.contains("the connection was refused"),
        "{}",
        error.message
    );
    assert!(!serde_json::to_string(&evidence).unwrap().contains("sup3rsecret"));
    let exec = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-doctl, interactiveMode: Never}}";
    std::fs::write(&file, config(exec, "https://127.0.0.1:1")).unwrap();
    let plugin = connect(None, &file).await.unwrap_err();
    assert!(
        plugin.to_string().contains("not installed") && plugin.to_string().contains("no-such-doctl"),
        "{plugin}"
    );
    assert!(plugin.tool_error().hints.iter().any(|hint| hint.contains("doctl")));
    std::fs::remove_dir_all(directory).unwrap();
}
/// A future is moved and may live on a thread's stack: this one overflowed one once.
#[tokio::test]
async fn a_collection_is_small_enough_for_any_stack() {
    let mock = Mock::start().await;
    let contract = Contract::embedded().unwrap();
    let (plan, targets) = (plan(), mock.targets());
    let collection = starform_verify::collect::collect(&targets, &contract, &plan, |_| {});
    assert!(size_of_val(&collection) < 16 << 10, "{}", size_of_val(&collection));
}

#[tokio::test]
async fn the_token_goes_to_starbase_and_nowhere_else() {
    let mock = Mock::start().await;
    let evidence = audit(&mock).await;
    assert!(matches!(
        evidence.shuttle.starbase,
        Observed::Seen(StarbaseRead::Answered(_))
    ));
    let log = mock.log();
    let (starbase, others): (Vec<&String>, Vec<&String>) = log
        .iter()
        .partition(|head| head.starts_with("GET /v1/clusters/testbed/registration "));
    assert_eq!(starbase.len(), 1);
    assert!(
        starbase[0].contains(&format!("Bearer {}", testdata::TOKEN)),
        "{starbase:?}"
    );
    assert!(others.iter().all(|head| !head.contains(testdata::TOKEN)));
}

#[tokio::test]
async fn starbase_is_not_asked_where_nobody_says_so() {
    let mock = Mock::start().await;
    let contract = Contract::embedded().unwrap();
    let evidence = collect(&mock.cluster(), &contract, &plan()).await;
    assert_eq!(evidence.shuttle.starbase, Observed::Seen(StarbaseRead::NotAsked));
    assert!(mock.log().iter().all(|head| !head.contains("/v1/clusters/")));
}

#[tokio::test]
async fn an_answer_of_starbase_s_about_another_cluster_is_none() {
    let mock = Mock::start().await;
    let other = testdata::asked("starbase").body().replace("\"testbed\"", "\"blue\"");
    mock.answer("starbase", vec![(200, "application/json", other)]);
    let (reason, message) = unknown(&audit(&mock).await.shuttle.starbase);
    assert_eq!(reason, Reason::Malformed);
    assert!(message.contains("another cluster ID"), "{message}");
}

#[tokio::test]
async fn only_names_come_out_of_shuttle_s_workloads_and_config_maps() {
    let mock = Mock::start().await;
    let evidence = audit(&mock).await;
    let agent = seen(&evidence.shuttle.agent);
    assert_eq!(agent.containers[0].flags[0], "--parameters");
    let text = serde_json::to_string(&evidence.shuttle).unwrap();
    for value in ["/etc/shuttle", "0.0.0.0:8080", "fieldPath", "metadata.uid"] {
        assert!(!text.contains(value), "{value}");
    }
    // The API server is asked for the names alone.
    let log = mock.log();
    let asked = log
        .iter()
        .find(|head| head.starts_with("GET /api/v1/namespaces/starform-system/configmaps?"))
        .unwrap();
    assert!(asked.contains("as=PartialObjectMetadataList"), "{asked}");
    // Of every role of the cluster only those that are bound to Shuttle's accounts are kept.
    assert!(!text.contains("cluster-admin"));
    assert!(text.contains("system:discovery"));
}

#[tokio::test]
async fn a_node_s_kubelet_is_found_by_its_own_word() {
    let mock = Mock::start().await;
    let evidence = audit(&mock).await;
    let node = &seen(&evidence.nodes)[0];
    assert_eq!(node.address.as_deref(), Some("10.0.0.1"));
    assert_eq!(node.kubelet_port, Some(10_250));
    assert!(node.telemetry.as_ref().unwrap().is_true());
    assert!(node.telemetry_renewed.is_some());
}
