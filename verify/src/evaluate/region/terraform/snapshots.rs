//! The snapshots of the stores' volumes, as Terraform read them.

use super::views::seen;
use super::{SKEW, View, age, droplets, given, kind, refresh, target};
use crate::contract::RegionTerms;
use crate::evaluate::age::{is_older, words};
use crate::evaluate::fix::{Advice, Command, cluster_object, count, fix, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Link, Terraform, TerraformKind, VolumeSnapshot};
use jiff::SignedDuration;

/// Older than this, a plan says nothing of today.
const PLAN_AGE: SignedDuration = SignedDuration::from_hours(24);

/// SF737. A document is as old as the refresh that it was made by: what is old in it may be young in the world.
pub(in crate::evaluate) fn snapshots_young(subject: Subject<'_>) -> Judge {
    let terraform = given(&subject.evidence.region.terraform)?;
    let terms = subject.region_terms();
    let now = subject.evidence.collected;
    let (Some(resources), _) = seen(terraform, terms) else {
        return Ok(Outcome::not_applicable("the volumes are yet to be made"));
    };
    let view = View {
        terraform,
        resources,
        terms,
        planned: false,
    };
    let mut stores = Vec::new();
    for (part, terms, droplet) in droplets(view).into_iter().filter(|(_, terms, _)| terms.snapshots) {
        let address = part.address("digitalocean_volume", &terms.resource);
        let is_there = resources.volumes.iter().any(|volume| volume.address == address);
        let prefix = format!("{}-{}-", terms.name, part.region(droplet));
        stores.extend(is_there.then_some((address, prefix, terms.resource.as_str())));
    }
    if stores.is_empty() {
        return Ok(Outcome::not_applicable("the volumes are yet to be made"));
    }
    own_checks(terraform, &stores)?;
    dated(terraform, now)?;
    let mut oldest = SignedDuration::ZERO;
    for (address, prefix, resource) in &stores {
        let old = age_of_newest(
            terraform,
            &resources.snapshots,
            (address.as_str(), prefix.as_str(), *resource),
            now,
        )?;
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
            TerraformKind::Plan => Outcome::fail(observed).expected(expected).fix(make_one()),
            TerraformKind::State => Outcome::undetermined(format!("{observed}, as far as this state knows"))
                .expected(format!(
                    "{expected}; a state does not say when it was refreshed, a plan does"
                ))
                .fix(refresh())
                .lasting(),
        }
        .objects([cluster_object("Terraform", address)]));
    }
    // Of a plan that was not refreshed SF734, which this stands behind, is not known.
    Ok(Outcome::pass(format!(
        "the newest of {} at most {} old",
        count(stores.len(), "volume"),
        words(SignedDuration::from_secs(oldest.as_secs()))
    )))
}

/// Whether the configuration's own check of a store's snapshots has that address: `check.clickhouse_snapshot`, in whatever
/// module.
fn is_check_of(address: &str, resource: &str) -> bool {
    let own = format!("check.{resource}_snapshot");
    let place = address.strip_suffix(own.as_str());
    place.is_some_and(|place| place.is_empty() || place.ends_with('.'))
}

/// Whether a check of the configuration is of snapshots.
pub(super) fn is_of_snapshots(address: &str, terms: &RegionTerms) -> bool {
    terms
        .droplets
        .iter()
        .any(|terms| terms.snapshots && is_check_of(address, &terms.resource))
}

/// Ends the judgement where the configuration's own checks of the snapshots did not pass (manifests/region/snapshots.tf).
fn own_checks(terraform: &Terraform, stores: &[(String, String, &str)]) -> Result<(), Box<Outcome>> {
    let of_store = |address: &str| stores.iter().any(|(_, _, resource)| is_check_of(address, resource));
    let found: Vec<_> = terraform
        .checks
        .iter()
        .filter(|check| of_store(&check.address))
        .collect();
    let with = |status: &str| -> Vec<&str> {
        let found = found.iter().filter(|check| check.status == status);
        found.map(|check| check.address.as_str()).collect()
    };
    let failed = with("fail");
    let expected = "a snapshot of last night of each store's volume";
    let objects = |addresses: &[&str]| -> Vec<_> {
        (addresses.iter())
            .map(|address| cluster_object("Terraform", address))
            .collect()
    };
    if !failed.is_empty() {
        let observed = format!("of the {}'s own checks {} failed", kind(terraform), names(&failed));
        let outcome = match terraform.kind {
            TerraformKind::Plan => Outcome::fail(observed).fix(make_one()),
            TerraformKind::State => Outcome::undetermined(format!("{observed}, as far as this state knows"))
                .fix(refresh())
                .lasting(),
        };
        return outcome.expected(expected).objects(objects(&failed)).early();
    }
    if let Some(check) = found.first() {
        return Outcome::undetermined(format!(
            "the {}'s own check {} came to {:?}",
            kind(terraform),
            check.address,
            check.status
        ))
        .expected(expected)
        .objects(objects(&[check.address.as_str()]))
        .fix(refresh())
        .lasting()
        .early();
    }
    Ok(())
}

/// Ends the judgement where a plan is not of today.
fn dated(terraform: &Terraform, now: jiff::Timestamp) -> Result<(), Box<Outcome>> {
    let Some(made) = terraform.made else {
        return Ok(());
    };
    let told = if is_older(made, now, PLAN_AGE) {
        format!("the plan is {} old", age(now, made))
    } else if made.duration_since(now) > SKEW {
        format!("the plan is dated {made}, in the future")
    } else {
        return Ok(());
    };
    Outcome::undetermined(told)
        .expected("a plan of today")
        .fix(refresh())
        .lasting()
        .early()
}

/// How old the newest snapshot of a store's volume was when the document was made.
fn age_of_newest(
    terraform: &Terraform,
    snapshots: &[VolumeSnapshot],
    (address, prefix, resource): (&str, &str, &str),
    now: jiff::Timestamp,
) -> Result<SignedDuration, Box<Outcome>> {
    let volume = Link::Resource(address.to_owned());
    let object = [cluster_object("Terraform", address)];
    let own = (snapshots.iter()).filter(|snapshot| is_name_of_snapshot(&snapshot.name, prefix));
    let newest = own
        .filter(|snapshot| snapshot.created.is_some())
        .max_by_key(|snapshot| snapshot.created);
    let Some((snapshot, created)) = newest.and_then(|newest| Some((newest, newest.created?))) else {
        return Err(Box::new(
            Outcome::undetermined(format!("it names no snapshot of {address}"))
                .expected(format!(
                    "data.digitalocean_volume_snapshot.{resource}, which a refresh reads once there is one"
                ))
                .objects(object)
                .fix(refresh())
                .lasting(),
        ));
    };
    if snapshot.volume != volume {
        let told = format!(
            "the newest snapshot {:?} is one of {}",
            snapshot.name,
            target(&snapshot.volume)
        );
        let outcome = if matches!(snapshot.volume, Link::NotKnown | Link::OneOf(_)) {
            Outcome::undetermined(told).fix(refresh()).lasting()
        } else {
            Outcome::fail(format!("{told}, and not of {address}")).fix(make_one())
        };
        return Err(Box::new(
            outcome
                .expected(format!("a snapshot of {address} itself"))
                .objects(object),
        ));
    }
    let old = terraform.made.unwrap_or(now).duration_since(created);
    if old < -SKEW {
        return Err(Box::new(
            Outcome::undetermined(format!(
                "the newest snapshot of {address} is dated {created}, after the {} itself",
                kind(terraform)
            ))
            .expected("a date of the past")
            .objects(object)
            .fix(refresh())
            .lasting(),
        ));
    }
    Ok(old)
}

/// Whether a snapshot is called as `snapshot-volume` calls one: by the moment that it was made at, `20261128t231340z`.
fn is_name_of_snapshot(name: &str, prefix: &str) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    match name.strip_prefix(prefix).map(str::as_bytes) {
        Some([date @ .., b't', h1, h2, m1, m2, s1, s2, b'z']) => {
            date.len() == 8 && date.iter().chain([h1, h2, m1, m2, s1, s2]).all(is_digit)
        }
        _ => false,
    }
}

fn make_one() -> Advice {
    fix(
        "see on the droplet why none was made last night, and make one",
        [
            Command::that_looks("journalctl --unit volume-snapshot --since -2d".to_owned()),
            Command::that_changes("systemctl start volume-snapshot".to_owned()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("clickhouse-fra1-20261128t231340z", true)]
    #[case("clickhouse-fra1-20261128t231340", false)]
    #[case("clickhouse-fra1-evil-20261128t231340z", false)]
    #[case("clickhouse-fra1-2026112xt231340z", false)]
    #[case("clickhouse-fra1-t231340z", false)]
    #[case("clickhouse-fra1-", false)]
    #[case("clickhouse-fra1-manual", false)]
    fn a_snapshot_s_name_is_equal_and_not_alike(#[case] name: &str, #[case] is: bool) {
        assert_eq!(is_name_of_snapshot(name, "clickhouse-fra1-"), is);
    }
}
