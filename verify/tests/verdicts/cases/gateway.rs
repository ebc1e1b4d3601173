//! Step 2.

use crate::case::{Case, fails, not_applicable, passes, unseen, warns};
use crate::given::{changed, seen, unknown};
use starform_verify::evidence::{
    ControllerWorkload, Evidence, FailedMount, GatewayClass, GatewayCondition, GatewayConfiguration, GatewayCrd,
    GatewayListener, GatewayObject, Observed, PolicyAncestor, ProxyUpdates, Reason, Source,
};

pub(crate) const CASES: &[Case] = &[
    // The controller.
    fails("SF201", "Deployment envoy-gateway is scaled to 0").after(|e| {
        workload(e).workload.desired = 0;
        workload(e).workload.ready = 0;
        workload(e).workload.updated = 0;
    }),
    fails(
        "SF201",
        "Deployment envoy-gateway has 0 of 2 pods ready (Stuck: no image)",
    )
    .after(|e| {
        workload(e).workload.ready = 0;
        workload(e).workload.trouble = Some("Stuck: no image".into());
    }),
    warns("SF201", "has 1 of 2 pods ready").after(|e| workload(e).workload.ready = 1),
    warns("SF201", "is rolling out").after(|e| workload(e).workload.observed = false),
    fails("SF201", "no Deployment stands behind Envoy Gateway's Service")
        .after(|e| seen(&mut e.gateway.controller).workloads.clear()),
    fails(
        "SF201",
        "no Service control-plane=envoy-gateway,app.kubernetes.io/name=gateway-helm",
    )
    .after(|e| {
        seen(&mut e.gateway.controller).services.clear();
        seen(&mut e.gateway.controller).workloads.clear();
    }),
    fails(
        "SF201",
        "only where the contract does not accept it: tenant/envoy-gateway",
    )
    .after(|e| {
        let controller = seen(&mut e.gateway.controller);
        controller.workloads.clear();
        controller.services[0].namespace = "tenant".into();
        controller.services[0].accepted = false;
    }),
    warns("SF201", "Envoy Gateway stands in namespace default").after(|e| {
        seen(&mut e.gateway.controller).services[0].namespace = "default".into();
        workload(e).workload.namespace = "default".into();
    }),
    // A pod that is missing is worse than the namespace that it is missing in.
    fails("SF201", "has 0 of 2 pods ready").after(|e| {
        seen(&mut e.gateway.controller).services[0].namespace = "default".into();
        workload(e).workload.namespace = "default".into();
        workload(e).workload.ready = 0;
    }),
    // Its certificates.
    fails(
        "SF202",
        "Secret envoy-gateway cannot be mounted: the kubelet says so of envoy-gateway-a",
    )
    .after(|e| {
        workload(e).workload.ready = 0;
        complain(e, "envoy-gateway-a", 20);
    }),
    fails("SF202", "cannot be mounted").after(|e| {
        workload(e).workload.ready = 1;
        complain(e, "envoy-gateway-a", 450);
    }),
    fails("SF202", "cannot be mounted").after(|e| {
        workload(e).workload.ready = 0;
        complain(e, "envoy-gateway-a", 20);
        seen(&mut e.gateway.controller).failed_mounts[0].last = None;
    }),
    fails(
        "SF202",
        "the pods of Deployment envoy-gateway do not mount Secret envoy-gateway",
    )
    .after(|e| workload(e).mounts_certificates = false),
    passes("SF202", "2 ready pods have mounted Secret envoy-gateway").after(|e| {
        complain(e, "envoy-gateway-a", 20);
        seen(&mut e.gateway.controller).failed_mounts[0].waits = false;
    }),
    // The pods have started since; another rollout is under way.
    passes("SF202", "1 ready pod has mounted").after(|e| {
        workload(e).workload.ready = 1;
        complain(e, "envoy-gateway-a", 20);
        seen(&mut e.gateway.controller).failed_mounts[0].waits = false;
    }),
    passes("SF202", "1 ready pod has mounted").after(|e| {
        workload(e).workload.ready = 1;
        complain(e, "envoy-gateway-a", 451);
    }),
    passes("SF202", "1 ready pod has mounted").after(|e| {
        workload(e).workload.ready = 1;
        complain(e, "envoy-gatewayed", 20);
        complain(e, "envoy-shop-web-0a1b2c3d-x", 20);
    }),
    not_applicable("SF202", "none waits for Secret envoy-gateway").after(|e| workload(e).workload.ready = 0),
    not_applicable("SF202", "has no workload").after(|e| seen(&mut e.gateway.controller).workloads.clear()),
    // Its version.
    fails("SF207", "Envoy Gateway 1.6.3 is not accepted")
        .after(|e| workload(e).workload.version = Some("1.6.3".into())),
    unseen("SF207", "tells no version").after(|e| workload(e).workload.version = None),
    not_applicable("SF207", "Envoy Gateway has no workload")
        .after(|e| seen(&mut e.gateway.controller).workloads.clear()),
    // The CRDs.
    fails("SF208", "1 CRD missing: gateways.gateway.networking.k8s.io")
        .after(|e| crds(e).retain(|crd| crd.name != GATEWAYS)),
    fails("SF208", "18 CRDs missing").after(|e| crds(e).clear()),
    warns("SF208", "1 CRD missing: backends.gateway.envoyproxy.io")
        .after(|e| crds(e).retain(|crd| crd.name != "backends.gateway.envoyproxy.io")),
    fails(
        "SF204",
        "1 of 10 CRDs of another version: v1.5.1 (gateways.gateway.networking.k8s.io)",
    )
    .after(|e| crd(e, GATEWAYS).bundle = Some("v1.5.1".into())),
    fails("SF204", "not annotated (gateways.gateway.networking.k8s.io)").after(|e| crd(e, GATEWAYS).bundle = None),
    fails(
        "SF204",
        "the CRDs are of several bundles: v1.6.0 (gateways.gateway.networking.k8s.io), v1.6.1",
    )
    .after(|e| crd(e, GATEWAYS).bundle = Some("v1.6.0".into())),
    warns("SF204", "several channels: experimental").after(|e| crd(e, GATEWAYS).channel = Some("standard".into())),
    warns(
        "SF204",
        "left over from another bundle: v1.4.1 (xlistenersets.gateway.networking.x-k8s.io)",
    )
    .after(|e| {
        let mut left = crd(e, GATEWAYS).clone();
        left.name = "xlistenersets.gateway.networking.x-k8s.io".into();
        left.bundle = Some("v1.4.1".into());
        crds(e).push(left);
    }),
    passes("SF204", "v1.6.2 (standard)").after(|e| {
        for crd in crds(e).iter_mut().filter(|crd| crd.bundle.is_some()) {
            crd.bundle = Some("v1.6.2".into());
            crd.channel = Some("standard".into());
        }
    }),
    not_applicable("SF204", "no controller that reads them; v1.6.1 (experimental)")
        .after(|e| seen(&mut e.gateway.controller).workloads.clear()),
    fails(
        "SF205",
        "DOKS manages 1 CRD: gateways.gateway.networking.k8s.io; 1 not accepted: v1.2.1",
    )
    .after(|e| {
        crd(e, GATEWAYS).managed = Some("true".into());
        crd(e, GATEWAYS).bundle = Some("v1.2.1".into());
    }),
    warns("SF205", "DOKS manages 1 CRD").after(|e| crd(e, GATEWAYS).managed = Some("true".into())),
    warns("SF205", "DOKS manages 1 CRD").after(|e| {
        crd(e, GATEWAYS).managed = Some("true".into());
        crd(e, GATEWAYS).install_policy = Some("internal".into());
    }),
    passes("SF205", "DOKS leaves 1 CRD alone").after(|e| {
        crd(e, GATEWAYS).managed = Some("true".into());
        crd(e, GATEWAYS).install_policy = Some("external".into());
    }),
    passes("SF205", "none is managed by DOKS").after(|e| crd(e, GATEWAYS).managed = Some("false".into())),
    // The class.
    fails("SF203", "no GatewayClass").after(|e| seen(&mut e.gateway.classes).clear()),
    fails("SF203", "GatewayClass starform is of controller example.com/other")
        .after(|e| class(e).controller_name = "example.com/other".into()),
    fails("SF203", "there is cilium").after(|e| {
        class(e).name = "cilium".into();
        class(e).controller_name = "io.cilium/gateway-controller".into();
    }),
    fails("SF203", "starform is not accepted: InvalidParameters: no EnvoyProxy")
        .after(|e| class(e).accepted = judged_false("InvalidParameters", "no EnvoyProxy")),
    fails("SF203", "the controller has not judged it").after(|e| class(e).accepted = None),
    fails("SF203", "has not judged its newest generation")
        .after(|e| class(e).accepted.as_mut().unwrap().current = false),
    warns("SF203", "serves GatewayClass eg, and there is no starform").after(|e| class(e).name = "eg".into()),
    fails("SF203", "GatewayClass eg is not accepted, and there is no starform").after(|e| {
        class(e).name = "eg".into();
        class(e).accepted = None;
    }),
    warns("SF203", "GatewayClass eg is not accepted; starform is").after(|e| {
        let mut other = class(e).clone();
        other.name = "eg".into();
        other.accepted = judged_false("Pending", "");
        seen(&mut e.gateway.classes).push(other);
    }),
    // Gateways.
    fails(
        "SF206",
        "1 of 1 Gateway not as its spec says: shop/web (not programmed: AddressNotAssigned: none)",
    )
    .after(|e| gateway(e).programmed = judged_false("AddressNotAssigned", "none")),
    fails("SF206", "(not accepted: the controller has not judged it)").after(|e| gateway(e).accepted = None),
    fails(
        "SF206",
        "(not programmed: the controller has not judged its newest generation)",
    )
    .after(|e| gateway(e).programmed.as_mut().unwrap().current = false),
    fails(
        "SF206",
        "listener http: references not resolved: InvalidCertificateRef: no Secret",
    )
    .after(|e| listener(e).resolved_refs = judged_false("InvalidCertificateRef", "no Secret")),
    fails("SF206", "listener http: not accepted: PortUnavailable")
        .after(|e| listener(e).accepted = judged_false("PortUnavailable", "")),
    fails("SF206", "listener http: not programmed: Invalid")
        .after(|e| listener(e).programmed = judged_false("Invalid", "")),
    fails("SF206", "listener http: not accepted: the controller has not judged it")
        .after(|e| listener(e).accepted = None),
    fails("SF206", "listener http: conflicted: HostnameConflict").after(|e| {
        let mut conflict = listener(e).accepted.clone().unwrap();
        conflict.reason = "HostnameConflict".into();
        listener(e).conflicted = Some(conflict);
    }),
    passes("SF206", "1 Gateway").after(|e| listener(e).conflicted = judged_false("NoConflicts", "")),
    passes("SF206", "1 Gateway").after(|e| {
        let mut other = gateway(e).clone();
        other.class = "cilium".into();
        other.programmed = None;
        seen(&mut e.gateway.gateways).push(other);
    }),
    not_applicable("SF206", "no Gateway of the controller yet").after(|e| gateway(e).class = "cilium".into()),
    not_applicable("SF206", "no Gateway of the controller yet").after(|e| seen(&mut e.gateway.gateways).clear()),
    passes("SF209", "1 Envoy").when("envoys that have taken everything", |_| ()),
    fails("SF209", "Envoy envoy-shop-web-0 refuses its listeners: 1 refused, it took the last one 30m ago, and ClientTrafficPolicy shop/tls")
        .when("an envoy that refuses its listeners", |e| {
            refuse(e, "lds");
            change(e, "ClientTrafficPolicy", 20);
        }),
    fails("SF209", "and Gateway shop/web changed at").when("an envoy that refuses its gateway's change", |e| {
        refuse(e, "lds");
        let changed = changed(e, Source::GatewayProxies, 1200);
        gateway(e).last_change = Some(changed);
    }),
    passes("SF209", "1 Envoy; 1 update refused before, and one taken since").when("a refusal that is mended", |e| {
        refuse(e, "lds");
        change(e, "ClientTrafficPolicy", 40);
    }),
    warns("SF209", "a route, a policy or the controller changed since the last that it took").when("a refusal, and a route that changed", |e| {
        refuse(e, "lds");
        change(e, "HTTPRoute", 20);
    }),
    passes("SF209", "1 Envoy; 1 update refused before, and one taken since").when("a refusal that is mended, and a route since", |e| {
        refuse(e, "lds");
        change(e, "ClientTrafficPolicy", 40);
        plain_route(e, 20);
    }),
    fails("SF209", "and ClientTrafficPolicy shop/tls changed at").when("a refusal that stands, and a route since", |e| {
        refuse(e, "lds");
        change(e, "ClientTrafficPolicy", 20);
        plain_route(e, 10);
    }),
    warns("SF209", "a route, a policy or the controller changed since").when("a route since, to which a policy may be attached", |e| {
        refuse(e, "lds");
        change(e, "SecurityPolicy", 40);
        plain_route(e, 20);
    }),
    warns("SF209", "a route, a policy or the controller changed since").when("routes that were refused, and one that changed", |e| {
        refuse(e, "rds");
        plain_route(e, 20);
    }),
    warns("SF209", "a route, a policy or the controller changed since").when("a refusal, and an EnvoyProxy that changed", |e| {
        refuse(e, "lds");
        change(e, "EnvoyProxy", 20);
    }),
    warns("SF209", "a route, a policy or the controller changed since").when("a refusal, and a GRPCRoute that changed", |e| {
        refuse(e, "lds");
        change(e, "GRPCRoute", 20);
    }),
    warns("SF209", "a route, a policy or the controller changed since").when("a refusal, and a policy of another gateway", |e| {
        refuse(e, "lds");
        change(e, "ClientTrafficPolicy", 20);
        judge_policy(e, "Accepted", "");
        let ancestor = &mut seen(&mut e.gateway.configuration)[0].ancestors[0];
        ancestor.object = "shop/other".into();
        ancestor.accepted.as_mut().unwrap().status = "True".into();
    }),
    warns("SF209", "not all of what its configuration is made of was read").when("a refusal, and routes that were not read", |e| {
        refuse(e, "lds");
        e.gateway.configuration_kinds.retain(|kind| kind != "TLSRoute");
    }),
    passes("SF209", "1 Envoy").when("no refusal, and routes that were not read", |e| {
        e.gateway.configuration_kinds.retain(|kind| kind.ends_with("Policy"));
    }),
    unseen("SF209", "which objects there are of kind SecurityPolicy was not read").when("a kind of policy that was not read", |e| {
        e.gateway.configuration_kinds.retain(|kind| kind != "SecurityPolicy");
    }),
    warns("SF209", "has refused 1 update of its clusters since it started").when("clusters that were refused", |e| {
        refuse(e, "cds");
        change(e, "ClientTrafficPolicy", 20);
    }),
    warns("SF209", "it took the last within seconds of a change").when("one change, of which a part was taken", |e| {
        refuse(e, "lds");
        change(e, "ClientTrafficPolicy", 30);
    }),
    warns("SF209", "may be of another listener").when("a refusal, and several listeners", |e| {
        refuse(e, "lds");
        let other = listener(e).clone();
        gateway(e).listeners.push(other);
    }),
    warns("SF209", "may be of other clusters").when("clusters that were refused, and others taken", |e| refuse(e, "cds")),
    warns("SF209", "the controller changed since").when("a refusal, and another controller", |e| {
        refuse(e, "lds");
        let changed = changed(e, Source::GatewayProxies, 600);
        workload(e).workload.last_change = Some(changed);
    }),
    fails("SF209", "it has taken none").when("an envoy that has taken nothing", |e| {
        refuse(e, "lds");
        seen(&mut seen(&mut e.gateway.proxies)[0].updates).last_mut().unwrap().taken = None;
    }),
    warns("SF209", "Secrets are not read").when("secrets that were refused", |e| refuse(e, "sds")),
    warns("SF209", "when all of its configuration changed is not known").when("a refusal, and no field managers", |e| {
        refuse(e, "lds");
        gateway(e).last_change = None;
    }),
    fails("SF209", "1 policy not accepted by the controller: ClientTrafficPolicy shop/tls (Invalid: TLS: unknown cipher)")
        .when("a policy that makes every route answer 500", |e| {
            change(e, "ClientTrafficPolicy", 40);
            judge_policy(e, "Invalid", "TLS: unknown cipher");
        }),
    warns("SF209", "(Conflicted)").when("a policy that does nothing", |e| {
        change(e, "ClientTrafficPolicy", 40);
        judge_policy(e, "Conflicted", "");
    }),
    unseen("SF209", "no Envoy of Gateway shop/web runs").when("no envoy", |e| seen(&mut e.gateway.proxies).clear()),
    unseen("SF209", "connection refused").when("an envoy that does not answer", |e| {
        seen(&mut e.gateway.proxies)[0].updates = unknown(Reason::Unreachable);
    }),
    warns("SF209", "envoy-shop-web-0 was started again 9 times, last 4m ago (envoy: OOMKilled, exit code 137)")
        .when("an envoy that starts again and again", |e| restarted(e, 9, 240)),
    passes("SF209", "1 Envoy; envoy-shop-web-0 was started again 9 times, last 2h ago")
        .when("an envoy that started again and again long ago", |e| restarted(e, 9, 7200)),
    passes("SF209", "1 Envoy; envoy-shop-web-0 was started again once, last 4m ago")
        .when("an envoy that was started again once", |e| restarted(e, 1, 240)),
    unseen("SF209", "how often envoy-shop-web-0 was started again was not read")
        .when("an envoy whose starts were not read", |e| seen(&mut e.gateway.proxies)[0].restarts = None),
    fails("SF209", "refuses its listeners").when("an envoy that refuses its listeners and starts again and again", |e| {
        refuse(e, "lds");
        change(e, "ClientTrafficPolicy", 20);
        restarted(e, 9, 240);
    }),
    not_applicable("SF209", "no Gateway of the controller yet").after(|e| seen(&mut e.gateway.gateways).clear()),
    unseen("SF209", "not collected").after(|e| e.gateway.proxies = Observed::not_collected()),
    unseen("SF209", "not collected").when("policies that were not read", |e| {
        e.gateway.configuration = Observed::not_collected();
    }),
    // What could not be read.
    unseen("SF201", "not collected").after(|e| e.gateway.controller = Observed::not_collected()),
    unseen("SF203", "not collected").after(|e| e.gateway.classes = Observed::not_collected()),
    unseen("SF206", "not collected").after(|e| e.gateway.gateways = Observed::not_collected()),
    unseen("SF208", "not collected").after(|e| e.gateway.crds = Observed::not_collected()),
    unseen("SF202", "Date").after(|e| seen(&mut e.api_server).date = None),
];

/// An Envoy's container was started again so often, and ended last so many seconds ago.
fn restarted(evidence: &mut Evidence, restarts: u32, seconds_ago: i64) {
    let finished = changed(evidence, Source::GatewayProxies, seconds_ago).time;
    let proxy = &mut seen(&mut evidence.gateway.proxies)[0];
    proxy.restarts = Some(restarts);
    let last = serde_json::json!({"container": "envoy", "reason": "OOMKilled", "exitCode": 137, "finished": finished});
    proxy.last_termination = serde_json::from_value(last).unwrap();
}

/// An Envoy has refused an update, and took the last one half an hour ago.
fn refuse(evidence: &mut Evidence, service: &str) {
    let taken = changed(evidence, Source::GatewayProxies, 1800).time;
    let installed = changed(evidence, Source::GatewayProxies, 86_400);
    workload(evidence).workload.last_change = Some(installed);
    let updates = seen(&mut seen(&mut evidence.gateway.proxies)[0].updates);
    updates.retain(|update| update.service != service);
    updates.push(ProxyUpdates {
        service: service.to_owned(),
        resource: String::new(),
        rejected: 1,
        taken: Some(taken),
    });
}

/// Somebody changed a route or a policy so many minutes ago.
fn change(evidence: &mut Evidence, kind: &str, minutes: i64) {
    let changed = changed(evidence, Source::GatewayProxies, minutes * 60);
    seen(&mut evidence.gateway.configuration).push(GatewayConfiguration {
        kind: kind.to_owned(),
        namespace: "shop".to_owned(),
        name: "tls".to_owned(),
        ancestors: Vec::new(),
        makes_no_listener: false,
        last_change: Some(changed),
    });
}

/// Somebody changed a route of which nothing stands in a listener so many minutes ago.
fn plain_route(evidence: &mut Evidence, minutes: i64) {
    change(evidence, "HTTPRoute", minutes);
    let route = seen(&mut evidence.gateway.configuration).last_mut().unwrap();
    route.makes_no_listener = true;
}

/// The controller has not accepted it.
fn judge_policy(evidence: &mut Evidence, reason: &str, message: &str) {
    seen(&mut evidence.gateway.configuration)[0]
        .ancestors
        .push(PolicyAncestor {
            controller_name: "gateway.envoyproxy.io/gatewayclass-controller".to_owned(),
            object: "shop/web".to_owned(),
            accepted: judged_false(reason, message),
        });
}

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
