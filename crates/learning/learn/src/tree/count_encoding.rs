//! What each row of a node adds to the sums on its side of a split, packed so that one addition serves several sums.

/// Words per row up to which packing pays: the vectors that sum so many stay in registers. With more words, a list of the
/// row's labels is faster.
pub(super) const MAX_ROW_WORDS: usize = 4;

/// The largest row weight that is packed in bytes; heavier rows would overflow a byte every few rows.
const MAX_BYTE_WEIGHT: i32 = 15;

/// How the counts of rows are encoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum CountEncoding {
    /// Each row takes `words` words of `per_word` fields each: its weight, then its weight once more in the field of each
    /// label that it has. Sums of more than `rows` rows may overflow a field.
    Fields { words: usize, per_word: usize, rows: usize },
    /// Groups of rows with equal weight and labels: the number of rows, their weight, the number of their labels, and these
    /// labels.
    Groups,
}

impl CountEncoding {
    /// The shortest encoding of rows with this many labels and this largest weight.
    pub(super) fn shortest(labels: usize, max_weight: i32) -> Self {
        let fields = |per_word: usize, rows| {
            let words = (1 + labels).div_ceil(per_word);
            (words <= MAX_ROW_WORDS).then_some(Self::Fields { words, per_word, rows })
        };
        let bytes = if max_weight <= MAX_BYTE_WEIGHT { fields(4, (255 / max_weight) as usize) } else { None };
        bytes.or_else(|| fields(1, usize::MAX)).unwrap_or(Self::Groups)
    }

    /// Appends a row.
    #[inline(always)]
    pub(super) fn encode(self, weight: i32, labels: impl Iterator<Item = u32>, counts: &mut Vec<u32>) {
        let first = counts.len();
        let Self::Fields { words, per_word, .. } = self else {
            return Self::encode_group(1, weight, labels, counts);
        };
        counts.resize(first + words, 0);
        counts[first] = weight as u32;
        for field in labels.map(|label| 1 + label as usize) {
            counts[first + field / per_word] |= (weight as u32) << field_shift(field, per_word);
        }
    }

    /// Appends a group of rows with equal weight and labels.
    #[inline(always)]
    pub(super) fn encode_group(rows: u32, weight: i32, labels: impl Iterator<Item = u32>, counts: &mut Vec<u32>) {
        counts.extend([rows, weight as u32, 0]);
        let first = counts.len();
        counts.extend(labels);
        counts[first - 1] = (counts.len() - first) as u32;
    }
}

/// Bits below a field in its word.
#[inline(always)]
pub(super) fn field_shift(field: usize, per_word: usize) -> u32 {
    (field % per_word * 8) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_as_short_as_they_can_be() {
        let fields = |words, per_word, rows| CountEncoding::Fields { words, per_word, rows };
        assert_eq!(CountEncoding::shortest(3, 1), fields(1, 4, 255));
        assert_eq!(CountEncoding::shortest(15, 15), fields(4, 4, 17));
        assert_eq!(CountEncoding::shortest(16, 1), CountEncoding::Groups);
        assert_eq!(CountEncoding::shortest(3, 16), fields(4, 1, usize::MAX));
        assert_eq!(CountEncoding::shortest(4, 16), CountEncoding::Groups);
    }
}
