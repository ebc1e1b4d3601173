-- The logs of a region. Applied at every start of the server, so every statement can be repeated.

CREATE DATABASE IF NOT EXISTS logs;

CREATE TABLE IF NOT EXISTS logs.kubernetes
(
    -- When the container wrote the line, and when the aggregator received it.
    timestamp           DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    observed_timestamp  DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),

    -- The first two are what the collector says of itself, the others the pod's labels, empty where it has none.
    starform_cluster_id LowCardinality(String),
    starform_region     LowCardinality(String),
    starform_project    LowCardinality(String),
    starform_app        LowCardinality(String),
    starform_deployment LowCardinality(String),

    namespace           LowCardinality(String),
    pod                 LowCardinality(String),
    pod_uid             String CODEC(ZSTD(1)),
    container           LowCardinality(String),
    node                LowCardinality(String),
    stream              LowCardinality(String),
    severity            LowCardinality(String),

    message             String CODEC(ZSTD(3)),
    attributes          Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    source_offset       UInt64 CODEC(Delta, ZSTD(1)),

    -- A line that was sent twice has the same one: collectors and aggregator repeat what was not acknowledged.
    fingerprint         UInt64 MATERIALIZED sipHash64(pod_uid, stream, source_offset, message) CODEC(ZSTD(1)),

    INDEX message_tokens lower(message) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1,
    INDEX severity_set severity TYPE set(16) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
-- One part of the disk a day: what expires is dropped whole, never rewritten; what is backed up is a closed day.
PARTITION BY toDate(timestamp)
-- As it is asked for: one application of one cluster over a span of time. The tail makes a row one line, for the engine.
ORDER BY (starform_cluster_id, namespace, starform_app, pod, container, timestamp, fingerprint)
PRIMARY KEY (starform_cluster_id, namespace, starform_app, pod, container, timestamp)
TTL toDateTime(timestamp) + INTERVAL 30 DAY DELETE
SETTINGS
    ttl_only_drop_parts = 1,
    -- A batch that the aggregator repeats after a time-out is the same to the byte, and is not written again.
    non_replicated_deduplication_window = 1000,
    -- A power cut must not take with it what was acknowledged.
    fsync_after_insert = 1,
    fsync_part_directory = 1;

-- What the aggregator could not make a row of, as it came.
CREATE TABLE IF NOT EXISTS logs.dead_letters
(
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    reason      LowCardinality(String),
    cluster     LowCardinality(String),
    record      String CODEC(ZSTD(3))
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY (reason, cluster, received_at)
TTL toDateTime(received_at) + INTERVAL 14 DAY DELETE
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

-- What an auditor asks of the store: which clusters' logs it holds, how fresh they are, how late they arrive.
CREATE VIEW IF NOT EXISTS logs.clusters AS
SELECT
    starform_cluster_id,
    starform_region,
    count() AS lines,
    max(timestamp) AS newest,
    max(observed_timestamp) AS newest_observed,
    quantile(0.99)(dateDiff('millisecond', timestamp, observed_timestamp)) AS delay_milliseconds
FROM logs.kubernetes
WHERE timestamp > now() - INTERVAL 1 HOUR
GROUP BY starform_cluster_id, starform_region;
