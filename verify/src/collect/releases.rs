//! Helm's releases, from the Secrets that Helm keeps them in.
//!
//! RBAC cannot grant Helm's Secrets alone: `list secrets` in a namespace reads every Secret of it. So as little as possible
//! is asked for: the namespaces that the contract names and no other; the metadata of Helm's own Secrets, by label and
//! type; then the newest revision of each release, by name, which is listed and not got, so that one verb will do. What
//! comes is parsed by an allow-list ([`payload`]); nothing else of it is kept, logged or repeated in an error.

mod payload;
mod revisions;

use super::access::Cluster;
use super::get::Get;
use super::obstacle::Obstacle;
use super::rule_options::RuleOptions;
use crate::contract::{Contract, Release, StepId};
use crate::evidence::{HelmHistory, HelmRelease, Observed, Unknown};
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

use self::revisions::Revision;

/// What each namespace came to.
type Listed<'a> = BTreeMap<&'a str, Result<Vec<Revision>, Unknown>>;

/// Reads the releases that the contract names in these steps, in its order. Needs `list secrets` in their namespaces; where one does not
/// stand in its own, also in the others in which the contract accepts it.
///
/// Never an obstacle as a whole: what could not be read is unknown for the releases that it concerns.
pub(super) async fn collect(cluster: &Cluster<'_>, steps: &BTreeSet<StepId>) -> Result<Vec<HelmRelease>, Obstacle> {
    let releases: Vec<&Release> = named(cluster.contract, steps).collect();
    let mut listed = Listed::new();
    let own = releases.iter().map(|release| (release.namespace.as_str(), *release));
    list(cluster, &mut listed, own).await;
    let elsewhere = releases.iter().filter(|release| found(release, &listed).is_none());
    let elsewhere: Vec<(&str, &Release)> = elsewhere
        .flat_map(|release| release.namespaces().skip(1).map(|namespace| (namespace, *release)))
        .collect();
    list(cluster, &mut listed, elsewhere.into_iter()).await;
    let read = releases.iter().map(|release| read(cluster, release, &listed));
    Ok(join_all(read).await)
}

/// The requests that it sends.
pub(super) fn requests(contract: &Contract, options: RuleOptions<'_>) -> Vec<Get> {
    let namespaces: BTreeSet<&str> = named(contract, options.releases)
        .flat_map(|release| {
            let others = release
                .accepted_namespaces
                .iter()
                .filter(|_| options.accepted_namespaces);
            std::iter::once(&release.namespace).chain(others)
        })
        .map(String::as_str)
        .collect();
    namespaces.into_iter().map(revisions::request).collect()
}

fn named<'c>(contract: &'c Contract, steps: &BTreeSet<StepId>) -> impl Iterator<Item = &'c Release> {
    let selected = contract.steps.iter().filter(|step| steps.contains(&step.id));
    selected.flat_map(|step| &step.releases)
}

/// Lists each namespace once, for all releases that may stand in it.
async fn list<'a>(
    cluster: &Cluster<'_>,
    listed: &mut Listed<'a>,
    wanted: impl Iterator<Item = (&'a str, &'a Release)>,
) {
    let mut of_namespace: BTreeMap<&'a str, Vec<&'a Release>> = BTreeMap::new();
    for (namespace, release) in wanted {
        of_namespace.entry(namespace).or_default().push(release);
    }
    let lists = of_namespace.into_iter().map(|(namespace, releases)| async move {
        let names: Vec<&str> = releases.iter().map(|release| release.name.as_str()).collect();
        (namespace, revisions::list(cluster, namespace, &names).await)
    });
    for (namespace, read) in join_all(lists).await {
        match (listed.get_mut(namespace), read) {
            // Own for one release, another's second choice: what was asked for differs, so both count.
            (Some(Ok(all)), Ok(more)) => all.extend(more),
            (Some(all), Err(unknown)) => *all = Err(unknown),
            (Some(Err(_)), Ok(_)) => {}
            (None, read) => {
                listed.insert(namespace, read);
            }
        }
    }
}

/// The revisions of a release, in the first namespace that has any. `None` where none has, or where that is not known.
fn found<'l>(release: &Release, listed: &'l Listed<'_>) -> Option<(String, Vec<&'l Revision>)> {
    release.namespaces().find_map(|namespace| {
        let Some(Ok(all)) = listed.get(namespace) else {
            return None;
        };
        let of_release: Vec<&Revision> = all.iter().filter(|revision| revision.release == release.name).collect();
        (!of_release.is_empty()).then(|| (namespace.to_owned(), of_release))
    })
}

async fn read(cluster: &Cluster<'_>, release: &Release, listed: &Listed<'_>) -> HelmRelease {
    let history = match found(release, listed) {
        Some((namespace, revisions)) => history(cluster, release, namespace, &revisions).await,
        // Where it could stand and could not be looked for, it is not absent.
        None => match release
            .namespaces()
            .find_map(|namespace| listed.get(namespace)?.as_ref().err())
        {
            Some(unknown) => Observed::Unknown(unknown.clone()),
            None => Observed::Absent,
        },
    };
    let name = release.name.clone();
    HelmRelease { name, history }
}

async fn history(
    cluster: &Cluster<'_>,
    release: &Release,
    namespace: String,
    revisions: &[&Revision],
) -> Observed<HelmHistory> {
    let Some(newest) = revisions.iter().max_by_key(|revision| revision.number) else {
        return Observed::Absent;
    };
    let earlier = revisions.iter().filter(|revision| revision.number < newest.number);
    let earlier = earlier
        .filter(|revision| revision.was_deployed())
        .map(|revision| revision.number);
    Observed::Seen(HelmHistory {
        revision: newest.number,
        secret: newest.secret.clone(),
        status: newest.status.clone(),
        stored: newest.stored,
        earlier: earlier.max(),
        content: payload::read(cluster, release, &namespace, &newest.secret).await,
        namespace,
    })
}
