//! The regional stores, as a cluster's collectors have to know them.

mod command;
mod credentials;
mod region;
mod relay;
mod sink;
mod talk;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use self::command::{Arguments, run};
pub use self::region::{Part, Region};
pub use self::relay::Reach;
pub use self::sink::Sink;

/// Where the stores of a region are, and with what a cluster gets in: `manifests/helm/regions/REGION.yaml` and the
/// Secret `telemetry-stores`. No `Debug`: it holds passwords.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stores {
    /// Such as `nyc3`.
    pub region: String,
    /// Where vmagent writes.
    pub metrics_write_url: String,
    /// Where metrics are asked for.
    pub metrics_query_url: String,
    /// Where Fluent Bit sends: host, port and path.
    pub logs: (String, u16, String),
    /// Where logs are asked for.
    pub logs_query_url: String,
    /// The authority of the stores' certificates, as PEM.
    pub authority: String,
    /// Of the user `vmagent`.
    pub vmagent_password: String,
    /// Of the user `fluent-bit`.
    pub fluent_bit_password: String,
}

impl Stores {
    /// The region's values file, as Terraform's output `region_values` is; JSON is YAML.
    ///
    /// # Errors
    ///
    /// None but those of writing JSON.
    pub fn region_values(&self) -> Result<String> {
        let (host, port, path) = &self.logs;
        serde_json::to_string_pretty(&json!({
            "region": self.region,
            "stores": {
                "metrics": { "write_url": self.metrics_write_url, "query_url": self.metrics_query_url },
                "logs": { "host": host, "port": port, "path": path, "query_url": self.logs_query_url },
            },
        }))
        .context("the region's values cannot be written")
    }

    /// The Secrets that the Worker makes before step 4. What goes to Grafana Cloud is made up: nothing on the testbed
    /// goes there.
    pub(crate) fn secrets(&self, namespace: &str) -> [Value; 2] {
        let secret = |name: &str, data: Value| {
            json!({
                "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
                "metadata": { "name": name, "namespace": namespace }, "stringData": data,
            })
        };
        [
            secret(
                "telemetry-stores",
                json!({
                    "ca.crt": self.authority,
                    "vmagent-password": self.vmagent_password,
                    "fluent-bit-password": self.fluent_bit_password,
                }),
            ),
            secret(
                "grafana-cloud",
                json!({ "metrics-username": "100001", "logs-username": "100002", "token": "glc_testbed" }),
            ),
        ]
    }
}
