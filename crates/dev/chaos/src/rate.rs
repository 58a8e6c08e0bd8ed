//! The largest number of requests in any ten seconds.

use model::Timestamp;

/// The window over which the rate is checked, in milliseconds.
const WINDOW_MS: i64 = 10_000;

/// The largest number of requests within any ten seconds; `times` in any order.
pub fn max_in_ten_seconds(mut times: Vec<Timestamp>) -> usize {
    times.sort();
    let end = |first: &Timestamp| times.partition_point(|time| time.0 < first.0 + WINDOW_MS);
    times.iter().enumerate().map(|(at, first)| end(first) - at).max().unwrap_or(0)
}

/// The number of requests that a rate, in requests per second, allows in ten seconds.
pub fn allowed_in_ten_seconds(rate: f64) -> usize {
    (rate * 10.0) as usize + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_slide_and_are_open_at_their_end() {
        let times = |ms: &[i64]| ms.iter().map(|ms| Timestamp(*ms)).collect();
        assert_eq!(max_in_ten_seconds(times(&[])), 0);
        assert_eq!(max_in_ten_seconds(times(&[20_000, 0, 10_000])), 1);
        assert_eq!(max_in_ten_seconds(times(&[9_999, 0, 10_001, 19_998])), 3);
    }
}
