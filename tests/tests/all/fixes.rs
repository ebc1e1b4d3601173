//! What is printed, typed: on a cluster where something stands in the way of an installation, with either Helm, from a folder
//! with nothing but the manifests, by a Helm that knows no repository. What proves it is typed behind it.

use crate::audit::audit_of;
use std::path::{Path, PathBuf};
use std::process::Output;
use testbed::{Cluster, cluster};

/// The chart, as the repository of the testbed has it.
const CHART: &str = "prometheus-community/kube-state-metrics --version 8.4.0 --namespace kube-system";
const VALUES: &str = "--values manifests/helm/ksm.values.yaml";
/// An allow-list without an entry.
const NO_LABELS: &str = "--set-json 'metricLabelsAllowlist=[]'";

/// Which Helm is typed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Helm {
    Three,
    Four,
}

/// Whether Helm 3 has made the release: Helm 4 goes on in the way of the one before.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Before {
    HelmThree,
    Never,
}

/// Something that stands in the way.
pub(crate) struct State {
    /// Makes it, in the root of the workspace.
    pub(crate) made_by: &'static [&'static str],
    /// The check that tells it, and whose fix is typed.
    pub(crate) told_by: &'static str,
    /// What the fix has to have, or it would not be tried.
    pub(crate) typed: &'static str,
}

/// Somebody has edited the Deployment: its fields are theirs.
pub(crate) const EDITED: State = State {
    made_by: &[
        "kubectl --namespace kube-system patch deployment kube-state-metrics --type json --patch \
         '[{\"op\":\"replace\",\"path\":\"/spec/template/spec/containers/0/args\",\"value\":[\"--port=8080\"]}]'",
        "kubectl --namespace kube-system rollout status deployment/kube-state-metrics --timeout 120s",
    ],
    told_by: "SF324",
    typed: "--force-conflicts",
};

/// `helm template | kubectl apply`: no release.
pub(crate) const APPLIED: State = State {
    made_by: &[
        "helm uninstall kube-state-metrics --namespace kube-system --wait",
        "helm template kube-state-metrics $CHART $VALUES $NO_LABELS | kubectl apply --namespace kube-system --filename -",
        "kubectl --namespace kube-system rollout status deployment/kube-state-metrics --timeout 120s",
    ],
    told_by: "SF324",
    typed: "--take-ownership",
};

/// As metrics-server's own `components.yaml` is applied, with the flag that guides on the web add.
pub(crate) const COMPONENTS: State = State {
    made_by: &[
        "helm uninstall metrics-server --namespace kube-system --wait",
        "helm template metrics-server metrics-server/metrics-server --version 3.13.1 --namespace kube-system \
         --kube-version 1.35.0 --values manifests/helm/metrics-server.values.yaml --set-json 'args=[\"--kubelet-insecure-tls\"]' | \
         sed -e 's|app.kubernetes.io/name: metrics-server|k8s-app: metrics-server|' -e '/app.kubernetes.io.instance/d' \
         -e '/app.kubernetes.io.managed-by/d' | kubectl apply --namespace kube-system --filename -",
        "kubectl --namespace kube-system rollout status deployment/metrics-server --timeout 120s",
        "kubectl wait apiservice v1beta1.metrics.k8s.io --for condition=Available --timeout 120s",
    ],
    told_by: "SF311",
    typed: "delete service",
};

/// Helm was killed in an upgrade: it refuses to begin another.
pub(crate) const PENDING: State = State {
    made_by: &[
        "timeout --signal KILL 8 helm upgrade kube-state-metrics $CHART $VALUES $NO_LABELS --set image.tag=v0.0.1 --wait || true",
        "helm status kube-state-metrics --namespace kube-system | grep pending-upgrade",
    ],
    told_by: "SF324",
    typed: "helm rollback",
};

/// Somebody has added a `command` with a flag: no chart has it, and no upgrade takes it away.
pub(crate) const COMMAND: State = State {
    made_by: &[
        "kubectl --namespace kube-system patch deployment kube-state-metrics --patch \
         '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"kube-state-metrics\",\"command\":\
         [\"/kube-state-metrics\",\"--metric-labels-allowlist=pods=[a,]\"]}]}}}}'",
    ],
    told_by: "SF324",
    typed: "\"command\":null",
};

#[test]
#[ignore = "needs a cluster: tests/run"]
fn what_somebody_has_edited_is_overwritten_by_helm_4() {
    is_mended(&EDITED, Helm::Four, Before::Never);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn what_somebody_has_edited_of_a_release_of_helm_3_is_overwritten_by_helm_4() {
    is_mended(&EDITED, Helm::Four, Before::HelmThree);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn what_kubectl_has_applied_is_taken_over() {
    is_mended(&APPLIED, Helm::Three, Before::HelmThree);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn what_selects_otherwise_is_deleted_first() {
    is_mended(&COMPONENTS, Helm::Four, Before::HelmThree);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_pending_release_is_gone_back_from_first() {
    is_mended(&PENDING, Helm::Three, Before::HelmThree);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_command_that_no_chart_has_is_taken_away_first() {
    is_mended(&COMMAND, Helm::Three, Before::HelmThree);
}

/// Makes a state, types what is printed for it, then what proves it.
pub(crate) fn is_mended(state: &State, helm: Helm, before: Before) {
    let cluster = cluster().unwrap();
    cluster.mend().unwrap();
    if helm == Helm::Four && before == Before::Never {
        let uninstall = "helm uninstall kube-state-metrics --namespace kube-system --wait";
        typed_here(&cluster, uninstall, Helm::Three);
        typed_here(
            &cluster,
            "helm upgrade --install kube-state-metrics $CHART $VALUES --wait",
            helm,
        );
    }
    for command in state.made_by {
        typed_here(&cluster, command, helm);
    }
    let clone = Clone::of_manifests(&cluster);
    let contract = clone.folder.path().join("contract.yaml");
    let text = std::fs::read_to_string(root().join("verify/contract.yaml")).unwrap();
    // Helm may be at work for as long; nobody waits for that here.
    let impatient = text.replace("helmOperation: 15m", "helmOperation: 1s");
    assert_ne!(text, impatient, "the contract's time for Helm is another");
    std::fs::write(&contract, impatient).unwrap();
    let arguments = ["--step", "3", "--contract", contract.to_str().unwrap()];
    clone.types_what_is_printed(&cluster, &arguments, state, helm);
    // And nothing else is wrong that was not.
    let mended = audit_of(&cluster, &["--step", "1,3", "--ignore-group", "helm", "--wait", "150s"]);
    assert_eq!(mended.exit, 0, "{}", mended.complaints());
}

/// A folder with nothing but the manifests.
pub(crate) struct Clone {
    pub(crate) folder: tempfile::TempDir,
}

impl Clone {
    pub(crate) fn of_manifests(cluster: &Cluster) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (root().join("manifests"), folder.path().join("manifests"));
        let words = ["cp", "--recursive", from.to_str().unwrap(), to.to_str().unwrap()];
        cluster.run(&words).unwrap();
        Self { folder }
    }

    /// Audits with these arguments, types the fix of the check that tells a state, then what proves it.
    pub(crate) fn types_what_is_printed(&self, cluster: &Cluster, arguments: &[&str], state: &State, helm: Helm) {
        let broken = audit_of(cluster, arguments);
        let told = broken.check(state.told_by);
        let is_told = matches!(told["verdict"].as_str(), Some("fail" | "warn"));
        assert!(is_told, "{}", broken.complaints());
        let fix = &told["fix"];
        let commands: Vec<&str> = (fix["commands"].as_array().unwrap().iter())
            .map(|command| command.as_str().unwrap())
            .collect();
        let has = |command: &&str| command.contains(state.typed);
        assert!(commands.iter().any(has), "{commands:#?}");
        for command in &commands {
            let output = type_in(cluster, self.folder.path(), command, helm);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{command}: {said}");
        }
        let proof = fix["proof"].as_str().unwrap();
        let output = type_in(cluster, self.folder.path(), proof, helm);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{proof}: {said}");
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A command that makes a state: it may name the testbed's repositories.
pub(crate) fn typed_here(cluster: &Cluster, command: &str, helm: Helm) {
    let script = format!(
        "cd '{}'; CHART='{CHART}' VALUES='{VALUES}'; {program}; {}",
        root().display(),
        command.replace("$NO_LABELS", NO_LABELS),
        program = program(helm),
    );
    let output = cluster.exec(&["sh", "-c", &script]).unwrap();
    assert!(
        output.status.success(),
        "{command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A command as a user types it, whose Helm knows no repository.
fn type_in(cluster: &Cluster, folder: &Path, command: &str, helm: Helm) -> Output {
    let auditor = testbed::auditor().unwrap();
    let script = format!(
        "cd '{}'; export PATH='{}':\"$PATH\" HELM_REPOSITORY_CONFIG='{}'; {program}; {command}",
        folder.display(),
        auditor.parent().unwrap().display(),
        folder.join("no-repositories.yaml").display(),
        program = program(helm),
    );
    cluster.exec(&["sh", "-c", &script]).unwrap()
}

/// Which program the cluster's helm is.
fn program(helm: Helm) -> String {
    match helm {
        Helm::Three => "unset HELM_PROGRAM".to_owned(),
        Helm::Four => format!("export HELM_PROGRAM='{}'", testbed::helm_4().unwrap().display()),
    }
}
