//! Fit one model on a small generated table, and print its scores on rows it has not seen:
//!
//! ```text
//! cargo run --release -p learn --example fit
//! ```

use learn::tree::{TreeFamily, TreeParams};
use learn::{Labelled, LearnError, metrics};
use linfa::traits::{Fit, Predict};
use ndarray::Array2;

const LABELS: [&str; 3] = ["energetic", "danceable", "sad"];

const TRAINING_ROWS: usize = 700;
const TEST_ROWS: usize = 300;

fn main() -> Result<(), LearnError> {
    let train = table(0, TRAINING_ROWS);
    let test = table(TRAINING_ROWS, TEST_ROWS);

    // Every family works the same way: parameters with scikit-learn's names and defaults, then linfa's `fit` and `predict`.
    let model = TreeParams::new(TreeFamily::RandomForest).n_estimators(100).seed(7).fit(&train)?;
    let predicted: Array2<bool> = model.predict(&test.records);

    let scores = metrics::scores(test.targets.view(), predicted.view());
    let constant = metrics::constant_prediction(&metrics::most_frequent_set(train.targets.view()), TEST_ROWS);
    let baseline = metrics::scores(test.targets.view(), constant.view());
    println!("random forest, {TRAINING_ROWS} training rows, {TEST_ROWS} test rows");
    println!("subset accuracy  {:.3}  (most frequent label set: {:.3})", scores.accuracy, baseline.accuracy);
    println!("F1, micro        {:.3}", scores.f1.micro);
    println!("F1, macro        {:.3}", scores.f1.macro_);
    println!("\nlabel      right  missed  wrong");
    for (label, confusion) in LABELS.iter().zip(metrics::confusion(test.targets.view(), predicted.view())) {
        let (right, missed, wrong) = (confusion.true_positive, confusion.false_negative, confusion.false_positive);
        println!("{label:<9} {right:>6} {missed:>7} {wrong:>6}");
    }
    Ok(())
}

/// Rows of tempo, energy and valence between 0 and 1, and a fourth column that no label depends on.
fn table(first_row: usize, rows: usize) -> Labelled {
    // Multiples of irrational numbers, without their whole part, are spread evenly and are the same on every machine.
    let steps = [2_f64, 3.0, 5.0, 7.0].map(f64::sqrt);
    let features = Array2::from_shape_fn((rows, steps.len()), |(row, column)| {
        ((first_row + row + 1) as f64 * steps[column]).fract()
    });
    let labels = Array2::from_shape_fn((rows, LABELS.len()), |(row, label)| {
        let (tempo, energy, valence) = (features[[row, 0]], features[[row, 1]], features[[row, 2]]);
        match label {
            0 => energy + 0.3 * tempo > 0.8,
            1 => tempo * valence > 0.3,
            _ => valence < 0.3 && energy < 0.6,
        }
    });
    Labelled::new(features, labels)
}
