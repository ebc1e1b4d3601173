//! Bodies such as kube-state-metrics makes of pods: its families in its order (internal/store/pod.go, v2.20.0), each
//! with HELP and TYPE and then the rows of all pods, at about 6 KB a pod. The same number of pods makes the same body.

use std::io::{self, Write};

use starform_exposition::Format;

/// The metric that carries the pods' labels: about five per cent of the bytes.
pub const LABELS: &str = "kube_pod_labels";

/// Bytes a pod, roughly: what to divide a wanted size by.
pub const BYTES_A_POD: usize = 6_200;

/// Writes the body of a cluster with so many pods.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut impl Write, pods: usize, format: Format) -> io::Result<()> {
    for family in FAMILIES {
        let name = family.name;
        writeln!(out, "# HELP {name} {}", family.help)?;
        // Text 0.0.4 has no such type, and kube-state-metrics writes another instead.
        let kind = if format == Format::Text && family.kind == "info" {
            "gauge"
        } else {
            family.kind
        };
        writeln!(out, "# TYPE {name} {kind}")?;
        for pod in (0..pods).map(Pod::new) {
            for (labels, value) in (family.rows)(&pod) {
                let Pod {
                    namespace,
                    name: pod_name,
                    uid,
                    ..
                } = &pod;
                let comma = if labels.is_empty() { "" } else { "," };
                write!(
                    out,
                    "{name}{{namespace=\"{namespace}\",pod=\"{pod_name}\",uid=\"{uid}\"{comma}{labels}}} "
                )?;
                writeln!(out, "{value}")?;
            }
        }
    }
    if format == Format::OpenMetrics {
        writeln!(out, "# EOF")
    } else {
        Ok(())
    }
}

/// The body as a whole.
#[must_use]
pub fn body(pods: usize, format: Format) -> Vec<u8> {
    let mut body = Vec::with_capacity(pods * BYTES_A_POD);
    // A Vec takes everything.
    let _ = write(&mut body, pods, format);
    body
}

struct Family {
    name: &'static str,
    help: &'static str,
    kind: &'static str,
    /// What follows the three labels that every row has, and the value.
    rows: fn(&Pod) -> Vec<(String, String)>,
}

struct Pod {
    namespace: String,
    name: String,
    uid: String,
    node: String,
    address: String,
    owner: String,
    app: String,
    started: u64,
}

impl Pod {
    fn new(at: usize) -> Self {
        let (one, two) = (mix(at as u64), mix(!(at as u64)));
        let app = ["checkout", "payments-api", "web", "search-indexer", "ledger", "mail"][at % 6];
        let owner = format!("{app}-{:08x}", one >> 40);
        Self {
            namespace: format!("team-{}", at % 40),
            name: format!("{owner}-{:05x}", two >> 44),
            uid: format!(
                "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                one >> 32,
                one & 0xffff,
                two & 0xfff,
                two >> 52,
                two >> 16
            ),
            node: format!("pool-8vcpu-{:05x}", (at / 60) * 7919 % 0xf_ffff),
            address: format!("10.244.{}.{}", at / 250 % 250, at % 250),
            owner,
            app: app.to_owned(),
            started: 1_790_000_000 + one % 1_000_000,
        }
    }

    /// Most pods have one container, some have a sidecar.
    fn containers(&self) -> &'static [&'static str] {
        if self.started.is_multiple_of(8) {
            &["app", "proxy"]
        } else {
            &["app"]
        }
    }

    fn each_container(&self, row: impl Fn(&str) -> Vec<(String, String)>) -> Vec<(String, String)> {
        self.containers().iter().flat_map(|container| row(container)).collect()
    }
}

fn one(labels: String, value: &str) -> Vec<(String, String)> {
    vec![(labels, value.to_owned())]
}

/// One row for each of these states, the given one with 1.
fn states(label: &str, all: &[&str], set: &str) -> Vec<(String, String)> {
    all.iter()
        .map(|state| (format!("{label}=\"{state}\""), u8::from(*state == set).to_string()))
        .collect()
}

/// Go's `%g` of a time, as kube-state-metrics writes it.
fn time(seconds: u64) -> String {
    let digits = seconds.to_string();
    format!("{}.{}e+09", &digits[..1], &digits[1..])
}

/// splitmix64's mixing function.
fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn resources(pod: &Pod, cpu: &str, memory: &str) -> Vec<(String, String)> {
    let node = &pod.node;
    pod.each_container(|container| {
        let row = |resource, unit| {
            format!("container=\"{container}\",node=\"{node}\",resource=\"{resource}\",unit=\"{unit}\"")
        };
        vec![
            (row("cpu", "core"), cpu.to_owned()),
            (row("memory", "byte"), memory.to_owned()),
        ]
    })
}

fn for_containers(pod: &Pod, value: &str) -> Vec<(String, String)> {
    pod.each_container(|container| one(format!("container=\"{container}\""), value))
}

const FAMILIES: &[Family] = &[
    family(
        "kube_pod_annotations",
        "Kubernetes annotations converted to Prometheus labels.",
        |_| vec![],
    ),
    family(
        "kube_pod_completion_time",
        "[STABLE] Completion time in unix timestamp for a pod.",
        |_| vec![],
    ),
    Family {
        kind: "info",
        ..family(
            "kube_pod_container_info",
            "[STABLE] Information about a container in a pod.",
            |pod| {
                let app = &pod.app;
                pod.each_container(|container| {
                    let image = format!("registry.example/{app}/{container}");
                    one(
                        format!(
                            "container=\"{container}\",image_spec=\"{image}:v1.4.2\",image=\"{image}:v1.4.2\",\
                         image_id=\"{image}@sha256:{:064x}\",container_id=\"containerd://{:064x}\"",
                            mix(app.len() as u64),
                            mix(pod.started)
                        ),
                        "1",
                    )
                })
            },
        )
    },
    family(
        "kube_pod_container_resource_limits",
        "The number of requested limit resource by a container. It is recommended to use the kube_pod_resource_limits \
         metric exposed by kube-scheduler instead, as it is more precise.",
        |pod| resources(pod, "0.5", "5.36870912e+08"),
    ),
    family(
        "kube_pod_container_resource_requests",
        "The number of requested request resource by a container.",
        |pod| resources(pod, "0.1", "1.34217728e+08"),
    ),
    family(
        "kube_pod_container_state_started",
        "[STABLE] Start time in unix timestamp for a pod container.",
        |pod| for_containers(pod, &time(pod.started)),
    ),
    family(
        "kube_pod_container_status_ready",
        "[STABLE] Describes whether the containers readiness check succeeded.",
        |pod| for_containers(pod, "1"),
    ),
    Family {
        kind: "counter",
        ..family(
            "kube_pod_container_status_restarts_total",
            "[STABLE] The number of container restarts per container.",
            |pod| for_containers(pod, "0"),
        )
    },
    family(
        "kube_pod_container_status_running",
        "[STABLE] Describes whether the container is currently in running state.",
        |pod| for_containers(pod, "1"),
    ),
    family(
        "kube_pod_container_status_terminated",
        "[STABLE] Describes whether the container is currently in terminated state.",
        |pod| for_containers(pod, "0"),
    ),
    family(
        "kube_pod_container_status_waiting",
        "[STABLE] Describes whether the container is currently in waiting state.",
        |pod| for_containers(pod, "0"),
    ),
    family("kube_pod_created", "[STABLE] Unix creation timestamp", |pod| {
        one(String::new(), &time(pod.started))
    }),
    Family {
        kind: "info",
        ..family("kube_pod_info", "[STABLE] Information about pod.", |pod| {
            let Pod {
                node, address, owner, ..
            } = pod;
            one(
                format!(
                    "host_ip=\"10.110.0.7\",pod_ip=\"{address}\",node=\"{node}\",created_by_kind=\"ReplicaSet\",\
                     created_by_name=\"{owner}\",priority_class=\"\",host_network=\"false\""
                ),
                "1",
            )
        })
    },
    family("kube_pod_ips", "Pod IP addresses", |pod| {
        one(format!("ip=\"{}\",ip_family=\"4\"", pod.address), "1")
    }),
    family(
        LABELS,
        "[STABLE] Kubernetes labels converted to Prometheus labels.",
        |pod| {
            let app = &pod.app;
            one(
                format!(
                    "label_starform_io_app=\"{app}\",label_starform_io_cluster_id=\"prod-fra1\",\
                 label_starform_io_deployment=\"{app}-v2\",label_starform_io_project=\"{}\",label_starform_io_region=\"fra1\"",
                    pod.namespace
                ),
                "1",
            )
        },
    ),
    family("kube_pod_owner", "[STABLE] Information about the Pod's owner.", |pod| {
        one(
            format!(
                "owner_kind=\"ReplicaSet\",owner_name=\"{}\",owner_is_controller=\"true\"",
                pod.owner
            ),
            "1",
        )
    }),
    family(
        "kube_pod_restart_policy",
        "[STABLE] Describes the restart policy in use by this pod.",
        |_| one("type=\"Always\"".to_owned(), "1"),
    ),
    family("kube_pod_service_account", "The service account for a pod.", |pod| {
        one(format!("service_account=\"{}\"", pod.app), "1")
    }),
    family(
        "kube_pod_start_time",
        "[STABLE] Start time in unix timestamp for a pod.",
        |pod| one(String::new(), &time(pod.started)),
    ),
    family("kube_pod_status_phase", "[STABLE] The pods current phase.", |_| {
        states(
            "phase",
            &["Pending", "Succeeded", "Failed", "Unknown", "Running"],
            "Running",
        )
    }),
    family("kube_pod_status_qos_class", "The pods current qosClass.", |_| {
        states("qos_class", &["BestEffort", "Burstable", "Guaranteed"], "Burstable")
    }),
    family(
        "kube_pod_status_ready",
        "[STABLE] Describes whether the pod is ready to serve requests.",
        |_| states("condition", &["true", "false", "unknown"], "true"),
    ),
    family(
        "kube_pod_status_scheduled",
        "[STABLE] Describes the status of the scheduling process for the pod.",
        |_| states("condition", &["true", "false", "unknown"], "true"),
    ),
    family("kube_pod_tolerations", "Information about the pod tolerations", |_| {
        ["not-ready", "unreachable"]
            .map(|taint| {
                let key = format!("node.kubernetes.io/{taint}");
                (
                    format!("key=\"{key}\",operator=\"Exists\",effect=\"NoExecute\",toleration_seconds=\"300\""),
                    "1".to_owned(),
                )
            })
            .to_vec()
    }),
];

const fn family(name: &'static str, help: &'static str, rows: fn(&Pod) -> Vec<(String, String)>) -> Family {
    Family {
        name,
        help,
        kind: "gauge",
        rows,
    }
}
