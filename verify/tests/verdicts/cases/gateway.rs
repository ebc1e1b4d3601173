//! Step 2.

use crate::case::Case;
use crate::given::seen;
use starform_verify::evidence::{
    ControllerWorkload, Evidence, FailedMount, GatewayClass, GatewayCondition, GatewayCrd, GatewayListener,
    GatewayObject, Observed, Source,
};
use starform_verify::report::Verdict::{Fail, NotApplicable, Pass, Unknown as Unseen, Warn};

pub(crate) const CASES: &[Case] = &[
    // The controller.
    Case {
        name: "",
        code: "SF201",
        verdict: Fail,
        says: "Deployment envoy-gateway is scaled to 0",
        change: |e| {
            workload(e).workload.desired = 0;
            workload(e).workload.ready = 0;
            workload(e).workload.updated = 0;
        },
    },
    Case {
        name: "",
        code: "SF201",
        verdict: Fail,
        says: "Deployment envoy-gateway has 0 of 2 pods ready (Stuck: no image)",
        change: |e| {
            workload(e).workload.ready = 0;
            workload(e).workload.trouble = Some("Stuck: no image".into());
        },
    },
    Case {
        name: "",
        code: "SF201",
        verdict: Warn,
        says: "has 1 of 2 pods ready",
        change: |e| workload(e).workload.ready = 1,
    },
    Case {
        name: "",
        code: "SF201",
        verdict: Warn,
        says: "is rolling out",
        change: |e| workload(e).workload.observed = false,
    },
    Case {
        name: "",
        code: "SF201",
        verdict: Fail,
        says: "no Deployment or StatefulSet stands behind Envoy Gateway's Service",
        change: |e| {
            seen(&mut e.gateway.controller).workloads.clear();
        },
    },
    Case {
        name: "",
        code: "SF201",
        verdict: Fail,
        says: "no Service control-plane=envoy-gateway,app.kubernetes.io/name=gateway-helm",
        change: |e| {
            seen(&mut e.gateway.controller).services.clear();
            seen(&mut e.gateway.controller).workloads.clear();
        },
    },
    Case {
        name: "",
        code: "SF201",
        verdict: Fail,
        says: "only where the contract does not accept it: tenant/envoy-gateway",
        change: |e| {
            let controller = seen(&mut e.gateway.controller);
            controller.workloads.clear();
            controller.services[0].namespace = "tenant".into();
            controller.services[0].accepted = false;
        },
    },
    Case {
        name: "",
        code: "SF201",
        verdict: Warn,
        says: "Envoy Gateway stands in namespace default",
        change: |e| {
            seen(&mut e.gateway.controller).services[0].namespace = "default".into();
            workload(e).workload.namespace = "default".into();
        },
    },
    // A pod that is missing is worse than the namespace that it is missing in.
    Case {
        name: "",
        code: "SF201",
        verdict: Fail,
        says: "has 0 of 2 pods ready",
        change: |e| {
            seen(&mut e.gateway.controller).services[0].namespace = "default".into();
            workload(e).workload.namespace = "default".into();
            workload(e).workload.ready = 0;
        },
    },
    // Its certificates.
    Case {
        name: "",
        code: "SF202",
        verdict: Fail,
        says: "Secret envoy-gateway cannot be mounted: the kubelet says so of envoy-gateway-a",
        change: |e| {
            workload(e).workload.ready = 0;
            complain(e, "envoy-gateway-a", 20);
        },
    },
    Case {
        name: "",
        code: "SF202",
        verdict: Fail,
        says: "cannot be mounted",
        change: |e| {
            workload(e).workload.ready = 1;
            complain(e, "envoy-gateway-a", 450);
        },
    },
    Case {
        name: "",
        code: "SF202",
        verdict: Fail,
        says: "cannot be mounted",
        change: |e| {
            workload(e).workload.ready = 0;
            complain(e, "envoy-gateway-a", 20);
            seen(&mut e.gateway.controller).failed_mounts[0].last = None;
        },
    },
    Case {
        name: "",
        code: "SF202",
        verdict: Fail,
        says: "the pods of Deployment envoy-gateway do not mount Secret envoy-gateway",
        change: |e| {
            workload(e).mounts_certificates = false;
        },
    },
    Case {
        name: "",
        code: "SF202",
        verdict: Pass,
        says: "2 ready pods have mounted Secret envoy-gateway",
        change: |e| {
            complain(e, "envoy-gateway-a", 20);
            seen(&mut e.gateway.controller).failed_mounts[0].waits = false;
        },
    },
    // The pods have started since; another rollout is under way.
    Case {
        name: "",
        code: "SF202",
        verdict: Pass,
        says: "1 ready pod has mounted",
        change: |e| {
            workload(e).workload.ready = 1;
            complain(e, "envoy-gateway-a", 20);
            seen(&mut e.gateway.controller).failed_mounts[0].waits = false;
        },
    },
    Case {
        name: "",
        code: "SF202",
        verdict: Pass,
        says: "1 ready pod has mounted",
        change: |e| {
            workload(e).workload.ready = 1;
            complain(e, "envoy-gateway-a", 451);
        },
    },
    Case {
        name: "",
        code: "SF202",
        verdict: Pass,
        says: "1 ready pod has mounted",
        change: |e| {
            workload(e).workload.ready = 1;
            complain(e, "envoy-gatewayed", 20);
            complain(e, "envoy-shop-web-0a1b2c3d-x", 20);
        },
    },
    Case {
        name: "",
        code: "SF202",
        verdict: NotApplicable,
        says: "none waits for Secret envoy-gateway",
        change: |e| workload(e).workload.ready = 0,
    },
    Case {
        name: "",
        code: "SF202",
        verdict: NotApplicable,
        says: "has no workload",
        change: |e| seen(&mut e.gateway.controller).workloads.clear(),
    },
    // Its version.
    Case {
        name: "",
        code: "SF207",
        verdict: Fail,
        says: "Envoy Gateway 1.6.3 is not accepted",
        change: |e| workload(e).workload.version = Some("1.6.3".into()),
    },
    Case {
        name: "",
        code: "SF207",
        verdict: Unseen,
        says: "tells no version",
        change: |e| workload(e).workload.version = None,
    },
    Case {
        name: "",
        code: "SF207",
        verdict: NotApplicable,
        says: "Envoy Gateway has no workload",
        change: |e| {
            seen(&mut e.gateway.controller).workloads.clear();
        },
    },
    // The CRDs.
    Case {
        name: "",
        code: "SF208",
        verdict: Fail,
        says: "1 CRD missing: gateways.gateway.networking.k8s.io",
        change: |e| {
            crds(e).retain(|crd| crd.name != GATEWAYS);
        },
    },
    Case {
        name: "",
        code: "SF208",
        verdict: Fail,
        says: "18 CRDs missing",
        change: |e| crds(e).clear(),
    },
    Case {
        name: "",
        code: "SF208",
        verdict: Warn,
        says: "1 CRD missing: backends.gateway.envoyproxy.io",
        change: |e| {
            crds(e).retain(|crd| crd.name != "backends.gateway.envoyproxy.io");
        },
    },
    Case {
        name: "",
        code: "SF204",
        verdict: Fail,
        says: "1 of 10 CRDs of another version: v1.5.1 (gateways.gateway.networking.k8s.io)",
        change: |e| {
            crd(e, GATEWAYS).bundle = Some("v1.5.1".into());
        },
    },
    Case {
        name: "",
        code: "SF204",
        verdict: Fail,
        says: "not annotated (gateways.gateway.networking.k8s.io)",
        change: |e| crd(e, GATEWAYS).bundle = None,
    },
    Case {
        name: "",
        code: "SF204",
        verdict: Fail,
        says: "the CRDs are of several bundles: v1.6.0 (gateways.gateway.networking.k8s.io), v1.6.1",
        change: |e| {
            crd(e, GATEWAYS).bundle = Some("v1.6.0".into());
        },
    },
    Case {
        name: "",
        code: "SF204",
        verdict: Warn,
        says: "several channels: experimental",
        change: |e| crd(e, GATEWAYS).channel = Some("standard".into()),
    },
    Case {
        name: "",
        code: "SF204",
        verdict: Warn,
        says: "left over from another bundle: v1.4.1 (xlistenersets.gateway.networking.x-k8s.io)",
        change: |e| {
            let mut left = crd(e, GATEWAYS).clone();
            left.name = "xlistenersets.gateway.networking.x-k8s.io".into();
            left.bundle = Some("v1.4.1".into());
            crds(e).push(left);
        },
    },
    Case {
        name: "",
        code: "SF204",
        verdict: Pass,
        says: "v1.6.2 (standard)",
        change: |e| {
            for crd in crds(e).iter_mut().filter(|crd| crd.bundle.is_some()) {
                crd.bundle = Some("v1.6.2".into());
                crd.channel = Some("standard".into());
            }
        },
    },
    Case {
        name: "",
        code: "SF204",
        verdict: NotApplicable,
        says: "no controller that reads them; v1.6.1 (experimental)",
        change: |e| seen(&mut e.gateway.controller).workloads.clear(),
    },
    Case {
        name: "",
        code: "SF205",
        verdict: Fail,
        says: "DOKS manages 1 CRD: gateways.gateway.networking.k8s.io; 1 not accepted: v1.2.1",
        change: |e| {
            crd(e, GATEWAYS).managed = Some("true".into());
            crd(e, GATEWAYS).bundle = Some("v1.2.1".into());
        },
    },
    Case {
        name: "",
        code: "SF205",
        verdict: Warn,
        says: "DOKS manages 1 CRD",
        change: |e| crd(e, GATEWAYS).managed = Some("true".into()),
    },
    Case {
        name: "",
        code: "SF205",
        verdict: Warn,
        says: "DOKS manages 1 CRD",
        change: |e| {
            crd(e, GATEWAYS).managed = Some("true".into());
            crd(e, GATEWAYS).install_policy = Some("internal".into());
        },
    },
    Case {
        name: "",
        code: "SF205",
        verdict: Pass,
        says: "DOKS leaves 1 CRD alone",
        change: |e| {
            crd(e, GATEWAYS).managed = Some("true".into());
            crd(e, GATEWAYS).install_policy = Some("external".into());
        },
    },
    Case {
        name: "",
        code: "SF205",
        verdict: Pass,
        says: "none is managed by DOKS",
        change: |e| crd(e, GATEWAYS).managed = Some("false".into()),
    },
    // The class.
    Case {
        name: "",
        code: "SF203",
        verdict: Fail,
        says: "no GatewayClass",
        change: |e| seen(&mut e.gateway.classes).clear(),
    },
    Case {
        name: "",
        code: "SF203",
        verdict: Fail,
        says: "GatewayClass starform is of controller example.com/other",
        change: |e| {
            class(e).controller_name = "example.com/other".into();
        },
    },
    Case {
        name: "",
        code: "SF203",
        verdict: Fail,
        says: "there is cilium",
        change: |e| {
            class(e).name = "cilium".into();
            class(e).controller_name = "io.cilium/gateway-controller".into();
        },
    },
    Case {
        name: "",
        code: "SF203",
        verdict: Fail,
        says: "starform is not accepted: InvalidParameters: no EnvoyProxy",
        change: |e| {
            class(e).accepted = judged_false("InvalidParameters", "no EnvoyProxy");
        },
    },
    Case {
        name: "",
        code: "SF203",
        verdict: Fail,
        says: "the controller has not judged it",
        change: |e| class(e).accepted = None,
    },
    Case {
        name: "",
        code: "SF203",
        verdict: Fail,
        says: "has not judged its newest generation",
        change: |e| class(e).accepted.as_mut().unwrap().current = false,
    },
    Case {
        name: "",
        code: "SF203",
        verdict: Warn,
        says: "serves GatewayClass eg, and there is no starform",
        change: |e| class(e).name = "eg".into(),
    },
    Case {
        name: "",
        code: "SF203",
        verdict: Fail,
        says: "GatewayClass eg is not accepted, and there is no starform",
        change: |e| {
            class(e).name = "eg".into();
            class(e).accepted = None;
        },
    },
    Case {
        name: "",
        code: "SF203",
        verdict: Warn,
        says: "GatewayClass eg is not accepted; starform is",
        change: |e| {
            let mut other = class(e).clone();
            other.name = "eg".into();
            other.accepted = judged_false("Pending", "");
            seen(&mut e.gateway.classes).push(other);
        },
    },
    // Gateways.
    Case {
        name: "",
        code: "SF206",
        verdict: Fail,
        says: "1 of 1 Gateway not as its spec says: shop/web (not programmed: AddressNotAssigned: none)",
        change: |e| {
            gateway(e).programmed = judged_false("AddressNotAssigned", "none");
        },
    },
    Case {
        name: "",
        code: "SF206",
        verdict: Fail,
        says: "(not accepted: the controller has not judged it)",
        change: |e| gateway(e).accepted = None,
    },
    Case {
        name: "",
        code: "SF206",
        verdict: Fail,
        says: "(not programmed: the controller has not judged its newest generation)",
        change: |e| {
            gateway(e).programmed.as_mut().unwrap().current = false;
        },
    },
    Case {
        name: "",
        code: "SF206",
        verdict: Fail,
        says: "listener http: references not resolved: InvalidCertificateRef: no Secret",
        change: |e| {
            listener(e).resolved_refs = judged_false("InvalidCertificateRef", "no Secret");
        },
    },
    Case {
        name: "",
        code: "SF206",
        verdict: Fail,
        says: "listener http: not accepted: PortUnavailable",
        change: |e| {
            listener(e).accepted = judged_false("PortUnavailable", "");
        },
    },
    Case {
        name: "",
        code: "SF206",
        verdict: Fail,
        says: "listener http: not programmed: Invalid",
        change: |e| listener(e).programmed = judged_false("Invalid", ""),
    },
    Case {
        name: "",
        code: "SF206",
        verdict: Fail,
        says: "listener http: not accepted: the controller has not judged it",
        change: |e| listener(e).accepted = None,
    },
    Case {
        name: "",
        code: "SF206",
        verdict: Fail,
        says: "listener http: conflicted: HostnameConflict",
        change: |e| {
            let mut conflict = listener(e).accepted.clone().unwrap();
            conflict.reason = "HostnameConflict".into();
            listener(e).conflicted = Some(conflict);
        },
    },
    Case {
        name: "",
        code: "SF206",
        verdict: Pass,
        says: "1 Gateway",
        change: |e| listener(e).conflicted = judged_false("NoConflicts", ""),
    },
    Case {
        name: "",
        code: "SF206",
        verdict: Pass,
        says: "1 Gateway",
        change: |e| {
            let mut other = gateway(e).clone();
            other.class = "cilium".into();
            other.programmed = None;
            seen(&mut e.gateway.gateways).push(other);
        },
    },
    Case {
        name: "",
        code: "SF206",
        verdict: NotApplicable,
        says: "no Gateway of the controller yet",
        change: |e| gateway(e).class = "cilium".into(),
    },
    Case {
        name: "",
        code: "SF206",
        verdict: NotApplicable,
        says: "no Gateway of the controller yet",
        change: |e| seen(&mut e.gateway.gateways).clear(),
    },
    // What could not be read.
    Case {
        name: "",
        code: "SF201",
        verdict: Unseen,
        says: "not collected",
        change: |e| e.gateway.controller = Observed::not_collected(),
    },
    Case {
        name: "",
        code: "SF203",
        verdict: Unseen,
        says: "not collected",
        change: |e| e.gateway.classes = Observed::not_collected(),
    },
    Case {
        name: "",
        code: "SF206",
        verdict: Unseen,
        says: "not collected",
        change: |e| e.gateway.gateways = Observed::not_collected(),
    },
    Case {
        name: "",
        code: "SF208",
        verdict: Unseen,
        says: "not collected",
        change: |e| e.gateway.crds = Observed::not_collected(),
    },
    Case {
        name: "",
        code: "SF202",
        verdict: Unseen,
        says: "Date",
        change: |e| seen(&mut e.api_server).date = None,
    },
];

const GATEWAYS: &str = "gateways.gateway.networking.k8s.io";

fn workload(evidence: &mut Evidence) -> &mut ControllerWorkload {
    &mut seen(&mut evidence.gateway.controller).workloads[0]
}

fn class(evidence: &mut Evidence) -> &mut GatewayClass {
    &mut seen(&mut evidence.gateway.classes)[0]
}

fn gateway(evidence: &mut Evidence) -> &mut GatewayObject {
    &mut seen(&mut evidence.gateway.gateways)[0]
}

fn listener(evidence: &mut Evidence) -> &mut GatewayListener {
    &mut gateway(evidence).listeners[0]
}

fn crds(evidence: &mut Evidence) -> &mut Vec<GatewayCrd> {
    seen(&mut evidence.gateway.crds)
}

fn crd<'a>(evidence: &'a mut Evidence, name: &str) -> &'a mut GatewayCrd {
    crds(evidence).iter_mut().find(|crd| crd.name == name).unwrap()
}

/// A kubelet could not mount the certificates of a pod so many seconds ago.
fn complain(evidence: &mut Evidence, pod: &str, seconds: i64) {
    let now = evidence.now(Source::EnvoyGatewayWorkloads).unwrap();
    seen(&mut evidence.gateway.controller).failed_mounts.push(FailedMount {
        namespace: "envoy-gateway-system".into(),
        pod: pod.into(),
        last: Some(now - jiff::SignedDuration::from_secs(seconds)),
        waits: true,
    });
}

/// A condition that is `False`.
#[allow(clippy::unnecessary_wraps, reason = "a condition may be missing")]
fn judged_false(reason: &str, message: &str) -> Option<GatewayCondition> {
    Some(GatewayCondition {
        status: "False".to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        current: true,
    })
}
