//! What the region's machines keep: volumes, and what a plan would take away.

use super::{View, apply, droplets, each, given};
use crate::evaluate::fix::{Advice, cluster_object, count, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Link, PlannedChange, TerraformKind};

/// SF734.
pub(in crate::evaluate) fn volumes_attached(subject: Subject<'_>) -> Judge {
    each(subject, attached)
}

fn attached(view: View<'_>) -> Outcome {
    let View {
        terraform, resources, ..
    } = view;
    let mut wrong = Vec::new();
    let mut attached = 0;
    for (part, terms, droplet) in droplets(view) {
        let address = part.address("digitalocean_volume", &terms.resource);
        let Some(volume) = resources.volumes.iter().find(|volume| volume.address == address) else {
            let gone = !view.planned && terraform.gone.contains(&address);
            let told = if gone {
                format!("{address} was deleted since the last apply, and not by Terraform")
            } else {
                format!("there is no {address}")
            };
            wrong.push((address.clone(), told));
            continue;
        };
        let region = part.region(droplet);
        if !is_name_of_volume(&volume.name, &format!("{}-{region}", terms.name)) || volume.region != region {
            wrong.push((
                address.clone(),
                format!("{address} is {:?} in {:?}", volume.name, volume.region),
            ));
        }
        let (from, to) = (Link::Resource(droplet.address.clone()), Link::Resource(address.clone()));
        if (resources.attachments.iter()).any(|one| one.droplet == from && one.volume == to) {
            attached += 1;
        } else {
            wrong.push((
                address.clone(),
                format!("{address} is not attached to {}", droplet.address),
            ));
        }
    }
    if wrong.is_empty() {
        return Outcome::pass(format!("{} attached", count(attached, "volume")));
    }
    Outcome::fail(names(wrong.iter().map(|(_, told)| told)))
        .expected("a volume of its own attached to every droplet: what is on the droplet's disk goes with it")
        .objects(wrong.iter().map(|(address, _)| cluster_object("Terraform", address)))
        .fix(apply("bring the volumes back"))
        .lasting()
}

/// Whether a volume is called so, or so with the suffix of one that was made from a snapshot, because a volume cannot be
/// renamed: a hyphen and the first eight letters of the snapshot's ID (manifests/region, `local.restored`).
fn is_name_of_volume(name: &str, expected: &str) -> bool {
    let Some(suffix) = name.strip_prefix(expected) else {
        return false;
    };
    let of_id = |id: &str| id.len() == 8 && id.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    suffix.is_empty() || suffix.strip_prefix('-').is_some_and(of_id)
}

/// SF738.
pub(in crate::evaluate) fn nothing_lost(subject: Subject<'_>) -> Judge {
    let terraform = given(&subject.evidence.region.terraform)?;
    if terraform.kind == TerraformKind::State {
        return Ok(Outcome::not_applicable("a state plans nothing"));
    }
    let with = |judged: fn(&PlannedChange) -> bool| -> Vec<&str> {
        let changes = terraform.changes.iter().filter(|change| judged(change));
        changes.map(|change| change.address.as_str()).collect()
    };
    let objects = |addresses: &[&str]| -> Vec<_> {
        (addresses.iter())
            .map(|address| cluster_object("Terraform", address))
            .collect()
    };
    // What is replaced by another is gone as well, but for a droplet, which holds nothing, and an attachment.
    let lost = with(|change| !may_be_replaced(change));
    if !lost.is_empty() {
        return Ok(Outcome::fail(format!("the plan deletes {}", names(&lost)))
            .expected("volumes, their snapshots and a VPC that stay: prevent_destroy stands on each")
            .objects(objects(&lost))
            .fix(Advice::of_words(
                "do not apply it; manifests/region/README.md says how a volume is replaced by its snapshot",
            ))
            .lasting());
    }
    let taken = with(|change| change.kind == ATTACHMENT && !is_replaced(change));
    if !taken.is_empty() {
        return Ok(
            Outcome::fail(format!("the plan detaches a volume for good: {}", names(&taken)))
                .expected("every volume attached, before and after")
                .objects(objects(&taken))
                .fix(Advice::of_words(
                    "do not apply it: the store would write on to the droplet's own disk, or not at all",
                ))
                .lasting(),
        );
    }
    let deleted = with(|change| change.kind != ATTACHMENT && !is_replaced(change));
    if !deleted.is_empty() {
        return Ok(Outcome::warn(format!("the plan deletes {}", names(&deleted)))
            .expected("droplets that stay, or are replaced")
            .objects(objects(&deleted))
            .lasting());
    }
    let replaced = with(|_| true);
    if !replaced.is_empty() {
        return Ok(Outcome::warn(format!("the plan replaces {}", names(&replaced)))
            .expected(
                "services stopped before a droplet is replaced, one droplet at a time: manifests/region/README.md",
            )
            .objects(objects(&replaced))
            .lasting());
    }
    // It stands behind nothing: what a plan takes away is told also where a droplet is missing. But of a part of a plan nothing
    // passes, and SF731 says why.
    if !terraform.complete {
        return Ok(Outcome::blocked("SF731"));
    }
    Ok(Outcome::pass(
        "the plan deletes no droplet, volume, snapshot, attachment or VPC",
    ))
}

const ATTACHMENT: &str = "digitalocean_volume_attachment";

fn may_be_replaced(change: &PlannedChange) -> bool {
    ["digitalocean_droplet", ATTACHMENT].contains(&change.kind.as_str())
}

fn is_replaced(change: &PlannedChange) -> bool {
    change.actions.iter().any(|action| action == "create")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("clickhouse-fra1", true)]
    #[case::restored("clickhouse-fra1-9708d2b6", true)]
    #[case("clickhouse-fra1evil", false)]
    #[case("clickhouse-fra1-evil", false)]
    #[case("clickhouse-fra1-", false)]
    #[case("clickhouse-fra1-9708d2b60", false)]
    #[case("clickhouse-fra12", false)]
    #[case("old-clickhouse-fra1", false)]
    fn a_volume_s_name_is_equal_and_not_alike(#[case] name: &str, #[case] is: bool) {
        assert_eq!(is_name_of_volume(name, "clickhouse-fra1"), is);
    }
}
