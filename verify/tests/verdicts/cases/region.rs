//! The region.

use crate::case::{Case, blocked, fails, not_applicable, not_asked, passes, unseen, warns};
use starform_verify::evidence::{
    Asked, Certificate, ClusterReference, ComponentEvents, DeadLetters, Evidence, Firewall, InboundRule, Link,
    LogAggregator, LogStore, MetricsStore, Observed, PlannedChange, RegionRows, RegionSample, RuleSource, StoreCluster,
    Tag, Terraform, TerraformCheck, TerraformKind, TerraformResources,
};

/// A certificate that ends in three days.
fn ending(e: &Evidence, subject: &str) -> Observed<Certificate> {
    Observed::Seen(Certificate {
        subject: subject.to_owned(),
        until: e.collected + jiff::SignedDuration::from_hours(73),
        from: None,
    })
}

pub(crate) const CASES: &[Case] = &[
    not_asked("SF701", "--stores FILE").after(|e| e.region.metrics_store = Observed::Seen(Asked::NotAsked)),
    fails("SF702", "no sample of testbed within 24h").after(|e| metrics(e).series.newest.clear()),
    fails("SF702", "the newest sample of testbed is 12m").after(|e| metrics(e).series.newest[0].age_ms = HOUR / 5),
    fails("SF702", "with region \"nyc3\", but with \"fra1\"")
        .after(|e| metrics(e).series.newest[0].region = "fra1".into()),
    fails("SF702", "testbed is in \"fra1\"").after(|e| metrics(e).asked.cluster.region = Some("fra1".into())),
    unseen("SF702", "in the store's future").after(|e| metrics(e).series.newest[0].age_ms = -HOUR),
    passes("SF702", "50h old, is still there").after(ended),
    fails("SF702", "no sample of testbed within 720h").after(|e| {
        ended(e);
        metrics(e).series.newest.clear();
    }),
    warns("SF702", "is said to have been taken down").after(|e| {
        ended(e);
        metrics(e).series.newest[0].age_ms = 1000;
    }),
    not_applicable("SF703", "nothing new is expected").after(ended),
    fails(
        "SF703",
        "1 of 2 Ready nodes without container metrics in the store: node2",
    )
    .after(|e| {
        metrics(e).series.kubelets.pop();
    }),
    fails("SF703", "without container metrics in the store: node1").after(|e| metrics(e).series.kubelets[0].series = 0),
    passes("SF703", "2 kubelets").after(|e| metrics(e).series.kubelets[0].instance = "elsewhere:10250".into()),
    fails("SF703", "no container metrics of testbed").after(|e| metrics(e).series.kubelets.clear()),
    not_applicable("SF703", "its nodes are not known").after(|e| metrics(e).asked.cluster.region = None),
    fails("SF704", "no row of kube_pod_labels").after(|e| metrics(e).series.pod_rows.clear()),
    fails("SF704", "3 of 14 rows of kube_pod_labels with label exported_pod")
        .after(|e| metrics(e).series.renamed_rows = 3),
    blocked("SF705", "SF704").after(|e| metrics(e).series.renamed_rows = 3),
    fails("SF705", "none within an hour").after(|e| {
        metrics(e).join.series.remove(1);
    }),
    fails("SF705", "the newest is 42m old").after(|e| {
        metrics(e).join.series[0].rows = 0;
        metrics(e).join.series[0].age_ms = 42 * 60_000;
    }),
    fails("SF705", "no pod has had both inputs").after(|e| {
        metrics(e).join.series.clear();
        metrics(e).join.joinable_pods = 0;
    }),
    fails("SF705", "carries every label").after(|e| metrics(e).join.series[2].labelled = 0),
    fails("SF705", "2 of 12 pods with both inputs without a row").after(|e| metrics(e).join.unjoined_pods = 2),
    warns("SF705", "1 of 12 pods").after(|e| metrics(e).join.unjoined_pods = 1),
    fails("SF706", "starform.io/cluster-id green").after(|e| metrics(e).series.foreign_ids.push("green".into())),
    fails("SF706", "carry region \"fra1\" too").after(|e| {
        metrics(e).series.newest.push(RegionSample {
            region: "fra1".into(),
            age_ms: 9,
        });
    }),
    passes("SF706", "cluster \"testbed\"").after(|e| {
        metrics(e).series.newest.push(RegionSample {
            region: "fra1".into(),
            age_ms: HOUR,
        });
    }),
    fails("SF706", "carry region \"\" too").after(|e| {
        metrics(e).series.pod_rows.push(RegionRows {
            region: String::new(),
            rows: 1,
        });
    }),
    fails("SF707", "prune-snapshots on vector_agg has never reported")
        .after(|e| metrics(e).jobs.jobs.retain(|job| job.job != "prune-snapshots")),
    fails("SF707", "volume-snapshot failed on clickhouse").after(|e| metrics(e).jobs.jobs[1].succeeded = Some(false)),
    fails("SF707", "has not succeeded once on clickhouse").after(|e| metrics(e).jobs.jobs[1].success_age_ms = None),
    fails("SF707", "last succeeded on victoriametrics 27h ago")
        .after(|e| metrics(e).jobs.jobs[3].success_age_ms = Some(27 * HOUR)),
    fails("SF707", "no snapshot of victoriametrics-nyc3 is reported").after(|e| {
        metrics(e).jobs.snapshots.pop();
    }),
    fails("SF707", "the newest snapshot of clickhouse-nyc3 is 54h old")
        .after(|e| metrics(e).jobs.snapshots[0].age_ms = 54 * HOUR),
    warns("SF708", "VictoriaMetrics' certificate CN=victoriametrics ends on").when(
        "victoriametrics certificate ends",
        |e| {
            e.region.metrics_store_certificate = ending(e, "CN=victoriametrics");
        },
    ),
    unseen("SF708", "not collected").after(|e| e.region.metrics_store_certificate = Observed::not_collected()),
    not_applicable("SF708", "nothing was shown").after(|e| e.region.metrics_store_certificate = Observed::Absent),
    warns("SF715", "ClickHouse's certificate CN=clickhouse ends on").when("clickhouse s certificate ends", |e| {
        e.region.log_store_certificate = ending(e, "CN=clickhouse");
    }),
    unseen("SF715", "not collected").after(|e| e.region.log_store_certificate = Observed::not_collected()),
    not_asked("SF711", "--stores FILE").after(|e| e.region.log_store = Observed::Seen(Asked::NotAsked)),
    fails("SF712", "no logs.clusters").after(|e| {
        logs(e).tables.remove("clusters");
    }),
    fails("SF712", "no column starform_app in logs.kubernetes").after(|e| {
        logs(e).tables.get_mut("kubernetes").unwrap().remove("starform_app");
    }),
    fails("SF712", "kubernetes.timestamp is DateTime, not DateTime64(9, 'UTC')").after(|e| {
        logs(e)
            .tables
            .get_mut("kubernetes")
            .unwrap()
            .insert("timestamp".into(), "DateTime".into());
    }),
    blocked("SF713", "SF712").after(|e| {
        logs(e).tables.remove("clusters");
    }),
    fails("SF713", "no line of testbed within an hour").after(|e| logs(e).lines.as_mut().unwrap().clear()),
    fails("SF713", "no line of testbed with region \"nyc3\", but with \"fra1\"")
        .after(|e| logs(e).lines.as_mut().unwrap()[0].region = "fra1".into()),
    fails("SF713", "was received 25m ago").after(|e| logs(e).lines.as_mut().unwrap()[0].received_ms = 25 * 60_000),
    unseen("SF713", "in the store's future").after(|e| logs(e).lines.as_mut().unwrap()[0].received_ms = -HOUR),
    warns("SF713", "one took 10m or more to arrive").after(|e| logs(e).lines.as_mut().unwrap()[0].delay_ms = 600_000),
    fails("SF713", "testbed is in \"fra1\"").after(|e| logs(e).asked.cluster.region = Some("fra1".into())),
    passes("SF713", "20481 lines, the newest received 50h ago, are still there").after(ended),
    fails("SF713", "no line of testbed is left").after(|e| {
        ended(e);
        logs(e).lines.as_mut().unwrap().clear();
    }),
    fails(
        "SF714",
        "3 records of testbed could not be stored within 1h: no region (3)",
    )
    .after(|e| logs(e).dead_letters = Some(letters(true))),
    warns("SF714", "3 records that do not say of which cluster").after(|e| logs(e).dead_letters = Some(letters(false))),
    passes(
        "SF714",
        "2.2 % of all within 1h, as containers make them: no kubernetes metadata (6), no message (10, such as",
    )
    .when("dead letters of a fresh installation", |e| {
        logs(e).lines.as_mut().unwrap()[0].lines = 701;
        logs(e).dead_letters = Some(vec![
            dead("no kubernetes metadata", 6, None),
            dead("no message", 10, Some(FIELDS)),
        ]);
    }),
    fails(
        "SF714",
        "400 records of testbed could not be stored within 1h: no kubernetes metadata (400); 36.3 % of all",
    )
    .when("the kubernetes filter does not match", |e| {
        logs(e).lines.as_mut().unwrap()[0].lines = 701;
        logs(e).dead_letters = Some(vec![dead("no kubernetes metadata", 400, None)]);
    }),
    fails("SF714", "no message (12); 100.0 % of all").when("not one record has a message", |e| {
        logs(e).lines.as_mut().unwrap()[0].lines = 0;
        logs(e).dead_letters = Some(vec![dead("no message", 12, None)]);
    }),
    not_asked("SF721", "--stores FILE").after(|e| e.region.log_aggregator = Observed::Seen(Asked::NotAsked)),
    fails("SF721", "holds no scrape of Vector").after(|e| vector(e).targets = 0),
    fails("SF721", "0 of 1 Vector answers").after(|e| vector(e).up = 0),
    fails("SF721", "delivered none to ClickHouse").after(|e| vector(e).delivered = 0),
    warns("SF721", "no cluster has sent it a record").after(|e| {
        vector(e).received = 0;
        vector(e).delivered = 0;
    }),
    fails("SF722", "312 of clickhouse").after(|e| vector(e).discarded = events("clickhouse", 312)),
    warns("SF722", "2 of fluent_bit").after(|e| vector(e).errors = events("fluent_bit", 2)),
    fails("SF723", "75 % of the buffer").after(|e| {
        vector(e).buffers[0].used_bytes = 3;
        vector(e).buffers[0].size_bytes = 4;
    }),
    unseen("SF723", "tells no size").after(|e| vector(e).buffers.clear()),
    not_asked("SF731", "--terraform FILE").after(|e| e.region.terraform = Observed::Seen(Asked::NotAsked)),
    fails("SF731", "the plan is not complete").after(|e| terraform(e).complete = false),
    fails("SF731", "it has no digitalocean_droplet.vector_agg").after(|e| {
        is(e).droplets.pop();
    }),
    fails("SF731", "it has no digitalocean_vpc.telemetry").after(|e| is(e).vpcs.clear()),
    fails("SF731", "neither the VPC nor any droplet").after(|e| {
        is(e).vpcs.clear();
        is(e).droplets.clear();
    }),
    fails(
        "SF731",
        "as it is: digitalocean_droplet.clickhouse is made by count or for_each: digitalocean_droplet.clickhouse[0]",
    )
    .after(|e| is(e).droplets[0].address = "digitalocean_droplet.clickhouse[0]".into()),
    fails(
        "SF731",
        "digitalocean_droplet.clickhouse is tainted: the next apply makes it anew",
    )
    .after(|e| is(e).droplets[0].tainted = true),
    fails("SF731", "digitalocean_volume.vector_agg is tainted").after(|e| is(e).volumes[2].tainted = true),
    fails(
        "SF731",
        "as it is: it has no digitalocean_droplet.vector_agg; digitalocean_droplet.vector_agg was deleted since the \
         last apply, and not by Terraform; as planned: 3 droplets and a VPC",
    )
    .when("a droplet that somebody deleted, and an ordinary plan", |e| {
        planned(e);
        is(e).droplets.pop();
        terraform(e).gone.push("digitalocean_droplet.vector_agg".into());
    }),
    fails(
        "SF731",
        "of a region is in it; digitalocean_droplet.vector_agg was deleted",
    )
    .when("a region that somebody deleted, and an ordinary plan", |e| {
        first(e);
        terraform(e).is = Some(TerraformResources::default());
        terraform(e).gone.push("digitalocean_droplet.vector_agg".into());
    }),
    fails(
        "SF731",
        "as it is: 3 droplets and a VPC; as planned: it has no digitalocean_droplet.vector_agg",
    )
    .when("a plan that takes a droplet away", |e| {
        planned(e).droplets.pop();
    }),
    passes(
        "SF731",
        "as planned: 3 droplets and a VPC, by a plan of Terraform 1.11.4 that was made 5m ago",
    )
    .when("the first plan", |e| {
        first(e);
    }),
    passes("SF731", "as it is and as planned: 3 droplets and a VPC").when("a plan that changes nothing", |e| {
        planned(e);
    }),
    passes(
        "SF731",
        "by a state of Terraform 1.11.4, which does not say how old it is",
    )
    .when("a state without a date", |e| {
        state(e);
        terraform(e).newest = None;
    }),
    passes("SF731", "which does not say when it was refreshed: not before 2").when("a state with dates", state),
    passes(
        "SF731",
        "changed since the last apply, and not by Terraform: digitalocean_tag.telemetry",
    )
    .when("drift that breaks nothing", |e| {
        terraform(e).changed.push("digitalocean_tag.telemetry".into());
    }),
    warns("SF731", "the plan was made with -refresh=false and knows the past only")
        .when("a plan without a refresh", |e| terraform(e).unrefreshed = true),
    warns("SF731", "of its own checks check.website did not pass")
        .after(|e| terraform(e).checks.push(check("website", "fail"))),
    fails(
        "SF732",
        "digitalocean_droplet.clickhouse is a s-1vcpu-1gb, not so-4vcpu-32gb",
    )
    .after(|e| is(e).droplets[0].size = "s-1vcpu-1gb".into()),
    fails("SF732", "is called \"logs\", not \"clickhouse-nyc3\"").after(|e| is(e).droplets[0].name = "logs".into()),
    fails("SF732", "digitalocean_droplet.vector_agg is in fra1, not nyc3")
        .after(|e| is(e).droplets[2].region = "fra1".into()),
    fails("SF733", "digitalocean_droplet.clickhouse is in 5a4981aa")
        .after(|e| is(e).droplets[0].vpc = Link::Elsewhere("5a4981aa".into())),
    fails("SF733", "is in nothing").after(|e| is(e).droplets[1].vpc = Link::Nothing),
    unseen(
        "SF733",
        "as planned: digitalocean_droplet.victoriametrics is in something that only applying tells",
    )
    .after(|e| first(e).droplets[1].vpc = Link::NotKnown),
    unseen(
        "SF733",
        "is in digitalocean_vpc.telemetry, digitalocean_vpc.other, or what else only applying tells",
    )
    .when("a conditional with two branches", |e| {
        let branches = ["digitalocean_vpc.telemetry", "digitalocean_vpc.other"];
        first(e).droplets[1].vpc = Link::OneOf(branches.map(str::to_owned).to_vec());
    }),
    unseen(
        "SF733",
        "as it was: digitalocean_vpc.telemetry; the plan was made with -refresh=false",
    )
    .when("a plan that was not refreshed", |e| terraform(e).unrefreshed = true),
    fails("SF733", "as it was: digitalocean_droplet.clickhouse is in 5a4981aa").when(
        "a plan that was not refreshed, and was wrong before",
        |e| {
            terraform(e).unrefreshed = true;
            is(e).droplets[0].vpc = Link::Elsewhere("5a4981aa".into());
        },
    ),
    fails("SF734", "there is no digitalocean_volume.clickhouse").after(|e| {
        is(e).volumes.remove(0);
    }),
    fails("SF734", "is not attached to digitalocean_droplet.vector_agg").after(|e| {
        is(e).attachments.pop();
    }),
    fails("SF734", "digitalocean_volume.clickhouse is \"data\" in \"nyc3\"")
        .after(|e| is(e).volumes[0].name = "data".into()),
    fails(
        "SF734",
        "digitalocean_volume.clickhouse is \"clickhouse-nyc3evil\" in \"nyc3\"",
    )
    .after(|e| is(e).volumes[0].name = "clickhouse-nyc3evil".into()),
    passes("SF734", "3 volumes attached").when("a volume made from a snapshot", |e| {
        is(e).volumes[0].name = "clickhouse-nyc3-9708d2b6".into();
    }),
    fails(
        "SF734",
        "as it is: digitalocean_volume.clickhouse is not attached to digitalocean_droplet.clickhouse; as \
         planned: 3 volumes",
    )
    .when("a volume that somebody detached, and an ordinary plan", |e| {
        planned(e);
        is(e).attachments.remove(0);
    }),
    fails(
        "SF734",
        "digitalocean_volume.clickhouse was deleted since the last apply, and not by Terraform",
    )
    .after(|e| {
        is(e).volumes.remove(0);
        terraform(e).gone.push("digitalocean_volume.clickhouse".into());
    }),
    fails("SF735", "no firewall stands before digitalocean_droplet.vector_agg").after(|e| {
        is(e).firewalls.pop();
    }),
    fails(
        "SF735",
        "digitalocean_firewall.clickhouse lets everybody in to tcp 8443",
    )
    .after(|e| is(e).firewalls[0].inbound[0].addresses.push("::/0".into())),
    fails(
        "SF735",
        "digitalocean_firewall.clickhouse lets 0.0.0.0/1, 128.0.0.0/1 in to tcp 8443",
    )
    .after(|e| {
        let addresses = &mut is(e).firewalls[0].inbound[0].addresses;
        addresses.extend(["0.0.0.0/1".into(), "128.0.0.0/1".into()]);
    }),
    fails(
        "SF735",
        "digitalocean_firewall.clickhouse lets 203.0.113.0/24 in to tcp 8443",
    )
    .after(|e| {
        is(e).firewalls[0].inbound[0].addresses.push("203.0.113.0/24".into());
    }),
    passes("SF735", "4 inbound rules").when("SSH from a few addresses", |e| {
        let rules = &mut is(e).firewalls[0].inbound;
        let mut ssh = rules[0].clone();
        ssh.ports = "22".into();
        ssh.addresses = vec!["203.0.113.0/24".into(), "2a03:b0c0:1:2::/64".into()];
        rules.push(ssh);
    }),
    unseen(
        "SF735",
        "what digitalocean_firewall.clickhouse lets in is not known before the plan is applied",
    )
    .when("one firewall of three", |e| {
        let firewall = &mut first(e).firewalls[0];
        firewall.inbound.clear();
        firewall.rules_known = false;
    }),
    fails("SF735", "lets everybody in to tcp 8427").when("one firewall of three, and another is open", |e| {
        is(e).firewalls[0].rules_known = false;
        is(e).firewalls[1].inbound[0].addresses.push("0.0.0.0/0".into());
    }),
    unseen(
        "SF735",
        "digitalocean_firewall.clickhouse lets the tag k8s, which is not known, in to tcp 8443",
    )
    .after(|e| {
        let rule = &mut is(e).firewalls[0].inbound[0];
        rule.others = Some(vec![RuleSource::Tag("k8s".into())]);
    }),
    passes("SF735", "3 inbound rules").when("the region's own machines", |e| {
        let own = Link::Resource("digitalocean_droplet.vector_agg".into());
        is(e).firewalls[0].inbound[0].others = Some(vec![RuleSource::Droplet(own)]);
    }),
    unseen(
        "SF735",
        "lets what else than addresses, which is not known, in to tcp 8443",
    )
    .when("a recording of before sources were read", |e| {
        is(e).firewalls[0].inbound[0].others = None;
    }),
    fails("SF735", "digitalocean_firewall.debug lets everybody in to tcp 1-65535").when(
        "a firewall by a tag of every droplet",
        |e| {
            let mut debug = by_tag("digitalocean_firewall.debug", "telemetry-nyc3");
            debug.inbound.push(tcp("1-65535", &["0.0.0.0/0"]));
            is(e).firewalls.push(debug);
        },
    ),
    fails("SF735", "digitalocean_firewall.debug lets everybody in to tcp 1-65535").when(
        "a firewall by a tag that is written otherwise",
        |e| {
            let mut debug = by_tag("digitalocean_firewall.debug", "Telemetry-NYC3");
            debug.inbound.push(tcp("1-65535", &["0.0.0.0/0"]));
            is(e).firewalls.push(debug);
        },
    ),
    passes("SF735", "3 inbound rules").when("an open firewall by a tag that no droplet of the region has", |e| {
        let mut web = by_tag("digitalocean_firewall.web", "telemetry-nyc3evil");
        web.inbound.push(tcp("443", &["0.0.0.0/0"]));
        is(e).firewalls.push(web);
    }),
    passes("SF735", "3 inbound rules").when("every firewall by a tag of its droplet", |e| {
        for (firewall, role) in is(e)
            .firewalls
            .iter_mut()
            .zip(["clickhouse", "victoriametrics", "vector-agg"])
        {
            firewall.droplets.clear();
            firewall.tags = vec![RuleSource::Tag(format!("telemetry-{role}-nyc3"))];
        }
    }),
    fails("SF735", "no firewall stands before digitalocean_droplet.vector_agg").when(
        "a firewall by a tag that its droplet does not have",
        |e| {
            let firewall = is(e).firewalls.last_mut().unwrap();
            firewall.droplets.clear();
            firewall.tags = vec![RuleSource::Tag("telemetry-vector_agg-nyc3".into())];
        },
    ),
    unseen(
        "SF735",
        "whether digitalocean_firewall.vector_agg stands before digitalocean_droplet.vector_agg is not known",
    )
    .when("a firewall by tags, and the droplet's are not known", |e| {
        let planned = first(e);
        planned.droplets[2].tags = None;
        let firewall = planned.firewalls.last_mut().unwrap();
        firewall.droplets.clear();
        firewall.tags = vec![RuleSource::Tag("telemetry-nyc3".into())];
    }),
    fails(
        "SF735",
        "no firewall stands before digitalocean_droplet.vector_agg; bound to no droplet and no tag: \
         digitalocean_firewall.vector_agg",
    )
    .when("a firewall that is bound to nothing", |e| {
        is(e).firewalls[2].droplets.clear();
    }),
    passes("SF735", "bound to no droplet and no tag: digitalocean_firewall.old").when(
        "a firewall that is bound to nothing beside those of every droplet",
        |e| {
            let mut old = by_tag("digitalocean_firewall.old", "");
            old.tags.clear();
            old.inbound.push(tcp("1-65535", &["0.0.0.0/0"]));
            is(e).firewalls.push(old);
        },
    ),
    fails("SF735", "digitalocean_firewall.more lets everybody in to tcp 9363").when(
        "a second firewall before one droplet",
        |e| {
            let mut more = is(e).firewalls[0].clone();
            more.address = "digitalocean_firewall.more".into();
            more.inbound = vec![tcp("9363", &["::/0"])];
            is(e).firewalls.push(more);
        },
    ),
    passes("SF735", "3 inbound rules").when("a second firewall that is for what goes out alone", |e| {
        let mut more = is(e).firewalls[0].clone();
        more.address = "digitalocean_firewall.outbound".into();
        more.inbound.clear();
        is(e).firewalls.push(more);
    }),
    passes("SF735", "3 inbound rules").when("the region's own machines by their tag", |e| {
        is(e).firewalls[0].inbound[0].others = Some(vec![RuleSource::Tag("telemetry-nyc3".into())]);
    }),
    passes("SF735", "as planned: 3 inbound rules").when("the region's own machines by a tag yet to be made", |e| {
        let planned = first(e);
        planned.tags[0].droplets = None;
        planned.firewalls[0].inbound[0].others = Some(vec![RuleSource::Tag("telemetry-nyc3".into())]);
    }),
    unseen(
        "SF735",
        "digitalocean_firewall.clickhouse lets the tag telemetry-nyc3 of 4 other droplets, which is not known, in to \
         tcp 8443",
    )
    .after(|e| {
        is(e).tags = vec![Tag {
            name: "telemetry-nyc3".into(),
            droplets: Some(7),
        }];
        is(e).firewalls[0].inbound[0].others = Some(vec![RuleSource::Tag("telemetry-nyc3".into())]);
    }),
    fails(
        "SF735",
        "as it is: digitalocean_firewall.clickhouse lets everybody in to tcp 8443; as planned: 3 inbound rules",
    )
    .when("a firewall that somebody opened, and an ordinary plan", |e| {
        planned(e);
        is(e).firewalls[0].inbound[0].addresses.push("0.0.0.0/0".into());
    }),
    fails(
        "SF735",
        "as it is: 3 inbound rules, none for others than private addresses, and to SSH a few; as planned: \
         digitalocean_firewall.clickhouse lets everybody in to tcp 8443",
    )
    .when("a plan that opens a firewall", |e| {
        planned(e).firewalls[0].inbound[0].addresses.push("0.0.0.0/0".into());
    }),
    unseen("SF735", "not known before the plan is applied").after(|e| {
        for firewall in &mut first(e).firewalls {
            firewall.inbound.clear();
            firewall.rules_known = false;
        }
    }),
    unseen(
        "SF736",
        "the document does not tell what data.terraform_remote_state.network holds",
    )
    .after(|e| terraform(e).unread.push("data.terraform_remote_state.network".into())),
    fails(
        "SF736",
        "1 reference: digitalocean_firewall.clickhouse inbound_rule to digitalocean_kubernetes_cluster.blue.id",
    )
    .after(|e| {
        terraform(e).clusters.push(ClusterReference {
            from: "digitalocean_firewall.clickhouse inbound_rule".into(),
            to: "digitalocean_kubernetes_cluster.blue.id".into(),
        });
    }),
    fails("SF737", "the newest snapshot of digitalocean_volume.clickhouse is 54h").after(|e| {
        let old = e.collected - jiff::SignedDuration::from_hours(55);
        is(e).snapshots[0].created = Some(old);
    }),
    unseen("SF737", "as far as this state knows").after(|e| {
        let old = e.collected - jiff::SignedDuration::from_hours(55);
        state(e);
        is(e).snapshots[0].created = Some(old);
    }),
    unseen("SF737", "the plan is 72h old").after(|e| {
        let old = e.collected - jiff::SignedDuration::from_hours(72);
        terraform(e).made = Some(old);
    }),
    unseen("SF737", "it names no snapshot of digitalocean_volume.victoriametrics").after(|e| {
        is(e).snapshots.pop();
    }),
    unseen("SF737", "is dated 2").when("a snapshot of the future", |e| {
        is(e).snapshots[0].created = Some(e.collected + jiff::SignedDuration::from_hours(2));
    }),
    unseen("SF737", "in the future").when("a plan of the future", |e| {
        terraform(e).made = Some(e.collected + jiff::SignedDuration::from_hours(2));
    }),
    fails(
        "SF737",
        "the newest snapshot \"clickhouse-nyc3-20261122t023410z\" is one of 8aaf44b5, and not of \
         digitalocean_volume.clickhouse",
    )
    .after(|e| is(e).snapshots[0].volume = Link::Elsewhere("8aaf44b5".into())),
    unseen("SF737", "is one of something that only").after(|e| is(e).snapshots[0].volume = Link::NotKnown),
    unseen("SF737", "it names no snapshot of digitalocean_volume.clickhouse").when(
        "a snapshot whose name only begins so",
        |e| {
            is(e).snapshots[0].name = "clickhouse-nyc3-evil-20261122t023410z".into();
        },
    ),
    fails("SF737", "of the plan's own checks check.clickhouse_snapshot failed")
        .after(|e| terraform(e).checks.push(check("clickhouse_snapshot", "fail"))),
    unseen(
        "SF737",
        "the plan's own check check.clickhouse_snapshot came to \"error\"",
    )
    .after(|e| terraform(e).checks.push(check("clickhouse_snapshot", "error"))),
    unseen("SF737", "check.clickhouse_snapshot failed, as far as this state knows").after(|e| {
        state(e);
        terraform(e).checks.push(check("clickhouse_snapshot", "fail"));
    }),
    not_applicable("SF737", "yet to be made").after(|e| {
        first(e);
    }),
    fails("SF738", "the plan deletes digitalocean_volume.clickhouse")
        .after(|e| terraform(e).changes = delete("digitalocean_volume.clickhouse")),
    warns("SF738", "the plan replaces digitalocean_droplet.clickhouse")
        .after(|e| terraform(e).changes = delete("digitalocean_droplet.clickhouse")),
    fails("SF738", "the plan deletes digitalocean_volume_snapshot.before_upgrade")
        .after(|e| terraform(e).changes = change("digitalocean_volume_snapshot.before_upgrade", &["delete"])),
    fails(
        "SF738",
        "the plan detaches a volume for good: digitalocean_volume_attachment.clickhouse",
    )
    .after(|e| terraform(e).changes = change("digitalocean_volume_attachment.clickhouse", &["delete"])),
    warns("SF738", "the plan replaces digitalocean_volume_attachment.clickhouse")
        .after(|e| terraform(e).changes = delete("digitalocean_volume_attachment.clickhouse")),
    warns("SF738", "the plan deletes digitalocean_droplet.bastion")
        .after(|e| terraform(e).changes = change("digitalocean_droplet.bastion", &["delete"])),
    fails(
        "SF738",
        "the plan deletes module.digitalocean_droplet.digitalocean_volume.clickhouse",
    )
    .when("a volume in a module that is called as a droplet's type", |e| {
        terraform(e).changes = delete("module.digitalocean_droplet.digitalocean_volume.clickhouse");
    }),
    not_applicable("SF738", "a state plans nothing").after(state),
    // What could not be seen.
    unseen("SF701", "it is not known whose data to look for").after(|e| e.region.metrics_store = Observed::Absent),
    unseen("SF702", "not collected").after(|e| e.region.metrics_store = Observed::not_collected()),
    unseen("SF711", "it is not known whose data to look for").after(|e| e.region.log_store = Observed::Absent),
    unseen("SF713", "not collected").after(|e| e.region.log_store = Observed::not_collected()),
    unseen("SF722", "not collected").after(|e| e.region.log_aggregator = Observed::not_collected()),
    unseen("SF733", "not collected").after(|e| e.region.terraform = Observed::not_collected()),
    passes("SF723", "50 % of the buffer of clickhouse is used").when(
        "as much of Vector's buffer as may be is used",
        |e| {
            vector(e).buffers[0].used_bytes = 42_949_672_960;
        },
    ),
    passes("SF723", "0 % of the buffer of clickhouse is used").when("another of Vector's buffers is full", |e| {
        let mut other = vector(e).buffers[0].clone();
        other.component = "archive".into();
        other.used_bytes = other.size_bytes;
        vector(e).buffers.insert(0, other);
    }),
    unseen("SF723", "Vector tells no size of the buffer of clickhouse")
        .when("Vector's buffer has no size", |e| vector(e).buffers[0].size_bytes = 0),
    warns("SF705", "1 of 10 pods with both inputs without a row").when(
        "as many pods without a joined row as may be",
        |e| {
            metrics(e).join.joinable_pods = 10;
            metrics(e).join.unjoined_pods = 1;
        },
    ),
    passes("SF703", "1 kubelet of testbed").when("a node that was just made has sent nothing", |e| {
        let now = e.now(starform_verify::evidence::Source::Nodes);
        crate::given::nodes(e)[0].created = now;
        metrics(e).series.kubelets.remove(0);
    }),
    passes("SF703", "1 kubelet of testbed").when("a node that is not Ready has sent nothing", |e| {
        crate::given::nodes(e)[0].ready = Some(crate::given::condition("False", "KubeletNotReady", ""));
        metrics(e).series.kubelets.remove(0);
    }),
    passes("SF734", "3 volumes attached").when("volumes attached", |_| {}),
    fails(
        "SF734",
        "digitalocean_volume.clickhouse is not attached to digitalocean_droplet.clickhouse",
    )
    .when("volumes attached crosswise", |e| {
        let attachments = &mut is(e).attachments;
        let first = attachments[0].droplet.clone();
        attachments[0].droplet = attachments[1].droplet.clone();
        attachments[1].droplet = first;
    }),
    unseen("SF702", "the newest of testbed is 2m old, and of its nodes none is").when(
        "the newest sample is older than every node",
        |e| {
            rebuilt(e);
            metrics(e).series.newest[0].age_ms = 120_000;
        },
    ),
    unseen("SF702", "no node tells how old the cluster is").when("no node tells how old the cluster is", |e| {
        for node in crate::given::nodes(e) {
            node.created = None;
        }
    }),
    passes("SF702", "the newest sample of testbed is 1m 30s old").when(
        "the newest sample is as old as the oldest node",
        |e| {
            rebuilt(e);
            metrics(e).series.newest[0].age_ms = 90_000;
        },
    ),
    unseen("SF705", "the newest of testbed is 1m 40s old, and of its nodes none is").when(
        "the newest row of the join is older than every node",
        |e| {
            rebuilt(e);
            for series in &mut metrics(e).join.series {
                series.age_ms = 100_000;
            }
        },
    ),
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

fn is(evidence: &mut Evidence) -> &mut TerraformResources {
    terraform(evidence).is.as_mut().unwrap()
}

/// A plan that makes what there is to be, besides what is.
fn planned(evidence: &mut Evidence) -> &mut TerraformResources {
    let terraform = terraform(evidence);
    terraform.planned = terraform.is.clone();
    terraform.planned.as_mut().unwrap()
}

/// Nothing is yet: the first plan.
fn first(evidence: &mut Evidence) -> &mut TerraformResources {
    let terraform = terraform(evidence);
    terraform.planned = terraform.is.take();
    terraform.planned.as_mut().unwrap()
}

fn state(evidence: &mut Evidence) {
    let terraform = terraform(evidence);
    (terraform.kind, terraform.made) = (TerraformKind::State, None);
}

fn by_tag(address: &str, tag: &str) -> Firewall {
    Firewall {
        address: address.to_owned(),
        droplets: Vec::new(),
        tags: vec![RuleSource::Tag(tag.to_owned())],
        inbound: Vec::new(),
        rules_known: true,
    }
}

fn tcp(ports: &str, addresses: &[&str]) -> InboundRule {
    InboundRule {
        protocol: "tcp".to_owned(),
        ports: ports.to_owned(),
        addresses: addresses.iter().map(|address| (*address).to_owned()).collect(),
        others: Some(Vec::new()),
    }
}

fn check(name: &str, status: &str) -> TerraformCheck {
    TerraformCheck {
        address: format!("check.{name}"),
        status: status.to_owned(),
    }
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
    let letters = dead("no region", 3, None);
    vec![DeadLetters { own, ..letters }]
}

/// What a record of Fluent Bit's is made of.
const FIELDS: &str = "_p, cluster, date, kubernetes, log, offset, region, stream, time; a line of 0 characters";

fn dead(reason: &str, records: u64, example: Option<&str>) -> DeadLetters {
    DeadLetters {
        reason: reason.to_owned(),
        own: true,
        records,
        example: example.map(str::to_owned),
    }
}

fn change(address: &str, actions: &[&str]) -> Vec<PlannedChange> {
    let kind = address.rsplit('.').nth(1).unwrap().to_owned();
    vec![PlannedChange {
        address: address.to_owned(),
        kind,
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
    }]
}

fn delete(address: &str) -> Vec<PlannedChange> {
    change(address, &["delete", "create"])
}

/// Nodes that are a minute and a half old, one of them a minute.
fn rebuilt(evidence: &mut Evidence) {
    let now = evidence.now(starform_verify::evidence::Source::Nodes).unwrap();
    let nodes = crate::given::nodes(evidence);
    nodes[0].created = Some(now - jiff::SignedDuration::from_secs(90));
    nodes[1].created = Some(now - jiff::SignedDuration::from_secs(60));
}
