//! No text of the evidence acts on a screen, whatever field it stands in and whatever form it is rendered in.

use crate::given::{healthy, judge};
use crate::{all, case::Case};
use serde_json::Value;
use starform_verify::evidence::Evidence;
use starform_verify::render::{Format, Screen, render};
use starform_verify::report::Report;
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

/// What is wrong with the forms of a report.
fn wrong(report: &Report) -> Option<String> {
    for format in Format::ALL {
        for screen in SCREENS {
            let text = render(report, format, screen);
            // The styles of this program are a few, and none of them is the hostile text's.
            let mut plain = text.to_string();
            for style in ["0", "1", "2", "31", "32", "33", "35"] {
                plain = plain.replace(&format!("\u{1b}[{style}m"), "");
            }
            let acts = |c: char| {
                (c.is_control() && c != '\n')
                    || HOSTILE
                        .chars()
                        .filter(|c| !c.is_ascii() && *c != '√')
                        .any(|other| other == c)
            };
            if let Some(c) = plain.chars().find(|c| acts(*c)) {
                return Some(format!("{c:?} in {format}: {plain:?}"));
            }
            if plain.lines().any(|line| line.starts_with("√ conforms: forged")) {
                return Some(format!("a forged answer in {format}: {plain}"));
            }
        }
        if format == Format::Json {
            let text = render(report, format, SCREENS[0]);
            assert_eq!(
                serde_json::from_str::<Report>(&text).unwrap(),
                *report,
                "json loses something"
            );
        }
    }
    None
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
    let try_some = |worker: usize| told_of(cases.iter().skip(worker).step_by(workers).copied(), &known);
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
fn told_of<'a>(cases: impl Iterator<Item = &'a Case>, known: &BTreeSet<(Place, String)>) -> usize {
    let mut told = 0;
    for case in cases {
        let Case { code, name, .. } = case;
        let evidence = serde_json::to_value(case.evidence()).unwrap();
        let mut differing = BTreeSet::new();
        poisoned(&evidence, &mut |place, text| {
            if !known.contains(&(place.clone(), text.to_owned())) {
                differing.insert(place.clone());
            }
            false
        });
        // All at once where that can be read, else one by one.
        let at_once = poisoned(&evidence, &mut |place, _| differing.contains(place));
        let one_by_one = || {
            differing
                .iter()
                .filter_map(|place| poisoned(&evidence, &mut |other, _| other == place))
        };
        let readings: Vec<Evidence> = at_once.map_or_else(|| one_by_one().collect(), |evidence| vec![evidence]);
        for evidence in readings {
            let report = judge(&evidence);
            let text = serde_json::to_string(&report).unwrap();
            if !text.contains("forged") {
                continue;
            }
            told += 1;
            if let Some(wrong) = wrong(&report) {
                panic!("{code} {name}: one of {differing:?}: {wrong}");
            }
        }
    }
    told
}
