//! From segments to the 1,224 pitch columns, number for number as pandas computes them.
//!
//! The reference is `tests/pandas/reference.py`: an index of `to_timedelta(start, unit="s")`,
//! `resample(f"{floor(last_start * 10)}ms").mean().interpolate("linear")`, its first 100 rows, then the extremes.

use model::analysis::Segment;
use model::audio::{PITCH_COLUMNS, STEPS};

const NANOSECONDS_PER_SECOND: f64 = 1e9;
const NANOSECONDS_PER_MILLISECOND: i64 = 1_000_000;

/// 31 years: far beyond any track, yet small enough that the edges of all bins fit into 64 bits of nanoseconds.
const MAX_START_SECONDS: f64 = 1e9;

/// Why segments give no pitch columns. Retrying does not help; another analysis of the track may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PitchError {
    /// No segments at all.
    #[error("the analysis has no segments")]
    Empty,
    /// Bins of less than a millisecond, or too few of them.
    #[error("the segments do not span {STEPS} bins of a hundredth of the last start, in whole milliseconds")]
    TooShort,
    /// A start or a pitch is NaN or infinite.
    #[error("segment {segment} has a start or a pitch that is not a finite number")]
    NotFinite {
        /// Index of the first such segment.
        segment: usize,
    },
    /// A start is negative, or decades away.
    #[error("segment {segment} starts before the track does, or decades after it")]
    StartOutOfRange {
        /// Index of the first such segment.
        segment: usize,
    },
    /// A segment starts before its predecessor; equal starts are accepted, as pandas does.
    #[error("segment {segment} starts before the one that precedes it")]
    NotAscending {
        /// Index of the first such segment.
        segment: usize,
    },
}

impl PitchError {
    /// The name that is stored and counted.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooShort => "too_short",
            Self::NotFinite { .. } => "not_finite",
            Self::StartOutOfRange { .. } => "start_out_of_range",
            Self::NotAscending { .. } => "not_ascending",
        }
    }
}

/// The 1,224 pitch columns of a track, in the order of [`model::audio::pitch_columns`].
///
/// Segments are grouped by start into bins of `floor(last start in seconds × 10)` ms, counted from the first start; each
/// bin is the mean of its segments, empty ones are interpolated linearly, and the first 100 are kept. The maximum and
/// minimum of each pitch class are those of the segments themselves.
pub fn pitches(segments: &[Segment]) -> Result<Vec<f64>, PitchError> {
    check(segments)?;
    let (first, last) = (&segments[0], &segments[segments.len() - 1]);
    let origin = nanoseconds(first.start);
    let width = (last.start * 10.0).floor() as i64 * NANOSECONDS_PER_MILLISECOND;
    if width == 0 || (nanoseconds(last.start) - origin) / width + 1 < STEPS as i64 {
        return Err(PitchError::TooShort);
    }

    let mut columns = vec![0.0; PITCH_COLUMNS];
    let (steps, extremes) = columns.split_at_mut(12 * STEPS);
    // Bin 0 always has the first segment: between this and that lies nothing to interpolate.
    let mut before = (0, [0.0; 12]);
    let mut rest = segments;
    while let (Some(first), true) = (rest.first(), before.0 < STEPS) {
        let bin = (nanoseconds(first.start) - origin) / width;
        let end = origin + (bin + 1) * width;
        let count = rest.iter().take_while(|segment| nanoseconds(segment.start) < end).count();
        let (group, later) = rest.split_at(count);
        let here = (bin as usize, mean(group));
        fill(steps, before, here);
        (before, rest) = (here, later);
    }
    write_extremes(extremes, segments);
    Ok(columns)
}

fn check(segments: &[Segment]) -> Result<(), PitchError> {
    if segments.is_empty() {
        return Err(PitchError::Empty);
    }
    let mut previous = 0.0;
    for (i, segment) in segments.iter().enumerate() {
        // Without short-circuiting, so that the compiler checks the twelve in parallel.
        let finite = segment.pitches.iter().fold(true, |finite, pitch| finite & pitch.is_finite());
        if !finite || !segment.start.is_finite() {
            return Err(PitchError::NotFinite { segment: i });
        }
        if !(0.0..MAX_START_SECONDS).contains(&segment.start) {
            return Err(PitchError::StartOutOfRange { segment: i });
        }
        if segment.start < previous {
            return Err(PitchError::NotAscending { segment: i });
        }
        previous = segment.start;
    }
    Ok(())
}

/// Seconds to nanoseconds as `pandas.to_timedelta` casts floats (pandas 1.5 to 3.1 agree): whole seconds separately, the
/// fraction rounded to nine decimals as `numpy.round` does, then **truncated**. Truncation loses a nanosecond where nine
/// decimals times 1e9 fall short of the integer, and such a start on the edge of a bin belongs to the bin before.
fn nanoseconds(seconds: f64) -> i64 {
    let whole = seconds as i64;
    let fraction = ((seconds - whole as f64) * NANOSECONDS_PER_SECOND).round_ties_even() / NANOSECONDS_PER_SECOND;
    whole * NANOSECONDS_PER_SECOND as i64 + (fraction * NANOSECONDS_PER_SECOND) as i64
}

/// The mean of a bin's segments, summed with Kahan's compensation as in pandas' `group_mean`.
fn mean(group: &[Segment]) -> [f64; 12] {
    let (mut sum, mut excess) = ([0.0; 12], [0.0; 12]);
    for segment in group {
        for class in 0..12 {
            let value = segment.pitches[class] - excess[class];
            let next = sum[class] + value;
            excess[class] = next - sum[class] - value;
            sum[class] = next;
        }
    }
    sum.map(|sum| sum / group.len() as f64)
}

/// Writes the mean of bin `to`, and the bins between it and `from` on the straight line between the two.
fn fill(steps: &mut [f64], (from, start): (usize, [f64; 12]), (to, end): (usize, [f64; 12])) {
    for class in 0..12 {
        let row = &mut steps[class * STEPS..(class + 1) * STEPS];
        let slope = (end[class] - start[class]) / (to - from) as f64;
        for (step, value) in row.iter_mut().enumerate().take(to.min(STEPS)).skip(from + 1) {
            *value = slope * (step - from) as f64 + start[class];
        }
        if to < STEPS {
            row[to] = end[class];
        }
    }
}

/// Maximum and minimum of each class, one class after the other.
fn write_extremes(extremes: &mut [f64], segments: &[Segment]) {
    let (mut max, mut min) = ([f64::NEG_INFINITY; 12], [f64::INFINITY; 12]);
    for segment in segments {
        for class in 0..12 {
            let pitch = segment.pitches[class];
            max[class] = if pitch > max[class] { pitch } else { max[class] };
            min[class] = if pitch < min[class] { pitch } else { min[class] };
        }
    }
    for class in 0..12 {
        extremes[2 * class] = max[class];
        extremes[2 * class + 1] = min[class];
    }
}
