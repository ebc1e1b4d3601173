//! Step 3, metrics-server.

use crate::case::Case;
use crate::given::{
    api_service, autoscaler, condition, flag, node_metrics, nodes, pod_metrics, pods, seen, server, server_service,
    started_ago, unknown, unread,
};
use starform_verify::evidence::{Observed, Reason};
use starform_verify::report::Verdict::{Fail, NotApplicable, Pass, Unknown as Unseen, Warn};
use std::sync::Arc;

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "local api service",
        code: "SF301",
        verdict: Fail,
        says: "names no Service",
        change: |e| api_service(e).service = None,
    },
    Case {
        name: "strange namespace",
        code: "SF302",
        verdict: Fail,
        says: "in a namespace that the contract does not accept",
        change: |e| api_service(e).service.as_mut().unwrap().namespace = "tenant".into(),
    },
    Case {
        name: "one click",
        code: "SF302",
        verdict: Warn,
        says: "metrics-server stands in namespace metrics-server",
        change: |e| {
            api_service(e).service.as_mut().unwrap().namespace = "metrics-server".into();
            server_service(e).namespace = "metrics-server".into();
        },
    },
    Case {
        name: "wrong port",
        code: "SF302",
        verdict: Fail,
        says: "points at port 8443",
        change: |e| api_service(e).service.as_mut().unwrap().port = 8443,
    },
    Case {
        name: "no workload",
        code: "SF303",
        verdict: Fail,
        says: "no Deployment or StatefulSet stands behind",
        change: |e| seen(&mut e.metrics_server.workloads).clear(),
    },
    Case {
        name: "not ready",
        code: "SF303",
        verdict: Fail,
        says: "Deployment metrics-server has 0 of 1 pods ready (Stuck: no image)",
        change: |e| {
            server(e).ready = 0;
            server(e).trouble = Some("Stuck: no image".into());
        },
    },
    Case {
        name: "one replica of two",
        code: "SF303",
        verdict: Warn,
        says: "has 1 of 2 pods ready",
        change: |e| server(e).desired = 2,
    },
    Case {
        name: "rolling out",
        code: "SF303",
        verdict: Warn,
        says: "is rolling out",
        change: |e| server(e).updated = 0,
    },
    Case {
        name: "status of the past",
        code: "SF303",
        verdict: Warn,
        says: "is rolling out",
        change: |e| server(e).observed = false,
    },
    Case {
        name: "no endpoint",
        code: "SF303",
        verdict: Fail,
        says: "has no ready endpoint",
        change: |e| seen(&mut e.metrics_server.endpoints)[0].ready = false,
    },
    Case {
        name: "not available",
        code: "SF304",
        verdict: Fail,
        says: "FailedDiscoveryCheck: no route",
        change: |e| api_service(e).available = Some(condition("False", "FailedDiscoveryCheck", "no route")),
    },
    Case {
        name: "not judged yet",
        code: "SF304",
        verdict: Fail,
        says: "has not judged",
        change: |e| api_service(e).available = None,
    },
    Case {
        name: "api gone",
        code: "SF305",
        verdict: Fail,
        says: "answered with 404",
        change: |e| e.pod_metrics = Observed::Absent,
    },
    Case {
        name: "api refuses",
        code: "SF305",
        verdict: Unseen,
        says: "refused",
        change: |e| e.node_metrics = unknown(Reason::Refused),
    },
    Case {
        name: "node without metrics",
        code: "SF306",
        verdict: Fail,
        says: "1 of 2 Ready nodes without metrics: node2",
        change: |e| node_metrics(e).retain(|m| m.name != "node2"),
    },
    Case {
        name: "stale node",
        code: "SF307",
        verdict: Fail,
        says: "1 of 2 nodes have stale metrics: node1",
        change: |e| node_metrics(e)[0].timestamp -= jiff::SignedDuration::from_mins(2),
    },
    Case {
        name: "no clock",
        code: "SF307",
        verdict: Unseen,
        says: "carry no Date",
        change: |e| seen(&mut e.api_server).date = None,
    },
    Case {
        name: "a single pod without",
        code: "SF308",
        verdict: Warn,
        says: "1 of",
        change: |e| {
            pod_metrics(e).pop();
        },
    },
    Case {
        name: "many pods without",
        code: "SF308",
        verdict: Fail,
        says: "without metrics",
        change: |e| pod_metrics(e).truncate(1),
    },
    Case {
        name: "no pod metrics",
        code: "SF308",
        verdict: Fail,
        says: "PodMetricsList is empty",
        change: |e| pod_metrics(e).clear(),
    },
    Case {
        name: "crashing pods have none",
        code: "SF308",
        verdict: Pass,
        says: "running pods",
        change: |e| {
            pod_metrics(e).retain(|m| &*m.namespace != "shop");
            for pod in pods(e).iter_mut().filter(|pod| &*pod.namespace == "shop") {
                pod.status = Arc::from("CrashLoopBackOff");
            }
        },
    },
    Case {
        name: "restarted pods have none yet",
        code: "SF308",
        verdict: Pass,
        says: "running pods",
        change: |e| {
            pod_metrics(e).retain(|m| &*m.namespace != "shop");
            for pod in pods(e).iter_mut().filter(|pod| &*pod.namespace == "shop") {
                pod.started = Some(started_ago(12));
            }
        },
    },
    Case {
        name: "a crash loop between two crashes",
        code: "SF308",
        verdict: Pass,
        says: "not judged, which waits or is not known to run for 45s: shop/",
        change: |e| {
            pod_metrics(e).retain(|m| &*m.namespace != "shop");
            for pod in pods(e).iter_mut().filter(|pod| &*pod.namespace == "shop") {
                pod.started = Some(started_ago(30));
            }
        },
    },
    Case {
        name: "pods that ran for long enough since they crashed",
        code: "SF308",
        verdict: Fail,
        says: "running pods without metrics: shop/",
        change: |e| {
            pod_metrics(e).retain(|m| &*m.namespace != "shop");
            for pod in pods(e).iter_mut().filter(|pod| &*pod.namespace == "shop") {
                pod.started = Some(started_ago(60));
            }
        },
    },
    Case {
        name: "all but metrics-server crash",
        code: "SF308",
        verdict: Warn,
        says: "1 running pod; ",
        change: |e| {
            pod_metrics(e).retain(|m| m.name.starts_with("metrics-server-"));
            for pod in pods(e)
                .iter_mut()
                .filter(|pod| !pod.name.starts_with("metrics-server-"))
            {
                pod.started = Some(started_ago(30));
            }
        },
    },
    Case {
        name: "every pod crashes",
        code: "SF308",
        verdict: Unseen,
        says: "no pod has been running for 45s yet; ",
        change: |e| {
            for pod in pods(e).iter_mut() {
                pod.started = Some(started_ago(30));
            }
        },
    },
    Case {
        name: "a container is left out",
        code: "SF308",
        verdict: Warn,
        says: "1 pod with metrics of only some containers",
        change: |e| {
            let name = pod_metrics(e)[0].name.clone();
            pods(e).iter_mut().find(|pod| pod.name == name).unwrap().ready = 2;
        },
    },
    Case {
        name: "no pod at all",
        code: "SF308",
        verdict: Unseen,
        says: "no pod has been running",
        change: |e| pods(e).clear(),
    },
    Case {
        name: "stale pods",
        code: "SF309",
        verdict: Fail,
        says: "stale metrics",
        change: |e| {
            for metrics in pod_metrics(e) {
                metrics.timestamp -= jiff::SignedDuration::from_mins(5);
            }
        },
    },
    Case {
        name: "a longer resolution is not stale",
        code: "SF309",
        verdict: Pass,
        says: "within 2 windows",
        change: |e| {
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
        },
    },
    Case {
        name: "old metrics server",
        code: "SF310",
        verdict: Fail,
        says: "metrics-server 0.6.4 is not accepted",
        change: |e| server(e).version = Some("0.6.4".into()),
    },
    Case {
        name: "readiness defect",
        code: "SF310",
        verdict: Warn,
        says: "calls itself ready",
        change: |e| server(e).version = Some("0.8.1".into()),
    },
    Case {
        name: "image by digest",
        code: "SF310",
        verdict: Unseen,
        says: "tells no version",
        change: |e| server(e).version = None,
    },
    Case {
        name: "insecure kubelets",
        code: "SF311",
        verdict: Warn,
        says: "--kubelet-insecure-tls",
        change: |e| flag(server(e), "--kubelet-insecure-tls", ""),
    },
    Case {
        name: "insecure kubelets off",
        code: "SF311",
        verdict: Pass,
        says: "verified",
        change: |e| flag(server(e), "--kubelet-insecure-tls", "false"),
    },
    Case {
        name: "insecure kubelets by a variable that was not read",
        code: "SF311",
        verdict: Unseen,
        says: "--kubelet-insecure-tls of Deployment metrics-server is not known: variable SOME comes from a ConfigMap",
        change: |e| unread(server(e), "--kubelet-insecure-tls"),
    },
    Case {
        name: "a resolution by a variable that was not read",
        code: "SF307",
        verdict: Unseen,
        says: "--metric-resolution of Deployment metrics-server is not known",
        change: |e| unread(server(e), "--metric-resolution"),
    },
    Case {
        name: "autoscaler fails",
        code: "SF312",
        verdict: Fail,
        says: "1 of 1 autoscaler cannot read metrics: shop/storefront",
        change: |e| {
            autoscaler(e).scaling_active =
                Some(condition("False", "FailedGetResourceMetric", "unable to fetch metrics"));
        },
    },
    Case {
        name: "autoscalers own fault",
        code: "SF312",
        verdict: Warn,
        says: "missing request for cpu",
        change: |e| {
            autoscaler(e).scaling_active = Some(condition(
                "False",
                "FailedGetResourceMetric",
                "missing request for cpu in container app",
            ));
        },
    },
    Case {
        name: "autoscaler switched off",
        code: "SF312",
        verdict: Pass,
        says: "1 autoscaler",
        change: |e| autoscaler(e).scaling_active = Some(condition("False", "ScalingDisabled", "replicas is 0")),
    },
    Case {
        name: "no autoscaler",
        code: "SF312",
        verdict: NotApplicable,
        says: "no autoscaler",
        change: |e| e.autoscalers = Observed::Seen(vec![]),
    },
    Case {
        name: "node without metrics, of a metrics-server in a namespace of its own",
        code: "SF306",
        verdict: Fail,
        says: "1 of 2 Ready nodes without metrics",
        change: |e| {
            node_metrics(e).remove(0);
            server(e).namespace = "metrics-server".into();
        },
    },
];
