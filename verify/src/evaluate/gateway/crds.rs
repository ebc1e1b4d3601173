//! Step 2, second part: the CustomResourceDefinitions, which bundle they are of, and who manages them.

use crate::contract::{GatewayCrdTerms, Release, VersionRequirement, parse_version};
use crate::evaluate::fix::{Advice, Command, cluster_object, count, fix, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::GatewayCrd;
use crate::report::{ObjectReference, Verdict};
use std::collections::BTreeMap;

/// The policy that comes with the bundle, and forbids the experimental channel over the standard one.
const SAFE_UPGRADES: &str = "safe-upgrades.gateway.networking.k8s.io";
const EXTERNAL: &str = "doks.digitalocean.com/install-policy=external";

/// SF208.
pub(in crate::evaluate) fn present(subject: Subject<'_>) -> Judge {
    let (terms, crds) = (terms(subject), crds(subject)?);
    let missing = |wanted: &[String]| -> Vec<String> {
        (wanted.iter())
            .filter(|name| !crds.iter().any(|crd| crd.name == **name))
            .cloned()
            .collect()
    };
    let (required, others) = (missing(&terms.required), missing(&terms.others));
    let (outcome, missing) = if required.is_empty() {
        (Outcome::warn as fn(String) -> Outcome, others)
    } else {
        (Outcome::fail as fn(String) -> Outcome, [required, others].concat())
    };
    if missing.is_empty() {
        return Ok(Outcome::pass(count(crds.len(), "CRD")));
    }
    let summary = "Helm installs a chart's CRDs once, and never again: apply those of the chart";
    Ok(
        outcome(format!("{} missing: {}", count(missing.len(), "CRD"), names(&missing)))
            .expected("the CRDs of the chart: the controller does not start without the first of them")
            .objects(missing.iter().map(|name| crd_object(name)))
            .fix(apply(subject, crds, summary))
            .lasting(),
    )
}

/// SF204.
pub(in crate::evaluate) fn version(subject: Subject<'_>) -> Judge {
    needs_controller(subject, judge_version(subject)?)
}

fn judge_version(subject: Subject<'_>) -> Judge {
    let (terms, crds) = (terms(subject), crds(subject)?);
    let accepted = accepted_bundles(subject)?;
    let bundle = bundle(terms, crds);
    let is_wrong = |crd: &&GatewayCrd| !is_accepted(crd, &accepted);
    // What an older bundle had and the chart's has not is nobody's: it is told, and breaks nothing.
    let (ours, left): (Vec<&GatewayCrd>, Vec<&GatewayCrd>) = (bundle.iter())
        .copied()
        .partition(|crd| terms.required.contains(&crd.name) || terms.others.contains(&crd.name));
    let wrong: Vec<&GatewayCrd> = ours.iter().copied().filter(is_wrong).collect();
    let expected = format!("one bundle of the Gateway API, of a version {}", words(&accepted));
    if !wrong.is_empty() {
        return Ok(Outcome::fail(format!(
            "{} of {} of another version: {}",
            wrong.len(),
            count(ours.len(), "CRD"),
            versions(&wrong)
        ))
        .expected(expected)
        .objects(wrong.iter().map(|crd| crd_object(&crd.name)))
        .fix(apply(subject, crds, "apply the CRDs of the chart"))
        .lasting());
    }
    let by_version = group(&ours, |crd| crd.bundle.as_deref());
    if by_version.len() > 1 {
        return Ok(
            Outcome::fail(format!("the CRDs are of several bundles: {}", versions(&ours)))
                .expected(expected)
                .objects(ours.iter().map(|crd| crd_object(&crd.name)))
                .fix(apply(subject, crds, "apply the CRDs of the chart, all of them"))
                .lasting(),
        );
    }
    let by_channel = group(&ours, |crd| crd.channel.as_deref());
    if by_channel.len() > 1 {
        let channels = by_channel.iter().map(|(channel, crds)| told(*channel, crds));
        return Ok(
            Outcome::warn(format!("the CRDs are of several channels: {}", names(channels)))
                .expected(
                    "one channel: fields of the experimental one are dropped where the CRD is of the standard one",
                )
                .fix(apply(subject, crds, "apply the CRDs of the chart, all of them"))
                .lasting(),
        );
    }
    let left: Vec<&GatewayCrd> = left.into_iter().filter(is_wrong).collect();
    if !left.is_empty() {
        return Ok(
            Outcome::warn(format!("left over from another bundle: {}", versions(&left)))
                .expected("no CRD that the chart's bundle has not: nobody reads its objects")
                .objects(left.iter().map(|crd| crd_object(&crd.name)))
                .lasting(),
        );
    }
    let channel = by_channel.keys().flatten().next().copied().unwrap_or("no channel");
    let version = by_version.keys().flatten().next().copied().unwrap_or_default();
    Ok(Outcome::pass(format!("{version} ({channel})")))
}

/// SF205.
pub(in crate::evaluate) fn manager(subject: Subject<'_>) -> Judge {
    needs_controller(subject, judge_manager(subject)?)
}

fn judge_manager(subject: Subject<'_>) -> Judge {
    let (terms, crds) = (terms(subject), crds(subject)?);
    let accepted = accepted_bundles(subject)?;
    let bundle = bundle(terms, crds);
    let reconciled: Vec<&GatewayCrd> = (bundle.iter().copied())
        .filter(|crd| crd.is_reconciled_by_doks())
        .collect();
    if reconciled.is_empty() {
        let of_doks = bundle
            .iter()
            .filter(|crd| crd.managed.as_deref() == Some("true"))
            .count();
        return Ok(Outcome::pass(match of_doks {
            0 => "none is managed by DOKS".to_owned(),
            left_alone => format!("DOKS leaves {} alone", count(left_alone, "CRD")),
        }));
    }
    let wrong: Vec<&GatewayCrd> = (reconciled.iter().copied())
        .filter(|crd| !is_accepted(crd, &accepted))
        .collect();
    let managed = format!(
        "DOKS manages {}: {}",
        count(reconciled.len(), "CRD"),
        names(reconciled.iter().map(|crd| &crd.name))
    );
    let expected = "annotation doks.digitalocean.com/install-policy: external on each: without it DOKS puts its own \
                    version back";
    let objects = reconciled.iter().map(|crd| crd_object(&crd.name));
    Ok(if wrong.is_empty() {
        let annotate = fix("tell DOKS to leave them alone", annotate(subject, crds));
        Outcome::warn(managed).fix(annotate)
    } else {
        let summary = "tell DOKS to leave them alone, then apply the CRDs of the chart";
        Outcome::fail(format!("{managed}; {} not accepted: {}", wrong.len(), versions(&wrong)))
            .fix(apply(subject, crds, summary))
    }
    .expected(expected)
    .objects(objects)
    .lasting())
}

/// What no controller reads is wrong where none could read it, and right only where one does.
fn needs_controller(subject: Subject<'_>, outcome: Outcome) -> Judge {
    let none = super::controller::controller(subject)?.workloads.is_empty();
    if none && outcome.verdict != Verdict::Fail {
        return Ok(Outcome::not_applicable(format!(
            "no controller that reads them; {}",
            outcome.observed
        )));
    }
    Ok(outcome)
}

fn terms(subject: Subject<'_>) -> &GatewayCrdTerms {
    &subject.contract.components.envoy_gateway.crds
}

fn crds(subject: Subject<'_>) -> Result<&Vec<GatewayCrd>, Box<Outcome>> {
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    subject
        .evidence
        .gateway
        .crds
        .or_else(|| crate::evaluate::cluster::no_such_api(path))
}

/// Those of the Gateway API: Envoy Gateway's own carry no version.
fn bundle<'a>(terms: &GatewayCrdTerms, crds: &'a [GatewayCrd]) -> Vec<&'a GatewayCrd> {
    (crds.iter())
        .filter(|crd| terms.groups.iter().any(|group| group == crd.group()))
        .collect()
}

/// The versions of the bundle that go with the controller; where none is installed yet, with any that the contract
/// accepts.
fn accepted_bundles(subject: Subject<'_>) -> Result<Vec<&VersionRequirement>, Box<Outcome>> {
    let rows = &terms(subject).bundles;
    let workloads = &super::controller::controller(subject)?.workloads;
    let mut accepted: Vec<&VersionRequirement> = rows.iter().map(|row| &row.bundle).collect();
    for workload in workloads {
        let version = workload.workload.version.as_deref().and_then(parse_version);
        let Some(version) = version else {
            return Outcome::undetermined("the controller tells no version").early();
        };
        let goes = |row: &&crate::contract::BundleTerms| row.controller.accepts(&version);
        let with_it: Vec<&VersionRequirement> = rows.iter().filter(goes).map(|row| &row.bundle).collect();
        if with_it.is_empty() {
            let why = format!("the contract names no bundle for Envoy Gateway {version}");
            return Outcome::undetermined(why).lasting().early();
        }
        accepted.retain(|bundle| with_it.contains(bundle));
    }
    Ok(accepted)
}

fn is_accepted(crd: &GatewayCrd, accepted: &[&VersionRequirement]) -> bool {
    let version = crd.bundle.as_deref().and_then(parse_version);
    version.is_some_and(|version| accepted.iter().any(|bundle| bundle.accepts(&version)))
}

fn words(accepted: &[&VersionRequirement]) -> String {
    let accepted: Vec<String> = accepted.iter().map(ToString::to_string).collect();
    accepted.join(" or ")
}

fn group<'a>(
    crds: &[&'a GatewayCrd],
    key: fn(&'a GatewayCrd) -> Option<&'a str>,
) -> BTreeMap<Option<&'a str>, Vec<&'a GatewayCrd>> {
    let mut groups: BTreeMap<Option<&str>, Vec<&GatewayCrd>> = BTreeMap::new();
    for crd in crds {
        groups.entry(key(crd)).or_default().push(crd);
    }
    groups
}

/// `v1.2.1 (gateways.gateway.networking.k8s.io and 5 more)`.
fn versions(crds: &[&GatewayCrd]) -> String {
    let groups = group(crds, |crd| crd.bundle.as_deref());
    names(groups.iter().map(|(version, crds)| told(*version, crds)))
}

fn told(key: Option<&str>, crds: &[&GatewayCrd]) -> String {
    let key = key.unwrap_or("not annotated");
    match crds {
        [only] => format!("{key} ({})", only.name),
        [first, rest @ ..] => format!("{key} ({} and {} more)", first.name, rest.len()),
        [] => key.to_owned(),
    }
}

fn crd_object(name: &str) -> ObjectReference {
    cluster_object("CustomResourceDefinition", name)
}

/// The command that keeps DOKS from putting its own versions back, where there is anything to keep it from.
fn annotate(subject: Subject<'_>, crds: &[GatewayCrd]) -> Option<Command> {
    let reconciled: Vec<&str> = (crds.iter())
        .filter(|crd| crd.is_reconciled_by_doks())
        .map(|crd| crd.name.as_str())
        .collect();
    let words = ["annotate", "--overwrite", "customresourcedefinitions"].into_iter();
    (!reconciled.is_empty()).then(|| subject.kubectl(words.chain(reconciled).chain([EXTERNAL])))
}

/// What comes before the controller of a release: its chart's CRDs, where those that are there do not go with it. Helm upgrades
/// none.
pub(in crate::evaluate) fn before_controller(subject: Subject<'_>, release: &Release) -> Vec<Command> {
    let Ok(crds) = crds(subject) else { return Vec::new() };
    let terms = terms(subject);
    let Some(version) = parse_version(&release.version) else {
        return Vec::new();
    };
    let rows = terms.bundles.iter().filter(|row| row.controller.accepts(&version));
    let accepted: Vec<&VersionRequirement> = rows.map(|row| &row.bundle).collect();
    let is_there = |name: &String| crds.iter().any(|crd| crd.name == *name);
    let goes = |crd: &&GatewayCrd| is_accepted(crd, &accepted);
    if terms.required.iter().all(is_there) && bundle(terms, crds).iter().all(goes) {
        return Vec::new();
    }
    commands(subject, crds, release)
}

/// Applies the CRDs that come with the chart. Helm does so only where there are none.
fn apply(subject: Subject<'_>, crds: &[GatewayCrd], summary: &str) -> Advice {
    let release = &subject.contract.components.envoy_gateway.controller.release;
    let Some(release) = subject.contract.release(release) else {
        return Advice::of_words(summary);
    };
    let mut summary = summary.to_owned();
    if is_standard(crds) {
        summary.push_str(
            " (they are of the experimental channel, which a policy of the bundle keeps off the standard one)",
        );
    }
    fix(summary, commands(subject, crds, release))
}

/// What puts the CRDs of the chart in place.
fn commands(subject: Subject<'_>, crds: &[GatewayCrd], release: &Release) -> Vec<Command> {
    let mut commands: Vec<Command> = annotate(subject, crds).into_iter().collect();
    if is_standard(crds) {
        commands.push(subject.kubectl([
            "delete",
            "validatingadmissionpolicybinding",
            SAFE_UPGRADES,
            "--ignore-not-found",
        ]));
    }
    commands.push(subject.apply_crds(release));
    commands
}

fn is_standard(crds: &[GatewayCrd]) -> bool {
    crds.iter().any(|crd| crd.channel.as_deref() == Some("standard"))
}
