use super::*;
use std::time::Duration;

fn subject(uid: &str, version: &str) -> Subject {
    Subject {
        namespace: "shop".to_owned(),
        name: uid.to_owned(),
        uid: uid.into(),
        version: version.to_owned(),
        controller: None,
        current: Vec::new(),
    }
}

fn popped(queue: &mut Queue, now: Instant) -> Option<(String, String, u32)> {
    let (subject, attempts) = queue.pop(now)?;
    Some((subject.name, subject.version, attempts))
}

#[test]
fn a_pod_waits_once_with_the_newest_that_is_known() {
    let mut queue = Queue::new(2);
    queue.push(subject("a", "1")).unwrap();
    queue.push(subject("b", "1")).unwrap();
    queue.push(subject("a", "2")).unwrap();
    let now = Instant::now();
    assert_eq!(popped(&mut queue, now), Some(("a".to_owned(), "2".to_owned(), 0)));
    assert_eq!(popped(&mut queue, now), Some(("b".to_owned(), "1".to_owned(), 0)));
    assert_eq!(popped(&mut queue, now), None);
}

#[test]
fn what_does_not_fit_is_said_and_what_waits_is_still_renewed() {
    let mut queue = Queue::new(1);
    queue.push(subject("a", "1")).unwrap();
    assert_eq!(queue.push(subject("b", "1")), Err(Full));
    assert_eq!(queue.push(subject("a", "2")), Ok(()));
    assert_eq!(queue.len(), 1);
}

#[test]
fn a_pod_is_never_worked_on_twice_at_a_time() {
    let mut queue = Queue::new(2);
    let now = Instant::now();
    queue.push(subject("a", "1")).unwrap();
    queue.pop(now).unwrap();
    queue.push(subject("a", "2")).unwrap();
    assert_eq!(popped(&mut queue, now), None);
    queue.push(subject("b", "1")).unwrap();
    assert_eq!(popped(&mut queue, now).unwrap().0, "b");
    queue.done("a");
    assert_eq!(popped(&mut queue, now), Some(("a".to_owned(), "2".to_owned(), 0)));
}

#[test]
fn a_failure_comes_back_when_it_is_due_and_remembers_its_attempts() {
    let mut queue = Queue::new(2);
    let now = Instant::now();
    let due = now + Duration::from_secs(1);
    queue.push_back(subject("a", "1"), 3, due);
    assert_eq!(queue.next_due(), Some(due));
    assert_eq!(popped(&mut queue, now), None);
    assert_eq!(popped(&mut queue, due), Some(("a".to_owned(), "1".to_owned(), 3)));
    assert_eq!(queue.next_due(), None);
}

#[test]
fn a_failed_pod_that_changes_is_tried_at_once() {
    let mut queue = Queue::new(2);
    let now = Instant::now();
    queue.push_back(subject("a", "1"), 3, now + Duration::from_mins(1));
    queue.push(subject("a", "2")).unwrap();
    assert_eq!(popped(&mut queue, now), Some(("a".to_owned(), "2".to_owned(), 0)));
    assert_eq!((queue.next_due(), queue.len()), (None, 0));
}

#[test]
fn a_failure_gives_way_to_what_came_meanwhile() {
    let mut queue = Queue::new(2);
    let now = Instant::now();
    queue.push(subject("a", "1")).unwrap();
    let (old, attempts) = queue.pop(now).unwrap();
    queue.push(subject("a", "2")).unwrap();
    queue.done("a");
    queue.push_back(old, attempts + 1, now);
    assert_eq!(popped(&mut queue, now), Some(("a".to_owned(), "2".to_owned(), 0)));
    assert_eq!(queue.pending(), 1);
}

#[test]
fn a_removed_pod_is_not_worked_on_and_leaves_nothing() {
    let mut queue = Queue::new(2);
    let now = Instant::now();
    for _ in 0..100 {
        queue.push(subject("a", "1")).unwrap();
        queue.remove("a");
    }
    queue.push_back(subject("b", "1"), 1, now);
    queue.remove("b");
    assert_eq!(popped(&mut queue, now), None);
    assert!(queue.ready.len() <= 5, "{}", queue.ready.len());
    assert_eq!((queue.len(), queue.next_due()), (0, None));
}
