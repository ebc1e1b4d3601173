//! How the permissions that are missing are got: the line that makes the least roles, with every flag that it takes.

use super::fix::{Advice, Command, fix};
use super::subject::Subject;
use crate::checks::check;
use crate::contract::Contract;
use crate::evidence::{Access, Reason, Unknown, Vantage};
use crate::report::CheckResult;
use std::collections::BTreeSet;

/// Tells each check that lacks a permission how all that are missing are got. Inside the cluster its own manifests grant them.
pub(super) fn advise<'a>(subject: Subject<'_>, results: impl Iterator<Item = &'a mut CheckResult>) {
    if subject.evidence.target.vantage == Vantage::Inside {
        return;
    }
    let lacking: Vec<&mut CheckResult> = results.filter(|result| refused(result).is_some()).collect();
    if lacking.is_empty() {
        return;
    }
    let all: Vec<Access> = lacking.iter().filter_map(|result| refused(result)).cloned().collect();
    let advice = advice(subject, &all);
    for result in lacking {
        if let (None, Some(check)) = (&result.fix, check(&result.code)) {
            result.fix = Some(advice.clone().typed(subject, check, result.verdict));
        }
    }
}

fn refused(result: &CheckResult) -> Option<&Access> {
    let of = |unknown: &&Unknown| unknown.reason == Reason::Forbidden;
    let access = result.unknown.as_ref().filter(of)?.access.as_ref()?;
    // To act as somebody else is no permission of an audit.
    (access.verb != "impersonate").then_some(access)
}

fn advice(subject: Subject<'_>, refused: &[Access]) -> Advice {
    let line = Command::that_changes(line(subject, refused));
    fix(
        "let someone who may grant it apply the least roles for this audit",
        [line],
    )
}

/// The line. `NAME` is the user that the audit is known as: `kubectl auth whoami` says it.
pub(super) fn line<'a>(subject: Subject<'_>, refused: impl IntoIterator<Item = &'a Access>) -> String {
    let Subject { contract, evidence } = subject;
    let mut words = vec!["starform-verify rbac".to_owned()];
    let selection = evidence.selection.as_ref().map(|recorded| recorded.request.to_string());
    words.extend(selection.filter(|typed| !typed.is_empty()));
    let (mut namespaces, mut sharded) = (BTreeSet::new(), false);
    let own = contract.own_namespaces();
    let accepted = contract.accepted_namespaces();
    let of_state_metrics = &contract.components.kube_state_metrics.namespaces;
    for access in refused {
        let Some(namespace) = &access.namespace else { continue };
        if accepted.contains(namespace.as_str()) && !own.contains(namespace.as_str()) {
            namespaces.insert(namespace.as_str());
        }
        sharded |= access.resource == "pods/proxy" && of_state_metrics.contains(namespace);
    }
    if !namespaces.is_empty() {
        let names: Vec<&str> = namespaces.into_iter().collect();
        words.push(format!("--namespace {}", names.join(",")));
    }
    if sharded {
        words.push("--sharded".to_owned());
    }
    if Contract::embedded().is_ok_and(|embedded| embedded.digest != contract.digest) {
        let named = evidence
            .selection
            .as_ref()
            .and_then(|recorded| recorded.named.contract.as_deref());
        words.push(format!(
            "--contract {}",
            named.map_or_else(|| "FILE".into(), shell_words::quote)
        ));
    }
    words.push("--user NAME".to_owned());
    format!("{} | {}", words.join(" "), subject.kubectl(["apply", "-f", "-"]).line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Evidence, Named, RecordedSelection, SelectionRequest, Target};
    use crate::step::StepId;
    use jiff::Timestamp;
    use rstest::rstest;

    fn access(resource: &str, namespace: Option<&str>) -> Access {
        Access {
            verb: "get".to_owned(),
            group: String::new(),
            resource: resource.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: None,
        }
    }

    #[rstest]
    #[case::of_the_cluster(access("nodes", None), "")]
    #[case::of_the_contract_s_own(access("services/proxy", Some("kube-system")), "")]
    #[case::of_another_that_is_accepted(access("services/proxy", Some("default")), " --namespace default")]
    #[case::of_a_shard(access("pods/proxy", Some("kube-system")), " --sharded")]
    #[case::of_a_collector(access("pods/proxy", Some("telemetry")), "")]
    #[case::of_a_tenant(access("pods", Some("shop")), "")]
    fn the_line_has_the_flags_that_it_takes(#[case] refused: Access, #[case] flags: &str) {
        let contract = Contract::embedded().unwrap();
        let target = Target {
            context: Some("prod eu".to_owned()),
            context_named: true,
            ..Target::outside()
        };
        let mut evidence = Evidence::empty(target, contract.digest.clone(), Vec::new(), Timestamp::UNIX_EPOCH);
        let line = |contract: &Contract, evidence: &Evidence| line(Subject { contract, evidence }, [&refused]);
        let apply = "--user NAME | kubectl --context 'prod eu' apply -f -";
        assert_eq!(
            line(&contract, &evidence),
            format!("starform-verify rbac{flags} {apply}")
        );
        evidence.selection = Some(RecordedSelection {
            request: SelectionRequest {
                steps: vec![StepId::Three],
                ignored_groups: vec!["helm".to_owned()],
                ..SelectionRequest::default()
            },
            starbase: false,
            stores: false,
            terraform: false,
            named: Named {
                contract: Some("our contract.yaml".to_owned()),
                ..Named::default()
            },
        });
        let selected = format!("starform-verify rbac --step 3 --ignore-group helm{flags} {apply}");
        assert_eq!(line(&contract, &evidence), selected);
        let other = Contract::parse(&format!("{}\n# ours\n", Contract::embedded_text()), "ours").unwrap();
        assert!(line(&other, &evidence).contains("--contract 'our contract.yaml' --user NAME"));
        evidence.selection = None;
        assert!(line(&other, &evidence).contains("--contract FILE --user NAME"));
    }
}
