//! What components have in common that are found by their Services: where they stand, whether they run, which version they are.

use super::fix::{Advice, Command, fix, names, object};
use super::outcome::{Judge, Outcome};
use super::restarts;
use super::subject::Subject;
use super::workload::{Workloads, look_at, target, workload_object};
use crate::contract::ComponentTerms;
use crate::evidence::{ApiService, Component, Endpoint, Members, Observed, Service, Shows, Source, Workload};
use crate::report::{ObjectReference, Verdict};
use semver::Version;

/// A component, and what the contract says of it.
#[derive(Clone, Copy)]
pub(super) struct Installed<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) component: &'a Component,
    pub(super) terms: &'a ComponentTerms,
    /// What it is called in sentences.
    pub(super) name: &'static str,
    /// What it is installed as.
    pub(super) kinds: &'static str,
    /// The source that its workloads are.
    pub(super) source: Source,
}

impl<'a> Installed<'a> {
    /// metrics-server as it stands.
    pub(super) fn metrics_server(subject: Subject<'a>) -> Self {
        Self {
            subject,
            component: &subject.evidence.metrics_server,
            terms: &subject.contract.components.metrics_server,
            name: "metrics-server",
            kinds: "Deployment or StatefulSet",
            source: Source::MetricsServerWorkloads,
        }
    }

    /// kube-state-metrics as it stands.
    pub(super) fn kube_state_metrics(subject: Subject<'a>) -> Self {
        Self {
            subject,
            component: &subject.evidence.kube_state_metrics,
            terms: &subject.contract.components.kube_state_metrics,
            name: "kube-state-metrics",
            kinds: "Deployment, StatefulSet or DaemonSet",
            source: Source::StateMetricsWorkloads,
        }
    }

    /// The Services in accepted namespaces.
    pub(super) fn services(self) -> Result<Vec<&'a Service>, Box<Outcome>> {
        let services = self.component.services.or_else(|| self.no_service())?;
        Ok(services.iter().filter(|service| service.accepted).collect())
    }

    /// Those of the workloads behind the Services in accepted namespaces that are the component, at least one. That there is
    /// none is told by [`Installed::runs`]; to every other check it is no subject.
    pub(super) fn workloads(self) -> Result<Vec<&'a Workload>, Box<Outcome>> {
        let none = || Outcome::not_applicable(format!("{} has no workload", self.name));
        let workloads = self.own(self.component.workloads.or_else(none)?);
        if workloads.is_empty() {
            return none().early();
        }
        Ok(workloads)
    }

    /// Which of what was found is the component: whatever else has its label steers nothing. `None` where not all of it was
    /// seen, and of a component that nothing else is taken for.
    pub(super) fn members(self) -> Option<Members<'a>> {
        let (Observed::Seen(services), Observed::Seen(workloads)) =
            (&self.component.services, &self.component.workloads)
        else {
            return None;
        };
        match (self.source, &self.subject.evidence.metrics_api_service) {
            (Source::StateMetricsWorkloads, _) => {
                Some(Members::state_metrics(services, workloads, &self.terms.namespaces))
            }
            (
                Source::MetricsServerWorkloads,
                Observed::Seen(ApiService {
                    service: Some(reference),
                    ..
                }),
            ) => {
                let name = (reference.namespace.as_str(), reference.name.as_str());
                Some(Members::of_service(services, workloads, name))
            }
            _ => None,
        }
    }

    /// The endpoints of the component's own Services.
    pub(super) fn endpoints(self, none: impl FnOnce() -> Outcome) -> Result<Vec<&'a Endpoint>, Box<Outcome>> {
        let endpoints = self.component.endpoints.or_else(none)?;
        let members = self.members();
        let is_own = |endpoint: &&Endpoint| {
            (members.as_ref()).is_none_or(|members| members.has_service(&endpoint.namespace, &endpoint.service))
        };
        Ok(endpoints.iter().filter(is_own).collect())
    }

    fn own(self, workloads: &'a [Workload]) -> Vec<&'a Workload> {
        let members = self.members();
        let is_own = |workload: &&Workload| (members.as_ref()).is_none_or(|members| members.has_workload(workload));
        workloads.iter().filter(is_own).collect()
    }

    /// Judges a component's Services: one in the contract's own namespace passes, in another accepted one warns.
    pub(super) fn stands(self) -> Judge {
        let services = self.component.services.or_else(|| self.no_service())?;
        let accepted: Vec<&Service> = services.iter().filter(|service| service.accepted).collect();
        if let Some(unfound) = self.unfound(&accepted) {
            return Ok(unfound);
        }
        let Some(first) = accepted.first() else {
            return Ok(match services.first() {
                None => self.no_service(),
                Some(_) => self
                    .no_service()
                    .with_observed(format!(
                        "{} stands only where the contract does not accept it: {}",
                        self.name,
                        names(
                            services
                                .iter()
                                .map(|service| format!("{}/{}", service.namespace, service.name))
                        )
                    ))
                    .objects(services.iter().map(service_object)),
            });
        };
        let own = self.terms.namespaces.first().map(String::as_str).unwrap_or_default();
        let members = self.members();
        let is_member = |service: &Service| members.as_ref().is_none_or(|members| members.has(service));
        let (ours, others): (Vec<&Service>, Vec<&Service>) =
            accepted.iter().copied().partition(|service| is_member(service));
        let first = ours.first().copied().unwrap_or(first);
        if ours.iter().all(|service| service.namespace != own) {
            return Ok(self.elsewhere(first));
        }
        // What stands beside it: the same once more, which steers nothing, or something else of its label.
        let at_home = |service: &&&Service| service.namespace == first.namespace;
        let beside: Vec<&Service> = (ours.iter().filter(|service| !at_home(service)))
            .chain(
                others
                    .iter()
                    .filter(|service| !at_home(service) && self.shows(service).is_none()),
            )
            .copied()
            .collect();
        if !beside.is_empty() && self.source == Source::StateMetricsWorkloads {
            return Ok(self.beside(first, &beside));
        }
        let named = names(ours.iter().map(|service| place(service)));
        let other: Vec<String> = (others.iter())
            .filter_map(|service| Some(format!("{} {}", place(service), self.shows(service)?)))
            .collect();
        Ok(Outcome::pass(if other.is_empty() {
            named
        } else {
            format!("{named}; beside it {}", names(other))
        }))
    }

    /// It stands in another accepted namespace too: beside the Service that counts.
    pub(super) fn beside(self, own: &Service, services: &[&Service]) -> Outcome {
        let surplus = services.iter().find_map(|service| self.behind(service).next());
        let advice = surplus.map(|workload| self.let_go_of(workload, &place(own)));
        let outcome = Outcome::warn(format!(
            "beside {} {} stands in another namespace too: {}",
            place(own),
            self.name,
            names(services.iter().map(|service| place(service)))
        ))
        .expected(format!(
            "one {}: the other steers nothing, and counts all once more",
            self.name
        ))
        .objects([service_object(own)])
        .objects(services.iter().map(|service| service_object(service)))
        .lasting();
        match advice {
            Some(advice) => outcome.fix(advice),
            None => outcome,
        }
    }

    /// What to do about a workload that is one too many: it is its owner's to take away.
    pub(super) fn let_go_of(self, surplus: &Workload, kept: &str) -> Advice {
        let Workload { namespace, name, .. } = surplus;
        let keep = format!("keep {kept}, which the contract installs; {namespace}/{name} goes, by whoever owns it");
        let look = self.subject.labels_of(namespace, &target(surplus));
        if let Some(keeper) = &surplus.keeper {
            return fix(format!("{keep}: {keeper} applies it"), [look]);
        }
        match &surplus.release {
            Some(release) => {
                let place = surplus.release_namespace.as_ref().unwrap_or(namespace);
                let filter = format!("^{release}$");
                let list = ["list", "--namespace", place, "--filter", &filter];
                let list = self.subject.helm(list);
                fix(
                    format!("{keep}: Helm's release {release} in namespace {place} made it"),
                    [look, list],
                )
            }
            None => fix(format!("{keep}: no release of Helm made it"), [look]),
        }
    }

    /// The workloads behind a Service, as far as they were seen.
    fn behind(self, service: &Service) -> impl Iterator<Item = &'a Workload> {
        let workloads = match &self.component.workloads {
            Observed::Seen(workloads) => workloads.as_slice(),
            Observed::Absent | Observed::Unknown(_) => &[],
        };
        let is_behind = |workload: &&Workload| {
            workload.namespace == service.namespace && workload.is_behind(&service.name) == Some(true)
        };
        workloads.iter().filter(is_behind)
    }

    /// Of what the workloads behind a Service have rows, where none of them is a source of every pod's.
    fn shows(self, service: &Service) -> Option<&'static str> {
        let most = self.behind(service).map(Shows::of).min()?;
        most.told()
    }

    /// It stands in an accepted namespace that is not the contract's own.
    pub(super) fn elsewhere(self, service: &Service) -> Outcome {
        let own = self.terms.namespaces.first().map(String::as_str).unwrap_or_default();
        Outcome::warn(format!("{} stands in namespace {}", self.name, service.namespace))
            .expected(format!(
                "namespace {own}: names, roles and scrape jobs are written for it"
            ))
            .objects([service_object(service)])
            .lasting()
    }

    /// Judges that every workload is complete and, where `services` have endpoints, that one of them is ready.
    ///
    /// `all_needed`: whether a missing pod means missing data (a shard), or only less redundancy (a replica).
    pub(super) fn runs(self, all_needed: impl Fn(&Workload) -> bool) -> Judge {
        let complete = self.complete(all_needed)?;
        if complete.verdict != Verdict::Pass {
            return Ok(complete);
        }
        let endpoints = self.endpoints(|| self.no_endpoint())?;
        if !endpoints.iter().any(|endpoint| endpoint.ready) {
            return Ok(self.no_endpoint());
        }
        Ok(self.restarted(complete))
    }

    /// Judges that every workload is complete; whether a Service has endpoints is not asked.
    pub(super) fn complete(self, all_needed: impl Fn(&Workload) -> bool) -> Judge {
        let workloads = self.own(self.component.workloads.or_else(|| self.no_workload())?);
        if workloads.is_empty() {
            return Ok(self.no_workload());
        }
        Ok(self
            .judge()
            .complete(&workloads, all_needed, |workload| self.look_at(workload)))
    }

    /// Adds to what its completeness came to whether its own pods start again and again.
    pub(super) fn restarted(self, complete: Outcome) -> Outcome {
        match &self.component.workloads {
            Observed::Seen(workloads) => restarts::of_workloads(self.subject, &self.own(workloads), complete),
            _ => complete,
        }
    }

    /// Judges the versions; `defect` names one that is accepted and has a known flaw.
    pub(super) fn version(self, defect: impl Fn(&Version) -> Option<&'static str>) -> Judge {
        let programs = self.workloads()?.into_iter();
        let programs = programs.map(|workload| (workload, self.name, &self.terms.versions));
        Ok(self.judge().version(programs, defect))
    }

    fn judge(self) -> Workloads<'a> {
        Workloads {
            subject: self.subject,
            release: &self.terms.release,
            source: self.source,
        }
    }

    /// That it runs, and that no Service leads to it: none has its label, but of one for custom resources alone.
    fn unfound(self, accepted: &[&Service]) -> Option<Outcome> {
        let of_pods = |one: &&Workload| Shows::of(one) != Shows::CustomResources;
        let is_found = match &self.component.workloads {
            Observed::Seen(workloads) => workloads.is_empty() || workloads.iter().any(|one| of_pods(&one)),
            Observed::Absent | Observed::Unknown(_) => true,
        };
        if !accepted.is_empty() && is_found {
            return None;
        }
        let workload = self.component.unfound.iter().find(of_pods)?;
        let place = format!("{} {}/{}", workload.kind, workload.namespace, workload.name);
        let name = self.name;
        let selector = &self.terms.selector;
        let expected = format!("a Service {selector} that selects its pods: by it {name} is found, scraped and asked");
        let told = |why: &str| {
            Outcome::fail(format!("{place} runs {name}, and {why}"))
                .expected(expected.as_str())
                .objects([workload_object(workload)])
                .lasting()
        };
        let services = workload.services.as_deref();
        let Some(service) = services.and_then(<[String]>::first) else {
            let why = match services {
                Some(_) => "no Service selects its pods",
                None => "no Service of its label leads to it",
            };
            let summary = format!(
                "install {name} with the contract's values: the chart makes its Service; take away what was installed otherwise"
            );
            return Some(
                told(why).fix(
                    self.subject
                        .upgrade(&self.terms.release, Some(&workload.namespace), summary),
                ),
            );
        };
        let why = format!("its Service {service} is not found: it has no label {selector}");
        let label = [
            "--namespace",
            &workload.namespace,
            "label",
            "service",
            service,
            "--overwrite",
        ]
        .into_iter();
        let summary = "give its Service the label; what renders it, as Helm or Argo CD, has to give it too";
        Some(
            told(&why)
                .objects([object("Service", &workload.namespace, service)])
                .fix(fix(summary, [self.subject.kubectl(label.chain(selector.split(',')))])),
        )
    }

    fn no_service(self) -> Outcome {
        Outcome::fail(format!("no Service {} in the cluster", self.terms.selector))
            .expected(format!(
                "{} in namespace {}",
                self.name,
                self.terms.namespaces.join(" or ")
            ))
            .fix(
                self.subject
                    .upgrade(&self.terms.release, None, format!("install {}", self.name)),
            )
            .lasting()
    }

    fn no_workload(self) -> Outcome {
        Outcome::fail(format!("no {} stands behind {}'s Service", self.kinds, self.name))
            .expected(format!("the workload of {}", self.name))
            .fix(
                self.subject
                    .upgrade(&self.terms.release, None, format!("install {}", self.name)),
            )
            .lasting()
    }

    fn no_endpoint(self) -> Outcome {
        let workloads = self.workloads().unwrap_or_default();
        let seen = workloads
            .first()
            .and_then(|workload| Some((workload.namespace.as_str(), workload.pod_selector()?)));
        let listing = match seen {
            Some((namespace, selector)) => vec!["--namespace", namespace, "get", "pods", "--selector", selector],
            None => vec!["get", "pods", "--all-namespaces", "--selector", &self.terms.selector],
        };
        let listing = self.subject.kubectl(listing.into_iter().chain(["--output", "wide"]));
        Outcome::fail(format!("{}'s Service has no ready endpoint", self.name))
            .expected("at least one ready endpoint")
            .fix(fix(
                "see why its pods are not ready, or why the Service does not select them",
                [listing],
            ))
    }

    /// A command of kubectl, such as `delete pods`, for the pods of each of its own workloads; where none was seen, for those
    /// that the contract selects.
    pub(super) fn selected(self, command: &str) -> Vec<Command> {
        let typed = |namespace: &str, selector: &str| {
            let words = ["--namespace", namespace].into_iter().chain(command.split(' '));
            self.subject.kubectl(words.chain(["--selector", selector]))
        };
        let workloads = self.workloads().unwrap_or_default();
        let seen: Vec<Command> = workloads
            .iter()
            .filter_map(|workload| Some(typed(&workload.namespace, workload.pod_selector()?)))
            .collect();
        if !seen.is_empty() {
            return seen;
        }
        let namespace = self.terms.namespaces.first().map(String::as_str).unwrap_or_default();
        vec![typed(namespace, &self.terms.selector)]
    }

    fn look_at(self, workload: &Workload) -> Advice {
        if let Some(node) = self.cordoned_while_pending(workload) {
            return fix(
                format!("a pod of it has no node to go to, and {node} is cordoned: let it take pods again"),
                [
                    self.subject.kubectl(["uncordon", node]),
                    self.subject.kubectl([
                        "--namespace",
                        &workload.namespace,
                        "rollout",
                        "status",
                        &target(workload),
                    ]),
                ],
            );
        }
        look_at(self.subject, workload)
    }

    /// A cordoned node, where a pod of the workload waits for one. Both are known only as far as they were collected.
    fn cordoned_while_pending(self, workload: &Workload) -> Option<&'a str> {
        let (Observed::Seen(pods), Observed::Seen(nodes)) = (&self.subject.evidence.pods, &self.subject.evidence.nodes)
        else {
            return None;
        };
        let prefix = format!("{}-", workload.name);
        let waits = pods.iter().any(|pod| {
            pod.namespace.as_ref() == workload.namespace && pod.name.starts_with(&prefix) && pod.node.is_none()
        });
        nodes
            .iter()
            .find(|node| waits && node.unschedulable)
            .map(|node| node.name.as_str())
    }
}

/// `kube-system/kube-state-metrics`.
fn place(service: &Service) -> String {
    format!("{}/{}", service.namespace, service.name)
}

/// A Service, as reports name it.
pub(super) fn service_object(service: &Service) -> ObjectReference {
    object("Service", &service.namespace, &service.name)
}
