//! Step 2 of the install contract on the testbed: the real Envoy Gateway by Helm, from the project's own files, and a
//! real Envoy behind it.

mod chart;
mod image;

use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::paths::{State, workspace};
use crate::{Cluster, inside, steps};

/// Where the controller stands.
const NAMESPACE: &str = "envoy-gateway-system";
const RELEASE: &str = "envoy-gateway";
const SELECTOR: &str = "control-plane=envoy-gateway";
/// As the contract's commands name the chart.
const CHART: &str = "oci://docker.io/envoyproxy/gateway-helm";
/// The namespace of the Gateway that tests look at.
const PROXIED: &str = "web";

impl Cluster {
    /// Installs step 2 as `manifests/helm` says: namespace, CRDs, the controller by Helm, the GatewayClass. Waits until the
    /// controller has accepted the class. What is there already is brought to what the files say.
    ///
    /// # Errors
    ///
    /// When something of it fails; the error carries what the program said.
    pub fn install_envoy_gateway(&self) -> Result<()> {
        let state = &self.state;
        image::controller(state)?;
        let version = chart::version()?;
        let chart = chart::packaged(state)?;
        let chart = text(&chart)?;
        let helm = folder()?;
        // The namespaces of other steps are in the file too: here one is enough.
        self.run(&["kubectl", "apply", "--filename", &format!("{helm}/namespaces.yaml")])?;
        steps::step("CRDs of the Gateway API applied", || {
            self.run(&[&format!("{helm}/gateway-api-crds"), chart, &version])
                .map(drop)
        })?;
        let values = format!("{helm}/envoy-gateway.values.yaml");
        let words = [
            "helm",
            "upgrade",
            "--install",
            RELEASE,
            chart,
            "--namespace",
            NAMESPACE,
            "--version",
            &version,
            "--values",
            &values,
            "--wait",
            "--timeout",
            "180s",
        ];
        steps::step("Envoy Gateway installed by Helm", || self.upgrade(&words))?;
        self.apply(&["--filename", &format!("{helm}/gateway-class.yaml")])?;
        self.run(&[
            "kubectl",
            "wait",
            "gatewayclass/starform",
            "--for=condition=Accepted",
            "--timeout=60s",
        ])
        .map(drop)
    }

    /// Makes a Gateway `web/web` of the class `starform`, with a listener for HTTP and a route that answers every
    /// request by itself, and waits until it is programmed: a real Envoy runs then. Its Service is of type `ClusterIP`:
    /// nobody here makes load balancers.
    ///
    /// # Errors
    ///
    /// When something of it fails, or it is not programmed within two minutes.
    pub fn install_gateway_data_plane(&self) -> Result<()> {
        image::proxy(&self.state)?;
        let path = self.state.path("gateway.json");
        fs::write(&path, gateway().to_string())?;
        self.apply(&["--filename", text(&path)?])?;
        steps::step("Gateway programmed", || {
            let wait = [
                "kubectl",
                "--namespace",
                PROXIED,
                "wait",
                "gateway/web",
                "--for=condition=Programmed",
            ];
            self.run(&[wait.as_slice(), &["--timeout=120s"]].concat()).map(drop)
        })
    }

    /// Removes that Gateway, and waits until its proxy is gone; that it is not there is fine.
    ///
    /// # Errors
    ///
    /// When something stays.
    pub fn uninstall_gateway_data_plane(&self) -> Result<()> {
        // Without the CRDs there can be none.
        if self
            .run(&[
                "kubectl",
                "get",
                "crd",
                "gateways.gateway.networking.k8s.io",
                "--ignore-not-found",
            ])?
            .is_empty()
        {
            return Ok(());
        }
        let words = [
            "kubectl",
            "delete",
            "namespace",
            PROXIED,
            "--ignore-not-found",
            "--timeout=90s",
        ];
        self.run(&words)?;
        let proxies = [
            "kubectl",
            "--namespace",
            NAMESPACE,
            "wait",
            "pods",
            "--for=delete",
            "--timeout=90s",
        ];
        let selector = ["--selector", "app.kubernetes.io/managed-by=envoy-gateway"];
        self.run(&[proxies.as_slice(), &selector].concat()).map(drop)
    }

    /// Removes step 2: the Gateway, the class, the release with its certificates, the namespace and the CRDs; that it is
    /// not there is fine.
    ///
    /// # Errors
    ///
    /// When something stays.
    pub fn uninstall_envoy_gateway(&self) -> Result<()> {
        self.uninstall_gateway_data_plane()?;
        let class = [
            "kubectl",
            "delete",
            "--filename",
            &format!("{}/gateway-class.yaml", folder()?),
        ];
        // Where the CRDs are gone, the class is too.
        let _ = self.exec(&[class.as_slice(), &["--ignore-not-found", "--timeout=60s"]].concat())?;
        let release = [
            "helm",
            "uninstall",
            RELEASE,
            "--namespace",
            NAMESPACE,
            "--ignore-not-found",
            "--wait",
        ];
        self.run(&release)?;
        // What Helm's hooks made is nobody's, and stays.
        let webhook = format!("mutatingwebhookconfiguration/envoy-gateway-topology-injector.{NAMESPACE}");
        self.run(&["kubectl", "delete", &webhook, "--ignore-not-found"])?;
        self.run(&[
            "kubectl",
            "delete",
            "namespace",
            NAMESPACE,
            "--ignore-not-found",
            "--timeout=90s",
        ])?;
        let crds = self.run(&["kubectl", "get", "crd", "--output=name"])?;
        let ours: Vec<&str> = crds.lines().filter(|name| is_gateway_crd(name)).collect();
        if ours.is_empty() {
            return Ok(());
        }
        self.run(&[["kubectl", "delete", "--timeout=90s"].as_slice(), &ours].concat())
            .map(drop)
    }

    /// A printed command as it can be typed here, where no registry answers: the chart of step 2 is the same one, from
    /// its module, as a file.
    ///
    /// # Errors
    ///
    /// When the chart cannot be packaged.
    pub fn typed(&self, command: &str) -> Result<String> {
        let chart = chart::packaged(&self.state)?;
        Ok(command.replace(CHART, text(&chart)?))
    }

    /// What the listener of the Gateway `web/web` answers to a GET, asked at its Service's address from a node: the
    /// status and the body.
    ///
    /// # Errors
    ///
    /// When it has no address or does not answer.
    pub fn ask_gateway(&self) -> Result<(u16, String)> {
        let words = [
            "kubectl",
            "--namespace",
            PROXIED,
            "get",
            "gateway",
            "web",
            "--output=jsonpath={.status.addresses[0].value}",
        ];
        let address = self.run(&words)?;
        if address.is_empty() {
            bail!("the Gateway has no address");
        }
        inside::within_node(&self.state, 1, || image::get(&address))
    }

    fn upgrade(&self, words: &[&str]) -> Result<()> {
        let output = self.exec(words)?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if said.contains("another operation") {
            // Somebody interrupted Helm: the release is stuck in a pending state, which only its removal ends.
            self.run(&["helm", "uninstall", RELEASE, "--namespace", NAMESPACE, "--wait"])?;
            return self.run(words).map(drop);
        }
        let pods = self.run(&[
            "kubectl",
            "--namespace",
            NAMESPACE,
            "describe",
            "pods",
            "--selector",
            SELECTOR,
        ])?;
        bail!("`{}` failed: {said}\n{pods}", words.join(" "))
    }
}

/// What registries have for step 2: the controller's image on every node, the chart as a file.
pub(crate) fn supply(state: &State) -> Result<()> {
    image::controller(state)?;
    chart::packaged(state).map(drop)
}

/// An API object's name as `kubectl get --output=name` writes it.
fn is_gateway_crd(name: &str) -> bool {
    [
        "gateway.networking.k8s.io",
        "gateway.networking.x-k8s.io",
        "gateway.envoyproxy.io",
    ]
    .iter()
    .any(|group| name.ends_with(&format!(".{group}")))
}

/// A namespace with a Gateway, its EnvoyProxy and a route.
fn gateway() -> serde_json::Value {
    let meta = |name: &str| json!({"name": name, "namespace": PROXIED});
    let envoy = |kind: &str, name: &str, spec: serde_json::Value| json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": kind, "metadata": meta(name), "spec": spec});
    let standard = |kind: &str, spec: serde_json::Value| json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": meta("web"), "spec": spec});
    let resources = json!({"requests": {"cpu": "20m", "memory": "64Mi"}});
    // Nobody is connected for long here: a proxy that goes need not drain for a minute.
    let shutdown = json!({"drainTimeout": "1s", "minDrainDuration": "0s"});
    let proxy = json!({"shutdown": shutdown, "provider": {"type": "Kubernetes", "kubernetes": {
        "envoyService": {"type": "ClusterIP"},
        "envoyDeployment": {"container": {"resources": resources}},
    }}});
    let parameters = json!({"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": "small"});
    let filter = json!({"type": "ExtensionRef",
        "extensionRef": {"group": "gateway.envoyproxy.io", "kind": "HTTPRouteFilter", "name": "hello"}});
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PROXIED}},
        envoy("EnvoyProxy", "small", proxy),
        envoy("HTTPRouteFilter", "hello", json!({"directResponse":
            {"statusCode": 200, "contentType": "text/plain", "body": {"type": "Inline", "inline": image::GREETING}}})),
        standard("Gateway", json!({
            "gatewayClassName": "starform",
            "infrastructure": {"parametersRef": parameters},
            "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
        })),
        standard("HTTPRoute", json!({"parentRefs": [{"name": "web"}], "rules": [{"filters": [filter]}]})),
    ]})
}

/// The folder of the project's Helm files.
fn folder() -> Result<String> {
    let path = workspace().join("manifests/helm");
    Ok(text(&path)?.to_owned())
}

fn text(path: &std::path::Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is no UTF-8", path.display()))
}
