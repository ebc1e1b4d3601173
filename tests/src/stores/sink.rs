//! Stores for tests of the collectors: the real VictoriaMetrics, and a store of logs that hands records out again. They
//! serve within a cluster's network, as processes of this one, with one folder for as many clusters as there are.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rcgen::{BasicConstraints, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::Value;

use super::{Stores, credentials};
use crate::authority::{params, private};
use crate::https::Client;
use crate::network::HOST;
use crate::paths::State;
use crate::{go_binaries, inside, standins, steps};

const METRICS_PORT: u16 = 8427;
const LOGS_PORT: u16 = 8080;

/// Both stores of a folder, and the processes that serve them.
pub struct Sink {
    dir: PathBuf,
    cluster: State,
    stores: Stores,
    serving: Mutex<Vec<Child>>,
}

impl Sink {
    /// The stores of a cluster (`default` is the shared one), serving until the value is dropped. Certificates,
    /// passwords and metrics lie in the cluster's state: for the next test run they are the same.
    ///
    /// # Errors
    ///
    /// When the cluster is not up, or a store does not answer.
    pub fn of_cluster(cluster: &str) -> Result<Self> {
        let state = State::named(cluster);
        Self::serve(&state.path("sink"), cluster)
    }

    /// The same with another folder, which may outlive the cluster.
    ///
    /// # Errors
    ///
    /// See [`Sink::of_cluster`].
    pub fn serve(dir: &Path, cluster: &str) -> Result<Self> {
        make_identity(dir)?;
        let read = |file: &str| fs::read_to_string(dir.join(file)).with_context(|| format!("{file} cannot be read"));
        let stores = Stores {
            region: "nyc3".to_owned(),
            metrics_write_url: format!("https://{HOST}:{METRICS_PORT}/api/v1/write"),
            metrics_query_url: format!("https://{HOST}:{METRICS_PORT}"),
            logs: (HOST.to_owned(), LOGS_PORT, "/logs".to_owned()),
            logs_query_url: format!("https://{HOST}:{LOGS_PORT}/records"),
            authority: read("ca.crt")?,
            vmagent_password: read("vmagent-password")?,
            fluent_bit_password: read("fluent-bit-password")?,
        };
        let sink = Self {
            dir: dir.to_owned(),
            cluster: State::named(cluster),
            stores,
            serving: Mutex::default(),
        };
        sink.resume()?;
        Ok(sink)
    }

    /// What the collectors have to know.
    #[must_use]
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Goes away: connections are refused until [`Sink::resume`]. The logs that it had are lost, the metrics are not.
    pub fn pause(&self) {
        let mut serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner);
        for mut child in serving.drain(..) {
            // Both end when their standard input does; waited for, so that their ports are free.
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }

    /// Serves again; returns when both answer.
    ///
    /// # Errors
    ///
    /// When one cannot be started, or does not answer.
    pub fn resume(&self) -> Result<()> {
        let mut serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner);
        if !serving.is_empty() {
            return Ok(());
        }
        // An earlier test run's may be about to end.
        self.until_ports(|answers| !answers)?;
        let metrics = go_binaries::binary("victoria-metrics")?;
        // The shell is there to end it with this process, whichever way that ends.
        let script = "\"$@\" & child=$!; cat >/dev/null; kill $child; wait $child";
        let mut victoria_metrics = Command::new("sh");
        victoria_metrics.args(["-c", script, "sh"]).arg(metrics).args([
            format!("-storageDataPath={}", self.file("metrics")),
            format!("-httpListenAddr={HOST}:{METRICS_PORT}"),
            "-tls".to_owned(),
            format!("-tlsCertFile={}", self.file("server.crt")),
            format!("-tlsKeyFile={}", self.file("server.key")),
            "-httpAuth.username=vmagent".to_owned(),
            format!("-httpAuth.password=file://{}", self.file("vmagent-password")),
            "-retentionPeriod=2d".to_owned(),
            // What was written is to be seen at once.
            "-search.latencyOffset=0s".to_owned(),
            "-memory.allowedBytes=256MiB".to_owned(),
            "-loggerLevel=WARN".to_owned(),
        ]);
        let mut log_sink = Command::new(standins::log_sink());
        log_sink
            .arg(format!("-address={HOST}:{LOGS_PORT}"))
            .arg(format!("-certificate={}", self.file("server.crt")))
            .arg(format!("-key={}", self.file("server.key")))
            .env("LOG_SINK_PASSWORD", &self.stores.fluent_bit_password);
        for (name, command) in [("metrics", victoria_metrics), ("logs", log_sink)] {
            serving.push(self.start(name, command)?);
        }
        drop(serving);
        self.until_ports(|answers| answers)
    }

    /// Until both ports answer, or neither does.
    fn until_ports(&self, wanted: impl Fn(bool) -> bool) -> Result<()> {
        for port in [METRICS_PORT, LOGS_PORT] {
            let address: SocketAddr = format!("{HOST}:{port}").parse()?;
            steps::until("the stores", Duration::from_secs(20), || {
                let connected = inside::within(&self.cluster, || {
                    Ok(TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok())
                })?;
                Ok(if wanted(connected) {
                    Ok(())
                } else {
                    Err(format!(
                        "{address} answers: {connected}; see the logs in {}",
                        self.dir.display()
                    ))
                })
            })?;
        }
        Ok(())
    }

    fn start(&self, name: &str, mut command: Command) -> Result<Child> {
        let log = fs::File::create(self.dir.join(format!("{name}.log")))?;
        inside::within(&self.cluster, || {
            command
                // Goes with the cluster, too.
                .env(inside::MARK, &self.cluster.dir)
                .stdin(Stdio::piped())
                .stdout(log.try_clone()?)
                .stderr(log)
                .spawn()
                .with_context(|| format!("the store of {name} cannot be started"))
        })
    }

    fn file(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    /// The instant vector of a query in `PromQL`, as `VictoriaMetrics` gives it.
    ///
    /// # Errors
    ///
    /// When the store does not answer, or refuses the query.
    pub fn query(&self, query: &str) -> Result<Vec<Value>> {
        let encoded = query.bytes().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "%{byte:02X}");
            text
        });
        let path = format!("/api/v1/query?query={encoded}");
        let answer = self.get(METRICS_PORT, "vmagent", &self.stores.vmagent_password, &path)?;
        Ok(answer["data"]["result"].as_array().cloned().unwrap_or_default())
    }

    /// The records that the store of logs has, oldest first.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn records(&self) -> Result<Vec<Value>> {
        let answer = self.get(LOGS_PORT, "fluent-bit", &self.stores.fluent_bit_password, "/records")?;
        Ok(answer["records"].as_array().cloned().unwrap_or_default())
    }

    fn get(&self, port: u16, user: &str, password: &str, path: &str) -> Result<Value> {
        inside::within(&self.cluster, || {
            let address = format!("{HOST}:{port}").parse()?;
            let mut client = Client::trusting(&self.dir.join("ca.crt"), address)?;
            let credentials = credentials::basic(user, password);
            let answer = client.request("GET", path, &[("Authorization", &credentials)], b"")?;
            if answer.status != 200 {
                let said = String::from_utf8_lossy(&answer.body);
                bail!("https://{address}{path}: HTTP {}: {}", answer.status, said.trim());
            }
            serde_json::from_slice(&answer.body).with_context(|| format!("https://{address}{path} is no JSON"))
        })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.pause();
    }
}

/// Authority, certificate and passwords, where there are none.
fn make_identity(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    // Written last: where it is, everything is.
    if dir.join("ca.crt").exists() {
        return Ok(());
    }
    let (mut authority, key) = (params("stores' authority", None, &[])?, KeyPair::generate()?);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    authority.extended_key_usages.clear();
    let root = authority.self_signed(&key)?.pem();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate()?;
    let certificate = params("stores", None, &[HOST, "127.0.0.1", "localhost"])?.signed_by(&key, &issuer)?;
    fs::write(dir.join("server.crt"), certificate.pem())?;
    private(&dir.join("server.key"), &key.serialize_pem())?;
    for name in ["vmagent-password", "fluent-bit-password"] {
        let password: String = std::iter::repeat_with(fastrand::alphanumeric).take(24).collect();
        private(&dir.join(name), &password)?;
    }
    Ok(fs::write(dir.join("ca.crt"), root)?)
}
