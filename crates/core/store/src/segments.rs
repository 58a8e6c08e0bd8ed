//! Segments packed compactly and without loss.
//!
//! Column by column, because neighbouring values of a column are similar. Real values have three to five decimals, so that
//! most columns become small differences of integers, at one to three bytes per value. Nothing is rounded: a column that is
//! not exact as decimals, to the last bit and the sign of zero, is stored as `f64` (`f32` would change real pitches, which
//! have three decimals, by 1e-8).
//!
//! ```text
//! version 1 · number of segments n · start · duration … loudness_end · 12 pitches · timbre's presence, 12 timbres
//! optional column: presence (0 all, 1 none, 2 then n bits, lowest first), then the values that are present
//! values: scale k = 0..=9, then differences of value × 10^k; or 255, then 8 bytes per value
//! integers: LEB128, differences zigzag; all little-endian
//! ```

use model::analysis::Segment;

const VERSION: u8 = 1;
const RAW_SCALE: u8 = 255;
const POWERS_OF_TEN: [f64; 10] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/// All integers below 2^53 are exact as `f64`.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// Getter and setter of an optional scalar.
type ScalarField = (fn(&Segment) -> Option<f64>, fn(&mut Segment, Option<f64>));
/// The optional scalars, in the order of the format.
const SCALAR_FIELDS: [ScalarField; 6] = [
    (|segment| segment.duration, |segment, value| segment.duration = value),
    (|segment| segment.confidence, |segment, value| segment.confidence = value),
    (|segment| segment.loudness_start, |segment, value| segment.loudness_start = value),
    (|segment| segment.loudness_max, |segment, value| segment.loudness_max = value),
    (|segment| segment.loudness_max_time, |segment, value| segment.loudness_max_time = value),
    (|segment| segment.loudness_end, |segment, value| segment.loudness_end = value),
];

/// Why bytes cannot be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("packed segments are damaged: {0}")]
pub(crate) struct DamagedSegments(&'static str);

/// Packs segments in their order.
pub(crate) fn pack(segments: &[Segment]) -> Vec<u8> {
    let mut out = vec![VERSION];
    put_number(&mut out, segments.len() as u64);
    put_values(&mut out, segments.iter().map(|segment| segment.start).collect());
    for (get, _) in SCALAR_FIELDS {
        put_presence(&mut out, segments.iter().map(|segment| get(segment).is_some()).collect());
        put_values(&mut out, segments.iter().filter_map(get).collect());
    }
    for class in 0..12 {
        put_values(&mut out, segments.iter().map(|segment| segment.pitches[class]).collect());
    }
    put_presence(&mut out, segments.iter().map(|segment| segment.timbre.is_some()).collect());
    for coefficient in 0..12 {
        put_values(&mut out, segments.iter().filter_map(|segment| Some(segment.timbre?[coefficient])).collect());
    }
    out
}

/// The segments that were packed, bit for bit.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Vec<Segment>, DamagedSegments> {
    let mut reader = Reader { bytes };
    if reader.byte()? != VERSION {
        return Err(DamagedSegments("unknown version"));
    }
    let n = reader.number()? as usize;
    // Each start takes at least a byte: a damaged length must not become a huge allocation.
    if n > bytes.len() {
        return Err(DamagedSegments("more segments than bytes"));
    }
    let mut segments: Vec<Segment> = reader.values(n)?.into_iter().map(starting_at).collect();
    for (_, set) in SCALAR_FIELDS {
        let present = reader.presence(n)?;
        let mut values = reader.values(count(&present))?.into_iter();
        for (segment, is_present) in segments.iter_mut().zip(present) {
            set(segment, is_present.then(|| values.next()).flatten());
        }
    }
    for class in 0..12 {
        for (segment, value) in segments.iter_mut().zip(reader.values(n)?) {
            segment.pitches[class] = value;
        }
    }
    let present = reader.presence(n)?;
    for (segment, is_present) in segments.iter_mut().zip(&present) {
        segment.timbre = is_present.then_some([0.0; 12]);
    }
    for coefficient in 0..12 {
        let values = reader.values(count(&present))?;
        for (timbre, value) in segments.iter_mut().filter_map(|segment| segment.timbre.as_mut()).zip(values) {
            timbre[coefficient] = value;
        }
    }
    if reader.bytes.is_empty() { Ok(segments) } else { Err(DamagedSegments("bytes left over")) }
}

fn starting_at(start: f64) -> Segment {
    Segment {
        start,
        duration: None,
        confidence: None,
        loudness_start: None,
        loudness_max: None,
        loudness_max_time: None,
        loudness_end: None,
        pitches: [0.0; 12],
        timbre: None,
    }
}

fn count(present: &[bool]) -> usize {
    present.iter().filter(|is_present| **is_present).count()
}

/// `value` × `power` as an integer, if dividing it again gives exactly the same bits.
fn to_scaled_integer(value: f64, power: f64) -> Option<i64> {
    let whole = (value * power).round();
    let exact = whole.abs() < MAX_EXACT_INTEGER && (whole as i64 as f64 / power).to_bits() == value.to_bits();
    exact.then_some(whole as i64)
}

fn put_values(out: &mut Vec<u8>, values: Vec<f64>) {
    let decimal = POWERS_OF_TEN.iter().enumerate().find_map(|(scale, power)| {
        let whole: Option<Vec<i64>> = values.iter().map(|value| to_scaled_integer(*value, *power)).collect();
        Some((scale as u8, whole?))
    });
    let Some((scale, whole)) = decimal else {
        out.push(RAW_SCALE);
        return out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    };
    out.push(scale);
    let mut last = 0;
    for value in whole {
        let step = value - last;
        put_number(out, ((step << 1) ^ (step >> 63)) as u64);
        last = value;
    }
}

fn put_presence(out: &mut Vec<u8>, present: Vec<bool>) {
    match count(&present) {
        n if n == present.len() => out.push(0),
        0 => out.push(1),
        _ => {
            out.push(2);
            let byte =
                |eight: &[bool]| eight.iter().rev().fold(0, |byte, is_present| byte << 1 | u8::from(*is_present));
            out.extend(present.chunks(8).map(byte));
        }
    }
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn take(&mut self, n: usize) -> Result<&[u8], DamagedSegments> {
        let (taken, rest) = self.bytes.split_at_checked(n).ok_or(DamagedSegments("cut short"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, DamagedSegments> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<u64, DamagedSegments> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(DamagedSegments("a number without an end"))
    }

    fn presence(&mut self, n: usize) -> Result<Vec<bool>, DamagedSegments> {
        match self.byte()? {
            0 => Ok(vec![true; n]),
            1 => Ok(vec![false; n]),
            2 => {
                let bits = self.take(n.div_ceil(8))?;
                Ok((0..n).map(|i| bits[i / 8] >> (i % 8) & 1 == 1).collect())
            }
            _ => Err(DamagedSegments("unknown presence")),
        }
    }

    fn values(&mut self, n: usize) -> Result<Vec<f64>, DamagedSegments> {
        let scale = self.byte()?;
        if scale == RAW_SCALE {
            let (values, _) = self.take(n * 8)?.as_chunks();
            return Ok(values.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect());
        }
        let power = *POWERS_OF_TEN.get(usize::from(scale)).ok_or(DamagedSegments("unknown scale"))?;
        let mut whole = 0i64;
        let next = |_| {
            let step = self.number()?;
            whole = whole.wrapping_add((step >> 1) as i64 ^ -((step & 1) as i64));
            Ok(whole as f64 / power)
        };
        (0..n).map(next).collect()
    }
}

#[cfg(test)]
mod tests;
