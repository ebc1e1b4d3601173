//! What Shuttle's accounts may write, tried with their own tokens against the real API server: by their roles, and,
//! with roles far too wide, by the admission policies alone.

mod given;
mod write;

use given::{Installed, NAMESPACE, TENANT, Tainted, Tenant, Unbounded, first_pod, pods};
use serde_json::{Value, json};
use testbed::cluster;
use write::Expected::{Accepted, Policy, Role};
use write::{APPLY, JSON_PATCH, STRATEGIC, merge, patch, send, try_all, wait_for_policy};

const TAINT: &str = "starform.io/telemetry-not-ready";

const ONLY_LABELS: &str = "Shuttle may only label pods";
const ONLY_MANAGED: &str = "only in its own namespace and in those labelled starform.io/managed=true";
const ONLY_FIVE: &str = "no label but the five";
const NO_METADATA: &str = "no annotation, finalizer, owner reference or other metadata of a pod";
const NO_SPEC: &str = "not change what a pod runs";
const ONLY_REPORT: &str = "Shuttle may only report on a node";
const ONLY_OWN_NODE: &str = "only the node that it runs on";
const ONLY_CONDITION: &str = "no condition of a node but StarformTelemetryReady";
const ONLY_STATUS: &str = "nothing of a node's status but one condition";
const ONLY_TAINT: &str = "may add no taint, and remove none but starform.io/telemetry-not-ready";
const ONLY_TAINTS: &str = "nothing of a node's spec but one taint";
const NO_NODE_METADATA: &str = "no label, annotation or other metadata of a node";

#[test]
#[ignore = "needs a cluster: tests/run"]
#[expect(clippy::too_many_lines, reason = "a table of every write")]
fn the_agent_may_label_managed_pods_with_five_keys_and_write_nothing_else() {
    let cluster = cluster().unwrap();
    let _installed = Installed::apply(&cluster);
    let made = Tenant::create(&cluster);
    let (own, _) = first_pod(&cluster, NAMESPACE, "app.kubernetes.io/component=agent");
    let (foreign, _) = first_pod(&cluster, "kube-system", "k8s-app=kube-dns");
    let tenant_pod = made.pod();
    let tenant = format!("{}/tenant", pods(TENANT));
    let own_pod = format!("{}/{own}", pods(NAMESPACE));
    let foreign = format!("{}/{foreign}", pods("kube-system"));
    let five = json!({ "metadata": { "labels": {
        "starform.io/cluster-id": "testbed", "starform.io/region": "nyc3", "starform.io/project": "shop",
        "starform.io/app": "storefront", "starform.io/deployment": "storefront",
    } } });
    let mut applied = five.clone();
    applied["apiVersion"] = json!("v1");
    applied["kind"] = json!("Pod");
    applied["metadata"]["uid"] = tenant_pod["metadata"]["uid"].clone();
    applied["metadata"]["name"] = tenant_pod["metadata"]["name"].clone();
    let apply = format!("{tenant}?fieldManager=shuttle&force=true");
    let owner =
        json!([{ "apiVersion": "v1", "kind": "Pod", "name": own, "uid": "0e6a5d0c-0000-4000-8000-000000000000" }]);
    let image = json!({ "spec": { "containers": [{ "name": "app", "image": "docker.io/starform/other:1" }] } });
    let deadline = json!({ "spec": { "activeDeadlineSeconds": 1 } });
    let labels = |labels: Value| json!({ "metadata": { "labels": labels } });

    let account = cluster.account(NAMESPACE, "shuttle", Some(&own)).unwrap();
    let policed = [
        patch("the five labels, applied", &apply, APPLY, applied, Accepted),
        merge("the five labels, merged", &tenant, five.clone(), Accepted),
        merge(
            "one of the five removed",
            &tenant,
            labels(json!({ "starform.io/region": null })),
            Accepted,
        ),
        merge("and set again", &tenant, five.clone(), Accepted),
        merge(
            "the labels of its own pod",
            &own_pod,
            labels(json!({ "starform.io/region": "nyc3" })),
            Accepted,
        ),
        merge(
            "another label",
            &tenant,
            labels(json!({ "tier": "a" })),
            Policy(ONLY_FIVE),
        ),
        merge(
            "another label beside the five",
            &tenant,
            labels(json!({ "starform.io/region": "nyc3", "starform.io/managed": "true" })),
            Policy(ONLY_FIVE),
        ),
        merge(
            "a label removed",
            &tenant,
            labels(json!({ "team": null })),
            Policy(ONLY_FIVE),
        ),
        merge(
            "a label changed",
            &tenant,
            labels(json!({ "team": "a" })),
            Policy(ONLY_FIVE),
        ),
        merge(
            "a label of its own pod that is not of the five",
            &own_pod,
            labels(json!({ "app.kubernetes.io/component": "node" })),
            Policy(ONLY_FIVE),
        ),
        patch("the image", &tenant, STRATEGIC, image, Policy(NO_SPEC)),
        merge("the deadline", &tenant, deadline, Policy(NO_SPEC)),
        merge(
            "an annotation",
            &tenant,
            json!({ "metadata": { "annotations": { "a": "b" } } }),
            Policy(NO_METADATA),
        ),
        merge(
            "a finalizer",
            &tenant,
            json!({ "metadata": { "finalizers": ["a.example/b"] } }),
            Policy(NO_METADATA),
        ),
        merge(
            "an owner",
            &tenant,
            json!({ "metadata": { "ownerReferences": owner } }),
            Policy(NO_METADATA),
        ),
        merge(
            "no owner",
            &tenant,
            json!({ "metadata": { "ownerReferences": null } }),
            Policy(NO_METADATA),
        ),
        merge("a pod in an unmanaged namespace", &foreign, five, Policy(ONLY_MANAGED)),
    ];
    let created = json!({ "metadata": { "name": "made" }, "spec": { "containers": [
        { "name": "a", "image": "docker.io/starform/storefront:1" },
    ] } });
    let evicted = json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": "tenant" } });
    let status = json!({ "status": { "phase": "Failed" } });
    let debugged = json!({ "spec": { "ephemeralContainers": [
        { "name": "a", "image": "docker.io/starform/storefront:1" },
    ] } });
    let unmanaged = |expected| {
        [
            send("a pod created", "POST", &pods(TENANT), created.clone(), expected),
            send("a pod deleted", "DELETE", &tenant, Value::Null, expected),
            send("all pods deleted", "DELETE", &pods(TENANT), Value::Null, expected),
            send(
                "a pod evicted",
                "POST",
                &format!("{tenant}/eviction"),
                evicted.clone(),
                expected,
            ),
            merge("a pod's status", &format!("{tenant}/status"), status.clone(), expected),
            patch(
                "a debug container",
                &format!("{tenant}/ephemeralcontainers"),
                STRATEGIC,
                debugged.clone(),
                expected,
            ),
            send(
                "a command in a pod",
                "POST",
                &format!("{tenant}/exec?command=a&stdout=true"),
                Value::Null,
                expected,
            ),
        ]
    };
    let namespace = &format!("/api/v1/namespaces/{TENANT}");
    let roles = [
        merge(
            "a namespace",
            namespace,
            labels(json!({ "starform.io/managed": "true" })),
            Role,
        ),
        send(
            "the Secrets",
            "GET",
            "/api/v1/namespaces/starform-system/secrets",
            Value::Null,
            Role,
        ),
        send(
            "its Secret",
            "GET",
            "/api/v1/namespaces/starform-system/secrets/shuttle",
            Value::Null,
            Role,
        ),
        send(
            "a kubelet through the API server",
            "GET",
            "/api/v1/nodes/node1/proxy/pods",
            Value::Null,
            Role,
        ),
        merge(
            "another Lease",
            "/apis/coordination.k8s.io/v1/namespaces/starform-system/leases/a",
            json!({}),
            Role,
        ),
        merge(
            "a ConfigMap of its own",
            "/api/v1/namespaces/starform-system/configmaps/starbase",
            json!({}),
            Role,
        ),
        merge("a node", "/api/v1/nodes/node1/status", json!({}), Role),
        send(
            "all labels of a namespace's pods",
            "PUT",
            &tenant,
            tenant_pod.clone(),
            Role,
        ),
    ];
    wait_for_policy(&account, &tenant);
    try_all(&account, "shuttle", &policed);
    try_all(&account, "shuttle", &unmanaged(Role));
    try_all(&account, "shuttle", &roles);

    let unbounded = Unbounded::grant(&cluster);
    try_all(&account, "shuttle", &unmanaged(Policy(ONLY_LABELS)));
    try_all(&account, "shuttle", &policed);
    drop(unbounded);

    let after = made.pod();
    assert_eq!(after["spec"], tenant_pod["spec"]);
    for kept in ["annotations", "ownerReferences", "uid"] {
        assert_eq!(after["metadata"][kept], tenant_pod["metadata"][kept]);
    }
    assert_eq!(after["metadata"]["labels"]["team"], "b");
    assert_eq!(after["metadata"]["labels"].as_object().unwrap().len(), 6);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
#[expect(clippy::too_many_lines, reason = "a table of every write")]
fn the_node_role_may_report_on_its_own_node_and_lift_one_taint() {
    let cluster = cluster().unwrap();
    let _installed = Installed::apply(&cluster);
    let (pod, object) = first_pod(&cluster, NAMESPACE, "app.kubernetes.io/component=node");
    let node = object["spec"]["nodeName"].as_str().unwrap();
    let other = if node == "node1" { "node2" } else { "node1" };
    let (own, other) = (format!("/api/v1/nodes/{node}"), format!("/api/v1/nodes/{other}"));
    let status = format!("{own}/status");
    let condition = |kind: &str| {
        json!({ "status": { "conditions": [
            { "type": kind, "status": "False", "reason": "Tried", "message": "by a test" },
        ] } })
    };
    let ours = condition("StarformTelemetryReady");
    let labels = json!({ "metadata": { "labels": { "a": "b" } } });
    let annotations = json!({ "metadata": { "annotations": { "a": "b" } } });
    let both = json!({ "metadata": { "labels": { "a": "b" } }, "status": ours["status"] });
    let roomy = json!({ "status": { "allocatable": { "cpu": "1" } } });
    let removed = json!({ "status": { "conditions": [{ "type": "PIDPressure", "$patch": "delete" }] } });

    let account = cluster.account(NAMESPACE, "shuttle-node", Some(&pod)).unwrap();
    let unbound = cluster.account(NAMESPACE, "shuttle-node", None).unwrap();
    let own_status = [
        patch("its condition", &status, STRATEGIC, ours.clone(), Accepted),
        patch(
            "its condition on another node",
            &format!("{other}/status"),
            STRATEGIC,
            ours.clone(),
            Policy(ONLY_OWN_NODE),
        ),
        patch(
            "a condition of kubelet's",
            &status,
            STRATEGIC,
            condition("Ready"),
            Policy(ONLY_CONDITION),
        ),
        patch(
            "a condition of nobody's",
            &status,
            STRATEGIC,
            condition("Shady"),
            Policy(ONLY_CONDITION),
        ),
        patch("a condition less", &status, STRATEGIC, removed, Policy(ONLY_CONDITION)),
        merge("what the node has to give", &status, roomy, Policy(ONLY_STATUS)),
        merge(
            "no addresses",
            &status,
            json!({ "status": { "addresses": null } }),
            Policy(ONLY_STATUS),
        ),
        patch(
            "a label beside the condition",
            &status,
            STRATEGIC,
            both,
            Policy(NO_NODE_METADATA),
        ),
    ];
    wait_for_policy(&account, &status);
    try_all(&account, "shuttle-node", &own_status);
    try_all(
        &unbound,
        "shuttle-node",
        &[patch(
            "its condition with a token that names no node",
            &status,
            STRATEGIC,
            ours,
            Policy(ONLY_OWN_NODE),
        )],
    );
    let taints = |taints: Value| json!({ "spec": { "taints": taints } });
    let pods_of_all = "/api/v1/pods";
    let roles = |expected| {
        [
            send("a node deleted", "DELETE", &own, Value::Null, expected),
            send(
                "a node created",
                "POST",
                "/api/v1/nodes",
                json!({ "metadata": { "name": "node9" } }),
                expected,
            ),
            send(
                "its kubelet through the API server",
                "GET",
                &format!("{own}/proxy/pods"),
                Value::Null,
                expected,
            ),
        ]
    };
    try_all(&account, "shuttle-node", &roles(Role));
    try_all(
        &account,
        "shuttle-node",
        &[
            merge("a taint", &own, taints(json!([])), Role),
            send("the pods", "GET", pods_of_all, Value::Null, Role),
            send(
                "the Secret",
                "GET",
                "/api/v1/namespaces/starform-system/secrets/shuttle",
                Value::Null,
                Role,
            ),
        ],
    );

    let before = json!([
        { "key": "example.com/keep", "effect": "PreferNoSchedule" },
        { "key": TAINT, "effect": "NoSchedule" },
    ]);
    let tainted = Tainted::with(&cluster, node, &before);
    let _unbounded = Unbounded::grant(&cluster);
    let keep = json!([{ "key": "example.com/keep", "effect": "PreferNoSchedule" }]);
    let more = json!([before[0], before[1], { "key": "example.com/more", "effect": "NoExecute" }]);
    let changed = json!([before[0], { "key": TAINT, "effect": "NoExecute" }]);
    let lifted = json!([
        { "op": "test", "path": "/spec/taints", "value": before },
        { "op": "remove", "path": "/spec/taints/1" },
    ]);
    try_all(&account, "shuttle-node", &roles(Policy(ONLY_REPORT)));
    try_all(&account, "shuttle-node", &own_status);
    try_all(
        &account,
        "shuttle-node",
        &[
            merge("another taint added", &own, taints(more), Policy(ONLY_TAINT)),
            merge(
                "another taint removed",
                &own,
                taints(json!([before[1]])),
                Policy(ONLY_TAINT),
            ),
            merge("every taint removed", &own, taints(json!(null)), Policy(ONLY_TAINT)),
            merge(
                "its taint with another effect",
                &own,
                taints(changed),
                Policy(ONLY_TAINT),
            ),
            merge(
                "a taint of another node",
                &other,
                taints(json!([before[1]])),
                Policy(ONLY_OWN_NODE),
            ),
            merge(
                "a node cordoned",
                &own,
                json!({ "spec": { "unschedulable": true } }),
                Policy(ONLY_TAINTS),
            ),
            merge("a label", &own, labels, Policy(NO_NODE_METADATA)),
            merge("an annotation", &own, annotations, Policy(NO_NODE_METADATA)),
            patch("its taint lifted", &own, JSON_PATCH, lifted, Accepted),
            merge("its taint put back", &own, taints(before), Policy(ONLY_TAINT)),
        ],
    );
    assert_eq!(tainted.taints(), keep);
}
