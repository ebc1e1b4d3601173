//! The region.

use crate::case::Case;
use starform_verify::evidence::{
    Asked, ClusterReference, ComponentEvents, DeadLetters, Evidence, Link, LogAggregator, LogStore, MetricsStore,
    Observed, PlannedChange, RegionRows, RegionSample, RuleSource, StoreCluster, Terraform, TerraformKind,
};
use starform_verify::report::Verdict::{Blocked, Fail, NotApplicable, NotAsked, Pass, Unknown as Unseen, Warn};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "",
        code: "SF701",
        verdict: NotAsked,
        says: "--stores FILE",
        change: |e| e.region.metrics_store = Observed::Seen(Asked::NotAsked),
    },
    Case {
        name: "",
        code: "SF702",
        verdict: Fail,
        says: "no sample of testbed within 24h",
        change: |e| metrics(e).series.newest.clear(),
    },
    Case {
        name: "",
        code: "SF702",
        verdict: Fail,
        says: "the newest sample of testbed is 12m",
        change: |e| metrics(e).series.newest[0].age_ms = HOUR / 5,
    },
    Case {
        name: "",
        code: "SF702",
        verdict: Fail,
        says: "with region \"nyc3\", but with \"fra1\"",
        change: |e| metrics(e).series.newest[0].region = "fra1".into(),
    },
    Case {
        name: "",
        code: "SF702",
        verdict: Fail,
        says: "testbed is in \"fra1\"",
        change: |e| metrics(e).asked.cluster.region = Some("fra1".into()),
    },
    Case {
        name: "",
        code: "SF702",
        verdict: Unseen,
        says: "in the store's future",
        change: |e| metrics(e).series.newest[0].age_ms = -HOUR,
    },
    Case {
        name: "",
        code: "SF702",
        verdict: Pass,
        says: "50h old, is still there",
        change: ended,
    },
    Case {
        name: "",
        code: "SF702",
        verdict: Fail,
        says: "no sample of testbed within 720h",
        change: |e| {
            ended(e);
            metrics(e).series.newest.clear();
        },
    },
    Case {
        name: "",
        code: "SF702",
        verdict: Warn,
        says: "is said to have been taken down",
        change: |e| {
            ended(e);
            metrics(e).series.newest[0].age_ms = 1000;
        },
    },
    Case {
        name: "",
        code: "SF703",
        verdict: NotApplicable,
        says: "nothing new is expected",
        change: ended,
    },
    Case {
        name: "",
        code: "SF703",
        verdict: Fail,
        says: "1 of 2 Ready nodes without container metrics in the store: node2",
        change: |e| {
            metrics(e).series.kubelets.pop();
        },
    },
    Case {
        name: "",
        code: "SF703",
        verdict: Fail,
        says: "without container metrics in the store: node1",
        change: |e| metrics(e).series.kubelets[0].series = 0,
    },
    Case {
        name: "",
        code: "SF703",
        verdict: Pass,
        says: "2 kubelets",
        change: |e| metrics(e).series.kubelets[0].instance = "elsewhere:10250".into(),
    },
    Case {
        name: "",
        code: "SF703",
        verdict: Fail,
        says: "no container metrics of testbed",
        change: |e| metrics(e).series.kubelets.clear(),
    },
    Case {
        name: "",
        code: "SF703",
        verdict: NotApplicable,
        says: "its nodes are not known",
        change: |e| metrics(e).asked.cluster.region = None,
    },
    Case {
        name: "",
        code: "SF704",
        verdict: Fail,
        says: "no row of kube_pod_labels",
        change: |e| metrics(e).series.pod_rows.clear(),
    },
    Case {
        name: "",
        code: "SF704",
        verdict: Fail,
        says: "3 of 14 rows of kube_pod_labels with label exported_pod",
        change: |e| metrics(e).series.renamed_rows = 3,
    },
    Case {
        name: "",
        code: "SF705",
        verdict: Blocked,
        says: "SF704",
        change: |e| metrics(e).series.renamed_rows = 3,
    },
    Case {
        name: "",
        code: "SF705",
        verdict: Fail,
        says: "none within an hour",
        change: |e| {
            metrics(e).join.series.remove(1);
        },
    },
    Case {
        name: "",
        code: "SF705",
        verdict: Fail,
        says: "the newest is 42m old",
        change: |e| {
            metrics(e).join.series[0].rows = 0;
            metrics(e).join.series[0].age_ms = 42 * 60_000;
        },
    },
    Case {
        name: "",
        code: "SF705",
        verdict: Fail,
        says: "no pod has had both inputs",
        change: |e| {
            metrics(e).join.series.clear();
            metrics(e).join.joinable_pods = 0;
        },
    },
    Case {
        name: "",
        code: "SF705",
        verdict: Fail,
        says: "carries every label",
        change: |e| metrics(e).join.series[2].labelled = 0,
    },
    Case {
        name: "",
        code: "SF705",
        verdict: Fail,
        says: "2 of 12 pods with both inputs without a row",
        change: |e| metrics(e).join.unjoined_pods = 2,
    },
    Case {
        name: "",
        code: "SF705",
        verdict: Warn,
        says: "1 of 12 pods",
        change: |e| metrics(e).join.unjoined_pods = 1,
    },
    Case {
        name: "",
        code: "SF706",
        verdict: Fail,
        says: "starform.io/cluster-id green",
        change: |e| metrics(e).series.foreign_ids.push("green".into()),
    },
    Case {
        name: "",
        code: "SF706",
        verdict: Fail,
        says: "carry region \"fra1\" too",
        change: |e| {
            metrics(e).series.newest.push(RegionSample {
                region: "fra1".into(),
                age_ms: 9,
            });
        },
    },
    Case {
        name: "",
        code: "SF706",
        verdict: Pass,
        says: "cluster \"testbed\"",
        change: |e| {
            metrics(e).series.newest.push(RegionSample {
                region: "fra1".into(),
                age_ms: HOUR,
            });
        },
    },
    Case {
        name: "",
        code: "SF706",
        verdict: Fail,
        says: "carry region \"\" too",
        change: |e| {
            metrics(e).series.pod_rows.push(RegionRows {
                region: String::new(),
                rows: 1,
            });
        },
    },
    Case {
        name: "",
        code: "SF707",
        verdict: Fail,
        says: "prune-snapshots on vector_agg has never reported",
        change: |e| metrics(e).jobs.jobs.retain(|job| job.job != "prune-snapshots"),
    },
    Case {
        name: "",
        code: "SF707",
        verdict: Fail,
        says: "volume-snapshot failed on clickhouse",
        change: |e| metrics(e).jobs.jobs[1].succeeded = Some(false),
    },
    Case {
        name: "",
        code: "SF707",
        verdict: Fail,
        says: "has not succeeded once on clickhouse",
        change: |e| metrics(e).jobs.jobs[1].success_age_ms = None,
    },
    Case {
        name: "",
        code: "SF707",
        verdict: Fail,
        says: "last succeeded on victoriametrics 27h ago",
        change: |e| metrics(e).jobs.jobs[3].success_age_ms = Some(27 * HOUR),
    },
    Case {
        name: "",
        code: "SF707",
        verdict: Fail,
        says: "no snapshot of victoriametrics-nyc3 is reported",
        change: |e| {
            metrics(e).jobs.snapshots.pop();
        },
    },
    Case {
        name: "",
        code: "SF707",
        verdict: Fail,
        says: "the newest snapshot of clickhouse-nyc3 is 54h old",
        change: |e| metrics(e).jobs.snapshots[0].age_ms = 54 * HOUR,
    },
    Case {
        name: "",
        code: "SF711",
        verdict: NotAsked,
        says: "--stores FILE",
        change: |e| e.region.log_store = Observed::Seen(Asked::NotAsked),
    },
    Case {
        name: "",
        code: "SF712",
        verdict: Fail,
        says: "no logs.clusters",
        change: |e| {
            logs(e).tables.remove("clusters");
        },
    },
    Case {
        name: "",
        code: "SF712",
        verdict: Fail,
        says: "no column starform_app in logs.kubernetes",
        change: |e| {
            logs(e).tables.get_mut("kubernetes").unwrap().remove("starform_app");
        },
    },
    Case {
        name: "",
        code: "SF712",
        verdict: Fail,
        says: "kubernetes.timestamp is DateTime, not DateTime64(9, 'UTC')",
        change: |e| {
            logs(e)
                .tables
                .get_mut("kubernetes")
                .unwrap()
                .insert("timestamp".into(), "DateTime".into());
        },
    },
    Case {
        name: "",
        code: "SF713",
        verdict: Blocked,
        says: "SF712",
        change: |e| {
            logs(e).tables.remove("clusters");
        },
    },
    Case {
        name: "",
        code: "SF713",
        verdict: Fail,
        says: "no line of testbed within an hour",
        change: |e| logs(e).lines.as_mut().unwrap().clear(),
    },
    Case {
        name: "",
        code: "SF713",
        verdict: Fail,
        says: "no line of testbed with region \"nyc3\", but with \"fra1\"",
        change: |e| logs(e).lines.as_mut().unwrap()[0].region = "fra1".into(),
    },
    Case {
        name: "",
        code: "SF713",
        verdict: Fail,
        says: "was received 25m ago",
        change: |e| logs(e).lines.as_mut().unwrap()[0].received_ms = 25 * 60_000,
    },
    Case {
        name: "",
        code: "SF713",
        verdict: Unseen,
        says: "in the store's future",
        change: |e| logs(e).lines.as_mut().unwrap()[0].received_ms = -HOUR,
    },
    Case {
        name: "",
        code: "SF713",
        verdict: Warn,
        says: "one took 10m or more to arrive",
        change: |e| logs(e).lines.as_mut().unwrap()[0].delay_ms = 600_000,
    },
    Case {
        name: "",
        code: "SF713",
        verdict: Fail,
        says: "testbed is in \"fra1\"",
        change: |e| logs(e).asked.cluster.region = Some("fra1".into()),
    },
    Case {
        name: "",
        code: "SF713",
        verdict: Pass,
        says: "20481 lines, the newest received 50h ago, are still there",
        change: ended,
    },
    Case {
        name: "",
        code: "SF713",
        verdict: Fail,
        says: "no line of testbed is left",
        change: |e| {
            ended(e);
            logs(e).lines.as_mut().unwrap().clear();
        },
    },
    Case {
        name: "",
        code: "SF714",
        verdict: Fail,
        says: "3 records of testbed could not be stored within 1h: no region (3)",
        change: |e| logs(e).dead_letters = Some(letters(true)),
    },
    Case {
        name: "",
        code: "SF714",
        verdict: Warn,
        says: "3 records that do not say of which cluster",
        change: |e| logs(e).dead_letters = Some(letters(false)),
    },
    Case {
        name: "",
        code: "SF721",
        verdict: NotAsked,
        says: "--stores FILE",
        change: |e| e.region.log_aggregator = Observed::Seen(Asked::NotAsked),
    },
    Case {
        name: "",
        code: "SF721",
        verdict: Fail,
        says: "holds no scrape of Vector",
        change: |e| vector(e).targets = 0,
    },
    Case {
        name: "",
        code: "SF721",
        verdict: Fail,
        says: "0 of 1 Vector answers",
        change: |e| vector(e).up = 0,
    },
    Case {
        name: "",
        code: "SF721",
        verdict: Fail,
        says: "delivered none to ClickHouse",
        change: |e| vector(e).delivered = 0,
    },
    Case {
        name: "",
        code: "SF721",
        verdict: Warn,
        says: "no cluster has sent it a record",
        change: |e| {
            vector(e).received = 0;
            vector(e).delivered = 0;
        },
    },
    Case {
        name: "",
        code: "SF722",
        verdict: Fail,
        says: "312 of clickhouse",
        change: |e| vector(e).discarded = events("clickhouse", 312),
    },
    Case {
        name: "",
        code: "SF722",
        verdict: Warn,
        says: "2 of fluent_bit",
        change: |e| vector(e).errors = events("fluent_bit", 2),
    },
    Case {
        name: "",
        code: "SF723",
        verdict: Fail,
        says: "75 % of the buffer",
        change: |e| {
            vector(e).buffers[0].used_bytes = 3;
            vector(e).buffers[0].size_bytes = 4;
        },
    },
    Case {
        name: "",
        code: "SF723",
        verdict: Unseen,
        says: "tells no size",
        change: |e| vector(e).buffers.clear(),
    },
    Case {
        name: "",
        code: "SF731",
        verdict: NotAsked,
        says: "--terraform FILE",
        change: |e| e.region.terraform = Observed::Seen(Asked::NotAsked),
    },
    Case {
        name: "",
        code: "SF731",
        verdict: Fail,
        says: "the plan is not complete",
        change: |e| terraform(e).complete = false,
    },
    Case {
        name: "",
        code: "SF731",
        verdict: Fail,
        says: "it has no digitalocean_droplet.vector_agg",
        change: |e| {
            terraform(e).droplets.pop();
        },
    },
    Case {
        name: "",
        code: "SF731",
        verdict: Fail,
        says: "it has no digitalocean_vpc.telemetry",
        change: |e| terraform(e).vpcs.clear(),
    },
    Case {
        name: "",
        code: "SF731",
        verdict: Fail,
        says: "neither the VPC nor any droplet",
        change: |e| {
            terraform(e).vpcs.clear();
            terraform(e).droplets.clear();
        },
    },
    Case {
        name: "",
        code: "SF732",
        verdict: Fail,
        says: "digitalocean_droplet.clickhouse is a s-1vcpu-1gb, not so-4vcpu-32gb",
        change: |e| terraform(e).droplets[0].size = "s-1vcpu-1gb".into(),
    },
    Case {
        name: "",
        code: "SF732",
        verdict: Fail,
        says: "is called \"logs\", not \"clickhouse-nyc3\"",
        change: |e| terraform(e).droplets[0].name = "logs".into(),
    },
    Case {
        name: "",
        code: "SF732",
        verdict: Fail,
        says: "digitalocean_droplet.vector_agg is in fra1, not nyc3",
        change: |e| terraform(e).droplets[2].region = "fra1".into(),
    },
    Case {
        name: "",
        code: "SF733",
        verdict: Fail,
        says: "digitalocean_droplet.clickhouse is in 5a4981aa",
        change: |e| terraform(e).droplets[0].vpc = Link::Elsewhere("5a4981aa".into()),
    },
    Case {
        name: "",
        code: "SF733",
        verdict: Fail,
        says: "is in nothing",
        change: |e| terraform(e).droplets[1].vpc = Link::Nothing,
    },
    Case {
        name: "",
        code: "SF733",
        verdict: Fail,
        says: "only applying tells",
        change: |e| terraform(e).droplets[1].vpc = Link::NotKnown,
    },
    Case {
        name: "",
        code: "SF734",
        verdict: Fail,
        says: "there is no digitalocean_volume.clickhouse",
        change: |e| {
            terraform(e).volumes.remove(0);
        },
    },
    Case {
        name: "",
        code: "SF734",
        verdict: Fail,
        says: "is not attached to digitalocean_droplet.vector_agg",
        change: |e| {
            terraform(e).attachments.pop();
        },
    },
    Case {
        name: "",
        code: "SF734",
        verdict: Fail,
        says: "digitalocean_volume.clickhouse is \"data\" in \"nyc3\"",
        change: |e| terraform(e).volumes[0].name = "data".into(),
    },
    Case {
        name: "",
        code: "SF735",
        verdict: Fail,
        says: "no firewall stands before digitalocean_droplet.vector_agg",
        change: |e| {
            terraform(e).firewalls.pop();
        },
    },
    Case {
        name: "",
        code: "SF735",
        verdict: Fail,
        says: "digitalocean_firewall.clickhouse lets everybody in to tcp 8443",
        change: |e| terraform(e).firewalls[0].inbound[0].addresses.push("::/0".into()),
    },
    Case {
        name: "",
        code: "SF735",
        verdict: Fail,
        says: "digitalocean_firewall.clickhouse lets 0.0.0.0/1, 128.0.0.0/1 in to tcp 8443",
        change: |e| {
            let addresses = &mut terraform(e).firewalls[0].inbound[0].addresses;
            addresses.extend(["0.0.0.0/1".into(), "128.0.0.0/1".into()]);
        },
    },
    Case {
        name: "",
        code: "SF735",
        verdict: Fail,
        says: "digitalocean_firewall.clickhouse lets 203.0.113.0/24 in to tcp 8443",
        change: |e| {
            terraform(e).firewalls[0].inbound[0]
                .addresses
                .push("203.0.113.0/24".into());
        },
    },
    Case {
        name: "SSH from a few addresses",
        code: "SF735",
        verdict: Pass,
        says: "4 inbound rules",
        change: |e| {
            let rules = &mut terraform(e).firewalls[0].inbound;
            let mut ssh = rules[0].clone();
            ssh.ports = "22".into();
            ssh.addresses = vec!["203.0.113.0/24".into(), "2a03:b0c0:1:2::/64".into()];
            rules.push(ssh);
        },
    },
    Case {
        name: "one firewall of three",
        code: "SF735",
        verdict: Unseen,
        says: "what digitalocean_firewall.clickhouse lets in is not known before the plan is applied",
        change: |e| terraform(e).firewalls[0].inbound.clear(),
    },
    Case {
        name: "one firewall of three, and another is open",
        code: "SF735",
        verdict: Fail,
        says: "lets everybody in to tcp 8427",
        change: |e| {
            terraform(e).firewalls[0].inbound.clear();
            terraform(e).firewalls[1].inbound[0].addresses.push("0.0.0.0/0".into());
        },
    },
    Case {
        name: "",
        code: "SF735",
        verdict: Unseen,
        says: "digitalocean_firewall.clickhouse lets the tag k8s, which is not known, in to tcp 8443",
        change: |e| {
            let rule = &mut terraform(e).firewalls[0].inbound[0];
            rule.others = Some(vec![RuleSource::Tag("k8s".into())]);
        },
    },
    Case {
        name: "the region's own machines",
        code: "SF735",
        verdict: Pass,
        says: "3 inbound rules",
        change: |e| {
            let own = Link::Resource("digitalocean_droplet.vector_agg".into());
            terraform(e).firewalls[0].inbound[0].others = Some(vec![RuleSource::Droplet(own)]);
        },
    },
    Case {
        name: "a recording of before sources were read",
        code: "SF735",
        verdict: Unseen,
        says: "lets what else than addresses, which is not known, in to tcp 8443",
        change: |e| terraform(e).firewalls[0].inbound[0].others = None,
    },
    Case {
        name: "a firewall by tags in front of everything",
        code: "SF735",
        verdict: Unseen,
        says: "before which droplets digitalocean_firewall.debug stands is not known",
        change: |e| {
            let mut debug = terraform(e).firewalls[0].clone();
            debug.address = "digitalocean_firewall.debug".into();
            debug.droplets.clear();
            debug.tags = vec![RuleSource::Tag("telemetry-nyc3".into())];
            debug.inbound[0].addresses = vec!["0.0.0.0/0".into()];
            terraform(e).firewalls.push(debug);
        },
    },
    Case {
        name: "only a firewall by tags",
        code: "SF735",
        verdict: Unseen,
        says: "whether digitalocean_firewall.vector_agg stands before digitalocean_droplet.vector_agg is not known",
        change: |e| {
            let firewall = terraform(e).firewalls.last_mut().unwrap();
            firewall.droplets.clear();
            firewall.tags = vec![RuleSource::Tag("telemetry-nyc3".into())];
        },
    },
    Case {
        name: "",
        code: "SF735",
        verdict: Unseen,
        says: "not known before the plan is applied",
        change: |e| {
            for firewall in &mut terraform(e).firewalls {
                firewall.inbound.clear();
            }
        },
    },
    Case {
        name: "",
        code: "SF736",
        verdict: Fail,
        says: "1 reference: digitalocean_firewall.clickhouse inbound_rule to digitalocean_kubernetes_cluster.blue.id",
        change: |e| {
            terraform(e).clusters.push(ClusterReference {
                from: "digitalocean_firewall.clickhouse inbound_rule".into(),
                to: "digitalocean_kubernetes_cluster.blue.id".into(),
            });
        },
    },
    Case {
        name: "",
        code: "SF737",
        verdict: Fail,
        says: "the newest snapshot of digitalocean_volume.clickhouse is 54h",
        change: |e| {
            let old = e.collected - jiff::SignedDuration::from_hours(55);
            terraform(e).snapshots[0].created = Some(old);
        },
    },
    Case {
        name: "",
        code: "SF737",
        verdict: Unseen,
        says: "as far as this state knows",
        change: |e| {
            let old = e.collected - jiff::SignedDuration::from_hours(55);
            let terraform = terraform(e);
            (terraform.kind, terraform.made) = (TerraformKind::State, None);
            terraform.snapshots[0].created = Some(old);
        },
    },
    Case {
        name: "",
        code: "SF737",
        verdict: Unseen,
        says: "the plan is 72h old",
        change: |e| {
            let old = e.collected - jiff::SignedDuration::from_hours(72);
            terraform(e).made = Some(old);
        },
    },
    Case {
        name: "",
        code: "SF737",
        verdict: Unseen,
        says: "it names no snapshot of digitalocean_volume.victoriametrics",
        change: |e| {
            terraform(e).snapshots.pop();
        },
    },
    Case {
        name: "",
        code: "SF737",
        verdict: NotApplicable,
        says: "yet to be made",
        change: |e| {
            for volume in &mut terraform(e).volumes {
                volume.exists = false;
            }
        },
    },
    Case {
        name: "",
        code: "SF738",
        verdict: Fail,
        says: "the plan deletes digitalocean_volume.clickhouse",
        change: |e| terraform(e).changes = delete("digitalocean_volume.clickhouse"),
    },
    Case {
        name: "",
        code: "SF738",
        verdict: Warn,
        says: "the plan replaces digitalocean_droplet.clickhouse",
        change: |e| terraform(e).changes = delete("digitalocean_droplet.clickhouse"),
    },
    Case {
        name: "",
        code: "SF738",
        verdict: NotApplicable,
        says: "a state plans nothing",
        change: |e| {
            terraform(e).kind = TerraformKind::State;
            terraform(e).made = None;
        },
    },
    // What could not be seen.
    Case {
        name: "",
        code: "SF701",
        verdict: Unseen,
        says: "it is not known whose data to look for",
        change: |e| e.region.metrics_store = Observed::Absent,
    },
    Case {
        name: "",
        code: "SF702",
        verdict: Unseen,
        says: "not collected",
        change: |e| e.region.metrics_store = Observed::not_collected(),
    },
    Case {
        name: "",
        code: "SF711",
        verdict: Unseen,
        says: "it is not known whose data to look for",
        change: |e| e.region.log_store = Observed::Absent,
    },
    Case {
        name: "",
        code: "SF713",
        verdict: Unseen,
        says: "not collected",
        change: |e| e.region.log_store = Observed::not_collected(),
    },
    Case {
        name: "",
        code: "SF722",
        verdict: Unseen,
        says: "not collected",
        change: |e| e.region.log_aggregator = Observed::not_collected(),
    },
    Case {
        name: "",
        code: "SF733",
        verdict: Unseen,
        says: "not collected",
        change: |e| e.region.terraform = Observed::not_collected(),
    },
    Case {
        name: "as much of Vector's buffer as may be is used",
        code: "SF723",
        verdict: Pass,
        says: "50 % of the buffer of clickhouse is used",
        change: |e| vector(e).buffers[0].used_bytes = 42_949_672_960,
    },
    Case {
        name: "another of Vector's buffers is full",
        code: "SF723",
        verdict: Pass,
        says: "0 % of the buffer of clickhouse is used",
        change: |e| {
            let mut other = vector(e).buffers[0].clone();
            other.component = "archive".into();
            other.used_bytes = other.size_bytes;
            vector(e).buffers.insert(0, other);
        },
    },
    Case {
        name: "Vector's buffer has no size",
        code: "SF723",
        verdict: Unseen,
        says: "Vector tells no size of the buffer of clickhouse",
        change: |e| vector(e).buffers[0].size_bytes = 0,
    },
    Case {
        name: "as many pods without a joined row as may be",
        code: "SF705",
        verdict: Warn,
        says: "1 of 10 pods with both inputs without a row",
        change: |e| {
            metrics(e).join.joinable_pods = 10;
            metrics(e).join.unjoined_pods = 1;
        },
    },
    Case {
        name: "a node that was just made has sent nothing",
        code: "SF703",
        verdict: Pass,
        says: "1 kubelet of testbed",
        change: |e| {
            let now = e.now(starform_verify::evidence::Source::Nodes);
            crate::given::nodes(e)[0].created = now;
            metrics(e).series.kubelets.remove(0);
        },
    },
    Case {
        name: "a node that is not Ready has sent nothing",
        code: "SF703",
        verdict: Pass,
        says: "1 kubelet of testbed",
        change: |e| {
            crate::given::nodes(e)[0].ready = Some(crate::given::condition("False", "KubeletNotReady", ""));
            metrics(e).series.kubelets.remove(0);
        },
    },
    Case {
        name: "volumes attached",
        code: "SF734",
        verdict: Pass,
        says: "3 volumes attached",
        change: |_| {},
    },
    Case {
        name: "volumes attached crosswise",
        code: "SF734",
        verdict: Fail,
        says: "digitalocean_volume.clickhouse is not attached to digitalocean_droplet.clickhouse",
        change: |e| {
            let attachments = &mut terraform(e).attachments;
            let first = attachments[0].droplet.clone();
            attachments[0].droplet = attachments[1].droplet.clone();
            attachments[1].droplet = first;
        },
    },
    Case {
        name: "a volume that is yet to be made has no snapshot",
        code: "SF737",
        verdict: Pass,
        says: "",
        change: |e| {
            let terraform = terraform(e);
            for volume in terraform
                .volumes
                .iter_mut()
                .filter(|volume| volume.address.ends_with("clickhouse"))
            {
                volume.exists = false;
            }
            terraform
                .snapshots
                .retain(|snapshot| !snapshot.name.starts_with("clickhouse"));
        },
    },
    Case {
        name: "the newest sample is older than every node",
        code: "SF702",
        verdict: Unseen,
        says: "the newest of testbed is 2m old, and of its nodes none is",
        change: |e| {
            rebuilt(e);
            metrics(e).series.newest[0].age_ms = 120_000;
        },
    },
    Case {
        name: "no node tells how old the cluster is",
        code: "SF702",
        verdict: Unseen,
        says: "no node tells how old the cluster is",
        change: |e| crate::given::nodes(e).iter_mut().for_each(|node| node.created = None),
    },
    Case {
        name: "the newest sample is as old as the oldest node",
        code: "SF702",
        verdict: Pass,
        says: "the newest sample of testbed is 1m 30s old",
        change: |e| {
            rebuilt(e);
            metrics(e).series.newest[0].age_ms = 90_000;
        },
    },
    Case {
        name: "the newest row of the join is older than every node",
        code: "SF705",
        verdict: Unseen,
        says: "the newest of testbed is 1m 40s old, and of its nodes none is",
        change: |e| {
            rebuilt(e);
            for series in &mut metrics(e).join.series {
                series.age_ms = 100_000;
            }
        },
    },
];

const HOUR: i64 = 3_600_000;

fn answered<T>(observed: &mut Observed<Asked<T>>) -> &mut T {
    match observed {
        Observed::Seen(Asked::Answered(value)) => value,
        _ => panic!("the healthy region has answered"),
    }
}

fn metrics(evidence: &mut Evidence) -> &mut MetricsStore {
    answered(&mut evidence.region.metrics_store)
}

fn logs(evidence: &mut Evidence) -> &mut LogStore {
    answered(&mut evidence.region.log_store)
}

fn vector(evidence: &mut Evidence) -> &mut LogAggregator {
    answered(&mut evidence.region.log_aggregator)
}

fn terraform(evidence: &mut Evidence) -> &mut Terraform {
    answered(&mut evidence.region.terraform)
}

fn ended(evidence: &mut Evidence) {
    let end = |cluster: &mut StoreCluster| {
        cluster.ended = true;
        cluster.region = None;
    };
    end(&mut metrics(evidence).asked.cluster);
    end(&mut logs(evidence).asked.cluster);
    metrics(evidence).series.newest[0].age_ms = 50 * HOUR;
    logs(evidence).lines.as_mut().unwrap()[0].received_ms = 50 * HOUR;
}

fn events(component: &str, events: u64) -> Vec<ComponentEvents> {
    let component = component.to_owned();
    vec![ComponentEvents { component, events }]
}

fn letters(own: bool) -> Vec<DeadLetters> {
    let reason = "no region".to_owned();
    vec![DeadLetters {
        reason,
        own,
        records: 3,
    }]
}

fn delete(address: &str) -> Vec<PlannedChange> {
    let actions = vec!["delete".to_owned(), "create".to_owned()];
    vec![PlannedChange {
        address: address.to_owned(),
        actions,
    }]
}

/// Nodes that are a minute and a half old, one of them a minute.
fn rebuilt(evidence: &mut Evidence) {
    let now = evidence.now(starform_verify::evidence::Source::Nodes).unwrap();
    let nodes = crate::given::nodes(evidence);
    nodes[0].created = Some(now - jiff::SignedDuration::from_secs(90));
    nodes[1].created = Some(now - jiff::SignedDuration::from_secs(60));
}
