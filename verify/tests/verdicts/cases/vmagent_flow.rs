//! Step 4: whether vmagent flows.

use crate::case::{Case, fails, passes, unseen, warns};
use crate::given::{after, again, nodes, page_of, seen, set, state_endpoints, unknown};
use starform_verify::evidence::{Evidence, MetricsPage, MetricsSample, Observed, Reason, RunningJob};

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

/// A job more, with so many targets up, and so many of the contract's job of cAdvisor.
fn another_job(evidence: &mut Evidence, name: &str, reads_cadvisor: Option<bool>, [up, own]: [f64; 2]) {
    let page = page(evidence);
    targets(page, "kubelet-cadvisor", "up", own);
    jobs(page).push(RunningJob {
        name: name.to_owned(),
        honor_labels: false,
        reads_cadvisor,
    });
    let samples = &mut seen(&mut page.first).samples;
    let is_own = |sample: &&MetricsSample| {
        let label = |name: &str| sample.labels.get(name).map(String::as_str);
        (label("scrape_job"), label("status")) == (Some("kubelet-cadvisor"), Some("up"))
    };
    let mut more = samples.iter().find(is_own).cloned().unwrap();
    more.labels.insert("scrape_job".to_owned(), name.to_owned());
    more.value = up;
    samples.push(more);
}

/// A second store, to which as much was written as to the first.
fn second_store(page: &mut MetricsPage) {
    let samples = &mut seen(&mut page.first).samples;
    let own = |sample: &&MetricsSample| ["url", "path"].iter().any(|label| sample.labels.contains_key(*label));
    let mut more: Vec<MetricsSample> = samples.iter().filter(own).cloned().collect();
    for label in more.iter_mut().flat_map(|sample| sample.labels.iter_mut()) {
        if matches!(label.0.as_str(), "url" | "path") {
            "2".clone_into(label.1);
        }
    }
    samples.append(&mut more);
}

fn of_store(page: &mut MetricsPage, name: &str, value: f64) {
    let second = |sample: &&mut MetricsSample| sample.name == name && sample.labels.values().any(|label| label == "2");
    for sample in seen(&mut page.first).samples.iter_mut().filter(second) {
        sample.value = value;
    }
}

/// In the second reading the first store has accepted more.
fn more_of_the_first(page: &mut MetricsPage) {
    let first = |sample: &&mut MetricsSample| sample.name == ACCEPTED && sample.labels["url"] == "1";
    for sample in seen(page.again.as_mut().unwrap()).samples.iter_mut().filter(first) {
        sample.value += 80.0;
    }
}

fn count(page: &mut MetricsPage, name: &str, value: f64) {
    seen(&mut page.first).samples.push(MetricsSample {
        name: name.to_owned(),
        labels: std::collections::BTreeMap::new(),
        value,
    });
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
    second_pod(evidence);
}

/// The pod of a second page.
fn second_pod(evidence: &mut Evidence) {
    let pods = &mut seen(&mut evidence.telemetry.vmagent.workloads)[0].pods;
    let mut second = pods[0].clone();
    second.name = "vmagent-1".into();
    pods.push(second);
}

pub(crate) const CASES: &[Case] = &[
    fails(
        "SF430",
        "1 of 1 pod without a metrics page: vmagent-0 (connection refused)",
    )
    .when("vmagent does not answer", |e| {
        page(e).first = unknown(Reason::Unreachable);
    }),
    fails(
        "SF434",
        "vmagent-0 was refused 4 times within 40s and delivered nothing",
    )
    .when("the store answers 401 to everything", |e| {
        let refused = |value: f64| MetricsSample {
            name: ACCEPTED.to_owned(),
            labels: [("url", "1"), ("status_code", "401")]
                .map(|(label, value)| (label.to_owned(), value.to_owned()))
                .into(),
            value,
        };
        after(page(e), 40, &[]);
        seen(&mut page(e).first).samples.push(refused(8.0));
        seen(page(e).again.as_mut().unwrap()).samples.push(refused(12.0));
    }),
    fails("SF430", "vmagent-0 (it is gone)").when("vmagent went", |e| page(e).first = Observed::Absent),
    unseen("SF430", "malformed").when("vmagent's page is no page", |e| {
        page(e).first = unknown(Reason::Malformed);
    }),
    unseen("SF430", "no pod answers yet, and none is 5m old").when("vmagent was just created and is silent", |e| {
        let now = e.now(starform_verify::evidence::Source::VmagentMetrics).unwrap();
        seen(&mut e.telemetry.vmagent.workloads)[0].pods[0].created = now;
        page(e).first = unknown(Reason::Unreachable);
    }),
    fails(
        "SF431",
        "job kube-state-metrics has 0 up of the 1 target it needs, 1 down",
    )
    .when("kube-state-metrics is not scraped", |e| {
        targets(page(e), "kube-state-metrics", "up", 0.0);
        targets(page(e), "kube-state-metrics", "down", 1.0);
    }),
    fails("SF431", "job kube-state-metrics has 1 up of the 2 targets it needs").when("one shard is not scraped", |e| {
        let mut second = state_endpoints(e)[0].clone();
        second.pod = Some("kube-state-metrics-1".into());
        state_endpoints(e).push(second);
    }),
    passes("SF431", "1 ready pod").when("a pod that has two addresses", |e| {
        let mut second = state_endpoints(e)[0].clone();
        second.address = "fd00::80".into();
        state_endpoints(e).push(second);
    }),
    warns(
        "SF431",
        "job kube-state-metrics has 2 targets up for 1 pod of kube-state-metrics",
    )
    .when("a pod that is scraped twice", |e| {
        targets(page(e), "kube-state-metrics", "up", 2.0);
    }),
    fails("SF431", "vmagent has no scrape job kube-state-metrics").when("vmagent scrapes no kube-state-metrics", |e| {
        if let Observed::Seen(metrics) = &mut page(e).first {
            metrics.samples.retain(|sample| {
                sample
                    .labels
                    .get("scrape_job")
                    .is_none_or(|job| job != "kube-state-metrics")
            });
        }
    }),
    fails(
        "SF432",
        "job kubelet-cadvisor has 1 up of the 2 targets it needs, 1 down",
    )
    .when("one kubelet is not scraped", |e| {
        targets(page(e), "kubelet-cadvisor", "up", 1.0);
        targets(page(e), "kubelet-cadvisor", "down", 1.0);
    }),
    passes("SF432", "1 Ready node in kubelet, kubelet-cadvisor").when("a new node's kubelet is not scraped yet", |e| {
        nodes(e)[1].created = e.now(starform_verify::evidence::Source::Nodes);
        targets(page(e), "kubelet", "up", 1.0);
        targets(page(e), "kubelet-cadvisor", "up", 1.0);
    }),
    passes("SF432", "2 Ready nodes in kubelet, kubelet-cadvisor")
        .when("every node is new, and scraped already", all_nodes_are_new),
    unseen("SF432", "no node is Ready and old enough").when("every node is new, and one is not scraped yet", |e| {
        all_nodes_are_new(e);
        targets(page(e), "kubelet", "up", 1.0);
    }),
    unseen("SF432", "vmagent has just started: job kubelet has 1 of 2 targets up").when(
        "vmagent has just started",
        |e| {
            targets(page(e), "kubelet", "up", 1.0);
            set(page(e), UPTIME, 20.0);
            let pod = &mut seen(&mut e.telemetry.vmagent.workloads)[0].pods[0];
            pod.started = pod
                .started
                .map(|started| started + jiff::SignedDuration::from_secs(3_580));
        },
    ),
    passes("SF432", "2 Ready nodes").when("vmagents share the kubelets", |e| share(e, [1.0, 1.0])),
    fails("SF432", "job kubelet has 1 up of the 2 targets it needs")
        .when("vmagents share the kubelets, but one", |e| share(e, [1.0, 0.0])),
    warns(
        "SF432",
        "job kubelet has 4 targets up for 2 nodes: each is scraped twice",
    )
    .when("one job scrapes each kubelet twice", |e| {
        targets(page(e), "kubelet", "up", 4.0);
    }),
    passes("SF432", "2 Ready nodes").when("a kubelet of a node that has just gone is scraped", |e| {
        targets(page(e), "kubelet", "up", 3.0);
        targets(page(e), "kubelet-cadvisor", "up", 3.0);
    }),
    warns(
        "SF432",
        "jobs containers, kubelet-cadvisor have 4 targets of cAdvisor up for 2 nodes: some are read twice",
    )
    .when("two jobs read cadvisor", |e| {
        another_job(e, "containers", Some(true), [2.0, 2.0]);
    }),
    warns("SF432", "have 3 targets of cAdvisor up for 2 nodes").when("a second job reads cadvisor of a pool", |e| {
        another_job(e, "containers", Some(true), [1.0, 2.0]);
    }),
    passes("SF432", "2 Ready nodes").when("a second job that reads cadvisor has no target", |e| {
        another_job(e, "containers", Some(true), [0.0, 2.0]);
    }),
    passes("SF432", "2 Ready nodes").when("another job of nodes, not of cadvisor", |e| {
        another_job(e, "node-exporter", Some(false), [2.0, 2.0]);
    }),
    unseen("SF432", "whether job containers reads cAdvisor was not read").when("a job of which little was read", |e| {
        another_job(e, "containers", None, [2.0, 2.0]);
    }),
    fails("SF433", "vmagent-0 scrapes kube-state-metrics without honor_labels")
        .when("no honor_labels in effect", |e| jobs(page(e))[2].honor_labels = false),
    fails("SF433", "vmagent-0 has no scrape job kube-state-metrics")
        .when("no such job in effect", |e| jobs(page(e)).truncate(2)),
    unseen("SF433", "refused").when("vmagent does not tell its jobs", |e| {
        page(e).jobs = Some(unknown(Reason::Refused));
    }),
    unseen("SF433", "the jobs of vmagent-0 were not read")
        .when("vmagent was not asked for its jobs", |e| page(e).jobs = None),
    fails(
        "SF434",
        "vmagent-0 has delivered nothing in the 1h since it started, after 312 failures since it started",
    )
    .when("the store accepts nothing", |e| {
        set(page(e), ACCEPTED, 0.0);
        set(page(e), ERRORS, 312.0);
        again(page(e), &[]);
    }),
    fails(
        "SF434",
        "vmagent-0 delivered nothing within 10s, and more than that waits",
    )
    .when("the store hangs", |e| {
        set(page(e), WAITING, 5e5);
        again(page(e), &[(WAITING, 6e5)]);
    }),
    fails(
        "SF434",
        "vmagent-0 was refused 4 times within 10s and delivered nothing",
    )
    .when("the store fails", |e| {
        set(page(e), ERRORS, 20.0);
        again(page(e), &[(ERRORS, 24.0)]);
    }),
    passes("SF434", "1 pod").when("the store failed an hour ago", |e| {
        set(page(e), ERRORS, 20.0);
        again(page(e), &[(ACCEPTED, 4_215.0)]);
    }),
    passes("SF434", "1 pod").when("the store is caught up with", |e| {
        set(page(e), WAITING, 5e7);
        again(page(e), &[(WAITING, 4e7), (ACCEPTED, 4_300.0)]);
    }),
    unseen(
        "SF434",
        "nothing is delivered yet by 1 pod, which started less than 5m ago",
    )
    .when("vmagent has sent nothing yet", |e| {
        set(page(e), ACCEPTED, 0.0);
        set(page(e), UPTIME, 20.0);
        again(page(e), &[(UPTIME, 30.0)]);
    }),
    unseen("SF434", "was not read again").when("vmagent's errors were not read again", |e| set(page(e), ERRORS, 20.0)),
    fails("SF435", "the queue of vmagent-0 is 95 % full").when("vmagent's queue is nearly full", |e| {
        set(page(e), "vm_persistentqueue_bytes_pending", 7.6e9);
        set(page(e), "vm_persistentqueue_free_disk_space_bytes", 4e8);
        set(page(e), WAITING, 7.6e9);
        again(page(e), &[(ACCEPTED, 4_300.0)]);
    }),
    warns(
        "SF435",
        "the queue of vmagent-0 grows from 500000 to 600000 bytes within 10s",
    )
    .when("vmagent's queue grows", |e| {
        set(page(e), WAITING, 5e5);
        again(page(e), &[(WAITING, 6e5), (ACCEPTED, 4_300.0)]);
    }),
    passes("SF435", "1 pod").when("vmagent's queue was empty", |e| {
        set(page(e), WAITING, 0.0);
        again(page(e), &[(WAITING, 6e5), (ACCEPTED, 4_300.0)]);
    }),
    passes("SF435", "1 pod").when("vmagent's queue stays as it is", |e| {
        set(page(e), WAITING, 5e5);
        again(page(e), &[(WAITING, 5e5), (ACCEPTED, 4_300.0)]);
    }),
    fails("SF435", "the queue of vmagent-0 is 100 % full").when("vmagent's queue is on a disk without room", |e| {
        set(page(e), "vm_persistentqueue_bytes_pending", 8.0);
        set(page(e), "vm_persistentqueue_free_disk_space_bytes", 0.0);
        set(page(e), WAITING, 8.0);
        again(page(e), &[(ACCEPTED, 4_300.0)]);
    }),
    passes("SF435", "1 pod").when("vmagent's queue is empty, and nothing is known to be free", |e| {
        set(page(e), "vm_persistentqueue_bytes_pending", 0.0);
        set(page(e), "vm_persistentqueue_free_disk_space_bytes", 0.0);
    }),
    fails(
        "SF436",
        "given up now: vmagent-0 (vmagent_remotewrite_packets_dropped_total of 1 by 2)",
    )
    .when("vmagent drops", |e| {
        set(page(e), REFUSED, 3.0);
        again(page(e), &[(REFUSED, 5.0), (ACCEPTED, 4_300.0)]);
    }),
    warns(
        "SF436",
        "given up since it started, none now: vmagent-0 (3 vmagent_remotewrite_packets_dropped_total of 1)",
    )
    .when("vmagent dropped an hour ago", |e| {
        set(page(e), REFUSED, 3.0);
        after(page(e), 40, &[(ACCEPTED, 4_300.0)]);
    }),
    warns("SF436", "7 vm_promscrape_max_scrape_size_exceeded_errors_total").when("a scrape was too large", |e| {
        set(page(e), "vm_promscrape_max_scrape_size_exceeded_errors_total", 7.0);
        after(page(e), 40, &[(ACCEPTED, 4_300.0)]);
    }),
    unseen(
        "SF436",
        "whether vmagent-0 still gives up cannot be told: 7 vm_promscrape_max_scrape_size_exceeded_errors_total; \
         a window of 40s did not fit",
    )
    .when(
        "a scrape was too large, and the time was too short to see another",
        |e| {
            set(page(e), "vm_promscrape_max_scrape_size_exceeded_errors_total", 7.0);
            again(page(e), &[(ACCEPTED, 4_300.0)]);
        },
    ),
    fails(
        "SF436",
        "vmagent_hourly_series_limit_rows_dropped_total at 1840000, and the limit is reached",
    )
    .when("vmagent's limit on series is reached", |e| {
        for (name, value) in [
            ("rows_dropped_total", 1_840_000.0),
            ("current_series", 5e3),
            ("max_series", 5e3),
        ] {
            count(page(e), &format!("vmagent_hourly_series_limit_{name}"), value);
        }
        after(page(e), 40, &[(ACCEPTED, 4_300.0)]);
    }),
    fails(
        "SF434",
        "vmagent-0 (store 2) has delivered nothing in the 1h since it started, after 120 failures",
    )
    .when("one of two stores is down", |e| {
        second_store(page(e));
        of_store(page(e), ACCEPTED, 0.0);
        of_store(page(e), ERRORS, 120.0);
        after(page(e), 40, &[]);
        more_of_the_first(page(e));
    }),
    fails(
        "SF434",
        "vmagent-0 (store 2) was refused 3 times within 40s and delivered nothing",
    )
    .when("one of two stores fails since a moment ago", |e| {
        second_store(page(e));
        of_store(page(e), ERRORS, 9.0);
        after(page(e), 40, &[]);
        more_of_the_first(page(e));
        let again = page(e).again.take().unwrap();
        let first = std::mem::replace(&mut page(e).first, again);
        of_store(page(e), ERRORS, 12.0);
        let again = std::mem::replace(&mut page(e).first, first);
        page(e).again = Some(again);
    }),
    fails("SF435", "the queue of vmagent-0 for store 2 is 90 % full").when("one of two queues is nearly full", |e| {
        second_store(page(e));
        of_store(page(e), "vm_persistentqueue_bytes_pending", 7.2e9);
        of_store(page(e), "vm_persistentqueue_free_disk_space_bytes", 8e8);
        of_store(page(e), WAITING, 7.2e9);
        again(page(e), &[(ACCEPTED, 4_300.0)]);
    }),
    warns("SF435", "the queue of vmagent-0 is 30 % full").when("vmagent's queue fills", |e| {
        set(page(e), "vm_persistentqueue_bytes_pending", 3e9);
        set(page(e), "vm_persistentqueue_free_disk_space_bytes", 7e9);
        set(page(e), WAITING, 3e9);
        again(page(e), &[(ACCEPTED, 4_300.0)]);
    }),
    fails("SF434", "vmagent-0 takes in and delivered nothing within 40s").when(
        "the store refuses so seldom that it is not seen",
        |e| {
            set(page(e), ERRORS, 20.0);
            after(
                page(e),
                40,
                &[("vmagent_remotewrite_rows_pushed_after_relabel_total", 1_065_900.0)],
            );
        },
    ),
    unseen(
        "SF434",
        "nothing was refused, after 20 failures since it started; a window of 40s did not fit",
    )
    .when("the store failed, and the time was too short to see it work", |e| {
        set(page(e), ERRORS, 20.0);
        again(page(e), &[]);
    }),
    fails("SF432", "job kubelet has 1 up of the 2 targets it needs, 1 down").when(
        "vmagents that do not share the kubelets, and one lacks one",
        |e| {
            let mut second = page(e).clone();
            second.pod = "vmagent-1".into();
            for job in ["kubelet", "kubelet-cadvisor"] {
                targets(&mut second, job, "up", 1.0);
                targets(&mut second, job, "down", 1.0);
            }
            seen(&mut e.telemetry.vmagent.metrics).push(second);
            second_pod(e);
        },
    ),
    fails("SF432", "job kubelet has 1 up of the 2 targets it needs, 3 down").when(
        "vmagents share the kubelets, each of which two have",
        |e| {
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
    ),
];
