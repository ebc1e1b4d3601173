//! States that people reported in public, as canned answers: an audit of each is whole.

use starform_verify::contract::Contract;
use starform_verify::evaluate::{CHECKS, Selection, evaluate};
use starform_verify::evidence::{Evidence, Observed};
use testdata::{Answers, cases, collect, plan};

#[tokio::test(start_paused = true)]
async fn every_reported_state_is_audited_whole() {
    let contract = Contract::embedded().unwrap();
    for case in cases::all().unwrap() {
        let name = &case.name;
        let targets = case.answers().unwrap().targets();
        let evidence = collect(&targets, &contract, &plan()).await;
        let text = serde_json::to_string(&evidence).unwrap();
        assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), evidence, "{name}");
        let report = evaluate(&contract, &evidence, &Selection::all());
        assert_eq!(report.error, None, "{name}");
        assert_eq!(report.checks().count(), CHECKS.len(), "{name}");
    }
}

/// Two EndpointSlices, of IPv4 and of IPv6, list the two pods of a sharded kube-state-metrics.
#[tokio::test(start_paused = true)]
async fn a_pod_of_two_address_families_is_one_target() {
    let contract = Contract::embedded().unwrap();
    let answers = cases::case("ksm-autosharding-dual-stack").unwrap().answers().unwrap();
    let evidence = collect(&answers.targets(), &contract, &plan()).await;
    let (Observed::Seen(endpoints), Observed::Seen(scrapes)) =
        (&evidence.kube_state_metrics.endpoints, &evidence.scrapes)
    else {
        panic!("{evidence:#?}");
    };
    let pods = [Some("kube-state-metrics-0"), Some("kube-state-metrics-1")];
    let endpoint_pods: Vec<Option<&str>> = endpoints.iter().map(|endpoint| endpoint.pod.as_deref()).collect();
    assert_eq!(endpoint_pods, pods);
    assert!(
        endpoints
            .iter()
            .all(|endpoint| endpoint.pod_uid.is_some() && endpoint.ready)
    );
    assert!(endpoints.iter().all(|endpoint| endpoint.address.starts_with("10.244.")));
    let targets: Vec<Option<&str>> = scrapes.iter().map(|scrape| scrape.pod.as_deref()).collect();
    assert_eq!(targets, pods);
    let asked = answers
        .log()
        .into_iter()
        .filter(|head| head.contains("/proxy/metrics") && head.contains("kube-state-metrics"));
    assert_eq!(asked.count(), 2);
}

/// What the next checks judge by, and no request more.
#[tokio::test(start_paused = true)]
async fn what_nodes_endpoints_and_the_apiservice_say_of_themselves_is_read() {
    let contract = Contract::embedded().unwrap();
    let evidence = collect(&Answers::good().targets(), &contract, &plan()).await;
    let (Observed::Seen(nodes), Observed::Seen(api_service)) = (&evidence.nodes, &evidence.metrics_api_service) else {
        panic!("{evidence:#?}");
    };
    for node in nodes {
        assert_eq!(
            (node.deleting, node.taints.as_deref()),
            (Some(false), Some([].as_slice()))
        );
        let pressures = node.pressures.as_ref().unwrap();
        assert!(pressures.len() >= 3, "{pressures:?}");
        assert!(
            pressures.iter().all(|pressure| pressure.since.is_some()),
            "{pressures:?}"
        );
    }
    let mut changes = vec![&api_service.last_change];
    if let Observed::Seen(services) = &evidence.kube_state_metrics.services {
        changes.extend(services.iter().map(|service| &service.last_change));
    }
    assert_eq!(changes.len(), 2);
    for change in changes {
        let change = change.as_ref().unwrap();
        assert_eq!((change.manager.as_str(), change.operation.as_str()), ("helm", "Update"));
    }
}
