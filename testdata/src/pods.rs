//! The list of pods in the form that is asked for. It is stored as the API server prints it, which is what cases change; the
//! objects that are printed so are made from that.

use crate::protobuf;
use crate::reply::Reply;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// When the list was made: [`crate::reply::DATE`].
const NOW: &str = "2026-11-22T15:02:50Z";
/// How long after its creation, or after its last end, a container was started.
const UNTIL_STARTED: SignedDuration = SignedDuration::from_secs(2);

/// A row of the table.
struct Row<'a> {
    metadata: &'a Value,
    ready: usize,
    containers: usize,
    status: &'a str,
    restarts: u32,
    /// How long ago a container ended last.
    ended: Option<SignedDuration>,
    address: &'a str,
    node: &'a str,
}

/// The answer in the form that the request with this beginning asks for. What is not the whole table is left as it is: it is
/// what a test wants the answer to be.
pub(crate) fn in_form(reply: Reply, head: &str) -> Reply {
    let accept = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("accept: ").map(str::to_owned));
    let accept = accept.unwrap_or_default();
    let wanted = accept.split([',', ';']).next().unwrap_or_default();
    if reply.status != 200 || accept.contains("as=table") || !reply.content_type.starts_with("application/json") {
        return reply;
    }
    let Some(list) = serde_json::from_str(reply.text()).ok().and_then(|table| list(&table)) else {
        return reply;
    };
    let (content_type, body) = if wanted == protobuf::MEDIA_TYPE {
        (protobuf::MEDIA_TYPE, protobuf::pods(&list))
    } else {
        ("application/json", list.to_string().into_bytes())
    };
    Reply {
        content_type: content_type.into(),
        body: body.into(),
        ..reply
    }
}

/// The `PodList` that is printed as this table; `None` where it is none.
#[must_use]
pub fn list(table: &Value) -> Option<Value> {
    if table["kind"] != "Table" {
        return None;
    }
    let pods: Option<Vec<Value>> = (table["rows"].as_array()?.iter())
        .map(|row| Some(Row::of(row)?.pod()))
        .collect();
    Some(json!({"kind": "PodList", "apiVersion": "v1", "metadata": table["metadata"], "items": pods?}))
}

// === impl Row ===

impl<'a> Row<'a> {
    fn of(row: &'a Value) -> Option<Self> {
        let cell = |position: usize| row["cells"][position].as_str();
        let (ready, containers) = cell(1)?.split_once('/')?;
        let restarts = cell(3)?;
        let (count, ended) = match restarts.split_once(" (") {
            Some((count, ago)) => (count, Some(duration(ago.strip_suffix(" ago)")?)?)),
            None => (restarts, None),
        };
        Some(Self {
            metadata: &row["object"]["metadata"],
            ready: ready.parse().ok()?,
            containers: containers.parse().ok()?,
            status: cell(2)?,
            restarts: count.parse().ok()?,
            ended,
            address: cell(5).unwrap_or_default(),
            node: cell(6).unwrap_or_default(),
        })
    }

    fn pod(&self) -> Value {
        let mut metadata = self.metadata.clone();
        if self.status == "Terminating" {
            metadata["deletionTimestamp"] = NOW.into();
        }
        let names = (0..self.containers).map(|position| format!("container-{position}"));
        let containers: Vec<Value> = names.map(|name| json!({"name": name})).collect();
        let mut spec = json!({"containers": containers});
        if self.node != "<none>" {
            spec["nodeName"] = self.node.into();
        }
        let mut status = self.status();
        if self.address != "<none>" {
            status["podIP"] = self.address.into();
        }
        if let Some(init) = self.status.strip_prefix("Init:") {
            let (done, all) = init.split_once('/').map_or((0, 1), |(done, all)| {
                (done.parse().unwrap_or(0), all.parse().unwrap_or(1))
            });
            let name = |position: usize| format!("init-{position}");
            spec["initContainers"] = (0..all).map(|position| json!({"name": name(position)})).collect();
            let state = |position: usize| match position {
                _ if position < done => json!({"terminated": {"exitCode": 0, "reason": "Completed"}}),
                _ if position == done && !init.contains('/') => json!({"waiting": {"reason": init}}),
                _ => json!({"waiting": {"reason": "PodInitializing"}}),
            };
            status["initContainerStatuses"] = (0..all)
                .map(|position| json!({"name": name(position), "state": state(position)}))
                .collect();
        }
        json!({"metadata": metadata, "spec": spec, "status": status})
    }

    fn status(&self) -> Value {
        let waits = |reason: &str| json!({"waiting": {"reason": reason}});
        let ended =
            |reason: &str, code: i32| json!({"terminated": {"reason": reason, "exitCode": code, "finishedAt": NOW}});
        let started = self.started();
        let running = || json!({"running": {"startedAt": started}});
        let (phase, reason, state) = match self.status {
            "Running" | "Terminating" => ("Running", None, Some(running())),
            "Pending" => ("Pending", None, None),
            "Completed" => ("Succeeded", None, Some(ended("Completed", 0))),
            "Error" | "OOMKilled" => ("Running", None, Some(ended(self.status, 1))),
            init if init.starts_with("Init:") => ("Pending", None, Some(waits("PodInitializing"))),
            "ContainerCreating" | "PodInitializing" => ("Pending", None, Some(waits(self.status))),
            other if other.ends_with("BackOff") || other.ends_with("Error") || other.ends_with("ErrImagePull") => {
                ("Running", None, Some(waits(other)))
            }
            other => ("Failed", Some(other), None),
        };
        let last = self
            .ended
            .map(|ago| json!({"terminated": {"reason": "Error", "exitCode": 1, "finishedAt": now() - ago}}));
        // What is printed is what the first container says.
        let not_ready = self.containers - self.ready.min(self.containers);
        let container = |position: usize| {
            let is_ready = position >= not_ready;
            let state = if is_ready { Some(running()) } else { state.clone() };
            json!({"name": format!("container-{position}"), "ready": is_ready, "state": state,
                "restartCount": if position == 0 { self.restarts } else { 0 },
                "lastState": if position == 0 { last.clone() } else { None }})
        };
        let statuses: Vec<Value> = (0..self.containers).map(container).collect();
        let is_ready = if self.status == "Running" && not_ready == 0 {
            "True"
        } else {
            "False"
        };
        let mut status = json!({"phase": phase, "startTime": self.metadata["creationTimestamp"],
            "conditions": [{"type": "Ready", "status": is_ready}]});
        if state.is_some() {
            status["containerStatuses"] = statuses.into();
        }
        if let Some(reason) = reason {
            status["reason"] = reason.into();
        }
        status
    }

    fn started(&self) -> Option<Timestamp> {
        let begun = match self.ended {
            Some(ago) => now() - ago,
            None => self.metadata["creationTimestamp"].as_str()?.parse().ok()?,
        };
        Some(begun + UNTIL_STARTED)
    }
}

fn now() -> Timestamp {
    NOW.parse().expect("a time that was typed")
}

/// A duration as the API server prints it: `70s`, `3m10s`, `2d3h`.
fn duration(text: &str) -> Option<SignedDuration> {
    let mut seconds = 0;
    for part in text.split_inclusive(|c: char| c.is_ascii_alphabetic()) {
        let (number, unit) = part.split_at(part.len() - 1);
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        seconds += number.parse::<i64>().ok()? * unit;
    }
    Some(SignedDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form in which each is asked for: `accept`, and what the answer is of.
    #[test]
    fn the_list_has_the_form_that_is_asked_for() {
        let stored = crate::requests::asked("pods");
        let reply = || Reply::new(200, "application/json", stored.body());
        let asked = |accept: &str| {
            in_form(
                reply(),
                &format!("GET /api/v1/pods HTTP/1.1\r\naccept: {accept}\r\n\r\n"),
            )
        };
        let table = asked("application/json;as=Table;v=v1;g=meta.k8s.io");
        assert_eq!(table.text(), stored.body());
        let json: Value = serde_json::from_str(asked("application/json").text()).unwrap();
        let rows: Value = serde_json::from_str(stored.body()).unwrap();
        assert_eq!(json["kind"], "PodList");
        assert_eq!(
            json["items"].as_array().unwrap().len(),
            rows["rows"].as_array().unwrap().len()
        );
        assert_eq!(json["items"][0]["status"]["containerStatuses"][0]["ready"], true);
        let protobuf = asked("application/vnd.kubernetes.protobuf, application/json");
        assert_eq!(protobuf.content_type, protobuf::MEDIA_TYPE);
        assert!(protobuf.body.starts_with(b"k8s\0"));
        // An answer that a test has spoilt stays so.
        let spoilt = Reply::new(200, "application/json", "{}");
        assert_eq!(in_form(spoilt.clone(), "GET / HTTP/1.1\r\n\r\n"), spoilt);
    }
}
