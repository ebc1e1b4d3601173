//! Whose turn it is, and what each node came to. Pure: the time is told.

use jiff::Timestamp;
use starform_verify::evidence::{Join, NodeJoin, STATUS_NAMES};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long one rolling pass over all nodes takes.
pub(super) const PERIOD: Duration = Duration::from_mins(8);

/// The state of every node.
#[derive(Debug, Default)]
pub(super) struct Pass {
    nodes: BTreeMap<String, Node>,
    /// Every Ready node had been read at one moment.
    passed: bool,
    last: Option<Instant>,
    /// Node-milliseconds that have not come to a whole node yet.
    credit: u128,
}

/// A node as the API server lists it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// When it registered: another node of that name is another one.
    pub(super) created: Option<Timestamp>,
    /// Whether it is Ready.
    pub(super) ready: bool,
    /// Whether it has just been added: its kubelet may not have a certificate yet.
    pub(super) young: bool,
}

#[derive(Debug)]
struct Node {
    created: Option<Timestamp>,
    ready: bool,
    young: bool,
    read: Option<Read>,
}

#[derive(Debug)]
struct Read {
    at: Timestamp,
    turn: Instant,
    judged: Result<u32, String>,
}

// === impl Pass ===

impl Pass {
    /// Takes over the nodes that there are: new ones are unread, those that went are dropped.
    pub(super) fn keep<'a>(&mut self, listed: impl Iterator<Item = Listed<'a>>) {
        let mut before = std::mem::take(&mut self.nodes);
        for node in listed {
            let same = before.remove(node.name).filter(|before| before.created == node.created);
            self.nodes.insert(
                node.name.to_owned(),
                Node {
                    created: node.created,
                    ready: node.ready,
                    young: node.young,
                    read: same.and_then(|same| same.read),
                },
            );
        }
    }

    /// Whose turn it is: first the unread, then those whose turn it is in the rolling pass, oldest first, then those that
    /// failed. A node that hangs so stands in nobody's way. A node that is not Ready has no turn.
    pub(super) fn due(&mut self, now: Instant) -> Vec<String> {
        let quota = self.quota(now);
        let (mut due, mut joined, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (name, node) in self.nodes.iter().filter(|(_, node)| node.ready) {
            match &node.read {
                None => due.push(name.clone()),
                Some(read) if read.judged.is_ok() => joined.push((read.turn, name)),
                Some(read) => failed.push((read.turn, name)),
            }
        }
        joined.sort();
        failed.sort();
        let rolling = (joined.into_iter().enumerate())
            .filter(|(position, (turn, _))| *position < quota || now.duration_since(*turn) >= PERIOD)
            .map(|(_, each)| each);
        due.extend(rolling.chain(failed).map(|(_, name)| name.clone()));
        due
    }

    /// What a read of a node came to: how many pods joined, or the problem.
    pub(super) fn read(&mut self, name: &str, judged: Result<u32, String>, at: Timestamp, turn: Instant) {
        if let Some(node) = self.nodes.get_mut(name) {
            node.read = Some(Read { at, turn, judged });
        }
        let mut ready = self.nodes.values().filter(|node| node.ready).peekable();
        self.passed |= ready.peek().is_some() && ready.all(|node| node.read.is_some());
    }

    /// The problem that a node had when it was last read.
    pub(super) fn problem(&self, name: &str) -> Option<&str> {
        let read = self.nodes.get(name)?.read.as_ref()?;
        read.judged.as_ref().err().map(String::as_str)
    }

    /// As the status has it. Once every node was read, one that was just added has its grace: it neither makes the pass
    /// incomplete nor counts as failed.
    pub(super) fn join(&self) -> Join {
        let mut join = Join {
            complete: self.passed,
            ..Join::default()
        };
        for (name, node) in self.nodes.iter().filter(|(_, node)| node.ready) {
            let Some(read) = &node.read else { continue };
            match &read.judged {
                Ok(pods) => {
                    join.joined.push(name.clone());
                    join.pods = join.pods.saturating_add(*pods);
                }
                Err(_) if node.young && self.passed => continue,
                Err(problem) => {
                    join.failed_nodes += 1;
                    if join.failed.len() < STATUS_NAMES {
                        join.failed.push(NodeJoin {
                            node: name.clone(),
                            problem: problem.clone(),
                        });
                    }
                }
            }
            join.oldest = Some(join.oldest.map_or(read.at, |oldest| oldest.min(read.at)));
        }
        join
    }

    /// How many nodes the time since the last round is worth.
    fn quota(&mut self, now: Instant) -> usize {
        let passed = self
            .last
            .map_or(Duration::ZERO, |last| now.duration_since(last))
            .min(PERIOD);
        self.last = Some(now);
        self.credit += passed.as_millis() * self.nodes.len() as u128;
        let whole = self.credit / PERIOD.as_millis();
        self.credit %= PERIOD.as_millis();
        usize::try_from(whole).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests;
