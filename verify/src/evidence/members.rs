//! Which of the workloads behind a component's Services are that component.
//!
//! A Service's label says little: a kube-state-metrics that shows custom resources has the same, and so has the one of another
//! team. What a workload runs, with which arguments, tells.

use super::{Service, Workload};

/// The workloads that are the component, and the Services that select them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members<'a> {
    pub(crate) workloads: Vec<&'a Workload>,
    /// Those that select one of them which none before selects: what two Services select is there once.
    pub(crate) services: Vec<&'a Service>,
}

/// Of what a kube-state-metrics has rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shows {
    /// Whatever its other flags say, of the whole cluster.
    Whole,
    /// Of some namespaces only.
    Namespaces,
    /// Of custom resources only.
    CustomResources,
}

// === impl Shows ===

impl Shows {
    /// What the arguments tell. One that is not known tells nothing. Source: kube-state-metrics v2.20.0, pkg/options/options.go.
    pub(crate) fn of(workload: &Workload) -> Self {
        const ONLY_CUSTOM: &str = "--custom-resource-state-only";
        const NAMESPACES: &str = "--namespaces";
        let value = |flag: &str| match workload.why_unread(flag) {
            Some(_) => None,
            None => workload.last_value(flag),
        };
        // As Go's `strconv.ParseBool` reads it; without a value a switch is on.
        let is_on = |value: &str| matches!(value, "" | "1" | "t" | "T" | "true" | "TRUE" | "True");
        if value(ONLY_CUSTOM).is_some_and(is_on) {
            Self::CustomResources
        } else if value(NAMESPACES).is_some_and(|namespaces| !namespaces.trim().is_empty()) {
            Self::Namespaces
        } else {
            Self::Whole
        }
    }

    /// In words, where it is no source of every pod's row.
    pub(crate) fn told(self) -> Option<&'static str> {
        match self {
            Self::Whole => None,
            Self::Namespaces => Some("of some namespaces"),
            Self::CustomResources => Some("of custom resources"),
        }
    }
}

// === impl Members ===

impl<'a> Members<'a> {
    /// The kube-state-metrics that has the rows of every pod: of the first of these namespaces that has one which is not of custom
    /// resources only, those that show most. What another namespace has shows more or less, and is none of it: the contract
    /// names where it stands.
    pub(crate) fn state_metrics(services: &'a [Service], workloads: &'a [Workload], namespaces: &[String]) -> Self {
        let of_pods = |one: &Workload| Shows::of(one) != Shows::CustomResources;
        let first_with = |is_meant: &dyn Fn(&Workload) -> bool| {
            let has_one = |namespace: &&String| {
                let mut workloads = workloads.iter();
                workloads.any(|one| one.namespace == **namespace && is_meant(one))
            };
            namespaces.iter().find(has_one)
        };
        let first = first_with(&of_pods).or_else(|| first_with(&|_| true));
        let here = workloads.iter().filter(|one| first == Some(&one.namespace));
        let most = here.clone().map(Shows::of).min();
        let workloads = here.filter(|one| Some(Shows::of(one)) == most);
        Self::behind(services, workloads.collect(), first.map(String::as_str))
    }

    /// What stands behind one Service. Where that is not known, what stands in its namespace, else all.
    pub(crate) fn of_service(
        services: &'a [Service],
        workloads: &'a [Workload],
        (namespace, name): (&str, &str),
    ) -> Self {
        let in_namespace = |workload: &&&Workload| workload.namespace == namespace;
        let all: Vec<&Workload> = workloads.iter().collect();
        let here: Vec<&Workload> = all.iter().filter(in_namespace).copied().collect();
        let behind: Vec<&Workload> = (here.iter().copied())
            .filter(|workload| workload.is_behind(name) == Some(true))
            .collect();
        let is_known = here.iter().all(|workload| workload.services.is_some());
        let workloads = match (is_known && !here.is_empty(), here.is_empty()) {
            (true, _) => behind,
            (false, false) => here,
            (false, true) => all,
        };
        let own = services
            .iter()
            .filter(|service| service.namespace == namespace && service.name == name);
        Self {
            workloads,
            services: own.collect(),
        }
    }

    fn behind(services: &'a [Service], workloads: Vec<&'a Workload>, namespace: Option<&str>) -> Self {
        let mut chosen: Vec<&Service> = Vec::new();
        let mut covered: Vec<&Workload> = Vec::new();
        let accepted = services.iter().filter(|service| service.accepted);
        // Without a workload the Services of the component are all that there is.
        for service in accepted.filter(|service| namespace.is_none_or(|namespace| service.namespace == namespace)) {
            let own = workloads
                .iter()
                .copied()
                .filter(|one| one.is_behind(&service.name) != Some(false));
            let new: Vec<&Workload> = own
                .filter(|one| !covered.iter().any(|other| std::ptr::eq(*other, *one)))
                .collect();
            if new.is_empty() && !workloads.is_empty() {
                continue;
            }
            // What is not known to be behind it may be behind another too.
            covered.extend(new.into_iter().filter(|one| one.services.is_some()));
            chosen.push(service);
        }
        Self {
            workloads,
            services: chosen,
        }
    }

    /// Whether the Service of that namespace and name is one of its own.
    pub(crate) fn has_service(&self, namespace: &str, name: &str) -> bool {
        (self.services.iter()).any(|service| service.namespace == namespace && service.name == name)
    }

    /// Whether that Service is one of its own.
    pub(crate) fn has(&self, service: &Service) -> bool {
        self.has_service(&service.namespace, &service.name)
    }

    /// Whether it is one of its own.
    pub(crate) fn has_workload(&self, workload: &Workload) -> bool {
        self.workloads.iter().any(|own| std::ptr::eq(*own, workload))
    }
}

// === impl Workload ===

impl Workload {
    /// Whether a Service of its namespace selects its pods, as far as that was read.
    pub(crate) fn is_behind(&self, service: &str) -> Option<bool> {
        let services = self.services.as_ref()?;
        Some(services.iter().any(|name| name == service))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn workload(namespace: &str, name: &str, flags: &[(&str, &str)]) -> Workload {
        let mut workload: Workload = serde_json::from_value(serde_json::json!({
            "kind": "Deployment", "namespace": namespace, "name": name, "desired": 1, "ready": 1,
            "updated": 1, "available": 1, "observed": true, "image": "", "version": null, "release": null, "flags": {},
            "unreadFlags": null, "unreadArguments": [], "services": [name],
        }))
        .unwrap();
        let flags = flags
            .iter()
            .map(|(flag, value)| ((*flag).to_owned(), vec![(*value).to_owned()]));
        workload.flags = flags.collect();
        workload
    }

    fn service(namespace: &str, name: &str) -> Service {
        Service {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            accepted: true,
            ports: Vec::new(),
            selector: std::collections::BTreeMap::new(),
            last_change: None,
        }
    }

    fn chosen(workloads: &[Workload], services: &[Service]) -> (Vec<String>, Vec<String>) {
        let namespaces = ["kube-system".to_owned(), "default".to_owned()];
        let members = Members::state_metrics(services, workloads, &namespaces);
        let at = |namespace: &str, name: &str| format!("{namespace}/{name}");
        (
            members
                .workloads
                .iter()
                .map(|one| at(&one.namespace, &one.name))
                .collect(),
            members
                .services
                .iter()
                .map(|one| at(&one.namespace, &one.name))
                .collect(),
        )
    }

    #[rstest]
    #[case("--custom-resource-state-only", "true", Shows::CustomResources)]
    #[case("--custom-resource-state-only", "", Shows::CustomResources)]
    #[case("--custom-resource-state-only", "false", Shows::Whole)]
    #[case("--namespaces", "team-a,team-b", Shows::Namespaces)]
    #[case("--namespaces", "", Shows::Whole)]
    #[case("--namespaces-denylist", "team-a", Shows::Whole)]
    #[case("--resources", "nodes", Shows::Whole)]
    fn the_arguments_tell_of_what_it_has_rows(#[case] flag: &str, #[case] value: &str, #[case] shows: Shows) {
        assert_eq!(Shows::of(&workload("kube-system", "ksm", &[(flag, value)])), shows);
    }

    #[test]
    fn one_for_custom_resources_is_none_of_it_beside_one_that_shows_all() {
        let only_custom = workload("kube-system", "flux", &[("--custom-resource-state-only", "true")]);
        let of_a_team = workload("kube-system", "team", &[("--namespaces", "team-a")]);
        let services = ["flux", "ksm", "team"].map(|name| service("kube-system", name));
        let all = [only_custom, workload("kube-system", "ksm", &[]), of_a_team];
        let one = || vec!["kube-system/ksm".to_owned()];
        assert_eq!(chosen(&all, &services), (one(), one()));
        // Alone, it is what has to be judged.
        let team = || vec!["kube-system/team".to_owned()];
        assert_eq!(chosen(&all[2..], &services), (team(), team()));
    }

    #[test]
    fn the_first_namespace_that_has_one_decides() {
        let services = [service("default", "ksm"), service("kube-system", "ksm")];
        let all = [workload("default", "ksm", &[]), workload("kube-system", "ksm", &[])];
        let one = || vec!["kube-system/ksm".to_owned()];
        assert_eq!(chosen(&all, &services), (one(), one()));
        let other = || vec!["default/ksm".to_owned()];
        assert_eq!(chosen(&all[..1], &services), (other(), other()));
        // Without a workload the Services are what there is.
        assert_eq!(chosen(&[], &services).1.len(), 2);
    }

    #[test]
    fn what_another_namespace_has_shows_no_more() {
        let services = [service("default", "ksm"), service("kube-system", "ksm")];
        let of_a_team = || workload("kube-system", "ksm", &[("--namespaces", "shop")]);
        let all = [workload("default", "ksm", &[]), of_a_team()];
        let own = || vec!["kube-system/ksm".to_owned()];
        assert_eq!(chosen(&all, &services), (own(), own()));
        // One of custom resources is no kube-state-metrics of pods, wherever it stands.
        let only_custom = workload("kube-system", "ksm", &[("--custom-resource-state-only", "true")]);
        let all = [workload("default", "ksm", &[]), only_custom];
        let other = || vec!["default/ksm".to_owned()];
        assert_eq!(chosen(&all, &services), (other(), other()));
    }

    #[test]
    fn what_two_services_select_is_asked_once() {
        let mut sharded = workload("kube-system", "ksm", &[("--total-shards", "2")]);
        sharded.services = Some(vec!["headless".to_owned(), "ksm".to_owned()]);
        let services = ["headless", "ksm"].map(|name| service("kube-system", name));
        assert_eq!(chosen(&[sharded.clone()], &services).1, ["kube-system/headless"]);
        sharded.services = None;
        assert_eq!(chosen(&[sharded], &services).1.len(), 2);
    }
}
