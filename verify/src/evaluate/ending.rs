//! Certificates and tokens that end by their date. Whether it is near is told by the moment of the collection, so that a replay
//! says the same.

use super::fix::{Advice, count};
use super::outcome::{Judge, Outcome};
use super::subject::Subject;
use crate::evidence::{Asked, Certificate, Credential, Observed, StarbaseRead};
use jiff::{SignedDuration, Timestamp};

/// Something that ends.
struct Ending {
    /// `the API server's certificate CN=kube-apiserver`.
    what: String,
    until: Timestamp,
    /// Since when it is valid, where that is known.
    from: Option<Timestamp>,
    /// What else has to be known of it: of a bundle what its other certificates do.
    beside: Option<String>,
}

/// What was looked at.
#[derive(Default)]
struct Endings {
    found: Vec<Ending>,
    /// What has ended and harms nobody.
    aside: Vec<String>,
    /// The first that could not be seen.
    unseen: Option<Box<Outcome>>,
}

/// SF107.
pub(super) fn of_the_connection(subject: Subject<'_>) -> Judge {
    let evidence = subject.evidence;
    let mut endings = Endings::default();
    endings.certificate("the API server's certificate", &evidence.api_server_certificate);
    for credential in endings.seen(&evidence.credentials).into_iter().flatten() {
        match credential {
            Credential::Certificate(certificate) => endings.add("the client certificate", certificate),
            Credential::Token(Some(time)) => endings.found.push(Ending {
                what: "the bearer token".to_owned(),
                until: time.until,
                from: time.from,
                beside: None,
            }),
            Credential::Token(None) => endings
                .aside
                .push("the bearer token does not say until when".to_owned()),
        }
    }
    if let Some(api_service) = endings.seen(&evidence.metrics_api_service) {
        let bundle = endings.seen(&api_service.ca_bundle);
        if let Some(bundle) = bundle {
            endings.bundle(
                &format!("the caBundle of APIService {}", api_service.name),
                bundle,
                evidence.collected,
            );
        }
    }
    endings.judge(
        subject,
        "of a kubeconfig for DOKS `doctl kubernetes cluster kubeconfig save` renews the entry; DOKS renews the API server's own \
         certificate, and who wrote a caBundle renews that",
    )
}

/// SF604.
pub(super) fn of_starbase(subject: Subject<'_>) -> Judge {
    let shuttle = &subject.evidence.shuttle;
    if let Observed::Seen(StarbaseRead::NotAsked) = shuttle.starbase {
        let told = "Starbase was not asked: --starbase URL --token-file FILE asks it";
        return Ok(Outcome::not_asked(told, super::registration::STARBASE));
    }
    // What could not be asked has not proved whose certificate it was.
    if let Some(unknown) = shuttle.starbase.unknown() {
        return Ok(Outcome::unknown(unknown));
    }
    let mut endings = Endings::default();
    endings.certificate("Starbase's certificate", &shuttle.starbase_certificate);
    endings.judge(subject, "have whoever runs Starbase renew its certificate")
}

/// SF708.
pub(super) fn of_metrics_store(subject: Subject<'_>) -> Judge {
    let region = &subject.evidence.region;
    of_store(
        subject,
        "VictoriaMetrics'",
        &region.metrics_store,
        &region.metrics_store_certificate,
    )
}

/// SF715.
pub(super) fn of_log_store(subject: Subject<'_>) -> Judge {
    let region = &subject.evidence.region;
    of_store(
        subject,
        "ClickHouse's",
        &region.log_store,
        &region.log_store_certificate,
    )
}

fn of_store<T>(
    subject: Subject<'_>,
    whose: &str,
    store: &Observed<Asked<T>>,
    certificate: &Observed<Certificate>,
) -> Judge {
    super::region::asked(store)?;
    let mut endings = Endings::default();
    endings.certificate(&format!("{whose} certificate"), certificate);
    endings.judge(
        subject,
        "`manifests/region/credentials renew` makes the region's certificates anew; the store's droplet has to be given them",
    )
}

// === impl Endings ===

impl Endings {
    /// A fact, where it was seen. What is not known is remembered; what is absent ends nobody.
    fn seen<'a, T>(&mut self, observed: &'a Observed<T>) -> Option<&'a T> {
        match observed {
            Observed::Seen(value) => return Some(value),
            Observed::Absent => {}
            Observed::Unknown(unknown) => _ = self.unseen.get_or_insert_with(|| Box::new(Outcome::unknown(unknown))),
        }
        None
    }

    fn certificate(&mut self, what: &str, observed: &Observed<Certificate>) {
        if let Some(certificate) = self.seen(observed) {
            self.add(what, certificate);
        }
    }

    fn add(&mut self, what: &str, certificate: &Certificate) {
        self.found
            .push(Ending::of(format!("{what} {}", certificate.subject), certificate));
    }

    /// Authorities of which one has signed what is served: which one is not known. What has ended is not that one as long as
    /// another holds; of those that hold, the first to end may be.
    fn bundle(&mut self, what: &str, bundle: &[Certificate], now: Timestamp) {
        let hold = || bundle.iter().filter(|certificate| certificate.until > now);
        let Some(last) = bundle.iter().max_by_key(|certificate| certificate.until) else {
            return;
        };
        let all = count(bundle.len(), "certificate");
        let ended = bundle.len() - hold().count();
        if ended == bundle.len() {
            self.found
                .push(Ending::of(format!("every one of {all} in {what}"), last));
            return;
        }
        if ended > 0 {
            self.aside
                .push(format!("{ended} of {all} in {what} has ended, beside one that holds"));
        }
        if let Some(first) = hold().min_by_key(|certificate| certificate.until) {
            let later = (first.until != last.until).then(|| {
                format!(
                    "another of them holds until {}: it matters where the first has signed what is served",
                    day(last.until)
                )
            });
            self.found.push(Ending {
                beside: later,
                ..Ending::of(format!("{} in {what}", first.subject), first)
            });
        }
    }

    fn judge(self, subject: Subject<'_>, advice: &str) -> Judge {
        let now = subject.evidence.collected;
        let soon = subject.contract.thresholds.ends_soon;
        let expected = format!(
            "nothing that ends within {} days, nor within the last third of its own time where that is shorter",
            soon.as_hours() / 24
        );
        let of = |is: &dyn Fn(&Ending) -> bool| -> Option<String> {
            let told: Vec<String> = (self.found.iter().filter(|ending| is(ending)))
                .map(|ending| ending.told(now))
                .collect();
            (!told.is_empty()).then(|| told.join("; "))
        };
        let outcome = |told: String, new: fn(String) -> Outcome| {
            Ok(new(told)
                .expected(expected.clone())
                .fix(Advice::of_words(advice))
                .lasting())
        };
        if let Some(told) = of(&|ending| ending.until <= now) {
            return outcome(told, Outcome::fail);
        }
        let near = of(&|ending| ending.until.duration_since(now) <= ending.notice(soon));
        if let Some(unseen) = self.unseen {
            return Err(match near {
                Some(near) => Box::new(unseen.with_told_before(&near)),
                None => unseen,
            });
        }
        if let Some(told) = near {
            return outcome(told, Outcome::warn);
        }
        let lasting = self.found.iter().min_by_key(|ending| ending.until);
        let parts = lasting.map(|first| format!("{} until {}", first.what, day(first.until)));
        let told: Vec<String> = parts.into_iter().chain(self.aside).collect();
        Ok(if self.found.is_empty() {
            let nothing = ["nothing was shown that ends by a date".to_owned()];
            Outcome::not_applicable(nothing.into_iter().chain(told).collect::<Vec<_>>().join("; "))
        } else {
            Outcome::pass(told.join("; "))
        })
    }
}

// === impl Ending ===

impl Ending {
    fn of(what: String, certificate: &Certificate) -> Self {
        Self {
            what,
            until: certificate.until,
            from: certificate.from,
            beside: None,
        }
    }

    /// How long before its end it is told: of what lives for days or hours, and is renewed as often, in its last third.
    fn notice(&self, longest: SignedDuration) -> SignedDuration {
        let lasts = self.from.map(|from| self.until.duration_since(from));
        lasts.map_or(longest, |lasts| longest.min(lasts / 3))
    }

    fn told(&self, now: Timestamp) -> String {
        let left = self.until.duration_since(now);
        let mut told = if left > SignedDuration::ZERO {
            format!("{} ends on {}, in {}", self.what, day(self.until), time(left))
        } else {
            format!(
                "{} has ended on {}, {} ago",
                self.what,
                day(self.until),
                time(left.abs())
            )
        };
        if let Some(beside) = &self.beside {
            told = format!("{told}; {beside}");
        }
        told
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

fn time(left: SignedDuration) -> String {
    let hours = usize::try_from(left.as_hours()).unwrap_or_default();
    match hours / 24 {
        0 => count(hours, "hour"),
        days => count(days, "day"),
    }
}
