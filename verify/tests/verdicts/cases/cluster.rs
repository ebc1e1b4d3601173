//! Step 1.

use crate::case::{Case, fails, not_applicable, passes, unseen, warns};
use crate::given::{condition, nodes, seen, unknown};
use jiff::SignedDuration;
use starform_verify::evidence::{Certificate, Credential, Evidence, Observed, Reason, Source, TokenTime};

/// A certificate that ends so many hours after the audit.
fn ending(e: &Evidence, subject: &str, hours: i64) -> Certificate {
    Certificate {
        subject: subject.to_owned(),
        until: e.collected + SignedDuration::from_hours(hours),
        from: None,
    }
}

/// A token that ends so many hours after the audit, and was issued so many before it.
fn token(e: &Evidence, until: i64, from: i64) -> Credential {
    Credential::Token(Some(TokenTime {
        until: e.collected + SignedDuration::from_hours(until),
        from: Some(e.collected - SignedDuration::from_hours(from)),
    }))
}

/// Authorities of the metrics API that end so many hours after the audit.
fn authorities(e: &mut Evidence, hours: &[i64]) {
    let one = |(number, hours): (usize, &i64)| ending(e, &format!("CN=authority-{}", number + 1), *hours);
    let bundle = hours.iter().enumerate().map(one).collect();
    seen(&mut e.metrics_api_service).ca_bundle = Observed::Seen(bundle);
}

pub(crate) const CASES: &[Case] = &[
    unseen("SF101", "404").when("something else answers there", |e| e.api_server = Observed::Absent),
    unseen("SF101", "timed out").when("the api server does not answer in time", |e| {
        e.api_server = unknown(Reason::TimedOut);
    }),
    fails("SF102", "Kubernetes 1.30.1 is not accepted").when("old kubernetes", |e| {
        seen(&mut e.api_server).git_version = "v1.30.1".into();
    }),
    fails("SF102", "is not accepted").when("new kubernetes", |e| {
        seen(&mut e.api_server).git_version = "v1.99.0".into();
    }),
    passes("SF102", "v1.35.1-gke.7").when("a vendors build", |e| {
        seen(&mut e.api_server).git_version = "v1.35.1-gke.7".into();
    }),
    unseen("SF102", "calls its version").when("no version", |e| seen(&mut e.api_server).git_version = "main".into()),
    warns("SF103", "no DigitalOcean droplet: node1")
        .when("another cloud", |e| nodes(e)[0].provider = Some("aws".into())),
    fails(
        "SF104",
        "1 of 2 nodes not Ready: node1 (KubeletNotReady: container runtime is down)",
    )
    .when("node not ready", |e| {
        nodes(e)[0].ready = Some(condition("False", "KubeletNotReady", "container runtime is down"));
    }),
    fails("SF104", "its kubelet has posted no condition").when("node silent", |e| nodes(e)[1].ready = None),
    warns("SF104", "1 of 2 nodes not Ready").when("node just added", |e| {
        nodes(e)[0].created = e.now(Source::Nodes);
        nodes(e)[0].ready = Some(condition("False", "KubeletNotReady", "CNI not ready"));
    }),
    fails("SF104", "the cluster has no node").when("no node", |e| nodes(e).clear()),
    fails("SF105", "1 node in fra1, 1 node in nyc3").when("two regions", |e| nodes(e)[1].region = Some("fra1".into())),
    warns("SF105", "no region on 1 node: node2").when("no region", |e| nodes(e)[1].region = None),
    passes(
        "SF107",
        "the API server's certificate CN=kube-apiserver until 2027-11-22",
    )
    .when("everything lasts", |e| {
        e.credentials = Observed::Absent;
    }),
    warns("SF107", "the client certificate CN=kim ends on 2026-11-25, in 3 days").when(
        "the client certificate ends",
        |e| {
            e.credentials = Observed::Seen(vec![Credential::Certificate(ending(e, "CN=kim", 3 * 24 + 1))]);
        },
    ),
    passes("SF107", "until").when("the client certificate lasts for a day more than is soon", |e| {
        e.credentials = Observed::Seen(vec![Credential::Certificate(ending(e, "CN=kim", 15 * 24))]);
    }),
    warns("SF107", "the bearer token ends on").when("the token ends", |e| {
        e.credentials = Observed::Seen(vec![token(e, 5, 2000)]);
    }),
    passes("SF107", "until").when("a token that lives for a day and is young", |e| {
        e.credentials = Observed::Seen(vec![token(e, 9, 15)]);
    }),
    warns("SF107", "the bearer token ends on").when("a token that lives for a day and is old", |e| {
        e.credentials = Observed::Seen(vec![token(e, 7, 17)]);
    }),
    passes("SF107", "until").when("a certificate that lives for a week and is young", |e| {
        let week = Certificate {
            from: Some(e.collected - SignedDuration::from_hours(24)),
            ..ending(e, "CN=kim", 6 * 24)
        };
        e.credentials = Observed::Seen(vec![Credential::Certificate(week)]);
    }),
    passes("SF107", "the bearer token does not say until when").when("an opaque token", |e| {
        e.credentials = Observed::Seen(vec![Credential::Token(None)]);
    }),
    fails("SF107", "has ended on 2026-11-20, 2 days ago").when("the api server s certificate has ended", |e| {
        e.api_server_certificate = Observed::Seen(ending(e, "CN=kube-apiserver", -48));
    }),
    warns("SF107", "the API server's certificate CN=kube-apiserver ends").when(
        "the api server s certificate ends",
        |e| {
            e.api_server_certificate = Observed::Seen(ending(e, "CN=kube-apiserver", 48));
        },
    ),
    unseen("SF107", "not collected").when("the api server s certificate was not seen", |e| {
        e.api_server_certificate = unknown(Reason::NotCollected);
    }),
    unseen("SF107", "ends on").when("one ends and another was not seen", |e| {
        e.api_server_certificate = Observed::Seen(ending(e, "CN=kube-apiserver", 48));
        e.credentials = unknown(Reason::Malformed);
    }),
    unseen("SF107", "malformed").when("a bundle that cannot be read", |e| {
        seen(&mut e.metrics_api_service).ca_bundle = unknown(Reason::Malformed);
    }),
    warns(
        "SF107",
        "CN=authority-1 in the caBundle of APIService v1beta1.metrics.k8s.io ends",
    )
    .when("the one authority ends", |e| authorities(e, &[48])),
    warns("SF107", "another of them holds until").when("one of two authorities ends", |e| authorities(e, &[48, 9_000])),
    passes(
        "SF107",
        "1 of 2 certificates in the caBundle of APIService v1beta1.metrics.k8s.io has ended, beside one that holds",
    )
    .when("one of two authorities has ended", |e| authorities(e, &[-48, 9_000])),
    fails("SF107", "every one of 2 certificates in the caBundle")
        .when("all authorities have ended", |e| authorities(e, &[-48, -2])),
    passes("SF107", "until").when("all authorities last", |e| authorities(e, &[9_000, 9_000])),
    not_applicable("SF107", "nothing was shown that ends by a date").when("no tls and no credential", |e| {
        e.api_server_certificate = Observed::Absent;
        e.credentials = Observed::Absent;
    }),
    unseen("SF106", "without a UID").when("no uid", |e| e.identity = Observed::Seen(String::new())),
];
