//! What a container has mounted, and which ConfigMap a file of it comes from.

use crate::collect::workloads::{Container, Raw, Volume};
use crate::evidence::{MountedVolume, VolumeKind};

/// A file that a ConfigMap holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) config_map: String,
    pub(super) key: String,
}

// === impl Raw ===

impl Raw {
    /// What the container has mounted.
    pub(super) fn mounts(&self, container: &Container) -> Vec<MountedVolume> {
        let mounts = container.volume_mounts.iter().flatten();
        mounts
            .map(|mount| {
                let claim =
                    (self.spec.volume_claim_templates.iter().flatten()).find(|claim| claim.metadata.name == mount.name);
                let kind = match claim {
                    Some(_) => VolumeKind::PersistentVolumeClaim,
                    None => self.volume(&mount.name).map_or(VolumeKind::Other, Volume::kind),
                };
                let requests = claim.and_then(|claim| claim.spec.resources.requests.as_ref());
                MountedVolume {
                    path: mount.path.clone(),
                    kind,
                    capacity: requests.and_then(|requests| requests.get("storage").cloned()),
                }
            })
            .collect()
    }

    /// The ConfigMap and key that a file in the container comes from.
    pub(super) fn file(&self, container: &Container, path: &str) -> Option<File> {
        let (volume, relative) = self.mounted(container, path)?;
        let map = volume.config_map.as_ref()?;
        let key = match &map.items {
            None => relative,
            Some(items) => items.iter().find(|item| item.path == relative)?.key.clone(),
        };
        Some(File {
            config_map: map.name.clone(),
            key,
        })
    }

    /// The volume that a file in the container is on, and its path there.
    pub(super) fn mounted(&self, container: &Container, path: &str) -> Option<(&Volume, String)> {
        let mounts = container.volume_mounts.iter().flatten();
        let (mount, rest) = mounts
            .filter_map(|mount| {
                let rest = path.strip_prefix(mount.path.trim_end_matches('/'))?;
                (rest.is_empty() || rest.starts_with('/')).then_some((mount, rest.trim_start_matches('/')))
            })
            .max_by_key(|(mount, _)| mount.path.len())?;
        let relative = match (mount.sub_path.as_str(), rest) {
            ("", rest) => rest.to_owned(),
            (sub, "") => sub.to_owned(),
            (sub, rest) => format!("{sub}/{rest}"),
        };
        Some((self.volume(&mount.name)?, relative))
    }

    fn volume(&self, name: &str) -> Option<&Volume> {
        self.pod().volumes.iter().flatten().find(|volume| volume.name == name)
    }
}

// === impl Volume ===

impl Volume {
    fn kind(&self) -> VolumeKind {
        if self.persistent_volume_claim.is_some() {
            VolumeKind::PersistentVolumeClaim
        } else if self.host_path.is_some() {
            VolumeKind::HostPath
        } else if self.empty_dir.is_some() {
            VolumeKind::EmptyDir
        } else if self.config_map.is_some() {
            VolumeKind::ConfigMap
        } else {
            VolumeKind::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_in_its_config_map() {
        let raw: Raw = serde_json::from_str(
            r#"{"metadata":{"name":"vmagent","namespace":"telemetry"},"spec":{"template":{"spec":{"containers":[{"name":"vmagent",
            "volumeMounts":[{"name":"tmpdata","mountPath":"/tmpData"},{"name":"scrape","mountPath":"/config/scrape"},
            {"name":"one","mountPath":"/etc/one.yml","subPath":"a.yml"},{"name":"cache","mountPath":"/cache"}]}],
            "volumes":[{"name":"scrape","configMap":{"name":"vmagent-config"}},
            {"name":"one","configMap":{"name":"other","items":[{"key":"b","path":"a.yml"}]}},{"name":"cache","emptyDir":{}}]}},
            "volumeClaimTemplates":[{"metadata":{"name":"tmpdata"},"spec":{"resources":{"requests":{"storage":"10Gi"}}}}]}}"#,
        )
        .unwrap();
        let container = raw.container("vmagent").unwrap();
        let file = |path| raw.file(container, path).map(|file| (file.config_map, file.key));
        let expected = |map: &str, key: &str| Some((map.to_owned(), key.to_owned()));
        assert_eq!(
            file("/config/scrape/scrape.yml"),
            expected("vmagent-config", "scrape.yml")
        );
        assert_eq!(file("/etc/one.yml"), expected("other", "b"));
        assert_eq!(file("/tmpData/a"), None);
        assert_eq!(file("/elsewhere"), None);
        let mounts = raw.mounts(container);
        assert_eq!(mounts[0].kind, VolumeKind::PersistentVolumeClaim);
        assert_eq!(mounts[0].capacity.as_deref(), Some("10Gi"));
        assert_eq!(mounts[3].kind, VolumeKind::EmptyDir);
    }
}
