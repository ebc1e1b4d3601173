//! Installing a release as the contract says, whatever stands there already.
//!
//! `helm upgrade --install` alone fails, or is taken back, where another keeps what stands there, where Helm was interrupted,
//! where something else than Helm made the objects, where a field cannot be changed, and where a kind is not known. What is
//! known of that comes before it.

use super::fix::{Command, Install, in_clone};
use super::gateway;
use super::releases;
use super::standing::{Owner, Standing, standing};
use super::subject::Subject;
use super::workload::target;
use crate::checks::{CHECKS, Check};
use crate::contract::{Action, Release};
use crate::evidence::{CLUSTER_LABELS, Component, Keeper, Observed, Service, StatusRead, Workload, WorkloadKind};

/// The label by which charts select the pods of one release.
const INSTANCE: &str = "app.kubernetes.io/instance";
/// Who writes what Helm installs, in `metadata.managedFields`.
const HELM: &str = "helm";
/// Gives Helm 4 the options without which it changes nothing that somebody else has changed since: it refuses the second without
/// the first where Helm 3 has made the release. Helm 3 has neither, and asks nobody. Source: helm v4, `pkg/cmd/upgrade.go`,
/// `pkg/kube/client.go`.
const FORCE: &str =
    "$(helm version --template '{{.Version}}' | sed -n 's/^v4.*/--server-side=true --force-conflicts/p')";

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
        let mut typed = Typed::default();
        let own = (release.name.as_str(), self.namespace.as_str());
        match standing(subject, release, &self.namespace) {
            Standing::Nothing => {
                typed.begin(subject, release);
                typed.install(subject, release, self, &[]);
            }
            Standing::Of(Owner::Repository(keeper), _) => return kept(subject, release, keeper),
            Standing::Of(Owner::Release { name, namespace }, workloads) if (name, namespace) == own => {
                typed.install(subject, release, self, &workloads);
            }
            Standing::Of(Owner::Release { name, namespace }, workloads) => {
                let chart = release.chart_name();
                typed.tell(&format!(
                    "Helm's release is {namespace}/{name}: it is upgraded only where it is of chart {chart}, for of a larger chart \
                     all else would be taken away"
                ));
                let more = typed.let_go(subject, release, &workloads);
                let upgrade = upgrade(subject, release, (name, namespace), &more);
                let filter = format!("^{name}$");
                let list = [
                    "list",
                    "--namespace",
                    namespace,
                    "--filter",
                    &filter,
                    "--output",
                    "json",
                ];
                let list = subject.helm(list).line;
                let line = format!("{list} | grep -q '\"chart\":\"{chart}-[0-9]' && {}", upgrade.line);
                typed.commands.push(Command::that_changes(line));
            }
            Standing::Of(Owner::NoRelease, workloads) => {
                let mut more = typed.take_over(subject, release, &workloads);
                typed.clear_record(subject, release, self);
                let stay = |workload: &&Workload| collides(workload, release) && !selects_otherwise(workload, release);
                let staying: Vec<&Workload> = workloads.into_iter().filter(stay).collect();
                let further = typed.let_go(subject, release, &staying);
                if more.is_empty() {
                    more = further;
                }
                typed.commands.push(upgrade(subject, release, own, &more));
            }
            Standing::OfSeveral(workloads) => {
                typed.tell("several have made what stands there, and none is the contract's release: one of them is to be kept");
                let look = |workload: &&Workload| subject.labels_of(&workload.namespace, &target(workload));
                typed.commands.extend(workloads.iter().map(look));
            }
        }
        typed
    }
}

// === impl Typed ===

impl Typed {
    fn tell(&mut self, note: &str) {
        self.note.push_str("; ");
        self.note.push_str(note);
    }

    /// Installs the contract's own release, where nothing of another's stands.
    fn install(&mut self, subject: Subject<'_>, release: &Release, install: &Install, standing: &[&Workload]) {
        self.clear_record(subject, release, install);
        let more = self.let_go(subject, release, standing);
        self.commands
            .push(upgrade(subject, release, (&release.name, &install.namespace), &more));
    }

    /// What a first installation needs: its namespace, and the Secrets that its pods do not start without.
    fn begin(&mut self, subject: Subject<'_>, release: &Release) {
        let steps = &subject.contract.steps;
        let of_release = |step: &crate::contract::Step| step.releases.iter().any(|one| one.name == release.name);
        let Some(position) = steps.iter().position(of_release) else {
            return;
        };
        let before = steps[..=position].iter().flat_map(|step| &step.before);
        let secrets = steps[position].before.iter().filter_map(|action| match action {
            Action::Secret(secret) if secret.namespace == release.namespace => Some(secret.name.as_str()),
            _ => None,
        });
        let secrets: Vec<&str> = secrets.collect();
        // Those of kube-system and default are there.
        let has_namespace = !["kube-system", "default"].contains(&release.namespace.as_str());
        let files = before.filter_map(|action| match action {
            Action::Apply(path) if has_namespace => Some(subject.kubectl(["apply", "--filename", &in_clone(path)])),
            _ => None,
        });
        self.commands.extend(files);
        if !secrets.is_empty() {
            self.tell(&format!(
                "Secret {} in namespace {} has to be there, as `starform-verify plan` makes it",
                secrets.join(" and "),
                release.namespace
            ));
        }
    }

    /// What mends the release's record, where that stands in the way.
    fn clear_record(&mut self, subject: Subject<'_>, release: &Release, install: &Install) {
        if install.is_mended {
            return;
        }
        if let Some(recovery) = releases::in_the_way(subject, release, &install.namespace) {
            self.tell(&format!("first {}", recovery.summary));
            self.commands.extend(recovery.before);
        } else if releases::is_unread(subject, release) {
            let tells = |check: &&Check| check.present.iter().any(|(name, _)| *name == release.name);
            if let Some(check) = CHECKS.iter().find(tells) {
                let code = check.code;
                self.tell(&format!(
                    "should Helm say that another operation is in progress, {code} tells what comes first"
                ));
            }
        }
    }

    /// Adds what has to be deleted of what no release has made before Helm can take the rest over. Gives the options that Helm
    /// needs then. Only what is called as the chart calls its own is in the way; whatever else stands there is its owner's.
    fn take_over(&mut self, subject: Subject<'_>, release: &Release, workloads: &[&Workload]) -> Vec<&'static str> {
        let (colliding, others): (Vec<&Workload>, Vec<&Workload>) = workloads
            .iter()
            .copied()
            .partition(|workload| collides(workload, release));
        for workload in others {
            self.tell(&format!(
                "{} {}, which no release of Helm has made, stays beside it until its owner takes it away",
                workload.kind, workload.name
            ));
        }
        if colliding.is_empty() {
            return Vec::new();
        }
        self.tell("something else than Helm made what stands there, and Helm takes it over (Helm 3.17 or later)");
        for workload in colliding {
            if selects_otherwise(workload, release) {
                self.delete(subject, release, workload);
            }
        }
        // Also of what was not seen, as accounts and roles, the fields are somebody else's.
        vec!["--take-ownership", FORCE]
    }

    /// Deletes a workload of which the selector, which cannot be changed, is another than the chart's, and the Service of its
    /// name.
    fn delete(&mut self, subject: Subject<'_>, release: &Release, workload: &Workload) {
        self.tell(&format!(
            "the selector of {} {}, which cannot be changed, is another than the chart's: it is deleted first, with its pods",
            workload.kind, workload.name
        ));
        let delete = ["--namespace", &workload.namespace, "delete", &target(workload)];
        self.commands.push(subject.kubectl(delete));
        // The old key would stay in its selector beside the chart's keys, and nothing has both.
        if let Some(service) = service(subject, release, workload) {
            let delete = ["--namespace", &service.namespace, "delete", "service", &service.name];
            self.commands.push(subject.kubectl(delete));
        }
    }

    /// Adds what lets go of what Helm would not change, or could not. Gives the options that Helm needs then.
    fn let_go(&mut self, subject: Subject<'_>, release: &Release, standing: &[&Workload]) -> Vec<&'static str> {
        for workload in standing {
            self.let_go_of_fields(subject, release, workload);
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
            vec![FORCE]
        } else {
            Vec::new()
        }
    }

    fn let_go_of_fields(&mut self, subject: Subject<'_>, release: &Release, workload: &Workload) {
        let in_namespace = ["--namespace", workload.namespace.as_str()];
        let target = target(workload);
        let cannot_change = releases::cannot_change(subject, release, workload);
        if has_no_claim(subject, release, workload) {
            // A pod that is kept has no volume for the claim, and its StatefulSet tries for ever to give it one
            // (kubernetes/kubernetes issue 141876).
            self.tell(&format!(
                "a claim for its queue cannot be added to StatefulSet {}: it is made anew, and what its pods have not sent is lost, \
                 as it would be at their next start",
                workload.name
            ));
            let delete = in_namespace.into_iter().chain(["delete", &target]);
            self.commands.push(subject.kubectl(delete));
        } else if cannot_change && workload.kind == WorkloadKind::StatefulSet && !selects_otherwise(workload, release) {
            self.tell(&format!(
                "what differs of StatefulSet {} cannot be changed: it is made anew around its pods, which stay until then",
                workload.name
            ));
            let delete = in_namespace.into_iter().chain(["delete", &target, "--cascade=orphan"]);
            self.commands.push(subject.kubectl(delete));
        } else if cannot_change {
            self.delete(subject, release, workload);
        } else if let Some(own) = &workload.own_command {
            self.tell(&format!(
                "the flags in `command` of container {} are none of the chart's, and Helm leaves them as they are: they are taken \
                 away first",
                own.container
            ));
            let containers = serde_json::json!([{"name": own.container, "command": null}]);
            let patch = serde_json::json!({"spec": {"template": {"spec": {"containers": containers}}}}).to_string();
            let patch = in_namespace.into_iter().chain(["patch", &target, "--patch", &patch]);
            self.commands.push(subject.kubectl(patch));
        }
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

/// Whether a workload is called as the chart calls its own: by the release, as the contract's values have it.
fn collides(workload: &Workload, release: &Release) -> bool {
    workload.name == release.name
}

/// Whether the pods of a workload are selected by other labels than those of the release. What is not known is not another.
fn selects_otherwise(workload: &Workload, release: &Release) -> bool {
    let own = format!("{INSTANCE}={}", release.name);
    (workload.selector.as_ref()).is_some_and(|selector| !selector.split(',').any(|label| label == own))
}

/// The Service of a workload's name, where one was seen: the chart has one of that name too.
fn service<'a>(subject: Subject<'a>, release: &Release, workload: &Workload) -> Option<&'a Service> {
    let components = &subject.contract.components;
    let component: &Component = if release.name == components.metrics_server.release {
        &subject.evidence.metrics_server
    } else if release.name == components.kube_state_metrics.release {
        &subject.evidence.kube_state_metrics
    } else {
        return None;
    };
    let Observed::Seen(services) = &component.services else {
        return None;
    };
    let mut services = services.iter();
    services.find(|service| (&service.namespace, &service.name) == (&workload.namespace, &workload.name))
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
