//! `predict` as a person uses it: a line that can be pasted, rows of a file, ids that are no tracks.

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{fails, ok, run, spotifai};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};
use testkit::{Answer, Catalogue, Oddities, Service, When};

const SEARCH: [&str; 8] = ["search", "run", "--data", "my.csv", "--grid", "grid.toml", "--folds", "3"];

/// A folder with a table of its own and a model of it: `high` where `x` is above 9, `odd` where `y` is 1.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    let row = |i: usize| format!("t{i},{},{},{},{}\n", i % 20, i % 2, u8::from(i % 20 > 9), i % 2);
    let rows: String = (0..90).map(row).collect();
    std::fs::write(folder.path().join("my.csv"), format!("track_id,x,y,label:high,label:odd\n{rows}")).unwrap();
    std::fs::write(folder.path().join("grid.toml"), "[tree]\nmax_depth = [3, 4]\n").unwrap();
    ok(&run(folder.path(), &SEARCH));
    folder
}

fn parsed(output: &Output) -> Vec<Value> {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn answers(folder: &Path, args: &[&str]) -> Vec<Value> {
    let output = run(folder, &[&["predict", "--json"], args].concat());
    ok(&output);
    parsed(&output)
}

/// The ids of an exported dataset on one side.
fn ids(csv: &str, side: &str) -> Vec<String> {
    let fields = csv.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    fields.filter(|fields| fields[2] == side || fields[1] == side).map(|fields| fields[0].to_owned()).collect()
}

#[test]
fn the_last_line_of_a_demo_can_be_pasted_and_answers() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let said = ok(&run(at, &["demo", "--tracks", "120", "--out", "my demo"]));
    let line = said.lines().last().unwrap().split_once(": ").unwrap().1;
    assert!(line.contains("--store 'sqlite:my demo/demo.db' predict "), "{line}");
    // In a shell whose settings are of another queue, which nobody answers at.
    let mut shell = Command::new("sh");
    shell.current_dir(at).args(["-c", line]).env("SPOTIFAI_QUEUE", "amqp://127.0.0.1:9/nobody");
    let answer = shell.output().unwrap();
    let text = ok(&answer);
    assert!(text.contains("probabilities") && text.contains("truth") && text.contains('%'), "{text}");
    assert!(!text.contains("trained on"), "a track that was held out: {text}");
    assert!(!at.join("spotifai.db").exists(), "no store of its own was made");
}

#[test]
fn whoever_asks_the_wrong_store_is_told_where_the_demos_model_is() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    assert!(fails(&run(at, &["predict", "3n3Ppam7vgaVa1iaRUc9Lp"]), 1).contains("search run"));
    std::fs::create_dir(at.join("spotifai-demo")).unwrap();
    std::fs::write(at.join("spotifai-demo/demo.db"), "").unwrap();
    let said = fails(&run(at, &["predict", "3n3Ppam7vgaVa1iaRUc9Lp"]), 1);
    assert!(said.contains("--store sqlite:spotifai-demo/demo.db"), "{said}");
}

#[test]
fn tracks_are_answered_with_names_truth_and_what_was_trained_on_and_bad_ids_spoil_nothing() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    ok(&run(at, &["demo", "--tracks", "120", "--out", "out"]));
    let store = ["--store", "sqlite:out/demo.db"];
    ok(&run(at, &[&store[..], &["dataset", "export", "d.csv"]].concat()));
    let csv = std::fs::read_to_string(at.join("d.csv")).unwrap();
    let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let labels: Vec<&str> = header.iter().filter_map(|name| name.strip_prefix("label:")).collect();
    let (trained, held_out) = (&ids(&csv, "train")[0], &ids(&csv, "test")[0]);
    let unknown = "7ouMYWpwJ422jRcDASZB7P";

    let asked = ["predict", "--json", trained, "no track", held_out, unknown];
    let output = run(at, &[&store[..], &asked].concat());
    let said = fails(&output, 1);
    assert!(said.contains("2 of 4 could not be predicted"), "{said}");
    assert!(said.contains("spotifai: no track: ") && said.contains(&format!("spotifai: {unknown}: ")), "{said}");
    assert!(said.contains("1 of 4 were in the model's training data"), "{said}");
    let answers = parsed(&output);
    assert_eq!(answers.len(), 4, "one for each that was asked, in their order");
    for (answer, id, was_in_training) in [(&answers[0], trained, true), (&answers[2], held_out, false)] {
        assert_eq!((&answer["track_id"], &answer["in_training"]), (&json!(id), &json!(was_in_training)));
        assert!(answer["name"].as_str().unwrap().contains(" – "));
        let names: Vec<&String> = answer["probabilities"].as_object().unwrap().keys().collect();
        assert_eq!(names, labels);
        let fields = csv.lines().find(|line| line.starts_with(id.as_str())).unwrap();
        let has = header.iter().zip(split(fields)).filter(|(_, value)| value == "1");
        let truth: Vec<&str> = has.filter_map(|(name, _)| name.strip_prefix("label:")).collect();
        assert_eq!(answer["truth"], json!(truth));
    }
    assert!(answers[1]["error"].as_str().unwrap().contains("no track"), "{}", answers[1]);
    assert!(answers[3]["error"].as_str().unwrap().contains("cannot be fetched"), "{}", answers[3]);

    let text = ok(&run(at, &[&store[..], &["predict", trained, held_out]].concat()));
    assert!(text.contains("genres") && text.contains("trained on") && text.contains("yes"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_track_that_cannot_be_fetched_is_told_its_own_reason() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    ok(&run(at, &["demo", "--tracks", "120", "--out", "out"]));
    // Tracks of another catalogue, one of which Spotify fails at and one of which it does not know.
    let catalogue = Catalogue::sample(40, 77);
    let ids: Vec<String> = catalogue.tags().into_keys().filter(|id| catalogue.analysis(id).is_some()).collect();
    let path: &'static str = format!("/audio-analysis/{}", ids[0]).leak();
    let oddities = Oddities::none().with(Service::Spotify, path, When::Every(1), Answer::Unavailable);
    let stage = testkit::serve(catalogue, oddities).await.unwrap();
    let unknown = "7ouMYWpwJ422jRcDASZB7P";
    let args = ["--store", "sqlite:out/demo.db", "predict", "--json", &ids[0], unknown, &ids[1]];
    let mut command = spotifai(at, &args);
    std::fs::write(at.join("spotifai.toml"), "[worker]\nmax_attempts = 1\n").unwrap();
    let output = command.envs(stage.environment()).output().unwrap();
    let said = fails(&output, 1);
    let answers = parsed(&output);
    let why = |at: usize| answers[at]["error"].as_str().unwrap_or_else(|| panic!("{said}\n{}", answers[at]));
    assert!(why(0).contains("cannot be fetched: ") && why(0).contains(&ids[0]), "{}", why(0));
    assert!(!why(1).contains(&ids[0]), "{}", why(1));
    assert!(answers[2]["assigned"].is_array(), "{}", answers[2]);
}

/// The fields of a line of CSV, quotes taken off.
fn split(line: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
    reader.records().next().unwrap().unwrap().iter().map(str::to_owned).collect()
}

#[test]
fn a_model_of_a_table_answers_the_rows_of_files_and_of_its_own() {
    let folder = folder();
    let at = folder.path();
    // In another order, with a column more and without ids.
    std::fs::write(at.join("new.csv"), "note,y,x\nfirst,1,19.5\nsecond,0,0.5\n").unwrap();
    let new = answers(at, &["--data", "new.csv"]);
    let field = |at: usize, name: &str| new[at][name].clone();
    assert_eq!([field(0, "assigned"), field(1, "assigned")], [json!(["high", "odd"]), json!([])]);
    assert_eq!([field(0, "track_id"), field(1, "track_id")], ["2", "3"]);
    assert_eq!([field(0, "in_training"), field(0, "truth")], [json!(false), Value::Null]);
    assert_eq!(new[0]["probabilities"]["high"].as_f64(), Some(1.0));

    // What it exports, it reads back, in both formats: all that it was fitted on is known again.
    for file in ["d.csv", "d.parquet"] {
        ok(&run(at, &["dataset", "export", file]));
        let all = answers(at, &["--data", file]);
        let trained = all.iter().filter(|answer| answer["in_training"] == true).count();
        assert!(all.len() == 90 && trained >= 63, "{trained}: at least the training rows; others may hold the same");
        assert!(all.iter().all(|answer| answer["truth"] == answer["assigned"]), "the trees know these rows");
    }
    let csv = std::fs::read_to_string(at.join("d.csv")).unwrap();
    let (trained, held_out) = (&ids(&csv, "train")[0], &ids(&csv, "test")[0]);
    let own = answers(at, &[trained, held_out]);
    assert_eq!([&own[0]["in_training"], &own[1]["in_training"]], [true, false]);
    assert_eq!(own[0]["truth"], own[0]["assigned"]);
    let said = fails(&run(at, &["predict", "3n3Ppam7vgaVa1iaRUc9Lp", trained]), 1);
    assert!(said.contains("--data FILE"), "{said}");

    let said = ok(&run(at, &["predict", "--data", "new.csv", "--out", "labels.csv"]));
    assert!(said.contains("wrote labels.csv: 2 rows"), "{said}");
    let written = std::fs::read_to_string(at.join("labels.csv")).unwrap();
    let head = "track_id,name,in_training,truth_known,truth,assigned,imputed,error,probability:high,probability:odd";
    assert_eq!(written, format!("{head}\n2,,false,false,,high;odd,,,1,1\n3,,false,false,,,,,0,0\n"));
    ok(&run(at, &["predict", "--data", "new.csv", "--out", "labels.json"]));
    assert_eq!(serde_json::from_slice::<Vec<Value>>(&std::fs::read(at.join("labels.json")).unwrap()).unwrap(), new);
    assert!(
        fails(&run(at, &["predict", "--data", "new.csv", "--out", "labels.txt"]), 2)
            .contains("must end in .csv or .json")
    );
}

#[test]
fn columns_and_values_that_are_missing_are_named_at_once_or_filled_as_the_model_was() {
    let folder = folder();
    let at = folder.path();
    std::fs::write(at.join("none.csv"), "a,b\n1,2\n").unwrap();
    let said = fails(&run(at, &["predict", "--data", "none.csv"]), 1);
    assert!(said.contains("no column x, y, which the model takes") && said.contains("the file has a, b"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    std::fs::write(at.join("words.csv"), "x,y\nmuch,a\nmore,many\n").unwrap();
    let said = fails(&run(at, &["predict", "--data", "words.csv"]), 1);
    for named in ["`x` (line 2 has no number but `much`, and 1 more is no better)", "`y` (line 2 has no number but `a`"]
    {
        assert!(said.contains(named) && said.lines().count() == 1, "{said}");
    }
    assert!(said.contains("correct the file") && !said.contains("--"), "predict has no option that helps: {said}");
    // What the model does not take may be anything.
    std::fs::write(at.join("twice.csv"), "note,x,note,y,,\na,19,b,1,c,d\n").unwrap();
    assert_eq!(answers(at, &["--data", "twice.csv"])[0]["assigned"], json!(["high", "odd"]));
    std::fs::write(at.join("twice.csv"), "x,x,y\n19,1,1\n").unwrap();
    assert!(fails(&run(at, &["predict", "--data", "twice.csv"]), 1).contains("column `x` comes twice"));

    std::fs::write(at.join("gap.csv"), "track_id,x,y\na,19,1\nb,,0\nc,0,NA\n").unwrap();
    let output = run(at, &["predict", "--data", "gap.csv", "--json"]);
    let said = fails(&output, 1);
    assert!(
        said.contains("2 of 3 could not be predicted") && said.contains("spotifai: b: line 3 has no value in x"),
        "{said}"
    );
    assert_eq!(parsed(&output)[0]["assigned"], json!(["high", "odd"]));
    let filled = answers(at, &["--data", "gap.csv", "--impute", "zero"]);
    assert_eq!(filled[1]["assigned"], json!([]));
    assert_eq!(filled[1]["imputed"], json!(["x"]));

    // Fitted on a table with gaps, it fills those of others by itself.
    let table = std::fs::read_to_string(at.join("my.csv")).unwrap().replacen("t1,1,", "t1,,", 1);
    std::fs::write(at.join("my.csv"), table).unwrap();
    ok(&run(at, &[&SEARCH[..], &["--impute", "most_frequent"]].concat()));
    let filled = answers(at, &["--data", "gap.csv"]);
    assert_eq!([&filled[1]["imputed"], &filled[2]["imputed"]], [&json!(["x"]), &json!(["y"])]);
    let text = ok(&run(at, &["predict", "--data", "gap.csv"]));
    assert!(text.contains("imputed: x"), "{text}");
    // As CSV too, where a row without a label is told from one whose labels nobody knows.
    std::fs::write(at.join("known.csv"), "track_id,x,y,label:high,label:odd\na,,NA,0,0\nb,19,1,1,1\n").unwrap();
    for (file, truths) in [("gap.csv", ["false,", "false,"]), ("known.csv", ["true,", "true,high;odd"])] {
        ok(&run(at, &["predict", "--data", file, "--out", "out.csv"]));
        let written = std::fs::read_to_string(at.join("out.csv")).unwrap();
        let cells: Vec<Vec<String>> = written.lines().skip(1).map(split).collect();
        let seen: Vec<String> = cells.iter().map(|cells| cells[3..5].join(",")).collect();
        assert_eq!(seen[..2], truths, "{written}");
        let filled: Vec<&str> = cells.iter().map(|cells| &*cells[6]).collect();
        let expected: &[&str] = if file == "gap.csv" { &["", "x", "y"] } else { &["x;y", ""] };
        assert_eq!(filled, expected, "{written}");
    }

    // The first model is still there, and fills nothing.
    let list: Vec<Value> = serde_json::from_str(&ok(&run(at, &["search", "list", "--json"]))).unwrap();
    let first = list.last().unwrap()["id"].as_str().unwrap();
    fails(&run(at, &["predict", "--data", "gap.csv", "--model", &first[..10]]), 1);
    assert!(fails(&run(at, &["predict", "--data", "gap.csv", "--model", "nobody"]), 2).contains("search list"));
}

#[test]
fn a_row_that_cannot_be_used_is_named_and_the_others_are_answered() {
    let folder = folder();
    let at = folder.path();
    let rows = "a,19,1\nb,much,1\n\n,,\nc,0,inf\nd,1e308,-1e400\ne,0,0,9\nf,,many\ng,19,0\n";
    let german = rows.replace(',', ";").replace("19", "19,5");
    for (head, rows) in [("track_id,x,y", rows), ("track_id;x;y", &german)] {
        std::fs::write(at.join("new.csv"), format!("{head}\n{rows}")).unwrap();
        let output = run(at, &["predict", "--data", "new.csv", "--json"]);
        let said = fails(&output, 1);
        assert!(said.contains("5 of 7 could not be predicted"), "{said}");
        let found = parsed(&output);
        assert_eq!(found[0]["assigned"], json!(["high", "odd"]));
        for (row, why) in [
            (1, "line 3: `x` has no number but `much`"),
            (2, "line 6: `y` is infinite"),
            (3, "line 7: `x` is 1e308, beyond ±3.4e38, `y` is infinite"),
            (4, "line 8 has 4 values, and the line of column names has 3"),
            (5, "line 9: `y` has no number but `many`"),
        ] {
            assert!(found[row]["error"].as_str().unwrap().starts_with(why), "{why}: {}", found[row]);
            assert!(said.contains(why), "{why}: {said}");
        }
        assert_eq!(found[6]["assigned"], json!(["high"]));
    }
    // The truth of one row spoils no other's.
    std::fs::write(at.join("new.csv"), "x,y,high,odd\n19,1,1,1\n0,0,,\n345,7,2,9\n").unwrap();
    let truths: Vec<Value> = answers(at, &["--data", "new.csv"]).iter().map(|row| row["truth"].clone()).collect();
    assert_eq!(truths, [json!(["high", "odd"]), Value::Null, Value::Null]);
}

#[test]
fn a_column_without_any_number_spoils_no_row_that_can_be_answered() {
    let folder = folder();
    let at = folder.path();
    let asked = |text: &str, more: &[&str]| {
        std::fs::write(at.join("new.csv"), text).unwrap();
        run(at, &[&["predict", "--data", "new.csv", "--json"], more].concat())
    };
    // Missing in every row: filled where it is said how, else told once.
    for missing in ["", "NA", "null", " n/a "] {
        let text = format!("x,y\n{missing},1\n{missing},0\n");
        let output = asked(&text, &["--impute", "zero"]);
        ok(&output);
        let found = parsed(&output);
        assert_eq!([&found[0]["assigned"], &found[1]["assigned"]], [&json!(["odd"]), &json!([])], "{text}");
        assert_eq!(found[0]["imputed"], json!(["x"]));
        let said = fails(&asked(&text, &[]), 1);
        assert!(
            said.contains("new.csv: no row has a value in x, which the model needs: fill in the values, or"),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    // Missing or a text: rows are filled or named.
    let output = asked("x,y\nNA,1\nmuch,0\n,0\n", &["--impute", "zero"]);
    let said = fails(&output, 1);
    assert!(said.ends_with("spotifai: 3: line 3: `x` has no number but `much`\n"), "{said}");
    assert_eq!((&parsed(&output)[0]["assigned"], &parsed(&output)[2]["assigned"]), (&json!(["odd"]), &json!([])));
    assert!(fails(&asked("x,y\nNA,1\nmuch,0\n", &[]), 1).contains("no row has a value in x"));
    // A lone row is named as any other.
    for (row, why) in [("much,1", "line 2: `x` has no number but `much`"), ("NA,1", "line 2 has no value in x: ")] {
        let output = asked(&format!("x,y\n{row}\n"), &[]);
        let said = fails(&output, 1);
        assert!(said.starts_with(&format!("spotifai: 2: {why}")) && said.lines().count() == 1, "{said}");
        assert!(parsed(&output)[0]["error"].as_str().unwrap().starts_with(why), "{said}");
    }
    // Many rows with the same fault are no many lines.
    let rows = "much,1\n".repeat(500);
    let said = fails(&asked(&format!("x,y\n{rows}"), &["--impute", "zero"]), 1);
    assert!(said.contains("`x` (line 2 has no number but `much`, and 499 more are no better)"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn decimal_commas_stay_numbers_beside_values_that_are_none() {
    let folder = folder();
    let at = folder.path();
    // The bad value before, behind and among the others, up to being most of them.
    for rows in [&["much", "19,5"][..], &["19,5", "much"], &["a", "19,5", "b", "c,d"], &["19,5", "1.234,5"]] {
        let text: String = rows.iter().map(|x| format!("{x};1\n")).collect();
        std::fs::write(at.join("new.csv"), format!("x;y\n{text}")).unwrap();
        let output = run(at, &["predict", "--data", "new.csv", "--json"]);
        let said = fails(&output, 1);
        assert!(said.contains("a comma as the decimal mark (`x`: 19,5)"), "{said}");
        let first = if rows[0] == "19,5" { "x = 19.5, y = 1".to_owned() } else { format!("x = `{}`, y = 1", rows[0]) };
        assert!(said.contains(&format!("the first row is {first}\n")), "{said}");
        for (answer, (i, x)) in parsed(&output).iter().zip(rows.iter().enumerate()) {
            match *x {
                "19,5" => assert_eq!(answer["assigned"], json!(["high", "odd"])),
                bad => {
                    let why = format!("line {}: `x` has no number but `{bad}`", i + 2);
                    assert_eq!(answer["error"], json!(why));
                }
            }
        }
    }
    // What may be thousands is doubted still.
    std::fs::write(at.join("new.csv"), "x;y\n19,500;1\na,b;1\nNA;1\n").unwrap();
    let said = fails(&run(at, &["predict", "--data", "new.csv"]), 1);
    assert!(said.contains("every marked number of `x` has three digits behind the mark, such as 19,500"), "{said}");
    std::fs::write(at.join("new.csv"), "x;y\nNA;1\n19,5;1\n").unwrap();
    let said = fails(&run(at, &["predict", "--data", "new.csv"]), 1);
    assert!(said.contains("the first row is x = missing, y = 1"), "{said}");
}

#[test]
fn a_label_that_is_none_is_named_and_its_row_is_answered() {
    let folder = folder();
    let at = folder.path();
    let asked = |text: &str| {
        std::fs::write(at.join("new.csv"), text).unwrap();
        let output = run(at, &["predict", "--data", "new.csv", "--json"]);
        ok(&output);
        let truths: Vec<Value> = parsed(&output).iter().map(|row| row["truth"].clone()).collect();
        (truths, String::from_utf8(output.stderr).unwrap())
    };
    // What training takes, and what is missing, is not worth a word.
    let (truths, said) = asked("x,y,label:high,odd\n19.5,1,1,True\n0.5,0,FALSE,0.0\n0.5,0,,1\n0.5,0,1,NA\n");
    assert_eq!(truths, [json!(["high", "odd"]), json!([]), Value::Null, Value::Null]);
    assert_eq!(said, "");
    let (truths, said) = asked("x;y;label:high;label:odd\n19,5;1;1,0;1,0\n0,5;0;0,0;0,0\n");
    assert_eq!(truths, [json!(["high", "odd"]), json!([])]);
    assert!(said.contains("the first row is x = 19.5, y = 1, label:high = 1, label:odd = 1\n"), "{said}");
    // What it refuses is named, with every row up to a few.
    for bad in ["2", "yes", "-1", "0.5", "1,5", "inf", "01"] {
        let (truths, said) = asked(&format!("x,y,label:high,odd\n19.5,1,1,1\n0.5,0,\"{bad}\",0\n"));
        assert_eq!(truths, [json!(["high", "odd"]), Value::Null]);
        let named = "`label:high` is neither 0 nor 1 in line 3: the truth of such rows is not known";
        assert_eq!(said, format!("warning: new.csv: {named}\n"), "{bad}");
    }
    let (_, said) = asked("x,y,high,odd\n.5,0,2,7\n.5,0,0,0\n.5,0,2,0\n.5,0,2,0\n.5,0,2,0\n");
    let named = "`high` is neither 0 nor 1 in lines 2, 4, 5 and 1 more, `odd` is neither 0 nor 1 in line 2: ";
    assert!(said.contains(named) && said.lines().count() == 1, "{said}");
    // Columns that are no labels of this model without the others.
    let (truths, said) = asked("x,y,high\n19.5,1,2\n");
    assert_eq!((truths, said), (vec![Value::Null], String::new()));
}

#[test]
fn a_row_that_overflows_in_a_model_is_named() {
    let folder = folder();
    let at = folder.path();
    std::fs::write(at.join("grid.toml"), "[mlp]\nhidden_layer_sizes = [[32]]\nmax_iter = 5\n").unwrap();
    ok(&run(at, &SEARCH));
    std::fs::write(at.join("new.csv"), "x,y\n19,1\n3e38,-3e38\n").unwrap();
    let output = run(at, &["predict", "--data", "new.csv", "--json"]);
    let said = fails(&output, 1);
    assert!(said.contains("3: line 3: no prediction: its values are too far"), "{said}");
    assert!(parsed(&output)[0]["assigned"].is_array(), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_that_cannot_be_read_any_more_is_nothing_known_and_a_warning() {
    let folder = folder();
    let at = folder.path();
    let store = store::open(&format!("sqlite:{}", at.join("spotifai.db").display())).await.unwrap();
    let mut info = store.latest_dataset().await.unwrap().unwrap();
    // What a damaged file and an older program leave.
    for blob in [b"PAR1 and no more".as_slice(), b"x;y\n1;2\n", b""] {
        store.save_dataset(&info, blob).await.unwrap();
        std::fs::write(at.join("new.csv"), "x,y\n19,1\n,0\n").unwrap();
        let output = run(at, &["predict", "--data", "new.csv", "--json", "--impute", "zero"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ok(&output);
        let found = parsed(&output);
        assert_eq!((&found[0]["assigned"], &found[0]["in_training"]), (&json!(["high", "odd"]), &Value::Null));
        assert_eq!(said.matches("warning: the model's dataset can no longer be read").count(), 1);
        assert_eq!(said.lines().count(), 1, "{said}");
        // No ids are known any more: it is taken for a track.
        let said = fails(&run(at, &["predict", "t1"]), 1);
        assert!(said.contains("can no longer be read") && said.contains("t1: "), "{said}");
    }
    // What the model's own table was filled with is known without it.
    info.imputed = Some(model::dataset::Imputed {
        how: model::dataset::Impute::Mean,
        columns: [("x".to_owned(), 1)].into(),
        fills: [("x".to_owned(), 12.5)].into(),
    });
    store.save_dataset(&info, b"").await.unwrap();
    let output = run(at, &["predict", "--data", "new.csv", "--json"]);
    ok(&output);
    assert_eq!((&parsed(&output)[1]["imputed"], &parsed(&output)[1]["assigned"]), (&json!(["x"]), &json!(["high"])));
}

#[test]
fn what_is_filled_in_is_what_the_model_was_fitted_on_to_the_last_bit() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let value = |i: usize| if i.is_multiple_of(3) { String::new() } else { (0.1 * i as f64 + 0.7).to_string() };
    let row = |i: usize| format!("{},{},{},{}\n", value(i), value(i + 5), i % 7, i % 2);
    let rows: String = (0..24).map(row).collect();
    std::fs::write(at.join("my.csv"), format!("x,z,y,label:odd\n{rows}")).unwrap();
    std::fs::write(at.join("grid.toml"), "[tree]\nmax_depth = [3, 4]\n").unwrap();
    for how in ["mean", "median", "most_frequent", "zero"] {
        ok(&run(at, &[&SEARCH[..], &["--impute", how]].concat()));
        for more in [&["--data", "my.csv"][..], &["--data", "my.csv", "--impute", how]] {
            let found = answers(at, more);
            let trained = found.iter().filter(|answer| answer["in_training"] == true).count();
            assert_eq!(trained, 16, "{how}: every training row is known again");
            assert!(found.iter().any(|answer| answer["in_training"] == true && answer["imputed"] == json!(["x"])));
        }
    }
}

#[test]
fn whoever_names_nothing_to_predict_is_told_what_can_be() {
    let folder = tempdir().unwrap();
    let said = fails(&run(folder.path(), &["predict"]), 2);
    assert!(said.contains("TRACK") && said.contains("--data <FILE>"), "{said}");
    fails(&run(folder.path(), &["predict", "t1", "--data", "my.csv"]), 2);
}

#[test]
fn ids_cannot_command_a_terminal() {
    let folder = folder();
    let at = folder.path();
    std::fs::write(at.join("new.csv"), "track_id,x,y\n\x1b[2Jgone,1,1\n\x1b]0;t\x07,,1\n").unwrap();
    for more in [&[][..], &["--json"]] {
        let output = run(at, &[&["predict", "--data", "new.csv"], more].concat());
        assert_eq!(output.status.code(), Some(1));
        let said = [output.stdout, output.stderr].concat();
        assert!(!said.contains(&0x1b) && !said.contains(&7), "{}", String::from_utf8_lossy(&said).escape_debug());
    }
    // Nor write lines of its own.
    for rows in ["\"gone\nspotifai: all is well\",,1\n", "\"gone\nspotifai: all is well\",,1\nb,,1\nc,1,1\n"] {
        std::fs::write(at.join("new.csv"), format!("track_id,x,y\n{rows}")).unwrap();
        let said = fails(&run(at, &["predict", "--data", "new.csv"]), 1);
        assert!(said.contains(r"gone\nspotifai: all is well: line 2 has no value in x"), "{said}");
    }
    let mut command = spotifai(at, &["predict", "\x1b[31mred"]);
    assert!(!command.output().unwrap().stderr.contains(&0x1b));
}
