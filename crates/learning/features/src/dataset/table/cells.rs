//! The texts of a column, and the numbers that they are.

/// Texts of a column in one piece: a table has millions, and most become numbers at once.
#[derive(Debug, Clone, Default)]
pub(super) struct Cells {
    text: String,
    ends: Vec<usize>,
    pub(super) mark: DecimalMark,
    /// Whether numbers are wanted, so that every other text is a mistake.
    pub(super) are_numbers: bool,
}

/// What stands between a number's whole part and its fraction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum DecimalMark {
    #[default]
    Point,
    Comma,
}

impl DecimalMark {
    fn char(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }
}

/// The numbers of a column.
pub(super) struct Numbers {
    /// NaN where one is missing, or another text stands there.
    pub(super) values: Vec<f64>,
    /// Rows with another text.
    pub(super) others: Vec<usize>,
}

impl Cells {
    /// None yet, of which numbers alone are wanted or not.
    pub(super) fn of_numbers(are_numbers: bool) -> Self {
        Self { are_numbers, ..Self::default() }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all texts together.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    pub(super) fn get(&self, row: usize) -> &str {
        &self.text[if row == 0 { 0 } else { self.ends[row - 1] }..self.ends[row]]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// The numbers. A column of `True` and `False` is one of 1 and 0.
    pub(super) fn numbers(&self) -> Numbers {
        let numbers = self.read(|text| number(text, self.mark));
        if numbers.others.is_empty() {
            return numbers;
        }
        let truths = self.read(truth);
        if truths.others.len() < numbers.others.len() { truths } else { numbers }
    }

    fn read(&self, value: impl Fn(&str) -> Option<f64>) -> Numbers {
        let mut others = Vec::new();
        let values = self.iter().enumerate().map(|(row, text)| {
            value(text).unwrap_or_else(|| {
                others.push(row);
                f64::NAN
            })
        });
        Numbers { values: values.collect(), others }
    }

    /// Finds out which mark its numbers have: the comma if that makes numbers of more texts, and of most unless they all are
    /// to be some.
    pub(super) fn find_mark(&mut self) {
        if !self.text.contains(',') {
            return;
        }
        let numbers = |mark| self.iter().filter(|text| number(text, mark).is_some_and(|value| !value.is_nan())).count();
        let (points, commas) = (numbers(DecimalMark::Point), numbers(DecimalMark::Comma));
        let filled = self.iter().filter(|text| !is_missing(text)).count();
        if commas > points && (self.are_numbers || 2 * commas > filled) {
            self.mark = DecimalMark::Comma;
        }
    }

    /// Whether its marks may separate thousands: three digits stand behind each.
    pub(super) fn may_be_thousands(&self) -> bool {
        let numbers = self.iter().filter(|text| number(text, self.mark).is_some());
        let mut fractions = numbers.filter_map(|text| text.trim().split_once(self.mark.char())).peekable();
        fractions.peek().is_some() && fractions.all(|(_, fraction)| fraction.len() == 3)
    }

    /// The first number that has a mark, as it stands there.
    pub(super) fn marked(&self) -> Option<&str> {
        let mut numbers = self.iter().filter(|text| text.contains(self.mark.char()));
        numbers.find(|text| number(text, self.mark).is_some_and(f64::is_finite))
    }
}

/// What stands for a missing value, in small letters: what pandas takes for one, in any case.
const MISSING: [&str; 16] = [
    "", "na", "n/a", "nan", "null", "none", "#n/a", "#n/a n/a", "#na", "<na>", "-nan", "1.#ind", "-1.#ind", "1.#qnan",
    "-1.#qnan", "+nan",
];

pub(super) fn is_missing(text: &str) -> bool {
    let text = text.trim();
    text.len() <= 8 && MISSING.iter().any(|missing| text.eq_ignore_ascii_case(missing))
}

/// The number nearest to a text, NaN for a missing one; `None` for anything else.
fn number(text: &str, mark: DecimalMark) -> Option<f64> {
    let text = text.trim();
    let parsed = match mark {
        DecimalMark::Point => text.parse().ok(),
        DecimalMark::Comma if text.contains('.') => None,
        DecimalMark::Comma => text.replacen(',', ".", 1).parse().ok(),
    };
    parsed.or_else(|| is_missing(text).then_some(f64::NAN))
}

fn truth(text: &str) -> Option<f64> {
    match text.trim() {
        "True" | "true" | "TRUE" => Some(1.0),
        "False" | "false" | "FALSE" => Some(0.0),
        text => is_missing(text).then_some(f64::NAN),
    }
}
