//! What the agent's `/readyz` says. Pure.

use super::probes::{Line, Readiness, Standing, Statement};
use crate::lifecycle::{Broken, Gate};
use crate::view::{Sources, View};
use jiff::Timestamp;
use starform_verify::contract::CheckTerms;
use starform_verify::printable::printable_line;
use starform_verify::report::{CheckResult, Verdict};
use std::fmt::Write;

/// All of it.
pub(super) fn statement(view: &View) -> Statement {
    let ready = view.snapshot.ready;
    let standing = if ready { "ready" } else { "not ready" };
    let mut lines = vec![
        phase(view),
        leader(view),
        gate(view),
        registration(view),
        starbase(view),
    ];
    let gating = (view.contract.steps.iter())
        .flat_map(|step| &step.checks)
        .filter(|terms| terms.gates);
    lines.extend(gating.map(|terms| check(view, terms)));
    Statement {
        ready,
        answer: format!("{standing}: {}: {}", view.snapshot.phase, view.answer()),
        lines,
        advice: advice(view),
    }
}

/// One line by its name: also of a check that does not gate.
pub(super) fn line(view: &View, name: &str) -> Option<Line> {
    let same = |code: &str| code.eq_ignore_ascii_case(name);
    let mut checks = view.contract.steps.iter().flat_map(|step| &step.checks);
    if let Some(terms) = checks.find(|terms| same(&terms.code)) {
        return Some(check(view, terms));
    }
    statement(view).lines.into_iter().find(|line| same(&line.name))
}

fn phase(view: &View) -> Line {
    let snapshot = &view.snapshot;
    let standing = if snapshot.ready {
        Standing::Holds
    } else {
        Standing::Fails
    };
    let since = second(snapshot.since);
    let text = format!("{} since {since}: {}", snapshot.phase, snapshot.reason);
    Line::new(standing, "phase", text)
}

fn leader(view: &View) -> Line {
    let text = if view.snapshot.leader {
        "this replica leads"
    } else {
        "another replica leads, or none does"
    };
    Line::new(Standing::Told, "leader", text)
}

fn gate(view: &View) -> Line {
    let Some(verification) = view.verification.as_deref() else {
        return Line::new(Standing::Unknown, "gate", "nothing judged yet");
    };
    let told = |broken: &Broken, how: &str| match broken.code() {
        Some(code) => format!("{code} {how}"),
        None => broken.observed.clone(),
    };
    let when = second(verification.report.times.collected);
    let (standing, text) = match &verification.gate {
        Gate::Passes => (Standing::Holds, "every gating check passes".to_owned()),
        Gate::Fails(broken) => (Standing::Fails, told(broken, "fails")),
        Gate::Unknown(broken) => (Standing::Unknown, told(broken, "could not be seen")),
    };
    Line::new(standing, "gate", format!("{text}, judged {when}"))
}

fn registration(view: &View) -> Line {
    let Some(registered) = view.snapshot.registration else {
        // A standby has none of its own, and a new leader asks for one where the cluster is registered already.
        let (standing, whose) = if view.snapshot.ready {
            (
                Standing::Told,
                "this replica holds none; the cluster is registered by another",
            )
        } else {
            (Standing::Fails, "this replica holds none, and knows of no other's")
        };
        return Line::new(standing, "registration", whose);
    };
    let heartbeat = registered.heartbeat_accepted.map_or_else(
        || "no heartbeat accepted yet".to_owned(),
        |accepted| format!("last heartbeat accepted {}", second(accepted)),
    );
    let text = format!(
        "generation {}, granted {}, {heartbeat}, one every {} s",
        registered.generation,
        second(registered.granted),
        registered.interval.as_secs()
    );
    Line::new(Standing::Holds, "registration", text)
}

fn starbase(view: &View) -> Line {
    match &view.snapshot.setback {
        Some(setback) => Line::new(Standing::Fails, "starbase", setback),
        None => Line::new(Standing::Told, "starbase", "no setback"),
    }
}

fn check(view: &View, terms: &CheckTerms) -> Line {
    let judged = view.verification.as_deref();
    let judged = judged.and_then(|verification| verification.report.checks().find(|check| check.code == terms.code));
    let Some(check) = judged else {
        let text = "it was not judged";
        return Line::new(Standing::Unknown, &terms.code, text);
    };
    let standing = match check.verdict {
        Verdict::Pass | Verdict::Warn | Verdict::Waived => Standing::Holds,
        Verdict::NotApplicable => Standing::Told,
        Verdict::Fail | Verdict::Blocked => Standing::Fails,
        Verdict::Unknown | Verdict::NotAsked => Standing::Unknown,
    };
    let text = match check.verdict {
        Verdict::Pass => check.title.clone(),
        verdict => format!("{}: {}: {}", check.title, verdict.word(), check.observed),
    };
    Line::new(standing, &terms.code, text)
}

/// The first broken step in words: what was observed, what was expected, what to type.
fn advice(view: &View) -> String {
    let mut out = String::new();
    let Some((step, check)) = view.first_broken() else {
        return out;
    };
    let name = crate::announce::step_name(step.id);
    let is = if check.verdict == Verdict::Unknown {
        "cannot be judged"
    } else {
        "is broken"
    };
    let _ = writeln!(out, "{name} ({}) {is}: {}, {}", step.title, check.code, check.title);
    let _ = writeln!(out, "  observed: {}", check.observed);
    if !check.expected.is_empty() {
        let _ = writeln!(out, "  expected: {}", check.expected);
    }
    mend(&mut out, check);
    out
}

fn mend(out: &mut String, check: &CheckResult) {
    if let Some(access) = check.unknown.as_ref().and_then(|unknown| unknown.access.as_ref()) {
        let _ = writeln!(out, "  missing: the permission to {access}");
    }
    let Some(fix) = &check.fix else { return };
    let what = if fix.changes { "to mend it" } else { "to look at" };
    let _ = writeln!(out, "  {what}: {}", fix.words());
    for command in fix.lines() {
        // The end of a line within a command comes from outside: what follows it would look like a line of its own.
        let _ = writeln!(out, "    {}", printable_line(command));
    }
}

/// To the second: an agent's clock is no better than that.
pub(super) fn second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

// === impl Sources ===

impl Readiness for Sources {
    fn statement(&self) -> Statement {
        statement(&self.view())
    }

    fn line(&self, name: &str) -> Option<Line> {
        line(&self.view(), name)
    }
}

#[cfg(test)]
mod tests;
