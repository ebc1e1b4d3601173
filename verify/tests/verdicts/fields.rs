//! Evidence of another version of the tool: a field that this one does not know is left out, and one that is missing makes
//! nothing pass.

use crate::given::{healthy, judge};
use crate::{all, case::Case};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, SelectionRequest, evaluate};
use starform_verify::evidence::Evidence;
use starform_verify::report::{Report, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use testdata::recordings;

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::embedded().unwrap());

/// Maps whose keys are names of something in the cluster, and no fields.
const MAPS: [&str; 11] = [
    "flags",
    "selector",
    "nodeSelector",
    "labels",
    "externalLabels",
    "settings",
    "service",
    "words",
    "replaced",
    "tables",
    "timings",
];

/// Where an object stands: keys, and numbers of items.
type Place = Vec<Step>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    Item(usize),
}

/// Every object of a value that has fields, with its place. What `is_in` says no to is left out, with all that is in it.
fn objects(value: &Value, place: &Place, is_in: &dyn Fn(&Place) -> bool, found: &mut Vec<Place>) {
    if !is_in(place) {
        return;
    }
    let within = |step| [place.as_slice(), &[step]].concat();
    match value {
        Value::Object(entries) => {
            if !is_map(place) && !is_tag(entries) {
                found.push(place.clone());
            }
            for (key, item) in entries {
                objects(item, &within(Step::Key(key.clone())), is_in, found);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                objects(item, &within(Step::Item(number)), is_in, found);
            }
        }
        _ => {}
    }
}

/// Whether what stands there is a map by names, or one in such a map.
fn is_map(place: &Place) -> bool {
    let names = |step: &Step| matches!(step, Step::Key(key) if MAPS.contains(&key.as_str()));
    match place.as_slice() {
        [.., Step::Key(of), Step::Key(_)] if of == "tables" => true,
        [.., last] => names(last),
        [] => false,
    }
}

/// Whether it is one of several, named by its only key.
fn is_tag(entries: &Map<String, Value>) -> bool {
    const TAGS: [&str; 19] = [
        "certificate",
        "token",
        "seen",
        "unknown",
        "answered",
        "scalar",
        "resource",
        "elsewhere",
        "one-of",
        "droplet",
        "tag",
        "load-balancer",
        "cluster",
        "not-known",
        "number",
        "text",
        "literal",
        "reference",
        "other",
    ];
    entries.len() == 1 && entries.keys().all(|key| TAGS.contains(&key.as_str()))
}

fn at<'v>(value: &'v mut Value, place: &Place) -> &'v mut Map<String, Value> {
    let found = place.iter().fold(value, |value, step| match step {
        Step::Key(key) => &mut value[key.as_str()],
        Step::Item(number) => &mut value[*number],
    });
    found.as_object_mut().unwrap()
}

/// As it is read in a message.
fn name(place: &Place) -> String {
    let steps = place.iter().map(|step| match step {
        Step::Key(key) => format!(".{key}"),
        Step::Item(number) => format!("[{number}]"),
    });
    steps.collect()
}

/// The recordings, and a cluster of which everything was seen.
fn recorded() -> Vec<(String, Value)> {
    let value = |name: String| {
        let evidence = serde_json::to_value(recordings::as_recorded(&name)).unwrap();
        (name, evidence)
    };
    let whole = ("everything".to_owned(), serde_json::to_value(healthy()).unwrap());
    recordings::names().into_iter().map(value).chain([whole]).collect()
}

#[test]
fn a_field_that_a_later_version_adds_is_left_out_wherever_it_stands() {
    for (recording, evidence) in recorded() {
        let mut places = Vec::new();
        objects(&evidence, &Vec::new(), &|_| true, &mut places);
        assert!(places.len() > 40, "{recording}: {}", places.len());
        let mut later = evidence.clone();
        for place in &places {
            at(&mut later, place).insert("addedLater".to_owned(), json!({"seen": ["more"]}));
        }
        // Of a source that this version does not have.
        later["timings"]["addedLater"] = json!({"startedMs": 1, "endedMs": 9_999_999});
        let read = |value: Value| serde_json::from_value::<Evidence>(value).unwrap();
        let (now, later) = (read(evidence), read(later));
        assert_eq!(later, now, "{recording}");
        assert_eq!(judge(&later), judge(&now), "{recording}");
    }
}

#[test]
fn a_kind_of_trouble_that_a_later_version_knows_is_none() {
    let mut evidence = serde_json::to_value(healthy()).unwrap();
    let unknown = json!({"reason": "unreachable", "request": "GET /version", "message": "no", "trouble": "sunspots"});
    evidence["apiServer"] = json!({"unknown": unknown});
    let evidence: Evidence = serde_json::from_value(evidence).unwrap();
    assert_eq!(evidence.api_server.unknown().unwrap().trouble, None);
}

/// Whether what a check came to lets a cluster pass.
fn lets_pass(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Pass | Verdict::Warn | Verdict::NotApplicable)
}

/// Whether it came to more than before.
fn is_better(verdict: Verdict, before: Verdict) -> bool {
    (lets_pass(verdict) && !lets_pass(before)) || (verdict == Verdict::Pass && before != Verdict::Pass)
}

/// The verdicts of a report.
fn verdicts(report: &Report) -> BTreeMap<&str, Verdict> {
    report
        .checks()
        .map(|check| (check.code.as_str(), check.verdict))
        .collect()
}

/// What passes without one of the fields of these objects that did not pass with it.
fn wrong_without(evidence: &Value, places: &[Place], selection: &Selection) -> Vec<String> {
    let judge = |evidence: &Value| -> Option<Report> {
        Some(evaluate(&CONTRACT, &Evidence::deserialize(evidence).ok()?, selection))
    };
    let before = judge(evidence).unwrap();
    let before = verdicts(&before);
    let mut less = evidence.clone();
    let mut wrong = Vec::new();
    for place in places {
        let keys: Vec<String> = at(&mut less, place).keys().cloned().collect();
        for key in keys {
            let taken = at(&mut less, place).remove(&key).unwrap();
            if let Some(report) = judge(&less) {
                let better = report.checks().filter_map(|check| {
                    let with = *before.get(check.code.as_str())?;
                    is_better(check.verdict, with).then(|| {
                        format!(
                            "{} {key}: {} is {:?}, not {with:?}: {}",
                            name(place),
                            check.code,
                            check.verdict,
                            check.observed
                        )
                    })
                });
                wrong.extend(better);
            }
            at(&mut less, place).insert(key, taken);
        }
    }
    wrong
}

/// Runs `judge` for each of some, on every core, and gathers what it finds wrong.
fn on_every_core<T: Sync>(all: &[T], judge: impl Fn(&T) -> Vec<String> + Sync) -> Vec<String> {
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let judge = &judge;
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|worker| scope.spawn(move || all.iter().skip(worker).step_by(workers).flat_map(judge).collect()))
            .collect();
        let found = workers.into_iter().map(|worker| worker.join().unwrap());
        found.flat_map(|found: Vec<String>| found).collect()
    })
}

#[test]
fn no_recording_passes_more_without_a_field() {
    let wrong = on_every_core(&recorded(), |(recording, evidence)| {
        // Of every list the first two: what is missing of one item is judged as of any other.
        let first = |place: &Place| !place.iter().any(|step| matches!(step, Step::Item(2..)));
        let mut places = Vec::new();
        objects(evidence, &Vec::new(), &first, &mut places);
        let wrong = wrong_without(evidence, &places, &Selection::all()).into_iter();
        wrong.map(|wrong| format!("{recording}: {wrong}")).collect()
    });
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The places of the objects in which something differs.
fn differing(value: &Value, other: &Value, place: &Place, found: &mut BTreeSet<Place>) {
    if value == other {
        return;
    }
    let within = |step| [place.as_slice(), &[step]].concat();
    match value {
        Value::Object(entries) => {
            found.insert(place.clone());
            for (key, item) in entries {
                differing(item, &other[key.as_str()], &within(Step::Key(key.clone())), found);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                differing(item, &other[number], &within(Step::Item(number)), found);
            }
        }
        _ => {}
    }
}

#[test]
fn what_is_wrong_with_a_cluster_does_not_pass_without_a_field() {
    let healthy = serde_json::to_value(healthy()).unwrap();
    let cases: Vec<&Case> = all().filter(|case| case.verdict != Verdict::Pass).collect();
    let wrong = on_every_core(&cases, |case| {
        let evidence = serde_json::to_value(case.evidence()).unwrap();
        let request = SelectionRequest {
            checks: vec![case.code.to_owned()],
            ..SelectionRequest::default()
        };
        let mut differ = BTreeSet::new();
        differing(&evidence, &healthy, &Vec::new(), &mut differ);
        let mut places = Vec::new();
        // The evidence's own fields are looked at above.
        objects(&evidence, &Vec::new(), &|_| true, &mut places);
        places.retain(|place| place.len() > 1 && differ.contains(place));
        let wrong = wrong_without(&evidence, &places, &Selection::new(&request).unwrap());
        wrong
            .into_iter()
            .map(|wrong| format!("{}: {wrong}", case.name))
            .collect()
    });
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
