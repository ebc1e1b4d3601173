//! Step 4, vmagent as it is installed.

use crate::case::{Case, fails, passes, unseen, warns};
use crate::given::{changed, seen, unknown};
use starform_verify::evidence::{
    Evidence, Hidden, Observed, Reason, Rollout, ScrapeConfig, ScrapeJob, Source, TelemetryWorkload, UnreadArgument,
    VmagentSettings, VolumeKind, Workload,
};

fn vmagents(evidence: &mut Evidence) -> &mut Vec<TelemetryWorkload> {
    seen(&mut evidence.telemetry.vmagent.workloads)
}

fn vmagent(evidence: &mut Evidence) -> &mut Workload {
    &mut vmagents(evidence)[0].workload
}

fn flag_of(evidence: &mut Evidence, name: &str, value: &str) {
    vmagent(evidence).flags.insert(name.to_owned(), vec![value.to_owned()]);
}

/// The value of a flag is not known: a variable in it was not read.
fn unread(evidence: &mut Evidence, name: &str) {
    flag_of(evidence, name, "$(SOME)");
    vmagent(evidence).unread_arguments.push(UnreadArgument {
        flag: Some(name.to_owned()),
        why: "variable SOME comes from a ConfigMap".to_owned(),
    });
}

fn vmagent_settings(evidence: &mut Evidence) -> &mut VmagentSettings {
    &mut seen(&mut evidence.telemetry.vmagent_settings)[0]
}

fn scrape(evidence: &mut Evidence) -> &mut ScrapeConfig {
    vmagent_settings(evidence).scrape.as_mut().unwrap()
}

fn jobs(evidence: &mut Evidence) -> &mut Vec<ScrapeJob> {
    &mut scrape(evidence).jobs
}

pub(crate) const CASES: &[Case] = &[
    fails(
        "SF421",
        "no StatefulSet or Deployment app.kubernetes.io/name=victoria-metrics-agent",
    )
    .when("vmagent not installed", |e| vmagents(e).clear()),
    warns("SF421", "vmagent stands in namespace default").when("vmagent in default", |e| {
        vmagent(e).namespace = "default".into();
        vmagent_settings(e).namespace = "default".into();
    }),
    warns(
        "SF421",
        "vmagent stands more than once: telemetry/vmagent, telemetry/vmagent-2",
    )
    .when("vmagent twice", |e| {
        let mut other = vmagents(e)[0].clone();
        other.workload.name = "vmagent-2".into();
        vmagents(e).push(other);
    }),
    fails("SF422", "StatefulSet vmagent is scaled to 0").when("vmagent scaled to zero", |e| vmagent(e).desired = 0),
    fails("SF422", "StatefulSet vmagent has 0 of 1 pods ready (Stuck: no volume)").when("vmagent down", |e| {
        vmagent(e).ready = 0;
        vmagent(e).trouble = Some("Stuck: no volume".into());
    }),
    warns("SF422", "has 1 of 2 pods ready").when("a replica of vmagent down", |e| vmagent(e).desired = 2),
    fails("SF422", "has 1 of 2 pods ready").when("a shard of vmagent down", |e| {
        vmagent(e).desired = 2;
        let members = ("--promscrape.cluster.membersCount".to_owned(), vec!["2".to_owned()]);
        vmagent(e).flags.extend([members]);
    }),
    warns("SF422", "has 1 of 2 pods ready: its rollout began 40s ago").when(
        "a shard of vmagent that is being replaced",
        |e| {
            vmagent(e).desired = 2;
            vmagent(e).rollout = Some(Rollout {
                revision: Some("b".into()),
                whole_revision: Some("a".into()),
                ..Rollout::default()
            });
            vmagent(e).last_change = Some(changed(e, Source::VmagentWorkloads, 40));
            flag_of(e, "--promscrape.cluster.membersCount", "2");
        },
    ),
    warns("SF422", "has 1 of 2 pods ready").when("a shard of vmagent that another has too", |e| {
        vmagent(e).desired = 2;
        let flags = [
            "--promscrape.cluster.membersCount",
            "--promscrape.cluster.replicationFactor",
        ];
        vmagent(e)
            .flags
            .extend(flags.map(|flag| (flag.to_owned(), vec!["2".to_owned()])));
    }),
    unseen(
        "SF422",
        "has 1 of 2 pods ready; --promscrape.cluster.membersCount of StatefulSet vmagent is not known",
    )
    .when(
        "one of two vmagents, of which not known whether they share the targets",
        |e| {
            vmagent(e).desired = 2;
            unread(e, "--promscrape.cluster.membersCount");
        },
    ),
    unseen(
        "SF424",
        "--remoteWrite.url is not known: variable URL may come from envFrom",
    )
    .when("an address that a variable may hold that was not read", |e| {
        vmagent_settings(e).remote_writes[0].address = None;
        vmagent_settings(e).remote_writes[0].unread = Some("variable URL may come from envFrom".into());
        vmagent_settings(e).remote_writes[0].hidden = Some(Hidden::Elsewhere);
    }),
    unseen(
        "SF425",
        "--remoteWrite.tmpDataPath of StatefulSet vmagent is not known: variable SOME comes from a ConfigMap",
    )
    .when("a queue whose place is not known", |e| {
        unread(e, "--remoteWrite.tmpDataPath");
    }),
    unseen(
        "SF426",
        "--promscrape.maxScrapeSize of StatefulSet vmagent is not known",
    )
    .when("a size of pages that is not known", |e| {
        unread(e, "--promscrape.maxScrapeSize");
        for job in jobs(e) {
            job.max_scrape_size = None;
        }
    }),
    warns("SF422", "is rolling out").when("vmagent rolls out", |e| vmagent(e).updated = 0),
    unseen("SF422", "the list of pods has none of it")
        .when("vmagent's pods are not listed", |e| vmagents(e)[0].pods.clear()),
    fails("SF423", "vmagent 1.90.0 is not accepted")
        .when("old vmagent", |e| vmagent(e).version = Some("1.90.0".into())),
    fails("SF424", "no --remoteWrite.url").when("no remote write", |e| vmagent_settings(e).remote_writes.clear()),
    fails("SF424", "--remoteWrite.url is no address: it is no URL").when("a remote write that is no url", |e| {
        let write = &mut vmagent_settings(e).remote_writes[0];
        write.address = None;
        write.unread = Some("it is no URL".into());
        write.hidden = Some(Hidden::Nowhere);
    }),
    passes("SF424", "an address in a Secret").when("a remote write from a secret", |e| {
        let write = &mut vmagent_settings(e).remote_writes[0];
        write.address = None;
        write.unread = Some("variable URL comes from a Secret".into());
        write.hidden = Some(Hidden::Secret);
    }),
    warns("SF424", "http://10.10.0.3:8428/api/v1/write is written to without TLS").when(
        "a remote write without tls",
        |e| {
            vmagent_settings(e).remote_writes[0].address = Some("http://10.10.0.3:8428/api/v1/write".into());
        },
    ),
    passes("SF424", "http://localhost:8428/").when("a remote write to its own pod", |e| {
        vmagent_settings(e).remote_writes[0].address = Some("http://localhost:8428/".into());
    }),
    fails("SF424", "a ConfigMap that vmagent's pods are made from does not exist").when(
        "vmagent's configmap is gone",
        |e| {
            e.telemetry.vmagent_settings = Observed::Absent;
        },
    ),
    unseen("SF424", "forbidden").when("vmagent's configuration is forbidden", |e| {
        e.telemetry.vmagent_settings = unknown(Reason::Forbidden);
    }),
    fails("SF425", "the queue, /tmpData, is on an emptyDir").when("the queue in an emptydir", |e| {
        vmagent_settings(e).mounts[0].kind = VolumeKind::EmptyDir;
    }),
    fails("SF425", "is on the container's own files").when("the queue in the container", |e| {
        vmagent(e).flags.remove("--remoteWrite.tmpDataPath");
    }),
    fails("SF425", "the queue is in memory").when("the queue in memory", |e| {
        flag_of(e, "--remoteWrite.disableOnDiskQueue", "");
    }),
    fails("SF425", "no --remoteWrite.maxDiskUsagePerURL").when("an unbounded queue", |e| {
        vmagent(e).flags.remove("--remoteWrite.maxDiskUsagePerURL");
    }),
    fails("SF425", "no --remoteWrite.maxDiskUsagePerURL").when("a queue without end", |e| {
        flag_of(e, "--remoteWrite.maxDiskUsagePerURL", "0");
    }),
    fails("SF425", "its volume has 10Gi").when("a queue larger than its volume", |e| {
        flag_of(e, "--remoteWrite.maxDiskUsagePerURL", "10Gi");
    }),
    fails("SF425", "its volume has 10Gi").when("two queues larger than their volume", |e| {
        let again = vmagent_settings(e).remote_writes[0].clone();
        vmagent_settings(e).remote_writes.push(again);
    }),
    fails("SF426", "no job for kube-state-metrics").when("no job for kube-state-metrics", |e| {
        jobs(e).pop();
    }),
    unseen("SF426", "scrape_config_files were not read").when("jobs in a file that was not read", |e| {
        jobs(e).pop();
        scrape(e).other_sections = vec!["scrape_config_files".into()];
    }),
    fails("SF426", "job kube-state-metrics has no honor_labels")
        .when("labels are not honored", |e| jobs(e)[1].honor_labels = false),
    fails("SF426", "job services has no honor_labels").when("another job scrapes kube-state-metrics too", |e| {
        let mut other = jobs(e)[1].clone();
        other.name = "services".into();
        other.honor_labels = false;
        jobs(e).push(other);
    }),
    warns("SF426", "2 jobs scrape kube-state-metrics").when("kube-state-metrics is scraped twice", |e| {
        let again = jobs(e)[1].clone();
        jobs(e).push(again);
    }),
    warns("SF426", "scrapes every port of kube-state-metrics").when("no port filter", |e| {
        jobs(e)[1].keeps.pop();
    }),
    warns("SF426", "takes pages of 16 MiB at most").when("small pages only", |e| {
        vmagent(e).flags.remove("--promscrape.maxScrapeSize");
    }),
    passes("SF426", "kube-state-metrics").when("the job's own page size", |e| {
        vmagent(e).flags.remove("--promscrape.maxScrapeSize");
        jobs(e)[1].max_scrape_size = Some("64MiB".into());
    }),
    fails("SF426", "has rule_files, with which vmagent does not start").when("recording rules in vmagent", |e| {
        scrape(e).other_sections = vec!["rule_files".into()];
    }),
    fails("SF424", "nothing is scraped").when("no scrape configuration", |e| vmagent_settings(e).scrape = None),
    fails("SF427", "reads the kubelets through the API server").when("kubelets through the api server", |e| {
        let api_server = ("__address__".to_owned(), "kubernetes.default.svc:443".to_owned());
        jobs(e)[0].replaced.extend([api_server]);
    }),
    fails("SF427", "reads the kubelets through the API server").when("kubelets through the api server's proxy", |e| {
        jobs(e)[0].path = "/api/v1/nodes/node1/proxy/metrics/cadvisor".into();
    }),
    fails("SF427", "no job reads cAdvisor").when("no cadvisor", |e| {
        jobs(e).remove(0);
    }),
    fails("SF427", "does not read every kubelet over HTTPS").when("cadvisor of one address", |e| {
        jobs(e)[0].discovery = vec!["static".into()];
    }),
    fails("SF428", "series have no region").when("series without a region", |e| {
        vmagent_settings(e).labels.remove("region");
        scrape(e).external_labels.remove("region");
    }),
    passes("SF428", "cluster=testbed, region=nyc3")
        .when("labels on scraped series only", |e| vmagent_settings(e).labels.clear()),
    warns("SF428", "tell two values of cluster").when("two values of the cluster", |e| {
        scrape(e).external_labels.insert("cluster".into(), "other".into());
    }),
    fails("SF429", "1 credential in clear: flag --remoteWrite.basicAuth.password").when(
        "vmagent's password in clear",
        |e| {
            vmagent_settings(e).credentials_in_clear = vec!["flag --remoteWrite.basicAuth.password".into()];
        },
    ),
    fails("SF429", "flag --remoteWrite.url").when("a password in the store's address", |e| {
        vmagent_settings(e).remote_writes[0].has_credentials = true;
    }),
    fails("SF424", "").when("a Deployment of vmagent that writes nowhere", |e| {
        vmagent(e).kind = starform_verify::evidence::WorkloadKind::Deployment;
        vmagent_settings(e).remote_writes.clear();
    }),
    warns("SF422", "is rolling out").when("vmagents that share the targets roll out", |e| {
        flag_of(e, "--promscrape.cluster.membersCount", "2");
        vmagent(e).updated = 0;
    }),
    passes("SF426", "kube-state-metrics").when("kube-state-metrics by its name", |e| {
        jobs(e)[1].keeps.clear();
        jobs(e)[1].discovery = vec!["static".into()];
    }),
    passes("SF426", "kube-state-metrics").when("kube-state-metrics by its Service", |e| {
        jobs(e)[1].keeps.pop();
        jobs(e)[1].discovery = vec!["service".into()];
    }),
    unseen("SF427", "no job for cAdvisor, and scrape_config_files were not read").when(
        "cadvisor in a file that was not read",
        |e| {
            jobs(e).remove(0);
            scrape(e).other_sections = vec!["scrape_config_files".into()];
        },
    ),
    fails("SF427", "no job reads cAdvisor").when("no cadvisor, and a global section", |e| {
        jobs(e).remove(0);
        scrape(e).other_sections = vec!["global".into()];
    }),
    warns("SF426", "takes pages of 16 MiB at most").when("small pages only, as written", |e| {
        flag_of(e, "--promscrape.maxScrapeSize", "16777216");
    }),
    passes("SF426", "kube-state-metrics").when("pages that are a byte larger", |e| {
        flag_of(e, "--promscrape.maxScrapeSize", "16777217");
    }),
];
