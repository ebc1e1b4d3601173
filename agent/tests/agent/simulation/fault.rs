//! What goes wrong with one request.

use std::time::Duration;

/// One request's fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// None.
    None,
    /// Starbase answers with this status, in its own form or in a proxy's.
    Status {
        status: u16,
        problem: bool,
        retry_after: Option<u64>,
    },
    /// No answer until the transport gives up; the effect has happened or not.
    Hang { applied: bool },
    /// The connection breaks.
    Dropped { applied: bool },
    /// The answer breaks off within its JSON.
    Truncated,
    /// 200 and a page.
    Portal,
    /// 200 and another API's JSON.
    Foreign,
    /// A redirect to a login page.
    Redirect,
    /// It arrives, late, even if nobody waits any more.
    Late(Duration),
    /// The answer is late.
    Slow(Duration),
}

// === impl Fault ===

/// Those that the issue names; each has to happen.
const NAMED: [u16; 11] = [401, 403, 404, 409, 410, 412, 422, 429, 500, 502, 503];
/// What ends a leader's time for minutes is drawn less often, or little else would be seen.
const GRAVE: [u16; 4] = [401, 403, 409, 412];

impl Fault {
    /// A fate that is none.
    pub(crate) fn draw(random: &mut fastrand::Rng) -> Self {
        match random.u8(0..100) {
            0..30 => Self::status(random),
            30..36 => Self::Hang { applied: random.bool() },
            36..52 => Self::Dropped { applied: random.bool() },
            52..60 => Self::Truncated,
            60..67 => Self::Portal,
            67..72 => Self::Foreign,
            72..77 => Self::Redirect,
            77..88 => Self::Late(Duration::from_millis(random.u64(1..40_000))),
            _ => Self::Slow(Duration::from_millis(random.u64(1..14_000))),
        }
    }

    fn status(random: &mut fastrand::Rng) -> Self {
        let status = match random.u8(0..10) {
            0 => GRAVE[random.usize(0..GRAVE.len())],
            1..6 => loop {
                let named = NAMED[random.usize(0..NAMED.len())];
                if !GRAVE.contains(&named) {
                    break named;
                }
            },
            _ => loop {
                let any = random.u16(400..600);
                if !GRAVE.contains(&any) {
                    break any;
                }
            },
        };
        Self::Status {
            status,
            problem: random.u8(0..4) > 0,
            retry_after: matches!(status, 429 | 503)
                .then(|| random.u64(0..300))
                .filter(|_| random.u8(0..4) > 0),
        }
    }

    /// What it is counted as.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Status { problem: false, .. } => "a status of somebody else's",
            Self::Status {
                retry_after: Some(_),
                status,
                ..
            } => match status {
                429 => "429 with Retry-After",
                _ => "503 with Retry-After",
            },
            Self::Status { status, .. } => match status {
                401 => "401",
                403 => "403",
                404 => "404",
                409 => "409",
                410 => "410",
                412 => "412",
                422 => "422",
                429 => "429",
                500 => "500",
                502 => "502",
                503 => "503",
                400..500 => "another 4xx",
                _ => "another 5xx",
            },
            Self::Hang { applied: true } => "hung after the effect",
            Self::Hang { applied: false } => "hung before the effect",
            Self::Dropped { applied: true } => "dropped after the effect",
            Self::Dropped { applied: false } => "dropped before the effect",
            Self::Truncated => "truncated body",
            Self::Portal => "captive portal's 200",
            Self::Foreign => "another API's 200",
            Self::Redirect => "redirect",
            Self::Late(_) => "late request",
            Self::Slow(_) => "late answer",
        }
    }

    /// Every class, of requests and of the world.
    pub(crate) fn classes() -> Vec<&'static str> {
        let mut classes = vec![
            "a status of somebody else's",
            "429 with Retry-After",
            "503 with Retry-After",
            "another 4xx",
            "another 5xx",
            "hung after the effect",
            "hung before the effect",
            "dropped after the effect",
            "dropped before the effect",
            "truncated body",
            "captive portal's 200",
            "another API's 200",
            "redirect",
            "late request",
            "late answer",
            "401",
            "403",
            "404",
            "409",
            "410",
            "412",
            "422",
            "429",
            "500",
            "502",
            "503",
        ];
        classes.extend(World::ALL.map(World::class));
        classes
    }
}

/// What goes wrong around the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    /// Starbase is away for ten minutes.
    Down,
    /// It comes back without its registrations.
    Forgets,
    /// The token is revoked, and replaced some minutes later.
    Revoked,
    /// Both replicas believe that they lead.
    TwoLeaders,
    /// A second cluster comes up with the same ID and token.
    SecondCluster,
    /// The gate fails and passes in turn.
    Flaps,
    /// The gate fails for minutes.
    Fails,
    /// The gate cannot be seen.
    Blind,
    /// The verifier says nothing.
    Silent,
    /// Nobody holds the Lease for a while, then the other replica does.
    LeaseLost,
    /// The leader is killed; its successor comes up.
    Killed,
}

impl World {
    pub(crate) const ALL: [Self; 11] = [
        Self::Down,
        Self::Forgets,
        Self::Revoked,
        Self::TwoLeaders,
        Self::SecondCluster,
        Self::Flaps,
        Self::Fails,
        Self::Blind,
        Self::Silent,
        Self::LeaseLost,
        Self::Killed,
    ];

    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Down => "Starbase down for ten minutes",
            Self::Forgets => "Starbase lost its registrations",
            Self::Revoked => "token revoked, then replaced",
            Self::TwoLeaders => "two leaders",
            Self::SecondCluster => "second cluster of the same ID",
            Self::Flaps => "gate flapped",
            Self::Fails => "gate failed",
            Self::Blind => "gate not seen",
            Self::Silent => "verifier silent",
            Self::LeaseLost => "Lease lost",
            Self::Killed => "leader killed",
        }
    }
}
