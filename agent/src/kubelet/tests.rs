use super::mock::{Authority, EXPOSITION, Reply, Server};
use super::*;
use std::fmt::Write as _;

/// Rows as cAdvisor writes them: the node's own control groups name no pod, a sandbox names no container.
const BODY: &str = "\
# HELP container_memory_working_set_bytes Current working set in bytes.
# TYPE container_memory_working_set_bytes gauge
container_memory_working_set_bytes{container=\"\",id=\"/\",image=\"\",name=\"\",namespace=\"\",pod=\"\"} 9.1e+08 1732286000000
container_memory_working_set_bytes{container=\"\",id=\"/kubepods/burstable/podx\",image=\"\",name=\"\",namespace=\"shop\",pod=\"storefront-0\"} 1.2e+07
container_memory_working_set_bytes{container=\"app\",id=\"/kubepods/burstable/podx/1\",image=\"app:1\",name=\"1\",namespace=\"shop\",pod=\"storefront-0\"} 1.1e+07
container_memory_working_set_bytes{container=\"dns\",id=\"/kubepods/podz/1\",image=\"dns:1\",name=\"2\",namespace=\"kube-system\",pod=\"dns\"} 2.1e+07
container_cpu_usage_seconds_total{namespace=\"other\",pod=\"not-of-this-metric\"} 1
";

struct Case {
    _folder: tempfile::TempDir,
    server: Server,
    kubelets: Kubelets,
}

impl Case {
    async fn new(answer: impl Fn(&super::mock::Request) -> Reply + Send + Sync + 'static) -> Self {
        let authority = Authority::new();
        Self::with(&authority, authority.serving("127.0.0.1", false), answer).await
    }

    async fn with(
        trusted: &Authority,
        serving: super::mock::Serving,
        answer: impl Fn(&super::mock::Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::tls(serving, answer).await;
        let account = trusted.account(folder.path(), "the-token\n");
        Self {
            _folder: folder,
            server,
            kubelets: Kubelets::new(account, Duration::from_secs(5)),
        }
    }

    async fn pods(&self) -> Result<Pods, KubeletError> {
        self.kubelets.pods(&self.server.kubelet("node1")).await
    }

    async fn refused(&self) -> String {
        self.pods().await.unwrap_err().to_string()
    }
}

fn whole(body: impl Into<Vec<u8>>) -> Reply {
    Reply::Whole(200, EXPOSITION, body.into())
}

#[tokio::test]
async fn the_pods_that_the_rows_name_are_read_with_the_accounts_token() {
    let case = Case::new(|_| whole(BODY)).await;
    let pods = case.pods().await.unwrap();
    assert_eq!(
        pods.iter().collect::<Vec<_>>(),
        [("kube-system", "dns"), ("shop", "storefront-0")]
    );
    assert!(pods.contains("shop", "storefront-0") && !pods.contains("other", "not-of-this-metric"));
    let requests = case.server.requests();
    assert_eq!(requests[0].method, "GET");
    assert_eq!(requests[0].path, "/metrics/cadvisor");
    assert!(requests[0].headers.contains("authorization: bearer the-token"));
}

#[tokio::test]
async fn a_real_kubelets_answer_names_its_pods() {
    let real = include_str!("../../../testdata/exposition/kubelet-cadvisor-1.35.4.txt");
    let case = Case::new(move |_| whole(real)).await;
    let pods = case.pods().await.unwrap();
    assert_eq!(
        pods.iter().collect::<Vec<_>>(),
        [
            ("kube-system", "coredns-f874c9fd-xqlhh"),
            ("kube-system", "kube-state-metrics-6d7f994958-9xbrr"),
            ("shop", "storefront-5bf79468d6-dcrqk"),
        ]
    );
}

#[tokio::test]
async fn a_renewed_token_and_authority_are_used_at_once() {
    let case = Case::new(|_| whole(BODY)).await;
    case.pods().await.unwrap();
    std::fs::write(&case.kubelets.account.token, "another").unwrap();
    case.pods().await.unwrap();
    assert!(
        case.server.requests()[1]
            .headers
            .contains("authorization: bearer another")
    );
    std::fs::write(&case.kubelets.account.authority, Authority::new().pem).unwrap();
    assert!(matches!(case.pods().await, Err(KubeletError::Untrusted(..))));
}

#[tokio::test]
async fn a_certificate_that_cannot_be_trusted_is_told_in_words() {
    let (own, other) = (Authority::new(), Authority::new());
    for (serving, words) in [
        (
            other.serving("127.0.0.1", false),
            "the cluster's authority did not sign it",
        ),
        (own.serving("127.0.0.1", true), "it has expired"),
        (own.serving("10.9.8.7", false), "it does not name this address"),
    ] {
        let case = Case::with(&own, serving, |_| whole(BODY)).await;
        let refused = case.refused().await;
        assert!(refused.contains(words), "{refused}");
        assert_eq!(case.server.requests().len(), 0, "the token must not be sent");
    }
}

#[tokio::test]
async fn a_refusal_says_what_is_missing_and_never_the_token() {
    for (status, said, words) in [
        (401, "Unauthorized", "401: Unauthorized; the kubelet does not accept"),
        (
            403,
            "Forbidden (verb=get, resource=nodes, subresource=metrics)",
            "needs `get nodes/metrics`",
        ),
        (500, "boom", "500: boom"),
    ] {
        let case = Case::new(move |_| Reply::Whole(status, "text/plain", said.into())).await;
        let refused = case.refused().await;
        assert!(refused.contains(words), "{refused}");
        assert!(!refused.contains("the-token"));
    }
    let case = Case::new(|_| whole(BODY)).await;
    std::fs::write(&case.kubelets.account.token, "two\nlines-of-a-secret").unwrap();
    let refused = case.refused().await;
    assert!(
        refused.contains("it is no token") && !refused.contains("secret"),
        "{refused}"
    );
    assert!(!format!("{:?}", case.kubelets).contains("secret"));
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let elsewhere = Server::plain(|_| whole(BODY)).await;
    let address = format!("http://{}/", elsewhere.address);
    let case = Case::new(move |_| Reply::Elsewhere(address.clone())).await;
    assert!(matches!(
        case.pods().await,
        Err(KubeletError::Refused { status: 302, .. })
    ));
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn an_answer_that_is_no_whole_exposition_is_an_error() {
    let case = Case::new(|_| Reply::Cut(BODY.into())).await;
    assert!(matches!(case.pods().await, Err(KubeletError::Broken(..))));
    // As if it were whole, but it ends within a row.
    let case = Case::new(|_| whole(&BODY[..BODY.len() - 10])).await;
    assert!(matches!(case.pods().await, Err(KubeletError::Truncated(..))));
    let case = Case::new(|_| Reply::Whole(200, "text/html", "<html>".into())).await;
    assert!(matches!(case.pods().await, Err(KubeletError::NotExposition(..))));
    let case = Case::new(|_| whole("container_cpu_usage_seconds_total{pod=\"x\"} 1\n")).await;
    assert!(matches!(case.pods().await, Err(KubeletError::NoRows(_))));
    let case = Case::new(|_| whole(format!("{BODY}{METRIC}{{pod=\"x\",pod=\"y\"}} 1\n"))).await;
    assert!(matches!(case.pods().await, Err(KubeletError::Unreadable(_, 1, _))));
}

#[tokio::test]
async fn a_kubelet_that_hangs_is_not_waited_for() {
    let case = Case::new(|_| Reply::Hang).await;
    let impatient = Kubelets::new(case.kubelets.account.clone(), Duration::from_millis(200));
    let error = impatient.pods(&case.server.kubelet("node1")).await.unwrap_err();
    assert!(matches!(error, KubeletError::TimedOut(..)), "{error}");
    // Bytes without end, none of them wanted, are no whole answer either.
    let case = Case::new(|_| Reply::Endless(vec![b'#'; 1 << 10])).await;
    let impatient = Kubelets::new(case.kubelets.account.clone(), Duration::from_millis(200));
    let error = impatient.pods(&case.server.kubelet("node1")).await.unwrap_err();
    assert!(matches!(error, KubeletError::TimedOut(..)), "{error}");
}

#[tokio::test]
async fn more_pods_than_any_node_has_are_not_read() {
    let case = Case::new(|_| {
        let rows = (0..=POD_BOUND).fold(String::new(), |mut rows, number| {
            let _ = writeln!(rows, "{METRIC}{{namespace=\"n\",pod=\"p{number}\"}} 1");
            rows
        });
        whole(rows)
    })
    .await;
    assert!(matches!(case.pods().await, Err(KubeletError::TooLarge(..))));
}

#[tokio::test]
async fn a_node_that_does_not_listen_is_unreachable() {
    let case = Case::new(|_| whole(BODY)).await;
    let mut kubelet = case.server.kubelet("node1");
    kubelet.port = 1;
    let error = case.kubelets.pods(&kubelet).await.unwrap_err().to_string();
    assert!(
        error.contains("https://127.0.0.1:1/metrics/cadvisor: no connection"),
        "{error}"
    );
}

#[test]
fn an_ipv6_address_is_bracketed() {
    let kubelet = |address: &str| Kubelet {
        node: "n".to_owned(),
        address: address.to_owned(),
        port: PORT,
    };
    assert_eq!(url(&kubelet("fd00::7")), "https://[fd00::7]:10250/metrics/cadvisor");
    assert_eq!(url(&kubelet("10.0.0.7")), "https://10.0.0.7:10250/metrics/cadvisor");
}
