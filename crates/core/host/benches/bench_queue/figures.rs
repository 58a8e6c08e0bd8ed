//! Rates of several rounds.

/// One side's rates.
pub struct Figure {
    side: &'static str,
    rates: Vec<f64>,
}

impl Figure {
    /// No rounds yet.
    pub fn new(side: &'static str) -> Self {
        Self { side, rates: Vec::new() }
    }

    /// One more round.
    pub fn add(&mut self, rate: f64) {
        self.rates.push(rate);
        self.rates.sort_by(f64::total_cmp);
    }

    fn median(&self) -> f64 {
        self.rates[self.rates.len() / 2]
    }
}

/// Prints a table.
pub fn say(title: &str, figures: &[Figure]) {
    println!("\n{title}\n{:28}{:>10}{:>10}{:>10}", "", "min", "median", "max");
    for figure in figures {
        let (min, max) = (figure.rates[0], figure.rates[figure.rates.len() - 1]);
        println!("{:28}{min:>10.0}{:>10.0}{max:>10.0}", figure.side, figure.median());
    }
}

/// Prints the ratio of two medians beside what it should be.
pub fn say_ratio(ours: &Figure, theirs: &Figure, wanted: f64) {
    let ratio = ours.median() / theirs.median();
    let verdict = if ratio >= wanted { "holds" } else { "MISSED" };
    println!("{} : {} = {ratio:.2}, wanted {wanted}: {verdict}", ours.side, theirs.side);
}
