//! Step 1.

use crate::case::{Case, fails, passes, unseen, warns};
use crate::given::{condition, nodes, seen, unknown};
use starform_verify::evidence::{Observed, Reason, Source};

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
    unseen("SF106", "without a UID").when("no uid", |e| e.identity = Observed::Seen(String::new())),
];
