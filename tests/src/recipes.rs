//! What is compiled, from which tool module, with which version stamped in.

use std::fs;

use anyhow::{Context, Result};

use crate::paths;

/// What is needed for more is not needed for less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Needed {
    /// By every cluster.
    Cluster,
    /// By a cluster of the fleet.
    Fleet,
    /// By scenarios, which compile it themselves where it is missing.
    Scenarios,
    /// By the version matrix.
    Matrix,
    /// By `budgets --peer`.
    Peer,
}

/// A folder of `tools/`: a Go module whose `go.mod` and `go.sum` pin one version of one family.
#[derive(Clone, Copy)]
pub(crate) struct Recipe {
    /// The folder's name, and the name in the cache.
    pub(crate) folder: &'static str,
    /// The module that the version is read of.
    module: &'static str,
    pub(crate) packages: &'static [&'static str],
    /// Where the program keeps its own version; `@` stands for it. Without it kubelet would call itself v0.0.0.
    stamps: &'static [&'static str],
    pub(crate) needed: Needed,
    /// Seconds that a cold build takes on two cores, so that nobody takes it for a hang.
    pub(crate) seconds: u32,
}

impl Recipe {
    /// The version that the module's `go.mod` requires, with its `v`.
    pub(crate) fn version(&self) -> Result<String> {
        let file = paths::tests("tools").join(self.folder).join("go.mod");
        let text = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        text.lines()
            .filter_map(|line| line.trim().trim_start_matches("require ").strip_prefix(self.module))
            .find_map(|rest| rest.split_whitespace().next().filter(|word| word.starts_with('v')))
            .map(str::to_owned)
            .with_context(|| format!("{} requires no {}", file.display(), self.module))
    }

    pub(crate) fn linker_flags(&self, version: &str) -> String {
        let mut flags = String::from("-s -w");
        for stamp in self.stamps {
            flags.push_str(" -X ");
            flags.push_str(&stamp.replace('@', version));
        }
        flags
    }
}

const KUBERNETES_STAMPS: &[&str] = &[
    "k8s.io/component-base/version.gitVersion=@",
    "k8s.io/component-base/version.gitMajor=1",
    "k8s.io/component-base/version.gitMinor=35",
    "k8s.io/component-base/version.gitTreeState=clean",
    "k8s.io/client-go/pkg/version.gitVersion=@",
];

const fn metrics_server(folder: &'static str, needed: Needed) -> Recipe {
    Recipe {
        folder,
        module: "sigs.k8s.io/metrics-server",
        packages: &["sigs.k8s.io/metrics-server/cmd/metrics-server"],
        stamps: &["k8s.io/client-go/pkg/version.gitVersion=@"],
        needed,
        seconds: 100,
    }
}

const fn kube_state_metrics(folder: &'static str, needed: Needed) -> Recipe {
    Recipe {
        folder,
        module: "k8s.io/kube-state-metrics/v2",
        packages: &["k8s.io/kube-state-metrics/v2"],
        stamps: &["github.com/prometheus/common/version.Version=@"],
        needed,
        seconds: 80,
    }
}

/// Everything that the testbed compiles, in the order in which it is needed.
pub(crate) const RECIPES: &[Recipe] = &[
    Recipe {
        folder: "kubernetes",
        module: "k8s.io/kubernetes",
        packages: &[
            "k8s.io/kubernetes/cmd/kube-apiserver",
            "k8s.io/kubernetes/cmd/kube-controller-manager",
            "k8s.io/kubernetes/cmd/kube-proxy",
            "k8s.io/kubernetes/cmd/kube-scheduler",
            "k8s.io/kubernetes/cmd/kubectl",
            "k8s.io/kubernetes/cmd/kubelet",
        ],
        stamps: KUBERNETES_STAMPS,
        needed: Needed::Cluster,
        seconds: 300,
    },
    Recipe {
        folder: "helm",
        module: "helm.sh/helm/v3",
        packages: &["helm.sh/helm/v3/cmd/helm"],
        stamps: &[
            "helm.sh/helm/v3/internal/version.version=@",
            "helm.sh/helm/v3/internal/version.metadata=",
        ],
        needed: Needed::Cluster,
        seconds: 60,
    },
    // What the next Helm makes of the same commands: printed fixes are typed with both.
    Recipe {
        folder: "helm-4",
        module: "helm.sh/helm/v4",
        packages: &["helm.sh/helm/v4/cmd/helm"],
        stamps: &["helm.sh/helm/v4/internal/version.version=@"],
        needed: Needed::Scenarios,
        seconds: 90,
    },
    Recipe {
        folder: "coredns",
        module: "github.com/coredns/coredns",
        // Its folder has a program of our own, with the plugins that are used.
        packages: &["."],
        stamps: &[],
        needed: Needed::Cluster,
        seconds: 40,
    },
    // vmagent of step 4, and what the tests have as the regional store: the versions of the charts and of the region.
    Recipe {
        folder: "victoria-metrics",
        module: "github.com/VictoriaMetrics/VictoriaMetrics",
        packages: &[
            "github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics",
            "github.com/VictoriaMetrics/VictoriaMetrics/app/vmagent",
            "github.com/VictoriaMetrics/VictoriaMetrics/app/vmalert",
            "github.com/VictoriaMetrics/VictoriaMetrics/app/vmauth",
        ],
        // What `vm_app_version` reads its `short_version` of.
        stamps: &["github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version=testbed-tags-@"],
        needed: Needed::Cluster,
        seconds: 20,
    },
    metrics_server("metrics-server-0.9.0", Needed::Cluster),
    metrics_server("metrics-server-0.8.0", Needed::Scenarios),
    metrics_server("metrics-server-0.7.2", Needed::Matrix),
    kube_state_metrics("kube-state-metrics-2.20.0", Needed::Cluster),
    kube_state_metrics("kube-state-metrics-2.18.0", Needed::Scenarios),
    kube_state_metrics("kube-state-metrics-2.19.1", Needed::Matrix),
    kube_state_metrics("kube-state-metrics-2.13.0", Needed::Matrix),
    // Step 2, for the tests that install it.
    Recipe {
        folder: "envoy-gateway",
        module: "github.com/envoyproxy/gateway",
        packages: &["github.com/envoyproxy/gateway/cmd/envoy-gateway"],
        stamps: &["github.com/envoyproxy/gateway/internal/cmd/version.envoyGatewayVersion=@"],
        needed: Needed::Fleet,
        seconds: 180,
    },
    // A peer, for `budgets --peer`.
    Recipe {
        folder: "preflight",
        module: "github.com/replicatedhq/troubleshoot",
        packages: &["github.com/replicatedhq/troubleshoot/cmd/preflight"],
        stamps: &[],
        needed: Needed::Peer,
        seconds: 130,
    },
];

/// The recipe in one folder of `tools/`.
pub(crate) fn recipe(folder: &str) -> Result<&'static Recipe> {
    RECIPES.iter().find(|recipe| recipe.folder == folder).with_context(|| {
        let known: Vec<_> = RECIPES.iter().map(|recipe| recipe.folder).collect();
        format!("no tool module `{folder}`; there are {}", known.join(", "))
    })
}
