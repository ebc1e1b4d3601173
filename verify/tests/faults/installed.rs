//! What is installed in states that people reported in public, and in states of the same kind.

use serde_json::{Value, json};
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, evaluate};
use starform_verify::report::{CheckResult, Report, Verdict};
use testdata::{Answers, asked, cases, collect, plan};

/// What an audit comes to.
struct Audit {
    report: Report,
}

impl Audit {
    async fn of(answers: &Answers) -> Self {
        let contract = Contract::embedded().unwrap();
        let evidence = collect(&answers.targets(), &contract, &plan()).await;
        let report = evaluate(&contract, &evidence, &Selection::all());
        Self { report }
    }

    async fn of_case(name: &str) -> Self {
        Self::of(&cases::case(name).unwrap().answers().unwrap()).await
    }

    fn check(&self, code: &str) -> &CheckResult {
        self.report.checks().find(|check| check.code == code).unwrap()
    }

    /// That a check came to that, and what it observed has these words in it.
    fn says(&self, code: &str, verdict: Verdict, words: &str) {
        let check = self.check(code);
        assert_eq!(check.verdict, verdict, "{code}: {}", check.observed);
        assert!(check.observed.contains(words), "{code}: {}", check.observed);
    }

    /// The checks that neither pass nor have nothing to judge, and that the good answers let pass.
    fn worse_than(&self, good: &Self) -> Vec<String> {
        let is_bad = |check: &&CheckResult| {
            matches!(
                check.verdict,
                Verdict::Fail | Verdict::Warn | Verdict::Unknown | Verdict::Blocked
            )
        };
        let bad = self.report.checks().filter(is_bad);
        let worse = bad.filter(|check| good.check(&check.code).verdict != check.verdict);
        worse
            .map(|check| format!("{} {:?}: {}", check.code, check.verdict, check.observed))
            .collect()
    }
}

fn changed(name: &str, change: impl FnOnce(&mut Value)) -> (u16, &'static str, String) {
    let mut value = serde_json::from_str(asked(name).body()).unwrap();
    change(&mut value);
    (200, "application/json", value.to_string())
}

/// The good answers, with one changed.
fn with(name: &'static str, change: impl FnOnce(&mut Value)) -> Answers {
    let answers = Answers::good();
    answers.answer(name, vec![changed(name, change)]);
    answers
}

/// One node more, like the second, with these labels and taints.
fn another_node(nodes: &mut Value, name: &str, labels: &Value, taints: &Value) {
    let mut node = nodes["items"][1].clone();
    node["metadata"]["name"] = json!(name);
    node["metadata"]["uid"] = json!(format!("u-{name}"));
    node["metadata"]["creationTimestamp"] = json!("2026-11-20T15:00:00Z");
    for (key, value) in labels.as_object().unwrap() {
        node["metadata"]["labels"][key] = value.clone();
    }
    node["spec"]["taints"] = taints.clone();
    nodes["items"].as_array_mut().unwrap().push(node);
}

/// Gives the DaemonSet of Fluent Bit a part of its pods' specification.
fn specify(daemon_sets: &mut Value, key: &str, value: Value) {
    daemon_sets["items"][0]["spec"]["template"]["spec"][key] = value;
}

#[tokio::test(start_paused = true)]
async fn a_collector_of_other_nodes_has_nothing_to_do() {
    let good = Audit::of(&Answers::good()).await;
    let audit = Audit::of_case("alloy-windows-preset-collector").await;
    audit.says(
        "SF445",
        Verdict::Pass,
        "DaemonSet k8s-monitoring-alloy-logs selects none of 2 Ready nodes",
    );
    assert_eq!(audit.worse_than(&good), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_virtual_node_is_told_and_misses_nothing() {
    let good = Audit::of(&Answers::good()).await;
    let audit = Audit::of_case("virtual-kubelet-node").await;
    for code in ["SF103", "SF104", "SF402"] {
        audit.says(code, Verdict::Pass, "; no kubelet of its own: virtual-kubelet-0");
    }
    assert_eq!(audit.worse_than(&good), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_node_of_a_simulator_is_virtual_too_and_one_of_a_pool_is_not() {
    let good = Audit::of(&Answers::good()).await;
    let taints = json!([{"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}]);
    let simulated = with("nodes", |nodes| {
        another_node(nodes, "kwok-7", &json!({"type": "kwok"}), &taints);
    });
    assert_eq!(Audit::of(&simulated).await.worse_than(&good), Vec::<String>::new());
    let pooled = with("nodes", |nodes| {
        another_node(nodes, "gpu-7", &json!({"type": "gpu"}), &json!([]));
    });
    let audit = Audit::of(&pooled).await;
    for code in ["SF306", "SF402", "SF432", "SF502"] {
        assert_eq!(audit.check(code).verdict, Verdict::Fail, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_an_autoscaler_takes_down_is_a_warning() {
    let good = Audit::of(&Answers::good()).await;
    let audit = Audit::of_case("node-scale-down-notready").await;
    audit.says(
        "SF104",
        Verdict::Warn,
        "1 of 3 nodes not Ready: pool-a-3gone (NodeStatusUnknown",
    );
    audit.says("SF104", Verdict::Warn, "for 1m; it goes away)");
    assert_eq!(audit.worse_than(&good).len(), 1, "{:?}", audit.worse_than(&good));
}

/// The node of the case, cordoned or not, and not Ready since then.
fn not_ready(since: &str, taints: &Value) -> Answers {
    with("nodes", |nodes| {
        another_node(nodes, "pool-a-3", &json!({}), taints);
        let conditions = nodes["items"][2]["status"]["conditions"].as_array_mut().unwrap();
        for condition in conditions.iter_mut().filter(|condition| condition["type"] == "Ready") {
            condition["status"] = json!("Unknown");
            condition["reason"] = json!("NodeStatusUnknown");
            condition["lastTransitionTime"] = json!(since);
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_node_has_a_while_to_become_ready_again() {
    // The answers are of 15:02:50.
    let unreachable = json!([{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]);
    let leaving = json!([{"key": "ToBeDeletedByClusterAutoscaler", "value": "1795359600", "effect": "NoSchedule"}]);
    for (since, taints, verdict) in [
        ("2026-11-22T14:58:30Z", &unreachable, Verdict::Warn),
        ("2026-11-22T14:50:00Z", &unreachable, Verdict::Fail),
        ("2026-11-22T14:50:00Z", &leaving, Verdict::Warn),
        // No clock is that much ahead.
        ("2026-11-22T15:30:00Z", &unreachable, Verdict::Fail),
    ] {
        let audit = Audit::of(&not_ready(since, taints)).await;
        assert_eq!(audit.check("SF104").verdict, verdict, "{since} {taints}");
        assert_eq!(audit.check("SF402").verdict, Verdict::Pass);
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_nodes_that_fluent_bit_selects_can_miss_it() {
    let windows = json!({"kubernetes.io/os": "windows"});
    let affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "pool", "operator": "NotIn", "values": ["builders"]}]},
    ]}}});
    for (key, value, labels) in [
        ("nodeSelector", json!({"kubernetes.io/os": "linux"}), windows.clone()),
        ("os", json!({"name": "linux"}), windows.clone()),
        ("affinity", affinity, json!({"pool": "builders"})),
    ] {
        let answers = with("fluent-bit's daemonsets", |sets| specify(sets, key, value));
        answers.answer(
            "nodes",
            vec![changed("nodes", |nodes| {
                another_node(nodes, "other-1", &labels, &json!([]));
                if labels == windows {
                    nodes["items"][2]["status"]["nodeInfo"]["operatingSystem"] = json!("windows");
                }
            })],
        );
        Audit::of(&answers)
            .await
            .says("SF402", Verdict::Pass, "2 nodes; not selected: other-1");
    }
    let nowhere = with("fluent-bit's daemonsets", |sets| {
        specify(sets, "nodeSelector", json!({"pool": "none"}));
    });
    let audit = Audit::of(&nowhere).await;
    // Its pods are still there: what runs on a node is not missing there.
    assert_eq!(audit.check("SF402").verdict, Verdict::Pass);
    nowhere.answer(
        "fluent-bit's pods",
        vec![changed("fluent-bit's pods", |pods| pods["items"] = json!([]))],
    );
    nowhere.answer(
        "fluent-bit's daemonsets",
        vec![changed("fluent-bit's daemonsets", |sets| {
            specify(sets, "nodeSelector", json!({"pool": "none"}));
            sets["items"][0]["status"] = json!({"observedGeneration": 1});
        })],
    );
    Audit::of(&nowhere).await.says(
        "SF402",
        Verdict::Fail,
        "DaemonSet fluent-bit selects none of 2 Ready nodes",
    );
}

#[tokio::test(start_paused = true)]
async fn a_taint_is_named_only_where_it_keeps_fluent_bit_away() {
    let taints = json!([{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]);
    let tainted = |tolerations: Value| {
        let answers = with("nodes", |nodes| another_node(nodes, "gpu-1", &json!({}), &taints));
        answers.answer(
            "fluent-bit's daemonsets",
            vec![changed("fluent-bit's daemonsets", |sets| {
                specify(sets, "tolerations", tolerations);
            })],
        );
        answers
    };
    let audit = Audit::of(&tainted(json!([]))).await;
    let kept = "gpu-1; taint nvidia.com/gpu=present:NoSchedule of gpu-1 keeps its pods away";
    audit.says("SF402", Verdict::Fail, kept);
    assert!(audit.check("SF402").fix.as_ref().unwrap().summary.contains("tolerate"));
    let audit = Audit::of(&tainted(json!([{"operator": "Exists"}]))).await;
    audit.says("SF402", Verdict::Fail, "without a pod of Fluent Bit: gpu-1");
    let check = audit.check("SF402");
    assert!(!check.observed.contains("taint"), "{}", check.observed);
    assert!(!check.fix.as_ref().unwrap().summary.contains("tolerate"));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_goes_away_may_have_lost_its_pods() {
    let leaving = json!([{"key": "ToBeDeletedByClusterAutoscaler", "value": "1795359600", "effect": "NoSchedule"}]);
    let answers = with("nodes", |nodes| another_node(nodes, "pool-a-3", &json!({}), &leaving));
    let audit = Audit::of(&answers).await;
    audit.says(
        "SF402",
        Verdict::Warn,
        "not ready on 1 Ready node that goes away: pool-a-3",
    );
    for code in ["SF306", "SF402", "SF432", "SF502", "SF506", "SF507"] {
        assert_ne!(audit.check(code).verdict, Verdict::Fail, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_was_just_made_waits_for_what_runs_on_every_node() {
    // The mock's time is 15:02:50.
    let made_at = |created: &str| {
        with("nodes", |nodes| {
            another_node(nodes, "pool-b-1", &json!({}), &json!([]));
            nodes["items"][2]["metadata"]["creationTimestamp"] = json!(created);
            let conditions = nodes["items"][2]["status"]["conditions"].as_array_mut().unwrap();
            conditions.retain(|condition| condition["type"] != "StarformTelemetryReady");
        })
    };
    let audit = Audit::of(&made_at("2026-11-22T14:58:30Z")).await;
    for (code, words) in [
        (
            "SF402",
            "Fluent Bit is not ready on 1 Ready node not older than 5m: pool-b-1",
        ),
        (
            "SF502",
            "DaemonSet shuttle-node does not run on 1 Ready node not older than 5m: pool-b-1",
        ),
        ("SF507", "1 Ready node not older than 5m not proven: pool-b-1"),
    ] {
        audit.says(code, Verdict::Warn, words);
    }
    let audit = Audit::of(&made_at("2026-11-22T14:57:00Z")).await;
    for code in ["SF402", "SF502"] {
        audit.says(code, Verdict::Fail, "pool-b-1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_loop_of_restarts_is_a_warning_though_the_pod_is_ready_now() {
    let good = Audit::of(&Answers::good()).await;
    let audit = Audit::of_case("ksm-oom-loop-ready-now").await;
    let told = "kube-state-metrics-6d7f994958-nl2lh was started again 57 times, last 3m 10s ago (container-0: Error, exit code 1)";
    audit.says("SF321", Verdict::Warn, told);
    let worse = audit.worse_than(&good);
    assert_eq!(worse.len(), 1, "{worse:?}");
    let fix = audit.check("SF321").fix.clone().unwrap();
    assert!(fix.commands[1].contains("--previous"), "{fix:?}");
}

/// What a container says of itself that was started again so often, and ended last then.
fn ended(restarts: u32, reason: &str, code: i32, finished: &str) -> Value {
    json!([{"name": "c", "ready": true, "restartCount": restarts, "state": {"running": {"startedAt": "2026-11-22T15:00:00Z"}},
        "lastState": {"terminated": {"reason": reason, "exitCode": code, "finishedAt": finished}}}])
}

#[tokio::test(start_paused = true)]
async fn how_often_a_collector_restarts_is_told_and_a_warning_where_it_goes_on() {
    for (name, code) in [
        ("fluent-bit's pods", "SF402"),
        ("vmagent's pods", "SF422"),
        ("alloy-operator's pods", "SF442"),
        ("alloy-singleton's pods", "SF445"),
    ] {
        for (restarts, finished, verdict) in [
            (41, "2026-11-22T14:50:00Z", Verdict::Warn),
            (41, "2026-11-22T09:50:00Z", Verdict::Pass),
            (2, "2026-11-22T14:50:00Z", Verdict::Pass),
        ] {
            let answers = with(name, |pods| {
                pods["items"][0]["status"]["containerStatuses"] = ended(restarts, "OOMKilled", 137, finished);
            });
            let audit = Audit::of(&answers).await;
            audit.says(code, verdict, &format!("was started again {restarts} times, last "));
            audit.says(code, verdict, "(c: OOMKilled, exit code 137)");
            if verdict == Verdict::Warn {
                let summary = &audit.check(code).fix.as_ref().unwrap().summary;
                assert!(summary.contains("memory"), "{summary}");
            }
        }
    }
}

/// One pod more, like the first, that has ended for good.
fn left_over(pods: &mut Value, phase: &str, reason: &str) {
    let mut pod = pods["items"][0].clone();
    pod["metadata"]["name"] = json!("left-over");
    pod["metadata"]["uid"] = json!("u-left-over");
    pod["status"] = json!({"phase": phase, "reason": reason, "podIP": "10.244.9.9"});
    pods["items"].as_array_mut().unwrap().push(pod);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_was_evicted_beside_its_replacement_is_told_and_asked_for_nothing() {
    let good = Audit::of(&Answers::good()).await;
    let answers = cases::case("leftover-evicted-vmagent").unwrap().answers().unwrap();
    let audit = Audit::of(&answers).await;
    audit.says(
        "SF422",
        Verdict::Pass,
        "1 pod; left over: vmagent-6c5d8b7f4-h2x9q (Evicted)",
    );
    assert_eq!(audit.worse_than(&good), Vec::<String>::new());
    assert!(!answers.log().iter().any(|head| head.contains("h2x9q")));
    for (name, code, phase, reason) in [
        ("alloy-metrics' pods", "SF445", "Failed", "NodeAffinity"),
        ("alloy-singleton's pods", "SF445", "Succeeded", "Terminated"),
        ("fluent-bit's pods", "SF402", "Failed", "OutOfcpu"),
        ("vmagent's pods", "SF422", "Failed", "NodeLost"),
    ] {
        let answers = with(name, |pods| left_over(pods, phase, reason));
        let audit = Audit::of(&answers).await;
        audit.says(code, Verdict::Pass, &format!("; left over: left-over ({reason})"));
        assert_eq!(audit.worse_than(&good), Vec::<String>::new(), "{name}");
        assert!(!answers.log().iter().any(|head| head.contains("/left-over")), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_was_evicted_and_that_nothing_replaces_is_missing() {
    let answers = with("vmagent's pods", |pods| {
        pods["items"][0]["status"] = json!({"phase": "Failed", "reason": "Evicted"});
    });
    answers.answer(
        "vmagent's statefulsets",
        vec![changed("vmagent's statefulsets", |sets| {
            sets["items"][0]["status"]["readyReplicas"] = json!(0);
            sets["items"][0]["status"]["availableReplicas"] = json!(0);
        })],
    );
    let audit = Audit::of(&answers).await;
    assert_eq!(audit.check("SF422").verdict, Verdict::Fail);
    let answers = with("fluent-bit's pods", |pods| {
        pods["items"][0]["status"] = json!({"phase": "Failed", "reason": "Evicted"});
    });
    Audit::of(&answers)
        .await
        .says("SF402", Verdict::Fail, "1 Ready node without a pod of Fluent Bit");
}

#[tokio::test(start_paused = true)]
async fn an_input_of_fluent_bit_without_a_position_fails_by_name() {
    let good = Audit::of(&Answers::good()).await;
    let audit = Audit::of_case("fluentbit-systemd-without-db").await;
    audit.says("SF406", Verdict::Fail, "input systemd has no DB");
    let worse = audit.worse_than(&good);
    assert_eq!(worse.len(), 1, "{worse:?}");
}

#[tokio::test(start_paused = true)]
async fn fluent_bit_s_own_metrics_are_no_logs() {
    let good = Audit::of(&Answers::good()).await;
    let audit = Audit::of_case("fluentbit-own-metrics-pipeline").await;
    assert_eq!(audit.worse_than(&good), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn labels_of_fluent_bit_that_match_by_a_regular_expression_are_seen() {
    let good = Audit::of(&Answers::good()).await;
    let audit = Audit::of_case("fluentbit-labels-match-regex").await;
    audit.says("SF409", Verdict::Pass, "cluster, region");
    assert_eq!(audit.worse_than(&good), Vec::<String>::new());
}

/// The good answers with a change in Fluent Bit's configuration.
fn configured(change: &[(&str, &str)]) -> Answers {
    with("fluent-bit's configmap", |map| {
        let mut text = map["data"]["fluent-bit.conf"].as_str().unwrap().to_owned();
        for (from, to) in change {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        map["data"]["fluent-bit.conf"] = json!(text);
    })
}

#[tokio::test(start_paused = true)]
async fn what_fluent_bit_s_configuration_hides_is_not_known() {
    for (change, code, verdict) in [
        (
            [("Match *\n    Set", "Match_Regex _shop_\n    Set")].as_slice(),
            "SF409",
            Verdict::Unknown,
        ),
        (&[("Name  modify", "Name  lua")], "SF409", Verdict::Unknown),
        (
            &[(
                "Set   cluster testbed\n",
                "Set   cluster testbed\n    Remove_wildcard clu\n",
            )],
            "SF409",
            Verdict::Unknown,
        ),
        (
            &[(
                "Set   cluster testbed\n",
                "Set   cluster testbed\n    Remove cluster_name\n",
            )],
            "SF409",
            Verdict::Pass,
        ),
        (
            &[(
                "Set   cluster testbed\n",
                "Set   cluster testbed\n    Condition Key_exists log\n",
            )],
            "SF409",
            Verdict::Unknown,
        ),
        (
            &[("Match *\n    Set", "Match_Regex ^host\\.\n    Set")],
            "SF409",
            Verdict::Fail,
        ),
        (
            &[("Match *\n    Set", "Match_Regex ^hosts\\.\n    Set")],
            "SF409",
            Verdict::Fail,
        ),
        (
            &[("Retry_Limit              no_limits", "Retry_Limit              no")],
            "SF405",
            Verdict::Fail,
        ),
        (
            &[(
                "Retry_Limit              no_limits",
                "Retry_Limit no_limits\n    Retry_Limit 3",
            )],
            "SF405",
            Verdict::Fail,
        ),
        (
            &[(
                "Retry_Limit              no_limits",
                "Retry_Limit 3\n    Retry_Limit False",
            )],
            "SF405",
            Verdict::Pass,
        ),
        (&[("Format                   json\n", "")], "SF404", Verdict::Pass),
        (
            &[("Format                   json\n", "Format msgpack\n")],
            "SF404",
            Verdict::Fail,
        ),
        (
            &[("tls                      On", "tls ${TLS}")],
            "SF407",
            Verdict::Unknown,
        ),
    ] {
        let check = Audit::of(&configured(change)).await.check(code).clone();
        assert_eq!(check.verdict, verdict, "{change:?} {code}: {}", check.observed);
    }
}

/// The good answers, with an Envoy that has refused so many updates of its listeners and took the last one then, and a
/// ClientTrafficPolicy that was changed then.
fn refusing(rejected: u32, taken_ms: u64, changed_at: &str) -> Answers {
    let answers = with("clienttrafficpolicies", |policies| {
        policies["items"][0]["metadata"]["managedFields"][0]["time"] = json!(changed_at);
    });
    let controllers = "deployments of envoy-gateway";
    let installed = changed(controllers, |deployments| {
        deployments["items"][0]["metadata"]["managedFields"] = json!([{"manager": "helm", "operation": "Update",
            "time": "2026-11-22T14:00:00Z", "fieldsV1": {"f:spec": {}}}]);
    });
    answers.answer(controllers, vec![installed]);
    let lds = "envoy_listener_manager_lds_update";
    let page: Vec<String> = (asked("envoy's statistics").body().lines())
        .map(|line| {
            if line.starts_with(&format!("{lds}_rejected{{")) {
                format!("{lds}_rejected{{}} {rejected}")
            } else if line.starts_with(&format!("{lds}_time{{")) {
                format!("{lds}_time{{}} {taken_ms}")
            } else {
                line.to_owned()
            }
        })
        .collect();
    let page = (
        200,
        asked("envoy's statistics").content_type(),
        format!("{}\n", page.join("\n")),
    );
    answers.answer("envoy's statistics", vec![page]);
    answers
}

#[tokio::test(start_paused = true)]
async fn an_envoy_that_refuses_what_its_gateway_calls_programmed_is_told() {
    let (at_14_50, at_15_01) = (1_795_359_000_000, 1_795_359_660_000);
    let good = Audit::of(&Answers::good()).await;
    good.says("SF209", Verdict::Pass, "1 Envoy");
    let audit = Audit::of(&refusing(1, at_14_50, "2026-11-22T15:00:00Z")).await;
    audit.says("SF206", Verdict::Pass, "1 Gateway");
    audit.says(
        "SF209",
        Verdict::Fail,
        "refuses its listeners: 1 refused, it took the last one 12m 50s ago",
    );
    audit.says(
        "SF209",
        Verdict::Fail,
        "ClientTrafficPolicy shop/tls changed at 2026-11-22T15:00:00Z",
    );
    let mended = Audit::of(&refusing(1, at_15_01, "2026-11-22T15:00:00Z")).await;
    mended.says(
        "SF209",
        Verdict::Pass,
        "1 Envoy; 1 update refused before, and one taken since",
    );
    // It may be on its way.
    let changing = Audit::of(&refusing(1, at_15_01, "2026-11-22T15:02:30Z")).await;
    assert_eq!(changing.check("SF209").verdict, Verdict::Warn);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_the_controller_has_not_accepted_is_told() {
    for (reason, verdict) in [("Invalid", Verdict::Fail), ("TargetNotFound", Verdict::Warn)] {
        let answers = with("clienttrafficpolicies", |policies| {
            let condition = &mut policies["items"][0]["status"]["ancestors"][0]["conditions"][0];
            condition["status"] = json!("False");
            condition["reason"] = json!(reason);
            condition["message"] = json!("TLS: Unknown cipher suite.");
        });
        let audit = Audit::of(&answers).await;
        audit.says(
            "SF209",
            verdict,
            &format!("ClientTrafficPolicy shop/tls ({reason}: TLS: Unknown cipher suite.)"),
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_envoy_that_cannot_be_asked_is_not_known() {
    let elsewhere = with("envoys", |pods| {
        pods["items"][0]["metadata"]["namespace"] = json!("edge");
    });
    Audit::of(&elsewhere)
        .await
        .says("SF209", Verdict::Unknown, "not collected");
    let none = with("envoys", |pods| pods["items"] = json!([]));
    Audit::of(&none)
        .await
        .says("SF209", Verdict::Unknown, "no Envoy of Gateway shop/web");
}

#[tokio::test(start_paused = true)]
async fn a_kind_of_policy_that_nobody_defined_has_no_objects() {
    let unserved = || (404, "text/plain; charset=utf-8", "404 page not found\n".to_owned());
    let undefined = with("customresourcedefinitions", |crds| {
        let crds = crds["items"].as_array_mut().unwrap();
        crds.retain(|crd| crd["metadata"]["name"] != "securitypolicies.gateway.envoyproxy.io");
    });
    undefined.answer("securitypolicies", vec![unserved()]);
    let audit = Audit::of(&undefined).await;
    audit.says("SF209", Verdict::Pass, "1 Envoy");
    let asked_for = |what: &str| undefined.log().iter().any(|head| head.contains(what));
    assert!(!asked_for("/securitypolicies?") && asked_for("/clienttrafficpolicies?"));
    // What makes an Envoy's configuration is read only where one has refused something.
    assert!(!asked_for("/httproutes?") && !asked_for("/envoyproxies?"));
    // One that is defined and not served is not known: the 404 may be a proxy's.
    let answers = Answers::good();
    answers.answer("securitypolicies", vec![unserved()]);
    Audit::of(&answers).await.says("SF209", Verdict::Unknown, "404");
}

#[tokio::test(start_paused = true)]
async fn a_route_that_changed_after_a_mended_refusal_leaves_it_mended_where_it_makes_no_listener() {
    let at_15_01 = 1_795_359_660_000;
    let with_route = |resource: &'static str, rule: Value| {
        let answers = refusing(1, at_15_01, "2026-11-22T15:00:00Z");
        let kind = if resource == "httproutes" {
            "HTTPRouteList"
        } else {
            "EnvoyProxyList"
        };
        let list = json!({"kind": kind, "apiVersion": "v1", "metadata": {}, "items": [{"metadata": {"name": "web",
            "namespace": "shop", "generation": 2, "managedFields": [{"manager": "kubectl-edit", "operation": "Update",
            "time": "2026-11-22T15:01:30Z", "fieldsV1": {"f:spec": {}}}]}, "spec": {"rules": [rule]}}]});
        answers.answer(resource, vec![(200, "application/json", list.to_string())]);
        answers
    };
    let plain = || json!({"backendRefs": [{"name": "web", "port": 80}]});
    let audit = Audit::of(&with_route("httproutes", plain())).await;
    audit.says("SF209", Verdict::Pass, "1 update refused before, and one taken since");
    let later = "a route, a policy or the controller changed since";
    let cors = json!({"filters": [{"type": "CORS", "cors": {}}]});
    Audit::of(&with_route("httproutes", cors))
        .await
        .says("SF209", Verdict::Warn, later);
    Audit::of(&with_route("envoyproxies", plain()))
        .await
        .says("SF209", Verdict::Warn, later);
}

#[tokio::test(start_paused = true)]
async fn a_kube_state_metrics_whose_service_has_not_its_label_is_found_by_what_runs() {
    let unlabelled = |labels: Value| {
        let answers = with("services of kube-state-metrics", |services| {
            services["items"] = json!([]);
        });
        let services = changed("services of kube-state-metrics", |services| {
            services["items"][0]["metadata"]["name"] = json!("ksm");
            services["items"][0]["metadata"]["labels"] = labels;
        });
        answers.answer("services of kube-system", vec![services]);
        answers
    };
    for labels in [json!({"app.kubernetes.io/name": "ksm"}), Value::Null] {
        let audit = Audit::of(&unlabelled(labels)).await;
        let told =
            "Deployment kube-system/kube-state-metrics runs kube-state-metrics, and its Service ksm is not found";
        audit.says("SF320", Verdict::Fail, told);
        let fix = audit.check("SF320").fix.clone().unwrap();
        let label = "--namespace kube-system label service ksm --overwrite 'app.kubernetes.io/name=kube-state-metrics'";
        assert!(fix.commands[0].ends_with(label), "{:?}", fix.commands);
    }
    let none = unlabelled(Value::Null);
    let empty = json!({"kind": "ServiceList", "apiVersion": "v1", "metadata": {}, "items": []});
    none.answer(
        "services of kube-system",
        vec![(200, "application/json", empty.to_string())],
    );
    let audit = Audit::of(&none).await;
    audit.says("SF320", Verdict::Fail, "and no Service selects its pods");
    assert!(audit.check("SF320").fix.as_ref().unwrap().commands[0].contains("helm upgrade"));
    // An image of another name is told by its arguments.
    let mirrored = unlabelled(Value::Null);
    let deployments = changed("deployments", |deployments| {
        let items = deployments["items"].as_array_mut().unwrap();
        let mut items = items.iter_mut();
        let own = items
            .find(|one| one["metadata"]["name"] == "kube-state-metrics")
            .unwrap();
        let container = &mut own["spec"]["template"]["spec"]["containers"][0];
        container["image"] = json!("registry.example.com/mirror/ksm:2.20.0");
        container["name"] = json!("main");
    });
    mirrored.answer("deployments", vec![deployments]);
    let audit = Audit::of(&mirrored).await;
    audit.says("SF320", Verdict::Fail, "and its Service ksm is not found");
}

#[tokio::test(start_paused = true)]
async fn cadvisor_that_two_jobs_read_is_told() {
    let with_job = |path: &str| {
        let answers = Answers::good();
        let jobs = format!(
            "{}- job_name: containers\n  metrics_path: {path}\n  kubernetes_sd_configs:\n  - role: node\n",
            asked("vmagent's jobs").body()
        );
        let page = format!(
            "{}vm_promscrape_scrape_pool_targets{{scrape_job=\"containers\", status=\"up\"}} 2\n",
            asked("vmagent's metrics").body()
        );
        for (name, body) in [("vmagent's jobs", jobs), ("vmagent's metrics", page)] {
            answers.answer(name, vec![(200, asked(name).content_type(), body)]);
        }
        answers
    };
    let audit = Audit::of(&with_job("/metrics/cadvisor")).await;
    let told = "jobs containers, kubelet-cadvisor have 4 targets of cAdvisor up for 2 nodes: some are read twice";
    audit.says("SF432", Verdict::Warn, told);
    Audit::of(&with_job("/metrics/resource"))
        .await
        .says("SF432", Verdict::Pass, "2 Ready nodes");
}
