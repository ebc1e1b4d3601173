//! The stores of a region: `tests/stores` says what of them is real.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Stores;
use super::relay::Reach;
use super::talk::Talk;
use crate::network::{STORES, STORES_DOMAIN};
use crate::recipes::Needed;
use crate::{Cluster, go_binaries, paths, python, up};

/// Its first word is a file of hosts, the others are a command.
const WITH_HOSTS: &str = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";

/// A program of the region that can be stopped and started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The store of metrics.
    VictoriaMetrics,
    /// Its door.
    Vmauth,
    /// Its rules, the join among them.
    Vmalert,
    /// The store of logs.
    ClickHouse,
    /// The aggregator.
    Vector,
}

/// The stores of a region, up until this is dropped. They are in no cluster: what they hold outlives every cluster, this
/// value too, and several clusters may send at once.
pub struct Region {
    dir: PathBuf,
    /// As DigitalOcean names it.
    slug: String,
    talk: Talk,
}

// === impl Part ===

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::VictoriaMetrics => "victoriametrics",
            Self::Vmauth => "vmauth",
            Self::Vmalert => "vmalert",
            Self::ClickHouse => "clickhouse",
            Self::Vector => "vector",
        }
    }
}

// === impl Region ===

impl Region {
    /// The stores of that name, with what they held when they were up last. `region` is such as `nyc3`. Returns when all
    /// answer.
    ///
    /// # Errors
    ///
    /// When one does not come up, or the stores of that name are up already.
    pub fn start(name: &str, region: &str) -> Result<Self> {
        up::check_machine()?;
        go_binaries::build(Needed::Cluster)?;
        python::build(&paths::cache())?;
        let dir = folder(name);
        Ok(Self {
            talk: Talk::start(&dir, region)?,
            slug: region.to_owned(),
            dir,
        })
    }

    /// The same, with nothing in them: what the stores of that name held is lost.
    ///
    /// # Errors
    ///
    /// See [`Region::start`].
    pub fn start_empty(name: &str, region: &str) -> Result<Self> {
        let dir = folder(name);
        if dir.exists() {
            // Whoever has them up holds this lock.
            let lock = fs::File::create(dir.join("lock"))?;
            if lock.try_lock().is_err() {
                bail!("other stores are up in {}: end them first", dir.display());
            }
            fs::remove_dir_all(&dir).with_context(|| format!("{} cannot be removed", dir.display()))?;
        }
        Self::start(name, region)
    }

    /// What a cluster's collectors have to know. The names in it are known to the DNS of the testbed's clusters.
    ///
    /// # Errors
    ///
    /// When a credential cannot be read.
    pub fn stores(&self) -> Result<Stores> {
        let read = |file: &str| {
            let path = self.credentials().join("clusters").join(file);
            fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
        };
        let password = |file: &str| read(file).map(|text| text.trim_end().to_owned());
        let metrics = format!("https://{}:8427", self.host("victoriametrics"));
        Ok(Stores {
            region: self.slug.clone(),
            metrics_write_url: format!("{metrics}/api/v1/write"),
            metrics_query_url: metrics,
            logs: (self.host("vector"), 8080, "/logs".to_owned()),
            logs_query_url: format!("https://{}:8443", self.host("clickhouse")),
            authority: read("ca.crt")?,
            vmagent_password: password("vmagent-password")?,
            fluent_bit_password: password("fluent-bit-password")?,
        })
    }

    /// Lets a cluster reach them, for as long as the value lives.
    ///
    /// # Errors
    ///
    /// When the cluster is not up, or reaches others.
    pub fn reach(&self, cluster: &Cluster) -> Result<Reach> {
        Reach::open(cluster, self.talk.network())
    }

    /// What `manifests/region/credentials make` made: `readers` in there is for auditors.
    #[must_use]
    pub fn credentials(&self) -> PathBuf {
        self.dir.join("credentials")
    }

    /// A file for the auditor's `--stores`: this region, read as `reader`, of a cluster with that ID.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn stores_file(&self, cluster_id: &str, ended: bool) -> Result<PathBuf> {
        let values = self.dir.join(format!("{}.yaml", self.slug));
        write(&values, &self.stores()?.region_values()?)?;
        let file = self.dir.join(format!("stores-of-{cluster_id}.yaml"));
        let text = json!({
            "regionFile": values, "credentials": self.credentials().join("readers"),
            "cluster": { "id": cluster_id, "ended": ended },
        });
        write(&file, &text.to_string())?;
        Ok(file)
    }

    /// A command that will run in a cluster's network, as [`Cluster::command`] has it, and knows the stores by name.
    ///
    /// # Errors
    ///
    /// When the program of the testbed is not built.
    pub fn command(&self, cluster: &Cluster, words: &[&str]) -> Result<Command> {
        let hosts = self.hosts(STORES)?;
        let hosts = hosts.to_str().context("the workspace's path is no UTF-8")?;
        cluster.command(&[&["unshare", "--mount", "sh", "-c", WITH_HOSTS, hosts], words].concat())
    }

    /// A command that will run in the stores' own network, in no cluster's, and knows them by name.
    ///
    /// # Errors
    ///
    /// When the file of names cannot be written.
    pub fn command_beside(&self, words: &[&str]) -> Result<Command> {
        let hosts = self.hosts("127.0.0.1")?;
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net={}", self.talk.network().display()))
            .args(["unshare", "--mount", "sh", "-c", WITH_HOSTS])
            .arg(hosts)
            .args(words);
        Ok(command)
    }

    /// Stops a program, as systemd would.
    ///
    /// # Errors
    ///
    /// When the stores have ended.
    pub fn stop(&self, part: Part) -> Result<()> {
        self.talk.ask(&json!({ "stop": part.name() })).map(drop)
    }

    /// Starts it again; returns when it answers.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn resume(&self, part: Part) -> Result<()> {
        self.talk.ask(&json!({ "start": part.name() })).map(drop)
    }

    /// Has `ClickHouse` answer everything with a status such as 503; `None` mends it.
    ///
    /// # Errors
    ///
    /// When the stores have ended.
    pub fn clickhouse_answers(&self, status: Option<u16>) -> Result<()> {
        self.talk.ask(&json!({ "clickhouse-answers": status })).map(drop)
    }

    /// The instant vector of a query in `MetricsQL`.
    ///
    /// # Errors
    ///
    /// When the store does not answer, or refuses the query.
    pub fn metrics(&self, query: &str) -> Result<Vec<Value>> {
        rows(self.talk.ask(&json!({ "metrics": query }))?)
    }

    /// The rows of a query in `ClickHouse`'s SQL, asked as `reader`.
    ///
    /// # Errors
    ///
    /// When the engine refuses it.
    pub fn logs(&self, query: &str) -> Result<Vec<Value>> {
        rows(self.talk.ask(&json!({ "logs": query }))?)
    }

    /// A file of hosts that has the stores at an address.
    fn hosts(&self, address: &str) -> Result<PathBuf> {
        let hosts = self.dir.join(format!("hosts-at-{address}"));
        let names = ["victoriametrics", "clickhouse", "vector"]
            .map(|name| self.host(name))
            .join(" ");
        write(&hosts, &format!("127.0.0.1 localhost\n{address} {names}\n"))?;
        Ok(hosts)
    }

    fn host(&self, name: &str) -> String {
        format!("{name}.{}.{STORES_DOMAIN}", self.slug)
    }
}

fn folder(name: &str) -> PathBuf {
    paths::workspace().join("target/testbed/stores").join(name)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

fn rows(answer: Value) -> Result<Vec<Value>> {
    match answer {
        Value::Array(rows) => Ok(rows),
        other => bail!("the stores answered {other}, no rows"),
    }
}
