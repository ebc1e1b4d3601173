//! What the region's machines keep: volumes, their snapshots, and what a plan would take away.

use super::{age, apply, droplets, given, refresh};
use crate::evaluate::age::{is_older, words};
use crate::evaluate::fix::{Advice, Command, cluster_object, count, fix, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Link, TerraformKind, VolumeSnapshot};
use jiff::SignedDuration;

/// Older than this, a plan says nothing of today.
const PLAN_AGE: SignedDuration = SignedDuration::from_hours(24);

/// SF734.
pub(in crate::evaluate) fn volumes_attached(subject: Subject<'_>) -> Judge {
    let terraform = given(&subject.evidence.region.terraform)?;
    let mut wrong = Vec::new();
    let mut attached = 0;
    for (part, terms, droplet) in droplets(terraform, subject.region_terms()) {
        let address = part.address("digitalocean_volume", &terms.resource);
        let Some(volume) = terraform.volumes.iter().find(|volume| volume.address == address) else {
            wrong.push((address.clone(), format!("there is no {address}")));
            continue;
        };
        let region = part.region(droplet);
        // One that was made from a snapshot has a suffix: a volume cannot be renamed.
        if !volume.name.starts_with(&format!("{}-{region}", terms.name)) || volume.region != region {
            wrong.push((
                address.clone(),
                format!("{address} is {:?} in {:?}", volume.name, volume.region),
            ));
        }
        let (from, to) = (Link::Resource(droplet.address.clone()), Link::Resource(address.clone()));
        let is_attached =
            |volume: &Link| (terraform.attachments.iter()).any(|one| one.droplet == from && &one.volume == volume);
        if is_attached(&to) {
            attached += 1;
        } else {
            wrong.push((
                address.clone(),
                format!("{address} is not attached to {}", droplet.address),
            ));
        }
    }
    if wrong.is_empty() {
        return Ok(Outcome::pass(format!("{} attached", count(attached, "volume"))));
    }
    Ok(Outcome::fail(names(wrong.iter().map(|(_, told)| told)))
        .expected("a volume of its own attached to every droplet: what is on the droplet's disk goes with it")
        .objects(wrong.iter().map(|(address, _)| cluster_object("Terraform", address)))
        .fix(apply("bring the volumes back"))
        .lasting())
}

/// SF737. A document is as old as the refresh that it was made by: what is old in it may be young in the world.
pub(in crate::evaluate) fn snapshots_young(subject: Subject<'_>) -> Judge {
    let terraform = given(&subject.evidence.region.terraform)?;
    let terms = subject.region_terms();
    let now = subject.evidence.collected;
    if let Some(made) = terraform.made.filter(|made| is_older(*made, now, PLAN_AGE)) {
        return Ok(Outcome::undetermined(format!("the plan is {} old", age(now, made)))
            .expected("a plan of today")
            .fix(refresh())
            .lasting());
    }
    let mut oldest = SignedDuration::ZERO;
    let mut judged = 0usize;
    for (part, droplet_terms, droplet) in droplets(terraform, terms).filter(|(_, terms, _)| terms.snapshots) {
        let address = part.address("digitalocean_volume", &droplet_terms.resource);
        let volume = terraform.volumes.iter().find(|volume| volume.address == address);
        if !volume.is_some_and(|volume| volume.exists) {
            continue;
        }
        judged += 1;
        let prefix = format!("{}-{}-", droplet_terms.name, part.region(droplet));
        let Some(created) = newest(&terraform.snapshots, &prefix) else {
            return Ok(Outcome::undetermined(format!("it names no snapshot of {address}"))
                .expected(format!(
                    "data.digitalocean_volume_snapshot.{}, which a refresh reads once there is one",
                    droplet_terms.resource
                ))
                .objects([cluster_object("Terraform", &address)])
                .fix(refresh())
                .lasting());
        };
        let old = terraform.made.unwrap_or(now).duration_since(created);
        oldest = oldest.max(old);
        if old <= terms.snapshot_age {
            continue;
        }
        let observed = format!(
            "the newest snapshot of {address} is {} old",
            words(SignedDuration::from_secs(old.as_secs()))
        );
        let expected = format!("one within {}", words(terms.snapshot_age));
        return Ok(match terraform.kind {
            TerraformKind::Plan => Outcome::fail(observed).expected(expected).fix(fix(
                "see on the droplet why none was made last night, and make one",
                [
                    Command::that_looks("journalctl --unit volume-snapshot --since -2d".to_owned()),
                    Command::that_changes("systemctl start volume-snapshot".to_owned()),
                ],
            )),
            TerraformKind::State => Outcome::undetermined(format!("{observed}, as far as this state knows"))
                .expected(format!(
                    "{expected}; a state does not say when it was refreshed, a plan does"
                ))
                .fix(refresh())
                .lasting(),
        }
        .objects([cluster_object("Terraform", &address)]));
    }
    if judged == 0 {
        return Ok(Outcome::not_applicable("the volumes are yet to be made"));
    }
    Ok(Outcome::pass(format!(
        "the newest of {} at most {} old",
        count(judged, "volume"),
        words(SignedDuration::from_secs(oldest.as_secs()))
    )))
}

/// SF738.
pub(in crate::evaluate) fn nothing_lost(subject: Subject<'_>) -> Judge {
    let terraform = given(&subject.evidence.region.terraform)?;
    if terraform.kind == TerraformKind::State {
        return Ok(Outcome::not_applicable("a state plans nothing"));
    }
    let is_droplet = |address: &str| address.contains("digitalocean_droplet.");
    let told = |droplets: bool| -> Vec<&str> {
        let addresses = terraform.changes.iter().map(|change| change.address.as_str());
        addresses.filter(|address| is_droplet(address) == droplets).collect()
    };
    let objects = |addresses: &[&str]| -> Vec<_> {
        (addresses.iter())
            .map(|address| cluster_object("Terraform", address))
            .collect()
    };
    let lost = told(false);
    if !lost.is_empty() {
        return Ok(Outcome::fail(format!("the plan deletes {}", names(&lost)))
            .expected("volumes and a VPC that stay: prevent_destroy stands on each")
            .objects(objects(&lost))
            .fix(Advice::of_words(
                "do not apply it; manifests/region/README.md says how a volume is replaced by its snapshot",
            ))
            .lasting());
    }
    let replaced = told(true);
    if !replaced.is_empty() {
        return Ok(Outcome::warn(format!("the plan replaces {}", names(&replaced)))
            .expected(
                "services stopped before a droplet is replaced, one droplet at a time: manifests/region/README.md",
            )
            .objects(objects(&replaced))
            .lasting());
    }
    Ok(Outcome::pass("the plan deletes no droplet, volume or VPC"))
}

/// When the newest snapshot with that beginning of a name was made.
fn newest(snapshots: &[VolumeSnapshot], prefix: &str) -> Option<jiff::Timestamp> {
    let own = snapshots.iter().filter(|snapshot| snapshot.name.starts_with(prefix));
    own.filter_map(|snapshot| snapshot.created).max()
}
