//! What differs from a healthy cluster in one thing of step 2, and what is said of it: code, verdict, words, change.

use super::{judged_false, seen};
use starform_verify::evidence::{
    ControllerWorkload, Evidence, FailedMount, GatewayClass, GatewayCrd, GatewayListener, GatewayObject, Observed, Source,
};
use starform_verify::report::Verdict;

pub(crate) type Case = (&'static str, Verdict, &'static str, fn(&mut Evidence));

/// Every case.
pub(crate) const CASES: &[Case] = &[
    // The controller.
    ("SF201", Verdict::Fail, "Deployment envoy-gateway is scaled to 0", |e| {
        workload(e).workload.desired = 0;
        workload(e).workload.ready = 0;
        workload(e).workload.updated = 0;
    }),
    ("SF201", Verdict::Fail, "Deployment envoy-gateway has 0 of 2 pods ready (Stuck: no image)", |e| {
        workload(e).workload.ready = 0;
        workload(e).workload.trouble = Some("Stuck: no image".into());
    }),
    ("SF201", Verdict::Warn, "has 1 of 2 pods ready", |e| workload(e).workload.ready = 1),
    ("SF201", Verdict::Warn, "is rolling out", |e| workload(e).workload.observed = false),
    ("SF201", Verdict::Fail, "no Deployment or StatefulSet stands behind Envoy Gateway's Service", |e| {
        seen(&mut e.gateway.controller).workloads.clear();
    }),
    ("SF201", Verdict::Fail, "no Service control-plane=envoy-gateway,app.kubernetes.io/name=gateway-helm", |e| {
        seen(&mut e.gateway.controller).services.clear();
        seen(&mut e.gateway.controller).workloads.clear();
    }),
    ("SF201", Verdict::Fail, "only where the contract does not accept it: tenant/envoy-gateway", |e| {
        let controller = seen(&mut e.gateway.controller);
        controller.workloads.clear();
        controller.services[0].namespace = "tenant".into();
        controller.services[0].accepted = false;
    }),
    ("SF201", Verdict::Warn, "Envoy Gateway stands in namespace default", |e| {
        seen(&mut e.gateway.controller).services[0].namespace = "default".into();
        workload(e).workload.namespace = "default".into();
    }),
    // A pod that is missing is worse than the namespace that it is missing in.
    ("SF201", Verdict::Fail, "has 0 of 2 pods ready", |e| {
        seen(&mut e.gateway.controller).services[0].namespace = "default".into();
        workload(e).workload.namespace = "default".into();
        workload(e).workload.ready = 0;
    }),
    // Its certificates.
    ("SF202", Verdict::Fail, "Secret envoy-gateway cannot be mounted: the kubelet says so of envoy-gateway-a", |e| {
        workload(e).workload.ready = 0;
        complain(e, "envoy-gateway-a", 20);
    }),
    ("SF202", Verdict::Fail, "cannot be mounted", |e| {
        workload(e).workload.ready = 1;
        complain(e, "envoy-gateway-a", 450);
    }),
    ("SF202", Verdict::Fail, "cannot be mounted", |e| {
        workload(e).workload.ready = 0;
        complain(e, "envoy-gateway-a", 20);
        seen(&mut e.gateway.controller).failed_mounts[0].last = None;
    }),
    ("SF202", Verdict::Fail, "the pods of Deployment envoy-gateway do not mount Secret envoy-gateway", |e| {
        workload(e).mounts_certificates = false;
    }),
    ("SF202", Verdict::Pass, "2 ready pods have mounted Secret envoy-gateway", |e| complain(e, "envoy-gateway-a", 20)),
    ("SF202", Verdict::Pass, "1 ready pod has mounted", |e| {
        workload(e).workload.ready = 1;
        complain(e, "envoy-gateway-a", 451);
    }),
    ("SF202", Verdict::Pass, "1 ready pod has mounted", |e| {
        workload(e).workload.ready = 1;
        complain(e, "envoy-gatewayed", 20);
        complain(e, "envoy-shop-web-0a1b2c3d-x", 20);
    }),
    ("SF202", Verdict::NotApplicable, "none waits for Secret envoy-gateway", |e| workload(e).workload.ready = 0),
    ("SF202", Verdict::NotApplicable, "has no workload", |e| seen(&mut e.gateway.controller).workloads.clear()),
    // Its version.
    ("SF207", Verdict::Fail, "Envoy Gateway 1.6.3 is not accepted", |e| workload(e).workload.version = Some("1.6.3".into())),
    ("SF207", Verdict::Unknown, "tells no version", |e| workload(e).workload.version = None),
    ("SF207", Verdict::NotApplicable, "Envoy Gateway has no workload", |e| {
        seen(&mut e.gateway.controller).workloads.clear();
    }),
    // The CRDs.
    ("SF208", Verdict::Fail, "1 CRD missing: gateways.gateway.networking.k8s.io", |e| {
        crds(e).retain(|crd| crd.name != GATEWAYS);
    }),
    ("SF208", Verdict::Fail, "18 CRDs missing", |e| crds(e).clear()),
    ("SF208", Verdict::Warn, "1 CRD missing: backends.gateway.envoyproxy.io", |e| {
        crds(e).retain(|crd| crd.name != "backends.gateway.envoyproxy.io");
    }),
    ("SF204", Verdict::Fail, "1 of 10 CRDs of another version: v1.5.1 (gateways.gateway.networking.k8s.io)", |e| {
        crd(e, GATEWAYS).bundle = Some("v1.5.1".into());
    }),
    ("SF204", Verdict::Fail, "not annotated (gateways.gateway.networking.k8s.io)", |e| crd(e, GATEWAYS).bundle = None),
    ("SF204", Verdict::Fail, "the CRDs are of several bundles: v1.6.0 (gateways.gateway.networking.k8s.io), v1.6.1", |e| {
        crd(e, GATEWAYS).bundle = Some("v1.6.0".into());
    }),
    ("SF204", Verdict::Warn, "several channels: experimental", |e| crd(e, GATEWAYS).channel = Some("standard".into())),
    ("SF204", Verdict::Warn, "left over from another bundle: v1.4.1 (xlistenersets.gateway.networking.x-k8s.io)", |e| {
        let mut left = crd(e, GATEWAYS).clone();
        left.name = "xlistenersets.gateway.networking.x-k8s.io".into();
        left.bundle = Some("v1.4.1".into());
        crds(e).push(left);
    }),
    ("SF204", Verdict::Pass, "v1.6.2 (standard)", |e| {
        for crd in crds(e).iter_mut().filter(|crd| crd.bundle.is_some()) {
            crd.bundle = Some("v1.6.2".into());
            crd.channel = Some("standard".into());
        }
    }),
    ("SF204", Verdict::NotApplicable, "no controller that reads them; v1.6.1 (experimental)", |e| seen(&mut e.gateway.controller).workloads.clear()),
    ("SF205", Verdict::Fail, "DOKS manages 1 CRD: gateways.gateway.networking.k8s.io; 1 not accepted: v1.2.1", |e| {
        crd(e, GATEWAYS).managed = Some("true".into());
        crd(e, GATEWAYS).bundle = Some("v1.2.1".into());
    }),
    ("SF205", Verdict::Warn, "DOKS manages 1 CRD", |e| crd(e, GATEWAYS).managed = Some("true".into())),
    ("SF205", Verdict::Warn, "DOKS manages 1 CRD", |e| {
        crd(e, GATEWAYS).managed = Some("true".into());
        crd(e, GATEWAYS).install_policy = Some("internal".into());
    }),
    ("SF205", Verdict::Pass, "DOKS leaves 1 CRD alone", |e| {
        crd(e, GATEWAYS).managed = Some("true".into());
        crd(e, GATEWAYS).install_policy = Some("external".into());
    }),
    ("SF205", Verdict::Pass, "none is managed by DOKS", |e| crd(e, GATEWAYS).managed = Some("false".into())),
    // The class.
    ("SF203", Verdict::Fail, "no GatewayClass", |e| seen(&mut e.gateway.classes).clear()),
    ("SF203", Verdict::Fail, "GatewayClass starform is of controller example.com/other", |e| {
        class(e).controller_name = "example.com/other".into();
    }),
    ("SF203", Verdict::Fail, "there is cilium", |e| {
        class(e).name = "cilium".into();
        class(e).controller_name = "io.cilium/gateway-controller".into();
    }),
    ("SF203", Verdict::Fail, "starform is not accepted: InvalidParameters: no EnvoyProxy", |e| {
        class(e).accepted = judged_false("InvalidParameters", "no EnvoyProxy");
    }),
    ("SF203", Verdict::Fail, "the controller has not judged it", |e| class(e).accepted = None),
    ("SF203", Verdict::Fail, "has not judged its newest generation", |e| class(e).accepted.as_mut().unwrap().current = false),
    ("SF203", Verdict::Warn, "serves GatewayClass eg, and there is no starform", |e| class(e).name = "eg".into()),
    ("SF203", Verdict::Fail, "GatewayClass eg is not accepted, and there is no starform", |e| {
        class(e).name = "eg".into();
        class(e).accepted = None;
    }),
    ("SF203", Verdict::Warn, "GatewayClass eg is not accepted; starform is", |e| {
        let mut other = class(e).clone();
        other.name = "eg".into();
        other.accepted = judged_false("Pending", "");
        seen(&mut e.gateway.classes).push(other);
    }),
    // Gateways.
    ("SF206", Verdict::Fail, "1 of 1 Gateway not as its spec says: shop/web (not programmed: AddressNotAssigned: none)", |e| {
        gateway(e).programmed = judged_false("AddressNotAssigned", "none");
    }),
    ("SF206", Verdict::Fail, "(not accepted: the controller has not judged it)", |e| gateway(e).accepted = None),
    ("SF206", Verdict::Fail, "(not programmed: the controller has not judged its newest generation)", |e| {
        gateway(e).programmed.as_mut().unwrap().current = false;
    }),
    ("SF206", Verdict::Fail, "listener http: references not resolved: InvalidCertificateRef: no Secret", |e| {
        listener(e).resolved_refs = judged_false("InvalidCertificateRef", "no Secret");
    }),
    ("SF206", Verdict::Fail, "listener http: not accepted: PortUnavailable", |e| {
        listener(e).accepted = judged_false("PortUnavailable", "");
    }),
    ("SF206", Verdict::Fail, "listener http: not programmed: Invalid", |e| listener(e).programmed = judged_false("Invalid", "")),
    ("SF206", Verdict::Fail, "listener http: not accepted: the controller has not judged it", |e| listener(e).accepted = None),
    ("SF206", Verdict::Fail, "listener http: conflicted: HostnameConflict", |e| {
        let mut conflict = listener(e).accepted.clone().unwrap();
        conflict.reason = "HostnameConflict".into();
        listener(e).conflicted = Some(conflict);
    }),
    ("SF206", Verdict::Pass, "1 Gateway", |e| listener(e).conflicted = judged_false("NoConflicts", "")),
    ("SF206", Verdict::Pass, "1 Gateway", |e| {
        let mut other = gateway(e).clone();
        other.class = "cilium".into();
        other.programmed = None;
        seen(&mut e.gateway.gateways).push(other);
    }),
    ("SF206", Verdict::NotApplicable, "no Gateway of the controller yet", |e| gateway(e).class = "cilium".into()),
    ("SF206", Verdict::NotApplicable, "no Gateway of the controller yet", |e| seen(&mut e.gateway.gateways).clear()),
    // What could not be read.
    ("SF201", Verdict::Unknown, "not collected", |e| e.gateway.controller = Observed::not_collected()),
    ("SF203", Verdict::Unknown, "not collected", |e| e.gateway.classes = Observed::not_collected()),
    ("SF206", Verdict::Unknown, "not collected", |e| e.gateway.gateways = Observed::not_collected()),
    ("SF208", Verdict::Unknown, "not collected", |e| e.gateway.crds = Observed::not_collected()),
    ("SF202", Verdict::Unknown, "Date", |e| seen(&mut e.api_server).date = None),
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
    });
}
