//! One check: whole, or as a row of the list.

use super::capital;
use super::state::State;
use maud::{Markup, html};
use starform_verify::report::{CheckResult, ObjectReference, Verdict};

/// More objects than these are told by their number.
const OBJECTS: usize = 8;

/// What was observed, what was expected, and what to type.
pub(super) fn article(check: &CheckResult) -> Markup {
    let state = State::of(check.verdict);
    let missing = check.unknown.as_ref().and_then(|unknown| unknown.access.as_ref());
    html! {
        article #(check.code) class=(format!("check {}", state.class())) {
            h3 {
                (state.badge()) " " code { (check.code) } " " (capital(&check.title))
                @if !check.gates { " " span .aside { "does not gate registration" } }
            }
            dl {
                dt { "Observed" } dd { (check.observed) }
                @if !check.expected.is_empty() { dt { "Expected" } dd { (check.expected) } }
                @if let Some(access) = missing { dt { "Missing" } dd { "the permission to " (access) } }
                @if !check.objects.is_empty() { dt { "Objects" } dd { (objects(&check.objects)) } }
                @if let Some(waiver) = &check.waiver {
                    dt { "Waiver" }
                    dd {
                        @if waiver.expired { "expired on " } @else { "until " }
                        (waiver.expires) ", " (waiver.owner) ": " (waiver.reason)
                    }
                }
                @if let Some(fix) = &check.fix {
                    dt { @if fix.changes { "To mend it" } @else { "To look at" } }
                    dd { (fix.words()) }
                }
            }
            @if let Some(fix) = &check.fix {
                // One box a command; a click selects all of it.
                @for command in fix.lines() { pre tabindex="0" { code { (words(command)) } } }
            }
        }
    }
}

/// One line of the list.
pub(super) fn row(check: &CheckResult) -> Markup {
    html! {
        li {
            (State::of(check.verdict).badge())
            span {
                code { (check.code) } " " (check.title)
                @if check.verdict != Verdict::Pass { span .observed { (check.observed) } }
            }
        }
    }
}

/// A command whose line breaks only between words: a browser would break `--wait` after its hyphens. A here-document
/// keeps its lines as they are.
fn words(command: &str) -> Markup {
    html! {
        @if command.contains('\n') { (command) }
        @else {
            @for (position, word) in command.split(' ').enumerate() {
                @if position > 0 { " " }
                span { (word) }
            }
        }
    }
}

fn objects(objects: &[ObjectReference]) -> String {
    let name = |object: &ObjectReference| match &object.namespace {
        Some(namespace) => format!("{} {namespace}/{}", object.kind, object.name),
        None => format!("{} {}", object.kind, object.name),
    };
    let mut list = objects.iter().take(OBJECTS).map(name).collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = objects.len().checked_sub(OBJECTS) {
        list = format!("{list} and {more} more");
    }
    list
}
