//! Reports for tests of the renderings.

use starform_verify::contract::{Contract, StepId};
use starform_verify::evaluate::CHECKS;
use starform_verify::evidence::{Access, Reason, Unknown, Vantage};
use starform_verify::report::{
    CheckResult, Counts, FirstBroken, Fix, ObjectReference, REPORT_VERSION, Report, StepReport, Subject, Summary,
    Times, ToolError, Verdict,
};

/// Everything passes but one warning.
pub(crate) fn healthy() -> Report {
    let mut report = build(
        |code| {
            Some(match code {
                "SF103" => Verdict::Warn,
                "SF312" | "SF327" => Verdict::NotApplicable,
                _ => Verdict::Pass,
            })
        },
        "conforms: steps 1, 3 (25 checks passed, 1 warning)",
    );
    tell(
        &mut report,
        "SF103",
        "2 of 2 nodes have no providerID of DigitalOcean",
        "digitalocean://… on every node",
    );
    tell(
        &mut report,
        "SF312",
        "no HorizontalPodAutoscaler scales on resource metrics",
        "",
    );
    tell(&mut report, "SF327", "no pod carries a contract label yet", "");
    report
}

/// kube-state-metrics 2.18.0 with a wildcard in its allow-list.
pub(crate) fn wildcard() -> Report {
    let mut report = build(
        |code| {
            Some(match code {
                "SF325" | "SF326" | "SF327" | "SF328" | "SF329" => Verdict::Blocked,
                "SF324" => Verdict::Fail,
                "SF308" => Verdict::Warn,
                _ => Verdict::Pass,
            })
        },
        "step 3 is broken: SF324 the allow-list puts every contract label on kube_pod_labels: kube-state-metrics 2.18.0 takes starform.io/* for a key, so that it matches no label",
    );
    tell(
        &mut report,
        "SF308",
        "7 of 214 running pods have no PodMetrics",
        "PodMetrics of every running pod older than 30s",
    );
    tell(
        &mut report,
        "SF324",
        "kube-state-metrics 2.18.0 takes starform.io/* for a key, so that it matches no label",
        "pods=[starform.io/cluster-id,starform.io/region,starform.io/project,starform.io/app,starform.io/deployment]",
    );
    for check in report.steps.iter_mut().flat_map(|step| &mut step.checks) {
        match check.code.as_str() {
            "SF308" => {
                check.objects = (1..=7)
                    .map(|n| reference("Pod", Some("shop"), &format!("cart-6f7d9c5b4-{n:05}")))
                    .collect();
            }
            "SF324" => {
                check.objects = vec![reference("Deployment", Some("kube-system"), "kube-state-metrics")];
                check.fix = Some(Fix {
                    summary: "upgrade to the contract's chart, whose values name each key".to_owned(),
                    commands: vec![
                        "helm upgrade kube-state-metrics prometheus-community/kube-state-metrics --version 8.4.0 --namespace kube-system -f ksm.values.yaml".to_owned(),
                        "kubectl -n kube-system rollout status deployment/kube-state-metrics".to_owned(),
                    ],
                    changes: true,
                    in_clone: false,
                    proof: Some("starform-verify --check SF324 --wait 10m".to_owned()),
                });
            }
            _ if check.verdict == Verdict::Blocked => check.behind = Some("SF324".to_owned()),
            _ => {}
        }
    }
    report.summary.first_broken = Some(first_broken("SF324"));
    report
}

/// The identity in use may not list pods.
pub(crate) fn forbidden() -> Report {
    let mut report = build(
        |code| {
            Some(match code {
                "SF308" | "SF309" | "SF325" => Verdict::Unknown,
                _ => Verdict::Pass,
            })
        },
        "cannot tell whether step 3 is kept: forbidden: list pods (SF308)",
    );
    let message = "pods is forbidden: User \"auditor\" cannot list resource \"pods\"";
    let unknown = Unknown {
        access: Some(Access {
            verb: "list".to_owned(),
            group: String::new(),
            resource: "pods".to_owned(),
            namespace: None,
            name: None,
        }),
        ..Unknown::new(Reason::Forbidden, "GET /api/v1/pods", message)
    };
    for check in report.steps.iter_mut().flat_map(|step| &mut step.checks) {
        if check.verdict == Verdict::Unknown {
            check.observed = unknown.to_string();
            check.unknown = Some(unknown.clone());
            check.fix = Some(Fix {
                summary: "let someone who may grant it apply the least roles for this audit".to_owned(),
                commands: vec!["starform-verify rbac --step 3 --user NAME | kubectl apply -f -".to_owned()],
                changes: true,
                in_clone: false,
                proof: None,
            });
        }
        if check.code == "SF309" {
            check.behind = Some("SF308".to_owned());
        }
    }
    report.summary.first_broken = Some(first_broken("SF308"));
    report
}

/// No API server answered.
pub(crate) fn unreachable() -> Report {
    let mut report = build(|_| None, "");
    let hint = "is the cluster's address right? kubectl config view --minify".to_owned();
    report.error = Some(ToolError {
        tried: Some("https://127.0.0.1:6443, context testbed, kubeconfig ~/.kube/config".to_owned()),
        ..ToolError::new("no API server answered: connection refused", vec![hint])
    });
    report
}

fn first_broken(code: &str) -> FirstBroken {
    FirstBroken {
        code: code.to_owned(),
        step: StepId::Three,
    }
}

fn reference(kind: &str, namespace: Option<&str>, name: &str) -> ObjectReference {
    ObjectReference {
        kind: kind.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    }
}

fn tell(report: &mut Report, code: &str, observed: &str, expected: &str) {
    for check in report.steps.iter_mut().flat_map(|step| &mut step.checks) {
        if check.code == code {
            check.observed = observed.to_owned();
            check.expected = expected.to_owned();
        }
    }
}

fn build(verdict: impl Fn(&str) -> Option<Verdict>, answer: &str) -> Report {
    let contract = Contract::embedded().expect("the embedded contract is valid");
    let mut counts = Counts::default();
    let results: Vec<(StepId, CheckResult)> = CHECKS
        .iter()
        .filter_map(|check| {
            let verdict = verdict(check.code)?;
            counts.add(verdict);
            let terms = contract.check(check.code).expect("every check has terms");
            let result = CheckResult {
                code: check.code.to_owned(),
                slug: check.slug.to_owned(),
                title: check.title.to_owned(),
                severity: terms.severity,
                gates: terms.gates,
                verdict,
                observed: "as it should be".to_owned(),
                expected: String::new(),
                objects: Vec::new(),
                fix: None,
                behind: None,
                unknown: None,
                option: None,
                lasting: false,
                waiver: None,
            };
            Some((check.step, result))
        })
        .collect();
    let steps: Vec<StepReport> = contract
        .steps
        .iter()
        .map(|step| StepReport {
            id: step.id,
            title: step.title.clone(),
            checks: results
                .iter()
                .filter(|(id, _)| *id == step.id)
                .map(|(_, result)| result.clone())
                .collect(),
        })
        .collect();
    Report {
        api_version: REPORT_VERSION.to_owned(),
        kind: "Report".to_owned(),
        tool_version: "0.0.0-test".to_owned(),
        contract: "sha256:0123456789abcdef0123456789abcdef".to_owned(),
        subject: Subject {
            manifests: None,
            context: Some("do-fra1-shop".to_owned()),
            uid: Some("2f6f8f0e-6d3c-4d6e-8f54-6d3f0b0c5a11".to_owned()),
            kubernetes: Some("v1.35.4".to_owned()),
            nodes: Some(2),
            region: Some("fra1".to_owned()),
            vantage: Vantage::Outside,
        },
        summary: Summary {
            conforms: counts.fail + counts.unknown + counts.blocked == 0,
            answer: answer.to_owned(),
            first_broken: None,
            counts,
            not_audited: steps
                .iter()
                .filter(|step| step.checks.is_empty())
                .map(|step| step.id)
                .collect(),
            ignored: Vec::new(),
        },
        steps,
        times: Times {
            collected: "2026-11-22T14:24:56.25Z".parse().expect("a time"),
            server: None,
            took_ms: 412,
            waited: None,
        },
        error: None,
    }
}
