//! Step 4, vmagent as it is installed.

use crate::case::Case;
use crate::given::{changed, seen, unknown};
use starform_verify::evidence::{
    Evidence, Hidden, Observed, Reason, ScrapeConfig, ScrapeJob, Source, TelemetryWorkload, UnreadArgument,
    VmagentSettings, VolumeKind, Workload,
};
use starform_verify::report::Verdict::{Fail, Pass, Unknown as Unseen, Warn};

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
    Case {
        name: "vmagent not installed",
        code: "SF421",
        verdict: Fail,
        says: "no StatefulSet or Deployment app.kubernetes.io/name=victoria-metrics-agent",
        change: |e| vmagents(e).clear(),
    },
    Case {
        name: "vmagent in default",
        code: "SF421",
        verdict: Warn,
        says: "vmagent stands in namespace default",
        change: |e| {
            vmagent(e).namespace = "default".into();
            vmagent_settings(e).namespace = "default".into();
        },
    },
    Case {
        name: "vmagent twice",
        code: "SF421",
        verdict: Warn,
        says: "vmagent stands more than once: telemetry/vmagent, telemetry/vmagent-2",
        change: |e| {
            let mut other = vmagents(e)[0].clone();
            other.workload.name = "vmagent-2".into();
            vmagents(e).push(other);
        },
    },
    Case {
        name: "vmagent scaled to zero",
        code: "SF422",
        verdict: Fail,
        says: "StatefulSet vmagent is scaled to 0",
        change: |e| vmagent(e).desired = 0,
    },
    Case {
        name: "vmagent down",
        code: "SF422",
        verdict: Fail,
        says: "StatefulSet vmagent has 0 of 1 pods ready (Stuck: no volume)",
        change: |e| {
            vmagent(e).ready = 0;
            vmagent(e).trouble = Some("Stuck: no volume".into());
        },
    },
    Case {
        name: "a replica of vmagent down",
        code: "SF422",
        verdict: Warn,
        says: "has 1 of 2 pods ready",
        change: |e| vmagent(e).desired = 2,
    },
    Case {
        name: "a shard of vmagent down",
        code: "SF422",
        verdict: Fail,
        says: "has 1 of 2 pods ready",
        change: |e| {
            vmagent(e).desired = 2;
            let members = ("--promscrape.cluster.membersCount".to_owned(), vec!["2".to_owned()]);
            vmagent(e).flags.extend([members]);
        },
    },
    Case {
        name: "a shard of vmagent that is being replaced",
        code: "SF422",
        verdict: Warn,
        says: "has 1 of 2 pods ready: its rollout began 40s ago",
        change: |e| {
            vmagent(e).desired = 2;
            vmagent(e).last_change = Some(changed(e, Source::VmagentWorkloads, 40));
            flag_of(e, "--promscrape.cluster.membersCount", "2");
        },
    },
    Case {
        name: "a shard of vmagent that another has too",
        code: "SF422",
        verdict: Warn,
        says: "has 1 of 2 pods ready",
        change: |e| {
            vmagent(e).desired = 2;
            let flags = [
                "--promscrape.cluster.membersCount",
                "--promscrape.cluster.replicationFactor",
            ];
            vmagent(e)
                .flags
                .extend(flags.map(|flag| (flag.to_owned(), vec!["2".to_owned()])));
        },
    },
    Case {
        name: "one of two vmagents, of which not known whether they share the targets",
        code: "SF422",
        verdict: Unseen,
        says: "has 1 of 2 pods ready; --promscrape.cluster.membersCount of StatefulSet vmagent is not known",
        change: |e| {
            vmagent(e).desired = 2;
            unread(e, "--promscrape.cluster.membersCount");
        },
    },
    Case {
        name: "an address that a variable may hold that was not read",
        code: "SF424",
        verdict: Unseen,
        says: "--remoteWrite.url is not known: variable URL may come from envFrom",
        change: |e| {
            vmagent_settings(e).remote_writes[0].address = None;
            vmagent_settings(e).remote_writes[0].unread = Some("variable URL may come from envFrom".into());
            vmagent_settings(e).remote_writes[0].hidden = Some(Hidden::Elsewhere);
        },
    },
    Case {
        name: "a queue whose place is not known",
        code: "SF425",
        verdict: Unseen,
        says: "--remoteWrite.tmpDataPath of StatefulSet vmagent is not known: variable SOME comes from a ConfigMap",
        change: |e| unread(e, "--remoteWrite.tmpDataPath"),
    },
    Case {
        name: "a size of pages that is not known",
        code: "SF426",
        verdict: Unseen,
        says: "--promscrape.maxScrapeSize of StatefulSet vmagent is not known",
        change: |e| {
            unread(e, "--promscrape.maxScrapeSize");
            for job in jobs(e) {
                job.max_scrape_size = None;
            }
        },
    },
    Case {
        name: "vmagent rolls out",
        code: "SF422",
        verdict: Warn,
        says: "is rolling out",
        change: |e| vmagent(e).updated = 0,
    },
    Case {
        name: "vmagent's pods are not listed",
        code: "SF422",
        verdict: Unseen,
        says: "the list of pods has none of it",
        change: |e| vmagents(e)[0].pods.clear(),
    },
    Case {
        name: "old vmagent",
        code: "SF423",
        verdict: Fail,
        says: "vmagent 1.90.0 is not accepted",
        change: |e| vmagent(e).version = Some("1.90.0".into()),
    },
    Case {
        name: "no remote write",
        code: "SF424",
        verdict: Fail,
        says: "no --remoteWrite.url",
        change: |e| vmagent_settings(e).remote_writes.clear(),
    },
    Case {
        name: "a remote write that is no url",
        code: "SF424",
        verdict: Fail,
        says: "--remoteWrite.url is no address: it is no URL",
        change: |e| {
            let write = &mut vmagent_settings(e).remote_writes[0];
            write.address = None;
            write.unread = Some("it is no URL".into());
            write.hidden = Some(Hidden::Nowhere);
        },
    },
    Case {
        name: "a remote write from a secret",
        code: "SF424",
        verdict: Pass,
        says: "an address in a Secret",
        change: |e| {
            let write = &mut vmagent_settings(e).remote_writes[0];
            write.address = None;
            write.unread = Some("variable URL comes from a Secret".into());
            write.hidden = Some(Hidden::Secret);
        },
    },
    Case {
        name: "a remote write without tls",
        code: "SF424",
        verdict: Warn,
        says: "http://10.10.0.3:8428/api/v1/write is written to without TLS",
        change: |e| vmagent_settings(e).remote_writes[0].address = Some("http://10.10.0.3:8428/api/v1/write".into()),
    },
    Case {
        name: "a remote write to its own pod",
        code: "SF424",
        verdict: Pass,
        says: "http://localhost:8428/",
        change: |e| vmagent_settings(e).remote_writes[0].address = Some("http://localhost:8428/".into()),
    },
    Case {
        name: "vmagent's configmap is gone",
        code: "SF424",
        verdict: Fail,
        says: "a ConfigMap that vmagent's pods are made from does not exist",
        change: |e| e.telemetry.vmagent_settings = Observed::Absent,
    },
    Case {
        name: "vmagent's configuration is forbidden",
        code: "SF424",
        verdict: Unseen,
        says: "forbidden",
        change: |e| e.telemetry.vmagent_settings = unknown(Reason::Forbidden),
    },
    Case {
        name: "the queue in an emptydir",
        code: "SF425",
        verdict: Fail,
        says: "the queue, /tmpData, is on an emptyDir",
        change: |e| vmagent_settings(e).mounts[0].kind = VolumeKind::EmptyDir,
    },
    Case {
        name: "the queue in the container",
        code: "SF425",
        verdict: Fail,
        says: "is on the container's own files",
        change: |e| {
            vmagent(e).flags.remove("--remoteWrite.tmpDataPath");
        },
    },
    Case {
        name: "the queue in memory",
        code: "SF425",
        verdict: Fail,
        says: "the queue is in memory",
        change: |e| flag_of(e, "--remoteWrite.disableOnDiskQueue", ""),
    },
    Case {
        name: "an unbounded queue",
        code: "SF425",
        verdict: Fail,
        says: "no --remoteWrite.maxDiskUsagePerURL",
        change: |e| {
            vmagent(e).flags.remove("--remoteWrite.maxDiskUsagePerURL");
        },
    },
    Case {
        name: "a queue without end",
        code: "SF425",
        verdict: Fail,
        says: "no --remoteWrite.maxDiskUsagePerURL",
        change: |e| flag_of(e, "--remoteWrite.maxDiskUsagePerURL", "0"),
    },
    Case {
        name: "a queue larger than its volume",
        code: "SF425",
        verdict: Fail,
        says: "its volume has 10Gi",
        change: |e| flag_of(e, "--remoteWrite.maxDiskUsagePerURL", "10Gi"),
    },
    Case {
        name: "two queues larger than their volume",
        code: "SF425",
        verdict: Fail,
        says: "its volume has 10Gi",
        change: |e| {
            let again = vmagent_settings(e).remote_writes[0].clone();
            vmagent_settings(e).remote_writes.push(again);
        },
    },
    Case {
        name: "no job for kube-state-metrics",
        code: "SF426",
        verdict: Fail,
        says: "no job for kube-state-metrics",
        change: |e| {
            jobs(e).pop();
        },
    },
    Case {
        name: "jobs in a file that was not read",
        code: "SF426",
        verdict: Unseen,
        says: "scrape_config_files were not read",
        change: |e| {
            jobs(e).pop();
            scrape(e).other_sections = vec!["scrape_config_files".into()];
        },
    },
    Case {
        name: "labels are not honored",
        code: "SF426",
        verdict: Fail,
        says: "job kube-state-metrics has no honor_labels",
        change: |e| jobs(e)[1].honor_labels = false,
    },
    Case {
        name: "another job scrapes kube-state-metrics too",
        code: "SF426",
        verdict: Fail,
        says: "job services has no honor_labels",
        change: |e| {
            let mut other = jobs(e)[1].clone();
            other.name = "services".into();
            other.honor_labels = false;
            jobs(e).push(other);
        },
    },
    Case {
        name: "kube-state-metrics is scraped twice",
        code: "SF426",
        verdict: Warn,
        says: "2 jobs scrape kube-state-metrics",
        change: |e| {
            let again = jobs(e)[1].clone();
            jobs(e).push(again);
        },
    },
    Case {
        name: "no port filter",
        code: "SF426",
        verdict: Warn,
        says: "scrapes every port of kube-state-metrics",
        change: |e| {
            jobs(e)[1].keeps.pop();
        },
    },
    Case {
        name: "small pages only",
        code: "SF426",
        verdict: Warn,
        says: "takes pages of 16 MiB at most",
        change: |e| {
            vmagent(e).flags.remove("--promscrape.maxScrapeSize");
        },
    },
    Case {
        name: "the job's own page size",
        code: "SF426",
        verdict: Pass,
        says: "kube-state-metrics",
        change: |e| {
            vmagent(e).flags.remove("--promscrape.maxScrapeSize");
            jobs(e)[1].max_scrape_size = Some("64MiB".into());
        },
    },
    Case {
        name: "recording rules in vmagent",
        code: "SF426",
        verdict: Fail,
        says: "has rule_files, with which vmagent does not start",
        change: |e| scrape(e).other_sections = vec!["rule_files".into()],
    },
    Case {
        name: "no scrape configuration",
        code: "SF424",
        verdict: Fail,
        says: "nothing is scraped",
        change: |e| vmagent_settings(e).scrape = None,
    },
    Case {
        name: "kubelets through the api server",
        code: "SF427",
        verdict: Fail,
        says: "reads the kubelets through the API server",
        change: |e| {
            let api_server = ("__address__".to_owned(), "kubernetes.default.svc:443".to_owned());
            jobs(e)[0].replaced.extend([api_server]);
        },
    },
    Case {
        name: "kubelets through the api server's proxy",
        code: "SF427",
        verdict: Fail,
        says: "reads the kubelets through the API server",
        change: |e| jobs(e)[0].path = "/api/v1/nodes/node1/proxy/metrics/cadvisor".into(),
    },
    Case {
        name: "no cadvisor",
        code: "SF427",
        verdict: Fail,
        says: "no job reads cAdvisor",
        change: |e| {
            jobs(e).remove(0);
        },
    },
    Case {
        name: "cadvisor of one address",
        code: "SF427",
        verdict: Fail,
        says: "does not read every kubelet over HTTPS",
        change: |e| jobs(e)[0].discovery = vec!["static".into()],
    },
    Case {
        name: "series without a region",
        code: "SF428",
        verdict: Fail,
        says: "series have no region",
        change: |e| {
            vmagent_settings(e).labels.remove("region");
            scrape(e).external_labels.remove("region");
        },
    },
    Case {
        name: "labels on scraped series only",
        code: "SF428",
        verdict: Pass,
        says: "cluster=testbed, region=nyc3",
        change: |e| vmagent_settings(e).labels.clear(),
    },
    Case {
        name: "two values of the cluster",
        code: "SF428",
        verdict: Warn,
        says: "tell two values of cluster",
        change: |e| {
            scrape(e).external_labels.insert("cluster".into(), "other".into());
        },
    },
    Case {
        name: "vmagent's password in clear",
        code: "SF429",
        verdict: Fail,
        says: "1 credential in clear: flag --remoteWrite.basicAuth.password",
        change: |e| vmagent_settings(e).credentials_in_clear = vec!["flag --remoteWrite.basicAuth.password".into()],
    },
    Case {
        name: "a password in the store's address",
        code: "SF429",
        verdict: Fail,
        says: "flag --remoteWrite.url",
        change: |e| vmagent_settings(e).remote_writes[0].has_credentials = true,
    },
    Case {
        name: "a Deployment of vmagent that writes nowhere",
        code: "SF424",
        verdict: Fail,
        says: "",
        change: |e| {
            vmagent(e).kind = starform_verify::evidence::WorkloadKind::Deployment;
            vmagent_settings(e).remote_writes.clear();
        },
    },
    Case {
        name: "vmagents that share the targets roll out",
        code: "SF422",
        verdict: Warn,
        says: "is rolling out",
        change: |e| {
            flag_of(e, "--promscrape.cluster.membersCount", "2");
            vmagent(e).updated = 0;
        },
    },
    Case {
        name: "kube-state-metrics by its name",
        code: "SF426",
        verdict: Pass,
        says: "kube-state-metrics",
        change: |e| {
            jobs(e)[1].keeps.clear();
            jobs(e)[1].discovery = vec!["static".into()];
        },
    },
    Case {
        name: "kube-state-metrics by its Service",
        code: "SF426",
        verdict: Pass,
        says: "kube-state-metrics",
        change: |e| {
            jobs(e)[1].keeps.pop();
            jobs(e)[1].discovery = vec!["service".into()];
        },
    },
    Case {
        name: "cadvisor in a file that was not read",
        code: "SF427",
        verdict: Unseen,
        says: "no job for cAdvisor, and scrape_config_files were not read",
        change: |e| {
            jobs(e).remove(0);
            scrape(e).other_sections = vec!["scrape_config_files".into()];
        },
    },
    Case {
        name: "no cadvisor, and a global section",
        code: "SF427",
        verdict: Fail,
        says: "no job reads cAdvisor",
        change: |e| {
            jobs(e).remove(0);
            scrape(e).other_sections = vec!["global".into()];
        },
    },
    Case {
        name: "small pages only, as written",
        code: "SF426",
        verdict: Warn,
        says: "takes pages of 16 MiB at most",
        change: |e| flag_of(e, "--promscrape.maxScrapeSize", "16777216"),
    },
    Case {
        name: "pages that are a byte larger",
        code: "SF426",
        verdict: Pass,
        says: "kube-state-metrics",
        change: |e| flag_of(e, "--promscrape.maxScrapeSize", "16777217"),
    },
];
