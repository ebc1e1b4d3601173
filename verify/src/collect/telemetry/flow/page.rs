//! One metrics page, read while it arrives: only samples that checks read are kept.

use crate::collect::access::Cluster;
use crate::collect::get::{Get, Origin};
use crate::collect::obstacle::{Obstacle, observed, unknown};
use crate::collect::request::send;
use crate::collect::status::bounded;
use crate::evidence::{MetricsSample, Observed, Reason};
use crate::flow::{Page, Program, SAMPLE_BOUND};
use http::header;
use starform_exposition::{Format, Limits, Reader, Selection};
use std::time::Duration;

/// The largest page. vmagent's is 60 KB, Alloy's with the histograms of many components some hundred.
const BODY_BOUND: u64 = 16 << 20;

/// Reads one page. The whole of it, head and body, has the contract's scrape timeout.
pub(super) async fn read(cluster: &Cluster<'_>, program: Program, get: &Get) -> Observed<Vec<MetricsSample>> {
    observed(scrape(cluster, program, get).await)
}

/// The client that a request takes: a pod's address is shown no credential.
pub(super) fn client<'a>(cluster: &Cluster<'a>, get: &Get) -> &'a kube::Client {
    match get.origin {
        Origin::Direct => cluster.direct,
        // The requests of collectors are the first two; the rest have clients of their own.
        Origin::Proxied | Origin::Api | Origin::Starbase | Origin::MetricsStore | Origin::LogStore => cluster.client,
    }
}

/// How long a page may take.
pub(super) fn timeout(cluster: &Cluster<'_>) -> Duration {
    Duration::try_from(cluster.contract.thresholds.scrape_timeout).unwrap_or_default()
}

async fn scrape(cluster: &Cluster<'_>, program: Program, get: &Get) -> Result<Vec<MetricsSample>, Obstacle> {
    let mut answer = send(client(cluster, get), get, timeout(cluster), BODY_BOUND).await?;
    let content_type = answer.header(header::CONTENT_TYPE).unwrap_or_default();
    // vmagent says `text/plain` without the format's version. That it is a page of the program is told by what it has.
    let Some(format) = Format::from_content_type(content_type) else {
        let message = bounded(&format!(
            "its content type is {content_type:?}, which is no exposition format"
        ));
        return Err(answer.unknown(Reason::Malformed, &message).into());
    };
    let mut reader = Reader::new(format, Selection::All, Limits::default());
    let mut page = Page::new(program);
    while let Some(chunk) = answer.chunk().await? {
        reader.push(&chunk, &mut |row| page.push(&row));
        if page.too_much {
            let message =
                format!("it has more than {SAMPLE_BOUND} samples that checks read, or one with a value too long");
            return Err(answer.unknown(Reason::TooLarge, &message).into());
        }
    }
    let summary = reader.finish();
    let samples = page.finish(format, &summary);
    samples.map_err(|(reason, message)| unknown(get, reason, &message).into())
}
