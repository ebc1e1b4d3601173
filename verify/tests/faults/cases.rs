//! States that people reported in public, as canned answers: an audit of each is whole.

use starform_verify::collect::tool_error;
use starform_verify::contract::Contract;
use starform_verify::evaluate::{CHECKS, Selection, evaluate};
use starform_verify::evidence::Evidence;
use testdata::{cases, collect, plan};

#[tokio::test(start_paused = true)]
async fn every_reported_state_is_audited_whole() {
    let contract = Contract::embedded().unwrap();
    for case in cases::all().unwrap() {
        let name = &case.name;
        let targets = case.answers().unwrap().targets();
        let evidence = collect(&targets, &contract, &plan()).await;
        assert_eq!(tool_error(&evidence), None, "{name}");
        let text = serde_json::to_string(&evidence).unwrap();
        assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), evidence, "{name}");
        let report = evaluate(&contract, &evidence, &Selection::all());
        assert_eq!(report.checks().count(), CHECKS.len(), "{name}");
    }
}
