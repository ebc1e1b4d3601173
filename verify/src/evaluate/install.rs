//! Installing a release as the contract says, whatever stands there already.
//!
//! `helm upgrade --install` alone fails, or is taken back, where another keeps what stands there, where Helm was interrupted,
//! where something else than Helm made the objects, where a field cannot be changed, and where a kind is not known. What is
//! known of that comes before it.

use super::fix::{Command, Install, in_clone};
use super::gateway;
use super::releases;
use super::standing::standing;
use super::subject::Subject;
use super::workload::target;
use crate::contract::Release;
use crate::evidence::{CLUSTER_LABELS, Component, Keeper, Observed, Service, StatusRead, Workload, WorkloadKind};

/// The label by which charts select the pods of one release.
const INSTANCE: &str = "app.kubernetes.io/instance";
/// Who writes what Helm installs, in `metadata.managedFields`.
const HELM: &str = "helm";
/// Gives Helm 4 the flag without which it changes nothing that somebody else has changed since; Helm 3 has no such flag, and
/// asks nobody. Source: helm v4, `pkg/cmd/upgrade.go`.
const FORCE: &str = "$(helm version --template '{{.Version}}' | sed -n 's/^v4.*/--force-conflicts/p')";

/// How it is typed.
#[derive(Default)]
pub(super) struct Typed {
    /// What is to be known of it, behind the sentence that says what to do.
    pub(super) note: String,
    pub(super) commands: Vec<Command>,
    /// Whether a repository keeps it, so that it is changed there.
    pub(super) is_kept: bool,
}

// === impl Install ===

impl Install {
    /// As it is typed where these things stand.
    pub(super) fn typed(&self, subject: Subject<'_>) -> Typed {
        let Some(release) = subject.contract.release(&self.release) else {
            return Typed::default();
        };
        let standing = standing(subject, release, &self.namespace);
        if let Some(keeper) = standing.iter().find_map(|workload| workload.keeper.as_ref()) {
            return kept(subject, release, keeper);
        }
        let mut typed = Typed::default();
        let is_other = |workload: &&&Workload| workload.release.as_ref().is_some_and(|name| *name != release.name);
        let other = standing.iter().find(is_other);
        let (name, namespace) = match other {
            Some(workload) => (
                workload.release.as_ref().unwrap_or(&release.name),
                workload.release_namespace.as_ref().unwrap_or(&self.namespace),
            ),
            None => (&release.name, &self.namespace),
        };
        if other.is_some() {
            typed.tell(&format!(
                "Helm's release is called {name}: go on only where the list says that it is of chart {}, for of a larger chart \
                 all else would be taken away",
                release.chart_name()
            ));
            let filter = format!("^{name}$");
            let list = ["list", "--namespace", namespace, "--filter", &filter];
            typed.commands.push(subject.helm(list));
        } else if !self.is_mended
            && let Some(recovery) = releases::in_the_way(subject, release)
        {
            typed.tell(&format!("first {}", recovery.summary));
            typed.commands.extend(recovery.before);
        }
        let more = typed.let_go(subject, release, &standing);
        typed.commands.push(upgrade(subject, release, (name, namespace), &more));
        typed
    }
}

// === impl Typed ===

impl Typed {
    fn tell(&mut self, note: &str) {
        self.note.push_str("; ");
        self.note.push_str(note);
    }

    /// Adds what lets go of what Helm would not change. Gives the options that Helm needs then.
    fn let_go(&mut self, subject: Subject<'_>, release: &Release, standing: &[&Workload]) -> Vec<&'static str> {
        let mut more = Vec::new();
        let adopted: Vec<&&Workload> = standing.iter().filter(|workload| workload.release.is_none()).collect();
        if !adopted.is_empty() {
            self.tell("something else than Helm made what stands there, and Helm takes it over (Helm 3.17 or later)");
            more.push("--take-ownership");
        }
        for workload in adopted
            .into_iter()
            .filter(|workload| selects_otherwise(workload, release))
        {
            self.tell(&format!(
                "the selector of {} {}, which cannot be changed, is another than the chart's: it is deleted first, with its pods",
                workload.kind, workload.name
            ));
            let delete = ["--namespace", &workload.namespace, "delete", &target(workload)];
            self.commands.push(subject.kubectl(delete));
            for service in services(subject, release, workload) {
                // The old key would stay in its selector beside the chart's keys, and nothing has both.
                let delete = ["--namespace", &service.namespace, "delete", "service", &service.name];
                self.commands.push(subject.kubectl(delete));
            }
        }
        let stays = |workload: &&&Workload| workload.release.is_some() || !selects_otherwise(workload, release);
        for workload in standing.iter().filter(stays) {
            if let Some(own) = &workload.own_command {
                self.tell(&format!(
                    "the flags in `command` of container {} are none of the chart's, and Helm leaves them as they are: they are \
                     taken away first",
                    own.container
                ));
                let containers = serde_json::json!([{"name": own.container, "command": null}]);
                let patch = serde_json::json!({"spec": {"template": {"spec": {"containers": containers}}}});
                let patch = ["patch", &target(workload), "--patch", &patch.to_string()].map(str::to_owned);
                let words = ["--namespace".to_owned(), workload.namespace.clone()];
                self.commands.push(subject.kubectl(words.into_iter().chain(patch)));
            }
            if has_no_claim(subject, release, workload) || releases::cannot_change(subject, release, workload) {
                self.tell(&format!(
                    "what differs of {} {} cannot be changed: it is made anew around its pods, which stay until then",
                    workload.kind, workload.name
                ));
                let delete = ["--namespace", &workload.namespace, "delete", &target(workload)];
                let delete = delete.into_iter().chain(["--cascade", "orphan"]);
                self.commands.push(subject.kubectl(delete));
            }
        }
        if release.name == subject.contract.components.alloy.release
            && subject.evidence.telemetry.alloys == Observed::Absent
        {
            self.tell("Helm brings a chart's CRDs at its first installation only");
            self.commands.push(subject.apply_crds(release));
        }
        if release.name == subject.contract.components.envoy_gateway.controller.release {
            let before = gateway::crds::before_controller(subject, release);
            if !before.is_empty() {
                self.tell("the chart's CRDs come first: Helm upgrades none");
                self.commands.extend(before);
            }
        }
        let changed_by_another = |workload: &&Workload| {
            let last = workload.last_change.as_ref();
            last.is_some_and(|last| !last.manager.is_empty() && last.manager != HELM)
        };
        if standing.iter().any(changed_by_another) {
            more.push(FORCE);
        }
        more
    }
}

/// Who keeps it, and what is to be changed there.
fn kept(subject: Subject<'_>, release: &Release, keeper: &Keeper) -> Typed {
    let look = match keeper {
        Keeper::ArgoCd { application } => {
            // An Application outside of Argo CD's own namespace is called NAMESPACE_NAME.
            let name = application
                .rsplit_once('_')
                .map_or(application.as_str(), |(_, name)| name);
            let field = format!("metadata.name={name}");
            let one = ["--field-selector", &field];
            let list = ["get", "applications.argoproj.io", "--all-namespaces"].into_iter();
            subject.kubectl(list.chain(one.into_iter().filter(|_| !name.is_empty())))
        }
        Keeper::FluxHelmRelease { namespace, name } => {
            let kind = "helmreleases.helm.toolkit.fluxcd.io";
            subject.kubectl(["--namespace", namespace, "get", kind, name, "--output", "yaml"])
        }
        Keeper::FluxKustomization { namespace, name } => {
            let kind = "kustomizations.kustomize.toolkit.fluxcd.io";
            subject.kubectl(["--namespace", namespace, "get", kind, name, "--output", "yaml"])
        }
    };
    Typed {
        note: format!(
            ", in the repository that {keeper} applies: chart {} {} with {}; what is typed in the cluster is taken back",
            release.chart,
            release.version,
            in_clone(&release.values)
        ),
        commands: vec![look],
        is_kept: true,
    }
}

/// The `helm upgrade --install` that brings a release to what the contract says, also of a Helm that knows no repository.
fn upgrade(subject: Subject<'_>, release: &Release, (name, namespace): (&str, &str), more: &[&str]) -> Command {
    let mut words = subject.aimed("helm", "--kube-context");
    words.extend(["upgrade", "--install", name].map(str::to_owned));
    words.extend(release.chart_by_address());
    let to = ["--namespace", namespace, "--values", &in_clone(&release.values)];
    words.extend(to.map(str::to_owned));
    if release.per_cluster {
        let (cluster, region) = parameters(subject);
        let region = region.unwrap_or_else(|| "REGION".to_owned());
        let cluster = cluster.unwrap_or_else(|| "CLUSTER_ID".to_owned());
        words.extend([
            "--values".to_owned(),
            in_clone(&format!("regions/{region}.yaml")),
            "--set-string".to_owned(),
            format!("cluster.name={cluster}"),
        ]);
    }
    words.push("--wait".to_owned());
    let mut line = shell_words::join(words);
    for option in more {
        line.push(' ');
        line.push_str(option);
    }
    Command::that_changes(line)
}

/// Whether the pods of a workload are selected by other labels than those of the release. What is not known is not another.
fn selects_otherwise(workload: &Workload, release: &Release) -> bool {
    let own = format!("{INSTANCE}={}", release.name);
    (workload.selector.as_ref()).is_some_and(|selector| !selector.split(',').any(|label| label == own))
}

/// The Services of its component that select a workload's pods.
fn services<'a>(subject: Subject<'a>, release: &Release, workload: &Workload) -> Vec<&'a Service> {
    let components = &subject.contract.components;
    let component: &Component = if release.name == components.metrics_server.release {
        &subject.evidence.metrics_server
    } else if release.name == components.kube_state_metrics.release {
        &subject.evidence.kube_state_metrics
    } else {
        return Vec::new();
    };
    let Observed::Seen(services) = &component.services else {
        return Vec::new();
    };
    // Where it was not read which Services select its pods, those of the same labels do.
    let labels: Vec<&str> = workload
        .selector
        .iter()
        .flat_map(|selector| selector.split(','))
        .collect();
    let by_labels = |service: &Service| {
        let mut selector = service.selector.iter();
        !service.selector.is_empty() && selector.all(|(key, value)| labels.contains(&format!("{key}={value}").as_str()))
    };
    let selects = |service: &&Service| {
        let behind = workload.is_behind(&service.name);
        service.namespace == workload.namespace && behind.unwrap_or_else(|| by_labels(service))
    };
    services.iter().filter(selects).collect()
}

/// Whether a workload is vmagent's StatefulSet without a claim for its queue, which the contract's values have.
fn has_no_claim(subject: Subject<'_>, release: &Release, workload: &Workload) -> bool {
    let Observed::Seen(settings) = &subject.evidence.telemetry.vmagent_settings else {
        return false;
    };
    let is_of = |found: &&crate::evidence::VmagentSettings| {
        (&found.namespace, &found.workload) == (&workload.namespace, &workload.name)
    };
    release.name == subject.contract.components.vmagent.release
        && workload.kind == WorkloadKind::StatefulSet
        && (settings.iter().find(is_of)).is_some_and(|found| !found.mounts.iter().any(|mount| mount.capacity.is_some()))
}

/// The cluster's ID and region, as far as the cluster tells them itself: Shuttle's status, else what vmagent puts on every series.
fn parameters(subject: Subject<'_>) -> (Option<String>, Option<String>) {
    if let Observed::Seen(StatusRead { status, .. }) = &subject.evidence.shuttle.status {
        return (Some(status.cluster_id.clone()), Some(status.region.clone()));
    }
    let telemetry = &subject.evidence.telemetry;
    let of_label = |label: &str| {
        let mut values: Vec<&String> = Vec::new();
        if let Observed::Seen(settings) = &telemetry.vmagent_settings {
            values.extend(settings.iter().filter_map(|settings| settings.labels.get(label)));
        }
        values.dedup();
        let is_name = |value: &&&String| value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        match values.as_slice() {
            [one] => Some(one).filter(is_name).map(|one| (*one).clone()),
            _ => None,
        }
    };
    let [cluster, region] = CLUSTER_LABELS.map(of_label);
    (cluster, region)
}
