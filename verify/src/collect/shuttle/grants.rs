//! What RBAC grants Shuttle's accounts: the bindings that name one of them or a group that it is in, and their roles.

use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::Obstacle;
use crate::contract::ShuttleTerms;
use crate::evidence::{Grant, PolicyRule};
use serde::Deserialize;
use std::collections::BTreeMap;

const GROUP: &str = "rbac.authorization.k8s.io";
/// The two kinds of binding and of role: resource and kind of its list.
const BINDINGS: [(&str, &str); 2] = [
    ("clusterrolebindings", "ClusterRoleBindingList"),
    ("rolebindings", "RoleBindingList"),
];
const ROLES: [(&str, &str); 2] = [("clusterroles", "ClusterRoleList"), ("roles", "RoleList")];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Binding {
    metadata: Metadata,
    subjects: Option<Vec<Subject>>,
    role_ref: RoleReference,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    namespace: Option<String>,
}

#[derive(Deserialize)]
struct Subject {
    kind: String,
    name: String,
    namespace: Option<String>,
}

#[derive(Deserialize)]
struct RoleReference {
    kind: String,
    name: String,
}

#[derive(Deserialize)]
struct Role {
    metadata: Metadata,
    rules: Option<Vec<RawRule>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct RawRule {
    verbs: Option<Vec<String>>,
    api_groups: Option<Vec<String>>,
    resources: Option<Vec<String>>,
    resource_names: Option<Vec<String>>,
    #[serde(rename = "nonResourceURLs")]
    urls: Option<Vec<String>>,
}

/// A role: its namespace, which a ClusterRole has none of, and its name.
type RoleKey = (Option<String>, String);

/// Reads them, sorted. Needs `list` of clusterrolebindings, rolebindings, clusterroles and roles in the whole cluster.
pub(in crate::collect) async fn collect(cluster: &Cluster<'_>) -> Result<Vec<Grant>, Obstacle> {
    let shuttle = &cluster.contract.components.shuttle;
    let bindings = |(resource, list): (&'static str, &'static str)| async move {
        let new = || {
            Collected::new(|json| {
                let grants = serde_json::from_slice::<Binding>(json)?.grants(shuttle);
                Ok((!grants.is_empty()).then_some(grants))
            })
        };
        cluster.list(&request(resource), Shape::objects(list), new).await
    };
    let [of_cluster, of_namespaces] = BINDINGS.map(bindings);
    let (of_cluster, of_namespaces) = futures::try_join!(of_cluster, of_namespaces)?;
    let mut grants: Vec<Grant> = of_cluster
        .items
        .into_iter()
        .chain(of_namespaces.items)
        .flatten()
        .collect();
    let grants_read = &grants;
    let roles = |(resource, list): (&'static str, &'static str)| async move {
        let new = || {
            Collected::new(|json| {
                let role: Role = serde_json::from_slice(json)?;
                let key = (role.metadata.namespace, role.metadata.name);
                let wanted = grants_read.iter().any(|grant| grant.role_key() == key);
                let rules = role.rules.into_iter().flatten().map(PolicyRule::from).collect();
                Ok(wanted.then_some((key, rules)))
            })
        };
        cluster.list(&request(resource), Shape::objects(list), new).await
    };
    let [of_cluster, of_namespaces] = ROLES.map(roles);
    let (of_cluster, of_namespaces) = futures::try_join!(of_cluster, of_namespaces)?;
    let roles: BTreeMap<RoleKey, Vec<PolicyRule>> = of_cluster.items.into_iter().chain(of_namespaces.items).collect();
    for grant in &mut grants {
        grant.rules = roles.get(&grant.role_key()).cloned();
    }
    grants.sort_unstable();
    Ok(grants)
}

pub(in crate::collect) fn requests() -> Vec<Get> {
    BINDINGS
        .into_iter()
        .chain(ROLES)
        .map(|(resource, _)| request(resource))
        .collect()
}

fn request(resource: &str) -> Get {
    Get::list(GROUP, "v1", resource, None)
}

impl Binding {
    /// What it grants each of the accounts; one entry for each subject that is the account or has it as a member.
    fn grants(&self, shuttle: &ShuttleTerms) -> Vec<Grant> {
        let accounts = [&shuttle.agent.service_account, &shuttle.node.service_account];
        let subjects = self.subjects.as_deref().unwrap_or_default();
        let mut grants: Vec<Grant> = accounts
            .into_iter()
            .flat_map(|account| subjects.iter().map(move |subject| (account, subject)))
            .filter(|(account, subject)| subject.is(&shuttle.namespace, account))
            .map(|(account, subject)| Grant {
                account: account.clone(),
                group: (subject.kind == "Group").then(|| subject.name.clone()),
                namespace: self.metadata.namespace.clone(),
                binding: self.metadata.name.clone(),
                role_kind: self.role_ref.kind.clone(),
                role: self.role_ref.name.clone(),
                rules: None,
            })
            .collect();
        grants.dedup();
        grants
    }
}

impl Subject {
    /// Whether it is that ServiceAccount, by any of the names under which RBAC knows it.
    fn is(&self, namespace: &str, account: &str) -> bool {
        match self.kind.as_str() {
            "ServiceAccount" => self.name == account && self.namespace.as_deref() == Some(namespace),
            "User" => self.name == format!("system:serviceaccount:{namespace}:{account}"),
            "Group" => {
                matches!(self.name.as_str(), "system:serviceaccounts" | "system:authenticated")
                    || self.name == format!("system:serviceaccounts:{namespace}")
            }
            _ => false,
        }
    }
}

// === impl Grant ===

impl Grant {
    fn role_key(&self) -> RoleKey {
        let namespace = (self.role_kind == "Role").then(|| self.namespace.clone()).flatten();
        (namespace, self.role.clone())
    }
}

// === impl PolicyRule ===

impl From<RawRule> for PolicyRule {
    fn from(raw: RawRule) -> Self {
        Self {
            verbs: raw.verbs.unwrap_or_default(),
            groups: raw.api_groups.unwrap_or_default(),
            resources: raw.resources.unwrap_or_default(),
            names: raw.resource_names.unwrap_or_default(),
            urls: raw.urls.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;
    use rstest::rstest;

    #[rstest]
    #[case(r#"{"kind":"ServiceAccount","name":"shuttle","namespace":"starform-system"}"#, &["shuttle"])]
    #[case(r#"{"kind":"ServiceAccount","name":"shuttle","namespace":"tenant"}"#, &[])]
    #[case(r#"{"kind":"User","name":"system:serviceaccount:starform-system:shuttle-node"}"#, &["shuttle-node"])]
    #[case(r#"{"kind":"User","name":"shuttle"}"#, &[])]
    #[case(r#"{"kind":"Group","name":"system:serviceaccounts:starform-system"}"#, &["shuttle", "shuttle-node"])]
    #[case(r#"{"kind":"Group","name":"system:authenticated"}"#, &["shuttle", "shuttle-node"])]
    #[case(r#"{"kind":"Group","name":"system:masters"}"#, &[])]
    fn an_account_is_known_by_each_of_its_names(#[case] subject: &str, #[case] accounts: &[&str]) {
        let binding: Binding = serde_json::from_str(&format!(
            r#"{{"metadata":{{"name":"b"}},"subjects":[{subject},{subject}],"roleRef":{{"kind":"ClusterRole","name":"r"}}}}"#
        ))
        .unwrap();
        let grants = binding.grants(&Contract::embedded().unwrap().components.shuttle);
        assert_eq!(
            grants.iter().map(|grant| grant.account.as_str()).collect::<Vec<_>>(),
            accounts
        );
    }
}
