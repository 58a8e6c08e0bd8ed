//! `Retry-After`: seconds, or the date at which the wait ends.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The longest wait that is accepted. Spotify has asked for 86,236 s when an app's daily quota was used up; more than a day
/// must be a mistake, and would stop everything until a person notices.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The wait that a response asks for; `None` if it asks for none, or in no known form. Longer ones are capped to
/// [`MAX_RETRY_AFTER`]; unknown forms and capped waits are logged.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?;
    let text = value.to_str().unwrap_or_default().trim();
    // A date is relative to the service's own clock, if the response has one: ours may be wrong.
    let now = headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?.trim()).ok());
    match read(text, now.unwrap_or_else(SystemTime::now)) {
        Some(wait) if wait > MAX_RETRY_AFTER => {
            let max_s = MAX_RETRY_AFTER.as_secs();
            tracing::warn!(max_s, "a service asks for an absurdly long wait, Retry-After {text:?}: capped");
            Some(MAX_RETRY_AFTER)
        }
        Some(wait) => Some(wait),
        None => {
            tracing::warn!("ignoring Retry-After {value:?} of a service: neither a number of seconds nor a date");
            None
        }
    }
}

/// A number of seconds, possibly with a fraction, or a date. A date that has passed is no wait.
fn read(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(at) = httpdate::parse_http_date(text) {
        return Some(at.duration_since(now).unwrap_or_default());
    }
    // `f64` also parses `inf` and `1e9`, which HTTP does not allow.
    let is_number =
        text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let seconds = is_number.then(|| text.parse::<f64>().ok())??;
    // What overflows a `Duration` is capped by the caller.
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The wait read from these headers.
    fn wait(value: &[u8], date: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.try_into().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.try_into().unwrap());
        }
        retry_after(&headers)
    }

    fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn both_forms_are_read() {
        let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for (value, expected) in [
            ("7", seconds(7)),
            (" 7 ", seconds(7)),
            ("0", seconds(0)),
            ("86236", seconds(86_236)),
            ("1.5", Some(Duration::from_millis(1_500))),
            ("Sun, 06 Nov 1994 08:50:37 GMT", seconds(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", seconds(60)),
            ("Sun Nov  6 08:50:37 1994", seconds(60)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", seconds(0)),
            ("Sun, 06 Nov 1994 07:49:37 GMT", seconds(0)),
        ] {
            assert_eq!(wait(value.as_bytes(), now), expected, "{value}");
        }
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(600));
        let until_then = wait(soon.as_bytes(), None).unwrap();
        assert!((590..=600).contains(&until_then.as_secs()), "{until_then:?}");
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn absurd_waits_are_capped_and_garbage_is_ignored() {
        for value in
            ["86401", "31536000", "100000000000000000000", "9".repeat(400).as_str(), "Tue, 01 Jan 2999 00:00:00 GMT"]
        {
            assert_eq!(wait(value.as_bytes(), None), Some(MAX_RETRY_AFTER), "{value}");
        }
        for value in
            ["", "-5", "soon", "1e3", "inf", "NaN", "1 minute", "1.2.3", "0x10", "Sun, 99 Nov 1994 08:49:37 GMT"]
        {
            assert_eq!(wait(value.as_bytes(), None), None, "{value}");
        }
        assert_eq!(wait(b"\xff\xfe7", None), None);
    }

    proptest! {
        #[test]
        fn no_header_makes_anybody_wait_longer_than_a_day(value in "[ -~]{0,40}|-?[0-9.]{1,40}") {
            prop_assert!(wait(value.as_bytes(), None).is_none_or(|wait| wait <= MAX_RETRY_AFTER));
        }

        #[test]
        fn a_wait_of_up_to_a_day_is_the_same_in_both_forms(wait_s in 0..=86_400u64, now in 0..4_000_000_000u64) {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
            let then = httpdate::fmt_http_date(now + Duration::from_secs(wait_s));
            let date = httpdate::fmt_http_date(now);
            prop_assert_eq!(wait(then.as_bytes(), Some(&date)), seconds(wait_s));
            prop_assert_eq!(wait(wait_s.to_string().as_bytes(), Some(&date)), seconds(wait_s));
        }
    }
}
