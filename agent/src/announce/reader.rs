//! Reads the ConfigMap `shuttle-status`, whoever wrote it.

use super::words;
use futures::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher;
use starform_verify::evidence::{STATUS_CONFIG_MAP, STATUS_KEY, STATUS_VERSION, ShuttleStatus};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Publishes the status whenever it changes, until it is stopped; `None` where there is none, or none that can be read.
/// What was last seen stands while the API server does not answer.
///
/// Needs `list` and `watch` on the ConfigMap `shuttle-status` in `namespace`.
pub async fn read(
    client: kube::Client,
    namespace: &str,
    publish: watch::Sender<Option<ShuttleStatus>>,
    stop: CancellationToken,
) {
    let api: Api<ConfigMap> = Api::namespaced(client, namespace);
    let seen = watcher::watch_object(api, STATUS_CONFIG_MAP).default_backoff();
    pin_mut!(seen);
    let mut problem = None;
    loop {
        let seen = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            seen = seen.next() => seen,
        };
        let now = match seen {
            None => return,
            // Its place in the history is gone, as it is after every long silence: the watch lists again by itself.
            Some(Err(watcher::Error::WatchError(status))) if status.code == 410 => continue,
            Some(Err(error)) => Some(trouble(&error)),
            Some(Ok(found)) => {
                let (status, problem) = match found.as_ref().map(parse) {
                    None => (None, None),
                    Some(Ok(status)) => (Some(status), None),
                    Some(Err(problem)) => (None, Some(problem)),
                };
                publish.send_if_modified(|last| {
                    let changed = *last != status;
                    *last = status;
                    changed
                });
                problem
            }
        };
        // Once each, not at every try.
        if now != problem {
            if let Some(error) = &now {
                warn!(config_map = STATUS_CONFIG_MAP, error, "the status was not read");
            } else {
                info!(config_map = STATUS_CONFIG_MAP, "the status was read again");
            }
            problem = now;
        }
    }
}

/// What the ConfigMap says.
pub(super) fn parse(config_map: &ConfigMap) -> Result<ShuttleStatus, String> {
    let Some(json) = config_map.data.as_ref().and_then(|data| data.get(STATUS_KEY)) else {
        return Err(format!("it has no key {STATUS_KEY}"));
    };
    let status: ShuttleStatus = serde_json::from_str(json).map_err(|error| format!("{STATUS_KEY}: {error}"))?;
    if status.api_version == STATUS_VERSION {
        Ok(status)
    } else {
        Err(format!(
            "its apiVersion is {:?}; this version reads {STATUS_VERSION:?}",
            status.api_version
        ))
    }
}

fn trouble(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => words(error),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
