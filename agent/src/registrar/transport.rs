//! Requests to Starbase over TLS, with reqwest.
//!
//! Proxies: `HTTPS_PROXY` (else `ALL_PROXY`) and `NO_PROXY` are obeyed as everywhere, in either case of letters. The
//! manifests set neither, and nothing else in the agent reads them for Starbase. What is in use is logged once.

#[cfg(test)]
mod tests;

use super::answer::line;
use super::retry_after::header_date;
use super::tls::{Authorities, Recorder};
use super::trouble::{advice, is_tls, words};
use super::{Address, Transport, TransportError};
use http::{Request, Response, header};
use jiff::{SignedDuration, Timestamp};
use starform_verify::collect::trouble;
use starform_verify::evidence::Trouble;
use std::env;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::{info, warn};

/// How many bytes of an answer are read.
const BODY_BOUND: usize = 256 * 1_024;
/// A connection that was idle for longer is not used again: load balancers forget them without a word.
const IDLE: Duration = Duration::from_secs(20);

/// How Starbase is reached.
#[derive(Clone, Debug)]
pub struct TransportOptions {
    /// Where it is.
    pub address: Address,
    /// A file of certificates in PEM: authorities that are trusted besides the machine's own. Blank, it adds none. Read
    /// again for each request.
    pub authority: Option<PathBuf>,
    /// Whether `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are obeyed.
    pub environment_proxy: bool,
    /// How long a connection may take to stand, TLS included.
    pub connect_timeout: Duration,
    /// How long a request may take from its beginning to the end of the answer.
    pub timeout: Duration,
}

/// [`Transport`] with reqwest.
#[derive(Debug)]
pub struct ReqwestTransport {
    options: TransportOptions,
    state: Mutex<State>,
    /// How far Starbase's clock was ahead of this machine's when it last answered.
    clock: Mutex<Option<SignedDuration>>,
}

#[derive(Debug)]
struct State {
    /// Or why there is none: the authority was withdrawn, and no other one is trusted.
    way: Result<Way, TransportError>,
    /// What the authority's file held.
    authority: Option<Arc<[u8]>>,
    /// Whether it was already said that the file cannot be read any more.
    complained: bool,
}

/// A client with its connections, all of which were verified by the same authorities.
#[derive(Clone, Debug)]
struct Way {
    client: reqwest::Client,
    recorder: Arc<Recorder>,
}

// === impl TransportOptions ===

impl TransportOptions {
    /// To an address, with the machine's authorities, the environment's proxy if it has one, 5 s for a connection and 15 s for
    /// a request.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self {
            address,
            authority: None,
            environment_proxy: true,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
        }
    }
}

// === impl ReqwestTransport ===

impl ReqwestTransport {
    /// Reads the authorities and makes the client; connects to nothing yet.
    ///
    /// # Errors
    /// Where the authority's file cannot be read, or no authority is to be found at all.
    pub fn new(options: TransportOptions) -> Result<Self, TransportError> {
        starform_verify::collect::install_crypto_provider();
        let authority = Authorities::read(options.authority.as_deref())?;
        let way = build(&options, authority.as_deref())?;
        if let Some(name) = proxy_variable(&options) {
            info!(variable = name, starbase = %options.address, "found a proxy in the environment; NO_PROXY exempts a host");
        }
        Ok(Self {
            options,
            state: Mutex::new(State {
                way: Ok(way),
                authority,
                complained: false,
            }),
            clock: Mutex::new(None),
        })
    }

    /// The client; a new one where the authority's file has changed, and so no connection that the old one vouched for. A
    /// file that is not usable any more changes nothing: only a blank one withdraws an authority.
    fn current(&self) -> Result<Way, TransportError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = self.options.authority.as_deref() else {
            return state.way.clone();
        };
        let renewed = match Authorities::read(Some(file)) {
            Ok(authority) if authority == state.authority => {
                state.complained = false;
                return state.way.clone();
            }
            Ok(authority) => match (build(&self.options, authority.as_deref()), authority) {
                (Err(error), Some(blank)) if Authorities::is_blank(&blank) => Ok((Err(error), Some(blank))),
                (built, authority) => built.map(|way| (Ok(way), authority)),
            },
            Err(error) => Err(error),
        };
        match renewed {
            Ok((way, authority)) => {
                info!(file = %file.display(), "read the changed authority for Starbase");
                *state = State {
                    way,
                    authority,
                    complained: false,
                };
            }
            Err(error) if !state.complained => {
                warn!(file = %file.display(), %error, "kept the last authority for Starbase: the file is not usable any more");
                state.complained = true;
            }
            Err(_) => {}
        }
        state.way.clone()
    }

    fn told(&self, error: &reqwest::Error, way: &Way) -> TransportError {
        let (found, detail) = if error.is_timeout() {
            let limit = if error.is_connect() {
                self.options.connect_timeout
            } else {
                self.options.timeout
            };
            (Trouble::TimedOut, format!("none within {} s", limit.as_secs_f32()))
        } else {
            trouble(error)
        };
        let mut message = words(found).to_owned();
        match way.recorder.take().filter(|_| is_tls(found)) {
            Some(chain) => {
                message.push_str(": ");
                message.push_str(&chain);
            }
            None if !detail.is_empty() => {
                message.push_str(": ");
                message.push_str(&detail);
            }
            None => {}
        }
        if let (true, Some(skew)) = (is_tls(found), self.skew()) {
            message.push_str("; ");
            message.push_str(&skew);
        }
        message.push_str("; ");
        message.push_str(advice(found));
        if let (true, Some(name)) = (error.is_connect(), proxy_variable(&self.options)) {
            message.push_str("; a proxy is set in ");
            message.push_str(name);
        }
        TransportError { message }
    }

    fn skew(&self) -> Option<String> {
        let clock = *self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        let skew = clock.filter(|skew| skew.abs() >= SignedDuration::from_mins(1))?;
        let side = if skew.is_positive() { "ahead of" } else { "behind" };
        let rounded = SignedDuration::from_secs(skew.as_secs()).abs();
        Some(format!(
            "when Starbase last answered, its clock was {rounded:#} {side} this node's"
        ))
    }

    fn set_clock(&self, response: &reqwest::Response) {
        if let Some(date) = header_date(response.headers(), &header::DATE) {
            let ahead = date.duration_since(Timestamp::now());
            *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
        }
    }
}

impl Transport for ReqwestTransport {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, TransportError> {
        let way = self.current()?;
        let (head, body) = request.into_parts();
        let url = self.options.address.join(head.uri.path());
        let sent = way.client.request(head.method, url).headers(head.headers).body(body);
        let mut response = sent.send().await.map_err(|error| self.told(&error, &way))?;
        self.set_clock(&response);
        let mut answer = Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.clone_from(response.headers());
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= BODY_BOUND => body.extend_from_slice(&chunk),
                Ok(Some(_)) => {
                    return Err(TransportError {
                        message: format!("the answer ({}) is longer than {BODY_BOUND} bytes", response.status()),
                    });
                }
                Ok(None) => break,
                Err(error) => return Err(self.broken_off(&error, response.status(), body.len())),
            }
        }
        answer.body(body).map_err(|error| TransportError {
            message: format!("the answer could not be kept: {error}"),
        })
    }
}

impl ReqwestTransport {
    fn broken_off(&self, error: &reqwest::Error, status: http::StatusCode, read: usize) -> TransportError {
        let why = if error.is_timeout() {
            format!("it was not over within {} s", self.options.timeout.as_secs_f32())
        } else {
            trouble(error).1
        };
        TransportError {
            message: format!(
                "the answer ({status}) broke off after {read} bytes: {}; a proxy or load balancer in between may have \
                 closed the connection",
                line(&why, 300)
            ),
        }
    }
}

fn build(options: &TransportOptions, authority: Option<&[u8]>) -> Result<Way, TransportError> {
    let (config, recorder) = Authorities::config(options.authority.as_deref(), authority)?;
    let mut builder = reqwest::Client::builder();
    if !options.environment_proxy {
        builder = builder.no_proxy();
    }
    let client = builder
        .tls_backend_preconfigured(config)
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(options.connect_timeout)
        .timeout(options.timeout)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(1)
        .build()
        .map_err(|error| TransportError {
            message: format!("the client for {} could not be made: {error}", options.address),
        })?;
    Ok(Way { client, recorder })
}

/// The variable that names a proxy, in the order in which they count.
fn proxy_variable(options: &TransportOptions) -> Option<&'static str> {
    if !options.environment_proxy {
        return None;
    }
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .find(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}
