//! The ways in which step 2 breaks, and what mends each.

use super::eventually;
use testbed::Cluster;

/// A way to break it.
pub(crate) struct Break {
    /// What happened.
    pub(crate) name: &'static str,
    /// The check that tells it.
    pub(crate) code: &'static str,
    /// What it says.
    pub(crate) words: &'static str,
    /// Whether it is a warning.
    pub(crate) warns: bool,
    pub(crate) make: fn(&Cluster),
    pub(crate) mends: Mends,
}

/// What mends it. The printed commands are typed in any case.
pub(crate) enum Mends {
    /// The printed commands; `then` looks at what the audit does not show, and tidies up.
    AsPrinted { then: fn(&Cluster) },
    /// No command of Helm's or kubectl's that could be printed: the fault is in somebody's manifest.
    ByHand(fn(&Cluster)),
}

const fn told(name: &'static str, code: &'static str, words: &'static str, make: fn(&Cluster)) -> Break {
    Break {
        name,
        code,
        words,
        warns: false,
        make,
        mends: Mends::AsPrinted { then: |_| {} },
    }
}

const GATEWAYS: &str = "crd/gateways.gateway.networking.k8s.io";
/// The six that DOKS brings.
const OF_DOKS: [&str; 6] = [
    "crd/gatewayclasses.gateway.networking.k8s.io",
    GATEWAYS,
    "crd/httproutes.gateway.networking.k8s.io",
    "crd/tlsroutes.gateway.networking.k8s.io",
    "crd/grpcroutes.gateway.networking.k8s.io",
    "crd/referencegrants.gateway.networking.k8s.io",
];

/// Every one.
pub(crate) const BREAKS: &[Break] = &[
    told(
        "controller scaled to zero",
        "SF201",
        "Deployment envoy-gateway is scaled to 0",
        |cluster| {
            kubectl(
                cluster,
                "--namespace envoy-gateway-system scale deployment/envoy-gateway --replicas=0",
            );
        },
    ),
    Break {
        mends: Mends::AsPrinted { then: changes_arrive },
        ..told(
            "certificates deleted",
            "SF202",
            "Secret envoy-gateway cannot be mounted",
            |cluster| {
                kubectl(cluster, "--namespace envoy-gateway-system delete secret envoy-gateway");
                kubectl(
                    cluster,
                    "--namespace envoy-gateway-system delete pods --selector=control-plane=envoy-gateway --wait=false",
                );
            },
        )
    },
    told(
        "another version",
        "SF207",
        "Envoy Gateway 1.8.0 is not accepted",
        |cluster| {
            let image = "envoy-gateway=docker.io/envoyproxy/gateway:v1.8.0";
            kubectl(
                cluster,
                &format!("--namespace envoy-gateway-system set image deployment/envoy-gateway {image}"),
            );
        },
    ),
    // The controller accepts the policy and calls the Gateway programmed (envoyproxy/gateway issues 9198 and 1171).
    Break {
        mends: Mends::ByHand(without_the_curve),
        ..told(
            "a listener that Envoy refuses",
            "SF209",
            "refuses its listeners",
            with_a_curve_that_nobody_knows,
        )
    },
    told("class deleted", "SF203", "no GatewayClass", delete_class),
    told(
        "class of another controller",
        "SF203",
        "is of controller example.com/other",
        |cluster| {
            delete_class(cluster);
            let class = r#"{"apiVersion":"gateway.networking.k8s.io/v1","kind":"GatewayClass","metadata":{"name":"starform"},
            "spec":{"controllerName":"example.com/other"}}"#;
            apply(cluster, class);
        },
    ),
    told(
        "a CRD deleted",
        "SF208",
        "1 CRD missing: referencegrants.gateway.networking.k8s.io",
        |cluster| {
            kubectl(cluster, "delete crd/referencegrants.gateway.networking.k8s.io");
        },
    ),
    told(
        "a CRD of an older bundle",
        "SF204",
        "v1.5.1 (gateways.gateway.networking.k8s.io)",
        |cluster| {
            annotate(cluster, &[GATEWAYS], "bundle-version=v1.5.1");
        },
    ),
    Break {
        mends: Mends::AsPrinted {
            then: no_longer_of_doks,
        },
        ..told("CRDs of DOKS, older", "SF205", "DOKS manages 6 CRDs", |cluster| {
            of_doks(cluster);
            annotate(cluster, &OF_DOKS, "bundle-version=v1.2.1");
            annotate(cluster, &OF_DOKS, "channel=standard");
        })
    },
    Break {
        warns: true,
        mends: Mends::AsPrinted {
            then: no_longer_of_doks,
        },
        ..told(
            "CRDs of DOKS, of the right bundle",
            "SF205",
            "DOKS manages 6 CRDs",
            |cluster| {
                of_doks(cluster);
            },
        )
    },
    Break {
        mends: Mends::ByHand(|cluster| cluster.install_gateway_data_plane().unwrap()),
        ..told(
            "a listener without a certificate",
            "SF206",
            "listener https: references not resolved",
            |cluster| {
                let listener = r#"[{"op":"add","path":"/spec/listeners/-","value":{"name":"https","port":443,"protocol":"HTTPS",
                "tls":{"certificateRefs":[{"name":"nowhere"}]}}}]"#;
                patch_gateway(cluster, listener);
            },
        )
    },
];

/// The listener answers what the route says.
pub(crate) fn answers(cluster: &Cluster) {
    let (status, body) = eventually("the listener answers", 60, || {
        cluster.ask_gateway().map_err(|error| format!("{error:#}"))
    });
    assert_eq!((status, body.as_str()), (200, "answered by the gateway"));
}

/// What is changed reaches the proxy: it and the controller trust each other's certificates.
fn changes_arrive(cluster: &Cluster) {
    let change = |body: &str| {
        let patch = format!(r#"{{"spec":{{"directResponse":{{"body":{{"inline":"{body}"}}}}}}}}"#);
        let words = [
            "--namespace",
            "web",
            "patch",
            "httproutefilter",
            "hello",
            "--type=merge",
            "--patch",
            &patch,
        ];
        cluster.run(&[["kubectl"].as_slice(), &words].concat()).unwrap();
        // A kubelet renews a mounted Secret within two minutes.
        eventually("the change reaches the proxy", 180, || {
            let why = match cluster.ask_gateway() {
                Ok((200, answer)) if answer == body => return Ok(()),
                Ok(other) => format!("{other:?}"),
                Err(error) => format!("{error:#}"),
            };
            let pods = ["--namespace", "envoy-gateway-system", "get", "pods", "--output=wide"];
            Err(format!(
                "{why}\n{}",
                cluster.run(&[["kubectl"].as_slice(), &pods].concat()).unwrap()
            ))
        });
    };
    change("changed");
    change("answered by the gateway");
}

fn delete_class(cluster: &Cluster) {
    kubectl(cluster, "delete gatewayclass starform --wait=false");
    // The controller holds a class back as long as there is a Gateway of it.
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    let words = [
        "kubectl",
        "patch",
        "gatewayclass",
        "starform",
        "--type=merge",
        "--patch",
        patch,
    ];
    // Gone already where nothing held it.
    let _ = cluster.exec(&words).unwrap();
    kubectl(cluster, "wait gatewayclass/starform --for=delete --timeout=30s");
}

/// As DOKS brings them: the project's own script has told it to leave them alone.
fn of_doks(cluster: &Cluster) {
    no_longer_of_doks(cluster);
    label(cluster, "doks.digitalocean.com/managed=true");
}

fn no_longer_of_doks(cluster: &Cluster) {
    label(cluster, "doks.digitalocean.com/managed-");
    for crd in OF_DOKS {
        kubectl(
            cluster,
            &format!("annotate {crd} doks.digitalocean.com/install-policy-"),
        );
    }
}

fn label(cluster: &Cluster, label: &str) {
    kubectl(cluster, &format!("label --overwrite {} {label}", OF_DOKS.join(" ")));
}

fn annotate(cluster: &Cluster, crds: &[&str], annotation: &str) {
    let annotation = format!("gateway.networking.k8s.io/{annotation}");
    kubectl(
        cluster,
        &format!("annotate --overwrite {} {annotation}", crds.join(" ")),
    );
}

fn apply(cluster: &Cluster, object: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), object).unwrap();
    cluster
        .run(&["kubectl", "apply", "--filename", file.path().to_str().unwrap()])
        .unwrap();
}

fn kubectl(cluster: &Cluster, words: &str) {
    let words: Vec<&str> = ["kubectl"].into_iter().chain(words.split(' ')).collect();
    cluster.run(&words).unwrap();
}

/// Changes the Gateway `web/web` by a JSON patch.
fn patch_gateway(cluster: &Cluster, operations: &str) {
    let patch = [
        "kubectl",
        "--namespace",
        "web",
        "patch",
        "gateway",
        "web",
        "--type=json",
        "--patch",
        operations,
    ];
    cluster.run(&patch).unwrap();
}

/// A listener for HTTPS, and a policy of a curve that Envoy does not know.
fn with_a_curve_that_nobody_knows(cluster: &Cluster) {
    let made = rcgen::generate_simple_self_signed(vec!["web.example.com".to_owned()]).unwrap();
    let secret = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": "web-tls", "namespace": "web"},
        "stringData": {"tls.crt": made.cert.pem(), "tls.key": made.signing_key.serialize_pem()},
    });
    apply(cluster, &secret.to_string());
    let policy = serde_json::json!({
        "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "ClientTrafficPolicy",
        "metadata": {"name": "curves", "namespace": "web"},
        "spec": {
            "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "web"}],
            "tls": {"ecdhCurves": ["NO-SUCH-CURVE"]},
        },
    });
    apply(cluster, &policy.to_string());
    let listener = serde_json::json!([{"op": "add", "path": "/spec/listeners/-", "value": {
        "name": "https", "port": 443, "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [{"name": "web-tls"}]},
    }}]);
    patch_gateway(cluster, &listener.to_string());
}

/// Its owner takes the policy away; the listener is taken then, which proves that the refusal is over.
fn without_the_curve(cluster: &Cluster) {
    kubectl(cluster, "--namespace web delete clienttrafficpolicy curves");
    eventually("a refusal that is over", 60, || {
        let audit = super::audit(cluster, &[]);
        let told = audit.check("SF209");
        if matches!(told["verdict"].as_str(), Some("pass" | "warn")) {
            println!("SF209 after the policy went: {} {}", told["verdict"], told["observed"]);
            return Ok(());
        }
        Err(audit.complaints())
    });
}
