//! What vmagent is configured to do: its arguments, the variables that they name, and its scrape configuration.

use super::config_map;
use super::credentials;
use super::workloads::Found;
use crate::collect::access::Cluster;
use crate::collect::environment::Value;
use crate::collect::get::Get;
use crate::collect::obstacle::{Obstacle, unknown};
use crate::collect::rule_options::RuleOptions;
use crate::collect::workloads::{Container, Raw};
use crate::contract::Contract;
use crate::evidence::{CLUSTER_LABELS, Hidden, Observed, Reason, RemoteWrite, ScrapeConfig, VmagentSettings};
use futures::future::try_join_all;

mod flags;
mod scrape;

use self::flags::Flags;

/// Reads the configuration of every workload. Needs `get` of the ConfigMaps that its pods mount and take variables from.
pub(super) async fn collect(cluster: &Cluster<'_>, found: &Observed<Found>) -> Observed<Vec<VmagentSettings>> {
    super::settings(found, "workloads of vmagent", |found| async move {
        try_join_all(found.iter().map(|(_, raw)| read(cluster, raw))).await
    })
    .await
}

pub(super) fn requests(contract: &Contract, options: RuleOptions<'_>) -> Vec<Get> {
    super::config_maps(&contract.components.vmagent, options)
}

async fn read(cluster: &Cluster<'_>, raw: &Raw) -> Result<VmagentSettings, Obstacle> {
    let (namespace, workload) = (&raw.metadata.namespace, &raw.metadata.name);
    let container = raw
        .container(&cluster.contract.components.vmagent.container)
        .ok_or_else(|| {
            let get = Get::namespaced("apps", "v1", "statefulsets", namespace, workload);
            unknown(&get, Reason::Malformed, "it has no container")
        })?;
    let flags = Flags::read(cluster, raw, container).await?;
    let mut settings = VmagentSettings {
        namespace: namespace.clone(),
        workload: workload.clone(),
        remote_writes: flags.all("--remoteWrite.url").iter().map(remote_write).collect(),
        mounts: raw.mounts(container),
        credentials_in_clear: flags.in_clear(),
        ..VmagentSettings::default()
    };
    for label in flags.all("--remoteWrite.label") {
        if let Value::Known(text) = label
            && let Some((name, value)) = text.split_once('=')
            && CLUSTER_LABELS.contains(&name)
        {
            settings.labels.insert(name.to_owned(), value.to_owned());
        }
    }
    if let Some(Value::Known(path)) = flags.all("--promscrape.config").first() {
        let (scrape, in_clear) = scrape(cluster, raw, container, path).await?;
        settings.scrape = Some(scrape);
        settings.credentials_in_clear.extend(in_clear);
    }
    Ok(settings)
}

async fn scrape(
    cluster: &Cluster<'_>,
    raw: &Raw,
    container: &Container,
    path: &str,
) -> Result<(ScrapeConfig, Vec<String>), Obstacle> {
    let namespace = &raw.metadata.namespace;
    let Some(file) = raw.file(container, path) else {
        let get = Get::namespaced("apps", "v1", "statefulsets", namespace, &raw.metadata.name);
        let problem = "its scrape configuration is in no ConfigMap that its pods mount";
        return Err(unknown(&get, Reason::Malformed, problem).into());
    };
    let map = config_map::read(cluster, namespace, &file.config_map).await?;
    let malformed = |problem: &str| {
        let get = config_map::request(namespace, &file.config_map);
        Obstacle::from(unknown(&get, Reason::Malformed, problem))
    };
    let text = map.get(&file.key);
    let text = text.ok_or_else(|| malformed("it has no key of the file that vmagent is started with"))?;
    let (mut scrape, in_clear) =
        scrape::parse(text).map_err(|()| malformed("its scrape configuration is no YAML that vmagent reads"))?;
    scrape.config_map = file.config_map;
    scrape.key = file.key;
    scrape.last_change = map.last_change();
    Ok((scrape, in_clear))
}

/// Of a URL what is no credential. What stands behind a `?` may be one.
fn remote_write(value: &Value) -> RemoteWrite {
    let text = match value {
        Value::Known(text) => text,
        Value::Unread(unread) => {
            return RemoteWrite {
                unread: Some(unread.why.clone()),
                hidden: Some(unread.hidden),
                ..RemoteWrite::default()
            };
        }
    };
    let uri: Option<http::Uri> = text.parse().ok();
    let parts = uri
        .as_ref()
        .and_then(|uri| Some((uri.scheme_str()?, uri.authority()?, uri.path())));
    let Some((scheme, authority, path)) = parts else {
        return RemoteWrite {
            unread: Some("it is no URL".to_owned()),
            hidden: Some(Hidden::Nowhere),
            ..RemoteWrite::default()
        };
    };
    let user_info = authority.as_str().rsplit_once('@');
    let host = user_info.map_or(authority.as_str(), |(_, host)| host);
    RemoteWrite {
        address: Some(format!("{scheme}://{host}{path}")),
        unread: None,
        hidden: None,
        has_credentials: user_info.is_some() || credentials::has_user_info(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::environment::NotRead;

    #[test]
    fn of_a_url_no_credential_is_kept() {
        let url = "https://vmagent:hush@10.10.0.3:8427/api/v1/write?token=hush";
        let write = remote_write(&Value::Known(url.to_owned()));
        assert_eq!(write.address.as_deref(), Some("https://10.10.0.3:8427/api/v1/write"));
        assert!(write.has_credentials);
        let write = remote_write(&Value::Known("hush".to_owned()));
        assert_eq!((write.address, write.unread.as_deref()), (None, Some("it is no URL")));
        assert_eq!(write.hidden, Some(Hidden::Nowhere));
        let write = remote_write(&Value::Unread(NotRead {
            why: "a Secret holds it".to_owned(),
            hidden: Hidden::Secret,
        }));
        assert_eq!(write.unread.as_deref(), Some("a Secret holds it"));
        assert_eq!(write.hidden, Some(Hidden::Secret));
    }
}
