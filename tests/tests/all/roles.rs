//! The roles that `starform-verify rbac` prints are enough, and none of them is too much: without any one rule exactly
//! the checks that rest on it become unknown, and say which permission is missing.

use serde_json::Value;
use starform_verify::collect::rbac::{self, Rule, RuleOptions};
use starform_verify::contract::{Contract, StepId};
use starform_verify::evaluate::{CHECKS, Selection, SelectionRequest};
use starform_verify::evidence::Vantage;
use std::collections::BTreeSet;
use testbed::{Cluster, cluster};

const USER: &str = "auditor";
/// Shuttle is not installed here, and a Role cannot stand in a namespace that is not there.
const STEPS: [StepId; 2] = [StepId::One, StepId::Three];
/// Helm's group reads Secrets, and looks at a component only where its release is missing: it is tried without a cluster.
const STEP: [&str; 4] = ["--step", "1,3", "--ignore-group", "helm"];

struct Audit {
    exit: i32,
    checks: Vec<Value>,
}

fn audit(cluster: &Cluster) -> Audit {
    let auditor = testbed::auditor().unwrap();
    let output = cluster
        .exec(&[&[auditor.to_str().unwrap(), "--as", USER, "-o", "json"][..], &STEP].concat())
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let steps = report["steps"].as_array().unwrap();
    let checks = steps
        .iter()
        .flat_map(|step| step["checks"].as_array().unwrap().clone())
        .collect();
    Audit {
        exit: output.status.code().unwrap(),
        checks,
    }
}

fn unknown(audit: &Audit) -> BTreeSet<String> {
    let unknown = audit.checks.iter().filter(|check| check["verdict"] == "unknown");
    unknown
        .map(|check| check["code"].as_str().unwrap().to_owned())
        .collect()
}

/// What `starform-verify rbac` prints.
fn printed(cluster: &Cluster) -> Vec<Value> {
    let auditor = testbed::auditor().unwrap();
    let printed = cluster
        .run(&[&[auditor.to_str().unwrap(), "rbac", "--user", USER][..], &STEP].concat())
        .unwrap();
    serde_saphyr::from_multiple(&printed).unwrap()
}

/// The printed roles, less the rule of that role and place in it.
fn apply(cluster: &Cluster, without: Option<(&Rule, &str)>) {
    let mut documents = printed(cluster);
    if let Some((rule, verb)) = without {
        let kind = if rule.namespace.is_some() {
            "Role"
        } else {
            "ClusterRole"
        };
        let mut removed = 0;
        for document in documents.iter_mut().filter(|document| document["kind"] == kind) {
            if document["metadata"]["namespace"].as_str() != rule.namespace.as_deref() {
                continue;
            }
            let rules = document["rules"].as_array_mut().unwrap();
            for printed in rules.iter_mut() {
                let has = |key: &str, value: &str| printed[key].as_array().unwrap().iter().any(|v| v == value);
                if has("apiGroups", &rule.group) && has("resources", &rule.resource) && has("verbs", verb) {
                    let resources = printed["resources"].as_array_mut().unwrap();
                    resources.retain(|resource| resource != rule.resource.as_str());
                    removed += 1;
                }
            }
            rules.retain(|rule| !rule["resources"].as_array().unwrap().is_empty());
        }
        assert_eq!(removed, 1, "{rule:?} is not printed once:\n{documents:#?}");
    }
    kubectl(cluster, "apply", &documents);
}

/// Takes the roles away again: other tests have this cluster too.
fn delete(cluster: &Cluster) {
    kubectl(cluster, "delete", &printed(cluster));
}

fn kubectl(cluster: &Cluster, verb: &str, documents: &[Value]) {
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": documents});
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), list.to_string()).unwrap();
    cluster
        .run(&["kubectl", verb, "-f", file.path().to_str().unwrap()])
        .unwrap();
}

/// The checks that rest on a source that needs the rule, directly or through others.
fn resting_on(rule: &Rule) -> BTreeSet<String> {
    CHECKS
        .iter()
        .filter(|check| STEPS.contains(&check.step) && !check.groups.contains(&"helm"))
        .filter(|check| {
            let request = SelectionRequest {
                checks: vec![check.code.to_owned()],
                ..SelectionRequest::default()
            };
            let sources = Selection::new(&request).unwrap().sources();
            sources.iter().any(|source| rule.for_source(*source))
        })
        .map(|check| check.code.to_owned())
        .collect()
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn the_printed_roles_are_enough_and_none_is_too_much() {
    let cluster = cluster().unwrap();
    cluster.mend().unwrap();
    apply(&cluster, None);
    // A cluster that has just been made has no pod yet that is old enough to be judged.
    let whole = until(&cluster, 120, |audit| unknown(audit).is_empty());
    assert_eq!(unknown(&whole), BTreeSet::new());
    assert_eq!(
        whole.exit,
        0,
        "{:?}",
        whole
            .checks
            .iter()
            .filter(|c| c["verdict"] != "pass")
            .collect::<Vec<_>>()
    );

    let contract = Contract::embedded().unwrap();
    let options = RuleOptions {
        vantage: Vantage::Outside,
        accepted_namespaces: false,
        shards: false,
        releases: &STEPS.into_iter().collect(),
    };
    let request = SelectionRequest {
        steps: STEPS.to_vec(),
        ignored_groups: vec!["helm".to_owned()],
        ..SelectionRequest::default()
    };
    let rules = rbac::rules(&Selection::new(&request).unwrap().sources(), &contract, options);
    assert!(rules.len() >= 10, "{rules:?}");
    for rule in &rules {
        let verb = &rule.verbs[0];
        apply(&cluster, Some((rule, verb)));
        let expected = resting_on(rule);
        let less = until(&cluster, 10, |audit| unknown(audit) == expected);
        assert_eq!(unknown(&less), expected, "without {verb} {}", rule.resource);
        assert_eq!(less.exit, 5, "without {verb} {}", rule.resource);
        for check in less.checks.iter().filter(|check| check["verdict"] == "unknown") {
            let observed = check["observed"].as_str().unwrap();
            assert!(
                observed.contains(&format!("{verb} {}", rule.resource)),
                "{} without {verb} {}: {observed}",
                check["code"],
                rule.resource
            );
        }
    }
    delete(&cluster);
}

/// Audits until the authorizer has seen the change; the last audit where it never does.
fn until(cluster: &Cluster, times: u32, done: impl Fn(&Audit) -> bool) -> Audit {
    for _ in 0..times {
        let seen = audit(cluster);
        if done(&seen) {
            return seen;
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    audit(cluster)
}
