use super::*;
use jiff::Timestamp;
use rstest::rstest;
use serde_json::json;

fn component(json: &str, kind: WorkloadKind) -> Workload {
    let raw: Raw = serde_json::from_str(json).unwrap();
    Kind::StateMetrics.workload(&raw, kind, &Contract::embedded().unwrap())
}

#[test]
fn of_a_deployment_all_is_read() {
    let workload = component(
        r#"{"metadata":{"name":"ksm","namespace":"kube-system","generation":2,
        "annotations":{"meta.helm.sh/release-name":"ksm","deployment.kubernetes.io/revision":"7","hush":"hush"},
        "labels":{"app.kubernetes.io/version":"v2.20.0"},"ownerReferences":[{"apiVersion":"a/v1","kind":"Monitor","name":"m",
        "uid":"u","controller":true}],
        "managedFields":[{"manager":"helm","operation":"Update","time":"2026-11-22T15:00:00Z","fieldsV1":{"hush":{},"f:spec":{"hush":{}}}},
        {"manager":"kube-controller-manager","operation":"Update","time":"2026-11-22T15:01:00Z","subresource":"status"}]},
        "spec":{"replicas":2,"progressDeadlineSeconds":300,
        "selector":{"matchLabels":{"app":"ksm"},"matchExpressions":[{"key":"tier","operator":"NotIn","values":["a","b"]},
        {"key":"new","operator":"Exists"},{"key":"old","operator":"DoesNotExist"}]},
        "template":{"metadata":{"labels":{"a":"b","c":"d"}},"spec":{"os":{"name":"linux"},
        "nodeSelector":{"kubernetes.io/os":"windows","pool":"a"},
        "affinity":{"podAffinity":{},"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
        {"matchExpressions":[{"key":"zone","operator":"In","values":["z"]}]},
        {"matchFields":[{"key":"metadata.name","operator":"In","values":["node1"]}]}]}}},
        "tolerations":[{"key":"dedicated","operator":"Equal","value":"x","effect":"NoExecute","tolerationSeconds":30},
        {"operator":"Exists"}],
        "initContainers":[{"name":"init","image":"busybox:1"}],"containers":[
        {"name":"proxy","image":"proxy:v1.0.0","args":["--pod=x"]},
        {"name":"own","image":"r.example/kube-state-metrics@sha256:00","args":["--port=8080","--pod=$(POD_NAME)"]}]}}},
        "status":{"observedGeneration":1,"replicas":3,"readyReplicas":1,"availableReplicas":0,"updatedReplicas":2,"conditions":[
        {"type":"Available","status":"False","reason":"MinimumReplicasUnavailable","message":"hush",
        "lastUpdateTime":"2026-11-22T15:00:01Z","lastTransitionTime":"2026-11-22T15:00:00Z"},
        {"type":"Odd","status":"True"},
        {"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"has timed out"}]}}"#,
        WorkloadKind::Deployment,
    );
    let read = serde_json::to_value(&workload).unwrap();
    let expected = json!({
        "kind": "Deployment", "namespace": "kube-system", "name": "ksm", "desired": 2, "ready": 1, "updated": 2,
        "available": 0, "observed": false, "image": "r.example/kube-state-metrics@sha256:00", "version": "2.20.0",
        "release": "ksm", "flags": {"--pod": ["$(POD_NAME)"]}, "unreadFlags": null, "unreadArguments": [], "trouble": "ProgressDeadlineExceeded: has timed out",
        "selector": "app=ksm,tier notin (a,b),new,!old",
        "placement": {
            "nodeSelector": {"kubernetes.io/os": "windows", "pool": "a"},
            "required": [
                {"labels": [{"key": "zone", "operator": "In", "values": ["z"]}]},
                {"fields": [{"key": "metadata.name", "operator": "In", "values": ["node1"]}]},
            ],
            "tolerations": [
                {"key": "dedicated", "operator": "Equal", "value": "x", "effect": "NoExecute", "tolerationSeconds": 30},
                {"operator": "Exists"},
            ],
            "operatingSystem": "linux",
        },
        "containers": [
            {"name": "init", "image": "busybox:1", "init": true}, {"name": "proxy", "image": "proxy:v1.0.0"},
            {"name": "own", "image": "r.example/kube-state-metrics@sha256:00"},
        ],
        "owners": [{"kind": "Monitor", "name": "m"}],
        "rollout": {
            "revision": "7", "progressDeadlineSeconds": 300,
            "conditions": [
                {"kind": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
                    "since": "2026-11-22T15:00:00Z", "updated": "2026-11-22T15:00:01Z"},
                {"kind": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"},
            ],
        },
        "lastChange": {"time": "2026-11-22T15:00:00Z", "manager": "helm", "operation": "Update"},
    });
    assert_eq!(read, expected);
    assert_eq!(serde_json::from_value::<Workload>(read).unwrap(), workload);
}

#[test]
fn a_stateful_set_names_both_its_revisions() {
    let workload = component(
        r#"{"metadata":{"name":"ksm","namespace":"kube-system","generation":3},
        "spec":{"replicas":2,"template":{"spec":{"nodeSelector":{"kubernetes.io/os":"linux"},"containers":[]}}},
        "status":{"observedGeneration":3,"replicas":2,"readyReplicas":2,"availableReplicas":2,"updatedReplicas":1,
        "currentRevision":"ksm-a","updateRevision":"ksm-b"}}"#,
        WorkloadKind::StatefulSet,
    );
    assert_eq!((workload.desired, workload.ready, workload.updated), (2, 2, 1));
    assert!(workload.observed);
    let rollout = workload.rollout.unwrap();
    assert_eq!(rollout.revision.as_deref(), Some("ksm-b"));
    assert_eq!(rollout.whole_revision.as_deref(), Some("ksm-a"));
    assert_eq!(rollout.progress_deadline_seconds, None);
    assert_eq!(workload.placement.unwrap().operating_system.as_deref(), Some("linux"));
    assert_eq!(workload.selector.as_deref(), Some(""));
    assert_eq!((workload.owners, workload.last_change), (Some(Vec::new()), None));
}

#[test]
fn a_daemon_set_counts_its_pods_in_its_own_fields() {
    let workload = component(
        r#"{"metadata":{"name":"ksm","namespace":"kube-system","generation":3,
        "managedFields":[{"manager":"kubectl-rollout","operation":"Update","time":"2026-11-22T15:00:00Z",
        "fieldsV1":{"f:spec":{}}},{"manager":"kubectl-annotate","operation":"Update","time":"2026-11-22T15:05:00Z"}]},
        "spec":{"selector":{"matchLabels":{"a":"b","c":"d"}},"template":{"spec":{"containers":[
        {"name":"ksm","image":"kube-state-metrics:v2.20.0","args":["--node=$(NODE_NAME)"],
        "env":[{"name":"NODE_NAME","valueFrom":{"fieldRef":{"fieldPath":"spec.nodeName"}}}]}]}}},
        "status":{"observedGeneration":2,"readyReplicas":9,"desiredNumberScheduled":5,"numberReady":4,
        "updatedNumberScheduled":3,"numberAvailable":2}}"#,
        WorkloadKind::DaemonSet,
    );
    assert_eq!((workload.desired, workload.ready, workload.updated), (5, 4, 3));
    assert_eq!((workload.available, workload.observed), (Some(2), false));
    assert_eq!(workload.selector.as_deref(), Some("a=b,c=d"));
    assert_eq!(
        workload.last_change.map(|change| change.time),
        Some("2026-11-22T15:00:00Z".parse::<Timestamp>().unwrap())
    );
    assert_eq!(workload.flags["--node"], ["$(NODE_NAME)"]);
}

#[rstest]
#[case(
    "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.20.0",
    "kube-state-metrics",
    Some("2.20.0")
)]
#[case("localhost:5000/ksm@sha256:aa", "ksm", None)]
#[case("localhost:5000/a/ksm:2.18.0@sha256:aa", "ksm", Some("2.18.0"))]
#[case("metrics-server:latest", "metrics-server", None)]
#[case("", "", None)]
fn images_are_taken_apart(#[case] image: &str, #[case] name: &str, #[case] version: Option<&str>) {
    let container: Container = serde_json::from_value(json!({"image": image})).unwrap();
    assert_eq!(container.image_name(), name);
    assert_eq!(read::version(&container).as_deref(), version);
}

#[test]
fn pods_are_selected_by_all_labels_of_a_selector_and_by_no_empty_one() {
    let raw: Raw = serde_json::from_str(
        r#"{"metadata":{"name":"ksm","namespace":"kube-system"},"spec":{"template":{"metadata":{"labels":{"a":"b","c":"d"}},
        "spec":{}}}}"#,
    )
    .unwrap();
    let selector = |pairs: &[(&str, &str)]| {
        (pairs.iter())
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    assert!(raw.is_selected(&selector(&[("a", "b")])));
    assert!(!raw.is_selected(&selector(&[("a", "b"), ("x", "y")])));
    assert!(!raw.is_selected(&selector(&[])));
}

#[test]
fn an_optional_secret_is_not_waited_for() {
    let raw = |volume: &str| -> Raw {
        serde_json::from_str(&format!(
            r#"{{"metadata":{{"name":"a","namespace":"b"}},"spec":{{"template":{{"spec":{{"volumes":[
            {{"name":"config","configMap":{{"name":"certs"}}}},{volume}]}}}}}}}}"#
        ))
        .unwrap()
    };
    assert!(raw(r#"{"name":"c","secret":{"secretName":"certs"}}"#).needs_secret("certs"));
    assert!(!raw(r#"{"name":"c","secret":{"secretName":"certs","optional":true}}"#).needs_secret("certs"));
    assert!(!raw(r#"{"name":"c","secret":{"secretName":"other"}}"#).needs_secret("certs"));
}

#[test]
fn a_flag_takes_its_value_from_a_variable_and_no_other_variable_is_kept() {
    let workload = component(
        r#"{"metadata":{"name":"ksm","namespace":"kube-system"},"spec":{"template":{"spec":{"containers":[
        {"image":"kube-state-metrics:v2.20.0","args":["--metric-labels-allowlist=$(LIST)","--pod=$(POD_NAME)",
        "--resources=$(API_TOKEN)","--token=$(API_TOKEN)","--namespaces=$(NONE)"],
        "env":[{"name":"KEYS","value":"starform.io/app"},{"name":"LIST","value":"pods=[$(KEYS)]"},
        {"name":"POD_NAME","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},
        {"name":"API_TOKEN","value":"hush"}]}]}}}}"#,
        WorkloadKind::StatefulSet,
    );
    assert_eq!(workload.flags["--metric-labels-allowlist"], ["pods=[starform.io/app]"]);
    assert_eq!(workload.flags["--pod"], ["$(POD_NAME)"]);
    assert_eq!(workload.flags["--namespaces"], ["$(NONE)"]);
    let unread = workload.unread_arguments.iter();
    let unread: Vec<_> = unread
        .map(|argument| (argument.flag.as_deref().unwrap(), argument.why.as_str()))
        .collect();
    assert_eq!(
        unread,
        [
            ("--pod", "variable POD_NAME comes from a field of the pod"),
            ("--resources", "variable API_TOKEN may hold a credential")
        ]
    );
    let evidence = serde_json::to_string(&workload).unwrap();
    assert!(!evidence.contains("hush"), "{evidence}");
    assert!(!evidence.contains("\"KEYS"), "{evidence}");
}

#[test]
fn what_env_from_and_service_links_may_define_is_not_known() {
    let unread = |pod: &str, container: &str| {
        let workload = component(
            &format!(
                r#"{{"metadata":{{"name":"ksm","namespace":"kube-system"}},"spec":{{"template":{{"spec":{{{pod}"containers":[
            {{{container}"image":"kube-state-metrics:v2.20.0","args":["--metric-labels-allowlist=$(SHOP_SERVICE_HOST)"]}}]}}}}}}}}"#
            ),
            WorkloadKind::Deployment,
        );
        !workload.unread_arguments.is_empty()
    };
    assert!(unread("", ""), "links are made unless the pod says no");
    assert!(!unread(r#""enableServiceLinks":false,"#, ""));
    assert!(unread(
        r#""enableServiceLinks":false,"#,
        r#""envFrom":[{"prefix":"A"}],"#
    ));
    assert!(!unread(r#""enableServiceLinks":false,"#, r#""envFrom":[],"#));
}
