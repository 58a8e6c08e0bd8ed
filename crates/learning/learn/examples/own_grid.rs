//! Search a grid of your own over a small generated table, and print its leaderboard:
//!
//! ```text
//! cargo run --release -p learn --example own_grid
//! ```
//!
//! On a table in a file the command line does the same: `spotifai search run --data FILE --grid GRID.toml`.

use std::error::Error;

use learn::{Cancel, grid, plan};
use model::Timestamp;
use model::dataset::{Dataset, Split};
use model::search::Search;

/// A table for each family; scikit-learn's parameter names, each with one value or a list of them.
const GRID: &str = r#"
[knn]
n_neighbors = [3, 7, 15]
weights = ["uniform", "distance"]

[tree]
max_depth = [2, 6, "none"]
"#;

const FOLDS: u32 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let table = table(400);
    let settings = grid::read(GRID, &[])?;
    let shape = plan::DatasetShape { rows: 280, features: 3, labels: 2 };
    let search = Search {
        id: "example".into(),
        dataset: "generated".into(),
        blocks: plan::blocks(&settings, FOLDS, shape),
        settings,
        folds: FOLDS,
        seed: 7,
        kernel: learn::kernel(false),
        thresholds: false,
        created_at: Timestamp::now(),
    };

    // Blocks are independent of each other: workers run them anywhere and in any order.
    let prepared = learn::prepare(&table)?;
    let mut trials = Vec::new();
    for block in 0..search.blocks.len() {
        trials.extend(learn::run_block(&prepared, &search, block as u32, &Cancel::new())?);
    }

    println!("{} candidates, {} fits", search.settings.len(), trials.len());
    for (rank, ranked) in learn::leaderboard(&search, &trials).iter().take(3).enumerate() {
        let candidate = &search.settings[ranked.setting as usize];
        let params = serde_json::to_string(&candidate.params)?;
        println!(
            "{}. {:.3} ± {:.3}  {} {params}",
            rank + 1,
            ranked.mean_accuracy,
            ranked.std_accuracy,
            candidate.family
        );
    }

    // The winner is fitted on all training rows, and scored once on rows that the search has not seen.
    let (model, _bytes) = learn::refit(&prepared, &search, &trials, &Cancel::new())?;
    println!("winner on held-out rows: subset accuracy {:.3}", model.evaluation.heldout.accuracy);
    Ok(())
}

/// Rows of three features between 0 and 1; the last 30 % are held out.
fn table(rows: usize) -> Dataset {
    // Multiples of irrational numbers, without their whole part, are spread evenly and are the same on every machine.
    let feature = |row: usize, step: f64| ((row + 1) as f64 * step.sqrt()).fract();
    let features: Vec<[f64; 3]> = (0..rows).map(|row| [2.0, 3.0, 5.0].map(|step| feature(row, step))).collect();
    let labels = features.iter().flat_map(|[tempo, energy, valence]| [tempo * energy > 0.3, energy > &(valence * 1.5)]);
    Dataset {
        track_ids: (0..rows).map(|row| format!("track {row}")).collect(),
        artists: vec![String::new(); rows],
        feature_names: ["tempo", "energy", "valence"].map(String::from).to_vec(),
        label_names: ["danceable", "energetic"].map(String::from).to_vec(),
        labels: labels.map(u8::from).collect(),
        features: features.concat(),
        split: (0..rows).map(|row| if row < rows * 7 / 10 { Split::Train } else { Split::Test }).collect(),
    }
}
