//! One scrape's rows of `kube_pod_labels`, read while they arrive.

use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::intern::Interner;
use crate::collect::obstacle::{Obstacle, milliseconds, observed};
use crate::collect::scrape::{self, Page, Read};
use crate::evidence::{Observed, PodLabelRows, PodRow};
use starform_exposition::{Format, Row, Selection};
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

/// The metric.
const METRIC: &str = "kube_pod_labels";
/// The largest body: a hundred thousand pods with all resources.
const BODY_BOUND: u64 = 2 << 30;
/// The most rows that are kept; a kube-state-metrics with more is beyond what Kubernetes supports (150,000 pods).
const ROW_BOUND: usize = 1_000_000;
/// How many errors and pods are told in words.
const EXAMPLES: usize = 5;

/// What the rows are reduced to.
struct Rows {
    columns: Vec<String>,
    interner: Interner,
    read: Vec<PodRow>,
    incomplete: u64,
    first_incomplete: Vec<String>,
    conflicts: BTreeSet<String>,
    conflict_pods: Vec<String>,
}

/// Scrapes one target.
pub(super) async fn read(cluster: &Cluster<'_>, get: &Get) -> Observed<PodLabelRows> {
    observed(rows(cluster, get).await)
}

/// Scrapes one target for the rows of these UIDs, and says which there are.
pub(super) async fn with_uids(
    cluster: &Cluster<'_>,
    get: &Get,
    uids: &HashSet<Box<str>>,
) -> Result<HashSet<Box<str>>, Obstacle> {
    let mut found = HashSet::new();
    let push = |row: &Row<'_>| {
        let uid = row.labels().find(|(name, _)| name == "uid").map(|(_, uid)| uid);
        found.extend(uid.and_then(|uid| uids.get(uid.as_ref())).cloned());
        Ok(())
    };
    read_through(cluster, get, push).await?;
    Ok(found)
}

async fn rows(cluster: &Cluster<'_>, get: &Get) -> Result<PodLabelRows, Obstacle> {
    let columns = cluster.contract.labels.iter().map(crate::contract::LabelKey::column);
    let mut rows = Rows::new(columns.collect());
    let Read {
        summary, head_after, ..
    } = read_through(cluster, get, |row| rows.push(row)).await?;
    let errors = (summary.errors.iter()).map(|error| format!("byte {}: {}", error.offset, error.kind));
    let mut rows = rows.finish(summary.row_errors, errors);
    let in_time = Duration::try_from(cluster.contract.thresholds.scrape_timeout).unwrap_or_default();
    rows.late_ms = (head_after > in_time).then(|| milliseconds(head_after));
    Ok(rows)
}

/// Reads a scrape row by row, to its end.
async fn read_through(
    cluster: &Cluster<'_>,
    get: &Get,
    push: impl FnMut(&Row<'_>) -> Result<(), String>,
) -> Result<Read, Obstacle> {
    let page = Page {
        selection: Selection::Metric(METRIC),
        bound: BODY_BOUND,
        format,
    };
    let read = scrape::read(cluster, get, page, push).await?;
    read.whole(get)?;
    Ok(read)
}

/// The format that a content type names. `text/plain` alone is what anything may answer with; 0.0.4 is what Prometheus'
/// own handler adds to it.
fn format(content_type: &str) -> Option<Format> {
    let format = Format::from_content_type(content_type)?;
    let version =
        |wanted: &str| (content_type.split(';').skip(1)).any(|parameter| parameter.trim().eq_ignore_ascii_case(wanted));
    (format == Format::OpenMetrics || version("version=0.0.4")).then_some(format)
}

// === impl Rows ===

impl Rows {
    fn new(columns: Vec<String>) -> Self {
        Self {
            columns,
            interner: Interner::default(),
            read: Vec::new(),
            incomplete: 0,
            first_incomplete: Vec::new(),
            conflicts: BTreeSet::new(),
            conflict_pods: Vec::new(),
        }
    }

    fn push(&mut self, row: &Row<'_>) -> Result<(), String> {
        if self.read.len() >= ROW_BOUND {
            return Err(format!("it has more than {ROW_BOUND} rows of {METRIC}"));
        }
        let (mut namespace, mut pod, mut uid) = (None, None, None);
        let mut labels = vec![None; self.columns.len()];
        let mut conflicting = false;
        for (name, value) in row.labels() {
            match name.as_ref() {
                "namespace" => namespace = Some(self.interner.share(&value)),
                "pod" => pod = Some(Box::<str>::from(value.as_ref())),
                "uid" => uid = Some(Box::<str>::from(value.as_ref())),
                name => {
                    if let Some(position) = self.columns.iter().position(|column| column == name) {
                        labels[position] = Some(self.interner.share(&value));
                    } else if self.is_conflict(name) {
                        conflicting = true;
                        if !self.conflicts.contains(name) {
                            self.conflicts.insert(name.to_owned());
                        }
                    }
                }
            }
        }
        let (Some(namespace), Some(pod), Some(uid)) = (namespace, pod, uid) else {
            self.incomplete += 1;
            if self.first_incomplete.len() < EXAMPLES {
                self.first_incomplete
                    .push("a row without namespace, pod or uid".to_owned());
            }
            return Ok(());
        };
        if conflicting && self.conflict_pods.len() < EXAMPLES {
            self.conflict_pods.push(format!("{namespace}/{pod}"));
        }
        self.read.push(PodRow {
            namespace,
            pod,
            uid,
            labels: labels.into(),
        });
        Ok(())
    }

    /// Whether it is a contract's column with the suffix that kube-state-metrics gives two keys that collide
    /// (`internal/store/utils.go`, `labelConflictSuffix`).
    fn is_conflict(&self, name: &str) -> bool {
        name.starts_with("label_")
            && (self.columns.iter()).any(|column| {
                (name
                    .strip_prefix(column.as_str())
                    .and_then(|rest| rest.strip_prefix("_conflict")))
                .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
            })
    }

    fn finish(mut self, row_errors: u64, errors: impl Iterator<Item = String>) -> PodLabelRows {
        self.read
            .sort_unstable_by(|a, b| (&a.namespace, &a.pod, &a.uid).cmp(&(&b.namespace, &b.pod, &b.uid)));
        self.read.shrink_to_fit();
        self.conflict_pods.sort_unstable();
        PodLabelRows {
            rows: self.read,
            row_errors: row_errors + self.incomplete,
            first_row_errors: errors.chain(self.first_incomplete).take(EXAMPLES).collect(),
            conflicts: self.conflicts.into_iter().collect(),
            conflict_pods: self.conflict_pods,
            late_ms: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use starform_exposition::{Limits, Reader};

    fn rows(body: &str) -> PodLabelRows {
        let mut reader = Reader::new(Format::OpenMetrics, Selection::Metric(METRIC), Limits::default());
        let mut rows = Rows::new(vec![
            "label_starform_io_app".to_owned(),
            "label_starform_io_region".to_owned(),
        ]);
        reader.push(body.as_bytes(), &mut |row| rows.push(&row).unwrap());
        let summary = reader.finish();
        rows.finish(
            summary.row_errors,
            summary.errors.iter().map(|error| error.kind.to_string()),
        )
    }

    #[test]
    fn rows_are_sorted_and_counted() {
        let read = rows(
            "kube_pod_labels{namespace=\"b\",pod=\"p\",uid=\"1\",label_starform_io_app=\"x\"} 1\n\
             kube_pod_labels{namespace=\"a\",pod=\"p\",uid=\"2\",label_starform_io_app_conflict1=\"x\",label_starform_io_app_conflict2=\"y\"} 1\n\
             kube_pod_labels{namespace=\"a\",pod=\"q\"} 1\n\
             kube_pod_labels{namespace=\"a\",namespace=\"a\",pod=\"q\",uid=\"3\"} 1\n\
             kube_pod_labels{namespace=\"a\",pod=\"q\",uid=\"4\",label_starform_io_app_conflict=\"x\",label_other_conflict1=\"\"} 1\n\
             # EOF\n",
        );
        let names: Vec<_> = read.rows.iter().map(|row| (&*row.namespace, &*row.pod)).collect();
        assert_eq!(names, [("a", "p"), ("a", "q"), ("b", "p")]);
        assert_eq!(read.rows[2].labels[0].as_deref(), Some("x"));
        assert_eq!(read.rows[2].labels[1], None);
        assert_eq!(read.row_errors, 2);
        assert_eq!(read.first_row_errors.len(), 2);
        assert_eq!(
            read.conflicts,
            ["label_starform_io_app_conflict1", "label_starform_io_app_conflict2"]
        );
        assert_eq!(read.conflict_pods, ["a/p"]);
    }

    #[test]
    fn only_an_exposition_format_is_one() {
        for (content_type, is) in [
            (
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
                Some(Format::OpenMetrics),
            ),
            ("text/plain; version=0.0.4; charset=utf-8", Some(Format::Text)),
            ("text/plain; charset=utf-8", None),
            ("text/html", None),
            ("", None),
        ] {
            assert_eq!(format(content_type), is, "{content_type}");
        }
    }
}
