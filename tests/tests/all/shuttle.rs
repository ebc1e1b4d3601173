//! Shuttle on a real cluster: installed in the contract's order, registered, broken, mended, rebuilt.

mod as_shipped;
mod printed;
mod site;

use crate::fleet::{CLUSTER_ID, REGION};
use site::{NAMESPACE, Site, complaints, verdict};
use std::time::{Duration, Instant};
use testbed::{ClusterState, Fault, FaultKind, Operation, RetryAfter, Scenario};

#[test]
#[ignore = "needs a cluster: tests/run"]
fn installed_in_the_contracts_order_each_step_moves_it_on_and_the_last_one_registers_it() {
    let site = Site::without_shuttle();
    let before = site.request_count();
    let stores = site.sink().stores();
    site.cluster.uninstall_collectors().unwrap();
    for release in ["kube-state-metrics", "metrics-server"] {
        site.cluster.uninstall_component(release).unwrap();
    }
    site.cluster.uninstall_envoy_gateway().unwrap();
    site.install();
    // Too early: it says what is missing, and asks Starbase for nothing. Each component moves it on.
    site.until_unready("SF201 fails", 90);
    site.cluster.install_envoy_gateway().unwrap();
    site.until_unready("SF301 fails", 120);
    site.cluster.install_metrics_server("0.9.0", &[]).unwrap();
    site.until_unready("SF320 fails", 120);
    site.cluster.install_kube_state_metrics("2.20.0", &[]).unwrap();
    site.until_unready("SF401 fails", 120);
    site.cluster.prepare_collectors(stores).unwrap();
    for (release, next) in [("fluent-bit", "SF421 fails"), ("vmagent", "SF441 fails")] {
        site.cluster.install_collector(release, CLUSTER_ID, stores).unwrap();
        site.until_unready(next, 180);
    }
    assert_eq!(
        site.requests_since(before).len(),
        0,
        "a request before the contract was kept"
    );
    site.cluster
        .install_collector("k8s-monitoring", CLUSTER_ID, stores)
        .unwrap();
    // What an auditor outside sees first is the last prerequisite.
    site.until("the auditor passes steps 1 to 4", 180, || {
        let (code, report) = site.audit(&["--step", "1,2,3,4"]);
        if code == 0 {
            Ok(())
        } else {
            Err(complaints(&report).join("\n"))
        }
    });
    let kept = Instant::now();
    site.until("registered", 60, || {
        site.known().map(drop).ok_or("Starbase does not know it")
    });
    let took = kept.elapsed();
    eprintln!(
        "registered {} ms after the auditor outside first saw steps 1 to 4 kept",
        took.as_millis()
    );
    // `kubectl rollout status` returns, Starbase lists it.
    site.wait_until_active();
    let known = site.known().unwrap();
    assert_eq!(known.region, REGION);
    let uid = site.cluster.run(&[
        "kubectl",
        "get",
        "namespace",
        "kube-system",
        "--output=jsonpath={.metadata.uid}",
    ]);
    assert_eq!(known.uid, uid.unwrap());
    let token = site.token();
    for pod in site.pods() {
        let log = site.cluster.logs(NAMESPACE, &pod, false).unwrap();
        assert!(
            !log.is_empty() && !log.contains(&token),
            "the token is in the log of {pod}"
        );
        for path in ["/metrics", "/readyz?verbose", "/livez"] {
            assert!(
                !site.cluster.admin(NAMESPACE, &pod, path).unwrap().body.contains(&token),
                "{pod}{path}"
            );
        }
        for path in ["/", "/report.json"] {
            let page = site.cluster.status_page(NAMESPACE, &pod, path).unwrap();
            assert!(page.status == 200 && !page.body.contains(&token), "{pod}{path}");
            assert_ne!(
                site.cluster.admin(NAMESPACE, &pod, path).unwrap().status,
                200,
                "{path} beyond loopback"
            );
        }
    }
    let events = site
        .cluster
        .run(&["kubectl", "--namespace", NAMESPACE, "get", "events", "--output=json"])
        .unwrap();
    assert!(
        events.contains("registered, generation") && !events.contains(&token),
        "{events}"
    );
    assert!(!site.status().to_string().contains(&token));
    // So that `mend` restores them for the tests that follow.
    site.cluster.install_collectors(CLUSTER_ID, stores).unwrap();
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn the_auditor_proves_it_from_outside_and_asks_starbase() {
    let site = Site::active();
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, site.token()).unwrap();
    let (url, authority) = (site.url(), site.authority());
    let (token, authority) = (token.to_str().unwrap(), authority.to_str().unwrap());
    let steps = ["--step", "1,2,3,4,5,6", "--wait", "120s"];
    let asks = ["--starbase", &url, "--token-file", token, "--starbase-ca", authority];
    let (code, report) = site.audit(&[&steps[..], &asks[..]].concat());
    assert_eq!(code, 0, "{:#?}", complaints(&report));
    for code in [
        "SF501", "SF502", "SF503", "SF504", "SF505", "SF506", "SF507", "SF508", "SF509", "SF601", "SF602", "SF603",
    ] {
        assert_eq!(verdict(&report, code), "pass", "{code}: {:#?}", complaints(&report));
    }
    // Agent and auditor agree on every gating check. They look at two moments, half a minute apart at most.
    let leader = site.cluster.shuttle_leader().unwrap().unwrap();
    site.until("agent and auditor agree", 90, || {
        let page = site.cluster.status_page(NAMESPACE, &leader, "/report.json").unwrap();
        let own: serde_json::Value = serde_json::from_str(&page.body).unwrap();
        let (_, report) = site.audit(&steps[..2]);
        let checks = own["report"]["steps"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|step| step["checks"].as_array().unwrap());
        let gating: Vec<_> = checks.filter(|check| check["gates"] == true).collect();
        assert!(gating.len() >= 40, "{} gating checks", gating.len());
        let differ =
            |check: &&&serde_json::Value| check["verdict"] != verdict(&report, check["code"].as_str().unwrap());
        match gating.iter().find(differ) {
            None => Ok(()),
            Some(check) => Err(format!("{}: {}", check["code"], check["observed"])),
        }
    });
    // A disagreement fails: Starbase has another cluster under this ID, and the agent has not heard of it.
    let other = serde_json::json!({
        "clusterId": CLUSTER_ID, "uid": "00000000-0000-4000-8000-000000000000", "state": "active",
        "generation": site.generation(), "region": REGION, "agent": { "version": "0.1.0", "instance": "shuttle-0" },
        "kubernetes": { "version": "v1.35.4" }, "contract": "sha256:0", "phase": "active", "reason": "registered",
        "registered": "2026-01-01T00:00:00Z", "lastHeartbeat": "2026-01-01T00:00:00Z",
        "heartbeatIntervalSeconds": 3, "graceSeconds": 15, "now": "2026-01-01T00:00:01Z",
    });
    let answer = FaultKind::Answer {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: other.to_string(),
    };
    site.starbase()
        .fault(&Fault::always(answer).on(Operation::Status))
        .unwrap();
    let (code, report) = site.audit(&[&["--step", "6"][..], &asks[..]].concat());
    assert_eq!(
        (code, verdict(&report, "SF603")),
        (3, "fail"),
        "{:#?}",
        complaints(&report)
    );
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_broken_allow_list_degrades_it_and_typing_what_the_demo_prints_is_enough() {
    const STEPS: [&str; 2] = ["--step", "1,2,3,4,5,6"];
    let site = Site::active();
    let generation = site.generation();
    site.cluster.break_(Scenario::AllowlistMissing).unwrap();
    if std::env::var_os("UPDATE_DEMO").is_some() {
        record_demo(&site);
        return;
    }
    // The demo is this: it begins as the audit of this cluster does.
    let demo = printed::beginning(&printed::demo());
    let (code, report) = site.audit(&STEPS);
    assert_eq!((code, printed::beginning(&report)), (3, demo.clone()));
    site.until_unready("SF324", 120);
    site.until("Starbase hears of it", 30, || match site.known() {
        Some(known) if known.state == ClusterState::Degraded && known.reason.contains("SF324") => Ok(()),
        other => Err(format!("{other:?}")),
    });
    let folder = tempfile::tempdir().unwrap();
    printed::type_in_a_fresh_clone(&site.cluster, folder.path(), &demo.1);
    site.wait_until_active();
    assert_eq!(
        site.generation(),
        generation,
        "it was degraded, not gone: no new registration"
    );
    let (code, report) = site.audit(&[&STEPS[..], &["--wait", "150s"]].concat());
    assert_eq!(code, 0, "after the printed fix: {:#?}", complaints(&report));
}

/// Records what `starform-verify demo` embeds. It is published: nothing in it tells of the machine that it was made on.
fn record_demo(site: &Site) {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("demo.json");
    let audit = ["--step", "1,2,3,4,5,6", "--record", record.to_str().unwrap()];
    site.until("one place of step 3 is broken, and all else is settled", 180, || {
        let (_, report) = site.audit(&audit);
        let complaints = complaints(&report);
        let expected = |one: &&String| {
            ["\"SF324\"", "\"SF382\""].iter().any(|code| one.starts_with(code))
                || one.contains("\"fail\"")
                || one.contains("\"unknown\"")
        };
        match complaints.iter().filter(expected).count() {
            2 => Ok(()),
            _ => Err(complaints.join("\n")),
        }
    });
    let text = std::fs::read_to_string(&record).unwrap();
    let workspace = std::fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap();
    assert!(!text.contains(workspace.to_str().unwrap()), "the workspace is in it");
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/evidence/demo.json");
    std::fs::write(demo, text).unwrap();
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_metrics_server_scaled_away_degrades_it_and_mending_it_is_enough() {
    let site = Site::active();
    site.cluster.break_(Scenario::MetricsServerScaledToZero).unwrap();
    site.until_unready("SF303", 120);
    site.cluster.mend().unwrap();
    site.wait_until_active();
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_metrics_api_that_is_available_without_pod_metrics_does_not_fool_it() {
    let site = Site::without_shuttle();
    site.cluster.break_(Scenario::MetricsServerNodeMetricsOnly).unwrap();
    let before = site.request_count();
    site.install();
    site.until_unready("SF308", 120);
    let service = ["kubectl", "get", "apiservice", "v1beta1.metrics.k8s.io"];
    let available = "--output=jsonpath={.status.conditions[?(@.type==\"Available\")].status}";
    assert_eq!(
        site.cluster.run(&[&service[..], &[available]].concat()).unwrap(),
        "True"
    );
    assert_eq!(site.requests_since(before).len(), 0);
    site.cluster.mend().unwrap();
    site.wait_until_active();
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn while_starbase_is_away_it_stays_ready_and_comes_back_by_itself() {
    let site = Site::active();
    site.starbase().fault(&Fault::always(FaultKind::Drop)).unwrap();
    let before = site.request_count();
    std::thread::sleep(Duration::from_secs(10));
    site.starbase().advance(Duration::from_mins(10)).unwrap();
    assert_eq!(site.known().unwrap().state, ClusterState::Lost);
    for (status, said) in site.readiness() {
        assert_eq!(status, 200, "{said}");
    }
    let tries = site.requests_since(before).len();
    assert!((1..=20).contains(&tries), "{tries} requests in 10 s");
    site.starbase().clear().unwrap();
    let wait = FaultKind::Status {
        status: 429,
        retry_after: Some(RetryAfter::Seconds(8)),
    };
    site.starbase().fault(&Fault::times(wait, 1)).unwrap();
    site.wait_until_active();
    // Nothing was sent before Retry-After was over.
    let requests = site.requests_since(before);
    let told = requests.iter().position(|one| one.status() == Some(429)).unwrap();
    let pause = requests[told + 1].received_ms - requests[told].received_ms;
    assert!(pause >= 8_000, "asked again after {pause} ms");
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_rollout_while_starbase_is_away_keeps_its_replicas_ready() {
    let site = Site::active();
    site.starbase().fault(&Fault::always(FaultKind::Drop)).unwrap();
    let kubectl = ["kubectl", "--namespace", NAMESPACE, "rollout"];
    let run = |words: &[&str]| site.cluster.run(&[&kubectl[..], words].concat()).unwrap();
    run(&["restart", "deployment/shuttle"]);
    run(&["status", "deployment/shuttle", "--timeout=180s"]);
    site.starbase().clear().unwrap();
    site.wait_until_active();
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_revoked_token_makes_it_unready_and_its_successor_takes_effect_without_a_restart() {
    let site = Site::active();
    let restarts = restarts(&site);
    site.starbase().revoke(&site.token()).unwrap();
    site.until_unready("token", 60);
    let next = site.starbase().mint(CLUSTER_ID).unwrap();
    site.use_token(next);
    // kubelet brings a changed Secret within a minute or so.
    site.wait_until_active();
    assert_eq!(self::restarts(&site), restarts);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_leader_that_is_killed_is_succeeded() {
    let site = Site::active();
    let generation = site.generation();
    let start = Instant::now();
    site.cluster.kill_leader().unwrap();
    // By the other replica once the Lease (15 s) is over, or by its own next process, which kubelet starts in the same
    // pod, which is the same holder, and which has to verify anew. `agent_labels.rs` has one that stays dead.
    site.until("registered anew", 90, || {
        let now = site.generation();
        if now > generation {
            Ok(())
        } else {
            Err(format!("generation {now}"))
        }
    });
    eprintln!("registered anew after {:.1} s", start.elapsed().as_secs_f64());
    site.wait_until_active();
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn an_api_server_that_restarts_changes_nothing_for_long() {
    let site = Site::active();
    let restarts = restarts(&site);
    site.cluster.restart_api_server().unwrap();
    site.wait_until_active();
    assert_eq!(self::restarts(&site), restarts);
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_node_that_goes_and_one_that_comes_are_proven_or_forgotten() {
    let site = Site::active();
    site.cluster.remove_node(2).unwrap();
    site.until("the join knows one node", 120, || {
        let joined = site.status()["join"]["joined"].clone();
        if joined.as_array().is_some_and(|nodes| nodes.len() == 1) {
            Ok(())
        } else {
            Err(joined.to_string())
        }
    });
    site.wait_until_active();
    site.cluster.add_node(2).unwrap();
    site.until("both nodes are joined and proven", 180, || {
        let status = site.status();
        let (join, nodes) = (&status["join"], &status["nodes"]);
        let joined = join["joined"].as_array().is_some_and(|nodes| nodes.len() == 2);
        if joined && nodes["proven"] == 2 {
            Ok(())
        } else {
            Err(format!("{join} {nodes}"))
        }
    });
    site.wait_until_active();
    // A drained node is still one of the cluster's.
    site.cluster.drain_node(2).unwrap();
    site.wait_until_active();
    site.cluster.uncordon_node(2).unwrap();
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_stopped_agent_gives_back_the_lease_and_says_why() {
    let site = Site::active();
    let before = site.request_count();
    let leader = site.cluster.shuttle_leader().unwrap().unwrap();
    let start = Instant::now();
    site.cluster
        .run(&[
            "kubectl",
            "--namespace",
            NAMESPACE,
            "delete",
            "pod",
            &leader,
            "--wait=false",
        ])
        .unwrap();
    site.until("another leads at once", 10, || match site.cluster.shuttle_leader() {
        Ok(Some(now)) if now != leader => Ok(()),
        other => Err(format!("{other:?}")),
    });
    let took = start.elapsed();
    assert!(
        took < Duration::from_secs(10),
        "taken over after {took:?}: the Lease was not given back"
    );
    let farewell = |one: &testbed::Exchange| one.body.contains("\"stopping\"") && one.status() == Some(200);
    assert!(site.requests_since(before).iter().any(farewell), "no last heartbeat");
    site.wait_until_active();
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn labels_come_to_every_pod_of_a_managed_namespace_and_come_back() {
    const PODS: usize = 1_000;
    let site = Site::active();
    let kubectl = |words: &[&str]| site.cluster.run(&[&["kubectl"], words].concat()).unwrap();
    kubectl(&["delete", "namespace", "tenant-a", "--ignore-not-found"]);
    kubectl(&["create", "namespace", "tenant-a"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pods.json");
    std::fs::write(&file, unscheduled_pods("tenant-a", PODS).to_string()).unwrap();
    site.until("a namespace that takes pods", 20, || {
        let account = ["kubectl", "--namespace", "tenant-a", "get", "serviceaccount", "default"];
        site.cluster.run(&account).map(drop).map_err(|error| error.to_string())
    });
    kubectl(&["create", "--filename", file.to_str().unwrap(), "--output=name"]);
    kubectl(&[
        "label",
        "namespace",
        "tenant-a",
        "starform.io/project=payments",
        "starform.io/app=ledger",
        "starform.io/deployment=d1",
    ]);
    let start = Instant::now();
    kubectl(&["label", "namespace", "tenant-a", "starform.io/managed=true"]);
    let selector = format!(
        "starform.io/cluster-id={CLUSTER_ID},starform.io/region={REGION},starform.io/project=payments,starform.io/app=ledger,starform.io/deployment=d1"
    );
    let labelled = || site.cluster.pods("tenant-a", &selector).unwrap();
    // As long as a busy machine may take; how long it took is said below.
    site.until("every pod is labelled", 240, || {
        let count = labelled().len();
        if count == PODS {
            Ok(())
        } else {
            Err(format!("{count} of {PODS}"))
        }
    });
    eprintln!("{PODS} pods labelled in {:.1} s", start.elapsed().as_secs_f32());
    // What somebody takes away or changes comes back.
    let pod = labelled().remove(0);
    kubectl(&[
        "--namespace",
        "tenant-a",
        "label",
        "pod",
        &pod,
        "starform.io/region-",
        "starform.io/cluster-id=other",
        "--overwrite",
    ]);
    site.until("its labels are back", 20, || {
        if labelled().len() == PODS {
            Ok(())
        } else {
            Err("not yet")
        }
    });
    // What is not managed is left alone.
    let others = kubectl(&[
        "--namespace",
        "default",
        "get",
        "pods",
        "--selector",
        "starform.io/cluster-id",
        "--output=name",
    ]);
    assert_eq!(others, "");
    kubectl(&["delete", "namespace", "tenant-a", "--wait=false"]);
    site.wait_until_active();
}

/// Pods that no scheduler places.
fn unscheduled_pods(namespace: &str, count: usize) -> serde_json::Value {
    let pod = |number| {
        serde_json::json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": format!("pod-{number}"), "namespace": namespace },
            "spec": { "schedulerName": "none", "containers": [{ "name": "a", "image": "docker.io/starform/storefront:1" }] },
        })
    };
    serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": (0..count).map(pod).collect::<Vec<_>>() })
}

/// How often the agents' containers were started anew.
fn restarts(site: &Site) -> Vec<u64> {
    site.pods()
        .iter()
        .map(|pod| site.cluster.restarts(NAMESPACE, pod).unwrap())
        .collect()
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_second_cluster_of_the_same_id_is_refused_until_it_is_the_rebuilt_one() {
    let site = Site::active();
    let _leave = testbed::leave();
    let second = testbed::shuttle::second_cluster("second").unwrap();
    let serving = site.starbase().serve_within("second", site::PORT).unwrap();
    let sink = testbed::Sink::of_cluster("second").unwrap();
    second.install_envoy_gateway().unwrap();
    second.install_collectors(CLUSTER_ID, sink.stores()).unwrap();
    second.build_shuttle_image().unwrap();
    let authority = std::fs::read_to_string(site.authority()).unwrap();
    let (url, old) = (serving.url(), site.token());
    let mut installation = testbed::shuttle::Installation {
        starbase: &url,
        authority: &authority,
        cluster_id: CLUSTER_ID,
        region: REGION,
        token: &old,
    };
    second.install_shuttle(&installation).unwrap();
    // The ID is taken: it says so, says what to do, and is not ready.
    let says = |words: &[&str]| {
        let leader = second.shuttle_leader().ok().flatten().ok_or("no leader")?;
        let answer = second
            .admin(NAMESPACE, &leader, "/readyz?verbose")
            .map_err(|error| error.to_string())?;
        match words.iter().find(|word| !answer.body.contains(**word)) {
            None if answer.status == 503 => Ok(()),
            _ => Err(format!("{} {}", answer.status, answer.body)),
        }
    };
    site.until("the second one is rejected, with what to do", 180, || {
        says(&["rejected", "409", "shuttle deregister"]).map_err(|error: String| error)
    });
    let first = site.known().unwrap();
    assert_eq!(
        first.state,
        ClusterState::Active,
        "the first one is what it was: {first:?}"
    );
    // The cluster was rebuilt: the old token is revoked, a new one minted.
    site.starbase().revoke(&old).unwrap();
    let minted = site.starbase().mint(CLUSTER_ID).unwrap();
    installation.token = &minted;
    second.set_shuttle_parameters(&installation).unwrap();
    second.wait_for_shuttle(240).unwrap();
    let rebuilt = site.known().unwrap();
    assert_ne!(rebuilt.uid, first.uid);
    assert!(rebuilt.generation > first.generation);
    assert_eq!(rebuilt.state, ClusterState::Active);
    // What is left of the old one is told so, and cannot take it back.
    site.until_unready("token", 60);
    assert_eq!(site.known().unwrap().uid, rebuilt.uid);
    drop((serving, sink));
    second.down().unwrap();
    // For the tests that follow the first cluster is itself again.
    site.starbase().revoke(&minted).unwrap();
    site.use_token(site.starbase().mint(CLUSTER_ID).unwrap());
    site.wait_until_active();
}
