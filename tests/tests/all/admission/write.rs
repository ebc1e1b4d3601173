//! One write after the other, and who is to refuse it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::shuttle::{Account, Reply};

pub(super) const APPLY: &str = "application/apply-patch+yaml";
pub(super) const JSON: &str = "application/json";
pub(super) const JSON_PATCH: &str = "application/json-patch+json";
pub(super) const MERGE: &str = "application/merge-patch+json";
pub(super) const STRATEGIC: &str = "application/strategic-merge-patch+json";

/// Who refuses.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    Accepted,
    /// The authorizer: no role allows it.
    Role,
    /// The admission policy, with these words.
    Policy(&'static str),
}
use Expected::{Accepted, Policy, Role};

#[derive(Clone)]
pub(super) struct Write {
    what: &'static str,
    method: &'static str,
    path: String,
    content_type: &'static str,
    body: Value,
    expected: Expected,
}

pub(super) fn patch(
    what: &'static str,
    path: &str,
    content_type: &'static str,
    body: Value,
    expected: Expected,
) -> Write {
    Write {
        what,
        method: "PATCH",
        path: path.to_owned(),
        content_type,
        body,
        expected,
    }
}

pub(super) fn merge(what: &'static str, path: &str, body: Value, expected: Expected) -> Write {
    patch(what, path, MERGE, body, expected)
}

pub(super) fn send(what: &'static str, method: &'static str, path: &str, body: Value, expected: Expected) -> Write {
    Write {
        what,
        method,
        path: path.to_owned(),
        content_type: JSON,
        body,
        expected,
    }
}

pub(super) fn judge(write: &Write, reply: &Reply, policy: &str) -> Result<(), String> {
    let message = reply.message();
    let denied = format!("ValidatingAdmissionPolicy '{policy}' with binding '{policy}' denied request");
    let as_expected = match write.expected {
        Accepted => (200..300).contains(&reply.status),
        Role => reply.status == 403 && message.contains(" cannot ") && !message.contains(&denied),
        Policy(words) => reply.status == 403 && message.contains(&denied) && message.contains(words),
    };
    let shown = if message.is_empty() {
        reply.body.to_string().chars().take(200).collect()
    } else {
        message.to_owned()
    };
    as_expected.then_some(()).ok_or_else(|| {
        format!(
            "{}: expected {:?}, got HTTP {}: {shown}",
            write.what, write.expected, reply.status
        )
    })
}

/// Waits until the API server goes by a policy that has just been applied, with a write that changes nothing.
pub(super) fn wait_for_policy(account: &Account<'_>, path: &str) {
    let start = Instant::now();
    let annotated = json!({ "metadata": { "annotations": { "a": "b" } } }).to_string();
    loop {
        let reply = account
            .request("PATCH", &format!("{path}?dryRun=All"), MERGE, &annotated)
            .unwrap();
        if reply.message().contains("ValidatingAdmissionPolicy") {
            return;
        }
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "no policy refuses: {reply:?}"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Tries them all; roles take a moment until the API server goes by them.
pub(super) fn try_all(account: &Account<'_>, policy: &str, writes: &[Write]) {
    let start = Instant::now();
    let mut wrong = Vec::new();
    for write in writes {
        loop {
            let body = if write.body.is_null() {
                String::new()
            } else {
                write.body.to_string()
            };
            let reply = account
                .request(write.method, &write.path, write.content_type, &body)
                .unwrap();
            match judge(write, &reply, policy) {
                Ok(()) => break,
                // What was accepted wrongly has happened: to try again would hide it.
                Err(error) if (200..300).contains(&reply.status) || start.elapsed() > Duration::from_secs(10) => {
                    wrong.push(error);
                    break;
                }
                Err(_) => std::thread::sleep(Duration::from_millis(200)),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} writes:\n{}",
        wrong.len(),
        writes.len(),
        wrong.join("\n")
    );
}
