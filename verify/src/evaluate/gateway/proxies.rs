//! Step 2, fourth part: whether the Envoys have taken what the controller sent them. A Gateway is `Programmed` as soon as it was
//! sent; Envoy tells what it refuses in its own counters, which only grow.

use super::objects::served;
use crate::evaluate::age::{age, now};
use crate::evaluate::cluster::no_such_api;
use crate::evaluate::fix::{Advice, Command, count, fix, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::restarts;
use crate::evaluate::subject::Subject;
use crate::evidence::{
    GatewayConfiguration, GatewayObject, GatewayProxy, LastChange, OTHER_CONFIGURATION, Observed, POLICIES,
    PolicyAncestor, ProxyUpdates, Source,
};
use jiff::{SignedDuration, Timestamp};

/// How far the clocks of a node and of the API server may be apart, for what happened after what.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(5);
/// How long a change may take to an Envoy.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(1);
/// The policy whose every change makes the listeners anew that it is attached to.
const OF_LISTENERS: &str = "ClientTrafficPolicy";
/// The policies that put filters into a listener as soon as a route has them (Envoy Gateway v1.9.0: internal/xds/translator,
/// `patchHCM` of each filter).
const THROUGH_ROUTES: [&str; 3] = ["BackendTrafficPolicy", "EnvoyExtensionPolicy", "SecurityPolicy"];
/// Why a policy is not accepted whose routes then answer 500 (Envoy Gateway v1.9.0: internal/gatewayapi/status/policy.go,
/// `SetTranslationErrorForPolicyAncestors`).
const INVALID: &str = "Invalid";

/// A change of what an Envoy's configuration is made of.
struct Change<'a> {
    what: String,
    /// `None` where it is not known when it was changed.
    last: Option<&'a LastChange>,
    listeners: Listeners,
}

/// What a change does to an Envoy's listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listeners {
    MadeAnew,
    PerhapsMadeAnew,
    /// It is of routes and clusters alone. The listener of a Gateway is the same whatever routes of HTTP it has, but for the filters
    /// that these ask for (internal/gatewayapi/listener.go, `ProcessListeners`; internal/xds/translator/listener.go,
    /// `addHCMToXDSListener`).
    Kept,
}

/// When something changed, by the last update that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Earlier,
    /// Which of both was first is not known: the clocks differ, and one change may be several updates.
    Together,
    Later,
}

/// What became of an update that was refused.
enum Refused {
    /// What was refused is what is wanted: this changed after the last that was taken.
    Stands(String),
    /// One was taken after all of the changes that were read.
    Mended,
    NotKnown(&'static str),
}

// === impl Order ===

impl Order {
    fn of(changed: Timestamp, taken: Timestamp) -> Self {
        if changed.duration_since(taken) > CLOCKS_DIFFER {
            Self::Later
        } else if taken.duration_since(changed) > CLOCKS_DIFFER {
            Self::Earlier
        } else {
            Self::Together
        }
    }
}

/// SF209.
pub(in crate::evaluate) fn taken(subject: Subject<'_>) -> Judge {
    let ours = served(subject)?;
    let gateway = &subject.evidence.gateway;
    let proxies = gateway.proxies.or_else(|| no_such_api("/api/v1/pods"))?;
    let path = "/apis/gateway.envoyproxy.io/v1alpha1";
    let configuration = gateway.configuration.or_else(|| no_such_api(path))?;
    let now = now(subject, Source::GatewayProxies)?;
    let is_read = |kind: &&str| gateway.configuration_kinds.iter().any(|read| read == kind);
    if let Some(unread) = POLICIES.iter().find(|kind| !is_read(kind)) {
        return Ok(
            Outcome::undetermined(format!("which objects there are of kind {unread} was not read"))
                .expected("every policy, and what the controller says of it"),
        );
    }
    let is_whole = OTHER_CONFIGURATION.iter().all(is_read);
    if let Some(invalid) = not_accepted(subject, configuration, true) {
        return Ok(invalid);
    }
    let is_ours = |proxy: &&GatewayProxy| match &proxy.gateway {
        Some(gateway) => ours.iter().any(|ours| name_of(ours) == *gateway),
        None => true,
    };
    let proxies: Vec<&GatewayProxy> = proxies.iter().filter(is_ours).collect();
    let (mut unknown, mut warned, mut mended) = (None, None, 0);
    for proxy in &proxies {
        let updates = match &proxy.updates {
            Observed::Seen(updates) => updates,
            Observed::Absent => {
                let gone = format!("{} has no page of statistics", proxy.pod);
                unknown = unknown.or(Some(Outcome::undetermined(gone).objects([pod(proxy)])));
                continue;
            }
            Observed::Unknown(why) => {
                unknown = unknown.or(Some(Outcome::unknown(why).objects([pod(proxy)])));
                continue;
            }
        };
        let changes = changes(subject, &ours, configuration, proxy);
        let listeners = its_gateways(&ours, proxy).map(|gateway| gateway.listeners.len()).sum();
        for update in updates.iter().filter(|update| update.rejected > 0) {
            match refused(update, &changes, is_whole, listeners, now) {
                Refused::Stands(since) => return Ok(stands(subject, proxy, update, &since, now)),
                Refused::Mended => mended += update.rejected,
                Refused::NotKnown(why) => {
                    warned = warned.or_else(|| Some(may_stand(subject, proxy, update, why)));
                }
            }
        }
    }
    let unseen = |gateway: &&&GatewayObject| {
        !proxies
            .iter()
            .any(|proxy| proxy.gateway.as_ref().is_none_or(|of| *of == name_of(gateway)))
    };
    if let Some(unseen) = ours.iter().find(unseen) {
        return Ok(Outcome::undetermined(format!(
            "no Envoy of Gateway {} runs that could be asked",
            name_of(unseen)
        ))
        .objects([object("Gateway", &unseen.namespace, &unseen.name)]));
    }
    if let Some(outcome) = unknown
        .or(warned)
        .or_else(|| not_accepted(subject, configuration, false))
    {
        return Ok(outcome);
    }
    let told = match usize::try_from(mended).unwrap_or(usize::MAX) {
        0 => String::new(),
        number => format!(
            "; {} refused before, and one taken since the newest change of what makes them",
            count(number, "update")
        ),
    };
    let passed = Outcome::pass(format!("{}{told}", count(proxies.len(), "Envoy")));
    Ok(restarts::of_proxies(subject, &proxies, passed))
}

/// The policies that the controller has not accepted, where there is one: those whose routes answer nothing but errors, or the
/// others, which do nothing.
fn not_accepted(subject: Subject<'_>, configuration: &[GatewayConfiguration], invalid: bool) -> Option<Outcome> {
    let controller = &subject.contract.components.envoy_gateway.controller_name;
    let is_refused = |ancestor: &&PolicyAncestor| {
        let condition = ancestor.accepted.as_ref();
        ancestor.controller_name == *controller
            && condition.is_some_and(|told| told.current && !told.is_true() && (told.reason == INVALID) == invalid)
    };
    let refused: Vec<(&GatewayConfiguration, &PolicyAncestor)> = (configuration.iter())
        .filter(|other| POLICIES.contains(&other.kind.as_str()))
        .filter_map(|policy| Some((policy, policy.ancestors.iter().find(is_refused)?)))
        .collect();
    let (first, ancestor) = refused.first()?;
    let why = ancestor.accepted.as_ref().map(|told| match told.message.as_str() {
        "" => told.reason.clone(),
        message => format!("{}: {message}", told.reason),
    });
    let observed = format!(
        "{} not accepted by the controller: {} ({})",
        count(refused.len(), "policy").replace("policys", "policies"),
        names(refused.iter().map(|(policy, _)| described(policy))),
        why.unwrap_or_default()
    );
    let (outcome, expected) = if invalid {
        (
            Outcome::fail(observed),
            "every policy accepted: what such a one is attached to answers 500",
        )
    } else {
        (
            Outcome::warn(observed),
            "every policy accepted: such a one does nothing",
        )
    };
    let describe = ["--namespace", &first.namespace, "describe", &first.kind, &first.name];
    Some(
        outcome
            .expected(expected)
            .objects(
                refused
                    .iter()
                    .map(|(policy, _)| object(&policy.kind, &policy.namespace, &policy.name)),
            )
            .fix(fix("see what the controller says of it", [subject.kubectl(describe)])),
    )
}

/// What an Envoy's configuration is made of, as far as it was read: its Gateway, or all, every route and policy, and the
/// controller: another version of it makes another one of them.
fn changes<'a>(
    subject: Subject<'a>,
    ours: &[&'a GatewayObject],
    configuration: &'a [GatewayConfiguration],
    proxy: &GatewayProxy,
) -> Vec<Change<'a>> {
    let own: Vec<String> = its_gateways(ours, proxy).map(name_of).collect();
    let gateways = its_gateways(ours, proxy).map(|gateway| Change {
        what: format!("Gateway {}", name_of(gateway)),
        last: gateway.last_change.as_ref(),
        listeners: Listeners::MadeAnew,
    });
    let through_routes = configuration
        .iter()
        .any(|other| THROUGH_ROUTES.contains(&other.kind.as_str()));
    let others = configuration.iter().map(move |other| {
        // One of which the controller says nothing yet may be of this Gateway.
        let is_of_others = !other.ancestors.is_empty() && other.ancestors.iter().all(|of| !own.contains(&of.object));
        Change {
            what: described(other),
            last: other.last_change.as_ref(),
            listeners: match other.kind.as_str() {
                OF_LISTENERS if !is_of_others => Listeners::MadeAnew,
                "HTTPRoute" if other.makes_no_listener && !through_routes => Listeners::Kept,
                _ => Listeners::PerhapsMadeAnew,
            },
        }
    });
    let controller = &subject.evidence.gateway.controller;
    let workloads = match controller {
        Observed::Seen(controller) => controller.workloads.as_slice(),
        Observed::Absent | Observed::Unknown(_) => &[],
    };
    let controllers = workloads.iter().map(|found| Change {
        what: format!("{} {}", found.workload.kind, found.workload.name),
        last: found.workload.last_change.as_ref(),
        listeners: Listeners::PerhapsMadeAnew,
    });
    gateways.chain(others).chain(controllers).collect()
}

/// The Gateways that an Envoy is of.
fn its_gateways<'a>(ours: &[&'a GatewayObject], proxy: &GatewayProxy) -> impl Iterator<Item = &'a GatewayObject> {
    let its = |gateway: &&GatewayObject| proxy.gateway.as_ref().is_none_or(|of| *of == name_of(gateway));
    ours.iter().copied().filter(its)
}

/// A refusal stands where what makes the configuration changed after the last update that was taken. It is mended only where
/// that was taken after every change that was read, and can be of nothing else than what was refused.
fn refused(update: &ProxyUpdates, changes: &[Change<'_>], is_whole: bool, listeners: usize, now: Timestamp) -> Refused {
    if update.service == "sds" {
        return Refused::NotKnown("Secrets are not read");
    }
    let of_listeners = update.service == "lds";
    let changes: Vec<&Change<'_>> = (changes.iter())
        .filter(|change| !of_listeners || change.listeners != Listeners::Kept)
        .collect();
    let order = |last: &LastChange| update.taken.map_or(Order::Later, |taken| Order::of(last.time, taken));
    let has_arrived = |last: &LastChange| now.duration_since(last.time) > ON_ITS_WAY;
    let made_anew = (changes.iter()).filter(|change| of_listeners && change.listeners == Listeners::MadeAnew);
    let is_later = |last: &&LastChange| order(last) == Order::Later;
    let mut later = made_anew.filter_map(|change| Some((change, change.last.filter(is_later)?)));
    if let Some((change, last)) = later.find(|(_, last)| has_arrived(last)) {
        return Refused::Stands(format!("{} changed at {}", change.what, last.time));
    }
    if !is_whole {
        return Refused::NotKnown("not all of what its configuration is made of was read");
    }
    if changes.is_empty() || changes.iter().any(|change| change.last.is_none()) {
        return Refused::NotKnown("when all of its configuration changed is not known");
    }
    let mut orders: Vec<Order> = changes.iter().filter_map(|change| change.last).map(order).collect();
    orders.sort_unstable();
    match orders.last() {
        Some(Order::Later) => {
            Refused::NotKnown("a route, a policy or the controller changed since the last that it took")
        }
        Some(Order::Together) => Refused::NotKnown("it took the last within seconds of a change, which may be of both"),
        // Each update has only what differs, and the time is that of any that was taken (xDS, incremental).
        _ if update.service == "cds" => Refused::NotKnown("what it took since may be of other clusters"),
        _ if update.service == "lds" && listeners != 1 => {
            Refused::NotKnown("what it took since may be of another listener")
        }
        _ => Refused::Mended,
    }
}

fn stands(subject: Subject<'_>, proxy: &GatewayProxy, update: &ProxyUpdates, since: &str, now: Timestamp) -> Outcome {
    let taken = update.taken.map_or_else(
        || "has taken none".to_owned(),
        |taken| format!("took the last one {} ago", age(now, taken)),
    );
    Outcome::fail(format!(
        "Envoy {} refuses {}: {} refused, it {taken}, and {since}",
        proxy.pod,
        told(update),
        update.rejected
    ))
    .expected("every update taken: an Envoy that starts anew has nothing of what is refused, whatever its Gateway says")
    .objects([pod(proxy)])
    .fix(look(subject, proxy))
}

fn may_stand(subject: Subject<'_>, proxy: &GatewayProxy, update: &ProxyUpdates, why: &str) -> Outcome {
    let summary = "see what it refused; once another Envoy is ready, deleting this one begins its counters anew";
    let delete = ["--namespace", &proxy.namespace, "delete", "pod", &proxy.pod];
    let advice = fix(summary, [log(subject, proxy), subject.kubectl(delete)]);
    Outcome::warn(format!(
        "Envoy {} has refused {} of {} since it started; whether one stands is not known: {why}",
        proxy.pod,
        count(usize::try_from(update.rejected).unwrap_or(usize::MAX), "update"),
        told(update)
    ))
    .expected("no update refused, or one taken since the newest change")
    .objects([pod(proxy)])
    .fix(advice)
}

fn look(subject: Subject<'_>, proxy: &GatewayProxy) -> Advice {
    fix(
        "see what it refused and why: its log names the resource",
        [log(subject, proxy)],
    )
}

fn log(subject: Subject<'_>, proxy: &GatewayProxy) -> Command {
    let of = ["--namespace", &proxy.namespace, "logs", &proxy.pod];
    subject.kubectl(of.into_iter().chain(["--container", "envoy"]))
}

/// What an update is of.
fn told(update: &ProxyUpdates) -> String {
    let of = match update.service.as_str() {
        "lds" => "its listeners",
        "cds" => "its clusters",
        "rds" => "routes",
        _ => "secrets",
    };
    if update.resource.is_empty() {
        of.to_owned()
    } else {
        format!("{of} {}", update.resource)
    }
}

fn described(configuration: &GatewayConfiguration) -> String {
    format!(
        "{} {}/{}",
        configuration.kind, configuration.namespace, configuration.name
    )
}

fn name_of(gateway: &GatewayObject) -> String {
    format!("{}/{}", gateway.namespace, gateway.name)
}

fn pod(proxy: &GatewayProxy) -> crate::report::ObjectReference {
    object("Pod", &proxy.namespace, &proxy.pod)
}
