//! Shuttle's Deployment and DaemonSet: whether they are complete, and the names of what their containers are given.

use crate::collect::access::Cluster;
use crate::collect::flags::Flags;
use crate::collect::get::Get;
use crate::collect::obstacle::Obstacle;
use crate::collect::workloads::{self, Container, Raw};
use crate::contract::{Contract, ShuttleRole};
use crate::evidence::{ContainerNames, ShuttleWorkload, WorkloadKind};

/// etcd stores no object above 1.5 MiB.
const BOUND: u64 = 4 << 20;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::collect) enum Role {
    Agent,
    Node,
}

/// Reads one. Needs `get` of the Deployment or DaemonSet that the contract names, in Shuttle's namespace.
pub(in crate::collect) async fn collect(cluster: &Cluster<'_>, role: Role) -> Result<ShuttleWorkload, Obstacle> {
    let answer = cluster.send(&request(cluster.contract, role), BOUND).await?;
    let raw: Raw = answer.object(Some(&role.kind().to_string())).await?;
    Ok(workload(&raw, role.kind(), role.terms(cluster.contract)))
}

pub(in crate::collect) fn request(contract: &Contract, role: Role) -> Get {
    let namespace = &contract.components.shuttle.namespace;
    workloads::object_request(role.kind(), namespace, &role.terms(contract).workload)
}

impl Role {
    fn kind(self) -> WorkloadKind {
        match self {
            Self::Agent => WorkloadKind::Deployment,
            Self::Node => WorkloadKind::DaemonSet,
        }
    }

    fn terms(self, contract: &Contract) -> &ShuttleRole {
        match self {
            Self::Agent => &contract.components.shuttle.agent,
            Self::Node => &contract.components.shuttle.node,
        }
    }
}

/// As evidence has it. Its flags have names only.
fn workload(raw: &Raw, kind: WorkloadKind, terms: &ShuttleRole) -> ShuttleWorkload {
    let pod = raw.pod();
    let own = terms.containers.first().and_then(|name| raw.container(name));
    let containers = pod.init_containers.iter().flatten().chain(&pod.containers);
    ShuttleWorkload {
        workload: raw.workload(kind, own, Flags::default()),
        service_account: pod.service_account_name.clone(),
        containers: containers.map(|container| names(raw, container, terms)).collect(),
        volumes: (pod.volumes.iter().flatten())
            .map(|volume| volume.name.clone())
            .collect(),
    }
}

/// The names of what a container is given. A flag's value stands behind its `=`; any other word that the contract does not
/// name is only counted, for it may be a value. So is what a variable makes of a word.
fn names(raw: &Raw, container: &Container, terms: &ShuttleRole) -> ContainerNames {
    let variables = container.env.iter().flatten();
    let environment = raw.environment(container);
    let mut found = ContainerNames {
        name: container.name.clone(),
        arguments: Vec::new(),
        other_arguments: 0,
        flags: Vec::new(),
        environment: variables.map(|variable| variable.name.clone()).collect(),
        environment_from: Vec::new(),
    };
    for word in container.line() {
        let argument = environment.argument(word);
        let flag = |text: &str| text.split_once('=').map_or(text, |(flag, _)| flag).to_owned();
        let (written, made) = (flag(word), flag(&argument.text));
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
    for from in container.env_from.iter().flatten() {
        let kinds = [("ConfigMap", &from.config_map_ref), ("Secret", &from.secret_ref)];
        let named = kinds
            .into_iter()
            .find_map(|(kind, reference)| Some((kind, reference.as_ref()?)));
        found.environment_from.push(named.map_or_else(
            || "a source of another kind".to_owned(),
            |(kind, reference)| format!("{kind} {}", reference.name),
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(containers: &str) -> ShuttleWorkload {
        let raw: Raw = serde_json::from_str(&format!(
            r#"{{"metadata":{{"name":"shuttle","namespace":"starform-system"}},"spec":{{"template":{{"spec":{{
            "serviceAccountName":"shuttle","containers":[{containers}],"volumes":[{{"name":"parameters"}}]}}}}}}}}"#
        ))
        .unwrap();
        let contract = Contract::embedded().unwrap();
        workload(&raw, Role::Agent.kind(), Role::Agent.terms(&contract))
    }

    #[test]
    fn only_names_are_kept() {
        let agent = agent(
            r#"{"name":"shuttle","image":"starform/shuttle:0.1.0","command":["/bin/sh"],"args":["$(ROLE)",
            "--admin=0.0.0.0:8080","--token","hush","-x","$(LOG)=debug","$(HIDDEN)","--$(POD_NAME)=1","$(SHUTTLE_PORT)"],
            "env":[{"name":"POD_NAME","value":"hush"},{"name":"ROLE","value":"agent"},{"name":"LOG","value":"--log"},
            {"name":"HIDDEN","value":"--hush"}],
            "envFrom":[{"configMapRef":{"name":"relabel"}},{"secretRef":{"name":"more"}},{"prefix":"P"}]}"#,
        );
        let [found] = agent.containers.as_slice() else {
            panic!("one container")
        };
        assert_eq!(found.arguments, ["agent"]);
        assert_eq!(found.flags, ["--admin", "--token", "--log"]);
        assert_eq!(found.other_arguments, 6);
        assert_eq!(found.environment, ["POD_NAME", "ROLE", "LOG", "HIDDEN"]);
        assert_eq!(
            found.environment_from,
            ["ConfigMap relabel", "Secret more", "a source of another kind"]
        );
        assert_eq!(
            (agent.service_account.as_str(), agent.volumes),
            ("shuttle", vec!["parameters".to_owned()])
        );
        assert_eq!(agent.workload.version.as_deref(), Some("0.1.0"));
        assert!(agent.workload.flags.is_empty() && agent.workload.unread_arguments.is_empty());
        let all = [
            serde_json::to_string(found).unwrap(),
            serde_json::to_string(&agent.workload).unwrap(),
        ];
        assert!(!all.concat().contains("hush"));
    }
}
