//! What was audited, when and by what.

use crate::render::style::{DIM, Styled};
use crate::render::{Screen, Wrap};
use starform_verify::report::Report;
use std::fmt::Write;

/// Digits of a digest that tell two contracts apart at a glance.
const DIGEST: usize = "sha256:".len() + 12;

pub(super) fn write(out: &mut String, report: &Report, screen: Screen) {
    out.push('\n');
    for line in [subject(report), times(report), versions_of_tool(report)] {
        if !line.is_empty() {
            let wrap = Wrap {
                width: screen.width,
                taken: 0,
                indent: 2,
            };
            let _ = writeln!(out, "{}", Styled(DIM, wrap.text(&line)));
        }
    }
}

/// One line that says which cluster, which tool, which contract.
pub(in crate::render) fn versions(report: &Report) -> String {
    let subject = subject(report);
    let tool = versions_of_tool(report);
    if subject.is_empty() {
        tool
    } else {
        format!("{subject}; {tool}")
    }
}

fn subject(report: &Report) -> String {
    let subject = &report.subject;
    let mut parts = Vec::new();
    if let Some(directory) = &subject.manifests {
        parts.push(directory.clone());
    }
    if let Some(context) = &subject.context {
        parts.push(format!("context {context}"));
    }
    if let Some(version) = &subject.kubernetes {
        parts.push(format!("Kubernetes {version}"));
    }
    if let Some(nodes) = subject.nodes {
        parts.push(format!("{nodes} {}", if nodes == 1 { "node" } else { "nodes" }));
    }
    if let Some(region) = &subject.region {
        parts.push(format!("region {region}"));
    }
    parts.join(", ")
}

fn times(report: &Report) -> String {
    let collected = report.times.collected.strftime("%F %T UTC");
    let tenths = (report.times.took_ms + 50) / 100;
    let uid = report
        .subject
        .uid
        .as_ref()
        .map(|uid| format!("cluster {uid}, "))
        .unwrap_or_default();
    format!("{uid}collected {collected} in {}.{} s", tenths / 10, tenths % 10)
}

fn versions_of_tool(report: &Report) -> String {
    let digest = report.contract.get(..DIGEST).unwrap_or(&report.contract);
    format!("starform-verify {}, contract {digest}", report.tool_version)
}
