use super::*;
use crate::kubelet::mock::{Authority, Reply, Server};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

/// A Starbase that keeps connections open, and an agent that trusts its authority by a file.
struct Case {
    server: Server,
    file: PathBuf,
    pem: String,
    transport: ReqwestTransport,
    _folder: TempDir,
}

impl Case {
    async fn new() -> Self {
        let authority = Authority::new();
        let server = Server::tls(authority.serving("127.0.0.1", false), |_| Reply::Kept).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.crt");
        fs::write(&file, &authority.pem).unwrap();
        let transport = ReqwestTransport::new(TransportOptions {
            authority: Some(file.clone()),
            environment_proxy: false,
            ..TransportOptions::new(format!("https://{}", server.address).parse().unwrap())
        });
        Self {
            server,
            file,
            pem: authority.pem,
            transport: transport.unwrap(),
            _folder: folder,
        }
    }

    async fn ask(&self) -> Result<http::StatusCode, String> {
        let request = Request::get("/v1/clusters/blue/registration").body(Vec::new()).unwrap();
        let answer = self.transport.send(request).await;
        answer.map(|answer| answer.status()).map_err(|error| error.message)
    }
}

#[tokio::test]
async fn an_emptied_authority_s_file_ends_its_trust_and_the_connections_it_vouched_for() {
    for blank in ["", "\n", " \t\r\n\n"] {
        let case = Case::new().await;
        for _ in 0..2 {
            assert_eq!(case.ask().await.unwrap(), 200);
        }
        assert_eq!(case.server.connections(), 1, "it was not kept open");

        fs::write(&case.file, blank).unwrap();
        let refused = case.ask().await.unwrap_err();
        let machine = !rustls_native_certs::load_native_certs().certs.is_empty();
        let words = if machine {
            "is signed by an unknown authority"
        } else {
            "no authority is trusted"
        };
        assert!(refused.contains(words), "{blank:?}: {refused}");
        // What comes after it and is not usable does not bring it back.
        fs::write(&case.file, "nothing").unwrap();
        let refused = case.ask().await.unwrap_err();
        assert!(refused.contains(words), "{blank:?}: {refused}");
        fs::remove_file(&case.file).unwrap();
        let refused = case.ask().await.unwrap_err();
        assert!(refused.contains(words), "{blank:?}: {refused}");
        assert_eq!(
            case.server.requests().len(),
            2,
            "a request was sent over the old connection"
        );

        fs::write(&case.file, &case.pem).unwrap();
        assert_eq!(case.ask().await.unwrap(), 200);
        assert_eq!(case.server.requests().len(), 3);
    }
}

/// The same where no other authority is trusted: there is no client to be made then, and the last one must not stay.
#[test]
fn an_emptied_authority_s_file_ends_its_trust_where_it_was_the_only_one() {
    let same = "registrar::transport::tests::\
                an_emptied_authority_s_file_ends_its_trust_and_the_connections_it_vouched_for";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", same])
        // Stands for the machine's bundle, see the documentation of rustls-native-certs.
        .env("SSL_CERT_FILE", "/dev/null")
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn an_authority_s_file_that_breaks_keeps_client_and_connection() {
    let case = Case::new().await;
    assert_eq!(case.ask().await.unwrap(), 200);
    for broken in ["nothing", "# no certificate yet", "-----BEGIN CERTIFICATE-----\nAAAA\n"] {
        fs::write(&case.file, broken).unwrap();
        assert_eq!(case.ask().await.unwrap(), 200, "{broken}");
    }
    fs::remove_file(&case.file).unwrap();
    assert_eq!(case.ask().await.unwrap(), 200);
    assert_eq!(case.server.connections(), 1);
}
