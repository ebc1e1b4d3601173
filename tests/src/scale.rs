//! Thousands of pods that no scheduler places: enough to measure an audit at scale, made in seconds.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::https::Client;
use crate::paths::State;
use crate::{healthy, inside, steps};

const NAMESPACE: &str = "scale";
/// More would only wait for etcd.
const CONNECTIONS: usize = 8;
const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

/// Makes it so many pods; none at all removes the namespace with them.
pub(crate) fn scale(state: &State, pods: u32) -> Result<()> {
    if pods == 0 {
        return steps::step("pods removed", || remove(state));
    }
    let present = inside::within(state, || prepare(state))?;
    if present > pods {
        steps::step(format_args!("{present} earlier pods removed"), || remove(state))?;
        return scale(state, pods);
    }
    steps::step(format_args!("{} pods created, now {pods}", pods - present), || {
        create(state, present, pods)
    })
}

/// The namespace, with its service account, without which no pod is taken. Returns how many pods it has.
fn prepare(state: &State) -> Result<u32> {
    let mut client = Client::api_server(state)?;
    let namespace = json!({ "metadata": { "name": NAMESPACE, "labels": { "starform.io/managed": "true" } } });
    let body = namespace.to_string();
    steps::until("the namespace `scale`", Duration::from_mins(1), || {
        let answer = client.request("POST", "/api/v1/namespaces", &JSON, body.as_bytes())?;
        let account = client.get(&format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"))?;
        Ok(match (answer.status, account.status) {
            (201 | 409, 200) => Ok(()),
            (create, account) => Err(format!("HTTP {create}, its service account {account}")),
        })
    })?;
    let answer = client.get(&format!("/api/v1/namespaces/{NAMESPACE}/pods?limit=1"))?;
    let list: serde_json::Value = serde_json::from_slice(&answer.body)?;
    let listed = list["items"].as_array().map_or(0, Vec::len);
    let more = list["metadata"]["remainingItemCount"].as_u64().unwrap_or_default();
    Ok(u32::try_from(listed)? + u32::try_from(more)?)
}

fn create(state: &State, from: u32, to: u32) -> Result<()> {
    let next = AtomicU32::new(from);
    inside::within(state, || {
        // Connected here: threads inherit the network namespace of the thread that starts them.
        thread::scope(|scope| {
            let workers: Vec<_> = (0..CONNECTIONS)
                .map(|_| scope.spawn(|| work(Client::api_server(state)?, &next, to)))
                .collect();
            workers.into_iter().try_for_each(|worker| match worker.join() {
                Ok(result) => result,
                Err(_) => bail!("a connection's thread panicked"),
            })
        })
    })
}

fn work(mut client: Client, next: &AtomicU32, to: u32) -> Result<()> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods");
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= to {
            return Ok(());
        }
        let answer = client.request("POST", &path, &JSON, pod(number).to_string().as_bytes())?;
        // 409: an interrupted run left a gap that this one fills.
        if answer.status != 201 && answer.status != 409 {
            bail!(
                "POST {path}: HTTP {}: {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            );
        }
    }
}

fn pod(number: u32) -> serde_json::Value {
    let app = number / 5;
    json!({
        "metadata": {
            "name": format!("app-{app:05}-{number:06}"),
            "labels": {
                "starform.io/cluster-id": "testbed",
                "starform.io/region": "nyc3",
                "starform.io/project": format!("project-{}", number % 100),
                "starform.io/app": format!("app-{app:05}"),
                "starform.io/deployment": format!("deployment-{app:05}"),
            },
        },
        "spec": {
            "schedulerName": "none",
            "containers": [{ "name": "app", "image": "docker.io/starform/storefront:1" }],
        },
    })
}

fn remove(state: &State) -> Result<()> {
    inside::within(state, || {
        let mut client = Client::api_server(state)?.patience(Duration::from_mins(5));
        let pods = format!("/api/v1/namespaces/{NAMESPACE}/pods");
        let answer = client
            .request("DELETE", &pods, &JSON, b"")
            .context("the pods cannot be removed")?;
        if answer.status != 200 {
            bail!(
                "DELETE {pods}: HTTP {}: {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            );
        }
        let namespace = format!("/api/v1/namespaces/{NAMESPACE}");
        client.request("DELETE", &namespace, &JSON, b"")?;
        Ok(())
    })?;
    healthy::until(state, "the end of the namespace `scale`", 120, |api| {
        let (status, _) = api.text(&format!("/api/v1/namespaces/{NAMESPACE}"))?;
        Ok(if status == 404 {
            Ok(())
        } else {
            Err(format!("HTTP {status}"))
        })
    })
}
