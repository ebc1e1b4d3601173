//! What a collector's container has mounted.

use serde::{Deserialize, Serialize};

/// A volume, where it is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MountedVolume {
    /// `volumeMounts[].mountPath`.
    pub path: String,
    /// What it is.
    pub kind: VolumeKind,
    /// The storage that a StatefulSet's claim template asks for: `10Gi`.
    #[serde(deserialize_with = "crate::evidence::read::present")]
    pub capacity: Option<String>,
}

/// The kinds of volume that matter to what has to outlive a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeKind {
    /// A PersistentVolumeClaim, or a claim template of the StatefulSet.
    PersistentVolumeClaim,
    /// A directory of the node.
    HostPath,
    /// Gone with the pod.
    EmptyDir,
    /// A ConfigMap.
    ConfigMap,
    /// Anything else.
    Other,
}

// === impl MountedVolume ===

impl MountedVolume {
    /// The volume that a path is on: of those that it is below, the deepest.
    #[must_use]
    pub(crate) fn below<'v>(volumes: &'v [Self], path: &str) -> Option<&'v Self> {
        let is_below = |volume: &&Self| {
            let mount = volume.path.trim_end_matches('/');
            path.strip_prefix(mount)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        volumes.iter().filter(is_below).max_by_key(|volume| volume.path.len())
    }
}

// === impl VolumeKind ===

impl VolumeKind {
    /// Whether what is on it outlives the pod.
    #[must_use]
    pub(crate) fn outlives_the_pod(self) -> bool {
        matches!(self, Self::PersistentVolumeClaim | Self::HostPath)
    }
}

impl std::fmt::Display for VolumeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PersistentVolumeClaim => "a PersistentVolumeClaim",
            Self::HostPath => "a directory of the node",
            Self::EmptyDir => "an emptyDir",
            Self::ConfigMap => "a ConfigMap",
            Self::Other => "a volume of another kind",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_on_the_deepest_mount_above_it() {
        let volume = |path: &str, kind| MountedVolume {
            path: path.to_owned(),
            kind,
            capacity: None,
        };
        let volumes = [
            volume("/var/log", VolumeKind::HostPath),
            volume("/var/log/cache/", VolumeKind::EmptyDir),
        ];
        let kind = |path| MountedVolume::below(&volumes, path).map(|volume| volume.kind);
        assert_eq!(kind("/var/log/tail.db"), Some(VolumeKind::HostPath));
        assert_eq!(kind("/var/log"), Some(VolumeKind::HostPath));
        assert_eq!(kind("/var/log/cache/a/b"), Some(VolumeKind::EmptyDir));
        assert_eq!(kind("/var/logs/tail.db"), None);
    }
}
