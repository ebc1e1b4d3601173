//! Step 3, first half: metrics-server as it is installed, and the APIService of the metrics API.

use super::server;
use crate::evaluate::fix::{Advice, cluster_object, fix};
use crate::evaluate::flag;
use crate::evaluate::installed::{Installed, service_object};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evaluate::workload::workload_object;
use crate::evidence::{ApiService, Service, ServiceReference};
use semver::Version;

/// Up to this version `Ready` asks for node metrics or pod metrics; from it on, for both.
/// Source: kubernetes-sigs/metrics-server issue 1816, pull request 1818.
const READINESS_MENDED: Version = Version::new(0, 9, 0);

/// SF301.
pub(in crate::evaluate) fn registered(subject: Subject<'_>) -> Judge {
    let (api_service, service) = reference(subject)?;
    Ok(Outcome::pass(format!(
        "{} → {}/{}",
        api_service.name, service.namespace, service.name
    )))
}

/// SF302.
pub(in crate::evaluate) fn service(subject: Subject<'_>) -> Judge {
    let (api_service, reference) = reference(subject)?;
    let installed = Installed::metrics_server(subject);
    let accepted = &installed.terms.namespaces;
    let release = &installed.terms.release;
    let place = format!("{}/{}", reference.namespace, reference.name);
    let expected = "the Service of metrics-server, with that port";
    if !accepted.contains(&reference.namespace) {
        return Ok(Outcome::fail(format!(
            "the metrics API is served by {place}, in a namespace that the contract does not accept"
        ))
        .expected(format!(
            "metrics-server, by a Service in namespace {}",
            accepted.join(" or ")
        ))
        .objects([cluster_object("APIService", &api_service.name)])
        .fix(server::replace(subject))
        .lasting());
    }
    let services = installed.services()?;
    let Some(service) = services.iter().find(|service| is_referenced(service, reference)) else {
        let outcome = Outcome::fail(format!(
            "the metrics API points at Service {place}, which does not exist"
        ))
        .expected(expected)
        .objects([cluster_object("APIService", &api_service.name)]);
        return Ok(outcome.fix(mend_reference(subject, api_service, &services)));
    };
    if !service.ports.iter().any(|port| port.port == reference.port) {
        return Ok(Outcome::fail(format!(
            "the metrics API points at port {} of Service {place}, which has no such port",
            reference.port
        ))
        .expected(expected)
        .objects([cluster_object("APIService", &api_service.name), service_object(service)])
        .fix(subject.upgrade(
            release,
            Some(&service.namespace),
            "bring both back to what the chart says",
        ))
        .lasting());
    }
    if accepted.first() != Some(&service.namespace) {
        return Ok(installed.elsewhere(service));
    }
    let beside: Vec<&Service> = (services.iter().copied())
        .filter(|other| other.namespace != service.namespace)
        .collect();
    if !beside.is_empty() {
        return Ok(installed.beside(service, &beside));
    }
    Ok(Outcome::pass(place))
}

/// SF303.
pub(in crate::evaluate) fn runs(subject: Subject<'_>) -> Judge {
    Installed::metrics_server(subject).runs(|_| false)
}

/// SF304.
pub(in crate::evaluate) fn available(subject: Subject<'_>) -> Judge {
    let (api_service, service) = reference(subject)?;
    let not_yet = |observed: String| {
        Outcome::fail(observed)
            .expected("condition Available=True")
            .objects([cluster_object("APIService", &api_service.name)])
            .fix(fix(
                "the API server must reach metrics-server's pods; their log says why they refuse, a NetworkPolicy why they are not reached",
                [
                    subject.kubectl(["describe", "apiservice", &api_service.name]),
                    subject.kubectl(["--namespace", &service.namespace, "logs", &format!("service/{}", service.name), "--tail", "50"]),
                ],
            ))
    };
    match &api_service.available {
        None => Ok(not_yet("the API server has not judged the metrics API yet".to_owned())),
        Some(condition) if condition.is_true() => Ok(Outcome::pass("Available")),
        Some(condition) => Ok(not_yet(format!(
            "the metrics API is not available: {}: {}",
            condition.reason, condition.message
        ))),
    }
}

/// SF310.
pub(in crate::evaluate) fn version(subject: Subject<'_>) -> Judge {
    let installed = Installed::metrics_server(subject);
    let workloads = installed.workloads()?;
    let other = (workloads.iter()).find_map(|workload| Some((workload, server::other(workload)?)));
    if let Some((workload, other)) = other {
        return Ok(Outcome::warn(format!(
            "{other} serves the metrics API ({} {}): the contract accepts no version of it",
            workload.kind, workload.name
        ))
        .expected("metrics-server, after which the contract is written")
        .objects([workload_object(workload)])
        .fix(server::replace(subject))
        .lasting());
    }
    installed.version(|version| {
        (*version < READINESS_MENDED).then_some(
            "calls itself ready with node metrics alone: APIService Available then proves nothing about pods",
        )
    })
}

/// SF311.
pub(in crate::evaluate) fn verifies_kubelets(subject: Subject<'_>) -> Judge {
    const FLAG: &str = "--kubelet-insecure-tls";
    let installed = Installed::metrics_server(subject);
    let workloads = installed.workloads()?;
    if let Some(other) = workloads.iter().find_map(|workload| server::other(workload)) {
        return Ok(Outcome::not_applicable(format!("{other} serves the metrics API")));
    }
    let unread = workloads.iter().find_map(|workload| flag::unread(workload, &[FLAG]));
    let lax = workloads.iter().find(|workload| {
        workload.why_unread(FLAG).is_none() && workload.last_value(FLAG).is_some_and(|value| value != "false")
    });
    Ok(match lax {
        None => unread.unwrap_or_else(|| Outcome::pass("certificates are verified")),
        Some(workload) => Outcome::warn(format!("{} {} has {FLAG}", workload.kind, workload.name))
            .expected("no such flag: kubelets of DOKS have certificates of the cluster's authority")
            .objects([workload_object(workload)])
            .fix(subject.upgrade(
                &installed.terms.release,
                Some(&workload.namespace),
                "install without the flag",
            ))
            .lasting(),
    })
}

/// The APIService and the Service that it points at.
fn reference(subject: Subject<'_>) -> Result<(&ApiService, &ServiceReference), Box<Outcome>> {
    let release = &subject.contract.components.metrics_server.release;
    let api_service = subject.evidence.metrics_api_service.or_else(|| {
        Outcome::fail("no APIService v1beta1.metrics.k8s.io")
            .expected("metrics-server, which DOKS does not bundle")
            .objects([cluster_object("APIService", "v1beta1.metrics.k8s.io")])
            .fix(subject.upgrade(release, None, "install metrics-server"))
            .lasting()
    })?;
    match &api_service.service {
        Some(service) => Ok((api_service, service)),
        None => Outcome::fail(
            "the APIService of the metrics API names no Service: the API server is to serve it, and cannot",
        )
        .expected("spec.service of metrics-server")
        .objects([cluster_object("APIService", &api_service.name)])
        .fix(subject.upgrade(release, None, "bring it back to what the chart says"))
        .lasting()
        .early(),
    }
}

fn is_referenced(service: &Service, reference: &ServiceReference) -> bool {
    service.namespace == reference.namespace && service.name == reference.name
}

/// An APIService that points at nothing: where metrics-server's Service is at hand it is pointed there, else metrics-server is installed.
fn mend_reference(subject: Subject<'_>, api_service: &ApiService, services: &[&Service]) -> Advice {
    let Some(service) = services.first() else {
        let release = &subject.contract.components.metrics_server.release;
        return subject.upgrade(release, None, "install metrics-server");
    };
    // Helm leaves an object alone whose manifest did not change between two revisions of some kinds, so the object is
    // patched to where the Service stands.
    let patch = serde_json::json!({"spec": {"service": {"namespace": service.namespace, "name": service.name}}});
    fix(
        format!(
            "point it at {}/{}, where metrics-server stands",
            service.namespace, service.name
        ),
        [subject.kubectl([
            "patch",
            "apiservice",
            &api_service.name,
            "--type",
            "merge",
            "--patch",
            &patch.to_string(),
        ])],
    )
}
