//! Requests as values: where they go, and which permission each one takes.

use crate::evidence::{Access, Trouble};
use std::fmt::Write as _;

/// A GET.
#[derive(Clone, Debug)]
pub(super) struct Get {
    /// Path, or a whole URL for [`Origin::Direct`].
    target: String,
    query: Vec<(&'static str, String)>,
    pub(super) accept: &'static str,
    /// The permission that it takes; `None` where it takes none.
    pub(super) access: Option<Access>,
    pub(super) origin: Origin,
    /// What is asked for, where the path does not tell.
    about: Option<&'static str>,
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The API server, and an aggregated API as part of it.
    Api,
    /// Something in the cluster, through the API server's proxy.
    Proxied,
    /// Something in the cluster, at its address.
    Direct,
    /// Starbase, the control plane: with a credential of its own.
    Starbase,
    /// The region's VictoriaMetrics: with a credential of its own.
    MetricsStore,
    /// The region's ClickHouse: with a credential of its own.
    LogStore,
}

/// What a page of something in the cluster is asked for as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accept {
    /// One of the two exposition formats.
    Exposition,
    /// Text.
    Text,
}

/// Where every API server says which version it is.
const VERSION: &str = "/version";
/// Kubernetes' JSON.
pub(super) const JSON: &str = "application/json";
/// The form in which the API server leaves out all but the metadata of a list's objects.
pub(super) const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
/// The two exposition formats, OpenMetrics first: its `# EOF` is the only proof in the body that it is whole.
const EXPOSITION: &str = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";

// === impl Accept ===

impl Accept {
    fn media_types(self) -> &'static str {
        match self {
            Self::Exposition => EXPOSITION,
            Self::Text => "text/plain",
        }
    }
}

// === impl Get ===

impl Get {
    /// `GET /version`, which every authenticated user may (the ClusterRole `system:public-info-viewer`).
    pub(super) fn version() -> Self {
        Self::new(VERSION.to_owned(), Origin::Api, JSON, None)
    }

    /// Whether it is [`Get::version`].
    pub(super) fn is_of_version(&self) -> bool {
        self.target == VERSION
    }

    /// Lists a resource, in one namespace or in the whole cluster. `group` is `""` for the core group.
    pub(super) fn list(group: &str, version: &str, resource: &str, namespace: Option<&str>) -> Self {
        let mut path = base(group, version, namespace);
        let _ = write!(path, "/{resource}");
        Self::new(
            path,
            Origin::Api,
            JSON,
            Some(access("list", group, resource, namespace, None)),
        )
    }

    /// Gets one object of a resource that has no namespace.
    pub(super) fn object(group: &str, version: &str, resource: &str, name: &str) -> Self {
        let mut path = base(group, version, None);
        let _ = write!(path, "/{resource}/{}", encoded(name));
        Self::new(
            path,
            Origin::Api,
            JSON,
            Some(access("get", group, resource, None, Some(name))),
        )
    }

    /// Gets one object of a namespace.
    pub(super) fn namespaced(group: &str, version: &str, resource: &str, namespace: &str, name: &str) -> Self {
        let mut path = base(group, version, Some(namespace));
        let _ = write!(path, "/{resource}/{}", encoded(name));
        let access = access("get", group, resource, Some(namespace), Some(name));
        Self::new(path, Origin::Api, JSON, Some(access))
    }

    /// Scrapes `/metrics` of `services` or `pods` through the API server. `name` is `NAME:PORT`: that, not the name
    /// alone, is what the API server asks RBAC about.
    pub(super) fn proxied_metrics(resource: &str, namespace: &str, name: &str) -> Self {
        let mut path = base("", "v1", Some(namespace));
        let _ = write!(path, "/{resource}/{}/proxy/metrics", encoded(name));
        let access = access("get", "", &format!("{resource}/proxy"), Some(namespace), Some(name));
        Self::new(path, Origin::Proxied, EXPOSITION, Some(access))
    }

    /// Reads a page of a pod through the API server. `name` is `NAME:PORT`.
    pub(super) fn proxied_pod(namespace: &str, name: &str, page: &str, accept: Accept) -> Self {
        let mut path = base("", "v1", Some(namespace));
        let _ = write!(path, "/pods/{}/proxy{page}", encoded(name));
        let access = access("get", "", "pods/proxy", Some(namespace), Some(name));
        Self::new(path, Origin::Proxied, accept.media_types(), Some(access))
    }

    /// The same for whatever name: of what is not known yet by name, whose permission is for all of the namespace.
    pub(super) fn of_any_name(mut self) -> Self {
        if let Some(access) = &mut self.access {
            access.name = None;
        }
        self
    }

    /// What Starbase says of a cluster's registration (`manifests/starbase/openapi.yaml`).
    pub(super) fn registration(cluster_id: &str) -> Self {
        let path = format!("/v1/clusters/{}/registration", encoded(cluster_id));
        Self::new(path, Origin::Starbase, JSON, None)
    }

    /// An instant query of VictoriaMetrics, at this moment: without `nocache` it would be of half a minute ago.
    pub(super) fn instant_query(query: &str, about: &'static str) -> Self {
        let get = Self::new("/api/v1/query".to_owned(), Origin::MetricsStore, JSON, None);
        get.about(about).query("query", query).query("nocache", "1")
    }

    /// A query of ClickHouse. Its answer is held back until it is whole, so that an error is one by its status.
    pub(super) fn sql(statement: &str, about: &'static str) -> Self {
        let get = Self::new("/".to_owned(), Origin::LogStore, JSON, None);
        get.about(about)
            .query("wait_end_of_query", "1")
            .query("query", statement)
    }

    /// Scrapes `/metrics` at an address, without TLS and without a credential.
    pub(super) fn direct_metrics(address: &str, port: u16) -> Self {
        Self::direct(address, port, "/metrics", Accept::Exposition)
    }

    /// Reads a page at an address, without TLS and without a credential.
    pub(super) fn direct(address: &str, port: u16, page: &str, accept: Accept) -> Self {
        let host = if address.contains(':') {
            format!("[{address}]")
        } else {
            address.to_owned()
        };
        Self::new(
            format!("http://{host}:{port}{page}"),
            Origin::Direct,
            accept.media_types(),
            None,
        )
    }

    fn new(target: String, origin: Origin, accept: &'static str, access: Option<Access>) -> Self {
        Self {
            target,
            query: Vec::new(),
            accept,
            access,
            origin,
            about: None,
        }
    }

    fn about(mut self, about: &'static str) -> Self {
        self.about = Some(about);
        self
    }

    /// Adds a query parameter.
    pub(super) fn query(mut self, key: &'static str, value: &str) -> Self {
        self.query.push((key, value.to_owned()));
        self
    }

    /// Asks for another form of the answer.
    pub(super) fn accept(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }

    /// What is requested, with its query.
    pub(super) fn uri(&self) -> String {
        let mut uri = self.target.clone();
        for (position, (key, value)) in self.query.iter().enumerate() {
            let separator = if position == 0 { '?' } else { '&' };
            let _ = write!(uri, "{separator}{key}={}", encoded(value));
        }
        uri
    }

    /// As messages name it: without the query, of which a continue token may be kilobytes.
    pub(super) fn name(&self) -> String {
        match self.about {
            Some(about) => format!("GET {} ({about})", self.target),
            None => format!("GET {}", self.target),
        }
    }

    /// Whether "not found" can mean that the one object asked for does not exist.
    pub(super) fn may_be_absent(&self) -> bool {
        self.origin == Origin::Api && self.access.as_ref().is_some_and(|access| access.verb == "get")
    }

    /// What an answer is that whatever was asked would not give: a portal's, a proxy's.
    pub(super) fn foreign(&self, detail: &str) -> String {
        let whose = match self.origin {
            Origin::Starbase => "Starbase's",
            Origin::MetricsStore => "VictoriaMetrics'",
            Origin::LogStore => "ClickHouse's",
            Origin::Api | Origin::Proxied | Origin::Direct => return Trouble::NotTheApi.message(detail),
        };
        if detail.is_empty() {
            format!("the answer is not {whose}")
        } else {
            format!("the answer is not {whose}: {detail}")
        }
    }
}

fn base(group: &str, version: &str, namespace: Option<&str>) -> String {
    let mut path = if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    };
    if let Some(namespace) = namespace {
        let _ = write!(path, "/namespaces/{}", encoded(namespace));
    }
    path
}

fn access(verb: &str, group: &str, resource: &str, namespace: Option<&str>, name: Option<&str>) -> Access {
    Access {
        verb: verb.to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        namespace: namespace.map(ToOwned::to_owned),
        name: name.map(ToOwned::to_owned),
    }
}

/// Percent-encodes all that is not unreserved in RFC 3986, but the colon, which may stand in a path and a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_declares_its_path_and_its_permission() {
        let get = Get::list("discovery.k8s.io", "v1", "endpointslices", Some("kube-system"))
            .query("labelSelector", "kubernetes.io/service-name=ksm")
            .query("limit", "500");
        assert_eq!(
            get.uri(),
            "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dksm&limit=500"
        );
        assert_eq!(
            get.access.unwrap().to_string(),
            "list endpointslices.discovery.k8s.io in namespace kube-system"
        );
        let get = Get::proxied_metrics("services", "kube-system", "ksm:http");
        assert_eq!(
            get.uri(),
            "/api/v1/namespaces/kube-system/services/ksm:http/proxy/metrics"
        );
        assert_eq!(
            get.access.unwrap().to_string(),
            "get services/proxy ksm:http in namespace kube-system"
        );
        assert_eq!(
            Get::direct_metrics("fd00::1", 8080).uri(),
            "http://[fd00::1]:8080/metrics"
        );
        // A name never leaves its place in the path.
        assert_eq!(
            Get::object("", "v1", "namespaces", "../x?y").uri(),
            "/api/v1/namespaces/..%2Fx%3Fy"
        );
    }
}
