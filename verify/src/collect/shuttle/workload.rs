//! Shuttle's Deployment and DaemonSet: whether they are complete, and the names of what their containers are given.

use crate::collect::access::Cluster;
use crate::collect::condition::{self, RawCondition};
use crate::collect::environment::{Environment, Others, Variable};
use crate::collect::get::Get;
use crate::collect::obstacle::Obstacle;
use crate::contract::{Contract, ShuttleRole};
use crate::evidence::{ContainerNames, ShuttleWorkload};
use serde::Deserialize;

/// etcd stores no object above 1.5 MiB.
const BOUND: u64 = 4 << 20;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::collect) enum Role {
    Agent,
    Node,
}

#[derive(Deserialize)]
struct Raw {
    metadata: Metadata,
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    generation: i64,
}

#[derive(Deserialize)]
struct Spec {
    replicas: Option<u32>,
    template: Template,
}

#[derive(Deserialize)]
struct Template {
    spec: PodSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodSpec {
    #[serde(default)]
    service_account_name: String,
    enable_service_links: Option<bool>,
    init_containers: Option<Vec<Container>>,
    containers: Vec<Container>,
    volumes: Option<Vec<Named>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    name: String,
    command: Option<Vec<String>>,
    args: Option<Vec<String>>,
    env: Option<Vec<Variable>>,
    env_from: Option<Vec<EnvFrom>>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnvFrom {
    config_map_ref: Option<Reference>,
    secret_ref: Option<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: i64,
    available_replicas: u32,
    updated_replicas: u32,
    desired_number_scheduled: u32,
    number_ready: u32,
    updated_number_scheduled: u32,
    conditions: Option<Vec<RawCondition>>,
}

/// Reads one. Needs `get` of the Deployment or DaemonSet that the contract names, in Shuttle's namespace.
pub(in crate::collect) async fn collect(cluster: &Cluster<'_>, role: Role) -> Result<ShuttleWorkload, Obstacle> {
    let answer = cluster.send(&request(cluster.contract, role), BOUND).await?;
    let raw: Raw = answer.object(Some(role.kind())).await?;
    Ok(raw.into_workload(role, role.terms(cluster.contract)))
}

pub(in crate::collect) fn request(contract: &Contract, role: Role) -> Get {
    let namespace = &contract.components.shuttle.namespace;
    let resource = match role {
        Role::Agent => "deployments",
        Role::Node => "daemonsets",
    };
    Get::namespaced("apps", "v1", resource, namespace, &role.terms(contract).workload)
}

impl Role {
    fn kind(self) -> &'static str {
        match self {
            Self::Agent => "Deployment",
            Self::Node => "DaemonSet",
        }
    }

    fn terms(self, contract: &Contract) -> &ShuttleRole {
        match self {
            Self::Agent => &contract.components.shuttle.agent,
            Self::Node => &contract.components.shuttle.node,
        }
    }
}

impl Raw {
    fn into_workload(self, role: Role, terms: &ShuttleRole) -> ShuttleWorkload {
        let status = self.status;
        let (desired, ready, updated) = match role {
            // "Defaults to 1" (`apps/v1` types); the API server fills it in.
            Role::Agent => (
                self.spec.replicas.unwrap_or(1),
                status.available_replicas,
                status.updated_replicas,
            ),
            Role::Node => (
                status.desired_number_scheduled,
                status.number_ready,
                status.updated_number_scheduled,
            ),
        };
        let pod = self.spec.template.spec;
        let links = pod.enable_service_links.unwrap_or(true);
        let containers = pod.init_containers.into_iter().flatten().chain(pod.containers);
        ShuttleWorkload {
            desired,
            ready,
            updated,
            observed: status.observed_generation >= self.metadata.generation,
            trouble: condition::trouble(status.conditions.as_deref().unwrap_or_default()),
            service_account: pod.service_account_name,
            containers: containers.map(|container| container.names(terms, links)).collect(),
            volumes: names(pod.volumes),
        }
    }
}

impl Container {
    /// Its names. A flag's value stands behind its `=`; any other word that the contract does not name is only counted,
    /// for it may be a value. So is what a variable makes of a word.
    fn names(self, terms: &ShuttleRole, service_links: bool) -> ContainerNames {
        let variables = self.env.unwrap_or_default();
        let others = Others {
            env_from: self.env_from.is_some(),
            service_links,
        };
        let environment = Environment::public(&variables, others);
        let mut found = ContainerNames {
            name: self.name,
            arguments: Vec::new(),
            other_arguments: 0,
            flags: Vec::new(),
            environment: variables.iter().map(|variable| variable.name.clone()).collect(),
            environment_from: Vec::new(),
        };
        for word in self.command.into_iter().chain(self.args).flatten() {
            let argument = environment.argument(&word);
            let flag = |text: &str| text.split_once('=').map_or(text, |(flag, _)| flag).to_owned();
            let (written, made) = (flag(&word), flag(&argument.text));
            if word.starts_with("--") && word.len() > 2 && written == made {
                found.flags.push(written);
            } else if argument.unread().is_none() && terms.flags.contains(&made) {
                found.flags.push(made);
            } else if argument.unread().is_none() && terms.arguments.contains(&argument.text) {
                found.arguments.push(argument.text);
            } else {
                found.other_arguments += 1;
            }
        }
        for from in self.env_from.into_iter().flatten() {
            let kinds = [("ConfigMap", from.config_map_ref), ("Secret", from.secret_ref)];
            let named = kinds.into_iter().find_map(|(kind, reference)| Some((kind, reference?)));
            found.environment_from.push(named.map_or_else(
                || "a source of another kind".to_owned(),
                |(kind, reference)| format!("{kind} {}", reference.name),
            ));
        }
        found
    }
}

fn names(named: Option<Vec<Named>>) -> Vec<String> {
    named.into_iter().flatten().map(|named| named.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_kept() {
        let container: Container = serde_json::from_str(
            r#"{"name":"shuttle","command":["/bin/sh"],"args":["$(ROLE)","--admin=0.0.0.0:8080","--token","hush","-x",
            "$(LOG)=debug","$(HIDDEN)","--$(POD_NAME)=1","$(SHUTTLE_PORT)"],
            "env":[{"name":"POD_NAME","value":"hush"},{"name":"ROLE","value":"agent"},{"name":"LOG","value":"--log"},
            {"name":"HIDDEN","value":"--hush"}],
            "envFrom":[{"configMapRef":{"name":"relabel"}},{"secretRef":{"name":"more"}},{"prefix":"P"}]}"#,
        )
        .unwrap();
        let found = container.names(&Contract::embedded().unwrap().components.shuttle.agent, true);
        assert_eq!(found.arguments, ["agent"]);
        assert_eq!(found.flags, ["--admin", "--token", "--log"]);
        assert_eq!(found.other_arguments, 6);
        assert_eq!(found.environment, ["POD_NAME", "ROLE", "LOG", "HIDDEN"]);
        assert_eq!(
            found.environment_from,
            ["ConfigMap relabel", "Secret more", "a source of another kind"]
        );
        assert!(!serde_json::to_string(&found).unwrap().contains("hush"));
    }

    #[test]
    fn each_kind_counts_its_pods_in_its_own_fields() {
        let raw = |status: &str| -> Raw {
            let spec = r#"{"replicas":2,"template":{"spec":{"containers":[]}}}"#;
            serde_json::from_str(&format!(
                r#"{{"metadata":{{"generation":3}},"spec":{spec},"status":{status}}}"#
            ))
            .unwrap()
        };
        let contract = Contract::embedded().unwrap();
        let read = |role: Role, status: &str| raw(status).into_workload(role, role.terms(&contract));
        let agent = read(
            Role::Agent,
            r#"{"observedGeneration":3,"replicas":2,"readyReplicas":2,"availableReplicas":1,"updatedReplicas":2}"#,
        );
        assert_eq!(
            (agent.desired, agent.ready, agent.updated, agent.observed),
            (2, 1, 2, true)
        );
        let node = read(
            Role::Node,
            r#"{"observedGeneration":2,"desiredNumberScheduled":5,"numberReady":4,"updatedNumberScheduled":3}"#,
        );
        assert_eq!(
            (node.desired, node.ready, node.updated, node.observed),
            (5, 4, 3, false)
        );
    }
}
