//! The checks that all three collectors have.

use super::{Delivery, Flow};
use crate::evaluate::age::words;
use crate::evaluate::fix::{count, names};
use crate::evaluate::outcome::{Judge, Outcome};
use crate::evaluate::silence::is_silent;
use crate::evaluate::subject::Subject;
use crate::evidence::{MetricsPage, Observed, Unknown};
use crate::flow::Program;
use crate::report::Verdict;

/// A pod's page, and what is told of the pod.
type Told<'a> = (&'a MetricsPage, String);

/// SF410, SF430, SF450.
pub(in crate::evaluate) fn answers(subject: Subject<'_>, program: Program) -> Judge {
    let flow = Flow::of(subject, program)?;
    let silent = |page: &MetricsPage| match &page.first {
        Observed::Seen(_) => false,
        Observed::Absent => true,
        Observed::Unknown(unknown) => is_silent(subject, unknown),
    };
    let (young, old): (Vec<&MetricsPage>, Vec<&MetricsPage>) =
        (flow.pages.iter().filter(|page| silent(page))).partition(|page| flow.was_just_created(page));
    // What waiting can mend is told last.
    for page in flow.pages.iter().filter(|page| !silent(page)) {
        page.first.or_else(|| Outcome::undetermined("the pod is gone"))?;
    }
    let verdict = flow.judge(old.len());
    if let (Some(first), Verdict::Warn | Verdict::Fail) = (old.first(), verdict) {
        let why = match &first.first {
            Observed::Unknown(unknown) => unknown.message.as_str(),
            _ => "it is gone",
        };
        let which = names(old.iter().map(|page| flow.name(page)));
        let observed = format!(
            "{} of {} without a metrics page: {which} ({why})",
            old.len(),
            count(flow.pages.len(), "pod")
        );
        return Ok(Flow::told(verdict, observed, &old)
            .expected("a whole page from every pod")
            .fix(flow.look(first, "see why it does not answer")));
    }
    if young.len() == flow.pages.len() {
        let start = words(subject.contract.thresholds.flow_start);
        return Ok(Outcome::undetermined(format!(
            "no pod answers yet, and none is {start} old"
        )));
    }
    Ok(Outcome::pass(count(flow.seen().count(), "pod")))
}

/// SF411, SF434, SF451.
pub(in crate::evaluate) fn delivers(subject: Subject<'_>, program: Program) -> Judge {
    let flow = Flow::of(subject, program)?;
    let (mut still, mut stuck): (Vec<Told<'_>>, Vec<Told<'_>>) = (Vec::new(), Vec::new());
    let (mut late, mut unclear): (Vec<Told<'_>>, Vec<Told<'_>>) = (Vec::new(), Vec::new());
    let mut unseen: Option<&Unknown> = None;
    let (mut delivering, mut young, mut idle) = (0usize, 0usize, 0usize);
    for (page, metrics) in flow.seen() {
        match flow.delivery(page, metrics) {
            Delivery::Delivers => delivering += 1,
            Delivery::Idle => idle += 1,
            Delivery::Young => young += 1,
            Delivery::Late(why) => late.push((page, why)),
            Delivery::Still(why) => still.push((page, why)),
            Delivery::Stuck(why) => stuck.push((page, why)),
            Delivery::Unclear(why) => unclear.push((page, why)),
            Delivery::Unseen(unknown) => unseen = unseen.or(Some(unknown)),
        }
    }
    let expected = format!(
        "every pod delivers what it takes in: no {} waits for long",
        program.unit()
    );
    let fix = |pages: &[Told<'_>]| match (still.first(), pages.first()) {
        (Some((page, _)), _) => Some(flow.start_anew(page)),
        (None, Some((page, _))) => Some(flow.look(page, "see what its store answers")),
        (None, None) => None,
    };
    let told = |verdict: Verdict, pods: &[Told<'_>]| {
        let outcome = told_of(flow, verdict, pods, &expected);
        match fix(pods) {
            Some(fix) => outcome.fix(fix),
            None => outcome,
        }
    };
    // What stands still is told first: the fix is its. It does not mend itself, as a store's trouble does: one is enough.
    let mut bad = [still.clone(), stuck].concat();
    let verdict = if still.is_empty() {
        flow.judge(bad.len())
    } else {
        Verdict::Fail
    };
    let at_worst = flow.judge(bad.len() + unclear.len());
    if verdict == Verdict::Fail {
        return Ok(told(verdict, &bad));
    }
    if let Some(unseen) = unseen {
        return Ok(Outcome::unknown(unseen));
    }
    // Where a few are stuck that is a warning, so where a few may be it is one too.
    if at_worst == Verdict::Warn && delivering + late.len() > 0 {
        bad.append(&mut unclear);
        return Ok(told(at_worst, &bad));
    }
    if let Some((_, why)) = unclear.into_iter().next() {
        let again = "audit once more: a collector that flows shows it sooner or later";
        return Ok(Outcome::undetermined(why).expected(again));
    }
    if !late.is_empty() {
        return Ok(told(Verdict::Warn, &late));
    }
    if delivering == 0 && young > 0 {
        let start = words(subject.contract.thresholds.flow_start);
        return Ok(Outcome::undetermined(format!(
            "nothing is delivered yet by {}, which started less than {start} ago",
            count(young, "pod")
        ))
        .expected(expected));
    }
    if delivering == 0 {
        let observed = format!("nothing came in that could be delivered, at {}", count(idle, "pod"));
        let pages: Vec<&MetricsPage> = flow.pages.iter().collect();
        let outcome = Flow::told(Verdict::Fail, observed, &pages).expected(expected);
        return Ok(match flow.pages.first() {
            Some(first) => outcome.fix(flow.look(first, "see what it reads")),
            None => outcome,
        });
    }
    Ok(Outcome::pass(match idle + young {
        0 => count(delivering, "pod"),
        others => format!("{}; {others} with nothing to deliver", count(delivering, "pod")),
    }))
}

/// Pods that do not deliver, the first one's reason in words.
fn told_of(flow: Flow<'_>, verdict: Verdict, pods: &[Told<'_>], expected: &str) -> Outcome {
    let pages: Vec<&MetricsPage> = pods.iter().map(|(page, _)| *page).collect();
    let why = pods.first().map_or("", |(_, why)| why.as_str());
    let observed = match pods.len().saturating_sub(1) {
        0 => why.to_owned(),
        more => format!("{why} (and {more} more of {})", count(flow.pages.len(), "pod")),
    };
    Flow::told(verdict, observed, &pages).expected(expected)
}
