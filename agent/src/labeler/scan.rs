//! Looks at all pods, or those of one namespace, a page at a time: when a namespace becomes managed or its labels change,
//! when the queue was too small, and now and then.

use super::job::Tools;
use super::pace::Turn;
use crate::request::{self, Refusal};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::core::{ObjectList, PartialObjectMeta, Request};
use std::collections::BTreeSet;

/// Which pods have still to be looked at.
#[derive(Debug, Default)]
pub(super) struct Scans {
    everything: bool,
    namespaces: BTreeSet<String>,
    current: Option<Page>,
}

/// One page of a look at pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// All namespaces where `None`.
    pub(super) namespace: Option<String>,
    /// From the page before.
    pub(super) token: Option<String>,
}

/// What a page has.
pub(super) type Pods = ObjectList<PartialObjectMeta<Pod>>;

// === impl Scans ===

impl Scans {
    /// All pods are to be looked at.
    pub(super) fn everything(&mut self) {
        self.everything = true;
        self.namespaces.clear();
    }

    /// The pods of that namespace are.
    pub(super) fn namespace(&mut self, name: &str) {
        if !self.everything {
            self.namespaces.insert(name.to_owned());
        }
    }

    /// The page to be read next.
    pub(super) fn next(&mut self) -> Option<Page> {
        if let Some(page) = self.current.take() {
            return Some(page);
        }
        let namespace = if self.everything {
            self.everything = false;
            None
        } else {
            Some(self.namespaces.pop_first()?)
        };
        Some(Page { namespace, token: None })
    }

    /// A page was read; with the token of the next one.
    pub(super) fn advance(&mut self, page: Page, token: Option<String>) {
        let token = token.filter(|token| !token.is_empty());
        self.current = token.map(|token| Page {
            token: Some(token),
            ..page
        });
    }

    /// A page could not be read: again, from the beginning where its token is too old.
    pub(super) fn again(&mut self, page: Page, expired: bool) {
        let token = page.token.clone().filter(|_| !expired);
        self.current = Some(Page { token, ..page });
    }

    /// Whether anything has to be read.
    pub(super) fn is_idle(&self) -> bool {
        !self.everything && self.namespaces.is_empty() && self.current.is_none()
    }
}

// === impl Page ===

impl Page {
    /// Reads it.
    pub(super) async fn read(&self, tools: &Tools) -> Result<Pods, Refusal> {
        let url = match &self.namespace {
            Some(namespace) => format!("/api/v1/namespaces/{namespace}/pods"),
            None => "/api/v1/pods".to_owned(),
        };
        let params = ListParams {
            limit: Some(tools.settings.page),
            continue_token: self.token.clone(),
            ..ListParams::default()
        };
        tools.pace.turn(Turn::Read).await;
        let request = Request::new(url).list_metadata(&params);
        request::send(&tools.client, request, tools.settings.list).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(namespace: Option<&str>, token: Option<&str>) -> Page {
        Page {
            namespace: namespace.map(str::to_owned),
            token: token.map(str::to_owned),
        }
    }

    #[test]
    fn one_look_at_all_pods_serves_every_namespace_that_waits() {
        let mut scans = Scans::default();
        scans.namespace("shop");
        scans.everything();
        scans.namespace("bank");
        assert_eq!(scans.next(), Some(page(None, None)));
        assert!(scans.is_idle());
    }

    #[test]
    fn pages_follow_each_other_until_a_token_is_missing() {
        let mut scans = Scans::default();
        scans.namespace("shop");
        let first = scans.next().unwrap();
        scans.advance(first, Some("2".to_owned()));
        scans.namespace("bank");
        let second = scans.next().unwrap();
        assert_eq!(second, page(Some("shop"), Some("2")));
        scans.advance(second, Some(String::new()));
        assert_eq!(scans.next(), Some(page(Some("bank"), None)));
    }

    #[test]
    fn an_expired_token_begins_anew_and_another_failure_does_not() {
        let mut scans = Scans::default();
        scans.again(page(Some("shop"), Some("2")), false);
        let again = scans.next().unwrap();
        assert_eq!(again, page(Some("shop"), Some("2")));
        scans.again(again, true);
        assert_eq!(scans.next(), Some(page(Some("shop"), None)));
    }

    #[test]
    fn a_namespace_that_changes_while_it_is_looked_at_is_looked_at_again() {
        let mut scans = Scans::default();
        scans.namespace("shop");
        let first = scans.next().unwrap();
        scans.namespace("shop");
        scans.advance(first, None);
        assert_eq!(scans.next(), Some(page(Some("shop"), None)));
    }
}
