//! How often what flows moves: the program's own rhythm, and the window that it is judged in.

use super::Program;
use crate::contract::Thresholds;
use crate::evidence::MetricsPage;
use jiff::SignedDuration;

/// The window within which what flows has to have moved. vmagent and Alloy send as often as they scrape; what was scraped at
/// its end is sent within `flowWindow` too. Fluent Bit sends what it reads at once.
pub(crate) fn rhythm(program: Program, page: &MetricsPage, thresholds: &Thresholds) -> SignedDuration {
    let window = thresholds.flow_window;
    match program {
        Program::FluentBit => window,
        Program::Vmagent | Program::Alloy => {
            let known = page
                .scrape_interval_ms
                .and_then(|interval| i64::try_from(interval).ok());
            let interval = known.map_or(thresholds.flow_rhythm, SignedDuration::from_millis);
            interval.saturating_add(window)
        }
    }
}

/// How long a page may have to be looked at until it is told. Of Fluent Bit only where chunks wait for their next try.
pub(crate) fn longest(program: Program, page: &MetricsPage, thresholds: &Thresholds) -> SignedDuration {
    match program {
        Program::FluentBit => thresholds.flow_rhythm.saturating_add(thresholds.flow_window),
        Program::Vmagent | Program::Alloy => rhythm(program, page, thresholds),
    }
}

/// What an interval of a configuration comes to, in milliseconds: `1m30s`, `500ms`, `1d`. Of vmagent a part may stand behind a
/// point (VictoriaMetrics v1.150.0: lib/promutil/duration.go), of Alloy whole numbers only (Go's `time.ParseDuration`).
pub(crate) fn milliseconds(text: &str) -> Option<u64> {
    const UNITS: [(&str, f64); 7] = [
        ("ms", 1.0),
        ("s", 1e3),
        ("m", 60e3),
        ("h", 3_600e3),
        ("d", 86_400e3),
        ("w", 604_800e3),
        ("y", 31_536_000e3),
    ];
    let mut rest = text.trim();
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        sum += number.parse::<f64>().ok()? * factor;
        rest = after;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "above zero and below a thousand years"
    )]
    (1.0..3.2e13).contains(&sum).then_some(sum as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("60s", Some(60_000))]
    #[case("1m0s", Some(60_000))]
    #[case("1m30s", Some(90_000))]
    #[case("500ms", Some(500))]
    #[case("1.5h", Some(5_400_000))]
    #[case("1d", Some(86_400_000))]
    #[case("", None)]
    #[case("0s", None)]
    #[case("60", None)]
    #[case("s", None)]
    #[case("-1m", None)]
    #[case("1 m", None)]
    #[case("9999999y", None)]
    #[case("%{INTERVAL}", None)]
    fn an_interval_is_read(#[case] text: &str, #[case] expected: Option<u64>) {
        assert_eq!(milliseconds(text), expected);
    }
}
