//! Who reaches the region's machines.

use super::{apply, droplets, given, target};
use crate::evaluate::fix::{cluster_object, count, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Firewall, InboundRule, Link};

mod reach;

/// SF733.
pub(in crate::evaluate) fn in_vpc(subject: Subject<'_>) -> Judge {
    let terraform = given(&subject.evidence.region.terraform)?;
    let terms = subject.region_terms();
    let mut wrong = Vec::new();
    for (part, _, droplet) in droplets(terraform, terms) {
        let vpc = part.address("digitalocean_vpc", &terms.vpc);
        if droplet.vpc != Link::Resource(vpc) {
            wrong.push((
                &droplet.address,
                format!("{} is in {}", droplet.address, target(&droplet.vpc)),
            ));
        }
    }
    if wrong.is_empty() {
        return Ok(Outcome::pass(format!("digitalocean_vpc.{}", terms.vpc)));
    }
    Ok(Outcome::fail(names(wrong.iter().map(|(_, told)| told)))
        .expected(format!("vpc_uuid = digitalocean_vpc.{}.id on every droplet", terms.vpc))
        .objects(wrong.iter().map(|(address, _)| cluster_object("Terraform", address)))
        .fix(apply(
            "a droplet changes its VPC only by being replaced; its volume stays",
        ))
        .lasting())
}

/// SF735.
pub(in crate::evaluate) fn firewalled(subject: Subject<'_>) -> Judge {
    let terraform = given(&subject.evidence.region.terraform)?;
    let machines: Vec<Link> = droplets(terraform, subject.region_terms())
        .map(|(_, _, droplet)| Link::Resource(droplet.address.clone()))
        .collect();
    let may_stand_elsewhere =
        |firewall: &Firewall| !firewall.tags.is_empty() || firewall.droplets.contains(&Link::NotKnown);
    let mut rules = 0;
    let mut wrong: Vec<(&str, String)> = Vec::new();
    let mut unknown: Vec<(&str, String)> = Vec::new();
    for machine in &machines {
        let told = target(machine);
        if terraform
            .firewalls
            .iter()
            .any(|firewall| firewall.droplets.contains(machine))
        {
            continue;
        }
        match terraform
            .firewalls
            .iter()
            .find(|firewall| may_stand_elsewhere(firewall))
        {
            None => wrong.push((told, format!("no firewall stands before {told}"))),
            Some(firewall) => unknown.push((
                told,
                format!("whether {} stands before {told} is not known", firewall.address),
            )),
        }
    }
    for firewall in &terraform.firewalls {
        let stands = firewall.droplets.iter().any(|droplet| machines.contains(droplet));
        let address = firewall.address.as_str();
        if may_stand_elsewhere(firewall) {
            unknown.push((
                address,
                format!("before which droplets {address} stands is not known: it may go by tags"),
            ));
        } else if !stands {
            continue;
        }
        if firewall.inbound.is_empty() {
            unknown.push((
                address,
                format!("what {address} lets in is not known before the plan is applied"),
            ));
        }
        rules += firewall.inbound.len();
        for rule in &firewall.inbound {
            let found = reach::of(rule, &machines);
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
        found
            .iter()
            .map(|(address, _)| cluster_object("Terraform", address))
            .collect()
    };
    if !wrong.is_empty() {
        return Ok(Outcome::fail(names(wrong.iter().map(|(_, told)| told)))
            .expected(expected)
            .objects(objects(&wrong))
            .fix(apply("close it"))
            .lasting());
    }
    if rules == 0 && unknown.is_empty() {
        return Ok(Outcome::undetermined("the document has no droplet of the region"));
    }
    if !unknown.is_empty() {
        return Ok(Outcome::undetermined(names(unknown.iter().map(|(_, told)| told)))
            .expected(expected)
            .objects(objects(&unknown)));
    }
    Ok(Outcome::pass(format!(
        "{}, none for others than private addresses, and to SSH a few",
        count(rules, "inbound rule")
    )))
}

fn ports(rule: &InboundRule) -> &str {
    if rule.ports.is_empty() {
        "every port"
    } else {
        &rule.ports
    }
}
