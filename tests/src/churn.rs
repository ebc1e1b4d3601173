//! Pods that come and go, as those of Jobs do: many a second, for as long as a test audits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::Cluster;
use crate::https::Client;
use crate::inside;
use crate::paths::State;

/// How long a pod stays.
const LIFE: Duration = Duration::from_secs(2);
/// Enough to keep the rate while an answer takes its time.
const CONNECTIONS: u32 = 4;
const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

/// Pods that come and go, until it is dropped.
pub struct Churn {
    ends: Arc<AtomicBool>,
    made: Arc<AtomicU64>,
    workers: Vec<JoinHandle<Result<()>>>,
}

/// What one connection makes and removes.
struct Worker {
    client: Client,
    namespace: String,
    number: u32,
    /// Between two pods of this one.
    every: Duration,
    ends: Arc<AtomicBool>,
    made: Arc<AtomicU64>,
}

impl Cluster {
    /// Makes so many pods a second in a namespace that is there, and removes each after two seconds. Nothing schedules them.
    #[must_use]
    pub fn churn(&self, namespace: &str, per_second: u32) -> Churn {
        let (ends, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let workers = (0..CONNECTIONS).map(|number| {
            let state = State::named(&self.state.name);
            let (namespace, ends, made) = (namespace.to_owned(), Arc::clone(&ends), Arc::clone(&made));
            std::thread::spawn(move || {
                inside::within(&state, || {
                    let worker = Worker {
                        client: Client::api_server(&state)?,
                        namespace,
                        number,
                        every: Duration::from_secs(1) * CONNECTIONS / per_second.max(1),
                        ends,
                        made,
                    };
                    worker.work()
                })
            })
        });
        let workers = workers.collect();
        Churn { ends, made, workers }
    }
}

// === impl Churn ===

impl Churn {
    /// How many pods were made until now.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// Ends it, and removes what is left.
    ///
    /// # Errors
    ///
    /// When the API server refused a pod.
    pub fn end(mut self) -> Result<u64> {
        self.stop()?;
        Ok(self.made())
    }

    fn stop(&mut self) -> Result<()> {
        self.ends.store(true, Ordering::Relaxed);
        let ended = self.workers.drain(..).map(JoinHandle::join);
        for worker in ended.collect::<Vec<_>>() {
            worker.unwrap_or_else(|_| bail!("a connection's thread panicked"))?;
        }
        Ok(())
    }
}

impl Drop for Churn {
    fn drop(&mut self) {
        // A test that failed has said so already.
        let _ = self.stop();
    }
}

// === impl Worker ===

impl Worker {
    fn work(mut self) -> Result<()> {
        let path = format!("/api/v1/namespaces/{}/pods", self.namespace);
        let mut standing: VecDeque<(Instant, String)> = VecDeque::new();
        let mut next = Instant::now();
        let mut count = 0_u64;
        while !self.ends.load(Ordering::Relaxed) {
            while let Some((_, name)) = standing.pop_front_if(|(made, _)| made.elapsed() > LIFE) {
                self.remove(&path, &name)?;
            }
            count += 1;
            let name = format!("job-{}-{count}", self.number);
            let answer = (self.client).request("POST", &path, &JSON, pod(&name).to_string().as_bytes())?;
            if answer.status != 201 {
                let body = String::from_utf8_lossy(&answer.body).into_owned();
                bail!("POST {path}: HTTP {}: {body}", answer.status);
            }
            self.made.fetch_add(1, Ordering::Relaxed);
            standing.push_back((Instant::now(), name));
            next += self.every;
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        standing.iter().try_for_each(|(_, name)| self.remove(&path, name))
    }

    fn remove(&mut self, path: &str, name: &str) -> Result<()> {
        let path = format!("{path}/{name}?gracePeriodSeconds=0");
        let answer = self.client.request("DELETE", &path, &[], b"");
        let status = answer.with_context(|| format!("DELETE {path}"))?.status;
        if status != 200 && status != 404 {
            bail!("DELETE {path}: HTTP {status}");
        }
        Ok(())
    }
}

fn pod(name: &str) -> serde_json::Value {
    json!({
        "metadata": { "name": name, "labels": {
            "starform.io/cluster-id": "testbed", "starform.io/region": "nyc3", "starform.io/project": "jobs",
            "starform.io/app": "job", "starform.io/deployment": "job",
        } },
        "spec": { "schedulerName": "none", "containers": [{ "name": "job", "image": "docker.io/starform/storefront:1" }] },
    })
}
