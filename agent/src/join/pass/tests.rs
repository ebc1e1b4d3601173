use super::*;
use std::collections::BTreeSet;

fn listed(name: &str) -> Listed<'_> {
    Listed {
        name,
        created: Some(Timestamp::UNIX_EPOCH),
        ready: true,
        young: false,
    }
}

fn pass<S: AsRef<str>>(nodes: &[S]) -> Pass {
    let mut pass = Pass::default();
    pass.keep(nodes.iter().map(|name| listed(name.as_ref())));
    pass
}

fn read(pass: &mut Pass, name: &str, judged: Result<u32, &str>) {
    pass.read(
        name,
        judged.map_err(ToOwned::to_owned),
        Timestamp::now(),
        Instant::now(),
    );
}

fn read_all_due(pass: &mut Pass) -> Vec<String> {
    let due = pass.due(Instant::now());
    for name in &due {
        read(pass, name, Ok(1));
    }
    due
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("node-{number:03}")).collect()
}

#[tokio::test(start_paused = true)]
async fn every_ready_node_is_read_before_the_pass_is_complete() {
    let mut pass = pass(&["a", "b"]);
    assert!(!pass.join().complete);
    assert_eq!(pass.due(Instant::now()), ["a", "b"]);
    read(&mut pass, "a", Ok(3));
    assert!(!pass.join().complete);
    // What was not read in time comes first.
    assert_eq!(pass.due(Instant::now()), ["b"]);
    read(&mut pass, "b", Ok(4));
    let join = pass.join();
    assert!(join.complete);
    assert_eq!((join.joined, join.pods), (vec!["a".to_owned(), "b".to_owned()], 7));
}

#[test]
fn a_cluster_without_a_ready_node_is_never_complete() {
    assert!(!Pass::default().join().complete);
    let mut pass = Pass::default();
    pass.keep(
        [Listed {
            ready: false,
            ..listed("a")
        }]
        .into_iter(),
    );
    assert!(pass.due(Instant::now()).is_empty());
    pass.read("gone", Ok(1), Timestamp::now(), Instant::now());
    assert!(!pass.join().complete);
}

#[tokio::test(start_paused = true)]
async fn a_failed_node_is_read_every_time_and_a_node_that_went_is_dropped() {
    let mut pass = pass(&["a", "b"]);
    read(&mut pass, "a", Err("refused"));
    read(&mut pass, "b", Ok(1));
    assert_eq!(pass.due(Instant::now()), ["a"]);
    assert_eq!(pass.due(Instant::now()), ["a"]);
    assert_eq!(pass.join().failed[0].problem, "refused");
    pass.keep([listed("b")].into_iter());
    let join = pass.join();
    assert_eq!((join.failed_nodes, join.joined), (0, vec!["b".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_node_of_the_same_name_that_registered_later_is_another_one() {
    let mut pass = pass(&["a"]);
    read(&mut pass, "a", Ok(1));
    let created = Some(Timestamp::now());
    pass.keep([Listed { created, ..listed("a") }].into_iter());
    assert!(pass.join().joined.is_empty());
    assert_eq!(pass.due(Instant::now()), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_not_ready_is_not_read_and_not_counted_until_it_is_again() {
    let mut pass = pass(&["a", "b"]);
    read(&mut pass, "a", Ok(1));
    read(&mut pass, "b", Err("refused"));
    pass.keep(
        [
            listed("a"),
            Listed {
                ready: false,
                ..listed("b")
            },
        ]
        .into_iter(),
    );
    assert!(pass.due(Instant::now()).is_empty());
    assert_eq!(pass.join().failed_nodes, 0);
    pass.keep([listed("a"), listed("b")].into_iter());
    assert_eq!(pass.join().failed_nodes, 1);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_was_just_added_has_its_grace_but_not_before_the_first_pass() {
    let mut pass = Pass::default();
    let young = |name| Listed {
        young: true,
        ..listed(name)
    };
    pass.keep([listed("a"), young("b")].into_iter());
    read(&mut pass, "a", Ok(1));
    assert!(
        !pass.join().complete,
        "before the first pass a young node is read like any other"
    );
    read(&mut pass, "b", Ok(1));
    assert!(pass.join().complete);
    pass.keep([listed("a"), listed("b"), young("c")].into_iter());
    assert!(pass.join().complete);
    assert_eq!(pass.due(Instant::now()), ["c"]);
    read(&mut pass, "c", Err("its certificate is refused"));
    assert_eq!(pass.join().failed_nodes, 0);
    assert_eq!(pass.due(Instant::now()), ["c"], "it is tried again every time");
    pass.keep(["a", "b", "c"].into_iter().map(listed));
    assert_eq!(pass.join().failed_nodes, 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_status_lists_is_bounded_and_what_it_counts_is_not() {
    let names = names(STATUS_NAMES + 20);
    let mut pass = pass(&names);
    for name in &names {
        read(&mut pass, name, Err("refused"));
    }
    let join = pass.join();
    assert_eq!(join.failed.len(), STATUS_NAMES);
    assert_eq!(join.failed_nodes as usize, STATUS_NAMES + 20);
}

#[tokio::test(start_paused = true)]
async fn a_rolling_pass_reads_every_node_within_ten_minutes_and_spreads_them() {
    let names = names(97);
    let mut pass = pass(&names);
    assert_eq!(read_all_due(&mut pass).len(), names.len());
    let begun = Instant::now();
    let mut largest = 0;
    let mut seen = BTreeSet::new();
    while begun.elapsed() < PERIOD {
        tokio::time::advance(Duration::from_secs(30)).await;
        let due = read_all_due(&mut pass);
        largest = largest.max(due.len());
        seen.extend(due);
    }
    assert_eq!(seen.len(), names.len());
    // 97 nodes in 16 rounds.
    assert!(largest <= 8, "{largest} in one round");
}

#[tokio::test(start_paused = true)]
async fn quick_rounds_do_not_read_more() {
    let mut pass = pass(&["a", "b"]);
    read_all_due(&mut pass);
    let mut reads = 0;
    for _ in 0..480 {
        tokio::time::advance(Duration::from_secs(1)).await;
        reads += read_all_due(&mut pass).len();
    }
    assert_eq!(reads, 2);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_hangs_comes_after_those_that_do_not() {
    let mut pass = pass(&["a", "b", "c"]);
    read(&mut pass, "a", Err("no whole answer within 10s"));
    read(&mut pass, "b", Ok(1));
    tokio::time::advance(PERIOD).await;
    assert_eq!(pass.due(Instant::now()), ["c", "b", "a"]);
}
