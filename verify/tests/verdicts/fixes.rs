//! What is printed to mend a cluster can be typed in it: whatever stands in the way of an installation comes before it.

use crate::given::{healthy, judge, result, seen, server, state_metrics};
use crate::releases::history;
use rstest::rstest;
use starform_verify::contract::Contract;
use starform_verify::evaluate::CHECKS;
use starform_verify::evidence::{
    Evidence, ImmutableObject, Keeper, LastChange, Observed, OwnCommand, VolumeKind, Workload, WorkloadKind,
};
use starform_verify::report::Fix;

/// What is advised of a check.
fn fix(evidence: &Evidence, code: &str) -> Fix {
    let check = result(&judge(evidence), code);
    check.fix.unwrap_or_else(|| panic!("{code}: {}", check.observed))
}

/// Without its allow-list, which an installation by the contract's values mends.
fn without_allow_list() -> Evidence {
    let mut evidence = healthy();
    state_metrics(&mut evidence).flags.remove("--metric-labels-allowlist");
    evidence
}

const INSTALL: &str = "helm upgrade --install kube-state-metrics kube-state-metrics --repo \
                       https://prometheus-community.github.io/helm-charts --version 8.4.0 --namespace kube-system \
                       --values manifests/helm/ksm.values.yaml --wait";
const FORCED: &str =
    " $(helm version --template '{{.Version}}' | sed -n 's/^v4.*/--server-side=true --force-conflicts/p')";

#[test]
fn where_nothing_stands_in_the_way_it_is_one_command_and_its_proof() {
    let fix = fix(&without_allow_list(), "SF324");
    assert_eq!(fix.commands, [INSTALL]);
    assert_eq!(fix.proof.unwrap(), "starform-verify --check SF324 --wait 10m");
    assert!(fix.changes && fix.in_clone);
}

#[test]
fn one_only_looks_where_nothing_is_changed() {
    let mut evidence = healthy();
    state_metrics(&mut evidence).ready = 0;
    let fix = fix(&evidence, "SF321");
    assert!(!fix.changes && fix.proof.is_none() && !fix.in_clone, "{fix:?}");
    // Of what was seen, not of what the contract's chart would make.
    state_metrics(&mut evidence).selector = Some("k8s-app=ksm".to_owned());
    let fix = self::fix(&evidence, "SF321");
    assert_eq!(
        fix.commands[0],
        "kubectl --namespace kube-system describe pods --selector 'k8s-app=ksm'"
    );
}

#[test]
fn a_warning_is_proven_by_what_ends_with_success_only_without_one() {
    let mut evidence = healthy();
    server(&mut evidence)
        .flags
        .insert("--kubelet-insecure-tls".to_owned(), vec![String::new()]);
    let fix = fix(&evidence, "SF311");
    assert_eq!(
        fix.proof.unwrap(),
        "starform-verify --check SF311 --fail-on warning --wait 10m"
    );
}

#[rstest]
#[case::argo_cd(
    Keeper::ArgoCd { application: "team_metrics".to_owned() },
    "Argo CD (Application team_metrics)",
    "kubectl get applications.argoproj.io --all-namespaces --field-selector 'metadata.name=metrics'"
)]
#[case::argo_cd_that_does_not_tell_its_application(
    Keeper::ArgoCd { application: String::new() },
    "Argo CD",
    "kubectl get applications.argoproj.io --all-namespaces"
)]
#[case::a_helm_release_of_flux(
    Keeper::FluxHelmRelease { namespace: "flux-system".to_owned(), name: "ksm".to_owned() },
    "Flux (HelmRelease flux-system/ksm)",
    "kubectl --namespace flux-system get helmreleases.helm.toolkit.fluxcd.io ksm --output yaml"
)]
#[case::a_kustomization_of_flux(
    Keeper::FluxKustomization { namespace: "flux-system".to_owned(), name: "ksm".to_owned() },
    "Flux (Kustomization flux-system/ksm)",
    "kubectl --namespace flux-system get kustomizations.kustomize.toolkit.fluxcd.io ksm --output yaml"
)]
fn what_a_repository_keeps_is_changed_there(#[case] keeper: Keeper, #[case] who: &str, #[case] look: &str) {
    let mut evidence = without_allow_list();
    state_metrics(&mut evidence).keeper = Some(keeper);
    let fix = fix(&evidence, "SF324");
    let said = format!(
        "in the repository that {who} applies: chart prometheus-community/kube-state-metrics 8.4.0 with \
         manifests/helm/ksm.values.yaml; what is typed in the cluster is taken back"
    );
    assert!(fix.summary.contains(&said), "{}", fix.summary);
    assert_eq!(fix.commands, [look]);
    assert!(fix.changes && fix.proof.is_some());
}

/// Of a larger chart, as kube-prometheus-stack, all else would be taken away.
#[test]
fn a_release_of_another_name_is_upgraded_by_that_name_where_its_chart_is_the_contract_s() {
    let mut evidence = without_allow_list();
    let workload = state_metrics(&mut evidence);
    workload.release = Some("ksm".to_owned());
    workload.release_namespace = Some("monitoring".to_owned());
    let fix = fix(&evidence, "SF324");
    let [only] = fix.commands.as_slice() else {
        panic!("{fix:?}");
    };
    let guarded = "helm list --namespace monitoring --filter '^ksm$' --output json | grep -q \
                   '\"chart\":\"kube-state-metrics-[0-9]' && helm upgrade --install ksm kube-state-metrics --repo ";
    assert!(only.starts_with(guarded), "{only}");
    assert!(only.contains(" --namespace monitoring "), "{only}");
}

/// A second of the same namespace, by somebody else.
fn beside(evidence: &mut Evidence, name: &str, change: fn(&mut Workload)) {
    let mut second = state_metrics(evidence).clone();
    name.clone_into(&mut second.name);
    second.selector = Some(format!("app={name}"));
    change(&mut second);
    seen(&mut evidence.kube_state_metrics.workloads).insert(0, second);
}

#[rstest]
#[case::of_a_larger_chart(|second: &mut Workload| second.release = Some("kube-prometheus-stack".to_owned()))]
#[case::of_no_release(|second: &mut Workload| second.release = None)]
#[case::of_a_repository(|second: &mut Workload| {
    second.release = None;
    second.keeper = Some(Keeper::ArgoCd { application: "kps".to_owned() });
})]
fn what_another_has_made_beside_the_contract_s_release_is_left_alone(#[case] change: fn(&mut Workload)) {
    let mut evidence = without_allow_list();
    beside(&mut evidence, "team-ksm", change);
    let checks = judge(&evidence);
    for code in ["SF324", "SF321"] {
        let fix = result(&checks, code).fix.unwrap();
        let all = fix.commands.join("\n");
        assert!(
            !all.contains("delete") && !all.contains("kube-prometheus-stack kube"),
            "{code}: {all}"
        );
    }
    let told = result(&checks, "SF324");
    if told.objects.iter().any(|object| object.name == "kube-state-metrics") {
        assert_eq!(told.fix.unwrap().commands, [INSTALL]);
    }
}

/// None of them is the contract's release: which is kept is nobody's to guess.
#[test]
fn where_several_have_made_it_one_only_looks() {
    let mut evidence = without_allow_list();
    state_metrics(&mut evidence).release = Some("ours".to_owned());
    beside(&mut evidence, "team-ksm", |second| second.release = None);
    let fix = fix(&evidence, "SF324");
    assert!(!fix.changes, "{fix:?}");
    assert_eq!(fix.commands.len(), 2, "{fix:?}");
}

/// Nothing of the chart is called as it is: Helm would not touch it, and neither does the fix.
#[test]
fn what_no_release_made_and_does_not_collide_stays_its_owner_s() {
    let mut evidence = without_allow_list();
    let workload = state_metrics(&mut evidence);
    workload.release = None;
    workload.name = "team-ksm".to_owned();
    workload.selector = Some("app=team-ksm".to_owned());
    let fix = fix(&evidence, "SF324");
    assert_eq!(fix.commands, [INSTALL]);
    assert!(
        fix.summary
            .contains("team-ksm, which no release of Helm has made, stays beside it"),
        "{}",
        fix.summary
    );
}

#[test]
fn a_first_installation_begins_with_its_namespace_and_names_its_secrets() {
    let mut evidence = healthy();
    seen(&mut evidence.telemetry.fluent_bit.workloads).clear();
    let fix = fix(&evidence, "SF401");
    assert_eq!(
        fix.commands[0],
        "kubectl apply --filename manifests/helm/namespaces.yaml"
    );
    assert!(
        fix.commands[1].starts_with("helm upgrade --install fluent-bit "),
        "{fix:?}"
    );
    assert!(
        fix.summary
            .contains("Secret telemetry-stores and grafana-cloud in namespace telemetry has to be there"),
        "{}",
        fix.summary
    );
}

/// Without Helm's Secrets nobody knows whether a release is stuck.
#[test]
fn where_the_releases_were_not_read_it_is_said_who_tells_of_them() {
    let mut evidence = without_allow_list();
    evidence.releases = Observed::not_collected();
    let fix = fix(&evidence, "SF324");
    assert_eq!(fix.commands, [INSTALL]);
    assert!(
        fix.summary
            .ends_with("another operation is in progress, SF380 tells what comes first"),
        "{}",
        fix.summary
    );
}

#[rstest]
#[case::pending(
    "pending-upgrade",
    Some(1),
    "helm rollback kube-state-metrics 1 --namespace kube-system --wait"
)]
#[case::a_first_that_is_pending(
    "pending-install",
    None,
    "kubectl --namespace kube-system delete secret sh.helm.release.v1.kube-state-metrics.v1"
)]
#[case::being_removed(
    "uninstalling",
    None,
    "helm rollback kube-state-metrics 1 --namespace kube-system --wait"
)]
fn a_stuck_release_is_mended_first(#[case] status: &str, #[case] earlier: Option<u32>, #[case] command: &str) {
    let mut evidence = without_allow_list();
    let history = history(&mut evidence, "kube-state-metrics");
    history.status = status.to_owned();
    history.earlier = earlier;
    let fix = fix(&evidence, "SF324");
    assert_eq!(
        fix.commands,
        [
            "helm status kube-state-metrics --namespace kube-system",
            command,
            INSTALL
        ]
    );
    // Its own check says the same, once.
    let own = self::fix(&evidence, "SF380");
    assert_eq!(own.commands, fix.commands);
}

#[test]
fn helm_installs_over_a_failed_revision() {
    let mut evidence = without_allow_list();
    history(&mut evidence, "kube-state-metrics").status = "failed".to_owned();
    assert_eq!(fix(&evidence, "SF324").commands, [INSTALL]);
}

#[test]
fn what_helm_did_not_make_is_taken_over() {
    let mut evidence = without_allow_list();
    let workload = state_metrics(&mut evidence);
    workload.release = None;
    workload.selector = Some("app.kubernetes.io/instance=kube-state-metrics,app.kubernetes.io/name=x".to_owned());
    assert_eq!(
        fix(&evidence, "SF324").commands,
        [format!("{INSTALL} --take-ownership{FORCED}")]
    );
}

/// As `kubectl apply -f components.yaml` leaves metrics-server.
#[test]
fn what_helm_did_not_make_and_selects_otherwise_is_deleted_first() {
    let mut evidence = healthy();
    let workload = server(&mut evidence);
    workload.release = None;
    workload.selector = Some("k8s-app=metrics-server".to_owned());
    workload
        .flags
        .insert("--kubelet-insecure-tls".to_owned(), vec![String::new()]);
    let service = &mut seen(&mut evidence.metrics_server.services)[0];
    service.selector = [("k8s-app".to_owned(), "metrics-server".to_owned())].into();
    let commands = fix(&evidence, "SF311").commands;
    assert_eq!(
        commands[..2],
        [
            "kubectl --namespace kube-system delete deployment/metrics-server",
            "kubectl --namespace kube-system delete service metrics-server",
        ]
    );
    assert!(
        commands[2].contains(" --wait --take-ownership $(helm version"),
        "{commands:?}"
    );
}

#[test]
fn helm_4_is_told_to_overwrite_what_somebody_else_has_changed() {
    let mut evidence = without_allow_list();
    state_metrics(&mut evidence).last_change = Some(LastChange {
        time: evidence.collected,
        manager: "kubectl-edit".to_owned(),
        operation: "Update".to_owned(),
    });
    assert_eq!(fix(&evidence, "SF324").commands, [format!("{INSTALL}{FORCED}")]);
}

#[test]
fn flags_in_a_command_that_no_chart_writes_are_taken_away_first() {
    let mut evidence = healthy();
    let workload = state_metrics(&mut evidence);
    let flag = "--metric-labels-allowlist".to_owned();
    // The chart's own stands in `args`, behind it.
    let values = workload.flags.get_mut(&flag).unwrap();
    values.insert(0, "pods=[a,]".to_owned());
    workload.own_command = Some(OwnCommand {
        container: "kube-state-metrics".to_owned(),
        flags: vec![flag],
    });
    let check = result(&judge(&evidence), "SF324");
    assert!(
        check
            .observed
            .contains("in `command` of container kube-state-metrics, where no chart writes it"),
        "{}",
        check.observed
    );
    let commands = check.fix.unwrap().commands;
    assert_eq!(
        commands[0],
        "kubectl --namespace kube-system patch deployment/kube-state-metrics --patch \
         '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"command\":null,\"name\":\"kube-state-metrics\"}]}}}}'"
    );
    assert_eq!(commands[1], INSTALL);
}

/// A flag that keeps it from starting, not that it does not run, is what the report begins with.
#[test]
fn the_malformed_flag_comes_before_the_pod_that_does_not_start() {
    let mut evidence = healthy();
    let workload = state_metrics(&mut evidence);
    workload.ready = 0;
    workload
        .flags
        .insert("--metric-labels-allowlist".to_owned(), vec!["pods=[a,]".to_owned()]);
    let report = judge(&evidence);
    assert_eq!(report.first_broken().unwrap().1.code, "SF324");
    let runs = result(&report, "SF321");
    assert!(
        runs.observed
            .ends_with("its --metric-labels-allowlist is malformed, with which it does not start (SF324)"),
        "{}",
        runs.observed
    );
    assert_eq!(runs.fix.unwrap().commands, [INSTALL]);
}

#[rstest]
#[case::a_queue_without_a_claim(true)]
#[case::a_revision_that_failed_on_it(false)]
fn a_stateful_set_whose_change_is_forbidden_is_made_anew(#[case] by_its_volumes: bool) {
    let mut evidence = healthy();
    let workload = &mut seen(&mut evidence.telemetry.vmagent.workloads)[0].workload;
    workload.selector = Some("app.kubernetes.io/instance=vmagent".to_owned());
    assert_eq!(workload.kind, WorkloadKind::StatefulSet);
    let name = workload.name.clone();
    let settings = &mut seen(&mut evidence.telemetry.vmagent_settings)[0];
    settings.scrape = None;
    if by_its_volumes {
        for mount in &mut settings.mounts {
            mount.kind = VolumeKind::EmptyDir;
            mount.capacity = None;
        }
    } else {
        let history = history(&mut evidence, "vmagent");
        history.status = "failed".to_owned();
        seen(&mut history.content).cannot_change = Some(ImmutableObject {
            kind: "StatefulSet".to_owned(),
            name: name.clone(),
        });
    }
    let code = if by_its_volumes { "SF425" } else { "SF424" };
    let commands = fix(&evidence, code).commands;
    // A pod without the claim's volume would stand in the way of its own successor.
    let kept = if by_its_volumes { "" } else { " '--cascade=orphan'" };
    assert_eq!(
        commands[0],
        format!("kubectl --namespace telemetry delete statefulset/{name}{kept}")
    );
    assert!(
        commands[1].starts_with("helm upgrade --install vmagent "),
        "{commands:?}"
    );
}

#[test]
fn the_cluster_and_its_region_are_named_where_the_cluster_tells_them() {
    let mut evidence = healthy();
    seen(&mut evidence.telemetry.vmagent_settings)[0].scrape = None;
    let named = fix(&evidence, "SF424").commands;
    let status = seen(&mut evidence.shuttle.status);
    let (region, cluster) = (status.status.region.clone(), status.status.cluster_id.clone());
    assert!(
        named[0].contains(&format!(
            "--values manifests/helm/regions/{region}.yaml --set-string 'cluster.name={cluster}'"
        )),
        "{named:?}"
    );
    evidence.shuttle.status = Observed::Absent;
    seen(&mut evidence.telemetry.vmagent_settings)[0].labels.clear();
    let unknown = fix(&evidence, "SF424").commands;
    assert!(
        unknown[0].contains("regions/REGION.yaml --set-string 'cluster.name=CLUSTER_ID'"),
        "{unknown:?}"
    );
}

#[test]
fn a_kind_that_is_not_known_is_applied_before_helm_needs_it() {
    let mut evidence = healthy();
    evidence.telemetry.alloys = Observed::Absent;
    let commands = fix(&evidence, "SF444").commands;
    assert_eq!(
        commands[0],
        "helm show crds k8s-monitoring --repo https://grafana.github.io/helm-charts --version 4.4.0 | kubectl apply \
         --server-side --force-conflicts --filename -"
    );
    assert!(
        commands[1].starts_with("helm upgrade --install k8s-monitoring "),
        "{commands:?}"
    );
}

#[test]
fn a_controller_is_upgraded_behind_its_definitions() {
    let mut evidence = healthy();
    seen(&mut history(&mut evidence, "envoy-gateway").content).version = "v1.8.3".to_owned();
    let commands = fix(&evidence, "SF281").commands;
    assert!(
        commands[0].starts_with("helm upgrade --install envoy-gateway "),
        "{commands:?}"
    );
    for definition in seen(&mut evidence.gateway.crds) {
        definition.bundle = definition.bundle.as_ref().map(|_| "v1.2.1".to_owned());
    }
    let commands = fix(&evidence, "SF281").commands;
    let last = commands.len() - 1;
    assert!(
        commands[last - 1]
            .starts_with("helm show crds oci://docker.io/envoyproxy/gateway-helm --version v1.9.0 | kubectl apply"),
        "{commands:?}"
    );
    assert!(
        commands[last].starts_with("helm upgrade --install envoy-gateway "),
        "{commands:?}"
    );
}

/// Of a Deployment nothing but the selector cannot be changed: pods that are kept would never be adopted.
#[test]
fn a_deployment_whose_selector_cannot_be_changed_goes_with_its_pods() {
    let mut evidence = without_allow_list();
    state_metrics(&mut evidence).selector = Some("app=ksm".to_owned());
    let history = history(&mut evidence, "kube-state-metrics");
    history.status = "failed".to_owned();
    seen(&mut history.content).cannot_change = Some(ImmutableObject {
        kind: "Deployment".to_owned(),
        name: "kube-state-metrics".to_owned(),
    });
    let commands = fix(&evidence, "SF324").commands;
    assert_eq!(
        commands[0],
        "kubectl --namespace kube-system delete deployment/kube-state-metrics"
    );
    assert_eq!(commands.last().unwrap(), INSTALL);
}

/// Its owner takes it away: no command deletes it.
#[test]
fn of_two_kube_state_metrics_both_are_named_and_the_contract_s_is_kept() {
    let mut evidence = healthy();
    let mut second = state_metrics(&mut evidence).clone();
    second.name = "kps-kube-state-metrics".to_owned();
    second.release = Some("kps".to_owned());
    second.release_namespace = Some("monitoring".to_owned());
    let workloads = seen(&mut evidence.kube_state_metrics.workloads);
    workloads.insert(0, second);
    let check = result(&judge(&evidence), "SF321");
    let fix = check.fix.unwrap();
    assert!(
        fix.summary.starts_with(
            "keep kube-system/kube-state-metrics, which the contract installs; kube-system/kps-kube-state-metrics goes, by \
             whoever owns it: Helm's release kps in namespace monitoring made it"
        ),
        "{}",
        fix.summary
    );
    assert!(!fix.changes, "{fix:?}");
    assert_eq!(check.objects.len(), 2);
}

/// The pages say what a report would print, of a cluster that is not known.
#[test]
fn the_pages_install_as_reports_do() {
    let contract = Contract::embedded().unwrap();
    let mut lines = 0;
    for check in CHECKS {
        for line in check
            .page
            .lines()
            .filter(|line| line.starts_with("helm upgrade --install "))
        {
            let name = line.split(' ').nth(3).unwrap();
            let release = contract
                .release(name)
                .unwrap_or_else(|| panic!("{}: {line}", check.code));
            let values = format!("manifests/helm/{}", release.values);
            let mut words: Vec<String> = ["helm", "upgrade", "--install", name].map(str::to_owned).into();
            words.extend(release.chart_by_address());
            words.extend(["--namespace", &release.namespace, "--values", &values].map(str::to_owned));
            if release.per_cluster {
                let own = [
                    "--values",
                    "manifests/helm/regions/REGION.yaml",
                    "--set-string",
                    "cluster.name=CLUSTER_ID",
                ];
                words.extend(own.map(str::to_owned));
            }
            words.push("--wait".to_owned());
            assert_eq!(line, shell_words::join(words), "{}", check.code);
            lines += 1;
        }
    }
    assert!(lines > 40, "{lines}");
}
