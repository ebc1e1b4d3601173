//! Who serves the metrics API: metrics-server, or something else that answers in its place.

use crate::evaluate::fix::{Advice, Command};
use crate::evaluate::installed::Installed;
use crate::evaluate::subject::Subject;
use crate::evaluate::workload::target;
use crate::evidence::Workload;

/// Parts of the names of images that serve some metrics API and are not metrics-server.
const OTHERS: [&str; 4] = ["adapter", "cluster-agent", "keda", "heapster"];
/// What metrics-server's image and container are called.
const NAME: &str = "metrics-server";
/// The APIService of the metrics API.
const API_SERVICE: &str = "v1beta1.metrics.k8s.io";

/// What serves the metrics API in metrics-server's place, where something does: what its image is called, and its version.
///
/// A mirror or a rebuild of metrics-server may be called otherwise: then its flags tell, or its container's name.
pub(super) fn other(workload: &Workload) -> Option<String> {
    let image = image_name(&workload.image);
    let is_named = |container: &crate::evidence::ContainerImage| !container.init && container.name == NAME;
    let is_named = || (workload.containers.iter().flatten()).any(is_named);
    let is_other = OTHERS.iter().any(|other| image.contains(other));
    let is_metrics_server = image.contains(NAME)
        || image.is_empty()
        || !is_other && (!workload.flags.is_empty() || !workload.unread_arguments.is_empty() || is_named());
    if is_metrics_server {
        return None;
    }
    Some(match &workload.version {
        Some(version) => format!("{image} {version}"),
        None => image.to_owned(),
    })
}

/// What serves the metrics API, as it is called in sentences.
pub(super) fn name(subject: Subject<'_>) -> String {
    let workloads = Installed::metrics_server(subject).workloads().unwrap_or_default();
    let other = workloads.into_iter().find_map(other);
    other.unwrap_or_else(|| NAME.to_owned())
}

/// Its log.
pub(super) fn logs(subject: Subject<'_>, options: [&str; 2]) -> Command {
    let workloads = Installed::metrics_server(subject).workloads().unwrap_or_default();
    let (namespace, target) = match workloads.first() {
        Some(workload) => (workload.namespace.as_str(), target(workload)),
        None => ("kube-system", format!("deployment/{NAME}")),
    };
    let [option, value] = options;
    subject.kubectl(["--namespace", namespace, "logs", &target, option, value])
}

/// Puts metrics-server where something else serves the metrics API. Helm takes over no object that is another's, so the
/// APIService is let go of first.
pub(super) fn replace(subject: Subject<'_>) -> Advice {
    let release = &subject.contract.components.metrics_server.release;
    let let_go = subject.kubectl(["delete", "apiservice", API_SERVICE]);
    let install = subject.upgrade(
        release,
        None,
        "let go of the APIService, which is another's, and let the contract's metrics-server serve the metrics API; what \
         made it has to leave it out from now on",
    );
    install.first(let_go)
}

/// An image without registry, path, tag and digest.
fn image_name(image: &str) -> &str {
    let name = image.rsplit('/').next().unwrap_or_default();
    name.split(['@', ':']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::the_real_one("registry.k8s.io/metrics-server/metrics-server:v0.9.0", "", &[], None)]
    #[case::a_mirror("mirror.example.com/sre/metrics-server-amd64:v0.9.0", "", &[], None)]
    #[case::a_rebuild("registry.example.com/ms:1", "", &["--metric-resolution"], None)]
    #[case::a_rebuild_by_its_container("registry.example.com/ms:1", "metrics-server", &[], None)]
    #[case::an_adapter("registry.k8s.io/prometheus-adapter/prometheus-adapter:v0.12.0", "metrics-server", &[],
        Some("prometheus-adapter 0.12.0"))]
    #[case::nobody_knows("registry.example.com/collector@sha256:0", "collector", &[], Some("collector 0.12.0"))]
    #[case::without_an_image("", "", &[], None)]
    fn what_it_runs_tells(
        #[case] image: &str,
        #[case] container: &str,
        #[case] flags: &[&str],
        #[case] told: Option<&str>,
    ) {
        let flags: std::collections::BTreeMap<&str, [&str; 1]> = flags.iter().map(|flag| (*flag, ["1"])).collect();
        let workload: Workload = serde_json::from_value(serde_json::json!({
            "kind": "Deployment", "namespace": "kube-system", "name": "m", "desired": 1, "ready": 1, "updated": 1,
            "available": 1, "observed": true, "image": image, "version": "0.12.0", "release": null, "flags": flags,
            "unreadFlags": null, "unreadArguments": [], "containers": [{"name": container, "image": image}],
        }))
        .unwrap();
        assert_eq!(other(&workload).as_deref(), told);
    }
}
