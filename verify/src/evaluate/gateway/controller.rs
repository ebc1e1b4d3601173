//! Step 2, first part: Envoy Gateway's controller, and the certificates that it starts with.

use crate::evaluate::age::{age, now};
use crate::evaluate::fix::{names, object};
use crate::evaluate::installed::Installed;
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evaluate::workload::workload_object;
use crate::evidence::{Component, ControllerWorkload, FailedMount, GatewayController, Observed, Source};
use crate::report::Verdict;
use jiff::SignedDuration;

/// How long ago a kubelet may have complained of a mount that it still tries; a pod may go on waiting for something
/// else. It tries again at least every 122 s (`pkg/util/goroutinemap/exponentialbackoff`), and of what it says again and
/// again one Event in 300 s comes through (`client-go/tools/record`, the spam filter).
const STILL_TRIED: SignedDuration = SignedDuration::from_secs(450);

/// SF201.
pub(in crate::evaluate) fn runs(subject: Subject<'_>) -> Judge {
    let component = component(subject)?;
    let installed = installed(subject, &component);
    let stands = installed.stands()?;
    if stands.verdict == Verdict::Fail {
        return Ok(stands);
    }
    let complete = installed.complete(|_| false)?;
    // That it stands in another namespace is told where nothing worse is.
    if complete.verdict == Verdict::Pass && stands.verdict != Verdict::Pass {
        return Ok(stands);
    }
    Ok(installed.restarted(complete))
}

/// SF202.
///
/// The Secret is not read, and the job that makes it is gone after half a minute. What shows is its effect: a kubelet
/// starts no container before the pod's volumes are mounted, and says so where it cannot mount one.
pub(in crate::evaluate) fn certificates_made(subject: Subject<'_>) -> Judge {
    let terms = &subject.contract.components.envoy_gateway;
    let secret = terms.own_certificate();
    let controller = controller(subject)?;
    if controller.workloads.is_empty() {
        return Ok(Outcome::not_applicable("Envoy Gateway has no workload: SF201 tells"));
    }
    let expected = format!("Secret {secret}, which the job certgen makes");
    let upgrade = |namespace: &str, summary: &str| subject.upgrade(&terms.controller.release, Some(namespace), summary);
    if let Some(other) = (controller.workloads.iter()).find(|workload| !workload.mounts_certificates) {
        let workload = &other.workload;
        return Ok(Outcome::fail(format!(
            "the pods of Deployment {} do not mount Secret {secret}",
            workload.name
        ))
        .expected("the chart's Deployment: its pods do not start without their certificates")
        .objects([workload_object(workload)])
        .fix(upgrade(&workload.namespace, "bring it back to what the chart says"))
        .lasting());
    }
    let now = now(subject, Source::EnvoyGatewayWorkloads)?;
    let failing: Vec<&FailedMount> = (controller.failed_mounts.iter())
        .filter(|mount| mount.last.is_none_or(|last| now.duration_since(last) <= STILL_TRIED))
        .filter(|mount| controller.workloads.iter().any(|workload| waits(workload, mount)))
        .collect();
    if let Some(first) = failing.first() {
        // Certgen leaves what is there, and makes the rest of another authority: then nobody trusts anybody.
        let fix = upgrade(
            &first.namespace,
            "have certgen make all of them anew, of one authority; the pods that wait start by themselves",
        );
        let delete = [
            "--namespace",
            &first.namespace,
            "delete",
            "secret",
            "--ignore-not-found",
        ]
        .into_iter();
        let all = terms.certificates.iter().map(String::as_str);
        let fix = fix.first(subject.kubectl(delete.chain(all)));
        let when = first
            .last
            .map_or_else(String::new, |last| format!(", {} ago", age(now, last)));
        return Ok(Outcome::fail(format!(
            "Secret {secret} cannot be mounted: the kubelet says so of {}{when}",
            names(failing.iter().map(|mount| &mount.pod))
        ))
        .expected(expected)
        .objects([object("Secret", &first.namespace, secret)])
        .objects(failing.iter().map(|mount| object("Pod", &mount.namespace, &mount.pod)))
        .fix(fix)
        // Certgen runs when Helm does, and not again.
        .lasting());
    }
    let started: u32 = controller
        .workloads
        .iter()
        .map(|workload| workload.workload.ready)
        .sum();
    if started == 0 {
        return Ok(Outcome::not_applicable(format!(
            "no pod is ready, and none waits for Secret {secret}: SF201 tells"
        )));
    }
    Ok(Outcome::pass(format!(
        "{} mounted Secret {secret}",
        if started == 1 {
            "1 ready pod has".to_owned()
        } else {
            format!("{started} ready pods have")
        }
    )))
}

/// SF207.
pub(in crate::evaluate) fn version(subject: Subject<'_>) -> Judge {
    let component = component(subject)?;
    installed(subject, &component).version(|_| None)
}

/// What was seen of the controller.
pub(in crate::evaluate) fn controller(subject: Subject<'_>) -> Result<&GatewayController, Box<Outcome>> {
    let unlisted = || crate::evaluate::cluster::no_such_api("/api/v1/services");
    subject.evidence.gateway.controller.or_else(unlisted)
}

/// Whether a pod of that workload waits for that mount.
fn waits(workload: &ControllerWorkload, mount: &FailedMount) -> bool {
    let workload = &workload.workload;
    let rest = mount.pod.strip_prefix(&workload.name);
    mount.waits && mount.namespace == workload.namespace && rest.is_some_and(|rest| rest.starts_with('-'))
}

/// The controller as other components are judged. Its proxies find it by its Service; that the Service has endpoints is
/// the same as that pods are ready, and is not collected.
fn component(subject: Subject<'_>) -> Result<Component, Box<Outcome>> {
    let controller = controller(subject)?;
    let workloads = controller.workloads.iter().map(|workload| workload.workload.clone());
    Ok(Component {
        services: Observed::Seen(controller.services.clone()),
        endpoints: Observed::not_collected(),
        workloads: Observed::Seen(workloads.collect()),
        unfound: Vec::new(),
    })
}

fn installed<'a>(subject: Subject<'a>, component: &'a Component) -> Installed<'a> {
    Installed {
        subject,
        component,
        terms: &subject.contract.components.envoy_gateway.controller,
        name: "Envoy Gateway",
        kinds: "Deployment",
        source: Source::EnvoyGatewayWorkloads,
    }
}
