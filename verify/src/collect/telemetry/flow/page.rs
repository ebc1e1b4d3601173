//! One metrics page, read while it arrives: only samples that checks read are kept.

use crate::collect::access::Cluster;
use crate::collect::get::Get;
use crate::collect::obstacle::{Obstacle, observed, unknown};
use crate::collect::scrape;
use crate::evidence::{MetricsSample, Observed};
use crate::flow::{Page, Program, SAMPLE_BOUND};
use starform_exposition::{Format, Row, Selection};

/// The largest page. vmagent's is 60 KB, Alloy's with the histograms of many components some hundred.
const BODY_BOUND: u64 = 16 << 20;

/// Reads one page.
pub(super) async fn read(cluster: &Cluster<'_>, program: Program, get: &Get) -> Observed<Vec<MetricsSample>> {
    observed(samples(cluster, program, get).await)
}

async fn samples(cluster: &Cluster<'_>, program: Program, get: &Get) -> Result<Vec<MetricsSample>, Obstacle> {
    let mut kept = Page::new(program);
    let page = scrape::Page {
        selection: Selection::All,
        bound: BODY_BOUND,
        // vmagent says `text/plain` without the format's version. That it is a page of the program is told by what it has.
        format: Format::from_content_type,
    };
    let push = |row: &Row<'_>| {
        kept.push(row);
        let too_much = "samples that checks read, or one with a value too long";
        (!kept.too_much)
            .then_some(())
            .ok_or_else(|| format!("it has more than {SAMPLE_BOUND} {too_much}"))
    };
    let read = scrape::read(cluster, get, page, push).await?;
    let samples = kept.finish(read.format, &read.summary);
    samples.map_err(|(reason, message)| unknown(get, reason, &message).into())
}
