use super::*;
use serde_json::json;
use starform_verify::contract::Contract;

fn namespace(name: &str, project: &str, managed: &str) -> PartialObjectMeta<Namespace> {
    let labels = json!({ "starform.io/managed": managed, "starform.io/project": project });
    serde_json::from_value(json!({ "metadata": { "name": name, "labels": labels } })).unwrap()
}

fn taken(namespaces: &mut Namespaces, events: Vec<Event<PartialObjectMeta<Namespace>>>) -> Vec<String> {
    let keys = Keys::of(&Contract::embedded().unwrap());
    let changed = events.into_iter().flat_map(|event| namespaces.take(event, &keys));
    changed.collect()
}

fn listed(name: &str, project: &str) -> Event<PartialObjectMeta<Namespace>> {
    Event::InitApply(namespace(name, project, "true"))
}

#[test]
fn the_first_list_is_complete_at_its_end_and_asks_for_no_look() {
    let mut namespaces = Namespaces::default();
    assert!(taken(&mut namespaces, vec![Event::Init, listed("shop", "p")]).is_empty());
    assert!(!namespaces.is_complete());
    assert!(namespaces.get("shop").is_none());
    assert!(taken(&mut namespaces, vec![Event::InitDone]).is_empty());
    assert!(namespaces.is_complete());
    assert_eq!(namespaces.get("shop").unwrap()[2].as_deref(), Some("p"));
}

#[test]
fn a_later_list_tells_what_is_new_what_changed_and_forgets_what_is_gone() {
    let mut namespaces = Namespaces::default();
    let first = vec![
        listed("same", "p"),
        listed("other", "p"),
        listed("gone", "p"),
        Event::InitDone,
    ];
    taken(&mut namespaces, first);
    let second = vec![
        Event::Init,
        listed("same", "p"),
        listed("other", "q"),
        listed("new", "p"),
        Event::InitDone,
    ];
    let mut changed = taken(&mut namespaces, second);
    changed.sort();
    assert_eq!(changed, ["new", "other"]);
    assert!(namespaces.get("gone").is_none());
}

#[test]
fn a_namespace_that_becomes_managed_or_changes_its_project_is_looked_at() {
    let mut namespaces = Namespaces::default();
    taken(&mut namespaces, vec![Event::InitDone]);
    let apply = |project: &str, managed: &str| Event::Apply(namespace("shop", project, managed));
    assert_eq!(taken(&mut namespaces, vec![apply("p", "true")]), ["shop"]);
    assert!(taken(&mut namespaces, vec![apply("p", "true")]).is_empty());
    assert_eq!(taken(&mut namespaces, vec![apply("q", "true")]), ["shop"]);
    assert!(taken(&mut namespaces, vec![apply("q", "false")]).is_empty());
    assert!(namespaces.get("shop").is_none());
}

#[test]
fn a_namespace_that_ceases_to_be_managed_leaves_the_watch_and_is_forgotten() {
    let mut namespaces = Namespaces::default();
    taken(&mut namespaces, vec![listed("shop", "p"), Event::InitDone]);
    assert!(taken(&mut namespaces, vec![Event::Delete(namespace("shop", "p", "true"))]).is_empty());
    assert!(namespaces.get("shop").is_none());
}
