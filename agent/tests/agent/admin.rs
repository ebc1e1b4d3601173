//! The admin server over real sockets: every route, and every way in which a client can be unpleasant.

use jiff::Timestamp;
use prometheus_client::registry::Registry;
use proptest::prelude::*;
use shuttle::admin::{BindError, Line, Loopback, Probes, Server, Standing, Statement};
use shuttle::identity::Identity;
use shuttle::lifecycle::{Gate, Phase};
use shuttle::liveness::{Liveness, Pulse};
use shuttle::metrics::Metrics;
use shuttle::names::Names;
use shuttle::parameters::{ClusterId, Parameters, Region, Token};
use shuttle::snapshot::Snapshot;
use shuttle::verification::Verification;
use shuttle::view::Sources;
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::{Canary, Join, NodesProven};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testdata::recordings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const TOKEN: &str = "sft_0123456789abcdef0123456789abcdef";
const PATIENCE: Duration = Duration::from_secs(20);

/// Both listeners of an agent, and what they answer from.
struct Agent {
    probes: SocketAddr,
    loopback: SocketAddr,
    snapshot: watch::Sender<Snapshot>,
    verified: watch::Sender<Option<Arc<Verification>>>,
    pulse: Pulse,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Agent {
    async fn start() -> Self {
        let parameters = Parameters {
            cluster_id: ClusterId::new("fra1-shop").unwrap(),
            region: Region::new("fra1").unwrap(),
            token: Token::new(TOKEN).unwrap(),
        };
        let snapshot = Snapshot {
            phase: Phase::Verifying,
            since: Timestamp::now(),
            reason: "waits until every gating check passes".into(),
            leader: false,
            gate: None,
            ready: false,
            registration: None,
            setback: None,
        };
        let (snapshot, snapshots) = watch::channel(snapshot);
        let (verified, verifications) = watch::channel(None);
        let (_, names) = watch::channel(Some(Names::from(&parameters)));
        let contract = Arc::new(Contract::embedded().unwrap());
        let sources = Sources {
            identity: Identity {
                namespace: "starform-system".to_owned(),
                pod: "shuttle-0".to_owned(),
                uid: "9a0c2f7e-3b1d-4a5e-8f60-0c1d2e3f4a5b".to_owned(),
                node: "node-1".to_owned(),
            },
            contract,
            names,
            snapshot: snapshots,
            verifications,
        };
        let liveness = Liveness::default();
        let pulse = liveness.watch("lifecycle", Duration::from_millis(50));
        pulse.rest();
        let mut registry = Registry::default();
        Metrics::default().register(&mut registry);
        let routes = Probes::new(liveness, sources.clone(), Arc::new(registry));
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let probes = Server::bind(any, routes).await.unwrap();
        let loopback = Server::bind_loopback(any, Loopback::new(sources)).await.unwrap();
        let stop = CancellationToken::new();
        Self {
            probes: probes.address(),
            loopback: loopback.address(),
            snapshot,
            verified,
            pulse,
            tasks: vec![
                tokio::spawn(probes.run(stop.clone())),
                tokio::spawn(loopback.run(stop.clone())),
            ],
            stop,
        }
    }

    /// What a verification of a recorded cluster gives: of one in which steps 2 and 4 were not seen, so its gate never
    /// opens.
    fn verify(&self, recording: &str) {
        let evidence = recordings::as_recorded(recording);
        let contract = Contract::embedded().unwrap();
        let report = evaluate(&contract, &evidence, &Selection::inside());
        self.verified.send_replace(Some(Arc::new(Verification {
            uid: report.subject.uid.clone(),
            gate: Gate::of(&report, &contract),
            report,
            canary: Canary::default(),
            join: Join::default(),
            nodes: NodesProven::default(),
            took: Duration::from_millis(412),
            cost: Duration::from_millis(31),
        })));
    }

    async fn probe(&self, path: &str) -> Answer {
        get(self.probes, path).await
    }

    async fn page(&self, path: &str) -> Answer {
        get(self.loopback, path).await
    }

    /// Stopped in good order, and no task has panicked.
    async fn end(self) {
        self.stop.cancel();
        for task in self.tasks {
            timeout(PATIENCE, task)
                .await
                .expect("it stops")
                .expect("it did not panic");
        }
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

async fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await
}

async fn ask(address: SocketAddr, request: &str) -> Answer {
    let text = String::from_utf8(exchange(address, request.as_bytes()).await).unwrap();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {text:?}"));
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// Sends, and reads until the server closes.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may have answered and closed before all was sent.
    let _ = stream.write_all(bytes).await;
    read_to_end(&mut stream).await
}

async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    // A reset ends it too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("the server closes");
    answer
}

#[tokio::test]
async fn before_the_first_verification_everything_answers() {
    let agent = Agent::start().await;
    let ready = agent.probe("/readyz").await;
    assert_eq!(
        (ready.status, ready.body.as_str()),
        (503, "not ready: verifying: nothing judged yet\n")
    );
    assert_eq!(agent.probe("/livez").await.status, 200);
    assert_eq!(agent.probe("/readyz?verbose").await.status, 503);
    assert_eq!(agent.probe("/readyz/SF304").await.body, "[?]SF304 it was not judged\n");
    assert!(agent.probe("/metrics").await.body.ends_with("# EOF\n"));
    assert_eq!(agent.page("/").await.status, 200);
    let report: serde_json::Value = serde_json::from_str(&agent.page("/report.json").await.body).unwrap();
    assert_eq!(report["report"], serde_json::Value::Null);
    assert_eq!(report["status"]["phase"], "verifying");
    agent.end().await;
}

#[tokio::test]
async fn readiness_is_the_snapshot_s_and_its_reasons_are_the_verification_s() {
    let agent = Agent::start().await;
    agent.verify("metrics-server-absent");
    let verbose = agent.probe("/readyz?verbose").await;
    assert_eq!(verbose.status, 503);
    assert!(verbose.body.contains("step 3 is broken"), "{}", verbose.body);
    assert!(
        verbose.body.contains("helm upgrade --install metrics-server"),
        "{}",
        verbose.body
    );
    let code = agent.probe("/readyz/sf301").await;
    assert_eq!(code.status, 503);
    assert!(code.body.starts_with("[-]SF301 "), "{}", code.body);
    assert_eq!(agent.probe("/readyz/SF101").await.status, 200);
    agent.snapshot.send_modify(|snapshot| {
        snapshot.phase = Phase::Active;
        snapshot.ready = true;
    });
    let ready = agent.probe("/readyz").await;
    assert_eq!((ready.status, ready.body.as_str()), (200, "ok\n"));
    agent.end().await;
}

#[tokio::test]
async fn a_loop_that_is_stuck_is_named() {
    let agent = Agent::start().await;
    agent.pulse.beat();
    tokio::time::sleep(Duration::from_millis(60)).await;
    let answer = agent.probe("/livez").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (503, "[-]lifecycle has not turned for 0 s\n")
    );
    agent.pulse.rest();
    assert_eq!(agent.probe("/livez").await.body, "ok\n");
    agent.end().await;
}

#[tokio::test]
async fn metrics_are_open_metrics() {
    let agent = Agent::start().await;
    let answer = agent.probe("/metrics").await;
    let kind = answer.header("content-type");
    assert_eq!(kind, Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(answer.body.contains("shuttle_build_info{version="));
    agent.end().await;
}

#[tokio::test]
async fn the_page_and_the_report_are_on_loopback_only() {
    let agent = Agent::start().await;
    agent.verify("healthy");
    for path in [
        "/",
        "/report.json",
        "/index.html",
        "/livez/x",
        "/readyz/SF999",
        "/readyz/",
        "/favicon.ico",
    ] {
        assert_eq!(agent.probe(path).await.status, 404, "{path}");
    }
    for path in ["/readyz", "/livez", "/metrics", "/report.json/", "//"] {
        assert_eq!(agent.page(path).await.status, 404, "{path}");
    }
    let answer = agent.page("/").await;
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'unsafe-inline';"),
        "{policy}"
    );
    let report: serde_json::Value = serde_json::from_str(&agent.page("/report.json").await.body).unwrap();
    assert_eq!(report["report"]["kind"], "Report");
    assert_eq!(report["status"]["clusterId"], "fra1-shop");
    agent.end().await;
}

#[tokio::test]
async fn nothing_but_loopback_is_bound_for_the_page() {
    let agent = Agent::start().await;
    let routes = || Probes::new(Liveness::default(), Statement::default, Arc::new(Registry::default()));
    for address in ["0.0.0.0:0", "[::]:0", "10.0.0.1:0"] {
        let refused = Server::bind_loopback(address.parse().unwrap(), routes()).await.err();
        assert!(matches!(refused, Some(BindError::NotLoopback(_))), "{address}");
    }
    let refused = Server::bind(agent.probes, routes()).await.err().unwrap().to_string();
    assert!(refused.contains(&agent.probes.to_string()), "{refused}");
    agent.end().await;
}

#[tokio::test]
async fn a_page_of_another_name_cannot_read_this_one() {
    let agent = Agent::start().await;
    for host in ["Host: rebound.example\r\n", "", "Host: 10.0.0.1\r\n"] {
        let answer = ask(agent.loopback, &format!("GET / HTTP/1.1\r\n{host}\r\n")).await;
        assert_eq!(answer.status, 403, "{host}");
        assert!(!answer.body.contains("fra1-shop"));
    }
    // The kubelet names the pod's address.
    let answer = ask(agent.probes, "GET /livez HTTP/1.1\r\nHost: 10.0.0.1:8080\r\n\r\n").await;
    assert_eq!(answer.status, 200);
    agent.end().await;
}

#[tokio::test]
async fn only_get_and_head_are_answered() {
    let agent = Agent::start().await;
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"] {
        let answer = ask(agent.probes, &format!("{method} /livez HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET, HEAD")),
            "{method}"
        );
    }
    let whole = agent.probe("/readyz?verbose").await;
    let head = ask(agent.probes, "HEAD /readyz?verbose HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((head.status, head.body.as_str()), (503, ""));
    assert_eq!(
        head.header("content-length"),
        Some(whole.body.len().to_string().as_str())
    );
    agent.end().await;
}

#[tokio::test]
async fn a_client_that_sends_its_headers_byte_by_byte_is_cut_off() {
    let agent = Agent::start().await;
    let mut stream = TcpStream::connect(agent.probes).await.unwrap();
    let started = Instant::now();
    stream.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
    // One header more every 200 ms, for ever.
    while stream.write_all(b"X-Slow: y\r\n").await.is_ok() {
        let mut bytes = [0; 64];
        if let Ok(Ok(0) | Err(_)) = timeout(Duration::from_millis(200), stream.read(&mut bytes)).await {
            break;
        }
        assert!(started.elapsed() < PATIENCE);
    }
    let elapsed = started.elapsed();
    assert!((1..6).contains(&elapsed.as_secs()), "{elapsed:?}");
    agent.end().await;
}

#[tokio::test]
async fn silent_clients_take_no_place_for_long() {
    let agent = Agent::start().await;
    let started = Instant::now();
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(agent.probes).await.unwrap());
    }
    assert_eq!(agent.probe("/livez").await.status, 200);
    // 200 silent ones before it, 64 at a time, 2 s each: it waited for three times 64 of them, and no longer.
    let elapsed = started.elapsed();
    assert!((3..12).contains(&elapsed.as_secs()), "{elapsed:?}");
    drop(silent);
    assert_eq!(agent.probe("/livez").await.status, 200);
    agent.end().await;
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused() {
    let agent = Agent::start().await;
    let large = format!(
        "GET /livez HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n",
        "y".repeat(20_000)
    );
    let answer = exchange(agent.probes, large.as_bytes()).await;
    let text = String::from_utf8_lossy(&answer);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 431"), "{text}");
    assert_eq!(agent.probe("/livez").await.status, 200);
    agent.end().await;
}

#[tokio::test]
async fn each_connection_is_one_request() {
    let agent = Agent::start().await;
    let request = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3);
    let answer = String::from_utf8(exchange(agent.probes, request.as_bytes()).await).unwrap();
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    agent.end().await;
}

#[tokio::test]
async fn it_stops_at_once_though_clients_are_connected() {
    let agent = Agent::start().await;
    let mut idle = TcpStream::connect(agent.probes).await.unwrap();
    assert_eq!(agent.probe("/livez").await.status, 200);
    let (probes, started) = (agent.probes, Instant::now());
    agent.end().await;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(read_to_end(&mut idle).await, b"");
    assert!(TcpStream::connect(probes).await.is_err());
}

#[tokio::test]
async fn the_token_is_in_no_answer() {
    let agent = Agent::start().await;
    agent.verify("allowlist-missing");
    let mut said = String::new();
    for path in ["/livez", "/readyz", "/readyz?verbose", "/metrics", "/readyz/phase"] {
        let answer = agent.probe(path).await;
        said.push_str(&answer.head);
        said.push_str(&answer.body);
    }
    for path in ["/", "/?still", "/report.json"] {
        let answer = agent.page(path).await;
        said.push_str(&answer.head);
        said.push_str(&answer.body);
    }
    assert!(said.contains("fra1-shop"));
    // Not even a piece of it.
    for start in 0..TOKEN.len() - 8 {
        let piece = &TOKEN[start..start + 8];
        assert!(!said.contains(piece), "{piece}");
    }
    agent.end().await;
}

#[tokio::test]
async fn the_node_role_answers_from_a_function() {
    let (ready, state) = watch::channel(false);
    let statement = move || {
        let ready = *state.borrow();
        let standing = if ready { Standing::Holds } else { Standing::Fails };
        Statement {
            ready,
            answer: "the node".to_owned(),
            lines: vec![Line::new(standing, "kubelet", "cAdvisor\nanswers")],
            advice: String::new(),
        }
    };
    let routes = Probes::new(Liveness::default(), statement, Arc::new(Registry::default()));
    let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)), routes)
        .await
        .unwrap();
    let (address, stop) = (server.address(), CancellationToken::new());
    let serving = tokio::spawn(server.run(stop.clone()));
    assert_eq!(get(address, "/readyz").await.status, 503);
    ready.send_replace(true);
    assert_eq!(get(address, "/readyz").await.status, 200);
    assert_eq!(
        get(address, "/readyz/kubelet").await.body,
        "[+]kubelet cAdvisor answers\n"
    );
    let verbose = get(address, "/readyz?verbose").await.body;
    assert_eq!(
        verbose,
        "the node\n\n[+]kubelet cAdvisor answers\n\nreadyz check passed\n"
    );
    assert_eq!(get(address, "/").await.status, 404);
    stop.cancel();
    serving.await.unwrap();
}

#[test]
fn no_bytes_that_a_client_sends_end_the_server() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let agent = runtime.block_on(Agent::start());
    agent.verify("shard-down");
    let anything = prop::collection::vec(any::<u8>(), 0..600);
    // Nearly a request: what a parser gets furthest with.
    let nearly = (
        "(GET|HEAD|POST|get|)",
        "[ /]{0,2}[!-~]{0,40}",
        "(HTTP/1.1|HTTP/1.0|HTTP/9.9|)",
        "[ -~\r\n]{0,200}",
    );
    let nearly = nearly.prop_map(|(method, target, version, rest)| {
        format!("{method} {target} {version}\r\nHost: localhost\r\n{rest}\r\n\r\n").into_bytes()
    });
    let strategy = (prop_oneof![anything, nearly], any::<bool>());
    let config = ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let outcome = runner.run(&strategy, |(bytes, loopback)| {
        let address = if loopback { agent.loopback } else { agent.probes };
        let answer = runtime.block_on(async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let _ = stream.write_all(&bytes).await;
            // The end of what is sent: nobody waits two seconds for the rest.
            let _ = stream.shutdown().await;
            read_to_end(&mut stream).await
        });
        prop_assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."));
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    runtime.block_on(async {
        assert_eq!(agent.probe("/livez").await.status, 200);
        assert_eq!(agent.page("/").await.status, 200);
        agent.end().await;
    });
}
