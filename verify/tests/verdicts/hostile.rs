//! No text of the evidence acts on a screen, whatever field it stands in and whatever form it is rendered in.

use crate::given::{healthy, judge};
use crate::{all, case::Case};
use serde::Serialize;
use serde_json::Value;
use starform_verify::evidence::Evidence;
use starform_verify::report::Report;
use starform_verify_cli::render::{Format, Screen, render};
use std::collections::BTreeSet;

/// What a tenant might write: it moves the cursor, recolours, hides, turns around, and draws an answer of its own.
const HOSTILE: &str = "\u{1b}[2J\u{1b}[35;46m\u{1b}]0;x\u{7}\u{9b}31m\u{90}\u{0}\u{8}\t\r\u{7f}\u{85}\u{202e}\u{2066}\u{200f}\
                       \u{61c}\u{200b}\u{200d}\u{2060}\u{feff}\u{ad}\u{fe0f}\u{e0041}\u{3164}\u{2028}\u{2029}\n√ conforms: forged";

const SCREENS: [Screen; 2] = [
    Screen {
        width: 100,
        unicode: true,
    },
    Screen {
        width: 40,
        unicode: false,
    },
];

/// The styles of this program, behind their escape.
const STYLES: [&str; 7] = ["[0m", "[1m", "[2m", "[31m", "[32m", "[33m", "[35m"];

/// In how many parts the places of the evidence are tried.
const GROUPS: usize = 40;

/// Where a text stands: keys, and `*` for any item of a list.
type Place = Vec<String>;

/// Adds the hostile text to every text, and to every key of a map, of which `is_chosen` says so.
fn poison(value: &mut Value, place: &mut Place, is_chosen: &mut dyn FnMut(&Place, &str) -> bool) {
    match value {
        Value::String(text) => {
            if is_chosen(place, text) {
                text.push_str(HOSTILE);
            }
        }
        Value::Array(items) => {
            place.push("*".to_owned());
            for item in items {
                poison(item, place, is_chosen);
            }
            place.pop();
        }
        Value::Object(entries) => {
            for (key, item) in std::mem::take(entries) {
                let mut item = item;
                place.push(format!("{key} (key)"));
                let key_is_chosen = is_chosen(place, &key);
                place.pop();
                place.push(key);
                poison(&mut item, place, is_chosen);
                let key = place.pop().unwrap_or_default();
                entries.insert(if key_is_chosen { key + HOSTILE } else { key }, item);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn poisoned(value: &Value, is_chosen: &mut dyn FnMut(&Place, &str) -> bool) -> Option<Evidence> {
    let mut value = value.clone();
    poison(&mut value, &mut Vec::new(), is_chosen);
    serde_json::from_value(value).ok()
}

/// What is wrong with the forms of a report, as far as it tells the hostile text: each check is rendered by itself, and all of
/// them for every case would take most of the time.
fn wrong(report: &Report) -> Option<String> {
    let mut report = report.clone();
    for step in &mut report.steps {
        step.checks.retain(tells);
    }
    let report = &report;
    for format in Format::ALL {
        // What a program reads is the same on every screen.
        let is_read_by_people = matches!(format, Format::Text | Format::Short);
        for screen in &SCREENS[..if is_read_by_people { 2 } else { 1 }] {
            let text = render(report, format, *screen).to_string();
            if let Some(c) = acting(&text) {
                return Some(format!("{c:?} in {format}: {text:?}"));
            }
            if text.lines().any(is_forged) {
                return Some(format!("a forged answer in {format}: {text}"));
            }
            if format == Format::Json {
                let read: Report = serde_json::from_str(&text).unwrap();
                assert_eq!(read, *report, "json loses something");
            }
        }
    }
    None
}

/// Whether the hostile text is in it, or a part of it that acts.
fn tells(told: &impl Serialize) -> bool {
    serde_json::to_string(told).is_ok_and(|json| json.contains("forged") || json.contains("\\u001b"))
}

/// Whether a line begins with the hostile text's answer, in whatever style.
fn is_forged(line: &str) -> bool {
    let before = line.split_once("√ conforms: forged").map(|(before, _)| before);
    before.is_some_and(|before| {
        before
            .split('\u{1b}')
            .all(|style| style.is_empty() || STYLES.contains(&style))
    })
}

/// The first character that acts on a screen. The styles of this program do too; they are a few, and none of them is the
/// hostile text's.
fn acting(text: &str) -> Option<char> {
    text.char_indices()
        .map(|(at, c)| (&text[at + c.len_utf8()..], c))
        .find_map(|(rest, c)| {
            let acts = match c {
                '\n' => false,
                '\u{1b}' => !STYLES.iter().any(|style| rest.starts_with(style)),
                // Nearly every character is one of these: they are told from the others at once.
                _ if c.is_ascii() => c.is_ascii_control(),
                '√' => false,
                _ => c.is_control() || HOSTILE.contains(c),
            };
            acts.then_some(c)
        })
}

#[test]
fn no_text_of_the_evidence_acts_on_a_screen_in_any_form() {
    let evidence = serde_json::to_value(healthy()).unwrap();
    let mut places: BTreeSet<Place> = BTreeSet::new();
    poisoned(&evidence, &mut |place, _| {
        places.insert(place.clone());
        false
    });
    // What is no free text, as a time or a verdict, cannot be read with it.
    let is_read = |place: &&Place| poisoned(&evidence, &mut |other, _| other == *place).is_some();
    let read: Vec<&Place> = places.iter().filter(is_read).collect();
    let mut told = 0;
    // A few at a time: one alone changes what is told least, and each would take minutes.
    for group in 0..GROUPS {
        let chosen: BTreeSet<&Place> = read.iter().skip(group).step_by(GROUPS).copied().collect();
        let report = judge(&poisoned(&evidence, &mut |place, _| chosen.contains(place)).unwrap());
        if let Some(wrong) = wrong(&report) {
            panic!("one of {chosen:?}: {wrong}");
        }
        told += serde_json::to_string(&report).unwrap().matches("forged").count();
    }
    assert!(
        read.len() > 150 && told > 40,
        "{} of {} places, {told} told",
        read.len(),
        places.len()
    );
    let all: BTreeSet<&Place> = read.iter().copied().collect();
    let all = poisoned(&evidence, &mut |place, _| all.contains(place)).unwrap();
    assert_eq!(wrong(&judge(&all)), None);
}

#[test]
fn nor_does_what_is_wrong_with_a_cluster() {
    let healthy = serde_json::to_value(healthy()).unwrap();
    let mut known: BTreeSet<(Place, String)> = BTreeSet::new();
    poisoned(&healthy, &mut |place, text| {
        known.insert((place.clone(), text.to_owned()));
        false
    });
    let cases: Vec<&Case> = all().collect();
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let try_some = |worker: usize| told_of(cases.iter().skip(worker).step_by(workers).copied(), &healthy, &known);
    let try_some = &try_some;
    let told: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|worker| scope.spawn(move || try_some(worker)))
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert!(told > 40, "{told} told");
}

/// How many reports of these cases tell a hostile text.
fn told_of<'a>(cases: impl Iterator<Item = &'a Case>, healthy: &Value, known: &BTreeSet<(Place, String)>) -> usize {
    let mut told = 0;
    for case in cases {
        let evidence = serde_json::to_value(case.evidence()).unwrap();
        // Only what differs is walked through: all of it for every case would take most of the time.
        let mut different = evidence.clone();
        keep_what_differs(&mut different, healthy);
        let read = |different: &Value, is_chosen: &mut dyn FnMut(&Place, &str) -> bool| {
            let (mut poisoned, mut whole) = (different.clone(), evidence.clone());
            poison(&mut poisoned, &mut Vec::new(), is_chosen);
            put_back(&mut whole, poisoned);
            serde_json::from_value::<Evidence>(whole).ok()
        };
        let mut differing = BTreeSet::new();
        poison(&mut different.clone(), &mut Vec::new(), &mut |place, text| {
            if !known.contains(&(place.clone(), text.to_owned())) {
                differing.insert(place.clone());
            }
            false
        });
        // All at once where that can be read, else one by one.
        let at_once = read(&different, &mut |place, _| differing.contains(place));
        let one_by_one = || {
            let places = differing.iter();
            places.filter_map(|place| read(&different, &mut |other, _| other == place))
        };
        let readings: Vec<Evidence> = at_once.map_or_else(|| one_by_one().collect(), |evidence| vec![evidence]);
        for evidence in readings {
            let report = judge(&evidence);
            if !tells(&report) {
                continue;
            }
            told += 1;
            if let Some(wrong) = wrong(&report) {
                panic!("{} {}: one of {differing:?}: {wrong}", case.code, case.title());
            }
        }
    }
    told
}

/// Takes the entries away, of the outermost objects and of those in them, that are the same in another value.
fn keep_what_differs(value: &mut Value, other: &Value) {
    let Value::Object(entries) = value else { return };
    entries.retain(|key, item| other.get(key) != Some(item));
    for (key, item) in entries {
        if let (Value::Object(inner), Some(other)) = (item, other.get(key)) {
            inner.retain(|key, item| other.get(key) != Some(item));
        }
    }
}

/// Puts entries back where they were taken from.
fn put_back(whole: &mut Value, part: Value) {
    let (Value::Object(whole), Value::Object(part)) = (whole, part) else {
        return;
    };
    for (key, item) in part {
        match (whole.get_mut(&key), item) {
            (Some(Value::Object(whole)), Value::Object(inner)) => whole.extend(inner),
            (_, item) => {
                whole.insert(key, item);
            }
        }
    }
}
