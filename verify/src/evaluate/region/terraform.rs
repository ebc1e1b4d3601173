//! What Terraform says of the region: its machines, their network, what data they keep, and on whom they depend.

use super::given;
use crate::contract::{DropletTerms, RegionTerms};
use crate::evaluate::age::words;
use crate::evaluate::fix::{Advice, Command, cluster_object, count, fix, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Droplet, Link, Terraform, TerraformKind, TerraformResources, Vpc};
use jiff::SignedDuration;
use std::collections::BTreeSet;

mod data;
mod network;
mod snapshots;
mod views;
mod whole;

use self::views::{View, each};

pub(in crate::evaluate) use self::data::{nothing_lost, volumes_attached};
pub(in crate::evaluate) use self::network::{firewalled, in_vpc};
pub(in crate::evaluate) use self::snapshots::snapshots_young;
pub(in crate::evaluate) use self::whole::complete;

/// How far two clocks may differ: what is dated further ahead is of the future.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The resources of one region: a document may hold several, each in a module of its own.
struct Part<'a> {
    resources: &'a TerraformResources,
    terms: &'a RegionTerms,
    /// `module.fra1.`, empty for the root module.
    place: &'a str,
}

/// SF732.
pub(in crate::evaluate) fn names_and_sizes(subject: Subject<'_>) -> Judge {
    each(subject, |view| {
        let mut wrong = Vec::new();
        for (part, terms, droplet) in droplets(view) {
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
            let sizes = view.terms.droplets.iter();
            return Outcome::pass(names(sizes.map(|terms| format!("{} {}", terms.name, terms.size))));
        }
        Outcome::fail(names(wrong.iter().map(|(_, told)| told)))
            .expected("the contract's names and sizes, all in one region")
            .objects(wrong.iter().map(|(address, _)| cluster_object("Terraform", address)))
            .fix(apply(
                "bring the droplets back to the contract, or change the contract with them",
            ))
            .lasting()
    })
}

/// SF736.
pub(in crate::evaluate) fn independent(subject: Subject<'_>) -> Judge {
    let terraform = given(&subject.evidence.region.terraform)?;
    let clusters = &terraform.clusters;
    if clusters.is_empty() && !terraform.unread.is_empty() {
        let unread = &terraform.unread;
        return Ok(
            Outcome::undetermined(format!("the document does not tell what {} holds", names(unread)))
                .expected("a state of another's that names no cluster, read with a refresh")
                .objects(unread.iter().map(|address| cluster_object("Terraform", address)))
                .fix(refresh())
                .lasting(),
        );
    }
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
fn droplets(view: View<'_>) -> Vec<(Part<'_>, &DropletTerms, &Droplet)> {
    let parts = parts(view.resources, view.terms).into_iter();
    let found = parts.flat_map(|part| {
        let of_part = move |terms| Some((part.clone(), terms, part.droplet(terms)?));
        view.terms.droplets.iter().filter_map(of_part)
    });
    found.collect()
}

/// The regions of a document, by the modules that their VPC or a droplet stands in.
fn parts<'a>(resources: &'a TerraformResources, terms: &'a RegionTerms) -> Vec<Part<'a>> {
    let vpcs = resources.vpcs.iter().map(|vpc| {
        let suffix = format!("digitalocean_vpc.{}", terms.vpc);
        (vpc.address.as_str(), suffix)
    });
    let droplets = resources.droplets.iter().flat_map(|droplet| {
        let suffix = |terms: &DropletTerms| format!("digitalocean_droplet.{}", terms.resource);
        terms
            .droplets
            .iter()
            .map(move |terms| (droplet.address.as_str(), suffix(terms)))
    });
    let places: BTreeSet<&str> = vpcs
        .chain(droplets)
        .filter_map(|(address, suffix)| without_index(address).strip_suffix(suffix.as_str()))
        .filter(|place| place.is_empty() || place.ends_with('.'))
        .collect();
    places
        .into_iter()
        .map(|place| Part {
            resources,
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
        self.resources.vpcs.iter().find(|vpc| vpc.address == address)
    }

    fn droplet(&self, terms: &DropletTerms) -> Option<&'a Droplet> {
        let address = self.address("digitalocean_droplet", &terms.resource);
        self.resources
            .droplets
            .iter()
            .find(|droplet| droplet.address == address)
    }

    /// The region that all of it is to be in: the VPC's.
    fn region(&self, droplet: &'a Droplet) -> &'a str {
        self.vpc().map_or(droplet.region.as_str(), |vpc| vpc.region.as_str())
    }
}

/// The address without the index at its end: `digitalocean_droplet.clickhouse[0]` is one of several.
fn without_index(address: &str) -> &str {
    let end = address.ends_with(']').then(|| address.rfind('[')).flatten();
    end.and_then(|end| address.get(..end)).unwrap_or(address)
}

/// What an attribute points at, in words.
fn target(link: &Link) -> String {
    match link {
        Link::Resource(address) => address.clone(),
        Link::Elsewhere(id) => id.clone(),
        Link::Nothing => "nothing".to_owned(),
        Link::NotKnown => "something that only applying tells".to_owned(),
        Link::OneOf(addresses) => format!("{}, or what else only applying tells", names(addresses)),
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
    by_refresh("write a document of today")
}

/// What a refresh would mend, in words.
fn by_refresh(summary: &str) -> Advice {
    fix(
        format!("{summary}; in manifests/region"),
        [
            Command::that_looks("terraform plan -refresh-only -out plan".to_owned()),
            Command::that_looks("terraform show -json plan > region.json".to_owned()),
        ],
    )
}

/// What the document is called.
fn kind(terraform: &Terraform) -> &'static str {
    match terraform.kind {
        TerraformKind::Plan => "plan",
        TerraformKind::State => "state",
    }
}

/// How old something is at a moment, in words.
fn age(now: jiff::Timestamp, then: jiff::Timestamp) -> String {
    words(jiff::SignedDuration::from_secs(now.duration_since(then).as_secs()))
}
