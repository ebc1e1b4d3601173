//! Step 1.

use crate::case::Case;
use crate::given::{condition, nodes, seen, unknown};
use starform_verify::evidence::{Observed, Reason, Source};
use starform_verify::report::Verdict::{Fail, Pass, Unknown as Unseen, Warn};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "something else answers there",
        code: "SF101",
        verdict: Unseen,
        says: "404",
        change: |e| e.api_server = Observed::Absent,
    },
    Case {
        name: "the api server does not answer in time",
        code: "SF101",
        verdict: Unseen,
        says: "timed out",
        change: |e| e.api_server = unknown(Reason::TimedOut),
    },
    Case {
        name: "old kubernetes",
        code: "SF102",
        verdict: Fail,
        says: "Kubernetes 1.30.1 is not accepted",
        change: |e| seen(&mut e.api_server).git_version = "v1.30.1".into(),
    },
    Case {
        name: "new kubernetes",
        code: "SF102",
        verdict: Fail,
        says: "is not accepted",
        change: |e| seen(&mut e.api_server).git_version = "v1.99.0".into(),
    },
    Case {
        name: "a vendors build",
        code: "SF102",
        verdict: Pass,
        says: "v1.35.1-gke.7",
        change: |e| seen(&mut e.api_server).git_version = "v1.35.1-gke.7".into(),
    },
    Case {
        name: "no version",
        code: "SF102",
        verdict: Unseen,
        says: "calls its version",
        change: |e| seen(&mut e.api_server).git_version = "main".into(),
    },
    Case {
        name: "another cloud",
        code: "SF103",
        verdict: Warn,
        says: "no DigitalOcean droplet: node1",
        change: |e| nodes(e)[0].provider = Some("aws".into()),
    },
    Case {
        name: "node not ready",
        code: "SF104",
        verdict: Fail,
        says: "1 of 2 nodes not Ready: node1 (KubeletNotReady: container runtime is down)",
        change: |e| nodes(e)[0].ready = Some(condition("False", "KubeletNotReady", "container runtime is down")),
    },
    Case {
        name: "node silent",
        code: "SF104",
        verdict: Fail,
        says: "its kubelet has posted no condition",
        change: |e| nodes(e)[1].ready = None,
    },
    Case {
        name: "node just added",
        code: "SF104",
        verdict: Warn,
        says: "1 of 2 nodes not Ready",
        change: |e| {
            nodes(e)[0].created = e.now(Source::Nodes);
            nodes(e)[0].ready = Some(condition("False", "KubeletNotReady", "CNI not ready"));
        },
    },
    Case {
        name: "no node",
        code: "SF104",
        verdict: Fail,
        says: "the cluster has no node",
        change: |e| nodes(e).clear(),
    },
    Case {
        name: "two regions",
        code: "SF105",
        verdict: Fail,
        says: "1 node in fra1, 1 node in nyc3",
        change: |e| nodes(e)[1].region = Some("fra1".into()),
    },
    Case {
        name: "no region",
        code: "SF105",
        verdict: Warn,
        says: "no region on 1 node: node2",
        change: |e| nodes(e)[1].region = None,
    },
    Case {
        name: "no uid",
        code: "SF106",
        verdict: Unseen,
        says: "without a UID",
        change: |e| e.identity = Observed::Seen(String::new()),
    },
];
