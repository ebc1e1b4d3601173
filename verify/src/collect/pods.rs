//! Pods: their metadata, and the columns that the API server prints of them.
//!
//! The `Table` form (`kubectl get pods -o wide` uses it) with `includeObject=Metadata` has neither spec nor status: a
//! fraction of the bytes, and nothing read that evidence may not hold.
//! Source: <https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables>.

use super::access::Cluster;
use super::get::Get;
use super::intern::Interner;
use super::items::Reduce;
use super::list::Shape;
use super::obstacle::Obstacle;
use crate::evidence::Pod;
use serde::Deserialize;

mod row;

use self::row::Row;

/// The form that is asked for. No other is accepted as an answer: the columns are what is read.
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

const SHAPE: Shape = Shape {
    kind: "Table",
    array: "rows",
    page: Some(500),
};

/// What the API server prints for a pod that is bound to no node.
const NO_NODE: &str = "<none>";

/// What the rows are reduced to.
struct Pods<'a> {
    label_keys: &'a [String],
    columns: Option<Columns>,
    interner: Interner,
    read: Vec<Pod>,
}

/// Where in a row's cells the columns are (`k8s.io/kubernetes/pkg/printers/internalversion/printers.go`, `podColumnDefinitions`).
#[derive(Clone, Copy)]
struct Columns {
    ready: usize,
    status: usize,
    restarts: usize,
    node: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    column_definitions: Option<Vec<ColumnDefinition>>,
}

#[derive(Deserialize)]
struct ColumnDefinition {
    name: String,
}

/// Lists all pods, sorted by namespace and name. Needs `list pods`.
pub(super) async fn collect(cluster: &Cluster<'_>) -> Result<Vec<Pod>, Obstacle> {
    let label_keys = cluster.contract.label_keys();
    let new = || Pods {
        label_keys: &label_keys,
        columns: None,
        interner: Interner::default(),
        read: Vec::new(),
    };
    let get = request().accept(TABLE).query("includeObject", "Metadata");
    let mut pods = cluster.list(&get, SHAPE, new).await?.read;
    pods.sort_unstable_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    pods.shrink_to_fit();
    Ok(pods)
}

pub(super) fn request() -> Get {
    Get::list("", "v1", "pods", None)
}

// === impl Pods ===

impl Reduce for Pods<'_> {
    fn open(&mut self, head: &[u8]) -> Result<(), String> {
        let head: Head = serde_json::from_slice(head).map_err(|error| super::answer::json_error(&error))?;
        // Only the first page has column definitions (apiserver `table.go`: "Only set on the first page").
        let definitions = head.column_definitions.unwrap_or_default();
        if self.columns.is_none() || !definitions.is_empty() {
            self.columns = Some(Columns::find(&definitions)?);
        }
        Ok(())
    }

    fn item(&mut self, json: &[u8]) -> Result<(), String> {
        let row: Row<'_> =
            serde_json::from_slice(json).map_err(|error| format!("a row: {}", super::answer::json_error(&error)))?;
        let columns = self.columns.ok_or("a row stands before the columns")?;
        let pod = self
            .pod(&row, columns)
            .ok_or("a row: a column is not as the API server prints it")?;
        self.read.push(pod);
        Ok(())
    }
}

impl Pods<'_> {
    fn pod(&mut self, row: &Row<'_>, columns: Columns) -> Option<Pod> {
        let metadata = &row.object.metadata;
        let (ready, containers) = row.cell(columns.ready)?.split_once('/')?;
        let node = row.cell(columns.node)?;
        let interner = &mut self.interner;
        Some(Pod {
            namespace: interner.share(&metadata.namespace),
            name: metadata.name.as_ref().into(),
            uid: metadata.uid.as_ref().into(),
            created: metadata.creation_timestamp,
            deleting: metadata.deletion_timestamp.is_some(),
            status: interner.share(row.cell(columns.status)?),
            ready: ready.parse().ok()?,
            containers: containers.parse().ok()?,
            restarts: interner.share(row.cell(columns.restarts)?),
            node: (!node.is_empty() && node != NO_NODE).then(|| interner.share(node)),
            labels: (self.label_keys.iter())
                .map(|key| metadata.label(key).map(|value| interner.share(value)))
                .collect(),
        })
    }
}

// === impl Columns ===

impl Columns {
    fn find(definitions: &[ColumnDefinition]) -> Result<Self, String> {
        let at = |name: &str| {
            (definitions.iter())
                .position(|definition| definition.name == name)
                .ok_or_else(|| format!("it has no column {name}"))
        };
        Ok(Self {
            ready: at("Ready")?,
            status: at("Status")?,
            restarts: at("Restarts")?,
            node: at("Node")?,
        })
    }
}

#[cfg(test)]
mod tests;
