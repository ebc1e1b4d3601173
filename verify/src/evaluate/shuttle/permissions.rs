//! Step 5: what Shuttle's accounts may do, against what they need.

use super::status::install;
use crate::collect::rbac;
use crate::contract::{Permission, ShuttleRole};
use crate::evaluate::fix::{Advice, cluster_object, count, names, object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::{Access, Grant, PolicyRule};
use crate::report::ObjectReference;

/// SF509.
pub(in crate::evaluate) fn not_wider(subject: Subject<'_>) -> Judge {
    let shuttle = &subject.contract.components.shuttle;
    let grants = (subject.evidence.shuttle.grants)
        .or_else(|| Outcome::undetermined("the API server says that it has no roles"))?;
    let mut wider: Vec<Excess<'_>> = Vec::new();
    for role in [&shuttle.agent, &shuttle.node] {
        let own: Vec<&Grant> = grants
            .iter()
            .filter(|grant| grant.account == role.service_account)
            .collect();
        let needed = needed(subject, role);
        if let Some(missing) = missing(subject, role, &own, &needed) {
            return Ok(missing);
        }
        for grant in own {
            let rules = grant.rules.iter().flatten();
            for excess in rules.flat_map(|rule| beyond(rule, grant.namespace.as_deref(), &needed)) {
                wider.push(Excess { grant, what: excess });
            }
        }
    }
    // What every account of the cluster has is not Shuttle's doing, and still more than it needs.
    let (of_all, own): (Vec<_>, Vec<_>) = wider.into_iter().partition(|excess| excess.grant.is_everyones());
    let (blamed, outcome) = match (own.is_empty(), of_all.is_empty()) {
        (true, true) => return Ok(Outcome::pass(count(grants.len(), "binding"))),
        (true, false) => (of_all, Outcome::warn as fn(String) -> Outcome),
        (false, _) => (own, Outcome::fail as fn(String) -> Outcome),
    };
    let mut objects: Vec<ObjectReference> = blamed.iter().map(|excess| excess.grant.object()).collect();
    objects.dedup();
    Ok(outcome(names(blamed.iter().map(Excess::to_string)))
        .expected("what the collectors read inside, and what the contract names for the agent's own work")
        .objects(objects)
        .fix(Advice {
            summary: "take the binding away, and apply the manifests as they are".to_owned(),
            ..install(subject)
        })
        .lasting())
}

/// A permission that an account has and does not need.
struct Excess<'a> {
    grant: &'a Grant,
    what: String,
}

/// What an account needs: for the agent also what its collectors do.
fn needed(subject: Subject<'_>, role: &ShuttleRole) -> Vec<Permission> {
    let shuttle = &subject.contract.components.shuttle;
    let mut needed = role.permissions.clone();
    needed.extend(shuttle.every_account.iter().cloned());
    if role.service_account == shuttle.agent.service_account {
        let collected = rbac::inside(subject.contract, true).into_iter();
        needed.extend(collected.map(|rule| Permission {
            // Beyond Shuttle's own namespace the manifests give it everywhere: a component may stand in any that the
            // contract accepts, and those need not be there yet.
            namespace: rule.namespace.filter(|namespace| *namespace == shuttle.namespace),
            group: rule.group,
            resource: rule.resource,
            verbs: rule.verbs,
            names: rule.names,
            urls: Vec::new(),
        }));
    }
    needed
}

/// An account without any grant of a kind that it needs cannot be the one that works here, or the list was not whole.
fn missing(subject: Subject<'_>, role: &ShuttleRole, own: &[&Grant], needed: &[Permission]) -> Option<Outcome> {
    let account = format!(
        "{}/{}",
        subject.contract.components.shuttle.namespace, role.service_account
    );
    if let Some(grant) = own.iter().find(|grant| grant.rules.is_none() && !grant.is_everyones()) {
        return Some(
            Outcome::undetermined(format!(
                "{} {}, which {} names, is not there",
                grant.role_kind,
                grant.role,
                grant.name()
            ))
            .objects([grant.object()]),
        );
    }
    let direct =
        |limited: bool| (own.iter()).any(|grant| !grant.is_everyones() && grant.namespace.is_some() == limited);
    // Addresses without a resource are everybody's to read.
    let needs = |limited: bool| {
        let mut resources = needed.iter().filter(|permission| permission.urls.is_empty());
        resources.any(|permission| permission.namespace.is_some() == limited)
    };
    let kind = if needs(false) && !direct(false) {
        "ClusterRoleBinding"
    } else if needs(true) && !direct(true) && role.permissions.iter().any(|own| own.namespace.is_some()) {
        "RoleBinding"
    } else {
        return None;
    };
    Some(
        Outcome::undetermined(format!(
            "no {kind} binds ServiceAccount {account}: it could not do its work"
        ))
        .expected("the bindings of Shuttle's manifests"),
    )
}

/// What of a rule goes beyond what is needed, in words.
fn beyond(rule: &PolicyRule, namespace: Option<&str>, needed: &[Permission]) -> Vec<String> {
    let mut beyond = Vec::new();
    for verb in &rule.verbs {
        for url in &rule.urls {
            let covers = |permission: &Permission| permission.verbs.contains(verb) && permission.urls.contains(url);
            if !needed.iter().any(covers) {
                beyond.push(format!("{verb} {url}"));
            }
        }
        for group in &rule.groups {
            for resource in &rule.resources {
                // A rule without names is one about all of them.
                let names: Vec<Option<&String>> = if rule.names.is_empty() {
                    vec![None]
                } else {
                    rule.names.iter().map(Some).collect()
                };
                for name in names {
                    let covers = |permission: &Permission| {
                        permission.verbs.contains(verb)
                            && permission.group == *group
                            && permission.resource == *resource
                            && (permission.namespace.is_none() || permission.namespace.as_deref() == namespace)
                            && (permission.names.is_empty() || name.is_some_and(|name| permission.names.contains(name)))
                    };
                    if !needed.iter().any(covers) {
                        let access = Access {
                            verb: verb.clone(),
                            group: group.clone(),
                            resource: resource.clone(),
                            namespace: namespace.map(str::to_owned),
                            name: name.cloned(),
                        };
                        beyond.push(access.to_string());
                    }
                }
            }
        }
    }
    beyond
}

// === impl Grant ===

impl Grant {
    /// Whether every account of the cluster has it.
    fn is_everyones(&self) -> bool {
        matches!(
            self.group.as_deref(),
            Some("system:serviceaccounts" | "system:authenticated")
        )
    }

    fn object(&self) -> ObjectReference {
        match &self.namespace {
            Some(namespace) => object("RoleBinding", namespace, &self.binding),
            None => cluster_object("ClusterRoleBinding", &self.binding),
        }
    }

    fn name(&self) -> String {
        let object = self.object();
        format!("{} {}", object.kind, object.name)
    }
}

impl std::fmt::Display for Excess<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Grant { account, .. } = self.grant;
        write!(f, "{account} may {} ({})", self.what, self.grant.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn needed() -> Vec<Permission> {
        serde_json::from_str(
            r#"[{"resource":"pods","verbs":["list","patch"]},
                {"resource":"configmaps","verbs":["patch"],"namespace":"home","names":["status"]},
                {"group":"apps","resource":"deployments","verbs":["list"],"namespace":"kube-system"},
                {"verbs":["get"],"urls":["/version"]}]"#,
        )
        .unwrap()
    }

    #[rstest]
    #[case::as_needed(None, r#"{"verbs":["list","patch"],"groups":[""],"resources":["pods"]}"#, &[])]
    #[case::less(None, r#"{"verbs":["list"],"groups":[""],"resources":["pods"],"names":["a"]}"#, &[])]
    #[case::in_one_namespace(Some("shop"), r#"{"verbs":["patch"],"groups":[""],"resources":["pods"]}"#, &[])]
    #[case::another_verb(None, r#"{"verbs":["list","delete"],"groups":[""],"resources":["pods"]}"#, &["delete pods"])]
    #[case::any_verb(None, r#"{"verbs":["*"],"groups":[""],"resources":["pods"]}"#, &["* pods"])]
    #[case::any_group(None, r#"{"verbs":["list"],"groups":["*"],"resources":["pods"]}"#, &["list pods.*"])]
    #[case::a_subresource(None, r#"{"verbs":["patch"],"groups":[""],"resources":["pods/status"]}"#, &["patch pods/status"])]
    #[case::another_group(None, r#"{"verbs":["list"],"groups":["metrics.k8s.io"],"resources":["pods"]}"#, &["list pods.metrics.k8s.io"])]
    #[case::by_name(Some("home"), r#"{"verbs":["patch"],"groups":[""],"resources":["configmaps"],"names":["status"]}"#, &[])]
    #[case::another_name(Some("home"), r#"{"verbs":["patch"],"groups":[""],"resources":["configmaps"],"names":["status","x"]}"#,
        &["patch configmaps x in namespace home"])]
    #[case::all_names(Some("home"), r#"{"verbs":["patch"],"groups":[""],"resources":["configmaps"]}"#,
        &["patch configmaps in namespace home"])]
    #[case::another_namespace(Some("shop"), r#"{"verbs":["patch"],"groups":[""],"resources":["configmaps"],"names":["status"]}"#,
        &["patch configmaps status in namespace shop"])]
    #[case::every_namespace(None, r#"{"verbs":["list"],"groups":["apps"],"resources":["deployments"]}"#, &["list deployments.apps"])]
    #[case::path(None, r#"{"verbs":["get"],"urls":["/version"]}"#, &[])]
    #[case::another_path(None, r#"{"verbs":["get"],"urls":["/metrics"]}"#, &["get /metrics"])]
    #[case::no_verb(None, r#"{"groups":[""],"resources":["secrets"]}"#, &[])]
    fn a_rule_is_compared_verb_by_verb(#[case] namespace: Option<&str>, #[case] rule: &str, #[case] expected: &[&str]) {
        let given: serde_json::Value = serde_json::from_str(rule).unwrap();
        // What the role does not say is empty in evidence.
        let mut whole = serde_json::to_value(PolicyRule::default()).unwrap();
        whole
            .as_object_mut()
            .unwrap()
            .extend(given.as_object().unwrap().clone());
        let rule: PolicyRule = serde_json::from_value(whole).unwrap();
        assert_eq!(beyond(&rule, namespace, &needed()), expected);
    }
}
