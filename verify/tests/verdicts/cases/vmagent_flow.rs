//! Step 4: whether vmagent flows.

use crate::case::Case;
use crate::given::{again, nodes, page_of, seen, set, state_endpoints, unknown};
use starform_verify::evidence::{Evidence, MetricsPage, Observed, Reason, RunningJob};
use starform_verify::report::Verdict::{Fail, Pass, Unknown as Unseen, Warn};

const ACCEPTED: &str = "vmagent_remotewrite_requests_total";
const ERRORS: &str = "vmagent_remotewrite_errors_total";
const REFUSED: &str = "vmagent_remotewrite_packets_dropped_total";
const WAITING: &str = "vmagent_remotewrite_pending_data_bytes";
const UPTIME: &str = "vm_app_uptime_seconds";

fn page(evidence: &mut Evidence) -> &mut MetricsPage {
    page_of(&mut evidence.telemetry.vmagent.metrics, 0)
}

fn targets(page: &mut MetricsPage, job: &str, status: &str, value: f64) {
    if let Observed::Seen(metrics) = &mut page.first {
        let of_job = |sample: &&mut starform_verify::evidence::MetricsSample| {
            sample.labels.get("scrape_job").is_some_and(|name| name == job) && sample.labels["status"] == status
        };
        for sample in metrics.samples.iter_mut().filter(of_job) {
            sample.value = value;
        }
    }
}

fn jobs(page: &mut MetricsPage) -> &mut Vec<RunningJob> {
    seen(page.jobs.as_mut().unwrap())
}

fn all_nodes_are_new(evidence: &mut Evidence) {
    let now = evidence.now(starform_verify::evidence::Source::Nodes);
    for node in nodes(evidence) {
        node.created = now;
    }
}

/// Two vmagents that share the targets, each with so many of the kubelets' up.
fn share(evidence: &mut Evidence, up: [f64; 2]) {
    for job in ["kubelet", "kubelet-cadvisor"] {
        targets(page(evidence), job, "up", up[0]);
    }
    if let Observed::Seen(metrics) = &mut page(evidence).first {
        for sample in &mut metrics.samples {
            if sample
                .labels
                .get("name")
                .is_some_and(|name| name == "promscrape.cluster.membersCount")
            {
                sample.labels.insert("value".to_owned(), "2".to_owned());
            }
        }
    }
    let mut second = page(evidence).clone();
    second.pod = "vmagent-1".into();
    for job in ["kubelet", "kubelet-cadvisor"] {
        targets(&mut second, job, "up", up[1]);
    }
    targets(&mut second, "kube-state-metrics", "up", 0.0);
    seen(&mut evidence.telemetry.vmagent.metrics).push(second);
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "vmagent does not answer",
        code: "SF430",
        verdict: Fail,
        says: "1 of 1 pod without a metrics page: vmagent-0 (no)",
        change: |e| page(e).first = unknown(Reason::Unreachable),
    },
    Case {
        name: "vmagent went",
        code: "SF430",
        verdict: Fail,
        says: "vmagent-0 (it is gone)",
        change: |e| page(e).first = Observed::Absent,
    },
    Case {
        name: "vmagent's page is no page",
        code: "SF430",
        verdict: Unseen,
        says: "malformed",
        change: |e| page(e).first = unknown(Reason::Malformed),
    },
    Case {
        name: "vmagent was just created and is silent",
        code: "SF430",
        verdict: Unseen,
        says: "no pod answers yet, and none is 5m old",
        change: |e| {
            let now = e.now(starform_verify::evidence::Source::VmagentMetrics).unwrap();
            seen(&mut e.telemetry.vmagent.workloads)[0].pods[0].created = now;
            page(e).first = unknown(Reason::Unreachable);
        },
    },
    Case {
        name: "kube-state-metrics is not scraped",
        code: "SF431",
        verdict: Fail,
        says: "job kube-state-metrics has 0 up of the 1 target it needs, 1 down",
        change: |e| {
            targets(page(e), "kube-state-metrics", "up", 0.0);
            targets(page(e), "kube-state-metrics", "down", 1.0);
        },
    },
    Case {
        name: "one shard is not scraped",
        code: "SF431",
        verdict: Fail,
        says: "job kube-state-metrics has 1 up of the 2 targets it needs",
        change: |e| {
            let mut second = state_endpoints(e)[0].clone();
            second.address = "10.244.9.9".into();
            state_endpoints(e).push(second);
        },
    },
    Case {
        name: "vmagent scrapes no kube-state-metrics",
        code: "SF431",
        verdict: Fail,
        says: "vmagent has no scrape job kube-state-metrics",
        change: |e| {
            if let Observed::Seen(metrics) = &mut page(e).first {
                metrics.samples.retain(|sample| {
                    sample
                        .labels
                        .get("scrape_job")
                        .is_none_or(|job| job != "kube-state-metrics")
                });
            }
        },
    },
    Case {
        name: "one kubelet is not scraped",
        code: "SF432",
        verdict: Fail,
        says: "job kubelet-cadvisor has 1 up of the 2 targets it needs, 1 down",
        change: |e| {
            targets(page(e), "kubelet-cadvisor", "up", 1.0);
            targets(page(e), "kubelet-cadvisor", "down", 1.0);
        },
    },
    Case {
        name: "a new node's kubelet is not scraped yet",
        code: "SF432",
        verdict: Pass,
        says: "1 Ready node in kubelet, kubelet-cadvisor",
        change: |e| {
            nodes(e)[1].created = e.now(starform_verify::evidence::Source::Nodes);
            targets(page(e), "kubelet", "up", 1.0);
            targets(page(e), "kubelet-cadvisor", "up", 1.0);
        },
    },
    Case {
        name: "every node is new, and scraped already",
        code: "SF432",
        verdict: Pass,
        says: "2 Ready nodes in kubelet, kubelet-cadvisor",
        change: all_nodes_are_new,
    },
    Case {
        name: "every node is new, and one is not scraped yet",
        code: "SF432",
        verdict: Unseen,
        says: "no node is Ready and old enough",
        change: |e| {
            all_nodes_are_new(e);
            targets(page(e), "kubelet", "up", 1.0);
        },
    },
    Case {
        name: "vmagent has just started",
        code: "SF432",
        verdict: Unseen,
        says: "vmagent has just started: job kubelet has 1 of 2 targets up",
        change: |e| {
            targets(page(e), "kubelet", "up", 1.0);
            set(page(e), UPTIME, 20.0);
        },
    },
    Case {
        name: "vmagents share the kubelets",
        code: "SF432",
        verdict: Pass,
        says: "2 Ready nodes",
        change: |e| share(e, [1.0, 1.0]),
    },
    Case {
        name: "vmagents share the kubelets, but one",
        code: "SF432",
        verdict: Fail,
        says: "job kubelet has 1 up of the 2 targets it needs",
        change: |e| share(e, [1.0, 0.0]),
    },
    Case {
        name: "no honor_labels in effect",
        code: "SF433",
        verdict: Fail,
        says: "vmagent-0 scrapes kube-state-metrics without honor_labels",
        change: |e| jobs(page(e))[2].honor_labels = false,
    },
    Case {
        name: "no such job in effect",
        code: "SF433",
        verdict: Fail,
        says: "vmagent-0 has no scrape job kube-state-metrics",
        change: |e| jobs(page(e)).truncate(2),
    },
    Case {
        name: "vmagent does not tell its jobs",
        code: "SF433",
        verdict: Unseen,
        says: "refused",
        change: |e| page(e).jobs = Some(unknown(Reason::Refused)),
    },
    Case {
        name: "vmagent was not asked for its jobs",
        code: "SF433",
        verdict: Unseen,
        says: "the jobs of vmagent-0 were not read",
        change: |e| page(e).jobs = None,
    },
    Case {
        name: "the store accepts nothing",
        code: "SF434",
        verdict: Fail,
        says: "vmagent-0 has delivered nothing in the 1h since it started, after 312 failures since it started",
        change: |e| {
            set(page(e), ACCEPTED, 0.0);
            set(page(e), ERRORS, 312.0);
            again(page(e), &[]);
        },
    },
    Case {
        name: "the store hangs",
        code: "SF434",
        verdict: Fail,
        says: "vmagent-0 delivered nothing within 10s, and more than that waits",
        change: |e| {
            set(page(e), WAITING, 5e5);
            again(page(e), &[(WAITING, 6e5)]);
        },
    },
    Case {
        name: "the store fails",
        code: "SF434",
        verdict: Fail,
        says: "vmagent-0 was refused 4 times within 10s and delivered nothing",
        change: |e| {
            set(page(e), ERRORS, 20.0);
            again(page(e), &[(ERRORS, 24.0)]);
        },
    },
    Case {
        name: "the store failed an hour ago",
        code: "SF434",
        verdict: Pass,
        says: "1 pod",
        change: |e| {
            set(page(e), ERRORS, 20.0);
            again(page(e), &[(ACCEPTED, 4_215.0)]);
        },
    },
    Case {
        name: "the store is caught up with",
        code: "SF434",
        verdict: Pass,
        says: "1 pod",
        change: |e| {
            set(page(e), WAITING, 5e7);
            again(page(e), &[(WAITING, 4e7), (ACCEPTED, 4_300.0)]);
        },
    },
    Case {
        name: "vmagent has sent nothing yet",
        code: "SF434",
        verdict: Unseen,
        says: "nothing is delivered yet by 1 pod, which started less than 5m ago",
        change: |e| {
            set(page(e), ACCEPTED, 0.0);
            set(page(e), UPTIME, 20.0);
            again(page(e), &[(UPTIME, 30.0)]);
        },
    },
    Case {
        name: "vmagent's errors were not read again",
        code: "SF434",
        verdict: Unseen,
        says: "was not read again",
        change: |e| set(page(e), ERRORS, 20.0),
    },
    Case {
        name: "vmagent's queue is nearly full",
        code: "SF435",
        verdict: Fail,
        says: "the queue of vmagent-0 is 95 % full",
        change: |e| {
            set(page(e), "vm_persistentqueue_bytes_pending", 7.6e9);
            set(page(e), "vm_persistentqueue_free_disk_space_bytes", 4e8);
            set(page(e), WAITING, 7.6e9);
            again(page(e), &[(ACCEPTED, 4_300.0)]);
        },
    },
    Case {
        name: "vmagent's queue grows",
        code: "SF435",
        verdict: Warn,
        says: "the queue of vmagent-0 grows from 500000 to 600000 bytes within seconds",
        change: |e| {
            set(page(e), WAITING, 5e5);
            again(page(e), &[(WAITING, 6e5), (ACCEPTED, 4_300.0)]);
        },
    },
    Case {
        name: "vmagent's queue was empty",
        code: "SF435",
        verdict: Pass,
        says: "1 pod",
        change: |e| {
            set(page(e), WAITING, 0.0);
            again(page(e), &[(WAITING, 6e5), (ACCEPTED, 4_300.0)]);
        },
    },
    Case {
        name: "vmagent's queue stays as it is",
        code: "SF435",
        verdict: Pass,
        says: "1 pod",
        change: |e| {
            set(page(e), WAITING, 5e5);
            again(page(e), &[(WAITING, 5e5), (ACCEPTED, 4_300.0)]);
        },
    },
    Case {
        name: "vmagent's queue is on a disk without room",
        code: "SF435",
        verdict: Fail,
        says: "the queue of vmagent-0 is 100 % full",
        change: |e| {
            set(page(e), "vm_persistentqueue_bytes_pending", 8.0);
            set(page(e), "vm_persistentqueue_free_disk_space_bytes", 0.0);
            set(page(e), WAITING, 8.0);
            again(page(e), &[(ACCEPTED, 4_300.0)]);
        },
    },
    Case {
        name: "vmagent's queue is empty, and nothing is known to be free",
        code: "SF435",
        verdict: Pass,
        says: "1 pod",
        change: |e| {
            set(page(e), "vm_persistentqueue_bytes_pending", 0.0);
            set(page(e), "vm_persistentqueue_free_disk_space_bytes", 0.0);
        },
    },
    Case {
        name: "vmagent drops",
        code: "SF436",
        verdict: Fail,
        says: "2 given up within seconds: vmagent-0",
        change: |e| {
            set(page(e), REFUSED, 3.0);
            again(page(e), &[(REFUSED, 5.0), (ACCEPTED, 4_300.0)]);
        },
    },
    Case {
        name: "vmagent dropped an hour ago",
        code: "SF436",
        verdict: Warn,
        says: "3 given up since it started, none now: vmagent-0",
        change: |e| {
            set(page(e), REFUSED, 3.0);
            again(page(e), &[(ACCEPTED, 4_300.0)]);
        },
    },
    Case {
        name: "a scrape was too large",
        code: "SF436",
        verdict: Warn,
        says: "7 given up since it started",
        change: |e| {
            set(page(e), "vm_promscrape_max_scrape_size_exceeded_errors_total", 7.0);
            again(page(e), &[(ACCEPTED, 4_300.0)]);
        },
    },
    Case {
        name: "vmagents that do not share the kubelets, and one lacks one",
        code: "SF432",
        verdict: Fail,
        says: "job kubelet has 1 up of the 2 targets it needs, 1 down",
        change: |e| {
            let mut second = page(e).clone();
            second.pod = "vmagent-1".into();
            for job in ["kubelet", "kubelet-cadvisor"] {
                targets(&mut second, job, "up", 1.0);
                targets(&mut second, job, "down", 1.0);
            }
            seen(&mut e.telemetry.vmagent.metrics).push(second);
        },
    },
    Case {
        name: "vmagents share the kubelets, each of which two have",
        code: "SF432",
        verdict: Fail,
        says: "job kubelet has 1 up of the 2 targets it needs, 3 down",
        change: |e| {
            share(e, [1.0, 1.0]);
            for page in seen(&mut e.telemetry.vmagent.metrics) {
                targets(page, "kube-state-metrics", "up", 1.0);
                for job in ["kubelet", "kubelet-cadvisor"] {
                    targets(page, job, "down", 3.0);
                }
                if let Observed::Seen(metrics) = &mut page.first {
                    for sample in &mut metrics.samples {
                        if sample
                            .labels
                            .get("name")
                            .is_some_and(|name| name == "promscrape.cluster.replicationFactor")
                        {
                            sample.labels.insert("value".to_owned(), "2".to_owned());
                        }
                    }
                }
            }
        },
    },
];
