//! Step 2, third part: what the controller says of the GatewayClass, and of every Gateway.

use crate::evaluate::cluster::no_such_api;
use crate::evaluate::fix::{Advice, cluster_object, count, fix, in_clone, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{GatewayClass, GatewayCondition, GatewayListener, GatewayObject};

/// SF203.
pub(in crate::evaluate) fn class_accepted(subject: Subject<'_>) -> Judge {
    let terms = &subject.contract.components.envoy_gateway;
    let classes = classes(subject)?;
    let ours: Vec<&GatewayClass> = of_controller(subject, classes).collect();
    let named = classes.iter().find(|class| class.name == terms.class);
    let expected = format!("GatewayClass {} with condition Accepted=True", terms.class);
    if ours.is_empty() {
        let observed = match named {
            Some(class) => format!("GatewayClass {} is of controller {}", class.name, class.controller_name),
            None if classes.is_empty() => "no GatewayClass".to_owned(),
            None => format!(
                "no GatewayClass of controller {}: there is {}",
                terms.controller_name,
                names(classes.iter().map(|class| &class.name))
            ),
        };
        return Ok(Outcome::fail(observed)
            .expected(expected)
            .objects(named.map(class_object))
            .fix(apply_class(subject, named))
            .lasting());
    }
    let Some(class) = ours.iter().copied().find(|class| class.name == terms.class) else {
        let accepted = ours.iter().any(|class| is_accepted(class));
        let others = names(ours.iter().map(|class| &class.name));
        let outcome = if accepted {
            Outcome::warn(format!(
                "the controller serves GatewayClass {others}, and there is no {}",
                terms.class
            ))
        } else {
            Outcome::fail(format!(
                "GatewayClass {others} is not accepted, and there is no {}",
                terms.class
            ))
        };
        return Ok(outcome
            .expected(expected)
            .objects(ours.iter().map(|class| class_object(class)))
            .fix(apply_class(subject, named))
            .lasting());
    };
    if let Some(problem) = unmet(class.accepted.as_ref(), "the controller has not judged it") {
        return Ok(
            Outcome::fail(format!("GatewayClass {} is not accepted: {problem}", class.name))
                .expected(expected)
                .objects([class_object(class)])
                .fix(look_at_class(subject, class)),
        );
    }
    let refused: Vec<&GatewayClass> = ours.iter().copied().filter(|class| !is_accepted(class)).collect();
    if let Some(first) = refused.first() {
        return Ok(Outcome::warn(format!(
            "GatewayClass {} is not accepted; {} is",
            names(refused.iter().map(|class| &class.name)),
            class.name
        ))
        .expected("condition Accepted=True on each GatewayClass of the controller")
        .objects(refused.iter().map(|class| class_object(class)))
        .fix(look_at_class(subject, first)));
    }
    Ok(Outcome::pass(names(ours.iter().map(|class| &class.name))))
}

/// SF206.
pub(in crate::evaluate) fn gateways_programmed(subject: Subject<'_>) -> Judge {
    let ours = served(subject)?;
    let broken: Vec<(&GatewayObject, String)> = (ours.iter().copied())
        .filter_map(|gateway| Some((gateway, problem(gateway)?)))
        .collect();
    let Some((first, why)) = broken.first() else {
        return Ok(Outcome::pass(count(ours.len(), "Gateway")));
    };
    let described = |(gateway, _): &(&GatewayObject, String)| format!("{}/{}", gateway.namespace, gateway.name);
    Ok(Outcome::fail(format!(
        "{} of {} not as its spec says: {} ({why})",
        broken.len(),
        count(ours.len(), "Gateway"),
        names(broken.iter().map(described))
    ))
    .expected("condition Programmed=True of the newest generation, on the Gateway and on each listener")
    .objects(
        broken
            .iter()
            .map(|(gateway, _)| object("Gateway", &gateway.namespace, &gateway.name)),
    )
    .fix(look_at_gateway(subject, first)))
}

/// The Gateways of the controller, at least one.
pub(in crate::evaluate) fn served(subject: Subject<'_>) -> Result<Vec<&GatewayObject>, Box<Outcome>> {
    let classes = classes(subject)?;
    let path = "/apis/gateway.networking.k8s.io/v1/gateways";
    let gateways = subject.evidence.gateway.gateways.or_else(|| no_such_api(path))?;
    let served = |gateway: &&GatewayObject| of_controller(subject, classes).any(|class| class.name == gateway.class);
    let ours: Vec<&GatewayObject> = gateways.iter().filter(served).collect();
    if ours.is_empty() {
        return Outcome::not_applicable("no Gateway of the controller yet").early();
    }
    Ok(ours)
}

/// What is wrong with a Gateway; `None` where nothing is. A listener's fault is told before that of the whole, which
/// follows from it.
fn problem(gateway: &GatewayObject) -> Option<String> {
    let silent = "the controller has not judged it";
    if let Some(problem) = unmet(gateway.accepted.as_ref(), silent) {
        return Some(format!("not accepted: {problem}"));
    }
    if let Some((name, problem)) =
        (gateway.listeners.iter()).find_map(|listener| Some((&listener.name, listener_problem(listener)?)))
    {
        return Some(format!("listener {name}: {problem}"));
    }
    let problem = unmet(gateway.programmed.as_ref(), silent)?;
    Some(format!("not programmed: {problem}"))
}

fn listener_problem(listener: &GatewayListener) -> Option<String> {
    if let Some(conflict) = listener.conflicted.as_ref().filter(|condition| condition.is_true()) {
        return Some(format!("conflicted: {}", said(conflict)));
    }
    let silent = "the controller has not judged it";
    [
        ("not accepted", &listener.accepted),
        ("references not resolved", &listener.resolved_refs),
        ("not programmed", &listener.programmed),
    ]
    .into_iter()
    .find_map(|(what, condition)| Some(format!("{what}: {}", unmet(condition.as_ref(), silent)?)))
}

/// Why a condition that has to be `True` is not; `None` where it is.
fn unmet(condition: Option<&GatewayCondition>, silent: &str) -> Option<String> {
    match condition {
        None => Some(silent.to_owned()),
        Some(condition) if !condition.current => Some("the controller has not judged its newest generation".to_owned()),
        Some(condition) if condition.is_true() => None,
        Some(condition) => Some(said(condition)),
    }
}

fn said(condition: &GatewayCondition) -> String {
    match (condition.reason.as_str(), condition.message.as_str()) {
        ("", "") => format!("it is {}", condition.status),
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

fn classes(subject: Subject<'_>) -> Result<&Vec<GatewayClass>, Box<Outcome>> {
    let path = "/apis/gateway.networking.k8s.io/v1/gatewayclasses";
    subject.evidence.gateway.classes.or_else(|| no_such_api(path))
}

/// The classes that the contract's controller is to serve.
fn of_controller<'a>(subject: Subject<'a>, classes: &'a [GatewayClass]) -> impl Iterator<Item = &'a GatewayClass> {
    let name = &subject.contract.components.envoy_gateway.controller_name;
    classes.iter().filter(move |class| class.controller_name == *name)
}

fn is_accepted(class: &GatewayClass) -> bool {
    class.accepted.as_ref().is_some_and(GatewayCondition::is_true)
}

fn class_object(class: &GatewayClass) -> crate::report::ObjectReference {
    cluster_object("GatewayClass", &class.name)
}

/// Makes the contract's class. One of that name and another controller goes first: `controllerName` cannot be changed.
fn apply_class(subject: Subject<'_>, named: Option<&GatewayClass>) -> Advice {
    let manifest = &subject.contract.components.envoy_gateway.class_manifest;
    let apply = subject.kubectl(["apply", "--filename", &in_clone(manifest)]);
    let delete = named.map(|class| subject.kubectl(["delete", "gatewayclass", &class.name]));
    fix(
        "make the GatewayClass of the contract",
        delete.into_iter().chain([apply]),
    )
}

fn look_at_class(subject: Subject<'_>, class: &GatewayClass) -> Advice {
    let terms = &subject.contract.components.envoy_gateway.controller;
    let namespace = terms.namespaces.first().map(String::as_str).unwrap_or_default();
    let selector = terms.selector.as_str();
    let log = ["--namespace", namespace, "logs", "--selector", selector, "--tail", "50"];
    fix(
        "see what the controller says of it, and its log",
        [
            subject.kubectl(["describe", "gatewayclass", &class.name]),
            subject.kubectl(log),
        ],
    )
}

fn look_at_gateway(subject: Subject<'_>, gateway: &GatewayObject) -> Advice {
    // Proxies stand in the controller's namespace unless an EnvoyProxy says otherwise.
    let selector = format!(
        "gateway.envoyproxy.io/owning-gateway-name={},gateway.envoyproxy.io/owning-gateway-namespace={}",
        gateway.name, gateway.namespace
    );
    let pods = [
        "get",
        "pods,services",
        "--all-namespaces",
        "--selector",
        &selector,
        "--output",
        "wide",
    ];
    fix(
        "see what the controller says of each listener, and the proxy that it made",
        [
            subject.kubectl(["--namespace", &gateway.namespace, "describe", "gateway", &gateway.name]),
            subject.kubectl(pods),
        ],
    )
}
