//! Step 4: whether Alloy delivers, by its own metrics pages.

use super::flow::{self, Flow, number, pod_object};
use crate::evaluate::fix::{count, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::subject::Subject;
use crate::evidence::MetricsPage;
use crate::flow::Program::Alloy;
use crate::flow::{Samples, alloy};

/// SF450.
pub(in crate::evaluate) fn answers(subject: Subject<'_>) -> Judge {
    flow::answers(subject, Alloy)
}

/// SF451.
pub(in crate::evaluate) fn delivers(subject: Subject<'_>) -> Judge {
    flow::delivers(subject, Alloy)
}

/// SF452.
pub(in crate::evaluate) fn components_healthy(subject: Subject<'_>) -> Judge {
    let flow = Flow::of(subject, Alloy)?;
    let mut sick: Vec<(&MetricsPage, f64)> = Vec::new();
    let mut all = 0.0;
    for (page, metrics) in flow.latest() {
        let of_health = |healths: &[&str]| -> f64 {
            (Samples::of(metrics).named(alloy::COMPONENTS))
                .filter(|sample| healths.contains(&sample.label("health_type")))
                .map(|sample| sample.value)
                .sum()
        };
        // `unknown` is what a component is called until it was evaluated for the first time.
        let (unhealthy, healthy) = (of_health(&["unhealthy", "exited"]), of_health(&["healthy"]));
        if unhealthy > 0.0 {
            sick.push((page, unhealthy));
        }
        all += unhealthy + healthy;
    }
    if let Some((first, _)) = sick.first() {
        let unhealthy: f64 = sick.iter().map(|(_, unhealthy)| unhealthy).sum();
        let which = names(sick.iter().map(|(page, _)| flow.name(page)));
        let port = subject.contract.components.alloy.port;
        let components = format!(
            "/api/v1/namespaces/{}/pods/{}:{port}/proxy/api/v0/web/components",
            first.namespace, first.pod
        );
        let fix = flow.look(first, "see which component is unhealthy, and why");
        let fix = fix.then(subject.kubectl(["get", "--raw", &components]));
        return Ok(Outcome::fail(format!(
            "{} of {} components unhealthy: {which}",
            number(unhealthy),
            number(all)
        ))
        .expected("every component of the configuration healthy")
        .objects(sick.iter().map(|(page, _)| pod_object(page)))
        .fix(fix));
    }
    if all <= 0.0 {
        return Ok(Outcome::undetermined("no component has been evaluated yet")
            .expected("every component of the configuration healthy"));
    }
    Ok(Outcome::pass(format!(
        "{} components in {}",
        number(all),
        count(flow.seen().count(), "pod")
    )))
}

/// SF453.
pub(in crate::evaluate) fn nothing_dropped(subject: Subject<'_>) -> Judge {
    flow::nothing_dropped(subject, Alloy)
}
