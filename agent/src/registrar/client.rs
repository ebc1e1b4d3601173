//! The registration API over HTTP: requests are written here, answers are judged in [`super::answer`].

use super::answer::{Answer, line, scrubbed};
use super::refusal::{Refusal, RequestError};
use super::report::{clock_skew, cut};
use super::wire::{
    Agent, HeartbeatRequest, JSON, Kubernetes, PROBLEM, REASON_BOUND, RegistrationRequest, RegistrationStatus,
};
use super::{Address, Registrar, Told, Transport, TransportError};
use crate::lifecycle::{Granted, Setback};
use crate::parameters::Parameters;
use http::{HeaderValue, Method, Request, Response, header};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What the registrar says of the agent itself.
#[derive(Clone, Debug)]
pub struct About {
    /// Which agent: the pod's name.
    pub instance: String,
    /// Digest of the contract that it judges by.
    pub contract: String,
}

/// Starbase's registration API over HTTP.
#[derive(Debug)]
pub struct HttpRegistrar<T> {
    transport: T,
    address: Address,
    parameters: watch::Receiver<Arc<Parameters>>,
    about: About,
}

/// What a request is about.
struct Asked<'a> {
    method: Method,
    resource: &'static str,
    generation: Option<u64>,
    body: Option<Vec<u8>>,
    told: Option<&'a Told>,
}

// === impl HttpRegistrar ===

impl<T: Transport> HttpRegistrar<T> {
    /// Speaks with Starbase at an address, which is the transport's too. Token, region and cluster ID are read from
    /// `parameters` for each request anew.
    pub fn new(transport: T, address: Address, parameters: watch::Receiver<Arc<Parameters>>, about: About) -> Self {
        Self {
            transport,
            address,
            parameters,
            about,
        }
    }

    /// What Starbase thinks of this cluster ID: `GET /v1/clusters/{cluster-id}/registration`. `None` where it was never
    /// registered.
    ///
    /// # Errors
    /// Where Starbase refuses, fails, or cannot be reached.
    pub async fn status(&self) -> Result<Option<RegistrationStatus>, RequestError> {
        let parameters = self.parameters();
        let asked = Asked::new(Method::GET, "registration");
        let found = self.ask(&parameters, asked, true, |answer| answer.status()).await;
        match found {
            Ok(status) => Ok(Some(status)),
            Err(error) if matches!(error.refusal, Refusal::Unregistered { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ends a registration: `DELETE /v1/clusters/{cluster-id}/registration`.
    ///
    /// # Errors
    /// Where Starbase refuses, fails, or cannot be reached; [`Refusal::Superseded`] where a later one stands.
    pub async fn end(&self, generation: u64) -> Result<(), RequestError> {
        let parameters = self.parameters();
        let asked = Asked {
            generation: Some(generation),
            ..Asked::new(Method::DELETE, "registration")
        };
        self.ask(&parameters, asked, true, |answer| answer.ended()).await
    }

    fn parameters(&self) -> Arc<Parameters> {
        Arc::clone(&self.parameters.borrow())
    }

    async fn ask<R>(
        &self,
        parameters: &Parameters,
        asked: Asked<'_>,
        of_registration: bool,
        judge: impl FnOnce(Answer<'_>) -> Result<R, Refusal>,
    ) -> Result<R, RequestError> {
        let path = format!("/v1/clusters/{}/{}", parameters.cluster_id.as_str(), asked.resource);
        let (method, told) = (asked.method.clone(), asked.told);
        let outcome = match self.send(parameters, &path, asked).await {
            Ok(response) => judge(Answer {
                response: &response,
                parameters,
                of_registration,
            }),
            Err(error) => Err(Refusal::Unreachable(explained(&error, told, parameters))),
        };
        outcome.map_err(|refusal| RequestError {
            method,
            url: self.address.join(&path),
            refusal,
        })
    }

    async fn send(
        &self,
        parameters: &Parameters,
        path: &str,
        asked: Asked<'_>,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let mut request = Request::builder()
            .method(asked.method)
            .uri(path)
            .header(header::ACCEPT, format!("{JSON}, {PROBLEM}"))
            .header(header::USER_AGENT, concat!("shuttle/", env!("CARGO_PKG_VERSION")))
            .header(header::AUTHORIZATION, authorization(parameters)?);
        if let Some(generation) = asked.generation {
            request = request.header(header::IF_MATCH, format!("\"{generation}\""));
        }
        if asked.body.is_some() {
            request = request.header(header::CONTENT_TYPE, JSON);
        }
        let request = request
            .body(asked.body.unwrap_or_default())
            .map_err(|error| unwritten(&error))?;
        self.transport.send(request).await
    }
}

impl<T: Transport> Registrar for HttpRegistrar<T> {
    async fn register(&self, told: &Told) -> Result<Granted, Setback> {
        let parameters = self.parameters();
        let report = told.report.as_ref().map(|verification| &verification.report);
        let request = RegistrationRequest {
            uid: told.uid.clone(),
            region: parameters.region.as_str().to_owned(),
            agent: Agent {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                instance: self.about.instance.clone(),
            },
            kubernetes: Kubernetes {
                version: report.and_then(|report| report.subject.kubernetes.clone()),
            },
            contract: self.about.contract.clone(),
            phase: told.phase,
            reason: line(&told.reason, REASON_BOUND),
            report: report.map(cut),
        };
        let asked = Asked::telling("registration", None, &request, told)?;
        let granted = self
            .ask(&parameters, asked, false, |answer| answer.registration(&told.uid))
            .await?;
        Ok(Granted {
            generation: granted.generation,
            interval: Duration::from_secs(granted.heartbeat_interval_seconds),
        })
    }

    async fn heartbeat(&self, generation: u64, told: &Told) -> Result<Duration, Setback> {
        let parameters = self.parameters();
        let request = HeartbeatRequest {
            uid: told.uid.clone(),
            phase: told.phase,
            reason: line(&told.reason, REASON_BOUND),
            report: told.report.as_ref().map(|verification| cut(&verification.report)),
        };
        let asked = Asked::telling("heartbeat", Some(generation), &request, told)?;
        let next = self
            .ask(&parameters, asked, true, |answer| answer.heartbeat(generation))
            .await?;
        Ok(next)
    }
}

// === impl Asked ===

impl<'a> Asked<'a> {
    fn new(method: Method, resource: &'static str) -> Self {
        Self {
            method,
            resource,
            generation: None,
            body: None,
            told: None,
        }
    }

    fn telling(
        resource: &'static str,
        generation: Option<u64>,
        body: &impl serde::Serialize,
        told: &'a Told,
    ) -> Result<Self, Setback> {
        let body = serde_json::to_vec(body).map_err(|error| Setback {
            kind: crate::lifecycle::SetbackKind::Later { after: None },
            message: format!("the body of the {resource} request could not be written: {error}"),
        })?;
        Ok(Self {
            generation,
            body: Some(body),
            told: Some(told),
            ..Self::new(Method::PUT, resource)
        })
    }
}

/// The only place where the token is laid open.
fn authorization(parameters: &Parameters) -> Result<HeaderValue, TransportError> {
    let mut value =
        HeaderValue::from_str(&format!("Bearer {}", parameters.token.expose())).map_err(|_| TransportError {
            message: "the token cannot stand in an HTTP header".to_owned(),
        })?;
    value.set_sensitive(true);
    Ok(value)
}

fn unwritten(error: &http::Error) -> TransportError {
    TransportError {
        message: format!("the request could not be written: {error}"),
    }
}

/// A failed connection, with what the last report knows of this machine's clock: certificates are judged by it.
fn explained(error: &TransportError, told: Option<&Told>, parameters: &Parameters) -> TransportError {
    let skew = told
        .and_then(|told| told.report.as_ref())
        .and_then(|verification| clock_skew(&verification.report));
    let mut message = scrubbed(&error.message, &parameters.token, MESSAGE_BOUND);
    if let Some(skew) = skew {
        message.push_str("; ");
        message.push_str(&skew);
    }
    TransportError { message }
}

/// A TLS diagnosis describes every certificate of a chain.
const MESSAGE_BOUND: usize = 4_000;
