//! Step 4: vmagent as it is installed and configured.

use super::collector::{Collector, configured, in_clear, settings};
use crate::evaluate::fix::{names, object};
use crate::evaluate::flag;
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::size::bytes;
use crate::evaluate::subject::Subject;
use crate::evidence::{CLUSTER_LABELS, Hidden, MountedVolume, RemoteWrite, Source, VmagentSettings, Workload};
use crate::report::{ObjectReference, Verdict};

/// The flags that say whether each pod has a part of the targets.
const SHARDING: [&str; 2] = [
    "--promscrape.cluster.membersCount",
    "--promscrape.cluster.replicationFactor",
];
/// Where vmagent keeps its queue if it is not told (`-remoteWrite.tmpDataPath`), below its working directory.
const DEFAULT_QUEUE: &str = "vmagent-remotewrite-data";
/// vmagent as it stands.
pub(in crate::evaluate) fn installed(subject: Subject<'_>) -> Collector<'_> {
    Collector {
        subject,
        component: &subject.evidence.telemetry.vmagent,
        terms: &subject.contract.components.vmagent,
        name: "vmagent",
        kinds: "StatefulSet or Deployment",
        source: Source::VmagentWorkloads,
    }
}

/// SF421.
pub(in crate::evaluate) fn present(subject: Subject<'_>) -> Judge {
    installed(subject).stands(|_| true)
}

/// SF422.
pub(in crate::evaluate) fn runs(subject: Subject<'_>) -> Judge {
    let collector = installed(subject);
    let workloads = collector.workloads()?;
    let outcome = collector.complete(&workloads, is_sharded);
    let is_short = workloads
        .iter()
        .any(|found| found.workload.ready < found.workload.desired);
    if outcome.verdict == Verdict::Warn
        && is_short
        && let Some(unread) = workloads
            .iter()
            .find_map(|found| flag::unread(&found.workload, &SHARDING))
    {
        return Ok(unread.with_told_before(&outcome.observed));
    }
    Ok(outcome)
}

/// SF423.
pub(in crate::evaluate) fn version(subject: Subject<'_>) -> Judge {
    let collector = installed(subject);
    Ok(collector.version(&collector.workloads()?))
}

/// SF424.
pub(in crate::evaluate) fn remote_write(subject: Subject<'_>) -> Judge {
    configured(installed(subject), &subject.evidence.telemetry.vmagent_settings)?;
    each(
        subject,
        "--remoteWrite.url with the address of the region's VictoriaMetrics",
        |_, settings| {
            let Some(first) = settings.remote_writes.first() else {
                return Outcome::fail("no --remoteWrite.url: what is scraped goes nowhere");
            };
            if settings.scrape.is_none() {
                return Outcome::fail("no --promscrape.config: nothing is scraped");
            }
            for write in &settings.remote_writes {
                let why = write.unread.as_deref().unwrap_or("nothing was read of it");
                match (&write.address, write.hidden) {
                    (None, Some(Hidden::Nowhere)) => {
                        return Outcome::fail(format!("--remoteWrite.url is no address: {why}"));
                    }
                    (None, Some(Hidden::Elsewhere) | None) => {
                        return Outcome::undetermined(format!("--remoteWrite.url is not known: {why}"));
                    }
                    (Some(address), _) if address.starts_with("http://") && !is_local(address) => {
                        return Outcome::warn(format!("{address} is written to without TLS"));
                    }
                    // One from a Secret is meant to be.
                    (Some(_), _) | (None, Some(Hidden::Secret)) => {}
                }
            }
            let told = |write: &RemoteWrite| {
                write
                    .address
                    .clone()
                    .unwrap_or_else(|| "an address in a Secret".to_owned())
            };
            Outcome::pass(told(first))
        },
    )
}

/// SF425.
pub(in crate::evaluate) fn queue(subject: Subject<'_>) -> Judge {
    let expected =
        "--remoteWrite.tmpDataPath on a PersistentVolumeClaim, and --remoteWrite.maxDiskUsagePerURL below its size";
    each(subject, expected, |workload, settings| {
        let asked = [
            "--remoteWrite.tmpDataPath",
            "--remoteWrite.disableOnDiskQueue",
            "--remoteWrite.maxDiskUsagePerURL",
        ];
        if let Some(unread) = flag::unread(workload, &asked) {
            return unread;
        }
        let flag = |name: &str| workload.last_value(name);
        let path = flag("--remoteWrite.tmpDataPath").unwrap_or(DEFAULT_QUEUE);
        if flag("--remoteWrite.disableOnDiskQueue").is_some_and(|value| value != "false") {
            return Outcome::fail("the queue is in memory (--remoteWrite.disableOnDiskQueue): it goes with the pod");
        }
        let volume = MountedVolume::below(&settings.mounts, path);
        let Some(volume) = volume.filter(|volume| volume.kind.outlives_the_pod()) else {
            let place = volume.map_or_else(
                || "the container's own files".to_owned(),
                |volume| volume.kind.to_string(),
            );
            return Outcome::fail(format!("the queue, {path}, is on {place}: it goes with the pod"));
        };
        let limits = workload.flags.get("--remoteWrite.maxDiskUsagePerURL");
        let limits: Vec<f64> = limits
            .into_iter()
            .flatten()
            .flat_map(|value| value.split(','))
            .filter_map(bytes)
            .collect();
        let bounded = limits.iter().all(|limit| *limit > 0.0);
        if limits.is_empty() || !bounded {
            return Outcome::fail("no --remoteWrite.maxDiskUsagePerURL: the queue grows until its volume is full");
        }
        // One value counts for every address (VictoriaMetrics, `lib/flagutil`).
        let urls = settings.remote_writes.len().max(1);
        let at = |url: usize| limits.get(url).or(limits.first()).copied().unwrap_or_default();
        let all: f64 = (0..urls).map(at).sum();
        match volume
            .capacity
            .as_deref()
            .and_then(|capacity| Some((capacity, bytes(capacity)?)))
        {
            Some((capacity, size)) if all >= size => Outcome::fail(format!(
                "the queue may grow to {all:.0} bytes, its volume has {capacity}"
            )),
            _ => Outcome::pass(format!("{path} on {}", volume.kind)),
        }
    })
}

/// SF428.
pub(in crate::evaluate) fn labels(subject: Subject<'_>) -> Judge {
    let expected =
        "cluster and region on every series (--remoteWrite.label, or external_labels): the store holds many clusters";
    each(subject, expected, |_, settings| {
        let external = settings.scrape.as_ref().map(|scrape| &scrape.external_labels);
        let of = |label: &str| {
            let values = [
                settings.labels.get(label),
                external.and_then(|labels| labels.get(label)),
            ];
            values.map(|value| value.filter(|value| !value.is_empty()))
        };
        let lacking: Vec<&&str> = (CLUSTER_LABELS.iter())
            .filter(|label| of(label) == [None, None])
            .collect();
        if !lacking.is_empty() {
            return Outcome::fail(format!("series have no {}", names(lacking)));
        }
        let differs = |label: &&&str| matches!(of(label), [Some(one), Some(other)] if one != other);
        if let Some(label) = CLUSTER_LABELS.iter().find(differs) {
            return Outcome::warn(format!(
                "--remoteWrite.label and external_labels tell two values of {label}"
            ));
        }
        let told = CLUSTER_LABELS.map(|label| {
            let value = of(label).into_iter().flatten().next();
            format!("{label}={}", value.map(String::as_str).unwrap_or_default())
        });
        Outcome::pass(told.join(", "))
    })
}

/// SF429.
pub(in crate::evaluate) fn credentials(subject: Subject<'_>) -> Judge {
    let collector = installed(subject);
    for found in settings(collector, &subject.evidence.telemetry.vmagent_settings)? {
        let mut places = found.credentials_in_clear.clone();
        let in_url = |write: &RemoteWrite| write.has_credentials;
        let flag = "flag --remoteWrite.url".to_owned();
        if found.remote_writes.iter().any(in_url) && !places.contains(&flag) {
            places.push(flag);
        }
        if !places.is_empty() {
            return Ok(in_clear(collector, this(collector, found), &places));
        }
    }
    Ok(Outcome::pass("none in clear"))
}

/// Judges each workload by its flags and settings; the first that does not pass is told.
pub(in crate::evaluate) fn each(
    subject: Subject<'_>,
    expected: &str,
    judge: impl Fn(&Workload, &VmagentSettings) -> Outcome,
) -> Judge {
    let collector = installed(subject);
    let workloads = collector.workloads()?;
    let mut passed = None;
    for found in settings(collector, &subject.evidence.telemetry.vmagent_settings)? {
        let is_of = |workload: &&Workload| (&workload.namespace, &workload.name) == (&found.namespace, &found.workload);
        let Some(workload) = workloads.iter().map(|workload| &workload.workload).find(is_of) else {
            continue;
        };
        let outcome = judge(workload, found);
        if outcome.verdict == Verdict::NotApplicable {
            return Ok(outcome);
        }
        if outcome.verdict != Verdict::Pass {
            return Ok(outcome
                .expected(expected)
                .objects([this(collector, found)])
                .fix(collector.upgrade(Some(&found.namespace), "install with the contract's values"))
                .lasting());
        }
        passed.get_or_insert(outcome);
    }
    Ok(passed.unwrap_or_else(|| Outcome::undetermined("its configuration was not read")))
}

/// Whether each pod has a part of the targets (`-promscrape.cluster.membersCount`) and no other has them too.
fn is_sharded(workload: &Workload) -> bool {
    let [members, replication] = SHARDING.map(|flag| workload.last_value(flag)?.parse::<u32>().ok());
    members.unwrap_or(1) > 1 && replication.unwrap_or(1) <= 1
}

fn is_local(address: &str) -> bool {
    let host = address.trim_start_matches("http://");
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|local| host.starts_with(local))
}

fn this(collector: Collector<'_>, settings: &VmagentSettings) -> ObjectReference {
    let workloads = collector.workloads().unwrap_or_default();
    let found = workloads
        .iter()
        .map(|found| &found.workload)
        .find(|workload| (&workload.namespace, &workload.name) == (&settings.namespace, &settings.workload));
    let kind = found.map_or_else(|| "StatefulSet".to_owned(), |workload| workload.kind.to_string());
    object(&kind, &settings.namespace, &settings.workload)
}
