//! Where everything lies: the workspace, the cache of what was compiled, and one state directory per cluster.

use std::env;
use std::path::{Path, PathBuf};

/// The workspace that this crate was compiled in.
pub(crate) fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// A file or folder of this crate.
pub(crate) fn tests(inner: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(inner)
}

/// Compiled binaries and images, kept across clusters: `$TESTBED_CACHE`, else below cargo's target directory.
pub(crate) fn cache() -> PathBuf {
    if let Some(set) = env::var_os("TESTBED_CACHE") {
        return set.into();
    }
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    target.join("testbed/cache")
}

/// The state of one cluster. It never follows `CARGO_TARGET_DIR`: two checkouts that share a target directory must
/// not share a cluster.
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
}

impl State {
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            dir: workspace().join("target/testbed/clusters").join(name),
        }
    }

    pub(crate) fn path(&self, inner: &str) -> PathBuf {
        self.dir.join(inner)
    }

    pub(crate) fn log(&self, process: &str) -> PathBuf {
        self.dir.join("log").join(process)
    }

    pub(crate) fn pki(&self, file: &str) -> PathBuf {
        self.dir.join("pki").join(file)
    }

    pub(crate) fn kubeconfig(&self, user: &str) -> PathBuf {
        self.dir.join("kubeconfig").join(user)
    }

    /// cgroups have no namespace here, so the name of their root comes from where the state lies: two checkouts
    /// never meet.
    pub(crate) fn cgroup(&self) -> String {
        use aws_lc_rs::digest::{SHA256, digest};
        let digest = digest(&SHA256, self.dir.as_os_str().as_encoded_bytes());
        let digest = digest.as_ref();
        format!(
            "testbed-{:02x}{:02x}{:02x}{:02x}",
            digest[0], digest[1], digest[2], digest[3]
        )
    }
}
