//! The values that the contract installs Fluent Bit and vmagent with keep the contract: what their charts make of them,
//! collected and judged. What the charts render is put together here by hand, object by object, as their templates do.

use serde_json::{Value, json};
use starform_verify::contract::Contract;
use starform_verify::evaluate::{Selection, SelectionRequest, evaluate};
use starform_verify::report::{Report, Verdict};
use std::path::Path;
use testdata::{Mock, asked, collect, plan};

const JSON: &str = "application/json";

/// A values file. An expression of Helm's stands for what a region file or `--set` gives: some text.
fn values(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../manifests/helm")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let mut rendered = String::new();
    let mut rest = text.as_str();
    while let Some((before, behind)) = rest.split_once("{{") {
        rendered.push_str(before);
        rendered.push_str("given");
        rest = behind.split_once("}}").unwrap().1;
    }
    rendered.push_str(rest);
    serde_saphyr::from_str(&rendered).unwrap()
}

/// The mock's good answer, to change it.
fn answer(name: &str) -> Value {
    serde_json::from_str(asked(name).body()).unwrap()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// `fluent/fluent-bit`, `templates/configmap.yaml` and `templates/_pod.tpl`.
fn fluent_bit(mock: &Mock, values: &Value) {
    let text = |key: &str| values["config"][key].as_str().unwrap_or_default();
    let conf = ["service", "inputs", "filters", "outputs"].map(text).join("\n");
    let mut map = answer("fluent-bit's configmap");
    map["data"] = json!({"fluent-bit.conf": conf});
    mock.answer("fluent-bit's configmap", vec![(200, JSON, map.to_string())]);
    let mut set = answer("fluent-bit's daemonsets");
    let pod = &mut set["items"][0]["spec"]["template"]["spec"];
    let config = json!({"name": "config", "mountPath": "/fluent-bit/etc/conf"});
    let mounts = [
        vec![config],
        list(&values["daemonSetVolumeMounts"]),
        list(&values["extraVolumeMounts"]),
    ];
    let config = json!({"name": "config", "configMap": {"name": "fluent-bit"}});
    let volumes = [
        vec![config],
        list(&values["daemonSetVolumes"]),
        list(&values["extraVolumes"]),
    ];
    pod["volumes"] = json!(volumes.concat());
    pod["containers"][0]["volumeMounts"] = json!(mounts.concat());
    pod["containers"][0]["env"] = values["env"].clone();
    pod["containers"][0]["readinessProbe"] = values["readinessProbe"].clone();
    mock.answer("fluent-bit's daemonsets", vec![(200, JSON, set.to_string())]);
}

/// `vm/victoria-metrics-agent`, `templates/server.yaml`, `templates/configmap.yaml` and `vmagent.args`.
fn vmagent(mock: &Mock, values: &Value) {
    let scrape = json!({"global": values["config"]["global"], "scrape_configs": values["config"]["scrape_configs"]});
    let mut map = answer("vmagent's scrape configuration");
    // JSON is YAML.
    map["data"] = json!({"scrape.yml": scrape.to_string()});
    mock.answer("vmagent's scrape configuration", vec![(200, JSON, map.to_string())]);
    let mut arguments = vec!["--promscrape.config=/config/scrape/scrape.yml".to_owned()];
    arguments.push("--remoteWrite.tmpDataPath=/tmpData".to_owned());
    for (key, value) in values["remoteWrite"][0].as_object().unwrap() {
        arguments.push(argument(&format!("remoteWrite.{key}"), value));
    }
    for (key, value) in values["extraArgs"].as_object().unwrap() {
        match value {
            Value::Array(values) => arguments.extend(values.iter().map(|value| argument(key, value))),
            value => arguments.push(argument(key, value)),
        }
    }
    let mut set = answer("vmagent's statefulsets");
    let claim = &mut set["items"][0]["spec"]["volumeClaimTemplates"];
    if values["mode"] != "statefulSet" || values["persistentVolume"]["enabled"] != true {
        *claim = json!([]);
    }
    if let Some(claim) = claim.get_mut(0) {
        claim["spec"]["resources"]["requests"]["storage"] = values["persistentVolume"]["size"].clone();
    }
    let container = &mut set["items"][0]["spec"]["template"]["spec"]["containers"][0];
    container["args"] = json!(arguments);
    container["env"] = values["env"].clone();
    mock.answer("vmagent's statefulsets", vec![(200, JSON, set.to_string())]);
    let data = &values["extraObjects"][0]["data"];
    let mut region = answer("vmagent's region");
    region["data"] = data.clone();
    region["data"]["write-url"] = json!("https://store.example.com:8427/api/v1/write");
    mock.answer("vmagent's region", vec![(200, JSON, region.to_string())]);
}

/// `vm.arg`: a switch has no value, and a list or a map is a file.
fn argument(key: &str, value: &Value) -> String {
    match value {
        Value::Bool(true) => format!("--{key}"),
        Value::String(text) if text == "true" => format!("--{key}"),
        Value::String(text) => format!("--{key}={text}"),
        Value::Array(_) | Value::Object(_) => format!("--{key}=/config/rw/0-{key}.yaml"),
        other => format!("--{key}={other}"),
    }
}

/// What the checks of the two groups say.
async fn judged(mock: &Mock) -> Report {
    let contract = Contract::embedded().unwrap();
    let request = SelectionRequest {
        groups: ["fluent-bit", "vmagent"].map(str::to_owned).to_vec(),
        ..SelectionRequest::default()
    };
    let selection = Selection::new(&request).unwrap();
    let mut plan = plan();
    plan.sources = selection.collected();
    let evidence = collect(&mock.targets(), &contract, &plan).await;
    evaluate(&contract, &evidence, &selection)
}

fn verdict(report: &Report, code: &str) -> Verdict {
    report.checks().find(|check| check.code == code).unwrap().verdict
}

#[tokio::test]
async fn the_values_keep_the_contract() {
    let mock = Mock::start().await;
    fluent_bit(&mock, &values("fluent-bit.values.yaml"));
    vmagent(&mock, &values("vmagent.values.yaml"));
    let report = Box::pin(judged(&mock)).await;
    let of_values = [
        "SF404", "SF405", "SF406", "SF407", "SF408", "SF409", "SF424", "SF425", "SF426", "SF427", "SF428", "SF429",
    ];
    for code in of_values {
        let check = report.checks().find(|check| check.code == code).unwrap();
        assert_eq!(check.verdict, Verdict::Pass, "{code}: {}", check.observed);
    }
}

#[tokio::test]
async fn a_value_that_is_changed_is_told() {
    let mock = Mock::start().await;
    let mut fluent = values("fluent-bit.values.yaml");
    let outputs = fluent["config"]["outputs"].as_str().unwrap();
    fluent["config"]["outputs"] = json!(
        outputs
            .replace("${FLUENT_BIT_PASSWORD}", "hush")
            .replace("no_limits", "5")
    );
    fluent_bit(&mock, &fluent);
    let mut agent = values("vmagent.values.yaml");
    agent["persistentVolume"]["enabled"] = json!(false);
    agent["remoteWrite"][0]["basicAuth.password"] = json!("hush");
    vmagent(&mock, &agent);
    let report = Box::pin(judged(&mock)).await;
    for code in ["SF405", "SF408", "SF425", "SF429"] {
        assert_eq!(verdict(&report, code), Verdict::Fail, "{code}");
    }
    for code in ["SF404", "SF407", "SF424", "SF428"] {
        assert_eq!(verdict(&report, code), Verdict::Pass, "{code}");
    }
    assert!(!serde_json::to_string(&report).unwrap().contains("hush"));
}
