use super::*;
use crate::admin::answer::Answer;
use crate::admin::sample;
use crate::lifecycle::Broken;
use http::StatusCode;
use starform_verify::contract::StepId;
use std::collections::BTreeSet;
use std::sync::Arc;
use testdata::recordings;

/// The states that a person will see, and the recordings they are seen on.
const STATES: [(Phase, &str); 9] = [
    (Phase::Starting, ""),
    (Phase::Verifying, "metrics-server-absent"),
    (Phase::Verifying, "kube-state-metrics-wildcard"),
    (Phase::Registering, "healthy"),
    (Phase::Active, "healthy"),
    (Phase::Degraded, "allowlist-lacks-one-key"),
    (Phase::Rejected, "healthy"),
    (Phase::Standby, "healthy"),
    (Phase::Stopping, "healthy"),
];

/// The text between tags, one blank between words.
fn text(html: &str) -> String {
    let body = html.split_once("<body>").expect("a body").1;
    let parts = body
        .split('<')
        .map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    let text = parts.collect::<Vec<_>>().join(" ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The values of an attribute.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    html.split(start.as_str())
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

fn assert_sound(html: &str, name: &str) {
    assert!(html.starts_with("<!DOCTYPE html>"), "{name}");
    let mut open: Vec<&str> = Vec::new();
    for tag in html.split('<').skip(2).filter_map(|rest| rest.split('>').next()) {
        let element = tag.split([' ', '\n']).next().unwrap_or_default();
        match element.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "{name}"),
            None if ["meta", "link"].contains(&element) => {}
            None => open.push(element),
        }
    }
    assert_eq!(open, [] as [&str; 0], "{name}");
    let ids = values(html, "id");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{name}: {ids:?}");
    for target in values(html, "href") {
        // Nothing is fetched: links lead to this page and this listener.
        match target.strip_prefix('#') {
            Some(id) => assert!(ids.contains(&id), "{name}: {target}"),
            None => assert!(
                ["/", "/?still", "/report.json", "data:,"].contains(&target),
                "{name}: {target}"
            ),
        }
    }
    for label in values(html, "aria-labelledby") {
        assert!(ids.contains(&label), "{name}: {label}");
    }
    for foreign in [
        " src=", "url(", "@import", "<script", "<img", "<iframe", " onclick", " onload", " style=",
    ] {
        assert!(!html.contains(foreign), "{name}: {foreign}");
    }
}

#[test]
fn a_page_of_every_state_is_sound_and_fetches_nothing() {
    let mut pages: Vec<(String, String)> = Vec::new();
    for (phase, recording) in STATES {
        let name = format!("{phase}-{recording}");
        pages.push((name, page(&sample::view(phase, recording), false)));
    }
    for recording in recordings::names() {
        let view = sample::view(Phase::Verifying, &recording);
        pages.push((recording, page(&view, false)));
    }
    let unseen = sample::verified(recordings::as_recorded("healthy"), true);
    let view = sample::view_of(Phase::Verifying, Some(unseen));
    pages.push(("verifying-2-and-4-unseen".to_owned(), page(&view, false)));
    assert!(pages.len() > STATES.len());
    for (name, html) in &pages {
        assert_sound(html, name);
        // To look at them: STATUS_PAGES=DIR cargo test -p shuttle --lib admin::page
        if let Some(folder) = std::env::var_os("STATUS_PAGES") {
            std::fs::write(std::path::Path::new(&folder).join(format!("{name}.html")), html).unwrap();
        }
    }
}

#[test]
fn a_broken_step_is_named_with_what_to_type() {
    let html = page(&sample::view(Phase::Verifying, "kube-state-metrics-wildcard"), false);
    let text = text(&html);
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part:?} is not in {text}"));
    assert!(at("Verifying") < at("Step 3 is broken"));
    assert!(at("Step 3 is broken") < at("Mend this first"));
    assert!(at("Mend this first") < at("helm upgrade"));
    assert!(at("helm upgrade") < at("All checks"));
    assert!(
        html.contains("<li class=\"fail first\"><p class=\"step\">Step 3</p>"),
        "{html}"
    );
}

/// What the diagram says of a step.
fn tile<'a>(html: &'a str, step: &str) -> &'a str {
    let start = format!("<p class=\"step\">Step {step}</p>");
    let (_, tile) = html.split_once(start.as_str()).expect("a tile");
    tile.split("</li>").next().expect("its end")
}

#[test]
fn every_step_that_passes_says_so() {
    let html = page(&sample::view(Phase::Active, "healthy"), false);
    for step in ["1", "2", "3", "4", "5"] {
        assert!(tile(&html, step).contains("badge pass"), "{}", tile(&html, step));
    }
}

#[test]
fn a_step_without_checks_is_not_audited() {
    let mut verification = sample::verification("healthy");
    for step in &mut verification.report.steps {
        if [StepId::Two, StepId::Four].contains(&step.id) {
            step.checks.clear();
        }
    }
    let html = page(&sample::view_of(Phase::Active, Some(verification)), false);
    for step in ["2", "4"] {
        let tile = tile(&html, step);
        assert!(tile.contains("not audited") && !tile.contains("pass"), "{tile}");
    }
}

#[test]
fn a_step_of_which_nothing_was_seen_is_unknown() {
    let verification = sample::verified(recordings::as_recorded("healthy"), true);
    let html = page(&sample::view_of(Phase::Verifying, Some(verification)), false);
    for step in ["2", "4"] {
        let tile = tile(&html, step);
        assert!(tile.contains("badge unknown") && !tile.contains("badge pass"), "{tile}");
    }
    let text = text(&html);
    assert!(text.contains("Cannot tell whether step 2 is kept"), "{text}");
}

#[test]
fn of_many_broken_checks_the_first_are_whole_and_the_others_folded() {
    let verification = sample::verified(recordings::as_recorded("healthy"), true);
    let report = verification.report.clone();
    let html = page(&sample::view_of(Phase::Verifying, Some(verification)), false);
    let (_, then) = html.split_once("<section aria-labelledby=\"failing\">").unwrap();
    let (then, _) = then.split_once("</section>").unwrap();
    let (whole, folded) = then.split_once("<details").unwrap();
    let articles = |part: &str| part.matches("<article").count();
    assert_eq!(articles(whole), ARTICLES);
    assert!(folded.contains(&format!("{} more", articles(folded))), "{folded}");
    // None is left out: the first broken one stands above them.
    let unknown = report
        .checks()
        .filter(|check| check.verdict == Verdict::Unknown && check.behind.is_none());
    assert_eq!(1 + articles(whole) + articles(folded), unknown.count());
    assert!(!page(&sample::view(Phase::Verifying, "shard-down"), false).contains("class=\"more\""));
}

#[test]
fn before_the_first_verification_nothing_is_said_to_pass() {
    for phase in [Phase::Starting, Phase::Verifying] {
        let html = page(&sample::view(phase, ""), false);
        let text = text(&html);
        assert!(text.contains("Nothing judged yet"), "{text}");
        assert!(
            !text.contains("pass") && !html.contains("class=\"badge pass\""),
            "{text}"
        );
    }
}

#[test]
fn a_refusal_is_told_once_and_whatever_the_gate_came_to() {
    for recording in ["", "healthy", "shard-down"] {
        let text = text(&page(&sample::view(Phase::Rejected, recording), false));
        let told = text.split("the token is revoked").count() - 1;
        assert_eq!(told, 1, "{text}");
        assert!(text.find("the token is revoked") < text.find("Bootstrap"), "{text}");
    }
    let html = page(&sample::view(Phase::Rejected, "healthy"), false);
    assert!(
        html.contains("<li class=\"fail first\"><p class=\"step\">Step 6</p>"),
        "{html}"
    );
}

#[test]
fn a_setback_that_is_not_the_reason_is_told_beside_it() {
    let mut view = sample::view(Phase::Active, "healthy");
    view.snapshot.setback = Some("PUT …/heartbeat: 503 Service Unavailable".to_owned());
    let text = text(&page(&view, false));
    assert!(text.contains("Starbase: PUT …/heartbeat: 503"), "{text}");
}

#[test]
fn what_is_broken_is_said_once_in_the_answer() {
    let html = page(&sample::view(Phase::Verifying, "shard-down"), false);
    let answer = html.split("</header>").next().unwrap();
    assert_eq!(answer.matches("SF321").count(), 1, "{answer}");
}

#[test]
fn every_check_of_the_report_is_on_the_page() {
    for recording in recordings::names() {
        let view = sample::view(Phase::Verifying, &recording);
        let html = page(&view, false);
        for check in view.verification.unwrap().report.checks() {
            assert!(
                html.contains(&format!("<code>{}</code>", check.code)),
                "{recording} {}",
                check.code
            );
        }
    }
}

#[test]
fn what_a_cluster_says_cannot_become_markup() {
    let hostile = "</dd><script>alert(1)</script>\" onclick=\"x' &amp; \u{202e}\u{1b}[2J";
    let mut view = sample::view(Phase::Degraded, "allowlist-missing");
    let mut verification = view.verification.as_deref().unwrap().clone();
    for check in verification.report.steps.iter_mut().flat_map(|step| &mut step.checks) {
        check.observed = hostile.to_owned();
        check.expected = hostile.to_owned();
        for object in &mut check.objects {
            object.name = hostile.to_owned();
        }
        if let Some(fix) = &mut check.fix {
            fix.summary = hostile.to_owned();
            fix.commands = vec![hostile.to_owned()];
        }
    }
    verification.nodes.unproven = vec![hostile.to_owned()];
    verification.canary.row = true;
    verification.canary.missing = vec![hostile.to_owned()];
    let (step, check) = view.first_broken().unwrap();
    verification.gate = crate::lifecycle::Gate::Fails(Broken::of(&check.code, step.id, hostile));
    view.verification = Some(Arc::new(verification));
    view.snapshot.reason = hostile.into();
    view.snapshot.setback = Some(hostile.to_owned());
    view.identity.node = hostile.to_owned();
    // As it is answered.
    let html = Answer::of("text/html; charset=utf-8", StatusCode::OK, page(&view, false)).body;
    assert!(html.contains("&lt;script&gt;"));
    assert!(!html.contains('\u{1b}') && !html.contains('\u{202e}'));
    // The quote before onclick is escaped, so that it is text: no tag has such an attribute.
    for tag in html.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        assert!(!tag.contains("onclick=\""), "{tag}");
    }
    assert!(!html.contains("<script"));
}

#[test]
fn a_page_that_is_held_does_not_refresh() {
    let view = sample::view(Phase::Active, "healthy");
    assert_eq!(values(&page(&view, false), "http-equiv"), ["refresh"]);
    let still = page(&view, true);
    assert_sound(&still, "still");
    assert_eq!(values(&still, "http-equiv"), [] as [&str; 0]);
}

#[test]
fn a_state_is_told_by_a_word_and_not_by_its_colour() {
    let states = [
        State::Pass,
        State::Warn,
        State::Fail,
        State::Unknown,
        State::Blocked,
        State::NotApplicable,
        State::Waived,
        State::Waits,
        State::NotAudited,
    ];
    let words: BTreeSet<&str> = states.iter().map(|state| state.word()).collect();
    let symbols: BTreeSet<&str> = states.iter().map(|state| state.symbol()).collect();
    assert_eq!((words.len(), symbols.len()), (states.len(), states.len()));
    for state in states {
        let badge = state.badge().into_string();
        assert!(badge.contains(state.word()) && badge.contains(state.symbol()));
    }
}

#[test]
fn ages_are_in_the_unit_that_a_person_would_take() {
    let now: Timestamp = "2026-11-22T17:00:00Z".parse().unwrap();
    let before = |seconds: i64| ago(now - jiff::SignedDuration::from_secs(seconds), now);
    assert_eq!(before(0), "0 s ago");
    assert_eq!(before(119), "119 s ago");
    assert_eq!(before(120), "2 min ago");
    assert_eq!(before(7_300), "2 h ago");
    assert_eq!(before(3 * 86_400), "3 days ago");
    // A clock that was set back.
    assert_eq!(before(-30), "0 s ago");
}
