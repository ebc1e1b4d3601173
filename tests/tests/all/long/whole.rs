//! The whole contract: a cluster installed by the printed sequence, each step gated, registers and conforms, untouched,
//! in every step and in its region; destroyed and rebuilt under the same ID, it does again, and the old one's history stays.
//!
//! `charts/`, `standins/` and `stores/` say what is not the real part.

mod ground;
mod life;

use std::collections::BTreeSet;
use std::path::Path;

use ground::{Audit, CLUSTER_ID, Ground, REGION, is_replayed, until};
use life::Life;
use testbed::ClusterState;

/// What has no subject in a clean installation: nobody has made a Gateway, and Terraform was not asked.
const WITHOUT_SUBJECT: [&str; 1] = ["SF206"];
/// Terraform's document is not given.
const NOT_ASKED: [&str; 8] = ["SF731", "SF732", "SF733", "SF734", "SF735", "SF736", "SF737", "SF738"];
/// It passes, or its nodes are younger than the five minutes that the contract gives a new one.
const YOUNG: &str = "SF703";

/// Every check passes; the others are exactly those that have no subject here.
fn is_clean(audit: &Audit) {
    let complaints = audit.complaints();
    for verdict in ["fail", "unknown", "blocked", "warn"] {
        assert_eq!(audit.codes(verdict), [] as [&str; 0], "{complaints}");
    }
    let mut without_subject = audit.codes("not-applicable");
    without_subject.retain(|code| code != YOUNG);
    assert_eq!(without_subject, WITHOUT_SUBJECT, "{complaints}");
    assert_eq!(audit.codes("not-asked"), NOT_ASKED, "{complaints}");
    assert!(audit.codes("pass").len() > 100, "{}", audit.json);
    assert_eq!(audit.exit, 0, "{complaints}");
}

/// Installed, registered, and clean in everything, live and replayed; the record stays.
fn is_installed(ground: &Ground, life: &Life<'_>, record: &Path) -> Audit {
    life.install();
    let known = ground.known();
    assert_eq!(known.state, ClusterState::Active, "{}", known.reason);
    assert_eq!(known.region, REGION);
    assert_eq!(known.uid, life.uid());
    // A rule of the join needs two scrapes of each node, and then its turn.
    until("every step and the region are clean", 300, || {
        let audit = life.audit(&["--fail-on", "warning"]);
        if audit.exit == 0 {
            Ok(())
        } else {
            Err(audit.complaints())
        }
    });
    let audit = life.audit(&["--record", record.to_str().unwrap()]);
    is_clean(&audit);
    is_replayed(ground, record, &[], &audit);
    audit
}

/// Once it has ended, the region tells of the cluster what it has left, and that its silence is no fault.
fn is_audited_after_its_end(ground: &Ground) {
    let just_ended = ground.audit_ended(&[]);
    assert_eq!(just_ended.exit, 0, "{}", just_ended.complaints());
    assert_eq!(just_ended.codes("warn"), ["SF702"], "{}", just_ended.complaints());
    // The contract calls five minutes fresh. With one that says a minute, the least there is, the wait is shorter.
    let contract = include_str!("../../../../verify/contract.yaml");
    assert_eq!(contract.matches("\n    freshness: 5m\n").count(), 1);
    let contract = contract.replace("\n    freshness: 5m\n", "\n    freshness: 1m\n");
    let contract = ground.write("contract.yaml", &contract);
    let contract = ["--contract", contract.to_str().unwrap()];
    until("the old cluster's audit is clean", 150, || {
        let audit = ground.audit_ended(&contract);
        if audit.codes("warn").is_empty() {
            Ok(())
        } else {
            Err(audit.complaints())
        }
    });
    let record = ground.file("ended.json");
    let ended = ground.audit_ended(&[&contract[..], &["--record", record.to_str().unwrap()]].concat());
    let complaints = ended.complaints();
    assert_eq!(ended.exit, 0, "{complaints}");
    for verdict in ["fail", "unknown", "blocked", "warn"] {
        assert_eq!(ended.codes(verdict), [] as [&str; 0], "{complaints}");
    }
    for code in ["SF702", "SF713"] {
        let observed = ended.observed(code);
        assert!(
            observed.contains("was taken down") && observed.contains("still there"),
            "{code}: {observed}"
        );
    }
    is_replayed(
        ground,
        &record,
        &[&["--step", "region"][..], &contract].concat(),
        &ended,
    );
}

#[test]
#[ignore = "needs a cluster, for minutes: .ci/long"]
fn installed_as_printed_it_conforms_untouched_and_so_does_its_successor_under_the_same_id() {
    let _leave = testbed::leave();
    let ground = Ground::new();
    let old = Life::begin(&ground);
    let record = ground.file("old.json");
    let audit = is_installed(&ground, &old, &record);
    let before = ground.known();
    let (old_pods, old_token) = (old.pods(), old.token.clone());

    old.end();
    is_audited_after_its_end(&ground);

    // The same ID, another cluster: the Worker revokes the one token and mints another.
    ground.starbase.revoke(&old_token).unwrap();
    let new = Life::begin(&ground);
    is_installed(&ground, &new, &ground.file("new.json"));
    let now = ground.known();
    assert_ne!(now.uid, before.uid);
    assert!(
        now.generation > before.generation,
        "{} after {}",
        now.generation,
        before.generation
    );
    let clusters = ground.starbase.clusters().unwrap();
    assert_eq!(clusters.len(), 1, "{clusters:?}");

    // One history: the old one's pods are in it, and the new one's, in every store.
    let own = format!("cluster=\"{CLUSTER_ID}\", region=\"{REGION}\"");
    let new_pods = new.pods();
    for series in ["kube_pod_labels", "starform:container_memory_working_set_bytes"] {
        // A pod is joined once it has had both inputs for a while.
        until("pods of both clusters are held", 420, || {
            let held = ground.pods_in_metrics(&format!("last_over_time({series}{{{own}}}[1h])"));
            let of = |pods: &BTreeSet<String>| pods.intersection(&held).count();
            if of(&old_pods) >= 3 && of(&new_pods) >= 3 {
                Ok(())
            } else {
                Err(format!("{series}: {held:?}"))
            }
        });
        // A series that ended stays an answer for the five minutes that VictoriaMetrics looks back.
        until("the old cluster's pods are history", 420, || {
            let current = ground.pods_in_metrics(&format!("{series}{{{own}}}"));
            if current.is_disjoint(&old_pods) {
                Ok(())
            } else {
                Err(format!("{series}: {current:?}"))
            }
        });
    }
    let held = ground.pods_in_logs();
    for (whose, pods) in [("old", &old_pods), ("new", &new_pods)] {
        let pods = pods.intersection(&held).count();
        assert!(pods >= 3, "the {whose} cluster's lines: {held:?}");
    }
    // And what was seen of the old one is judged as it was.
    is_replayed(&ground, &record, &[], &audit);
    new.end();
}
