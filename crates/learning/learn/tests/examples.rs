//! The examples do what they say. Cargo builds them with the tests, unless one test is named by `--test`.

use std::process::Command;

/// Standard output of an example.
fn output_of(example: &str) -> String {
    let this = std::env::current_exe().unwrap();
    let folder = this.ancestors().nth(2).expect("tests lie in the folder of a profile").join("examples");
    let program = folder.join(example);
    let output = Command::new(&program).output().unwrap_or_else(|error| {
        panic!("cannot start {}: {error}; `cargo build --release -p learn --examples` builds it", program.display())
    });
    assert!(output.status.success(), "{example}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The number after a word.
fn number_after(output: &str, word: &str) -> f64 {
    let (_, rest) = output.split_once(word).unwrap_or_else(|| panic!("no {word} in {output}"));
    rest.trim_start().split([' ', ')', '\n']).next().unwrap().parse().unwrap()
}

#[test]
fn fit_prints_scores_far_above_the_baseline() {
    let output = output_of("fit");
    let (accuracy, baseline) = (number_after(&output, "subset accuracy"), number_after(&output, "label set:"));
    assert!(accuracy > 0.9 && accuracy < 1.0 && baseline < 0.5, "{output}");
    assert!(number_after(&output, "F1, micro") > 0.9, "{output}");
}

#[test]
fn own_grid_prints_the_best_of_its_candidates() {
    let output = output_of("own_grid");
    assert!(output.starts_with("9 candidates, 27 fits\n1. 0."), "{output}");
    assert_eq!(output.lines().filter(|line| line.contains(" ± ")).count(), 3, "{output}");
    assert!(number_after(&output, "held-out rows: subset accuracy") > 0.8, "{output}");
}
