//! Step 4, Fluent Bit as it is installed.

use crate::case::Case;
use crate::given::{nodes, seen, unknown};
use starform_verify::evidence::{
    Evidence, FluentBitPlugin, FluentBitSettings, Observed, Reason, Source, TelemetryWorkload, VolumeKind, Workload,
};
use starform_verify::report::Verdict::{Fail, Pass, Unknown as Unseen, Warn};

fn fluent_bits(evidence: &mut Evidence) -> &mut Vec<TelemetryWorkload> {
    seen(&mut evidence.telemetry.fluent_bit.workloads)
}

fn fluent_bit(evidence: &mut Evidence) -> &mut Workload {
    &mut fluent_bits(evidence)[0].workload
}

fn fluent_bit_settings(evidence: &mut Evidence) -> &mut FluentBitSettings {
    &mut seen(&mut evidence.telemetry.fluent_bit_settings)[0]
}

fn input(evidence: &mut Evidence) -> &mut FluentBitPlugin {
    &mut fluent_bit_settings(evidence).inputs[0]
}

fn output(evidence: &mut Evidence) -> &mut FluentBitPlugin {
    &mut fluent_bit_settings(evidence).outputs[0]
}

fn set(plugin: &mut FluentBitPlugin, key: &str, value: &str) {
    plugin.settings.insert(key.to_owned(), value.to_owned());
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "fluent bit not installed",
        code: "SF401",
        verdict: Fail,
        says: "no DaemonSet app.kubernetes.io/name=fluent-bit in the cluster",
        change: |e| fluent_bits(e).clear(),
    },
    Case {
        name: "fluent bit in a tenant's namespace",
        code: "SF401",
        verdict: Fail,
        says: "stands only where the contract does not accept it: shop/fluent-bit",
        change: |e| {
            fluent_bits(e).clear();
            e.telemetry.fluent_bit.elsewhere = vec!["shop/fluent-bit".into()];
        },
    },
    Case {
        name: "fluent bit in default",
        code: "SF401",
        verdict: Warn,
        says: "Fluent Bit stands in namespace default",
        change: |e| fluent_bit(e).namespace = "default".into(),
    },
    Case {
        name: "fluent bit twice",
        code: "SF401",
        verdict: Warn,
        says: "stands more than once: telemetry/fluent-bit, default/fluent-bit",
        change: |e| {
            let mut other = fluent_bits(e)[0].clone();
            other.workload.namespace = "default".into();
            fluent_bits(e).push(other);
        },
    },
    Case {
        name: "fluent bit cannot be listed",
        code: "SF401",
        verdict: Unseen,
        says: "refused",
        change: |e| e.telemetry.fluent_bit.workloads = unknown(Reason::Refused),
    },
    Case {
        name: "a tainted node that fluent bit does not tolerate",
        code: "SF402",
        verdict: Fail,
        says: "1 Ready node without a pod of Fluent Bit: node2",
        change: |e| {
            fluent_bits(e)[0]
                .pods
                .retain(|pod| pod.node.as_deref() != Some("node2"));
            let workload = fluent_bit(e);
            (workload.desired, workload.ready, workload.updated) = (1, 1, 1);
        },
    },
    Case {
        name: "a pod of fluent bit finds no room",
        code: "SF402",
        verdict: Fail,
        says: "1 Ready node without a pod of Fluent Bit: node2",
        change: |e| {
            fluent_bits(e)[0].pods[1].node = None;
            fluent_bit(e).ready = 1;
        },
    },
    Case {
        name: "fluent bit between two pods of a rollout",
        code: "SF402",
        verdict: Warn,
        says: "1 Ready node without a pod of Fluent Bit: node2",
        change: |e| {
            fluent_bits(e)[0].pods.pop();
            let workload = fluent_bit(e);
            (workload.ready, workload.updated) = (1, 1);
        },
    },
    Case {
        name: "a pod of fluent bit is not ready",
        code: "SF402",
        verdict: Fail,
        says: "1 Ready node on which Fluent Bit is not ready: node1",
        change: |e| {
            fluent_bits(e)[0].pods[0].ready = false;
            fluent_bit(e).ready = 1;
        },
    },
    Case {
        name: "fluent bit rolls out",
        code: "SF402",
        verdict: Warn,
        says: "is rolling out: 1 of 2 pods are of the newest revision",
        change: |e| fluent_bit(e).updated = 1,
    },
    Case {
        name: "fluent bit's status is of the past",
        code: "SF402",
        verdict: Warn,
        says: "is rolling out",
        change: |e| fluent_bit(e).observed = false,
    },
    Case {
        name: "fluent bit's pods are not listed",
        code: "SF402",
        verdict: Unseen,
        says: "the list of pods has none of it",
        change: |e| fluent_bits(e)[0].pods.clear(),
    },
    Case {
        name: "every node is new, and fluent bit on none yet",
        code: "SF402",
        verdict: Unseen,
        says: "no Ready node is older than",
        change: |e| {
            let now = e.now(Source::Nodes);
            for node in nodes(e) {
                node.created = now;
            }
            for pod in &mut fluent_bits(e)[0].pods {
                pod.ready = false;
            }
        },
    },
    Case {
        name: "no pod of fluent bit",
        code: "SF402",
        verdict: Fail,
        says: "",
        change: |e| {
            fluent_bit(e).ready = 0;
            fluent_bits(e)[0].pods.clear();
        },
    },
    Case {
        name: "a taint that fluent bit does not tolerate, beside a new node",
        code: "SF402",
        verdict: Fail,
        says: "",
        change: |e| {
            let now = e.now(Source::Nodes);
            nodes(e)[0].created = now;
            fluent_bit(e).desired = 1;
            fluent_bit(e).ready = 1;
            fluent_bit(e).updated = 1;
            fluent_bits(e)[0]
                .pods
                .retain(|pod| pod.node.as_deref() == Some("node1"));
        },
    },
    Case {
        name: "a new node that fluent bit is not on yet",
        code: "SF402",
        verdict: Pass,
        says: "1 node",
        change: |e| {
            nodes(e)[1].created = e.now(Source::Nodes);
            fluent_bits(e)[0].pods.pop();
            let workload = fluent_bit(e);
            (workload.desired, workload.ready, workload.updated) = (1, 1, 1);
        },
    },
    Case {
        name: "no node for fluent bit to be on",
        code: "SF402",
        verdict: Unseen,
        says: "no node is Ready",
        change: |e| nodes(e).clear(),
    },
    Case {
        name: "old fluent bit",
        code: "SF403",
        verdict: Fail,
        says: "Fluent Bit 1.9.9 is not accepted",
        change: |e| fluent_bit(e).version = Some("1.9.9".into()),
    },
    Case {
        name: "fluent bit by digest",
        code: "SF403",
        verdict: Unseen,
        says: "tells no version",
        change: |e| fluent_bit(e).version = None,
    },
    Case {
        name: "the chart's default output",
        code: "SF404",
        verdict: Fail,
        says: "default outputs to elasticsearch-master stand",
        change: |e| {
            set(output(e), "host", "elasticsearch-master");
            output(e).name = "es".into();
        },
    },
    Case {
        name: "no output",
        code: "SF404",
        verdict: Fail,
        says: "there is none",
        change: |e| fluent_bit_settings(e).outputs.clear(),
    },
    Case {
        name: "an output that vector has no source for",
        code: "SF404",
        verdict: Fail,
        says: "there is kafka",
        change: |e| output(e).name = "kafka".into(),
    },
    Case {
        name: "an output in msgpack",
        code: "SF404",
        verdict: Fail,
        says: "output http sends msgpack",
        change: |e| {
            output(e).settings.remove("format");
        },
    },
    Case {
        name: "forward with metadata",
        code: "SF404",
        verdict: Fail,
        says: "sends records with metadata",
        change: |e| output(e).name = "forward".into(),
    },
    Case {
        name: "forward without metadata",
        code: "SF404",
        verdict: Pass,
        says: "forward",
        change: |e| {
            output(e).name = "forward".into();
            set(output(e), "retain_metadata_in_forward_mode", "false");
        },
    },
    Case {
        name: "outputs in a file that was not read",
        code: "SF404",
        verdict: Unseen,
        says: "includes files that were not read: outputs.conf",
        change: |e| {
            output(e).name = "stdout".into();
            fluent_bit_settings(e).unread = vec!["outputs.conf".into()];
        },
    },
    Case {
        name: "fluent bit's configmap is gone",
        code: "SF404",
        verdict: Fail,
        says: "a ConfigMap that Fluent Bit's pods are made from does not exist",
        change: |e| e.telemetry.fluent_bit_settings = Observed::Absent,
    },
    Case {
        name: "no storage path",
        code: "SF405",
        verdict: Fail,
        says: "no storage.path",
        change: |e| {
            fluent_bit_settings(e).service.remove("storage.path");
        },
    },
    Case {
        name: "the buffer in an emptydir",
        code: "SF405",
        verdict: Fail,
        says: "storage.path /cache/storage is on an emptyDir",
        change: |e| {
            let settings = fluent_bit_settings(e);
            let mut cache = settings.mounts[2].clone();
            (cache.path, cache.kind) = ("/cache".into(), VolumeKind::EmptyDir);
            settings.mounts.push(cache);
            settings.service.insert("storage.path".into(), "/cache/storage".into());
        },
    },
    Case {
        name: "an input in memory",
        code: "SF405",
        verdict: Fail,
        says: "input pods is buffered in memory",
        change: |e| {
            input(e).settings.remove("storage.type");
        },
    },
    Case {
        name: "an input that inherits its storage",
        code: "SF405",
        verdict: Pass,
        says: "/var/lib/fluent-bit/storage/",
        change: |e| {
            input(e).settings.remove("storage.type");
            let service = &mut fluent_bit_settings(e).service;
            service.insert("storage.inherit".into(), "on".into());
            service.insert("storage.type".into(), "filesystem".into());
        },
    },
    Case {
        name: "one retry",
        code: "SF405",
        verdict: Fail,
        says: "output vector drops a chunk after Retry_Limit 1, the default",
        change: |e| {
            output(e).settings.remove("retry_limit");
        },
    },
    Case {
        name: "five retries",
        code: "SF405",
        verdict: Fail,
        says: "after Retry_Limit 5",
        change: |e| set(output(e), "retry_limit", "5"),
    },
    Case {
        name: "an unbounded buffer",
        code: "SF405",
        verdict: Fail,
        says: "has no storage.total_limit_size",
        change: |e| {
            output(e).settings.remove("storage.total_limit_size");
        },
    },
    Case {
        name: "a buffer without room",
        code: "SF405",
        verdict: Fail,
        says: "has no storage.total_limit_size",
        change: |e| set(output(e), "storage.total_limit_size", "0"),
    },
    Case {
        name: "readiness is health",
        code: "SF405",
        verdict: Warn,
        says: "its readiness is its health",
        change: |e| fluent_bit_settings(e).readiness = Some("/api/v2/health".into()),
    },
    Case {
        name: "no position database",
        code: "SF406",
        verdict: Fail,
        says: "input pods has no DB",
        change: |e| {
            input(e).settings.remove("db");
        },
    },
    Case {
        name: "the position database in the container",
        code: "SF406",
        verdict: Fail,
        says: "/tmp/tail.db is in the container's own files",
        change: |e| set(input(e), "db", "/tmp/tail.db"),
    },
    Case {
        name: "one database for two inputs",
        code: "SF406",
        verdict: Fail,
        says: "two inputs have one DB",
        change: |e| {
            let again = input(e).clone();
            fluent_bit_settings(e).inputs.push(again);
        },
    },
    Case {
        name: "no tail",
        code: "SF406",
        verdict: Fail,
        says: "no input tail",
        change: |e| input(e).name = "systemd".into(),
    },
    Case {
        name: "records without tls",
        code: "SF407",
        verdict: Fail,
        says: "output vector sends records and its password without TLS",
        change: |e| {
            output(e).settings.remove("tls");
        },
    },
    Case {
        name: "a store that is not verified",
        code: "SF407",
        verdict: Fail,
        says: "output vector does not verify whom it sends to",
        change: |e| set(output(e), "tls.verify", "off"),
    },
    Case {
        name: "a store of any name",
        code: "SF407",
        verdict: Warn,
        says: "takes any name that the authority signed",
        change: |e| {
            output(e).settings.remove("tls.verify_hostname");
        },
    },
    Case {
        name: "fluent bit's password in clear",
        code: "SF408",
        verdict: Fail,
        says: "1 credential in clear: output http: http_passwd",
        change: |e| fluent_bit_settings(e).credentials_in_clear = vec!["output http: http_passwd".into()],
    },
    Case {
        name: "credentials in a file that was not read",
        code: "SF408",
        verdict: Unseen,
        says: "includes files that were not read",
        change: |e| fluent_bit_settings(e).unread = vec!["more.conf".into()],
    },
    Case {
        name: "records without a cluster",
        code: "SF409",
        verdict: Fail,
        says: "records of input pods have no cluster",
        change: |e| {
            fluent_bit_settings(e).filters[1].labels.remove("cluster");
        },
    },
    Case {
        name: "labels on other records only",
        code: "SF409",
        verdict: Fail,
        says: "have no cluster, region",
        change: |e| set(&mut fluent_bit_settings(e).filters[1], "match", "host.*"),
    },
];
