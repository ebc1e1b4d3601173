//! A Starbase on loopback, and the agent's registrar in front of it.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use shuttle::lifecycle::Phase;
use shuttle::parameters::{self, Parameters};
use shuttle::registrar::{
    About, Address, HttpRegistrar, ReqwestTransport, Told, Transport, TransportError, TransportOptions,
};
use shuttle::verification::Verification;
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::evidence::{Canary, Evidence, Join, NodesProven};
use starform_verify::report::Verdict;
use tempfile::TempDir;
use testbed::{Serving, Starbase};
use tokio::sync::watch;

use super::document::Document;

pub(crate) const ID: &str = "fra1-blue";
pub(crate) const UID: &str = "3f0c9a5e-7d0e-4f3c-9a53-0c6f0c1c7a11";
pub(crate) const OTHER_UID: &str = "8c7b7a52-0d2e-4b5e-8f0a-5a7d8c1f2e90";

/// A Starbase that is served on loopback.
pub(crate) struct Bed {
    pub(crate) starbase: Starbase,
    pub(crate) serving: Serving,
    pub(crate) dir: TempDir,
}

/// A registrar, and the parameters that it reads.
pub(crate) struct Client {
    pub(crate) registrar: HttpRegistrar<ReqwestTransport>,
    pub(crate) parameters: watch::Sender<Arc<Parameters>>,
}

impl Bed {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let starbase = Starbase::open(dir.path()).unwrap();
        let serving = starbase.serve("127.0.0.1:0".parse().unwrap()).unwrap();
        Self { starbase, serving, dir }
    }

    pub(crate) fn address(&self) -> Address {
        self.serving.url().parse().unwrap()
    }

    pub(crate) fn options(&self) -> TransportOptions {
        TransportOptions {
            authority: Some(self.starbase.authority()),
            // The machine that runs the tests may have one.
            environment_proxy: false,
            ..TransportOptions::new(self.address())
        }
    }

    /// A registrar with a new token.
    pub(crate) fn client(&self) -> Client {
        self.client_with(&self.starbase.mint(ID).unwrap())
    }

    pub(crate) fn client_with(&self, token: &str) -> Client {
        client_of(token, self.options())
    }

    /// Sends a request that the registrar would not send.
    pub(crate) async fn raw(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        ReqwestTransport::new(self.options()).unwrap().send(request).await
    }

    /// Everything that was sent and answered keeps the document, but for answers that a fault made up.
    pub(crate) fn validate(&self) {
        let document = Document::read();
        let requests = self.starbase.requests().unwrap();
        assert!(!requests.is_empty(), "nothing was sent");
        let mut judged = 0;
        for exchange in requests {
            if exchange
                .fault
                .as_deref()
                .is_some_and(|fault| fault.starts_with("Html") || fault.starts_with("Answer"))
            {
                continue;
            }
            let faults = document.faults_of(&exchange);
            assert!(faults.is_empty(), "{faults:#?}\n{exchange:#?}");
            judged += 1;
        }
        assert!(judged > 0, "nothing was judged");
    }
}

/// A registrar with this token, and this way to Starbase.
pub(crate) fn client_of(token: &str, options: TransportOptions) -> Client {
    let (parameters, receiver) = watch::channel(Arc::new(parameters_with(token)));
    let about = About {
        instance: "shuttle-5c9d7b8f4-x2kqz".to_owned(),
        contract: Contract::embedded().unwrap().digest,
    };
    let address = options.address.clone();
    let transport = ReqwestTransport::new(options).unwrap();
    Client {
        registrar: HttpRegistrar::new(transport, address, receiver, about),
        parameters,
    }
}

/// As the mounted Secret gives them.
pub(crate) fn parameters_with(token: &str) -> Parameters {
    let folder = tempfile::tempdir().unwrap();
    write_parameters(folder.path(), token);
    parameters::read(folder.path()).unwrap()
}

pub(crate) fn write_parameters(folder: &Path, token: &str) {
    for (name, content) in [("cluster-id", ID), ("region", "fra1"), ("token", token)] {
        fs::write(folder.join(name), format!("{content}\n")).unwrap();
    }
}

/// A verification with the report of a recorded cluster.
pub(crate) fn verification(recording: &str) -> Arc<Verification> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../testdata/evidence/{recording}.json"));
    let evidence: Evidence = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let contract = Contract::embedded().unwrap();
    let mut report = evaluate(&contract, &evidence, &Selection::all());
    // A recording says nothing about steps that were not audited when it was made.
    for step in &mut report.steps {
        step.checks.retain(|check| check.verdict != Verdict::Unknown);
    }
    Arc::new(Verification {
        gate: shuttle::lifecycle::Gate::of(&report, &contract),
        report,
        uid: Some(UID.to_owned()),
        canary: Canary::default(),
        join: Join::default(),
        nodes: NodesProven::default(),
        took: Duration::ZERO,
        cost: Duration::ZERO,
    })
}

/// What a cluster says whose gating checks pass.
pub(crate) fn told(uid: &str, phase: Phase) -> Told {
    Told {
        uid: uid.to_owned(),
        phase,
        reason: "every gating check passes".to_owned(),
        report: Some(verification("healthy")),
    }
}

pub(crate) fn registering(uid: &str) -> Told {
    told(uid, Phase::Registering)
}

pub(crate) fn active() -> Told {
    told(UID, Phase::Active)
}
