//! Shuttle's manifests are what they claim to be: taken by the API server as they are, the same for every cluster, no
//! wider than what is declared.

mod image;
mod sameness;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testbed::{Cluster, cluster, shuttle};

fn manifests(inner: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests").join(inner)
}

fn path(inner: &str) -> String {
    manifests(inner).to_str().unwrap().to_owned()
}

/// Every object that `kubectl apply -f manifests/shuttle/` applies, in its order.
fn documents() -> Vec<Value> {
    let mut files: Vec<_> = std::fs::read_dir(manifests("shuttle"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let read = |file: &PathBuf| -> Vec<Value> {
        let text = std::fs::read_to_string(file).unwrap();
        serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    let all: Vec<Value> = files
        .iter()
        .flat_map(read)
        .filter(|document| !document.is_null())
        .collect();
    assert!(all.len() >= 20, "{} documents", all.len());
    all
}

fn workloads() -> Vec<Value> {
    let workloads: Vec<_> = documents()
        .into_iter()
        .filter(|one| !one["spec"]["template"].is_null())
        .collect();
    assert_eq!(workloads.len(), 2);
    workloads
}

/// The file as it must be, or an instruction how to make it so.
fn assert_made(file: &str, expected: &str) {
    let path = manifests(file);
    if std::env::var_os("UPDATE_MANIFESTS").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == expected,
        "manifests/{file} is not what the declared permissions make: run \
         `UPDATE_MANIFESTS=1 cargo test --workspace shuttle_manifests` and read the difference"
    );
}

#[test]
fn the_roles_are_what_collectors_and_agent_declare() {
    assert_made("shuttle/30-roles.yaml", &shuttle::roles().unwrap());
    assert_made(
        "shuttle-overlays/startup-taint/roles.yaml",
        &shuttle::startup_taint_roles().unwrap(),
    );
}

#[test]
fn no_role_reads_secrets_or_reaches_into_pods_and_nodes() {
    let mut rules = 0;
    for role in documents().iter().filter(|one| one["rules"].is_array()) {
        for rule in role["rules"].as_array().unwrap() {
            rules += 1;
            let text = rule.to_string();
            for forbidden in [
                "*",
                "secrets",
                "/proxy",
                "/exec",
                "/attach",
                "/portforward",
                "/ephemeralcontainers",
                "delete",
                "escalate",
                "bind",
                "impersonate",
                "nonResourceURLs",
                "serviceaccounts",
                "\"update\"],\"resources\":[\"pods",
            ] {
                assert!(
                    !text.contains(forbidden),
                    "{}: {forbidden}: {text}",
                    role["metadata"]["name"]
                );
            }
        }
    }
    assert!(rules >= 20, "{rules} rules");
}

#[test]
fn nothing_in_the_manifests_configures_telemetry_or_differs_between_clusters() {
    let documents = documents();
    assert_eq!(sameness::faults(&documents), Vec::<String>::new());

    // Each of these must be seen, or the test would pass whatever the manifests say.
    let agent = documents.iter().position(|one| one["kind"] == "Deployment").unwrap();
    let container = "/spec/template/spec/containers/0";
    let changes = [
        (
            format!("{container}/args/0"),
            json!("--remote-write-url=http://10.0.0.9:8428"),
        ),
        (
            format!("{container}/args/1"),
            json!("--cluster-id={{ .Values.clusterId }}"),
        ),
        (
            format!("{container}/args/2"),
            json!("--log-endpoint=vector-agg.nyc3.internal:6000"),
        ),
        (
            format!("{container}/env/0"),
            json!({ "name": "REGION", "value": "nyc3" }),
        ),
        (
            format!("{container}/env/0"),
            json!({ "name": "TOKEN", "valueFrom": { "secretKeyRef": { "name": "shuttle" } } }),
        ),
        (
            container.to_owned(),
            json!({ "envFrom": [{ "configMapRef": { "name": "telemetry" } }] }),
        ),
        (
            "/spec/template/metadata/labels".to_owned(),
            json!({ "starform.io/cluster-id": "blue" }),
        ),
        (
            "/spec/template/metadata/labels".to_owned(),
            json!({ "starform.io/region": "nyc3" }),
        ),
        ("/metadata/labels".to_owned(), json!({ "clickhouse": "nyc3" })),
        ("/spec/template/spec/nodeName".to_owned(), json!("${NODE}")),
    ];
    for (place, value) in changes {
        let mut spoilt = documents.clone();
        let (parent, last) = place.rsplit_once('/').unwrap();
        match spoilt[agent].pointer_mut(parent).unwrap() {
            Value::Array(items) => items[last.parse::<usize>().unwrap()] = value.clone(),
            fields => fields[last] = value.clone(),
        }
        assert!(!sameness::faults(&spoilt).is_empty(), "{place} = {value} was not seen");
    }
    for added in [
        json!({ "kind": "Secret", "metadata": { "name": "shuttle" } }),
        json!({ "kind": "ConfigMap", "metadata": { "name": "relabeling" }, "data": { "config": "[]" } }),
        json!({ "kind": "ConfigMap", "metadata": { "name": "starbase" }, "data": { "address": "", "ca.crt": "", "store": "" } }),
        json!({ "kind": "Service", "metadata": { "name": "a" }, "spec": { "externalName": "logs.nyc3.loki.internal" } }),
        json!({ "kind": "Endpoints", "metadata": { "name": "a" }, "subsets": [{ "addresses": [{ "ip": "10.1.0.5" }] }] }),
    ] {
        assert!(
            !sameness::faults(&[documents.clone(), vec![added.clone()]].concat()).is_empty(),
            "{added} was not seen"
        );
    }
}

#[test]
fn the_secret_is_mounted_as_files_by_the_agent_alone() {
    for workload in workloads() {
        let pod = &workload["spec"]["template"]["spec"];
        let secrets: Vec<_> = pod["volumes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|one| !one["secret"].is_null())
            .collect();
        if workload["kind"] == "DaemonSet" {
            assert_eq!(secrets, Vec::<&Value>::new());
            continue;
        }
        let [secret] = secrets.as_slice() else {
            panic!("{secrets:?}")
        };
        assert_eq!(secret["secret"]["secretName"], "shuttle");
        assert_eq!(secret["secret"]["optional"], false);
        let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
        assert!(
            mounts
                .iter()
                .all(|mount| mount["readOnly"] == true && mount["subPath"].is_null()),
            "{mounts:?}"
        );
    }
}

#[test]
fn every_container_has_requests_and_limits_and_both_roles_are_one_image() {
    let workloads = workloads();
    for workload in &workloads {
        let pod = &workload["spec"]["template"]["spec"];
        assert_eq!(pod["containers"].as_array().unwrap().len(), 1);
        for kind in ["requests", "limits"] {
            for resource in ["cpu", "memory"] {
                assert!(
                    pod["containers"][0]["resources"][kind][resource].is_string(),
                    "{kind} {resource}"
                );
            }
        }
        for host in ["hostNetwork", "hostPID", "hostIPC", "hostUsers"] {
            assert!(pod[host].is_null(), "{host}");
        }
        assert!(!pod.to_string().contains("hostPath"));
        assert_eq!(pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"], true);
    }
    let image = |workload: &Value| workload["spec"]["template"]["spec"]["containers"][0]["image"].clone();
    assert_eq!(image(&workloads[0]), image(&workloads[1]));
    assert_eq!(
        image(&workloads[0]),
        format!("starform/shuttle:{}", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn applied_twice_nothing_changes_and_deleted_nothing_stays() {
    let cluster = cluster().unwrap();
    let folder = path("shuttle");
    cluster.uninstall_shuttle().unwrap();
    // A dry run of what is to lie in a namespace needs the namespace.
    cluster
        .apply(&["--filename", &path("shuttle/00-namespace.yaml")])
        .unwrap();
    let dry = cluster.apply(&["--filename", &folder, "--dry-run=server"]).unwrap();
    assert_eq!(dry.lines().count(), documents().len(), "{dry}");
    // `apply` takes a warning, as Pod Security's are, for an error.
    cluster.apply(&["--filename", &folder]).unwrap();
    let second = cluster.apply(&["--filename", &folder]).unwrap();
    // kubectl sends a budget's selector always: its type says that it is replaced, not merged.
    let changed: Vec<_> = second.lines().filter(|line| !line.ends_with(" unchanged")).collect();
    assert_eq!(changed, ["poddisruptionbudget.policy/shuttle configured"], "{second}");
    let difference = cluster.exec(&["kubectl", "diff", "--filename", &folder]).unwrap();
    assert_eq!(String::from_utf8_lossy(&difference.stdout), "");
    assert!(
        difference.status.success(),
        "{}",
        String::from_utf8_lossy(&difference.stderr)
    );

    let by_file = objects(&cluster, &["--filename", &folder]);
    assert_eq!(by_file, objects(&cluster, &["--kustomize", &path("")]));
    // A number in octal: 0440.
    let agent = by_file.iter().find(|one| one["kind"] == "Deployment").unwrap();
    assert_eq!(
        agent["spec"]["template"]["spec"]["volumes"][0]["secret"]["defaultMode"],
        0o440
    );
    assert_policies_compile(&cluster);
    assert_restricted(&cluster);
    assert_audited(&cluster);
    assert_overlay(&cluster, &by_file);
    cluster
        .apply(&["--kustomize", &path("shuttle-overlays/startup-taint")])
        .unwrap();
    assert_audited(&cluster);
    let further = path("shuttle-overlays/startup-taint/roles.yaml");
    cluster.run(&["kubectl", "delete", "--filename", &further]).unwrap();

    cluster
        .run(&["kubectl", "delete", "--filename", &folder, "--timeout=120s"])
        .unwrap();
    let kinds =
        "namespaces,clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings";
    let left = cluster.run(&["kubectl", "get", kinds, "--output=name"]).unwrap();
    let left: Vec<_> = left
        .lines()
        .filter(|name| name.contains("shuttle") || name.contains("starform"))
        .collect();
    assert_eq!(left, Vec::<&str>::new());
}

/// The objects as kubectl sends them, in no particular order.
fn objects(cluster: &Cluster, what: &[&str]) -> Vec<Value> {
    let words = [&["kubectl", "create", "--dry-run=client", "--output=json"], what].concat();
    let said = cluster.run(&words).unwrap();
    let mut objects: Vec<Value> = serde_json::Deserializer::from_str(&said)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    if let [list] = objects.as_slice()
        && list["kind"] == "List"
    {
        objects = list["items"].as_array().unwrap().clone();
    }
    objects.sort_by_key(|one| format!("{} {}", one["kind"], one["metadata"]));
    objects
}

/// The API server checks the types of every expression, and says what it makes of them a moment later.
fn assert_policies_compile(cluster: &Cluster) {
    for policy in ["shuttle", "shuttle-node"] {
        let words = [
            "kubectl",
            "wait",
            "validatingadmissionpolicy",
            policy,
            "--for=jsonpath={.status.typeChecking}",
            "--timeout=20s",
        ];
        cluster.run(&words).unwrap();
        let words = [
            "kubectl",
            "get",
            "validatingadmissionpolicy",
            policy,
            "--output=jsonpath={.status.typeChecking}",
        ];
        assert_eq!(cluster.run(&words).unwrap(), "{}", "{policy}");
    }
}

/// What the auditor says, from outside, of permissions and configuration: the contract names all that is there.
fn assert_audited(cluster: &Cluster) {
    let auditor = testbed::auditor().unwrap();
    let words = [auditor.to_str().unwrap(), "-c", "SF508,SF509", "-o", "json"];
    let report: Value = serde_json::from_slice(&cluster.exec(&words).unwrap().stdout).unwrap();
    let steps = report["steps"].as_array().unwrap().iter();
    let checks: Vec<_> = steps.flat_map(|step| step["checks"].as_array().unwrap()).collect();
    for code in ["SF508", "SF509"] {
        let check = checks.iter().find(|check| check["code"] == code).unwrap();
        assert_eq!(check["verdict"], "pass", "{check}");
    }
}

/// The namespace refuses what Pod Security calls not restricted.
fn assert_restricted(cluster: &Cluster) {
    let words = "kubectl --namespace starform-system run a --image=docker.io/starform/storefront:1 --dry-run=server";
    let refused = cluster.exec(&words.split(' ').collect::<Vec<_>>()).unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("violates PodSecurity \"restricted:latest\""),
        "{said}"
    );
}

/// The opt-in startup taint adds a flag, a priority and a role, and changes nothing else.
fn assert_overlay(cluster: &Cluster, plain: &[Value]) {
    let overlay = path("shuttle-overlays/startup-taint");
    cluster.apply(&["--kustomize", &overlay, "--dry-run=server"]).unwrap();
    let with = objects(cluster, &["--kustomize", &overlay]);
    let added: Vec<_> = with
        .iter()
        .filter(|one| !plain.contains(one))
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(added, ["ClusterRole", "ClusterRoleBinding", "DaemonSet"]);
    let node = with.iter().find(|one| one["kind"] == "DaemonSet").unwrap();
    assert_eq!(
        node["spec"]["template"]["spec"]["containers"][0]["args"],
        json!(["node", "--admin=0.0.0.0:8080", "--lift-startup-taint"])
    );
}
