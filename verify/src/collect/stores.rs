//! The stores file: where a region's stores are, and with which credential files they are asked.

use crate::collect::certificates::Door;
use crate::collect::connect::ConnectError;
use crate::collect::external::{self, Naming};
use crate::evidence::StoreCluster;
use http::Uri;
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const METRICS: Naming = Naming {
    server: "VictoriaMetrics",
    credential: "password",
    credential_file: "it holds the password of the store's user `reader`, and nothing else",
    address: "`metrics.url` of the stores file is written https://HOST:8427",
};
const LOGS: Naming = Naming {
    server: "ClickHouse",
    credential: "password",
    credential_file: "it holds the password of the store's user `reader`, and nothing else",
    address: "`logs.url` of the stores file is written https://HOST:8443",
};
/// The user that manifests/region makes for who reads.
const READER: &str = "reader";

/// The stores of a region, each with a client that holds its credential.
#[derive(Clone, Debug)]
pub struct Stores {
    region: String,
    metrics: Store,
    logs: Store,
    cluster: Option<StoreCluster>,
}

/// One store.
#[derive(Clone)]
pub(super) struct Store {
    url: String,
    client: kube::Client,
    door: Door,
}

/// The file, as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoresFile {
    region_file: Option<PathBuf>,
    region: Option<Spanned<String>>,
    credentials: Option<PathBuf>,
    #[serde(default)]
    metrics: StoreFile,
    #[serde(default)]
    logs: StoreFile,
    cluster: Option<ClusterFile>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoreFile {
    url: Option<Spanned<String>>,
    username: Option<String>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClusterFile {
    id: Spanned<String>,
    #[serde(default)]
    ended: bool,
}

/// `regions/REGION.yaml`, Terraform's output `region_values`, as far as it is read here.
#[derive(Deserialize)]
struct RegionFile {
    region: String,
    stores: RegionStores,
}

#[derive(Deserialize)]
struct RegionStores {
    metrics: QueryUrl,
    logs: QueryUrl,
}

#[derive(Deserialize)]
struct QueryUrl {
    query_url: String,
}

/// Where one store's values come from, in the order in which they are looked for.
struct Origins<'a> {
    own: &'a StoreFile,
    region_file: Option<&'a QueryUrl>,
    credentials: Option<&'a Path>,
    /// What `credentials make` calls the password's file.
    password: &'static str,
    key: &'static str,
    naming: &'static Naming,
}

// === impl Stores ===

impl Stores {
    /// Reads the stores file and the files that it names, and sends nothing yet. Has to be called within a Tokio runtime.
    ///
    /// # Errors
    /// A file that cannot be read, unknown keys, keys that are missing, an address that would carry the password in the
    /// clear, an ID that no label can have: in words and with the place, never with what is in a credential's file.
    pub fn read(path: &Path, request_timeout: Duration) -> Result<Self, ConnectError> {
        Self::read_by(path, request_timeout, kube::Client::try_from)
    }

    /// The same, with clients that the caller makes of each store's configuration, in which its password is.
    ///
    /// # Errors
    /// As `read`, and what the caller's function says, of which nothing is repeated.
    pub fn read_by(
        path: &Path,
        request_timeout: Duration,
        client: impl Fn(kube::Config) -> kube::Result<kube::Client>,
    ) -> Result<Self, ConnectError> {
        let refuse = |problem: String| refused(path, &problem);
        let text = fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        let file: StoresFile = serde_saphyr::from_str(&text).map_err(|error| refuse(error.to_string()))?;
        let beside = |named: &Path| path.parent().unwrap_or(Path::new("")).join(named);
        let region_file = match &file.region_file {
            Some(named) => Some(region_file(&beside(named))?),
            None => None,
        };
        let region = match (&file.region, &region_file) {
            (Some(region), _) => {
                if !is_label_value(&region.value) {
                    return Err(refuse(format!("`region` at {} is no region", at(region))));
                }
                region.value.clone()
            }
            (None, Some(values)) => values.region.clone(),
            (None, None) => return Err(refuse("it has neither `regionFile` nor `region`".to_owned())),
        };
        let cluster = match file.cluster {
            Some(named) if !is_label_value(&named.id.value) => {
                let place = at(&named.id);
                return Err(refuse(format!(
                    "`cluster.id` at {place} cannot be the value of a label"
                )));
            }
            Some(named) => Some(StoreCluster {
                id: named.id.value,
                region: None,
                ended: named.ended,
            }),
            None => None,
        };
        let credentials = file.credentials.as_deref().map(beside);
        let store = |own, values: fn(&RegionStores) -> &QueryUrl, password, key, naming| {
            Origins {
                own,
                region_file: region_file.as_ref().map(|file| values(&file.stores)),
                credentials: credentials.as_deref(),
                password,
                key,
                naming,
            }
            .connect(path, &beside, request_timeout, &client)
        };
        Ok(Self {
            metrics: store(
                &file.metrics,
                |stores| &stores.metrics,
                "victoriametrics-password",
                "metrics",
                &METRICS,
            )?,
            logs: store(&file.logs, |stores| &stores.logs, "clickhouse-password", "logs", &LOGS)?,
            region,
            cluster,
        })
    }

    /// The cluster that the file names; `None` where it is the one that is connected to.
    #[must_use]
    pub fn cluster(&self) -> Option<&StoreCluster> {
        self.cluster.as_ref()
    }

    /// The region whose stores they are.
    #[must_use]
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    pub(super) fn metrics(&self) -> &Store {
        &self.metrics
    }

    pub(super) fn logs(&self) -> &Store {
        &self.logs
    }
}

// === impl Origins ===

impl Origins<'_> {
    fn connect(
        self,
        file: &Path,
        beside: &dyn Fn(&Path) -> PathBuf,
        request_timeout: Duration,
        client: &dyn Fn(kube::Config) -> kube::Result<kube::Client>,
    ) -> Result<Store, ConnectError> {
        let Self { own, key, naming, .. } = self;
        let missing =
            |what: &str, elsewhere: &str| refused(file, &format!("it has no `{key}.{what}`, and no {elsewhere}"));
        let (url, place) = match (&own.url, self.region_file) {
            (Some(url), _) => (&url.value, format!("`{key}.url` at {}", at(url))),
            (None, Some(values)) => (&values.query_url, format!("`{key}.query_url` of the region file")),
            (None, None) => return Err(missing("url", "`regionFile` that gives it")),
        };
        let uri: Uri = url
            .trim_end_matches('/')
            .parse()
            .map_err(|_| refused(file, &format!("{place} is no URL")))?;
        let password = match (&own.password_file, self.credentials) {
            (Some(named), _) => beside(named),
            (None, Some(directory)) => directory.join(self.password),
            (None, None) => return Err(missing("passwordFile", "directory `credentials`")),
        };
        let is_plain = uri.scheme_str() == Some("http");
        let authority = match (&own.ca_file, self.credentials) {
            (Some(named), _) => Some(beside(named)),
            (None, Some(directory)) if !is_plain => Some(directory.join("ca.crt")),
            (None, _) => None,
        };
        let mut config = external::configuration(&uri, authority.as_deref(), request_timeout, naming)?;
        let door = Door::of(&config);
        config.auth_info.username = Some(own.username.clone().unwrap_or_else(|| READER.to_owned()));
        config.auth_info.password = Some(external::credential(&password, naming)?.into());
        // What the client says of a failure is not repeated: it has the password.
        let client = client(config)
            .map_err(|_| refused(file, &format!("no client for {} could be made of it", naming.server)))?;
        Ok(Store {
            url: uri.to_string().trim_end_matches('/').to_owned(),
            client,
            door,
        })
    }
}

// === impl Store ===

impl Store {
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn client(&self) -> &kube::Client {
        &self.client
    }

    pub(super) fn door(&self) -> &Door {
        &self.door
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Whether a text can be the value of a label, as a cluster's ID and a region are: then it is safe in any query.
pub(super) fn is_label_value(text: &str) -> bool {
    let ends_well = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && ends_well(text.chars().next())
        && ends_well(text.chars().next_back())
        && (text.chars()).all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn region_file(path: &Path) -> Result<RegionFile, ConnectError> {
    let refuse = |problem: String| {
        ConnectError::new(
            format!("region file {}: {problem}", path.display()),
            &["`terraform output -raw region_values` in manifests/region writes it"],
        )
    };
    let text = fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    let file: RegionFile = serde_saphyr::from_str(&text).map_err(|error| refuse(error.to_string()))?;
    if is_label_value(&file.region) {
        Ok(file)
    } else {
        Err(refuse("its `region` is no region".to_owned()))
    }
}

fn refused(path: &Path, problem: &str) -> ConnectError {
    ConnectError::new(
        format!("stores file {}: {problem}", path.display()),
        &["`starform-verify explain SF701` shows one"],
    )
}

fn at<T>(spanned: &Spanned<T>) -> String {
    let place = spanned.referenced;
    format!("line {}, column {}", place.line(), place.column())
}

#[cfg(test)]
mod tests;
