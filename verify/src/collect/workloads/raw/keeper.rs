//! What keeps a workload as a repository has it, by the labels and annotations of its object.

use super::Raw;
use crate::collect::status::bounded;
use crate::evidence::Keeper;

/// The field managers by which Argo CD applies. Source: argo-cd, `common/common.go`, `ArgoCDSSAManager`, and
/// `controller/sync.go` of the versions before server-side apply.
const ARGO_CD: [&str; 2] = ["argocd-controller", "argocd-application-controller"];

// === impl Raw ===

impl Raw {
    /// What applies it again and again, where something does. A HelmRelease of Flux is what makes the object, also where a
    /// Kustomization makes the HelmRelease.
    pub(in crate::collect::workloads) fn keeper(&self) -> Option<Keeper> {
        let labels = self.metadata.labels.as_ref();
        let flux = |name: Option<&String>, namespace: Option<&String>| Some((bounded(namespace?), bounded(name?)));
        let helm_release = labels.and_then(|labels| {
            let (name, namespace) = (&labels.flux_helm_release, &labels.flux_helm_release_namespace);
            flux(name.as_ref(), namespace.as_ref())
        });
        if let Some((namespace, name)) = helm_release {
            return Some(Keeper::FluxHelmRelease { namespace, name });
        }
        let kustomization = labels.and_then(|labels| {
            let (name, namespace) = (&labels.flux_kustomization, &labels.flux_kustomization_namespace);
            flux(name.as_ref(), namespace.as_ref())
        });
        if let Some((namespace, name)) = kustomization {
            return Some(Keeper::FluxKustomization { namespace, name });
        }
        let application = self.tracked_by().or_else(|| {
            let label = labels.and_then(|labels| labels.argo_cd.as_deref());
            label.or_else(|| {
                let instance = labels.and_then(|labels| labels.instance.as_deref());
                self.is_applied_by_argo_cd().then(|| instance.unwrap_or_default())
            })
        })?;
        let application = bounded(application);
        Some(Keeper::ArgoCd { application })
    }

    /// The Application that the tracking annotation names. One that speaks of another object was copied from there, and Argo CD
    /// does not take this one for its own (argo-cd, `util/argo/resource_tracking.go`).
    fn tracked_by(&self) -> Option<&str> {
        let id = self.metadata.annotations.as_ref()?.argo_cd.as_deref()?;
        let (application, of) = id.split_once(':')?;
        let own = format!(":{}/{}", self.metadata.namespace, self.metadata.name);
        of.ends_with(&own).then_some(application)
    }

    fn is_applied_by_argo_cd(&self) -> bool {
        let mut entries = self.metadata.managed_fields.iter().flatten();
        entries.any(|entry| ARGO_CD.contains(&entry.manager()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn keeper(metadata: &Value) -> Option<Keeper> {
        let mut object = json!({"metadata": {"name": "ksm", "namespace": "kube-system"},
            "spec": {"template": {"spec": {}}}});
        for (key, value) in metadata.as_object().unwrap() {
            object["metadata"][key] = value.clone();
        }
        serde_json::from_value::<Raw>(object).unwrap().keeper()
    }

    fn argo_cd(application: &str) -> Keeper {
        let application = application.to_owned();
        Keeper::ArgoCd { application }
    }

    fn named(make: fn(String, String) -> Keeper) -> Keeper {
        make("flux-system".to_owned(), "metrics".to_owned())
    }

    #[rstest]
    #[case::helm_alone(json!({"annotations": {"meta.helm.sh/release-name": "ksm"}}), None)]
    #[case::its_tracking_annotation(
        json!({"annotations": {"argocd.argoproj.io/tracking-id": "platform:apps/Deployment:kube-system/ksm"}}),
        Some(argo_cd("platform"))
    )]
    #[case::a_copy_of_another_s_annotation(
        json!({"annotations": {"argocd.argoproj.io/tracking-id": "platform:apps/Deployment:kube-system/other"}}),
        None
    )]
    #[case::its_label(json!({"labels": {"argocd.argoproj.io/instance": "platform"}}), Some(argo_cd("platform")))]
    #[case::its_field_manager(
        json!({"labels": {"app.kubernetes.io/instance": "platform"},
            "managedFields": [{"manager": "argocd-controller", "operation": "Apply"}]}),
        Some(argo_cd("platform"))
    )]
    #[case::its_field_manager_alone(json!({"managedFields": [{"manager": "argocd-controller"}]}), Some(argo_cd("")))]
    #[case::the_recommended_label_says_nothing(json!({"labels": {"app.kubernetes.io/instance": "ksm"}}), None)]
    #[case::a_helm_release_of_flux(
        json!({"labels": {"helm.toolkit.fluxcd.io/name": "metrics", "helm.toolkit.fluxcd.io/namespace": "flux-system",
            "kustomize.toolkit.fluxcd.io/name": "all", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}}),
        Some(named(|namespace, name| Keeper::FluxHelmRelease { namespace, name }))
    )]
    #[case::a_kustomization_of_flux(
        json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "metrics",
            "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}}),
        Some(named(|namespace, name| Keeper::FluxKustomization { namespace, name }))
    )]
    fn its_labels_and_annotations_tell(#[case] metadata: Value, #[case] expected: Option<Keeper>) {
        assert_eq!(keeper(&metadata), expected);
    }
}
