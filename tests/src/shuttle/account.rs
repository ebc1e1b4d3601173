//! Requests to the API server as a service account, with a token of its own as kubelet would mount it.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::https::Client;
use crate::network::HOST;
use crate::paths::State;
use crate::{Cluster, inside};

/// A service account's token, and the cluster that it is for.
pub struct Account<'cluster> {
    state: &'cluster State,
    token: String,
}

/// What the API server said.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The object, or the `Status`.
    pub body: Value,
}

impl Cluster {
    /// The service account, with a token that is bound to the pod, where one is named: only such a one names a node.
    ///
    /// # Errors
    ///
    /// When the account or the pod does not exist.
    pub fn account(&self, namespace: &str, name: &str, pod: Option<&str>) -> Result<Account<'_>> {
        let mut words = vec!["kubectl", "--namespace", namespace, "create", "token", name];
        let uid;
        if let Some(pod) = pod {
            let get = [
                "kubectl",
                "--namespace",
                namespace,
                "get",
                "pod",
                pod,
                "--output=jsonpath={.metadata.uid}",
            ];
            uid = self.run(&get)?;
            words.extend([
                "--bound-object-kind=Pod",
                "--bound-object-name",
                pod,
                "--bound-object-uid",
                &uid,
            ]);
        }
        Ok(Account {
            state: &self.state,
            token: self.run(&words)?.trim().to_owned(),
        })
    }
}

impl Account<'_> {
    /// Sends one request.
    ///
    /// # Errors
    ///
    /// When no answer comes.
    pub fn request(&self, method: &str, path: &str, content_type: &str, body: &str) -> Result<Reply> {
        let bearer = format!("Bearer {}", self.token);
        inside::within(self.state, || {
            let mut client = Client::new(self.state, format!("{HOST}:6443").parse()?, None)?;
            let headers = [("Authorization", bearer.as_str()), ("Content-Type", content_type)];
            let answer = client.request(method, path, &headers, body.as_bytes())?;
            let text = String::from_utf8(answer.body).context("the answer is no UTF-8")?;
            Ok(Reply {
                status: answer.status,
                // What a proxied server says is no object.
                body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
            })
        })
    }
}

impl Reply {
    /// The `Status`' message; empty if there is none.
    #[must_use]
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}
