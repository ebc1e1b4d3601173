"""vmagent itself with the flags and files that its chart makes of these values: what it scrapes, aggregates and sends to a store."""

import base64
import http.server
import json
import os
import re
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
import yaml

from conftest import CLUSTER, MANIFESTS, REGION, ROOT, answers, free_port, values, wait_for

FILE = ["--values", str(MANIFESTS / "vmagent.values.yaml")]
RULES = ROOT / "manifests" / "region" / "victoriametrics" / "rules.yaml"


@pytest.fixture(scope="module")
def rendered(engine):
    """As the chart's templates do: configmap.yaml, extra-objects.yaml and _helpers.tpl of victoria-metrics-agent 0.46.0."""
    return {
        "scrape.yml": engine("vmagent", 'tpl (toYaml (omit .Values.config "useTpl")) .', *FILE, *CLUSTER),
        "0-streamAggr.config.yaml": engine("vmagent", 'tpl (toYaml (index .Values.remoteWrite 0 "streamAggr.config")) .', *FILE, *CLUSTER),
        "region": yaml.safe_load(engine("vmagent", "tpl (toYaml (index .Values.extraObjects 0)) .", *FILE, *CLUSTER)),
    }


def flags(directory, replaced):
    """Lists in `remoteWrite` are files, lists in `extraArgs` are repeated."""
    given = {"promscrape.config": "/config/scrape/scrape.yml", "remoteWrite.tmpDataPath": "/tmpData"}
    [remote] = values("vmagent.values.yaml")["remoteWrite"]
    for key, value in remote.items():
        given[f"remoteWrite.{key}"] = f"/config/rw/0-{key}.yaml" if isinstance(value, list) else value
    given.update(values("vmagent.values.yaml")["extraArgs"])
    assert replaced.keys() <= {*given, "httpListenAddr"}, "a flag is replaced that the values do not set"
    given.update(replaced)
    found = []
    for key, value in given.items():
        for each in value if isinstance(value, list) else [value]:
            each = str(each).lower() if isinstance(each, bool) else str(each)
            found.append(f"-{key}={each.replace('/config/scrape', str(directory)).replace('/config/rw', str(directory)).replace('/tmpData', str(directory / 'queue'))}")
    return found


def environment(rendered):
    data = rendered["region"]["data"]
    assert rendered["region"]["metadata"] == {"name": "vmagent-region", "namespace": "telemetry"}
    found = {}
    for each in values("vmagent.values.yaml")["env"]:
        reference = each["valueFrom"]["configMapKeyRef"]
        assert reference["name"] == "vmagent-region"
        found[each["name"]] = data[reference["key"]]
    return found


def write(directory, rendered):
    for name in ("scrape.yml", "0-streamAggr.config.yaml"):
        (directory / name).write_text(rendered[name])


def dry_run(directory, rendered, replaced=None):
    return subprocess.run(
        ["vmagent", "-dryRun", *flags(directory, replaced or {})], env={**os.environ, **environment(rendered)}, capture_output=True, text=True, timeout=60,
    )


def test_vmagent_takes_the_configuration(rendered, tmp_path):
    write(tmp_path, rendered)
    result = dry_run(tmp_path, rendered)
    assert result.returncode == 0, result.stderr
    for broken in ({"scrape.yml": rendered["scrape.yml"].replace("honor_labels", "honour_labels")},
                   {"0-streamAggr.config.yaml": rendered["0-streamAggr.config.yaml"].replace("rate_sum", "rate_total")}):
        write(tmp_path, {**rendered, **broken})
        assert dry_run(tmp_path, rendered).returncode != 0, broken


def test_region_and_cluster_reach_flags_and_files(rendered):
    assert environment(rendered) == {
        "CLUSTER": "shop-1", "REGION": "fra1", "REMOTE_WRITE_URL": yaml.safe_load(REGION.read_text())["stores"]["metrics"]["write_url"],
    }
    assert yaml.safe_load(rendered["scrape.yml"])["global"]["external_labels"] == {"cluster": "shop-1", "region": "fra1"}


def test_an_id_of_digits_alone_stays_one(engine):
    arguments = [*FILE, "--values", str(REGION), "--set-string", "cluster.name=0042"]
    assert yaml.safe_load(engine("vmagent", "tpl (toYaml (index .Values.extraObjects 0)) .", *arguments))["data"]["cluster"] == "0042"
    assert yaml.safe_load(engine("vmagent", 'tpl (toYaml (omit .Values.config "useTpl")) .', *arguments))["global"]["external_labels"]["cluster"] == "0042"


@pytest.mark.parametrize(("arguments", "missing"), [
    (["--values", str(REGION)], "no cluster ID: give `--set-string cluster.name=CLUSTER_ID`"),
    (["--set-string", "cluster.name=shop-1"], "no region: give `-f regions/REGION.yaml`"),
])
def test_without_region_or_cluster_it_says_so(engine, arguments, missing):
    assert missing in engine.refusal("vmagent", "tpl (toYaml (index .Values.extraObjects 0)) .", *FILE, *arguments)


def jobs(rendered):
    return {job["job_name"]: job for job in yaml.safe_load(rendered["scrape.yml"])["scrape_configs"]}


def test_kubelets_are_read_directly_and_verified(rendered):
    for name, path in (("kubelet-cadvisor", "/metrics/cadvisor"), ("kubelet", None)):
        job = jobs(rendered)[name]
        assert job["kubernetes_sd_configs"] == [{"role": "node"}]
        assert job.get("metrics_path") == path
        assert job["scheme"] == "https"
        assert job["tls_config"] == {"ca_file": "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"}
        # Discovery gives the kubelet's own address and port; nothing sends it elsewhere.
        assert not [rule for rule in job["relabel_configs"] if rule["target_label"].startswith("__")]


def test_no_credential_goes_to_a_pod(rendered):
    for name, job in jobs(rendered).items():
        if not name.startswith("kubelet"):
            assert not {"bearer_token_file", "authorization", "basic_auth"} & job.keys(), name


# --- a run

CADVISOR = """
container_cpu_usage_seconds_total{{container="app",id="/a",image="i",name="c1",namespace="shop",pod="storefront-0",cpu="total"}} {cpu}
container_cpu_usage_seconds_total{{container="sidecar",id="/b",image="i",name="c2",namespace="shop",pod="storefront-0",cpu="total"}} {cpu}
container_cpu_usage_seconds_total{{container="",id="/pod",image="",name="",namespace="shop",pod="storefront-0",cpu="total"}} {cpu}
container_cpu_usage_seconds_total{{container="",id="/",image="",name="",namespace="",pod="",cpu="total"}} {cpu}
container_memory_working_set_bytes{{container="app",id="/a",image="i",name="c1",namespace="shop",pod="storefront-0"}} 100
container_memory_working_set_bytes{{container="sidecar",id="/b",image="i",name="c2",namespace="shop",pod="storefront-0"}} 200
container_network_receive_bytes_total{{container="",id="/pod",image="pause",interface="eth0",name="p",namespace="shop",pod="storefront-0"}} {cpu}
container_network_transmit_bytes_total{{container="",id="/pod",image="pause",interface="eth0",name="p",namespace="shop",pod="storefront-0"}} {cpu}
container_tasks_state{{container="app",id="/a",image="i",name="c1",namespace="shop",pod="storefront-0",state="running"}} 1
machine_cpu_cores{{machine_id="m"}} 2
"""

# One row claims to be another cluster's.
STATE = """
kube_pod_labels{namespace="shop",pod="storefront-0",uid="u",label_starform_io_cluster_id="shop-1",label_starform_io_project="p",label_starform_io_app="storefront",label_starform_io_deployment="d",cluster="another"} 1
kube_pod_status_phase{namespace="shop",pod="storefront-0",uid="u",phase="Running"} 1
kube_pod_status_phase{namespace="shop",pod="storefront-1",uid="v",phase="Running"} 1
kube_pod_tolerations{namespace="shop",pod="storefront-0"} 1
"""

FLUENT_BIT = """
fluentbit_output_dropped_records_total{name="vector",hostname="h"} 0 1509150350542
fluentbit_output_retries_total{name="vector",hostname="h"} 0 1509150350542
"""


class Target:
    """Serves one page on one path."""

    def __init__(self, path, page):
        started = time.monotonic()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = page.format(cpu=time.monotonic() - started).encode() if "{cpu}" in page else page.encode()
                self.send_response(200 if self.path == path else 404)
                self.end_headers()
                self.wfile.write(body if self.path == path else b"")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def discovered(address, **meta):
    """What Kubernetes' discovery says of a target."""
    return {"targets": [address], "labels": {f"__meta_kubernetes_{key}": value for key, value in meta.items()}}


class Run:
    """The real configuration but for discovery, kubelets' TLS and the pace."""

    def __init__(self, rendered, directory):
        self.directory = directory
        self.port, self.agent_port = free_port(), free_port()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", directory / "tls.key", "-out",
             directory / "ca.crt", "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
            check=True, capture_output=True, timeout=60,
        )
        (directory / "vmagent-password").write_text("the-password")
        self.context = ssl.create_default_context(cafile=directory / "ca.crt")
        self.store = None
        self.start_store()

        pod = {"pod_phase": "Running", "namespace": "telemetry", "pod_node_name": "n1"}
        cadvisor, state, self_metrics = Target("/metrics/cadvisor", CADVISOR), Target("/metrics", STATE), Target("/metrics", "ksm_self 1\n")
        bits = Target("/api/v2/metrics/prometheus", FLUENT_BIT)
        targets = {
            "kubelet-cadvisor": [discovered(cadvisor.address, node_name="n1")],
            "kube-state-metrics": [
                discovered(state.address, service_name="kube-state-metrics", endpointslice_port_name="http"),
                discovered(self_metrics.address, service_name="kube-state-metrics", endpointslice_port_name="metrics"),
                discovered(self_metrics.address, service_name="another", endpointslice_port_name="http"),
            ],
            "vmagent": [{"targets": [f"127.0.0.1:{self.agent_port}"]}],
            "fluent-bit": [
                discovered(bits.address, pod_container_port_name="http", pod_name="fluent-bit-1", **pod),
                discovered(bits.address, pod_container_port_name="other", pod_name="fluent-bit-2", **pod),
                discovered(bits.address, pod_container_port_name="http", pod_name="fluent-bit-3", **{**pod, "pod_phase": "Succeeded"}),
            ],
        }
        config = yaml.safe_load(rendered["scrape.yml"])
        config["global"].update(scrape_interval="1s", scrape_timeout="1s")
        config["scrape_configs"] = [job for job in config["scrape_configs"] if job["job_name"] in targets]
        for job in config["scrape_configs"]:
            for key in ("kubernetes_sd_configs", "scheme", "tls_config", "bearer_token_file", "scrape_timeout"):
                job.pop(key, None)
            job["static_configs"] = targets[job["job_name"]]
        (directory / "scrape.yml").write_text(yaml.safe_dump(config))
        (directory / "0-streamAggr.config.yaml").write_text(rendered["0-streamAggr.config.yaml"].replace(": 1m", ": 4s"))
        given = flags(directory, {
            "remoteWrite.basicAuth.passwordFile": directory / "vmagent-password", "remoteWrite.tlsCAFile": directory / "ca.crt",
            "httpListenAddr": f"127.0.0.1:{self.agent_port}",
        })
        variables = {**environment(rendered), "REMOTE_WRITE_URL": f"https://localhost:{self.port}/api/v1/write"}
        self.agent = subprocess.Popen(
            ["vmagent", *given], env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=(directory / "vmagent.log").open("w"),
        )

    def start_store(self):
        self.store = subprocess.Popen(
            ["victoria-metrics", f"-httpListenAddr=127.0.0.1:{self.port}", f"-storageDataPath={self.directory / 'data'}", "-tls",
             f"-tlsCertFile={self.directory / 'ca.crt'}", f"-tlsKeyFile={self.directory / 'tls.key'}", "-httpAuth.username=vmagent",
             "-httpAuth.password=the-password", "-search.latencyOffset=0s", "-storage.minFreeDiskSpaceBytes=1MB"],
            stdout=subprocess.DEVNULL, stderr=(self.directory / "store.log").open("a"),
        )
        wait_for("the store", lambda: self.ask("/health", {}) is not None)

    def stop_store(self):
        self.store.terminate()
        self.store.wait(timeout=30)

    def ask(self, path, parameters):
        request = urllib.request.Request(f"https://localhost:{self.port}{path}?{urllib.parse.urlencode(parameters, doseq=True)}")
        request.add_header("Authorization", "Basic " + base64.b64encode(b"vmagent:the-password").decode())
        try:
            with urllib.request.urlopen(request, timeout=10, context=self.context) as response:
                return response.read().decode()
        except OSError:
            return None

    def query(self, expression):
        answer = json.loads(self.ask("/api/v1/query", {"query": expression, "step": "10s", "nocache": "1"}))
        assert answer["status"] == "success", answer
        return answer["data"]["result"]

    def series(self, selector):
        return json.loads(self.ask("/api/v1/series", {"match[]": selector, "start": time.time() - 300}))["data"]

    def close(self):
        self.agent.terminate()
        self.agent.wait(timeout=30)
        self.stop_store()


@pytest.fixture(scope="module")
def run(rendered, tmp_path_factory):
    running = Run(rendered, tmp_path_factory.mktemp("run"))
    yield running
    running.close()


def test_cluster_and_region_are_on_everything_and_cannot_be_claimed(run):
    wait_for("aggregates", lambda: run.series('{__name__=~".*_by_namespace_.*"}'))
    wait_for("vmagent's own metrics", lambda: run.series("vmagent_remotewrite_pending_data_bytes"))
    everything = run.series('{__name__!=""}')
    assert len(everything) > 100
    assert [each for each in everything if (each.get("cluster"), each.get("region")) != ("shop-1", "fra1")] == []


def test_pods_keep_their_own_names(run):
    [row] = wait_for("kube_pod_labels", lambda: run.series("kube_pod_labels"))
    assert (row["namespace"], row["pod"], row["job"], row["instance"]) == ("shop", "storefront-0", "kube-state-metrics", "kube-state-metrics")
    assert not [label for label in row if label.startswith("exported_")]


def test_only_the_ports_that_are_meant_are_read(run):
    wait_for("kube-state-metrics", lambda: run.series('up{job="kube-state-metrics"}'))
    assert len(run.series('up{job="kube-state-metrics"}')) == 1
    assert run.series("ksm_self") == []
    [pod] = wait_for("Fluent Bit", lambda: run.series('up{job="fluent-bit"}'))
    assert (pod["namespace"], pod["pod"], pod["node"]) == ("telemetry", "fluent-bit-1", "n1")


def test_of_cadvisor_comes_what_is_asked_for(run):
    rows = wait_for("cAdvisor", lambda: run.series('{job="kubelet-cadvisor",__name__=~"container_.*|machine_.*"}'))
    assert {row["__name__"] for row in rows} == {
        "container_cpu_usage_seconds_total", "container_memory_working_set_bytes", "container_network_receive_bytes_total",
        "container_network_transmit_bytes_total", "machine_cpu_cores",
    }
    assert {row.get("container", "") for row in rows if row["__name__"].startswith("container_cpu")} == {"app", "sidecar"}
    assert [row for row in rows if "image" in row or "name" in row] == []
    assert all("id" in row for row in rows if row["__name__"].startswith("container_"))
    assert {row["node"] for row in rows} == {"n1"}
    assert run.series("kube_pod_tolerations") == []


def test_aggregates_say_what_their_metric_says(run):
    def value(name):
        found = run.query(f"last_over_time({name}[30s])")
        return float(found[0]["value"][1]) if found else None

    # Two containers, a second of CPU each second: not the sums of pod and machine beside them.
    assert wait_for("CPU", lambda: value('{__name__="container_cpu_usage_seconds_total:4s_by_namespace_rate_sum",namespace="shop"}')) == pytest.approx(2, rel=0.3)
    # The last sample of each series, not the sum of all four of the interval.
    name = '{__name__="container_memory_working_set_bytes:4s_by_namespace_sum_samples",namespace="shop"}'
    wait_for("memory", lambda: value(name) == 300)
    name = '{__name__="kube_pod_status_phase:4s_by_namespace_phase_sum_samples",phase="Running"}'
    wait_for("phases", lambda: value(name) == 2)


def test_the_regions_join_finds_what_was_sent(run):
    for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]:
        [row] = wait_for(rule["record"], lambda: run.query(rule["expr"].replace("[5m]", "[20s]")))
        assert row["metric"] == {
            "cluster": "shop-1", "region": "fra1", "namespace": "shop", "pod": "storefront-0", "label_starform_io_project": "p",
            "label_starform_io_app": "storefront", "label_starform_io_deployment": "d",
        }, rule["record"]
        if rule["record"] == "starform:container_memory_working_set_bytes":
            assert float(row["value"][1]) == 300


def test_the_alerts_have_their_metrics(run):
    """Every metric of the alerts on collectors that can be had here: Alloy's cannot."""
    alerts = yaml.safe_load((RULES.parent / "alerts.yaml").read_text())
    [group] = [group for group in alerts["groups"] if group["name"] == "starform-collectors"]
    names = set(re.findall(r"\b((?:fluentbit|vm|vmagent)_\w+)", " ".join(rule["expr"] for rule in group["rules"])))
    assert len(names) >= 7
    # A queue that never dropped anything has counted nothing yet; it says so when it starts.
    for name in names - {"fluentbit_output_retries_failed_total"}:
        wait_for(name, lambda: run.series(name))


def test_what_the_store_misses_comes_later(run):
    wait_for("samples", lambda: run.query("machine_cpu_cores"))
    run.stop_store()
    away = time.time()
    time.sleep(6)
    back = time.time()
    run.start_store()

    def filled():
        answer = run.ask("/api/v1/export", {"match[]": "machine_cpu_cores", "start": away + 1, "end": back - 1})
        return answer and sum(len(json.loads(line)["timestamps"]) for line in answer.splitlines()) >= 3

    wait_for("what was scraped meanwhile", filled, seconds=90)


def test_a_wrong_password_holds_samples_back_and_drops_none(rendered, run):
    (run.directory / "vmagent-password").write_text("another")
    metrics = f"http://127.0.0.1:{run.agent_port}/metrics"

    def counted(name):
        text = urllib.request.urlopen(metrics, timeout=5).read().decode()
        return sum(float(value) for value in re.findall(rf"(?m)^{name}(?:\{{[^\n]*\}})? (\S+)$", text))

    assert answers(metrics)
    before = counted("vmagent_remotewrite_retries_count_total")
    wait_for("retries", lambda: counted("vmagent_remotewrite_retries_count_total") > before)
    assert counted("vmagent_remotewrite_packets_dropped_total") == 0
    # Read again without a restart.
    (run.directory / "vmagent-password").write_text("the-password")
    changed = time.time()
    wait_for("samples after the change", lambda: [row for row in run.query("timestamp(machine_cpu_cores)") if float(row["value"][1]) > changed], seconds=120)
