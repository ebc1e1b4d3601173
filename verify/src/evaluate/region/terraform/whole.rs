//! Whether all of the region is there, and whose word that is.

use super::views::{self, View, each_as_told};
use super::{SKEW, age, apply, given, kind, parts, refresh, snapshots, without_index};
use crate::evaluate::fix::{Advice, cluster_object, count, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Terraform, TerraformKind, TerraformResources};
use crate::report::Verdict;

/// SF731.
pub(in crate::evaluate) fn complete(subject: Subject<'_>) -> Judge {
    let terraform = given(&subject.evidence.region.terraform)?;
    if !terraform.complete {
        return Ok(
            Outcome::fail("the plan is not complete: Terraform ended with errors, or put a part off")
                .expected("a plan of everything")
                .fix(refresh())
                .lasting(),
        );
    }
    let mut outcome = each_as_told(subject, whole)?;
    if outcome.verdict != Verdict::Pass {
        return Ok(outcome);
    }
    let by = origin(terraform, subject.evidence.collected);
    outcome.observed = format!("{}, {by}", outcome.observed);
    if terraform.unrefreshed {
        return Ok(Outcome::warn(outcome.observed)
            .expected("a plan that is made with a refresh")
            .fix(views::refreshed())
            .lasting());
    }
    let failed = terraform.checks.iter().filter(|check| check.status == "fail");
    let mut failed = failed
        .filter(|check| !snapshots::is_of_snapshots(&check.address, subject.region_terms()))
        .peekable();
    if failed.peek().is_some() {
        let failed = names(failed.map(|check| &check.address));
        return Ok(
            Outcome::warn(format!("{}; of its own checks {failed} did not pass", outcome.observed))
                .expected("a configuration whose checks pass")
                .fix(Advice::of_words("`terraform plan` prints what they say")),
        );
    }
    Ok(outcome)
}

/// Whether everything is there that is to be.
fn whole(view: View<'_>) -> Outcome {
    let View {
        terraform,
        resources,
        terms,
        ..
    } = view;
    let parts = parts(resources, terms);
    let gone = |address: &str| !view.planned && terraform.gone.iter().any(|gone| gone == address);
    if parts.is_empty() {
        let outcome = |told: &str| {
            Outcome::fail(format!("neither the VPC nor any droplet of a region is in it{told}"))
                .expected("the resources of manifests/region")
                .lasting()
        };
        return match terraform.gone.as_slice() {
            gone if !gone.is_empty() && !view.planned => {
                outcome(&format!("; {}", deleted(gone))).fix(apply("make what is missing"))
            }
            _ => outcome("").fix(refresh()),
        };
    }
    let mut missing = Vec::new();
    let mut told: Vec<String> = Vec::new();
    let mut objects = Vec::new();
    for part in &parts {
        let vpc = (part.address("digitalocean_vpc", &terms.vpc), part.vpc().is_some());
        let droplets = terms.droplets.iter().map(|terms| {
            let address = part.address("digitalocean_droplet", &terms.resource);
            (address, part.droplet(terms).is_some())
        });
        for (address, _) in [vpc].into_iter().chain(droplets).filter(|(_, is_there)| !is_there) {
            objects.push(address.clone());
            let counted = counted(resources, &address);
            if !counted.is_empty() {
                told.push(format!(
                    "{address} is made by count or for_each: {}; the contract's is one, without either",
                    names(counted)
                ));
            } else if gone(&address) {
                told.push(deleted(std::slice::from_ref(&address)));
                missing.push(address);
            } else {
                missing.push(address);
            }
        }
    }
    let droplets = resources.droplets.iter().map(|one| (&one.address, one.tainted));
    let volumes = resources.volumes.iter().map(|one| (&one.address, one.tainted));
    for (address, _) in droplets.chain(volumes).filter(|(_, is_tainted)| *is_tainted) {
        objects.push(address.clone());
        told.push(format!("{address} is tainted: the next apply makes it anew"));
    }
    if objects.is_empty() {
        let droplets = terms.droplets.len() * parts.len();
        return Outcome::pass(format!("{} and a VPC", count(droplets, "droplet")));
    }
    if !missing.is_empty() {
        told.insert(0, format!("it has no {}", names(&missing)));
    }
    Outcome::fail(told.join("; "))
        .expected("the three droplets and their VPC")
        .objects(objects.iter().map(|address| cluster_object("Terraform", address)))
        .fix(apply("make what is missing"))
        .lasting()
}

fn deleted(gone: &[String]) -> String {
    let verb = if gone.len() == 1 { "was" } else { "were" };
    format!(
        "{} {verb} deleted since the last apply, and not by Terraform",
        names(gone)
    )
}

/// The resources that stand under an address by an index.
fn counted<'a>(resources: &'a TerraformResources, address: &str) -> Vec<&'a str> {
    let droplets = resources.droplets.iter().map(|droplet| droplet.address.as_str());
    let all = droplets.chain(resources.vpcs.iter().map(|vpc| vpc.address.as_str()));
    all.filter(|one| without_index(one) == address && *one != address)
        .collect()
}

/// Whose word it is, and how old it is as far as that shows.
fn origin(terraform: &Terraform, now: jiff::Timestamp) -> String {
    let kind = kind(terraform);
    let by = format!("by a {kind} of Terraform {}", terraform.version);
    let age = match (terraform.kind, terraform.made, terraform.newest) {
        (_, Some(made), _) if made.duration_since(now) > SKEW => format!(" that is dated {made}, in the future"),
        (_, Some(made), _) => format!(" that was made {} ago", age(now, made)),
        (TerraformKind::Plan, None, _) => ", which does not say when it was made".to_owned(),
        (TerraformKind::State, None, Some(newest)) => {
            format!(", which does not say when it was refreshed: not before {newest}, the newest date in it")
        }
        (TerraformKind::State, None, None) => ", which does not say how old it is".to_owned(),
    };
    let changed = match terraform.changed.as_slice() {
        [] => String::new(),
        changed => format!(
            "; changed since the last apply, and not by Terraform: {}",
            names(changed)
        ),
    };
    let past = if terraform.unrefreshed {
        format!("; {}", views::PAST)
    } else {
        String::new()
    };
    format!("{by}{age}{changed}{past}")
}
