//! What is doubtful in a table, and is told.

use features::{ImportOptions, import};

/// Rows of the tables here: enough that a likeness is no chance.
const TABLE_ROWS: i64 = 40;

/// What is told of a table with a label, half of whose rows have it, and these features.
fn notes(names: &[&str], features: impl Fn(i64) -> Vec<i64>) -> Vec<String> {
    let row = |i: i64| {
        let features: Vec<String> = features(i).iter().map(i64::to_string).collect();
        format!("t{i},{},{}\n", i % 2, features.join(","))
    };
    let text = format!("track_id,label:x,{}\n{}", names.join(","), (0..TABLE_ROWS).map(row).collect::<String>());
    import(text.as_bytes(), &ImportOptions::default()).unwrap().notes
}

/// A value that no other row has, and that says nothing of its own.
fn any(i: i64) -> i64 {
    i * i % 1_009
}

#[test]
fn a_feature_that_parts_a_label_is_told_whether_it_rises_or_falls() {
    let has = |i: i64| i % 2 == 1;
    // Above all others, below all others, and the same but for one row that lies on the bound.
    let features = |i: i64| {
        let (rises, falls) = if has(i) { (2_000 + any(i), -2_000 - any(i)) } else { (any(i), any(i)) };
        let touches = if i == 7 { -(0..TABLE_ROWS).filter(|i| !has(*i)).map(any).max().unwrap() } else { -rises };
        vec![any(i), rises, falls, touches]
    };
    let told = notes(&["any", "rises", "falls", "touches"], features);
    let [told] = &told[..] else { panic!("{told:?}") };
    assert!(told.contains("the label `x` is known from one feature alone: `rises`, `falls`; "), "{told}");
}

#[test]
fn a_feature_that_numbers_the_rows_is_told_though_they_be_shuffled() {
    let shuffled = |i: i64| i * 7 % TABLE_ROWS;
    // From 0, from elsewhere, with one number twice, and with gaps.
    let features = |i: i64| {
        let twice = if shuffled(i) == 5 { TABLE_ROWS - 1 } else { shuffled(i) };
        vec![shuffled(i), 1_005 - shuffled(i), twice, 2 * shuffled(i), any(i)]
    };
    let told = notes(&["from_zero", "backwards", "twice", "gaps", "any"], features);
    let [told] = &told[..] else { panic!("{told:?}") };
    assert!(
        told.contains("a feature that numbers the rows") && told.contains(": `from_zero`, `backwards`; "),
        "{told}"
    );
}

#[test]
fn a_separator_is_told_where_another_would_have_made_a_table_too() {
    let told = |more: &str| {
        let rows: String = (0..TABLE_ROWS).map(|i| format!("t{i},{},{},{more}\n", i % 2, any(i))).collect();
        let ignored = vec![format!("note{more}")];
        let text = format!("track_id,label:x,any,note{more}\n{rows}");
        import(text.as_bytes(), &ImportOptions { ignored, ..ImportOptions::default() }).unwrap().notes
    };
    assert_eq!(told("-"), [""; 0]);
    for more in [";", "|"] {
        let told = told(more);
        let [told] = &told[..] else { panic!("{told:?}") };
        assert!(told.contains("it was read with a comma as the separator; the first row is track_id = `t0`"), "{told}");
    }
}
