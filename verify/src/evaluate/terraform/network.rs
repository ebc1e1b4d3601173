//! Who reaches the region's machines.

use super::{apply, droplets, given, target};
use crate::evaluate::fix::{cluster_object, count, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Firewall, Link};

/// Everybody.
const ANYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

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
    let mut rules = 0;
    let mut wrong = Vec::new();
    for (_, _, droplet) in droplets(terraform, subject.region_terms()) {
        let own = Link::Resource(droplet.address.clone());
        let before: Vec<&Firewall> = (terraform.firewalls.iter())
            .filter(|firewall| firewall.droplets.contains(&own))
            .collect();
        if before.is_empty() {
            wrong.push((
                &droplet.address,
                format!("no firewall stands before {}", droplet.address),
            ));
        }
        for firewall in before {
            rules += firewall.inbound.len();
            let open = firewall
                .inbound
                .iter()
                .find(|rule| (rule.addresses.iter()).any(|address| ANYWHERE.contains(&address.as_str())));
            if let Some(rule) = open {
                let ports = if rule.ports.is_empty() {
                    "every port"
                } else {
                    &rule.ports
                };
                let told = format!("{} lets everybody in to {} {ports}", firewall.address, rule.protocol);
                wrong.push((&firewall.address, told));
            }
        }
    }
    if !wrong.is_empty() {
        return Ok(Outcome::fail(names(wrong.iter().map(|(_, told)| told)))
            .expected("a firewall before every droplet, that lets in the VPC and its peers alone")
            .objects(wrong.iter().map(|(address, _)| cluster_object("Terraform", address)))
            .fix(apply("close it"))
            .lasting());
    }
    if rules == 0 {
        return Ok(Outcome::undetermined(
            "what the firewalls let in is not known before the plan is applied",
        ));
    }
    Ok(Outcome::pass(format!(
        "{}, none for everybody",
        count(rules, "inbound rule")
    )))
}
