//! `Retry-After`: seconds or an HTTP date (RFC 9110, section 10.2.3).

use http::HeaderMap;
use http::header::{DATE, HeaderName, RETRY_AFTER};
use jiff::Timestamp;
use std::time::Duration;

/// However long Starbase wants to be left alone, it is asked again after this.
pub(super) const LONGEST: Duration = Duration::from_hours(1);

/// How long to wait, at most [`LONGEST`]; `None` where the answer does not say, or says it in no known form.
///
/// A date is measured against the answer's own `Date`: the agent's clock may be wrong, and decides only where the answer
/// has none.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are still a number, and a large one.
        let seconds = text.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(LONGEST));
    }
    let then = date(text)?;
    let now = header_date(headers, &DATE).unwrap_or(now);
    let wait = then.duration_since(now);
    Some(wait.try_into().unwrap_or(Duration::ZERO).min(LONGEST))
}

/// The answer's own clock.
pub(super) fn header_date(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    date(headers.get(name)?.to_str().ok()?)
}

fn date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use rstest::rstest;

    const NOW: &str = "2026-11-22T12:00:00Z";

    #[rstest]
    #[case("0", Some(0))]
    #[case("7", Some(7))]
    #[case(" 120 ", Some(120))]
    #[case("3601", Some(3600))]
    #[case("99999999999999999999999", Some(3600))]
    #[case("Sun, 22 Nov 2026 12:00:30 GMT", Some(30))]
    #[case("Sun, 22 Nov 2026 11:00:00 GMT", Some(0))]
    #[case("Mon, 23 Nov 2026 12:00:00 GMT", Some(3600))]
    #[case("-1", None)]
    #[case("1.5", None)]
    #[case("soon", None)]
    #[case("", None)]
    fn both_forms_are_read_and_bounded(#[case] text: &str, #[case] seconds: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
        let wait = retry_after(&headers, NOW.parse().unwrap());
        assert_eq!(wait, seconds.map(Duration::from_secs));
    }

    #[test]
    fn a_date_is_measured_by_the_answer_s_own_clock() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("Sun, 22 Nov 2026 08:00:45 GMT"));
        headers.insert(DATE, HeaderValue::from_static("Sun, 22 Nov 2026 08:00:00 GMT"));
        let wait = retry_after(&headers, NOW.parse().unwrap());
        assert_eq!(wait, Some(Duration::from_secs(45)));
    }

    #[test]
    fn an_answer_without_it_says_nothing() {
        assert_eq!(retry_after(&HeaderMap::new(), NOW.parse().unwrap()), None);
    }
}
