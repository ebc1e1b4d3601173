//! The Envoys that the controller has made, and what each says of the configuration that it was sent: their own counters, on the
//! port of their statistics.

use crate::collect::access::Cluster;
use crate::collect::get::{Accept, Get};
use crate::collect::intern::Interner;
use crate::collect::list::{Collected, Shape};
use crate::collect::obstacle::{Obstacle, observed, unknown};
use crate::collect::pods::{PodObject, last_termination, restarts};
use crate::collect::rule_options::RuleOptions;
use crate::collect::scrape;
use crate::collect::status::bounded;
use crate::contract::Contract;
use crate::evidence::{GatewayProxy, Observed, ProxyUpdates, Reason};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde::de::Error;
use starform_exposition::{Format, Row, Selection};
use std::collections::BTreeMap;

/// What the controller labels them with (Envoy Gateway v1.9.0: internal/infrastructure/kubernetes/proxy/resource.go,
/// `EnvoyAppLabel`).
const SELECTOR: &str =
    "app.kubernetes.io/component=proxy,app.kubernetes.io/managed-by=envoy-gateway,app.kubernetes.io/name=envoy";
/// Their statistics (internal/xds/bootstrap/bootstrap.go, `EnvoyStatsPort`, and bootstrap.yaml.tpl).
const PORT: u16 = 19001;
const PAGE: &str = "/stats/prometheus";
/// A page has some lines for each cluster.
const BODY_BOUND: u64 = 64 << 20;
/// How many are asked at once.
const AT_ONCE: usize = 16;
/// How many resources are kept of one.
const RESOURCES: usize = 1024;

/// Internal/gatewayapi/translator.go, `OwningGatewayNameLabel` and `OwningGatewayNamespaceLabel`.
const OF_GATEWAY: [&str; 2] = [
    "gateway.envoyproxy.io/owning-gateway-namespace",
    "gateway.envoyproxy.io/owning-gateway-name",
];

/// An Envoy, and the address of its page.
struct Listed {
    proxy: GatewayProxy,
    address: Option<String>,
}

/// Lists those that run, and reads the pages of those in accepted namespaces. Needs `list pods`, and `get pods/proxy` there.
pub(super) async fn collect(cluster: &Cluster<'_>) -> Result<Vec<GatewayProxy>, Obstacle> {
    let new = || {
        Collected::new(|json| {
            let pod: PodObject = serde_json::from_slice(json)?;
            if pod.is_deleting() || pod.status().phase != "Running" {
                return Ok(None);
            }
            read(&pod).map(Some)
        })
    };
    let mut pods = cluster.list(&list(), Shape::objects("PodList"), new).await?.items;
    pods.sort_unstable_by(|a, b| (&a.proxy.namespace, &a.proxy.pod).cmp(&(&b.proxy.namespace, &b.proxy.pod)));
    let mut proxies = Vec::new();
    let mut read = stream::iter(pods.into_iter().map(|pod| proxy(cluster, pod))).buffered(AT_ONCE);
    while let Some(proxy) = read.next().await {
        proxies.push(proxy);
    }
    Ok(proxies)
}

pub(super) fn requests(contract: &Contract, options: RuleOptions<'_>) -> Vec<Get> {
    let namespaces = &contract.components.envoy_gateway.controller.namespaces;
    let mut requests = vec![list()];
    requests.extend(options.pod_pages(namespaces, PAGE));
    requests
}

fn list() -> Get {
    Get::list("", "v1", "pods", None).query("labelSelector", SELECTOR)
}

fn read(pod: &PodObject) -> Result<Listed, serde_json::Error> {
    let metadata = pod.metadata.as_ref().filter(|metadata| !metadata.name.is_empty());
    let metadata = metadata.ok_or_else(|| Error::missing_field("name"))?;
    let [namespace, name] = OF_GATEWAY.map(|label| metadata.labels.get(label));
    let address = &pod.status().pod_ip;
    Ok(Listed {
        proxy: GatewayProxy {
            namespace: metadata.namespace.clone(),
            pod: metadata.name.clone(),
            gateway: namespace
                .zip(name)
                .map(|(namespace, name)| format!("{namespace}/{name}")),
            restarts: Some(restarts(pod)),
            last_termination: last_termination(pod, &mut Interner::default()),
            updates: Observed::not_collected(),
        },
        address: (!address.is_empty()).then(|| address.clone()),
    })
}

async fn proxy(cluster: &Cluster<'_>, listed: Listed) -> GatewayProxy {
    let Listed { mut proxy, address } = listed;
    let accepted = &cluster.contract.components.envoy_gateway.controller.namespaces;
    if accepted.contains(&proxy.namespace) {
        proxy.updates = updates(cluster, &proxy, address.as_deref()).await;
    }
    proxy
}

async fn updates(cluster: &Cluster<'_>, proxy: &GatewayProxy, address: Option<&str>) -> Observed<Vec<ProxyUpdates>> {
    match cluster.pod_page((&proxy.namespace, &proxy.pod), address, PORT, PAGE, Accept::Exposition) {
        Ok(get) => observed(updates_of_page(cluster, &get).await),
        Err(why) => Observed::Unknown(unknown(&why.0, Reason::Unreachable, why.1)),
    }
}

async fn updates_of_page(cluster: &Cluster<'_>, get: &Get) -> Result<Vec<ProxyUpdates>, Obstacle> {
    let mut kept = Page::default();
    let page = scrape::Page {
        selection: Selection::All,
        bound: BODY_BOUND,
        format: Format::from_content_type,
    };
    let read = scrape::read(cluster, get, page, |row| kept.push(row)).await?;
    read.whole(get)?;
    if read.summary.row_errors > 0 {
        return Err(unknown(get, Reason::Malformed, "a line of it cannot be read").into());
    }
    kept.finish().ok_or_else(|| {
        let message = "it has no envoy_listener_manager_lds_update_rejected, as every page of Envoy has";
        unknown(get, Reason::Malformed, message).into()
    })
}

/// What a page is reduced to: by service and resource how many updates were refused, and when the last one was taken.
#[derive(Default)]
struct Page {
    updates: BTreeMap<(&'static str, String), (u64, Option<Timestamp>)>,
}

// === impl Page ===

impl Page {
    /// The names are Envoy's (envoy v1.39.0: source/common/config/subscription_base, `ALL_SUBSCRIPTION_STATS`).
    fn push(&mut self, row: &Row<'_>) -> Result<(), String> {
        let name = row.name();
        let rejected = name.strip_suffix("_update_rejected");
        let Some(of) = rejected.or_else(|| name.strip_suffix("_update_time")) else {
            return Ok(());
        };
        let key = match of {
            "envoy_listener_manager_lds" => ("lds", String::new()),
            "envoy_cluster_manager_cds" => ("cds", String::new()),
            "envoy_http_rds" => {
                let route = row.label("envoy_rds_route_config").unwrap_or_default();
                ("rds", bounded(&route))
            }
            secret if secret.contains("_sds_") => ("sds", bounded(secret.trim_start_matches("envoy_"))),
            _ => return Ok(()),
        };
        if self.updates.len() >= RESOURCES && !self.updates.contains_key(&key) {
            return Err("it has more resources than are kept".to_owned());
        }
        let updates = self.updates.entry(key).or_default();
        let value = row.value();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of updates, or of milliseconds; what is none of them is the nearest"
        )]
        if rejected.is_some() {
            updates.0 += value as u64;
        } else {
            // Of two listeners with one route configuration the one that is behind counts; 0 is none.
            let taken = Timestamp::from_millisecond(value as i64).ok().filter(|_| value > 0.0);
            updates.1 = match (updates.1, taken) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        Ok(())
    }

    /// Those of listeners and clusters, and of the others those of which one was refused. `None` where it is no page of Envoy.
    fn finish(self) -> Option<Vec<ProxyUpdates>> {
        self.updates.get(&("lds", String::new()))?;
        let kept = self
            .updates
            .into_iter()
            .filter(|((_, resource), (rejected, _))| resource.is_empty() || *rejected > 0);
        let kept = kept.map(|((service, resource), (rejected, taken))| ProxyUpdates {
            service: service.to_owned(),
            resource,
            rejected,
            taken,
        });
        Some(kept.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use starform_exposition::{Limits, Reader};

    #[test]
    fn of_a_page_what_was_refused_and_when_the_last_was_taken_is_kept() {
        let text = "envoy_listener_manager_lds_update_rejected{} 1\n\
                    envoy_listener_manager_lds_update_time{} 1796050033231\n\
                    envoy_cluster_manager_cds_update_rejected{} 0\n\
                    envoy_cluster_manager_cds_update_time{} 0\n\
                    envoy_http_rds_update_rejected{envoy_rds_route_config=\"shop/web/https\"} 2\n\
                    envoy_http_rds_update_rejected{envoy_rds_route_config=\"shop/web/http\"} 0\n\
                    envoy_cluster_upstream_rq_total{envoy_cluster_name=\"a\"} 7\n";
        let mut reader = Reader::new(Format::Text, Selection::All, Limits::default());
        let mut page = Page::default();
        reader.push(text.as_bytes(), &mut |row| page.push(&row).unwrap());
        let kept = page.finish().unwrap();
        let told: Vec<(&str, &str, u64, bool)> = (kept.iter())
            .map(|update| {
                (
                    update.service.as_str(),
                    update.resource.as_str(),
                    update.rejected,
                    update.taken.is_some(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("cds", "", 0, false),
                ("lds", "", 1, true),
                ("rds", "shop/web/https", 2, false)
            ]
        );
        assert!(Page::default().finish().is_none());
    }
}
