//! A Deployment or StatefulSet as the API server writes it, as far as evidence may hold it.

use crate::collect::component::Kind;
use crate::collect::condition::{self, RawCondition};
use crate::collect::environment::{Argument, Environment, Others, Variable};
use crate::collect::flags;
use crate::contract::{Contract, parse_version};
use crate::evidence::{Workload, WorkloadKind};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// The annotation in which Helm 3 names the release of what it installs.
const RELEASE: &str = "meta.helm.sh/release-name";
/// The recommended label for a version.
const VERSION: &str = "app.kubernetes.io/version";

#[derive(Deserialize)]
pub(in crate::collect) struct Raw {
    metadata: Metadata,
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    namespace: String,
    #[serde(default)]
    generation: i64,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Spec {
    replicas: Option<u32>,
    template: Template,
}

#[derive(Deserialize)]
struct Template {
    #[serde(default)]
    metadata: TemplateMetadata,
    spec: PodSpec,
}

#[derive(Default, Deserialize)]
struct TemplateMetadata {
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodSpec {
    #[serde(default)]
    containers: Vec<Container>,
    enable_service_links: Option<bool>,
    volumes: Option<Vec<Volume>>,
}

#[derive(Deserialize)]
struct Volume {
    secret: Option<SecretVolume>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretVolume {
    #[serde(default)]
    secret_name: String,
    optional: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    #[serde(default)]
    image: String,
    command: Option<Vec<String>>,
    args: Option<Vec<String>>,
    env: Option<Vec<Variable>>,
    env_from: Option<Vec<IgnoredAny>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: i64,
    ready_replicas: u32,
    updated_replicas: u32,
    conditions: Option<Vec<RawCondition>>,
}

impl Raw {
    /// Whether a Service's selector selects its pods. An empty selector selects none: such a Service's endpoints are made
    /// by hand.
    pub(in crate::collect) fn is_selected(&self, selector: &BTreeMap<String, String>) -> bool {
        let labels = self.spec.template.metadata.labels.as_ref();
        !selector.is_empty()
            && (selector.iter()).all(|(key, value)| labels.is_some_and(|labels| labels.get(key) == Some(value)))
    }

    /// Whether its pods do not start before the Secret of that name is mounted.
    pub(in crate::collect) fn needs_secret(&self, name: &str) -> bool {
        let volumes = self.spec.template.spec.volumes.iter().flatten();
        volumes
            .filter_map(|volume| volume.secret.as_ref())
            .any(|secret| secret.secret_name == name && secret.optional != Some(true))
    }

    pub(in crate::collect) fn into_workload(self, workload: WorkloadKind, kind: Kind, contract: &Contract) -> Workload {
        let trouble = condition::trouble(self.status.conditions.as_deref().unwrap_or_default());
        let pod = self.spec.template.spec;
        let containers = pod.containers;
        let own = |container: &&Container| container.image_name().contains(kind.name());
        let container = containers.iter().find(own).or(containers.first());
        let flags = container.map_or_else(flags::Flags::default, |container| {
            let arguments = container.arguments(pod.enable_service_links.unwrap_or(true));
            flags::read(&arguments, &kind.terms(contract).flags)
        });
        let label = self.metadata.labels.and_then(|mut labels| labels.remove(VERSION));
        Workload {
            kind: workload,
            namespace: self.metadata.namespace,
            name: self.metadata.name,
            // "Defaults to 1" (`apps/v1` types); the API server fills it in.
            desired: self.spec.replicas.unwrap_or(1),
            ready: self.status.ready_replicas,
            updated: self.status.updated_replicas,
            observed: self.status.observed_generation >= self.metadata.generation,
            image: container.map(|container| container.image.clone()).unwrap_or_default(),
            version: container
                .and_then(Container::version)
                .or(label.map(|label| without_v(&label))),
            release: self
                .metadata
                .annotations
                .and_then(|mut annotations| annotations.remove(RELEASE)),
            flags: flags.values,
            unread_flags: flags.unread,
            unread_arguments: flags.unread_arguments,
            trouble,
        }
    }
}

impl Container {
    /// Its command line, as far as the object tells it.
    fn arguments(&self, service_links: bool) -> Vec<Argument> {
        let others = Others {
            env_from: self.env_from.as_ref().is_some_and(|sources| !sources.is_empty()),
            service_links,
        };
        let environment = Environment::public(self.env.iter().flatten(), others);
        let line = [&self.command, &self.args].into_iter().flatten().flatten();
        line.map(|argument| environment.argument(argument)).collect()
    }

    /// The image without registry, path, tag and digest.
    fn image_name(&self) -> &str {
        let name = self.image.rsplit('/').next().unwrap_or_default();
        name.split(['@', ':']).next().unwrap_or_default()
    }

    /// The tag as a version.
    fn version(&self) -> Option<String> {
        let name = self.image.rsplit('/').next()?.split('@').next()?;
        let (_, tag) = name.split_once(':')?;
        parse_version(tag)?;
        Some(without_v(tag))
    }
}

fn without_v(version: &str) -> String {
    version.strip_prefix('v').unwrap_or(version).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.20.0",
        "kube-state-metrics",
        Some("2.20.0")
    )]
    #[case("localhost:5000/ksm@sha256:aa", "ksm", None)]
    #[case("localhost:5000/a/ksm:2.18.0@sha256:aa", "ksm", Some("2.18.0"))]
    #[case("metrics-server:latest", "metrics-server", None)]
    #[case("", "", None)]
    fn images_are_taken_apart(#[case] image: &str, #[case] name: &str, #[case] version: Option<&str>) {
        let container = Container {
            image: image.to_owned(),
            command: None,
            args: None,
            env: None,
            env_from: None,
        };
        assert_eq!(container.image_name(), name);
        assert_eq!(container.version().as_deref(), version);
    }

    #[test]
    fn an_optional_secret_is_not_waited_for() {
        let raw = |volume: &str| -> Raw {
            serde_json::from_str(&format!(
                r#"{{"metadata":{{"name":"a","namespace":"b"}},"spec":{{"template":{{"spec":{{"volumes":[
                {{"name":"config","configMap":{{"name":"certs"}}}},{volume}]}}}}}}}}"#
            ))
            .unwrap()
        };
        assert!(raw(r#"{"name":"c","secret":{"secretName":"certs"}}"#).needs_secret("certs"));
        assert!(!raw(r#"{"name":"c","secret":{"secretName":"certs","optional":true}}"#).needs_secret("certs"));
        assert!(!raw(r#"{"name":"c","secret":{"secretName":"other"}}"#).needs_secret("certs"));
    }

    #[test]
    fn a_flag_takes_its_value_from_a_variable_and_no_other_variable_is_kept() {
        let raw: Raw = serde_json::from_str(
            r#"{"metadata":{"name":"ksm","namespace":"kube-system"},"spec":{"template":{"spec":{"containers":[
            {"image":"kube-state-metrics:v2.20.0","args":["--metric-labels-allowlist=$(LIST)","--pod=$(POD_NAME)",
            "--resources=$(API_TOKEN)","--token=$(API_TOKEN)","--namespaces=$(NONE)"],
            "env":[{"name":"KEYS","value":"starform.io/app"},{"name":"LIST","value":"pods=[$(KEYS)]"},
            {"name":"POD_NAME","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},
            {"name":"API_TOKEN","value":"hush"}]}]}}}}"#,
        )
        .unwrap();
        let contract = Contract::embedded().unwrap();
        let workload = raw.into_workload(WorkloadKind::StatefulSet, Kind::StateMetrics, &contract);
        assert_eq!(workload.flags["--metric-labels-allowlist"], ["pods=[starform.io/app]"]);
        assert_eq!(workload.flags["--pod"], ["$(POD_NAME)"]);
        assert_eq!(workload.flags["--namespaces"], ["$(NONE)"]);
        let unread = workload.unread_arguments.iter();
        let unread: Vec<_> = unread
            .map(|argument| (argument.flag.as_deref().unwrap(), argument.why.as_str()))
            .collect();
        assert_eq!(
            unread,
            [
                ("--pod", "variable POD_NAME comes from a field of the pod"),
                ("--resources", "variable API_TOKEN may hold a credential")
            ]
        );
        let evidence = serde_json::to_string(&workload).unwrap();
        assert!(!evidence.contains("hush"), "{evidence}");
        assert!(!evidence.contains("\"KEYS"), "{evidence}");
    }

    #[test]
    fn what_env_from_and_service_links_may_define_is_not_known() {
        let unread = |pod: &str, container: &str| {
            let raw: Raw = serde_json::from_str(&format!(
                r#"{{"metadata":{{"name":"ksm","namespace":"kube-system"}},"spec":{{"template":{{"spec":{{{pod}"containers":[
                {{{container}"image":"kube-state-metrics:v2.20.0","args":["--metric-labels-allowlist=$(SHOP_SERVICE_HOST)"]}}]}}}}}}}}"#
            ))
            .unwrap();
            let contract = Contract::embedded().unwrap();
            let workload = raw.into_workload(WorkloadKind::Deployment, Kind::StateMetrics, &contract);
            !workload.unread_arguments.is_empty()
        };
        assert!(unread("", ""), "links are made unless the pod says no");
        assert!(!unread(r#""enableServiceLinks":false,"#, ""));
        assert!(unread(
            r#""enableServiceLinks":false,"#,
            r#""envFrom":[{"prefix":"A"}],"#
        ));
        assert!(!unread(r#""enableServiceLinks":false,"#, r#""envFrom":[],"#));
    }

    #[test]
    fn the_component_s_own_container_is_read() {
        let raw: Raw = serde_json::from_str(
            r#"{"metadata":{"name":"ksm","namespace":"kube-system","generation":2,"annotations":{"meta.helm.sh/release-name":"ksm"},
            "labels":{"app.kubernetes.io/version":"v2.20.0"}},
            "spec":{"replicas":2,"template":{"metadata":{"labels":{"a":"b","c":"d"}},"spec":{"containers":[
            {"image":"proxy:v1.0.0","args":["--pod=x"]},
            {"image":"r.example/kube-state-metrics@sha256:00","args":["--port=8080","--pod=$(POD_NAME)"]}]}}},
            "status":{"observedGeneration":1,"readyReplicas":1,"conditions":[
            {"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"has timed out"}]}}"#,
        )
        .unwrap();
        let selector = |pairs: &[(&str, &str)]| {
            (pairs.iter())
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        assert!(raw.is_selected(&selector(&[("a", "b")])));
        assert!(!raw.is_selected(&selector(&[("a", "b"), ("x", "y")])));
        assert!(!raw.is_selected(&selector(&[])));
        let contract = Contract::embedded().unwrap();
        let workload = raw.into_workload(WorkloadKind::StatefulSet, Kind::StateMetrics, &contract);
        assert_eq!(workload.flags.keys().collect::<Vec<_>>(), ["--pod"]);
        assert_eq!(workload.flags["--pod"], ["$(POD_NAME)"]);
        assert_eq!(workload.version.as_deref(), Some("2.20.0"));
        assert_eq!((workload.desired, workload.ready, workload.observed), (2, 1, false));
        assert_eq!(
            workload.trouble.as_deref(),
            Some("ProgressDeadlineExceeded: has timed out")
        );
        assert_eq!(workload.release.as_deref(), Some("ksm"));
    }
}
