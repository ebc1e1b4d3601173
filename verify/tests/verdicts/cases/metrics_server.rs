//! Step 3, metrics-server.

use crate::case::{Case, fails, not_applicable, passes, unseen, warns};
use crate::given::{
    api_service, autoscaler, condition, flag, node_metrics, nodes, pod_metrics, pods, rows, seen, server,
    server_service, started_ago, unknown, unread,
};
use starform_verify::evidence::{Evidence, NodeMetrics, NodeMetricsAgain, Observed, Pod, Reason, ScaleTarget};
use std::sync::Arc;

pub(crate) const CASES: &[Case] = &[
    fails("SF301", "names no Service").when("local api service", |e| api_service(e).service = None),
    fails("SF302", "in a namespace that the contract does not accept").when("strange namespace", |e| {
        api_service(e).service.as_mut().unwrap().namespace = "tenant".into();
    }),
    warns("SF302", "metrics-server stands in namespace metrics-server").when("one click", |e| {
        api_service(e).service.as_mut().unwrap().namespace = "metrics-server".into();
        server_service(e).namespace = "metrics-server".into();
        server(e).namespace = "metrics-server".into();
        seen(&mut e.metrics_server.endpoints)[0].namespace = "metrics-server".into();
    }),
    warns(
        "SF302",
        "metrics-server stands in another namespace too: default/metrics-server",
    )
    .when("another in default", |e| {
        let mut other = server_service(e).clone();
        other.namespace = "default".into();
        seen(&mut e.metrics_server.services).push(other);
    }),
    passes("SF310", "0.9.0").when("another in default, of a version that is not accepted", |e| {
        let mut other = server(e).clone();
        (other.namespace, other.version) = ("default".into(), Some("0.5.0".into()));
        other.services = Some(vec!["metrics-server".into()]);
        server(e).services = Some(vec!["metrics-server".into()]);
        seen(&mut e.metrics_server.workloads).push(other);
    }),
    warns(
        "SF310",
        "prometheus-adapter 0.12.0 serves the metrics API (Deployment metrics-server)",
    )
    .when("an adapter in its place", adapter),
    not_applicable("SF311", "prometheus-adapter 0.12.0 serves the metrics API").when("an adapter in its place", adapter),
    passes("SF310", "0.9.0").when("a rebuild by another name", |e| {
        server(e).image = "registry.example.com/platform/ms:0.9.0".into();
        flag(server(e), "--kubelet-preferred-address-types", "InternalIP");
    }),
    fails("SF302", "points at port 8443").when("wrong port", |e| api_service(e).service.as_mut().unwrap().port = 8443),
    fails("SF303", "no Deployment or StatefulSet stands behind")
        .when("no workload", |e| seen(&mut e.metrics_server.workloads).clear()),
    fails(
        "SF303",
        "Deployment metrics-server has 0 of 1 pods ready (Stuck: no image)",
    )
    .when("not ready", |e| {
        server(e).ready = 0;
        server(e).trouble = Some("Stuck: no image".into());
    }),
    warns("SF303", "has 1 of 2 pods ready").when("one replica of two", |e| server(e).desired = 2),
    warns("SF303", "is rolling out").when("rolling out", |e| server(e).updated = 0),
    warns("SF303", "is rolling out").when("status of the past", |e| server(e).observed = false),
    fails("SF303", "has no ready endpoint").when("no endpoint", |e| {
        seen(&mut e.metrics_server.endpoints)[0].ready = false;
    }),
    fails("SF304", "FailedDiscoveryCheck: no route").when("not available", |e| {
        api_service(e).available = Some(condition("False", "FailedDiscoveryCheck", "no route"));
    }),
    fails("SF304", "has not judged").when("not judged yet", |e| api_service(e).available = None),
    fails("SF305", "answered with 404").when("api gone", |e| e.pod_metrics = Observed::Absent),
    unseen("SF305", "refused").when("api refuses", |e| e.node_metrics = unknown(Reason::Refused)),
    fails("SF306", "1 of 2 Ready nodes without metrics: node2").when("node without metrics", |e| {
        node_metrics(e).retain(|m| m.name != "node2");
    }),
    fails(
        "SF306",
        "1 of 2 Ready nodes without metrics in one of 2 pods of metrics-server: node2",
    )
    .when("node without metrics in one of two replicas", |e| {
        let mut other = replicas(e);
        other.retain(|m| m.name != "node2");
        again(e, Some(other));
    }),
    passes("SF306", "2 nodes, by two pods of metrics-server").when("two replicas that agree", |e| {
        let other = replicas(e);
        again(e, Some(other));
    }),
    passes(
        "SF306",
        "2 nodes; 2 pods of metrics-server are ready, and one of them gave all 8 answers: the others were not seen",
    )
    .when("two replicas of which one answers", |e| {
        replicas(e);
        again(e, None);
    }),
    passes("SF306", "one of them gave the only answer").when("two replicas, and one reading", |e| {
        replicas(e);
        again(e, None);
        seen(e.node_metrics_again.as_mut().unwrap()).readings = 1;
    }),
    unseen("SF306", "2 pods of metrics-server are ready, and NodeMetrics were read of one of them").when(
        "two replicas of which one was asked",
        |e| {
            replicas(e);
        },
    ),
    unseen("SF306", "timed out").when("two replicas that could not be asked again", |e| {
        replicas(e);
        e.node_metrics_again = Some(unknown(Reason::TimedOut));
    }),
    passes("SF306", "2 nodes").when("two replicas of which one is ready", |e| {
        replicas(e);
        seen(&mut e.metrics_server.endpoints)[1].ready = false;
    }),
    fails("SF307", "1 of 2 nodes have stale metrics: node1").when("stale node", |e| {
        node_metrics(e)[0].timestamp -= jiff::SignedDuration::from_mins(2);
    }),
    unseen("SF307", "carry no Date").when("no clock", |e| seen(&mut e.api_server).date = None),
    passes(
        "SF308",
        "; 1 pod without metrics, though others of the same node have some",
    )
    .when("a single pod without", |e| {
        pod_metrics(e).pop();
    }),
    passes(
        "SF308",
        "; 3 pods of RuntimeClass gvisor without metrics: shop/storefront-",
    )
    .when("pods in a sandbox", |e| {
        pod_metrics(e).retain(|m| &*m.namespace != "shop");
        for pod in pods(e).iter_mut().filter(|pod| &*pod.namespace == "shop") {
            pod.runtime_class = Some(Arc::from("gvisor"));
        }
    }),
    fails("SF308", ", which is every settled pod of node2").when("a node without pod metrics", |e| {
        of_node(e, "node2", |_| true);
    }),
    fails("SF308", ", which is every settled pod of node2").when(
        "a node of whose pods outside of a sandbox none has metrics",
        |e| {
            of_node(e, "node2", |_| true);
            let first = pods(e).iter_mut().find(|pod| pod.node.as_deref() == Some("node2"));
            first.unwrap().runtime_class = Some(Arc::from("gvisor"));
        },
    ),
    fails("SF308", "3 of 10 running pods without metrics").when("most of a node's pods without", |e| {
        of_node(e, "node2", |number| number > 0);
    }),
    warns("SF308", "3 of 30 running pods without metrics").when("most of a small node's pods without", |e| {
        many(e, 20);
        of_node(e, "node2", |number| number > 0);
    }),
    warns("SF308", "11 of 30 running pods without metrics").when("a third of the pods without, beside others", |e| {
        many(e, 20);
        of_node(e, "node1", |number| number > 14);
    }),
    fails("SF308", ", which is every settled pod of node3; on other nodes ").when(
        "a silent node of one pod hides nothing of the others",
        |e| {
            of_node(e, "node1", |number| number > 0);
            let is_meant = |pod: &&mut Pod| &*pod.namespace == "shop" && pod.node.as_deref() == Some("node2");
            pods(e).iter_mut().find(is_meant).unwrap().node = Some(Arc::from("node3"));
            of_node(e, "node3", |_| true);
            let mut metrics = seen(&mut e.node_metrics)[0].clone();
            metrics.name = "node3".into();
            seen(&mut e.node_metrics).push(metrics);
        },
    ),
    fails("SF308", ", which is every settled pod of node2").when(
        "a silent node in a runtime that hides nothing elsewhere",
        |e| {
            for pod in pods(e).iter_mut() {
                pod.runtime_class = Some(Arc::from("nvidia"));
            }
            of_node(e, "node2", |_| true);
        },
    ),
    fails("SF308", "running pods without metrics").when("most of every node's pods without", |e| {
        of_node(e, "node1", |number| number > 0);
        of_node(e, "node2", |number| number > 0);
    }),
    fails("SF308", "without metrics").when("many pods without", |e| pod_metrics(e).truncate(1)),
    fails("SF308", "PodMetricsList is empty").when("no pod metrics", |e| pod_metrics(e).clear()),
    passes("SF308", "running pods").when("crashing pods have none", |e| {
        pod_metrics(e).retain(|m| &*m.namespace != "shop");
        for pod in pods(e).iter_mut().filter(|pod| &*pod.namespace == "shop") {
            pod.status = Arc::from("CrashLoopBackOff");
        }
    }),
    passes("SF308", "running pods").when("restarted pods have none yet", |e| {
        pod_metrics(e).retain(|m| &*m.namespace != "shop");
        for pod in pods(e).iter_mut().filter(|pod| &*pod.namespace == "shop") {
            pod.started = Some(started_ago(12));
        }
    }),
    passes("SF308", "not judged, which waits or is not known to run for 45s: shop/").when(
        "a crash loop between two crashes",
        |e| {
            pod_metrics(e).retain(|m| &*m.namespace != "shop");
            for pod in pods(e).iter_mut().filter(|pod| &*pod.namespace == "shop") {
                pod.started = Some(started_ago(30));
            }
        },
    ),
    warns("SF308", "3 of 10 running pods without metrics").when(
        "pods that ran for long enough since they crashed",
        |e| {
            pod_metrics(e).retain(|m| &*m.namespace != "shop");
            for pod in pods(e).iter_mut().filter(|pod| &*pod.namespace == "shop") {
                pod.started = Some(started_ago(60));
            }
        },
    ),
    warns("SF308", "1 running pod; ").when("all but metrics-server crash", |e| {
        pod_metrics(e).retain(|m| m.name.starts_with("metrics-server-"));
        for pod in pods(e)
            .iter_mut()
            .filter(|pod| !pod.name.starts_with("metrics-server-"))
        {
            pod.started = Some(started_ago(30));
        }
    }),
    unseen("SF308", "no pod has been running for 45s yet; ").when("every pod crashes", |e| {
        for pod in pods(e).iter_mut() {
            pod.started = Some(started_ago(30));
        }
    }),
    warns("SF308", "1 pod with metrics of only some containers").when("a container is left out", |e| {
        let name = pod_metrics(e)[0].name.clone();
        pods(e).iter_mut().find(|pod| pod.name == name).unwrap().ready = 2;
    }),
    unseen("SF308", "no pod has been running").when("no pod at all", |e| pods(e).clear()),
    fails("SF309", "stale metrics").when("stale pods", |e| {
        for metrics in pod_metrics(e) {
            metrics.timestamp -= jiff::SignedDuration::from_mins(5);
        }
    }),
    passes("SF309", "within 2 windows").when("a longer resolution is not stale", |e| {
        flag(server(e), "--metric-resolution", "2m");
        for metrics in pod_metrics(e) {
            metrics.timestamp -= jiff::SignedDuration::from_mins(1);
        }
        for pod in pods(e) {
            pod.created -= jiff::SignedDuration::from_mins(30);
        }
        for node in nodes(e) {
            node.created = node
                .created
                .map(|created| created - jiff::SignedDuration::from_mins(30));
        }
    }),
    fails("SF310", "metrics-server 0.6.4 is not accepted")
        .when("old metrics server", |e| server(e).version = Some("0.6.4".into())),
    warns("SF310", "calls itself ready").when("readiness defect", |e| server(e).version = Some("0.8.1".into())),
    unseen("SF310", "tells no version").when("image by digest", |e| server(e).version = None),
    warns("SF311", "--kubelet-insecure-tls")
        .when("insecure kubelets", |e| flag(server(e), "--kubelet-insecure-tls", "")),
    passes("SF311", "verified").when("insecure kubelets off", |e| {
        flag(server(e), "--kubelet-insecure-tls", "false");
    }),
    unseen(
        "SF311",
        "--kubelet-insecure-tls of Deployment metrics-server is not known: variable SOME comes from a ConfigMap",
    )
    .when("insecure kubelets by a variable that was not read", |e| {
        unread(server(e), "--kubelet-insecure-tls");
    }),
    unseen("SF307", "--metric-resolution of Deployment metrics-server is not known").when(
        "a resolution by a variable that was not read",
        |e| {
            unread(server(e), "--metric-resolution");
        },
    ),
    fails("SF312", "1 of 1 autoscaler cannot read metrics: shop/storefront").when("autoscaler fails", |e| {
        autoscaler(e).scaling_active = Some(condition("False", "FailedGetResourceMetric", "unable to fetch metrics"));
    }),
    fails("SF312", "no metrics returned from resource metrics API").when(
        "the API has none of pods that have been ready for long",
        |e| {
            without_metrics(e, NO_METRICS);
            pod_metrics(e).retain(|m| !m.name.starts_with("storefront-"));
        },
    ),
    fails("SF312", "no metrics returned from resource metrics API").when("of a target that was not read", |e| {
        without_metrics(e, NO_METRICS);
        autoscaler(e).target = None;
    }),
    warns(
        "SF312",
        "(no pod of Deployment storefront has been ready for 45s, storefront-",
    )
    .when("the API has none of pods that do not run", |e| {
        without_metrics(e, NO_METRICS);
        pod_metrics(e).retain(|m| !m.name.starts_with("storefront-"));
        for pod in pods(e).iter_mut().filter(|pod| pod.name.starts_with("storefront-")) {
            pod.status = Arc::from("ImagePullBackOff");
            (pod.ready, pod.started) = (0, None);
        }
    }),
    warns("SF312", "(no pod of Deployment cart was found: ").when("a target without a pod", |e| {
        without_metrics(e, NO_METRICS);
        autoscaler(e).target.as_mut().unwrap().name = "cart".into();
    }),
    warns(
        "SF312",
        "(the pods of Deployment storefront run in RuntimeClass gvisor: ",
    )
    .when("a target in a sandbox", |e| {
        without_metrics(e, NO_METRICS);
        pod_metrics(e).retain(|m| !m.name.starts_with("storefront-"));
        for pod in pods(e).iter_mut().filter(|pod| pod.name.starts_with("storefront-")) {
            pod.runtime_class = Some(Arc::from("gvisor"));
        }
    }),
    fails("SF312", "no metrics returned from resource metrics API").when("a target of which one pod is in a sandbox", |e| {
        without_metrics(e, NO_METRICS);
        pod_metrics(e).retain(|m| !m.name.starts_with("storefront-"));
        let mut own = pods(e).iter_mut().filter(|pod| pod.name.starts_with("storefront-"));
        own.next().unwrap().runtime_class = Some(Arc::from("gvisor"));
    }),
    fails("SF312", "no metrics returned from resource metrics API").when(
        "a target in a runtime that hides nothing elsewhere",
        |e| {
            without_metrics(e, NO_METRICS);
            pod_metrics(e).retain(|m| !m.name.starts_with("storefront-"));
            for pod in pods(e).iter_mut() {
                pod.runtime_class = Some(Arc::from("nvidia"));
            }
        },
    ),
    fails("SF312", "no metrics returned from resource metrics API").when("a target whose pods another object owns", |e| {
        without_metrics(e, NO_METRICS);
        *autoscaler(e).target.as_mut().unwrap() = ScaleTarget {
            kind: "Widget".into(),
            name: "cart".into(),
        };
    }),
    fails("SF312", "did not receive metrics for targeted pods").when(
        "ready pods that the metrics API leaves out",
        |e| {
            without_metrics(e, "did not receive metrics for targeted pods (pods might be unready)");
            pod_metrics(e).retain(|m| !m.name.starts_with("storefront-"));
        },
    ),
    warns("SF312", " of Deployment storefront have metrics by now: ").when("metrics that came since, of a sandbox too", |e| {
        without_metrics(e, NO_METRICS);
        let mut own = pods(e).iter_mut().filter(|pod| pod.name.starts_with("storefront-"));
        own.next().unwrap().runtime_class = Some(Arc::from("gvisor"));
    }),
    warns("SF312", " of Deployment storefront have metrics by now: ").when("metrics that came since", |e| {
        without_metrics(e, NO_METRICS);
    }),
    warns(
        "SF312",
        "(a container without a resource request: failed to get cpu utilization: missing request for cpu",
    )
    .when("autoscalers own fault", |e| {
        without_metrics(e, "missing request for cpu in container app of Pod storefront-1");
    }),
    warns("SF312", "(its selector takes in pod report-1, which has finished: ").when(
        "a finished pod in its selector",
        |e| {
            without_metrics(e, "missing request for cpu in container app of Pod report-1");
            let mut finished = pods(e).iter().find(|pod| &*pod.namespace == "shop").unwrap().clone();
            (finished.name, finished.uid) = ("report-1".into(), "report-1".into());
            finished.status = Arc::from("Completed");
            (finished.ready, finished.started) = (0, None);
            let mut row = rows(e).rows[0].clone();
            (row.namespace, row.pod, row.uid) = (Arc::from("shop"), "report-1".into(), "report-1".into());
            row.labels.clone_from(&finished.labels);
            rows(e).rows.push(row);
            pods(e).push(finished);
        },
    ),
    warns(
        "SF312",
        "(its target's pods are not ready: failed to get cpu utilization: did not receive",
    )
    .when("a rollout whose pods are not ready", |e| {
        without_metrics(e, "did not receive metrics for targeted pods (pods might be unready)");
    }),
    warns("SF312", "(metrics of another API: ").when("an API that is not the resource metrics'", |e| {
        autoscaler(e).scaling_active = Some(condition(
            "False",
            "FailedGetExternalMetric",
            "the HPA was unable to compute the replica count: unable to get external metric shop/queue/nil: no metrics \
             returned from external metrics API",
        ));
    }),
    warns("SF312", "(AmbiguousSelector: pods by selector").when("two autoscalers of the same pods", |e| {
        autoscaler(e).scaling_active = Some(condition(
            "False",
            "AmbiguousSelector",
            "pods by selector app=a are controlled by multiple HPAs",
        ));
    }),
    warns(
        "SF312",
        "2 of 2 autoscalers cannot scale, by no fault of the metrics API: shop/storefront (a container without a resource request: ",
    )
    .when("two, each by its own fault", |e| {
        two(
            e,
            "did not receive metrics for targeted pods (pods might be unready)",
            "missing request for cpu",
        );
    }),
    fails(
        "SF312",
        "1 of 2 autoscalers cannot read metrics: shop/storefront (failed to get cpu utilization: unable to fetch",
    )
    .when("two, one of them by its own fault", |e| {
        two(
            e,
            "did not receive metrics for targeted pods",
            "unable to fetch metrics from resource metrics API: no",
        );
    }),
    passes("SF312", "1 autoscaler").when("autoscaler switched off", |e| {
        autoscaler(e).scaling_active = Some(condition("False", "ScalingDisabled", "replicas is 0"));
    }),
    not_applicable("SF312", "no autoscaler").when("no autoscaler", |e| e.autoscalers = Observed::Seen(vec![])),
    fails("SF306", "1 of 2 Ready nodes without metrics").when(
        "node without metrics, of a metrics-server in a namespace of its own",
        |e| {
            node_metrics(e).remove(0);
            server(e).namespace = "metrics-server".into();
        },
    ),
];

/// A second pod of metrics-server is ready. It has read the nodes a little later.
fn replicas(evidence: &mut Evidence) -> Vec<NodeMetrics> {
    let endpoints = seen(&mut evidence.metrics_server.endpoints);
    let mut second = endpoints[0].clone();
    second.pod = Some("metrics-server-1".into());
    second.address = "10.244.9.9".into();
    endpoints.push(second);
    let mut other = node_metrics(evidence).clone();
    for metrics in &mut other {
        metrics.timestamp += jiff::SignedDuration::from_secs(3);
    }
    other
}

/// NodeMetrics were read again, and this was what another answered.
fn again(evidence: &mut Evidence, other: Option<Vec<NodeMetrics>>) {
    let readings = if other.is_some() { 2 } else { 8 };
    evidence.node_metrics_again = Some(Observed::Seen(NodeMetricsAgain { readings, other }));
}

/// prometheus-adapter serves the metrics API.
fn adapter(evidence: &mut Evidence) {
    let server = server(evidence);
    server.image = "registry.k8s.io/prometheus-adapter/prometheus-adapter:v0.12.0".into();
    server.version = Some("0.12.0".into());
    server.flags.clear();
}

const NO_METRICS: &str = "unable to get metrics for resource cpu: no metrics returned from resource metrics API";

/// The autoscaler fails with this message.
fn without_metrics(evidence: &mut Evidence, message: &str) {
    let message = format!("the HPA was unable to compute the replica count: failed to get cpu utilization: {message}");
    let autoscaler = autoscaler(evidence);
    autoscaler.scaling_active = Some(condition("False", "FailedGetResourceMetric", &message));
    autoscaler.target = Some(ScaleTarget {
        kind: "Deployment".into(),
        name: "storefront".into(),
    });
}

/// So many more pods on node1, with metrics and rows.
fn many(evidence: &mut Evidence, number: usize) {
    let first = pods(evidence).iter().find(|pod| pod.node.as_deref() == Some("node1"));
    let pod = first.unwrap().clone();
    let mut metrics = pod_metrics(evidence).iter();
    let metrics = metrics
        .find(|metrics| metrics.pod() == pod.full_name())
        .unwrap()
        .clone();
    let row = rows(evidence)
        .rows
        .iter()
        .find(|row| row.uid == pod.uid)
        .unwrap()
        .clone();
    for number in 0..number {
        let (mut pod, mut metrics, mut row) = (pod.clone(), metrics.clone(), row.clone());
        pod.name = format!("{}-{number}", pod.name).into();
        pod.uid = format!("{}-{number}", pod.uid).into();
        metrics.name = pod.name.clone();
        row.pod = pod.name.clone();
        row.uid = pod.uid.clone();
        pods(evidence).push(pod);
        pod_metrics(evidence).push(metrics);
        rows(evidence).rows.push(row);
    }
}

/// Two of them fail: `cart` with the first message, `storefront` with the second.
fn two(evidence: &mut Evidence, cart: &str, storefront: &str) {
    without_metrics(evidence, cart);
    let mut other = autoscaler(evidence).clone();
    other.name = "cart".into();
    without_metrics(evidence, storefront);
    seen(&mut evidence.autoscalers).push(other);
}

/// Takes the metrics of a node's pods away, of those whose number is chosen.
fn of_node(evidence: &mut Evidence, node: &str, is_chosen: fn(usize) -> bool) {
    let here = pods(evidence).iter().filter(|pod| pod.node.as_deref() == Some(node));
    let here: Vec<_> = here.map(|pod| (pod.namespace.clone(), pod.name.clone())).collect();
    let metrics = pod_metrics(evidence);
    let mut number = 0;
    metrics.retain(|metrics| {
        let is_here = here
            .iter()
            .any(|(namespace, name)| *namespace == metrics.namespace && *name == metrics.name);
        number += usize::from(is_here);
        !(is_here && is_chosen(number - 1))
    });
}
