//! Starbase, as the design has it: tokens, one registration a cluster ID, generations that are never given twice.

use http::{Request, Response, header};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The model.
#[derive(Default)]
pub(crate) struct Starbase {
    tokens: BTreeMap<String, Token>,
    registrations: BTreeMap<String, Registration>,
    /// Survives what the registrations do not: a generation that came twice would not fence.
    generation: u64,
    /// Counts mintings and revocations, so that their order is known.
    order: u64,
    pub(crate) interval: u64,
}

struct Token {
    cluster: String,
    minted: u64,
    revoked: Option<u64>,
}

/// What stands under an ID.
pub(crate) struct Registration {
    pub(crate) uid: String,
    pub(crate) generation: u64,
    token: String,
    pub(crate) phase: String,
}

pub(crate) type Answer = Response<Vec<u8>>;

// === impl Starbase ===

impl Starbase {
    pub(crate) fn new(interval: u64) -> Self {
        Self {
            interval,
            ..Self::default()
        }
    }

    pub(crate) fn mint(&mut self, token: &str, cluster: &str) {
        self.order += 1;
        let minted = Token {
            cluster: cluster.to_owned(),
            minted: self.order,
            revoked: None,
        };
        self.tokens.insert(token.to_owned(), minted);
    }

    pub(crate) fn revoke(&mut self, token: &str) {
        self.order += 1;
        if let Some(found) = self.tokens.get_mut(token) {
            found.revoked = Some(self.order);
        }
    }

    pub(crate) fn forget(&mut self) {
        self.registrations.clear();
    }

    pub(crate) fn registration(&self, cluster: &str) -> Option<&Registration> {
        self.registrations.get(cluster)
    }

    /// Takes effect, and answers.
    pub(crate) fn handle(&mut self, request: &Request<Vec<u8>>) -> Answer {
        let path: Vec<&str> = request.uri().path().split('/').collect();
        let ["", "v1", "clusters", cluster, resource] = path[..] else {
            return problem(404, "no such path", &json!({}));
        };
        let bearer = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = bearer
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        let Some(known) = self.tokens.get(token).filter(|known| known.revoked.is_none()) else {
            // A careless server repeats what it was sent.
            return problem(401, &format!("unknown token {token}"), &json!({}));
        };
        if known.cluster != cluster {
            return problem(403, "not this cluster's token", &json!({}));
        }
        let Ok(body) = serde_json::from_slice::<Value>(request.body()) else {
            return problem(400, "no JSON", &json!({}));
        };
        let uid = body["uid"].as_str().unwrap_or_default().to_owned();
        let phase = body["phase"].as_str().unwrap_or_default().to_owned();
        match resource {
            "registration" => self.register(cluster, token, &uid, phase),
            "heartbeat" => {
                let matched = request
                    .headers()
                    .get(header::IF_MATCH)
                    .and_then(|value| value.to_str().ok());
                let generation = matched.and_then(|value| value.trim_matches('"').parse().ok());
                self.beat(cluster, generation, &phase)
            }
            _ => problem(404, "no such resource", &json!({})),
        }
    }

    fn register(&mut self, cluster: &str, token: &str, uid: &str, phase: String) -> Answer {
        if let Some(standing) = self.registrations.get(cluster).filter(|standing| standing.uid != uid) {
            let revoked = self.tokens.get(&standing.token).and_then(|token| token.revoked);
            let minted = self.tokens.get(token).map_or(0, |token| token.minted);
            if revoked.is_none_or(|revoked| revoked > minted) {
                let other = json!({ "registeredUid": standing.uid });
                return problem(409, "registered by another cluster", &other);
            }
        }
        self.generation += 1;
        let generation = self.generation;
        let new = Registration {
            uid: uid.to_owned(),
            generation,
            token: token.to_owned(),
            phase,
        };
        let created = self.registrations.insert(cluster.to_owned(), new).is_none();
        success(
            if created { 201 } else { 200 },
            &json!({
                "clusterId": cluster, "uid": uid, "state": "active", "generation": generation,
                "heartbeatIntervalSeconds": self.interval, "graceSeconds": self.interval * 5,
            }),
        )
    }

    fn beat(&mut self, cluster: &str, generation: Option<u64>, phase: &str) -> Answer {
        let interval = self.interval;
        let Some(standing) = self.registrations.get_mut(cluster) else {
            return problem(404, "not registered", &json!({}));
        };
        if generation != Some(standing.generation) {
            return problem(412, "a later one stands", &json!({ "generation": standing.generation }));
        }
        phase.clone_into(&mut standing.phase);
        success(
            200,
            &json!({ "generation": generation, "heartbeatIntervalSeconds": interval }),
        )
    }
}

/// A problem document of Starbase's.
pub(crate) fn problem(status: u16, detail: &str, more: &Value) -> Answer {
    let mut body = json!({ "type": "about:blank", "title": "no", "status": status, "detail": detail });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more.clone());
    }
    answer(status, "application/problem+json", body.to_string().into_bytes())
}

fn success(status: u16, body: &Value) -> Answer {
    answer(status, "application/json", body.to_string().into_bytes())
}

pub(crate) fn answer(status: u16, media: &str, body: Vec<u8>) -> Answer {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, media)
        .body(body)
        .unwrap()
}
