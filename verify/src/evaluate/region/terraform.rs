//! What Terraform says of the region: its machines, their network, what data they keep, and on whom they depend.

use super::given;
use crate::contract::{DropletTerms, RegionTerms};
use crate::evaluate::age::words;
use crate::evaluate::fix::{Advice, Command, cluster_object, count, fix, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Droplet, Link, Terraform, TerraformKind, Vpc};
use std::collections::BTreeSet;

mod data;
mod network;

pub(in crate::evaluate) use self::data::{nothing_lost, snapshots_young, volumes_attached};
pub(in crate::evaluate) use self::network::{firewalled, in_vpc};

/// The resources of one region: a document may hold several, each in a module of its own.
struct Part<'a> {
    terraform: &'a Terraform,
    terms: &'a RegionTerms,
    /// `module.fra1.`, empty for the root module.
    place: &'a str,
}

/// SF731.
pub(in crate::evaluate) fn complete(subject: Subject<'_>) -> Judge {
    let terraform = given(&subject.evidence.region.terraform)?;
    let terms = subject.region_terms();
    if !terraform.complete {
        return Ok(
            Outcome::fail("the plan is not complete: Terraform ended with errors, or put a part off")
                .expected("a plan of everything")
                .fix(refresh())
                .lasting(),
        );
    }
    let parts = parts(terraform, terms);
    if parts.is_empty() {
        return Ok(Outcome::fail("neither the VPC nor any droplet of a region is in it")
            .expected("the resources of manifests/region")
            .fix(refresh())
            .lasting());
    }
    let missing: Vec<String> = parts
        .iter()
        .flat_map(|part| {
            let vpc = part
                .vpc()
                .is_none()
                .then(|| part.address("digitalocean_vpc", &terms.vpc));
            let lacking = terms.droplets.iter().filter(|terms| part.droplet(terms).is_none());
            let lacking = lacking.map(|terms| part.address("digitalocean_droplet", &terms.resource));
            vpc.into_iter().chain(lacking)
        })
        .collect();
    if !missing.is_empty() {
        return Ok(Outcome::fail(format!("it has no {}", names(&missing)))
            .expected("the three droplets and their VPC")
            .objects(missing.iter().map(|address| cluster_object("Terraform", address)))
            .fix(apply("make what is missing"))
            .lasting());
    }
    let kind = match terraform.kind {
        TerraformKind::Plan => "plan",
        TerraformKind::State => "state",
    };
    Ok(Outcome::pass(format!(
        "{} and a VPC, by a {kind} of Terraform {}",
        count(terms.droplets.len() * parts.len(), "droplet"),
        terraform.version
    )))
}

/// SF732.
pub(in crate::evaluate) fn names_and_sizes(subject: Subject<'_>) -> Judge {
    let terraform = given(&subject.evidence.region.terraform)?;
    let mut wrong = Vec::new();
    for (part, terms, droplet) in droplets(terraform, subject.region_terms()) {
        let region = part.region(droplet);
        if droplet.size != terms.size {
            wrong.push((
                &droplet.address,
                format!("{} is a {}, not {}", droplet.address, droplet.size, terms.size),
            ));
        }
        let name = format!("{}-{region}", terms.name);
        if droplet.name != name {
            wrong.push((
                &droplet.address,
                format!("{} is called {:?}, not {name:?}", droplet.address, droplet.name),
            ));
        }
        if droplet.region != region {
            wrong.push((
                &droplet.address,
                format!("{} is in {}, not {region}", droplet.address, droplet.region),
            ));
        }
    }
    if wrong.is_empty() {
        let sizes = subject.region_terms().droplets.iter();
        return Ok(Outcome::pass(names(
            sizes.map(|terms| format!("{} {}", terms.name, terms.size)),
        )));
    }
    Ok(Outcome::fail(names(wrong.iter().map(|(_, told)| told)))
        .expected("the contract's names and sizes, all in one region")
        .objects(wrong.iter().map(|(address, _)| cluster_object("Terraform", address)))
        .fix(apply(
            "bring the droplets back to the contract, or change the contract with them",
        ))
        .lasting())
}

/// SF736.
pub(in crate::evaluate) fn independent(subject: Subject<'_>) -> Judge {
    let terraform = given(&subject.evidence.region.terraform)?;
    let clusters = &terraform.clusters;
    if clusters.is_empty() {
        // A state tells what is; only a plan tells what the configuration refers to.
        return Ok(Outcome::pass(match terraform.kind {
            TerraformKind::Plan => "nothing in resources or configuration",
            TerraformKind::State => "nothing in the resources; a plan would show the configuration too",
        }));
    }
    let told = clusters.iter().map(|found| format!("{} to {}", found.from, found.to));
    Ok(
        Outcome::fail(format!("{}: {}", count(clusters.len(), "reference"), names(told)))
            .expected("none: a cluster is destroyed and rebuilt without a change here; ranges let it in, not its ID")
            .objects(clusters.iter().map(|found| cluster_object("Terraform", &found.from)))
            .fix(apply(
                "put the cluster's address ranges into client_ranges, and take the reference out",
            ))
            .lasting(),
    )
}

/// Every droplet of the contract that is there, with its terms and the part that it belongs to.
fn droplets<'a>(
    terraform: &'a Terraform,
    terms: &'a RegionTerms,
) -> impl Iterator<Item = (Part<'a>, &'a DropletTerms, &'a Droplet)> {
    parts(terraform, terms).into_iter().flat_map(move |part| {
        let found = terms
            .droplets
            .iter()
            .filter_map(|terms| Some((terms, part.droplet(terms)?)));
        let found: Vec<_> = found.collect();
        found
            .into_iter()
            .map(move |(terms, droplet)| (part.clone(), terms, droplet))
    })
}

/// The regions of a document, by the modules that their VPC or a droplet stands in.
fn parts<'a>(terraform: &'a Terraform, terms: &'a RegionTerms) -> Vec<Part<'a>> {
    let vpcs = terraform.vpcs.iter().map(|vpc| {
        let suffix = format!("digitalocean_vpc.{}", terms.vpc);
        (vpc.address.as_str(), suffix)
    });
    let droplets = terraform.droplets.iter().flat_map(|droplet| {
        let suffix = |terms: &DropletTerms| format!("digitalocean_droplet.{}", terms.resource);
        terms
            .droplets
            .iter()
            .map(move |terms| (droplet.address.as_str(), suffix(terms)))
    });
    let places: BTreeSet<&str> = vpcs
        .chain(droplets)
        .filter_map(|(address, suffix)| address.strip_suffix(suffix.as_str()))
        .filter(|place| place.is_empty() || place.ends_with('.'))
        .collect();
    places
        .into_iter()
        .map(|place| Part {
            terraform,
            terms,
            place,
        })
        .collect()
}

// === impl Part ===

impl Clone for Part<'_> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<'a> Part<'a> {
    fn address(&self, kind: &str, name: &str) -> String {
        format!("{}{kind}.{name}", self.place)
    }

    fn vpc(&self) -> Option<&'a Vpc> {
        let address = self.address("digitalocean_vpc", &self.terms.vpc);
        self.terraform.vpcs.iter().find(|vpc| vpc.address == address)
    }

    fn droplet(&self, terms: &DropletTerms) -> Option<&'a Droplet> {
        let address = self.address("digitalocean_droplet", &terms.resource);
        self.terraform
            .droplets
            .iter()
            .find(|droplet| droplet.address == address)
    }

    /// The region that all of it is to be in: the VPC's.
    fn region(&self, droplet: &'a Droplet) -> &'a str {
        self.vpc().map_or(droplet.region.as_str(), |vpc| vpc.region.as_str())
    }
}

/// What an attribute points at, in words.
fn target(link: &Link) -> &str {
    match link {
        Link::Resource(address) => address,
        Link::Elsewhere(id) => id,
        Link::Nothing => "nothing",
        Link::NotKnown => "something that only applying tells",
    }
}

fn apply(summary: &str) -> Advice {
    fix(
        format!("{summary}; in manifests/region"),
        [
            Command::that_looks("terraform plan -out plan".to_owned()),
            Command::that_changes("terraform apply plan".to_owned()),
        ],
    )
}

fn refresh() -> Advice {
    fix(
        "write a document of today; in manifests/region",
        [
            Command::that_looks("terraform plan -refresh-only -out plan".to_owned()),
            Command::that_looks("terraform show -json plan > region.json".to_owned()),
        ],
    )
}

/// How old something is at a moment, in words.
fn age(now: jiff::Timestamp, then: jiff::Timestamp) -> String {
    words(jiff::SignedDuration::from_secs(now.duration_since(then).as_secs()))
}
