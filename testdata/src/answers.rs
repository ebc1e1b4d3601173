//! What the API server, Starbase and the region's stores say: the good answers, and what a test wants instead of some.

use crate::faults::Fault;
use crate::reply::{Ends, Reply};
use crate::requests::{Asked, REQUESTS, asked};
use crate::{kubectl, pods};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Sent only where metrics-server's Service is not found by its labels.
const REFERENCED: &str = "/api/v1/namespaces/kube-system/services?fieldSelector=metadata.name%3Dmetrics-server&";
/// Sent only where no Service leads to a kube-state-metrics of pods.
const OF_NAMESPACE: &str = "/api/v1/namespaces/kube-system/services?limit=";
/// Where a release may stand that is not found in the contract's own namespace.
const OTHER_SECRETS: [&str; 2] = [
    "/api/v1/namespaces/default/secrets?",
    "/api/v1/namespaces/metrics-server/secrets?",
];
/// Listed only where an Envoy has refused something: what its configuration is made of, by resource, path and kind.
const WHERE_REFUSED: [(&str, &str, &str); 11] = [
    ("backends", OWN, "Backend"),
    ("backendtlspolicies", GATEWAY_API, "BackendTLSPolicy"),
    ("envoypatchpolicies", OWN, "EnvoyPatchPolicy"),
    ("envoyproxies", OWN, "EnvoyProxy"),
    ("grpcroutes", GATEWAY_API, "GRPCRoute"),
    ("httproutefilters", OWN, "HTTPRouteFilter"),
    ("httproutes", GATEWAY_API, "HTTPRoute"),
    ("listenersets", GATEWAY_API, "ListenerSet"),
    ("tcproutes", GATEWAY_API, "TCPRoute"),
    ("tlsroutes", GATEWAY_API, "TLSRoute"),
    ("udproutes", GATEWAY_API, "UDPRoute"),
];
const GATEWAY_API: &str = "gateway.networking.k8s.io/v1";
const OWN: &str = "gateway.envoyproxy.io/v1alpha1";
const EMPTY_METADATA: &str =
    r#"{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":[]}"#;
const EMPTY_SERVICES: &str = r#"{"kind":"ServiceList","apiVersion":"v1","metadata":{},"items":[]}"#;
const JSON: &str = "application/json";

/// The answers of all servers. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Answers(Arc<Mutex<Inner>>);

/// What a program's page says of how long it runs: it goes on while the answers are given.
const UPTIMES: [&str; 2] = ["fluentbit_uptime{", "vm_app_uptime_seconds "];

/// A further request that is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The beginning of its path and query.
    pub(crate) prefix: String,
    /// What is somewhere in its query.
    pub(crate) query: String,
    pub(crate) reply: Reply,
}

#[derive(Debug, Default)]
struct Inner {
    /// Since when they are given: by the clock of those who ask, which may be paused.
    since: Option<Instant>,
    faults: BTreeMap<&'static str, Fault>,
    /// Other answers to requests, by name.
    replies: BTreeMap<&'static str, Vec<Reply>>,
    /// Looked at before the requests of an audit.
    routes: Vec<Route>,
    /// The requests that came, in order.
    log: Vec<String>,
    /// Whether what kubectl asks is put together from what an audit is answered.
    completes: bool,
}

impl Answers {
    /// All of them good.
    #[must_use]
    pub fn good() -> Self {
        Self::default()
    }

    /// Answers the request of that name so.
    pub fn fault(&self, name: &'static str, fault: Fault) {
        self.inner().faults.insert(name, fault);
    }

    /// Answers the request of that name with these (status, content type, body), one after the other, and then with the
    /// last of them.
    pub fn answer(&self, name: &'static str, answers: Vec<(u16, &'static str, String)>) {
        let replies = answers.into_iter();
        let replies = replies.map(|(status, content_type, body)| Reply::new(status, content_type, body));
        self.inner().replies.insert(name, replies.collect());
    }

    /// Answers the request of that name with this body of JSON, in ten parts that come that long after each other.
    pub fn answer_slowly(&self, name: &'static str, body: String, pause: Duration) {
        let reply = Reply::new(200, JSON, body).that(Ends::Slowly(pause));
        self.inner().replies.insert(name, vec![reply]);
    }

    /// Answers the request of that name well, in ten parts that come that long after each other.
    pub fn drip(&self, name: &'static str, pause: Duration) {
        let asked = crate::requests::asked(name);
        let reply = Reply::new(200, asked.content_type(), asked.body()).that(Ends::Slowly(pause));
        self.inner().replies.insert(asked.name, vec![reply]);
    }

    /// Answers the request of that name well, and begins that late.
    pub fn begin_late(&self, name: &'static str, after: Duration) {
        let asked = crate::requests::asked(name);
        let reply = Reply::new(200, asked.content_type(), asked.body()).that(Ends::Late(after));
        self.inner().replies.insert(asked.name, vec![reply]);
    }

    /// Answers everything well again, and forgets what came.
    pub fn mend(&self) {
        *self.inner() = Inner::default();
    }

    /// The requests that came: the first line and the headers of each.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.inner().log.clone()
    }

    pub(crate) fn add(&self, route: Route) {
        self.inner().routes.push(route);
    }

    /// Answers what kubectl asks too, from what an audit is answered.
    pub(crate) fn complete(&self) {
        self.inner().completes = true;
    }

    /// What is said to a request, of which this is the beginning.
    pub(crate) fn reply(&self, head: String) -> Reply {
        let asks_for_pods = asked("pods").is(head.split(' ').nth(1).unwrap_or_default());
        if asks_for_pods {
            let form = head.clone();
            return pods::in_form(self.stored(head), &form);
        }
        self.stored(head)
    }

    /// What is said to it in the form in which it is stored.
    fn stored(&self, head: String) -> Reply {
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut inner = self.inner();
        inner.log.push(head);
        inner.since.get_or_insert_with(Instant::now);
        let routed = |route: &&Route| target.starts_with(&route.prefix) && target.contains(&route.query);
        if let Some(route) = inner.routes.iter().find(routed) {
            return route.reply.clone();
        }
        if target.starts_with(REFERENCED) {
            let other = inner
                .replies
                .get("referenced service")
                .and_then(|replies| replies.first());
            return other.cloned().unwrap_or_else(|| Reply::new(200, JSON, EMPTY_SERVICES));
        }
        if target.starts_with(OF_NAMESPACE) {
            let other = inner
                .replies
                .get("services of kube-system")
                .and_then(|replies| replies.first());
            return other.cloned().unwrap_or_else(|| Reply::new(200, JSON, EMPTY_SERVICES));
        }
        if OTHER_SECRETS.iter().any(|path| target.starts_with(path)) {
            return Reply::new(200, JSON, EMPTY_METADATA);
        }
        let of = |resource: &str, version: &str| target.starts_with(&format!("/apis/{version}/{resource}?"));
        if let Some((resource, version, kind)) = WHERE_REFUSED
            .iter()
            .find(|(resource, version, _)| of(resource, version))
        {
            let other = inner.replies.get(resource).and_then(|replies| replies.first());
            let empty = format!(r#"{{"kind":"{kind}List","apiVersion":"{version}","metadata":{{}},"items":[]}}"#);
            return other.cloned().unwrap_or_else(|| Reply::new(200, JSON, empty));
        }
        let Some(asked) = REQUESTS.iter().find(|asked| asked.is(&target)) else {
            let found = inner
                .completes
                .then(|| kubectl::reply(&target, &inner.bodies()))
                .flatten();
            return found.unwrap_or_else(|| Reply::new(404, "text/plain", "404 page not found\n"));
        };
        let fault = inner.faults.get(asked.name).copied();
        if let Some(replies) = inner.replies.get_mut(asked.name)
            && let Some(first) = replies.first().cloned()
        {
            if replies.len() > 1 {
                replies.remove(0);
            }
            return inner.going_on(first);
        }
        match fault {
            None => inner.going_on(Reply::new(200, asked.content_type(), asked.body())),
            Some(fault) => fault.reply(asked),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A test that panicked while it had it has failed already.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// A page with the uptime that it has by now.
    fn going_on(&self, reply: Reply) -> Reply {
        let passed = self.since.map_or(0, |since| since.elapsed().as_secs());
        let is_uptime = |line: &str| UPTIMES.iter().any(|name| line.starts_with(name));
        if passed == 0 || !reply.text().lines().any(is_uptime) {
            return reply;
        }
        let grown = |line: &str| {
            let (name, uptime) = line.rsplit_once(' ')?;
            Some(format!("{name} {}", uptime.parse::<u64>().ok()? + passed))
        };
        let lines = reply.text().lines().map(|line| match grown(line) {
            Some(grown) if is_uptime(line) => grown,
            _ => line.to_owned(),
        });
        let body = lines.map(|line| line + "\n").collect::<String>();
        Reply {
            body: body.into_bytes().into(),
            ..reply
        }
    }

    /// What each request of an audit is answered, with the request's path.
    fn bodies(&self) -> Vec<(&'static str, &str)> {
        let body = |asked: &'static Asked| {
            let own = self.replies.get(asked.name).and_then(|replies| replies.first());
            (asked.path(), own.map_or(asked.body(), Reply::text))
        };
        REQUESTS.iter().map(body).collect()
    }
}
