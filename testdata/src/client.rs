//! Connections to canned answers: over a service instead of sockets, so that a test's paused clock makes waiting free.

use crate::answers::Answers;
use crate::reply::{DATE, Ends, NEVER, Reply};
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::{Bytes, Frame};
use kube::client::{Body, ClientBuilder, ConfigExt};
use starform_verify::collect::{
    Connection, Plan, Starbase, StarbaseOptions, Stores, Targets, TerraformDocument, install_crypto_provider,
};
use starform_verify::contract::{Contract, StepId};
use starform_verify::evidence::{Evidence, Source, Target, Vantage};
use std::fmt::Write;
use std::io;
use std::sync::LazyLock;
use std::time::Duration;
use tempfile::TempDir;
use tower::{BoxError, service_fn};

/// The token that Starbase is shown. No evidence, no log and no report may have it.
pub const TOKEN: &str = "minted-for-the-mock";
/// The passwords of the stores. The same holds for them.
pub const PASSWORDS: [&str; 2] = ["reads-metrics-of-the-mock", "reads-logs-of-the-mock"];

/// How long a request to a mock may take.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(4);
/// Where the answers are said to be. Nothing is sent there.
const NOWHERE: &str = "http://127.0.0.1:9";

/// How clients are made that reach the answers.
pub(crate) trait Reach {
    /// Where they are.
    fn url(&self) -> String;
    /// A client by this configuration.
    ///
    /// # Errors
    /// What kube says of it.
    fn client(&self, config: kube::Config) -> kube::Result<kube::Client>;
}

impl Reach for Answers {
    fn url(&self) -> String {
        NOWHERE.to_owned()
    }

    fn client(&self, config: kube::Config) -> kube::Result<kube::Client> {
        let answers = self.clone();
        let service = service_fn(move |request: Request<Body>| {
            let reply = answers.reply(head(request.method(), request.uri(), request.headers()));
            respond(reply)
        });
        let namespace = config.default_namespace.clone();
        let builder = ClientBuilder::new(service, namespace).with_layer(&config.base_uri_layer());
        // The credential is sent as in any client: no evidence may have it.
        Ok(match config.auth_layer()? {
            Some(layer) => builder.with_layer(&layer).build(),
            None => builder.build(),
        })
    }
}

impl Answers {
    /// All of them, from outside the cluster.
    #[must_use]
    pub fn targets(&self) -> Targets {
        self.targets_from(Vantage::Outside)
    }

    /// They as all that an audit asks, from there.
    #[must_use]
    pub fn targets_from(&self, vantage: Vantage) -> Targets {
        targets(self, vantage)
    }
}

/// The cluster, Starbase, the region's stores, and a plan of the region.
pub(crate) fn targets(reach: &impl Reach, vantage: Vantage) -> Targets {
    let (_directory, file) = stores_file(&reach.url(), "");
    let stores = Stores::read_by(&file, REQUEST_TIMEOUT, |config| reach.client(config)).unwrap();
    Targets {
        cluster: Some(cluster(reach, vantage)),
        starbase: Some(starbase(reach)),
        stores: Some(stores),
        terraform: Some(terraform()),
    }
}

/// A connection to the cluster alone.
pub(crate) fn cluster(reach: &impl Reach, vantage: Vantage) -> Connection {
    install_crypto_provider();
    let mut config = kube::Config::new(reach.url().parse().unwrap());
    config.default_retry = false;
    // Plain HTTP needs no root, and kube would read the machine's.
    config.root_cert = Some(Vec::new());
    let target = Target {
        context: Some("mock".to_owned()),
        vantage,
        ..Target::outside()
    };
    Connection::from_config_by(config, target, |config| reach.client(config)).unwrap()
}

fn starbase(reach: &impl Reach) -> Starbase {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), format!("{TOKEN}\n")).unwrap();
    let options = StarbaseOptions {
        url: reach.url().parse().unwrap(),
        token_file: token.path().to_owned(),
        authority_file: None,
        request_timeout: REQUEST_TIMEOUT,
    };
    Starbase::connect_by(&options, |config| reach.client(config)).unwrap()
}

/// The stores of the region at an address, with their passwords. `more` is what else stands in the stores file.
pub(crate) fn stores(url: &str, more: &str) -> Stores {
    let (_directory, file) = stores_file(url, more);
    install_crypto_provider();
    Stores::read(&file, REQUEST_TIMEOUT).unwrap()
}

fn stores_file(url: &str, more: &str) -> (TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let files = ["victoriametrics-password", "clickhouse-password"];
    for (file, password) in files.iter().zip(PASSWORDS) {
        std::fs::write(directory.path().join(file), format!("{password}\n")).unwrap();
    }
    let text = format!("region: nyc3\ncredentials: .\nmetrics: {{url: \"{url}\"}}\nlogs: {{url: \"{url}\"}}\n{more}");
    let file = directory.path().join("stores.yaml");
    std::fs::write(&file, text).unwrap();
    (directory, file)
}

/// A plan of the region, of a minute ago, with a snapshot of last night for each store.
///
/// # Panics
/// Where `terraform/recorded/refresh-only.json` is no such plan.
#[must_use]
pub fn terraform() -> TerraformDocument {
    // Read once, and of one moment for all: what else differs between two audits is what a test is about.
    static DOCUMENT: LazyLock<TerraformDocument> = LazyLock::new(|| {
        let text = include_str!("../terraform/recorded/refresh-only.json");
        let mut plan: serde_json::Value = serde_json::from_str(text).unwrap();
        let now = jiff::Timestamp::now();
        plan["timestamp"] = (now - jiff::SignedDuration::from_mins(1)).to_string().into();
        let resources = plan["prior_state"]["values"]["root_module"]["resources"].as_array_mut();
        for resource in resources.unwrap() {
            if resource["type"] == "digitalocean_volume_snapshot" {
                resource["values"]["created_at"] = (now - jiff::SignedDuration::from_hours(10)).to_string().into();
            }
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), plan.to_string()).unwrap();
        TerraformDocument::read(file.path()).unwrap()
    });
    DOCUMENT.clone()
}

/// An audit. `starform_verify::collect::collect` is compiled for whoever calls it, which takes a minute: here it is once.
#[must_use]
pub fn collect<'a>(targets: &'a Targets, contract: &'a Contract, plan: &'a Plan) -> BoxFuture<'a, Evidence> {
    Box::pin(starform_verify::collect::collect(targets, contract, plan, |_| {}))
}

/// A plan for everything, short enough for tests.
#[must_use]
pub fn plan() -> Plan {
    Plan {
        sources: Source::ALL.into_iter().collect(),
        releases: StepId::ALL.into_iter().collect(),
        timeout: Duration::from_mins(1),
        request_timeout: REQUEST_TIMEOUT,
        earlier: None,
        stop: tokio_util::sync::CancellationToken::new(),
    }
}

/// A request as it is written down, also where it never was a text.
fn head(method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
    }
    head + "\r\n"
}

async fn respond(reply: Reply) -> Result<Response<BoxBody<Bytes, io::Error>>, BoxError> {
    if reply.ends == Ends::Hang {
        tokio::time::sleep(NEVER).await;
    }
    if let Ends::Late(after) = reply.ends {
        tokio::time::sleep(after).await;
    }
    let mut response = Response::builder()
        .status(reply.status)
        .header("date", DATE)
        .header("content-type", reply.content_type.as_ref());
    if let Some(location) = reply.location {
        response = response.header("location", location);
    }
    let body = match reply.ends {
        Ends::Well | Ends::Late(_) | Ends::Hang => Full::new(Bytes::from(reply.body.into_owned()))
            .map_err(|never| match never {})
            .boxed(),
        Ends::HangInBody => {
            let half = Ok(Frame::data(Bytes::from(reply.half().to_vec())));
            let rest = stream::once(tokio::time::sleep(NEVER)).filter_map(|()| async { None });
            BodyExt::boxed(StreamBody::new(stream::iter([half]).chain(rest)))
        }
        Ends::Slowly(pause) => {
            let parts = stream::iter(reply.parts()).then(move |part| async move {
                tokio::time::sleep(pause).await;
                Ok(Frame::data(Bytes::from(part)))
            });
            BodyExt::boxed(StreamBody::new(parts))
        }
        // What a client makes of a connection that breaks is hyper's: only a connection shows it.
        Ends::Cut | Ends::Close | Ends::NotHttp => {
            return Err("this fault needs the mock over a connection".into());
        }
    };
    Ok(response.body(body)?)
}
