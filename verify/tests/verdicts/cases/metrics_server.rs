//! Step 3, metrics-server.

use crate::case::{Case, fails, not_applicable, passes, unseen, warns};
use crate::given::{
    api_service, autoscaler, condition, flag, node_metrics, nodes, pod_metrics, pods, seen, server, server_service,
    started_ago, unknown, unread,
};
use starform_verify::evidence::{Observed, Reason};
use std::sync::Arc;

pub(crate) const CASES: &[Case] = &[
    fails("SF301", "names no Service").when("local api service", |e| api_service(e).service = None),
    fails("SF302", "in a namespace that the contract does not accept").when("strange namespace", |e| {
        api_service(e).service.as_mut().unwrap().namespace = "tenant".into();
    }),
    warns("SF302", "metrics-server stands in namespace metrics-server").when("one click", |e| {
        api_service(e).service.as_mut().unwrap().namespace = "metrics-server".into();
        server_service(e).namespace = "metrics-server".into();
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
    fails("SF307", "1 of 2 nodes have stale metrics: node1").when("stale node", |e| {
        node_metrics(e)[0].timestamp -= jiff::SignedDuration::from_mins(2);
    }),
    unseen("SF307", "carry no Date").when("no clock", |e| seen(&mut e.api_server).date = None),
    warns("SF308", "1 of").when("a single pod without", |e| {
        pod_metrics(e).pop();
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
    fails("SF308", "running pods without metrics: shop/").when(
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
    warns("SF312", "missing request for cpu").when("autoscalers own fault", |e| {
        autoscaler(e).scaling_active = Some(condition(
            "False",
            "FailedGetResourceMetric",
            "missing request for cpu in container app",
        ));
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
