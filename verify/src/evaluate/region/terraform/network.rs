//! Who reaches the region's machines.

use super::{View, apply, droplets, each, target};
use crate::evaluate::fix::{cluster_object, count, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Droplet, Firewall, InboundRule, Link, RuleSource};

mod reach;

/// SF733.
pub(in crate::evaluate) fn in_vpc(subject: Subject<'_>) -> Judge {
    each(subject, |view| {
        let terms = view.terms;
        let mut wrong = Vec::new();
        let mut unknown = Vec::new();
        for (part, _, droplet) in droplets(view) {
            let vpc = part.address("digitalocean_vpc", &terms.vpc);
            let told = || {
                (
                    &droplet.address,
                    format!("{} is in {}", droplet.address, target(&droplet.vpc)),
                )
            };
            match &droplet.vpc {
                Link::Resource(address) if *address == vpc => {}
                Link::NotKnown | Link::OneOf(_) => unknown.push(told()),
                Link::Resource(_) | Link::Elsewhere(_) | Link::Nothing => wrong.push(told()),
            }
        }
        if wrong.is_empty() && unknown.is_empty() {
            return Outcome::pass(format!("digitalocean_vpc.{}", terms.vpc));
        }
        let expected = format!("vpc_uuid = digitalocean_vpc.{}.id on every droplet", terms.vpc);
        let objects = |found: &[(&String, String)]| -> Vec<_> {
            let objects = found.iter().map(|(address, _)| cluster_object("Terraform", address));
            objects.collect()
        };
        if wrong.is_empty() {
            return Outcome::undetermined(names(unknown.iter().map(|(_, told)| told)))
                .expected(expected)
                .objects(objects(&unknown))
                .lasting();
        }
        Outcome::fail(names(wrong.iter().map(|(_, told)| told)))
            .expected(expected)
            .objects(objects(&wrong))
            .fix(apply(
                "a droplet changes its VPC only by being replaced; its volume stays",
            ))
            .lasting()
    })
}

/// SF735.
pub(in crate::evaluate) fn firewalled(subject: Subject<'_>) -> Judge {
    each(subject, rules)
}

/// Whether a firewall stands before a droplet: by the droplet itself, or by a tag that both have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Yes,
    No,
    NotKnown,
}

fn stands(firewall: &Firewall, droplet: &Droplet) -> Stands {
    if firewall.droplets.contains(&Link::Resource(droplet.address.clone())) {
        return Stands::Yes;
    }
    let mut is_known = !firewall
        .droplets
        .iter()
        .any(|link| matches!(link, Link::NotKnown | Link::OneOf(_)));
    for tag in &firewall.tags {
        match (tag, &droplet.tags) {
            (RuleSource::Tag(tag), Some(tags)) if tags.iter().any(|other| is_same_tag(tag, other)) => {
                return Stands::Yes;
            }
            (RuleSource::Tag(_), Some(_)) => {}
            _ => is_known = false,
        }
    }
    if is_known { Stands::No } else { Stands::NotKnown }
}

/// DigitalOcean tells tags by their letters, and not whether these are large: who asks for `prod` where there is `PROD` gets it
/// (<https://docs.digitalocean.com/reference/api/>, tags).
fn is_same_tag(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Whether it stands before nothing, of this region or not.
fn is_bound_to_nothing(firewall: &Firewall) -> bool {
    firewall.droplets.is_empty() && firewall.tags.is_empty()
}

/// The rules of every firewall that stands before a droplet hold together: it is reached by whomever one of them lets in.
fn rules(view: View<'_>) -> Outcome {
    let machines: Vec<&Droplet> = droplets(view).into_iter().map(|(_, _, droplet)| droplet).collect();
    let resources = view.resources;
    let mut wrong: Vec<(&str, String)> = Vec::new();
    let mut unknown: Vec<(&str, String)> = Vec::new();
    let idle = resources
        .firewalls
        .iter()
        .filter(|firewall| is_bound_to_nothing(firewall));
    let idle = names(idle.map(|firewall| firewall.address.as_str()));
    let and_idle = if idle.is_empty() {
        String::new()
    } else {
        format!("; bound to no droplet and no tag: {idle}")
    };
    for machine in &machines {
        let told = machine.address.as_str();
        let found = |wanted: Stands| (resources.firewalls.iter()).find(|one| stands(one, machine) == wanted);
        if found(Stands::Yes).is_some() {
            continue;
        }
        match found(Stands::NotKnown) {
            None => wrong.push((told, format!("no firewall stands before {told}{and_idle}"))),
            Some(firewall) => unknown.push((
                told,
                format!("whether {} stands before {told} is not known", firewall.address),
            )),
        }
    }
    let own: Vec<Link> = (machines.iter())
        .map(|machine| Link::Resource(machine.address.clone()))
        .collect();
    let tag = |tag: &str| tagged(view, &machines, tag);
    let mut rules = 0;
    for firewall in &resources.firewalls {
        let before = |wanted: Stands| machines.iter().any(|machine| stands(firewall, machine) == wanted);
        let address = firewall.address.as_str();
        let stands = before(Stands::Yes);
        if !stands && !before(Stands::NotKnown) {
            continue;
        }
        if !stands {
            unknown.push((
                address,
                format!("before which droplets {address} stands is not known before the plan is applied"),
            ));
        }
        if !firewall.rules_known {
            unknown.push((
                address,
                format!("what {address} lets in is not known before the plan is applied"),
            ));
        }
        rules += firewall.inbound.len();
        for rule in &firewall.inbound {
            let found = reach::of(rule, &own, &tag);
            let into = |whom: &str| format!("{address} lets {whom} in to {} {}", rule.protocol, ports(rule));
            let open = found.open.map(|whom| (address, into(&whom)));
            // A rule of a firewall that may stand before none of them is no fault yet.
            if stands {
                wrong.extend(open);
            } else {
                unknown.extend(open);
            }
            unknown.extend(
                found
                    .unknown
                    .map(|what| (address, into(&format!("{what}, which is not known,")))),
            );
        }
    }
    let expected = "a firewall before every droplet, that lets in private addresses alone, and to SSH single addresses \
                    or ranges of /24 (IPv6 /64) and narrower";
    let objects = |found: &[(&str, String)]| -> Vec<_> {
        let mut objects: Vec<_> = found
            .iter()
            .map(|(address, _)| cluster_object("Terraform", address))
            .collect();
        objects.dedup();
        objects
    };
    if !wrong.is_empty() {
        return Outcome::fail(names(wrong.iter().map(|(_, told)| told)))
            .expected(expected)
            .objects(objects(&wrong))
            .fix(apply("close it"))
            .lasting();
    }
    if machines.is_empty() {
        return Outcome::undetermined("the document has no droplet of the region");
    }
    if !unknown.is_empty() {
        return Outcome::undetermined(names(unknown.iter().map(|(_, told)| told)))
            .expected(expected)
            .objects(objects(&unknown));
    }
    Outcome::pass(format!(
        "{}, none for others than private addresses, and to SSH a few{and_idle}",
        count(rules, "inbound rule")
    ))
}

/// Whom a rule lets in by a tag, in words, where that is not the region's own machines alone.
fn tagged(view: View<'_>, machines: &[&Droplet], tag: &str) -> Option<String> {
    let named = format!("the tag {tag}");
    let Some(known) = view.resources.tags.iter().find(|known| is_same_tag(&known.name, tag)) else {
        return Some(named);
    };
    let mut own = 0;
    for droplet in &view.resources.droplets {
        let Some(tags) = &droplet.tags else {
            return Some(named);
        };
        if !tags.iter().any(|other| is_same_tag(other, tag)) {
            continue;
        }
        if !machines.contains(&droplet) {
            return Some(format!("{named} of {}", droplet.address));
        }
        own += 1;
    }
    // A document tells of its own droplets alone, but of a tag how many have it. One that is yet to be made nobody has.
    let others = known.droplets.unwrap_or_default().saturating_sub(own);
    (others > 0).then(|| format!("{named} of {}", count(super::super::number(others), "other droplet")))
}

fn ports(rule: &InboundRule) -> &str {
    if rule.ports.is_empty() {
        "every port"
    } else {
        &rule.ports
    }
}
