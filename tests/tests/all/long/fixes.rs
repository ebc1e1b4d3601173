//! Every printed fix of `fixes`, with the Helm that the gate does not type it with; and those of step 4 that take minutes.

use starform_verify::contract::Contract;

use crate::collectors::{NAMESPACE, Site};
use crate::fixes::{APPLIED, Before, COMMAND, COMPONENTS, Clone, EDITED, Helm, PENDING, State, is_mended, typed_here};
use crate::fleet::{CLUSTER_ID, REGION};

/// A StatefulSet without a claim for its queue: one cannot be added.
const NO_CLAIM: State = State {
    made_by: &[
        "helm uninstall vmagent --namespace telemetry --wait",
        "helm install vmagent $CHART --set persistentVolume.enabled=false --wait",
    ],
    told_by: "SF425",
    typed: "delete statefulset/vmagent",
};

/// Somebody asked for a larger volume: Helm failed on it, and says so in the release.
const LARGER_CLAIM: State = State {
    made_by: &["! helm upgrade vmagent $CHART --set persistentVolume.size=20Gi"],
    told_by: "SF480",
    typed: "--cascade=orphan",
};

/// The definition went, and with it every Alloy.
const NO_KIND: State = State {
    made_by: &["kubectl delete customresourcedefinition alloys.collectors.grafana.com --timeout 120s"],
    told_by: "SF444",
    typed: "helm show crds k8s-monitoring",
};

#[test]
#[ignore = "needs a cluster, for minutes: .ci/long"]
fn the_other_helm_mends_it_too() {
    is_mended(&EDITED, Helm::Three, Before::HelmThree);
    is_mended(&APPLIED, Helm::Four, Before::Never);
    is_mended(&COMPONENTS, Helm::Three, Before::HelmThree);
    is_mended(&PENDING, Helm::Four, Before::Never);
    is_mended(&COMMAND, Helm::Four, Before::Never);
}

#[test]
#[ignore = "needs a cluster, for minutes: .ci/long"]
fn what_cannot_be_changed_or_is_not_known_comes_first_in_step_4() {
    for helm in [Helm::Three, Helm::Four] {
        for state in [NO_CLAIM, LARGER_CLAIM, NO_KIND] {
            let site = Site::installed();
            let clone = Clone::of_manifests(&site.cluster);
            let region = clone
                .folder
                .path()
                .join(format!("manifests/helm/regions/{REGION}.yaml"));
            std::fs::write(&region, site.sink.stores().region_values().unwrap()).unwrap();
            let contract = Contract::embedded().unwrap();
            let release = contract.release("vmagent").unwrap();
            let chart = format!(
                "{} --version {} --namespace {NAMESPACE} --values manifests/helm/{} --values '{}' --set-string \
                 cluster.name={CLUSTER_ID}",
                release.chart,
                release.version,
                release.values,
                region.display()
            );
            for command in state.made_by {
                typed_here(&site.cluster, &command.replace("$CHART", &chart), helm);
            }
            clone.types_what_is_printed(&site.cluster, &["--step", "4"], &state, helm);
        }
    }
}
