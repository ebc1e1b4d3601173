//! The region's jobs: each reports its end to VictoriaMetrics, and the aggregator's droplet what snapshots DigitalOcean has.

use super::metrics_store::object;
use super::{ago, asked, is_above};
use crate::contract::JobTerms;
use crate::evaluate::age::words;
use crate::evaluate::fix::{Command, count, fix};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::RegionJobs;

/// SF707.
pub(in crate::evaluate) fn reported(subject: Subject<'_>) -> Judge {
    let store = asked(&subject.evidence.region.metrics_store)?;
    let terms = subject.region_terms();
    let jobs = &store.jobs;
    let mut wrong: Vec<(String, &str, &str)> = Vec::new();
    for job in &terms.jobs {
        if let Some(observed) = ended_badly(job, jobs) {
            wrong.push((observed, &job.droplet, &job.name));
        }
    }
    for droplet in terms.droplets.iter().filter(|droplet| droplet.snapshots) {
        let volume = format!("{}-{}", droplet.name, store.asked.region);
        let newest = jobs.snapshots.iter().find(|snapshot| snapshot.volume == volume);
        let observed = match newest {
            None => format!("no snapshot of {volume} is reported"),
            Some(newest) if is_above(newest.age_ms, terms.snapshot_age) => {
                format!("the newest snapshot of {volume} is {} old", ago(newest.age_ms))
            }
            Some(_) => continue,
        };
        wrong.push((observed, &droplet.resource, "volume-snapshot"));
    }
    let Some((observed, droplet, unit)) = wrong.first() else {
        let oldest = jobs.snapshots.iter().map(|snapshot| snapshot.age_ms).max();
        return Ok(Outcome::pass(format!(
            "{} succeeded; the newest snapshot of every store is at most {} old",
            count(terms.jobs.len(), "job"),
            ago(oldest.unwrap_or_default())
        )));
    };
    let more = match wrong.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    Ok(Outcome::fail(format!("{observed}{more}"))
        .expected(format!(
            "every job of manifests/region successful last night, and snapshots within {}",
            words(terms.snapshot_age)
        ))
        .objects([object(store)])
        .fix(fix(
            format!("see on the droplet {droplet} how it ended, and start it once mended"),
            [
                Command::that_looks(format!("journalctl --unit {unit} --since -2d")),
                Command::that_changes(format!("systemctl start {unit}")),
            ],
        )))
}

fn ended_badly(job: &JobTerms, jobs: &RegionJobs) -> Option<String> {
    let JobTerms { droplet, name, age } = job;
    let report = jobs
        .jobs
        .iter()
        .find(|report| &report.droplet == droplet && &report.job == name);
    let Some(report) = report else {
        return Some(format!("{name} on {droplet} has never reported"));
    };
    match (report.succeeded, report.success_age_ms) {
        (Some(false), _) => Some(format!("{name} failed on {droplet}")),
        (_, None) => Some(format!("{name} has not succeeded once on {droplet}")),
        (_, Some(success)) if is_above(success, *age) => {
            Some(format!("{name} last succeeded on {droplet} {} ago", ago(success)))
        }
        _ => None,
    }
}
