//! What ClickHouse is asked. An ID is the value of a label (see `is_label_value`), so that it can stand in a statement.
//! Numbers are asked for as `Float64`: whether wider integers are quoted differs between versions.

use crate::contract::RegionTerms;
use crate::evidence::StoreCluster;

/// The columns of the contract's tables.
pub(super) fn columns(terms: &RegionTerms) -> String {
    let tables = terms.tables.keys().map(|table| format!("'{table}'"));
    let tables = tables.collect::<Vec<_>>().join(", ");
    format!(
        "SELECT table, name, type FROM system.columns WHERE database = 'logs' AND table IN ({tables}) \
         ORDER BY table, position FORMAT JSON"
    )
}

/// A cluster's lines. The view looks back an hour; of a cluster that was taken down all is asked for that is still there.
pub(super) fn lines(cluster: &StoreCluster) -> String {
    let ago = |time: &str| format!("dateDiff('millisecond', {time}, now64(3)) / 1000");
    let id = &cluster.id;
    if cluster.ended {
        // Lines that were sent twice do no harm here, and telling them apart would read all of them.
        return format!(
            "SELECT starform_region AS region, toFloat64(count()) AS lines, {} AS age, {} AS received, 0.0 AS delay \
             FROM logs.kubernetes WHERE starform_cluster_id = '{id}' GROUP BY region ORDER BY region \
             SETTINGS final = 0 FORMAT JSON",
            ago("max(timestamp)"),
            ago("max(observed_timestamp)"),
        );
    }
    format!(
        "SELECT starform_region AS region, toFloat64(lines) AS lines, {} AS age, {} AS received, \
         toFloat64(delay_milliseconds) / 1000 AS delay FROM logs.clusters WHERE starform_cluster_id = '{id}' \
         ORDER BY region FORMAT JSON",
        ago("newest"),
        ago("newest_observed"),
    )
}

/// What was refused of a cluster's records, and of records that do not say whose they are. Never the records themselves: of
/// the newest of each sort the names of its fields, and how long its line is.
pub(super) fn dead_letters(terms: &RegionTerms, cluster: &StoreCluster) -> String {
    let minutes = terms.dead_letter_window.as_mins();
    let id = &cluster.id;
    format!(
        "SELECT reason, cluster, toFloat64(count()) AS records, \
         concat(arrayStringConcat(arraySort(JSONExtractKeys(argMax(record, received_at))), ', '), '; a line of ', \
         toString(lengthUTF8(JSONExtractString(argMax(record, received_at), 'log'))), ' characters') AS example \
         FROM logs.dead_letters \
         WHERE received_at > now() - INTERVAL {minutes} MINUTE AND cluster IN ('{id}', '') \
         GROUP BY reason, cluster ORDER BY reason, cluster LIMIT 20 FORMAT JSON"
    )
}
