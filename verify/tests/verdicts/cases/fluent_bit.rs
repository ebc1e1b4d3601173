//! Step 4, Fluent Bit as it is installed.

use crate::case::{Case, fails, passes, unseen, warns};
use crate::given::{minutes, nodes, seen, unknown};
use starform_verify::evidence::{
    Evidence, FluentBitPlugin, FluentBitSettings, Observed, Reason, Source, TelemetryWorkload, VolumeKind, Workload,
};

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

fn plugin(name: &str, settings: &[(&str, &str)]) -> FluentBitPlugin {
    let mut plugin = FluentBitPlugin {
        name: name.to_owned(),
        ..FluentBitPlugin::default()
    };
    for (key, value) in settings {
        set(&mut plugin, key, value);
    }
    plugin
}

/// It has an exporter of its own metrics, as its documentation shows it.
fn metrics_of_its_own(evidence: &mut Evidence) {
    let settings = fluent_bit_settings(evidence);
    let tag = "internal_metrics";
    settings.inputs.push(plugin("fluentbit_metrics", &[("tag", tag)]));
    let exporter = [("match", tag), ("host", "0.0.0.0"), ("port", "2021")];
    settings.outputs.push(plugin("prometheus_exporter", &exporter));
}

/// The filter that puts the labels on matches by a regular expression.
fn match_by(evidence: &mut Evidence, regex: &str) {
    let filter = &mut fluent_bit_settings(evidence).filters[1];
    filter.settings.remove("match");
    set(filter, "match_regex", regex);
}

fn set(plugin: &mut FluentBitPlugin, key: &str, value: &str) {
    plugin.settings.insert(key.to_owned(), value.to_owned());
}

/// A filter gives some records another tag, and an output of their own takes them: as the other does, but for one setting.
fn tagged_anew(evidence: &mut Evidence, key: &str, value: &str) {
    let mut other = output(evidence).clone();
    for (key, value) in [("match", "audit.*"), ("alias", "audit"), (key, value)] {
        set(&mut other, key, value);
    }
    let settings = fluent_bit_settings(evidence);
    settings.filters.push(plugin("rewrite_tag", &[("match", "kube.*")]));
    settings.outputs.push(other);
}

pub(crate) const CASES: &[Case] = &[
    fails("SF401", "no DaemonSet app.kubernetes.io/name=fluent-bit in the cluster")
        .when("fluent bit not installed", |e| fluent_bits(e).clear()),
    fails(
        "SF401",
        "stands only where the contract does not accept it: shop/fluent-bit",
    )
    .when("fluent bit in a tenant's namespace", |e| {
        fluent_bits(e).clear();
        e.telemetry.fluent_bit.elsewhere = vec!["shop/fluent-bit".into()];
    }),
    warns("SF401", "Fluent Bit stands in namespace default")
        .when("fluent bit in default", |e| fluent_bit(e).namespace = "default".into()),
    warns(
        "SF401",
        "stands more than once: telemetry/fluent-bit, default/fluent-bit",
    )
    .when("fluent bit twice", |e| {
        let mut other = fluent_bits(e)[0].clone();
        other.workload.namespace = "default".into();
        fluent_bits(e).push(other);
    }),
    unseen("SF401", "refused").when("fluent bit cannot be listed", |e| {
        e.telemetry.fluent_bit.workloads = unknown(Reason::Refused);
    }),
    fails("SF402", "1 Ready node without a pod of Fluent Bit: node2").when(
        "a tainted node that fluent bit does not tolerate",
        |e| {
            fluent_bits(e)[0]
                .pods
                .retain(|pod| pod.node.as_deref() != Some("node2"));
            let workload = fluent_bit(e);
            (workload.desired, workload.ready, workload.updated) = (1, 1, 1);
        },
    ),
    fails("SF402", "1 Ready node without a pod of Fluent Bit: node2").when("a pod of fluent bit finds no room", |e| {
        fluent_bits(e)[0].pods[1].node = None;
        fluent_bit(e).ready = 1;
    }),
    warns("SF402", "1 Ready node without a pod of Fluent Bit: node2").when(
        "fluent bit between two pods of a rollout",
        |e| {
            fluent_bits(e)[0].pods.pop();
            let workload = fluent_bit(e);
            (workload.ready, workload.updated) = (1, 1);
        },
    ),
    fails("SF402", "1 Ready node on which Fluent Bit is not ready: node1").when(
        "a pod of fluent bit is not ready",
        |e| {
            fluent_bits(e)[0].pods[0].ready = false;
            fluent_bit(e).ready = 1;
        },
    ),
    warns("SF402", "is rolling out: 1 of 2 pods are of the newest revision")
        .when("fluent bit rolls out", |e| fluent_bit(e).updated = 1),
    warns("SF402", "is rolling out").when("fluent bit's status is of the past", |e| fluent_bit(e).observed = false),
    unseen("SF402", "the list of pods has none of it")
        .when("fluent bit's pods are not listed", |e| fluent_bits(e)[0].pods.clear()),
    unseen("SF402", "no Ready node is older than").when("every node is new, and fluent bit on none yet", |e| {
        let now = e.now(Source::Nodes);
        for node in nodes(e) {
            node.created = now;
        }
        for pod in &mut fluent_bits(e)[0].pods {
            pod.ready = false;
        }
    }),
    fails("SF402", "").when("no pod of fluent bit", |e| {
        fluent_bit(e).ready = 0;
        fluent_bits(e)[0].pods.clear();
    }),
    fails("SF402", "").when("a taint that fluent bit does not tolerate, beside a new node", |e| {
        let now = e.now(Source::Nodes);
        nodes(e)[0].created = now;
        fluent_bit(e).desired = 1;
        fluent_bit(e).ready = 1;
        fluent_bit(e).updated = 1;
        fluent_bits(e)[0]
            .pods
            .retain(|pod| pod.node.as_deref() == Some("node1"));
    }),
    warns("SF402", "is not ready on 1 Ready node not older than 5m: node2").when(
        "a new node that fluent bit is not on yet",
        |e| {
            nodes(e)[1].created = e.now(Source::Nodes);
            fluent_bits(e)[0].pods.pop();
            let workload = fluent_bit(e);
            (workload.desired, workload.ready, workload.updated) = (1, 1, 1);
        },
    ),
    warns("SF402", "not ready on 1 Ready node not older than 5m: node2").when(
        "a new node where fluent bit has not begun to answer",
        |e| {
            nodes(e)[1].created = e.now(Source::Nodes).map(|now| now - minutes(4));
            fluent_bits(e)[0].pods[1].ready = false;
            fluent_bit(e).ready = 1;
        },
    ),
    fails("SF402", "1 Ready node without a pod of Fluent Bit: node2").when(
        "a node of six minutes that fluent bit is not on",
        |e| {
            nodes(e)[1].created = e.now(Source::Nodes).map(|now| now - minutes(6));
            fluent_bits(e)[0].pods.pop();
            let workload = fluent_bit(e);
            (workload.desired, workload.ready, workload.updated) = (1, 1, 1);
        },
    ),
    passes("SF402", "1 node; not selected: node2").when("a new node that fluent bit does not select", |e| {
        nodes(e)[1].created = e.now(Source::Nodes);
        nodes(e)[1].labels = Some([("kubernetes.io/os".into(), "windows".into())].into());
        let placement = serde_json::json!({"nodeSelector": {"kubernetes.io/os": "linux"}});
        fluent_bit(e).placement = Some(serde_json::from_value(placement).unwrap());
        nodes(e)[0].labels = Some([("kubernetes.io/os".into(), "linux".into())].into());
        fluent_bits(e)[0].pods.pop();
        let workload = fluent_bit(e);
        (workload.desired, workload.ready, workload.updated) = (1, 1, 1);
    }),
    warns(
        "SF402",
        "not ready on 1 Ready node that goes away: node1; on 1 Ready node not older than 5m: node2",
    )
    .when("one node goes away from fluent bit and another comes", |e| {
        let mut third = nodes(e)[1].clone();
        third.name = "node3".into();
        nodes(e).push(third);
        let mut pod = fluent_bits(e)[0].pods.pop().unwrap();
        pod.node = Some("node3".into());
        fluent_bits(e)[0].pods = vec![pod];
        nodes(e)[0].deleting = Some(true);
        nodes(e)[1].created = e.now(Source::Nodes);
        let workload = fluent_bit(e);
        (workload.desired, workload.ready, workload.updated) = (1, 1, 1);
    }),
    unseen("SF402", "no node is Ready").when("no node for fluent bit to be on", |e| nodes(e).clear()),
    fails("SF403", "Fluent Bit 1.9.9 is not accepted")
        .when("old fluent bit", |e| fluent_bit(e).version = Some("1.9.9".into())),
    unseen("SF403", "tells no version").when("fluent bit by digest", |e| fluent_bit(e).version = None),
    fails("SF404", "default outputs to elasticsearch-master stand").when("the chart's default output", |e| {
        set(output(e), "host", "elasticsearch-master");
        output(e).name = "es".into();
    }),
    fails("SF404", "there is none").when("no output", |e| fluent_bit_settings(e).outputs.clear()),
    fails("SF404", "there is kafka").when("an output that vector has no source for", |e| {
        output(e).name = "kafka".into();
    }),
    fails("SF404", "output http sends msgpack").when("an output in msgpack", |e| set(output(e), "format", "msgpack")),
    passes("SF404", "http").when("an output without a format", |e| {
        output(e).settings.remove("format");
    }),
    unseen("SF404", "format of vector is not known: it is ${FORMAT}")
        .when("a format in a variable", |e| set(output(e), "format", "${FORMAT}")),
    fails("SF404", "sends records with metadata").when("forward with metadata", |e| output(e).name = "forward".into()),
    passes("SF404", "forward").when("forward without metadata", |e| {
        output(e).name = "forward".into();
        set(output(e), "retain_metadata_in_forward_mode", "false");
    }),
    unseen("SF404", "includes files that were not read: outputs.conf").when(
        "outputs in a file that was not read",
        |e| {
            output(e).name = "stdout".into();
            fluent_bit_settings(e).unread = vec!["outputs.conf".into()];
        },
    ),
    fails(
        "SF404",
        "a ConfigMap that Fluent Bit's pods are made from does not exist",
    )
    .when("fluent bit's configmap is gone", |e| {
        e.telemetry.fluent_bit_settings = Observed::Absent;
    }),
    fails("SF405", "no storage.path").when("no storage path", |e| {
        fluent_bit_settings(e).service.remove("storage.path");
    }),
    fails("SF405", "storage.path /cache/storage is on an emptyDir").when("the buffer in an emptydir", |e| {
        let settings = fluent_bit_settings(e);
        let mut cache = settings.mounts[2].clone();
        (cache.path, cache.kind) = ("/cache".into(), VolumeKind::EmptyDir);
        settings.mounts.push(cache);
        settings.service.insert("storage.path".into(), "/cache/storage".into());
    }),
    fails("SF405", "input pods is buffered in memory").when("an input in memory", |e| {
        input(e).settings.remove("storage.type");
    }),
    passes("SF405", "/var/lib/fluent-bit/storage/").when("an input that inherits its storage", |e| {
        input(e).settings.remove("storage.type");
        let service = &mut fluent_bit_settings(e).service;
        service.insert("storage.inherit".into(), "on".into());
        service.insert("storage.type".into(), "filesystem".into());
    }),
    fails("SF405", "output vector drops a chunk after Retry_Limit 1, the default").when("one retry", |e| {
        output(e).settings.remove("retry_limit");
    }),
    fails("SF405", "after Retry_Limit no").when("a word that is no number of retries", |e| {
        set(output(e), "retry_limit", "no");
    }),
    passes("SF405", "/var/lib/fluent-bit/storage/")
        .when("retries that are off", |e| set(output(e), "retry_limit", "Off")),
    unseen("SF405", "retry_limit of vector is not known").when("retries in a variable", |e| {
        set(output(e), "retry_limit", "${RETRIES}");
    }),
    fails("SF405", "after Retry_Limit 5").when("five retries", |e| set(output(e), "retry_limit", "5")),
    fails("SF405", "has no storage.total_limit_size").when("an unbounded buffer", |e| {
        output(e).settings.remove("storage.total_limit_size");
    }),
    fails("SF405", "has no storage.total_limit_size").when("a buffer without room", |e| {
        set(output(e), "storage.total_limit_size", "0");
    }),
    warns("SF405", "its readiness is its health").when("readiness is health", |e| {
        fluent_bit_settings(e).readiness = Some("/api/v2/health".into());
    }),
    fails("SF406", "input pods has no DB").when("no position database", |e| {
        input(e).settings.remove("db");
    }),
    fails("SF406", "/tmp/tail.db is in the container's own files").when(
        "the position database in the container",
        |e| {
            set(input(e), "db", "/tmp/tail.db");
        },
    ),
    fails("SF406", "two inputs have one DB").when("one database for two inputs", |e| {
        let again = input(e).clone();
        fluent_bit_settings(e).inputs.push(again);
    }),
    fails("SF406", "input systemd has no DB").when("systemd without a position database", |e| {
        fluent_bit_settings(e)
            .inputs
            .push(plugin("systemd", &[("tag", "host.*"), ("storage.type", "filesystem")]));
    }),
    fails("SF406", "input kubernetes_events has no DB").when("events without a position database", |e| {
        fluent_bit_settings(e)
            .inputs
            .push(plugin("kubernetes_events", &[("storage.type", "filesystem")]));
    }),
    passes("SF406", "/var/lib/fluent-bit/tail.db").when("an input that has no position", |e| {
        fluent_bit_settings(e)
            .inputs
            .push(plugin("forward", &[("storage.type", "filesystem")]));
    }),
    fails("SF406", "no input tail").when("no tail", |e| input(e).name = "systemd".into()),
    fails("SF407", "output vector sends records and its password without TLS").when("records without tls", |e| {
        output(e).settings.remove("tls");
    }),
    fails("SF407", "output vector does not verify whom it sends to")
        .when("a store that is not verified", |e| set(output(e), "tls.verify", "off")),
    fails("SF407", "output audit sends records and its password without TLS").when(
        "records that are tagged anew, without tls",
        |e| {
            tagged_anew(e, "tls", "off");
        },
    ),
    fails("SF405", "output audit drops a chunk after Retry_Limit 5").when(
        "records that are tagged anew, with five retries",
        |e| {
            tagged_anew(e, "retry_limit", "5");
        },
    ),
    fails("SF404", "output http sends msgpack").when("records that are tagged anew, in msgpack", |e| {
        tagged_anew(e, "format", "msgpack");
    }),
    passes("SF405", "/var/lib/fluent-bit/storage/").when("records that are tagged anew, and kept", |e| {
        tagged_anew(e, "retry_limit", "no_limits");
    }),
    fails("SF407", "output audit sends records and its password without TLS").when(
        "records that their sender tags, without tls",
        |e| {
            tagged_anew(e, "tls", "off");
            let settings = fluent_bit_settings(e);
            settings.filters.pop();
            settings
                .inputs
                .push(plugin("forward", &[("storage.type", "filesystem")]));
        },
    ),
    passes("SF407", "verified").when("records that nobody sends, without tls", |e| {
        tagged_anew(e, "tls", "off");
        fluent_bit_settings(e).filters.pop();
    }),
    unseen("SF409", "on every record of input http cannot be read").when("labels on some tags of a sender", |e| {
        let settings = fluent_bit_settings(e);
        settings
            .inputs
            .push(plugin("http", &[("tag", "app.a"), ("storage.type", "filesystem")]));
        set(&mut settings.filters[1], "match_regex", r"^(kube|host|app)\.");
        settings.filters[1].settings.remove("match");
    }),
    passes("SF407", "verified").when("an output that listens", metrics_of_its_own),
    passes("SF405", "/var/lib/fluent-bit/storage/").when("metrics that are not buffered", metrics_of_its_own),
    passes("SF404", "http").when("an exporter beside the output", metrics_of_its_own),
    passes("SF409", "cluster, region").when("metrics without a cluster", metrics_of_its_own),
    warns("SF407", "takes any name that the authority signed").when("a store of any name", |e| {
        output(e).settings.remove("tls.verify_hostname");
    }),
    fails("SF408", "1 credential in clear: output http: http_passwd").when("fluent bit's password in clear", |e| {
        fluent_bit_settings(e).credentials_in_clear = vec!["output http: http_passwd".into()];
    }),
    unseen("SF408", "includes files that were not read").when("credentials in a file that was not read", |e| {
        fluent_bit_settings(e).unread = vec!["more.conf".into()];
    }),
    fails("SF409", "records of input pods have no cluster").when("records without a cluster", |e| {
        fluent_bit_settings(e).filters[1].labels.remove("cluster");
    }),
    fails("SF409", "have no cluster, region").when("labels on other records only", |e| {
        set(&mut fluent_bit_settings(e).filters[1], "match", "host.*");
    }),
    passes("SF409", "cluster, region").when("labels by a regular expression that matches all", |e| {
        match_by(e, r"^(kube|host)\..*");
    }),
    fails("SF409", "have no cluster, region").when("labels by a regular expression of other records", |e| {
        match_by(e, r"^hosts\..*$");
    }),
    unseen(
        "SF409",
        "whether filter modify puts cluster on every record of input pods cannot be read",
    )
    .when("labels by a regular expression that matches some", |e| {
        match_by(e, "_shop_");
    }),
    unseen("SF409", "whether filter lua puts cluster").when("labels by a program of its own", |e| {
        fluent_bit_settings(e).filters[1] = plugin("lua", &[("match", "*")]);
    }),
    passes("SF409", "cluster, region").when("a program of its own before the labels", |e| {
        fluent_bit_settings(e)
            .filters
            .insert(0, plugin("lua", &[("match", "*")]));
    }),
    unseen("SF409", "whether filter lua puts cluster").when("a program of its own after the labels", |e| {
        fluent_bit_settings(e).filters.push(plugin("lua", &[("match", "*")]));
    }),
    unseen("SF409", "whether filter modify puts region").when("a label that a later filter takes off", |e| {
        let mut filter = plugin("modify", &[("match", "kube.*")]);
        filter.removes = vec!["region".into()];
        fluent_bit_settings(e).filters.push(filter);
    }),
    unseen("SF409", "whether filter modify puts region").when("a filter that takes off its own label", |e| {
        fluent_bit_settings(e).filters[1].removes = vec!["region".into()];
    }),
    passes("SF409", "cluster, region").when("a label that is taken off and put on again", |e| {
        let mut filter = plugin("record_modifier", &[("match", "*")]);
        filter.removes = vec!["cluster".into(), "region".into()];
        filter.labels = fluent_bit_settings(e).filters[1].labels.clone();
        fluent_bit_settings(e).filters.push(filter);
    }),
    passes("SF409", "cluster, region").when("a filter of other records that takes labels off", |e| {
        let mut filter = plugin("modify", &[("match", "hosts.*")]);
        filter.removes = vec!["region".into()];
        fluent_bit_settings(e).filters.push(filter);
    }),
    passes("SF409", "cluster, region").when("labelled records that are tagged anew", |e| {
        fluent_bit_settings(e)
            .filters
            .push(plugin("rewrite_tag", &[("match", "*")]));
    }),
    unseen("SF409", "whether filter rewrite_tag puts cluster").when("records that are tagged anew before", |e| {
        match_by(e, r"^(kube|host)\.");
        fluent_bit_settings(e)
            .filters
            .insert(0, plugin("rewrite_tag", &[("match", "*")]));
    }),
    unseen("SF409", "whether filter modify puts cluster").when("labels on a condition", |e| {
        set(&mut fluent_bit_settings(e).filters[1], "condition", "Key_exists log");
    }),
];
