use super::*;
use rstest::rstest;
use starform_verify::contract::Contract;

const CLUSTER: usize = 0;
const PROJECT: usize = 2;
const APP: usize = 3;
const DEPLOYMENT: usize = 4;

fn keys() -> Keys {
    Keys::of(&Contract::embedded().unwrap())
}

fn cluster() -> ClusterLabels {
    ClusterLabels {
        cluster_id: "c1".to_owned(),
        region: "nyc3".to_owned(),
    }
}

fn values(of: [&str; 5]) -> Values {
    of.map(|value| (!value.is_empty()).then(|| value.to_owned())).to_vec()
}

fn seen(of: [&str; 5]) -> Owner {
    Owner::Seen {
        values: values(of),
        selects: vec![false; 5],
    }
}

/// The namespace says `p` and `n`, `n`; the owner `o`, `o`.
fn namespace() -> Values {
    values(["", "", "p", "n", "n"])
}

fn owner() -> Owner {
    seen(["", "", "op", "o", "o"])
}

fn nothing() -> Current {
    Current::default()
}

fn own(value: &str) -> Current {
    Current {
        value: Some(value.to_owned()),
        own: true,
        other: None,
    }
}

fn others(value: &str) -> Current {
    Current {
        value: Some(value.to_owned()),
        own: false,
        other: Some("kubectl".to_owned()),
    }
}

fn both(value: &str) -> Current {
    Current {
        own: true,
        ..others(value)
    }
}

/// A pod that is right, but for one key.
fn pod(place: usize, current: Current) -> Vec<Current> {
    let mut pod: Vec<_> = ["c1", "nyc3", "p", "o", "o"].map(own).to_vec();
    pod[place] = current;
    pod
}

#[allow(clippy::unnecessary_wraps, reason = "the tables' expectations are options")]
fn set(place: usize, value: &str) -> Option<Change> {
    Some(Change::Set(place, value.to_owned()))
}

#[allow(clippy::unnecessary_wraps, reason = "the tables' expectations are options")]
fn conflict(place: usize, value: &str) -> Option<Change> {
    Some(Change::Conflict(place, value.to_owned()))
}

#[rstest]
#[case::absent(nothing(), set(CLUSTER, "c1"))]
#[case::right(own("c1"), None)]
#[case::right_by_another(others("c1"), None)]
#[case::an_older_parameter(own("c0"), set(CLUSTER, "c1"))]
#[case::wrong_by_another(others("x"), Some(Change::Correct(CLUSTER, "c1".to_owned())))]
#[case::wrong_and_shared(both("x"), Some(Change::Correct(CLUSTER, "c1".to_owned())))]
fn shuttles_own_keys_are_set_and_corrected_by_force(#[case] current: Current, #[case] expected: Option<Change>) {
    let changes = desired(&keys(), &cluster(), &namespace(), &owner(), &pod(CLUSTER, current));
    assert_eq!(changes, Vec::from_iter(expected));
}

#[rstest]
#[case::absent(namespace(), nothing(), set(PROJECT, "p"))]
#[case::right_by_another(namespace(), others("p"), None)]
#[case::the_namespace_changed(namespace(), own("old"), set(PROJECT, "p"))]
#[case::anothers(namespace(), others("x"), conflict(PROJECT, "p"))]
#[case::shared(namespace(), both("x"), conflict(PROJECT, "p"))]
#[case::no_source(values(["", "", "", "n", "n"]), nothing(), Some(Change::NoSource(PROJECT)))]
#[case::the_source_went(values(["", "", "", "n", "n"]), own("p"), Some(Change::Remove(PROJECT)))]
#[case::the_source_went_and_another_has_it(values(["", "", "", "n", "n"]), both("p"), None)]
#[case::no_source_but_anothers(values(["", "", "", "n", "n"]), others("x"), None)]
fn the_project_comes_from_the_namespace_only_and_never_by_force(
    #[case] namespace: Values,
    #[case] current: Current,
    #[case] expected: Option<Change>,
) {
    // The owner's label of that key counts for nothing.
    let changes = desired(&keys(), &cluster(), &namespace, &owner(), &pod(PROJECT, current));
    assert_eq!(changes, Vec::from_iter(expected));
}

#[rstest]
#[case::from_the_owner(owner(), namespace(), nothing(), set(APP, "o"))]
#[case::right(owner(), namespace(), own("o"), None)]
#[case::the_owner_changed(owner(), namespace(), own("old"), set(APP, "o"))]
#[case::anothers(owner(), namespace(), others("x"), conflict(APP, "o"))]
#[case::from_the_namespace_where_the_owner_has_none(seen(["", "", "", "", "o"]), namespace(), nothing(), set(APP, "n"))]
#[case::from_the_namespace_where_there_is_no_owner(Owner::None, namespace(), nothing(), set(APP, "n"))]
#[case::no_source(Owner::None, values(["", "", "p", "", "n"]), nothing(), Some(Change::NoSource(APP)))]
#[case::the_source_went(Owner::None, values(["", "", "p", "", "n"]), own("o"), Some(Change::Remove(APP)))]
#[case::the_owner_goes(Owner::Gone, namespace(), own("o"), None)]
#[case::the_owner_went_before(Owner::Gone, namespace(), nothing(), set(APP, "n"))]
#[case::unknown(Owner::Unknown, namespace(), nothing(), None)]
#[case::unknown_and_set(Owner::Unknown, namespace(), own("o"), None)]
fn the_app_comes_from_the_owner_else_from_the_namespace_and_never_by_force(
    #[case] owner: Owner,
    #[case] namespace: Values,
    #[case] current: Current,
    #[case] expected: Option<Change>,
) {
    let mut pod = pod(APP, current);
    // The other key of this kind does not matter here.
    pod[DEPLOYMENT] = match &owner {
        Owner::Seen { .. } => own("o"),
        _ => own("n"),
    };
    let changes = desired(&keys(), &cluster(), &namespace, &owner, &pod);
    assert_eq!(changes, Vec::from_iter(expected));
}

#[rstest]
#[case::wrong(others("x"), Some(Change::Selected(CLUSTER, "c1".to_owned())))]
#[case::absent(nothing(), Some(Change::Selected(CLUSTER, "c1".to_owned())))]
#[case::right(others("c1"), None)]
fn a_key_that_the_controller_selects_by_is_never_changed(#[case] current: Current, #[case] expected: Option<Change>) {
    let owner = Owner::Seen {
        values: values(["", "", "", "o", "o"]),
        selects: vec![true; 5],
    };
    let pod = pod(CLUSTER, current);
    let changes = desired(&keys(), &cluster(), &namespace(), &owner, &pod);
    assert_eq!(changes, Vec::from_iter(expected));
    assert_eq!(applied(&keys(), &pod, &changes), None);
}

#[test]
fn nothing_is_written_for_conflicts_and_missing_sources() {
    let mut pod = pod(PROJECT, others("x"));
    pod[APP] = nothing();
    let changes = desired(&keys(), &cluster(), &values(["", "", "p", "", "o"]), &Owner::None, &pod);
    assert_eq!(
        changes,
        [Change::Conflict(PROJECT, "p".to_owned()), Change::NoSource(APP)]
    );
    assert_eq!(applied(&keys(), &pod, &changes), None);
}

#[test]
fn an_apply_carries_all_that_shuttle_owns_and_nothing_of_others() {
    let pod = [others("c1"), own("nyc3"), others("x"), nothing(), both("old")];
    let changes = desired(&keys(), &cluster(), &namespace(), &owner(), &pod);
    let applied = applied(&keys(), &pod, &changes).unwrap();
    let expected = [
        ("starform.io/region", "nyc3"),
        ("starform.io/app", "o"),
        ("starform.io/deployment", "old"),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(applied, BTreeMap::from(expected));
}

#[test]
fn what_lost_its_source_is_left_out_of_an_apply_and_so_removed() {
    let pod = pod(PROJECT, own("p"));
    let changes = desired(&keys(), &cluster(), &values(["", "", "", "n", "n"]), &owner(), &pod);
    let applied = applied(&keys(), &pod, &changes).unwrap();
    assert_eq!(applied.len(), 4);
    assert!(!applied.contains_key("starform.io/project"));
}
