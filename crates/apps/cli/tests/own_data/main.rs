//! A person's own table: a clear line, or the right answer.

#[path = "../common/mod.rs"]
mod common;
mod layouts;

use std::path::Path;

use common::{fails, ok, run};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

const GRID: &str = "[knn]\nn_neighbors = 1\n[tree]\nmax_depth = [1, 3]\nclass_weight = ['none', 'balanced']\n";

/// A folder with a grid and this table, of a header and rows.
fn folder(head: &str, row: impl Fn(usize) -> String, rows: usize) -> TempDir {
    let folder = tempdir().unwrap();
    let rows: String = (0..rows).map(|i| row(i) + "\n").collect();
    std::fs::write(folder.path().join("my.csv"), format!("{head}\n{rows}")).unwrap();
    std::fs::write(folder.path().join("grid.toml"), GRID).unwrap();
    folder
}

fn search(folder: &Path, verb: &str, more: &[&str]) -> std::process::Output {
    let args = ["search", verb, "--data", "my.csv", "--grid", "grid.toml", "--folds", "3"];
    run(folder, &[&args[..], more].concat())
}

/// `summary.json` of a run.
fn summary(folder: &Path, more: &[&str]) -> Value {
    ok(&search(folder, "run", &[more, &["--out", "out"]].concat()));
    serde_json::from_str(&std::fs::read_to_string(folder.join("out/summary.json")).unwrap()).unwrap()
}

#[test]
fn what_is_wrong_with_a_table_is_said_in_one_line_with_the_way_out() {
    let many = |row: &str| format!("x,label:a\n{}{row}\n", "1,0\n2,1\n".repeat(10));
    let cases: &[(String, &[&str], i32, &[&str])] = &[
        (many(",1"), &[], 1, &["column `x` lacks 1 of 21 values", "line 22", "--impute mean"]),
        (many("NaN,1"), &[], 1, &["column `x` lacks 1 of 21 values", "line 22", "--impute mean"]),
        (many("inf,1"), &[], 1, &["column `x` (line 22 is infinite)", "--ignore x"]),
        (many("inf,1"), &["--impute", "mean"], 1, &["column `x` (line 22 is infinite)"]),
        (many("much,1"), &["--impute", "mean"], 1, &["column `x` (line 22 has no number but `much`)", "--ignore"]),
        (many("1,"), &["--impute", "mean"], 1, &["column `label:a` (line 22 is neither 0 nor 1)"]),
        (many("1,2"), &[], 1, &["column `label:a` (line 22 is neither 0 nor 1)"]),
        (many("1,0"), &["--impute", "average"], 2, &["average", "most_frequent"]),
        (many("1,0"), &["--labels", "b"], 2, &["`--labels` names `b`", "my.csv", "label:a"]),
        (many("1,0"), &["--ignore", "y"], 2, &["`--ignore` names `y`", "it has x, label:a"]),
        ("x,y\n1,0\n2,1\n3,0\n".into(), &[], 1, &["my.csv", "no label columns", "--labels a,b,c"]),
        (
            "x,y,z\n1,0,5\n2,1,6\n3,0,7\n".into(),
            &["--labels", "x,y"],
            1,
            &["`x` (line 3 is neither 0 nor 1, and 1 more is no better): correct the file"],
        ),
        ("y,z\n1,0\n0,1\n1,0\n".into(), &["--labels", "y,z"], 1, &["no feature columns"]),
        ("x,label:a\n".into(), &[], 1, &["my.csv", "no rows"]),
        ("".into(), &[], 1, &["my.csv", "cannot be read"]),
        ("x,label:a\n1,0\n".into(), &[], 1, &["all 1 rows are on the test side", "add rows"]),
        (
            "x,label:a\n1,0\n2,1\n3,1\n".into(),
            &[],
            2,
            &["2 training rows (of 3 rows)", "3 folds", "--folds 2 or fewer"],
        ),
        (
            "title,x,label:a\nu,1,0\nv,2,1\nw,3,1\n".into(),
            &[],
            1,
            &["column `title` (has no numbers)", "--ignore title"],
        ),
        ("x,x,label:a\n1,1,0\n2,2,1\n".into(), &[], 1, &["column `x` comes twice", "rename or remove"]),
        (
            "a,x,label:a\n1,1,0\n0,2,1\n".into(),
            &["--labels", "a"],
            1,
            &["`a` is a label twice, as the columns `a` and `label:a`: rename or remove one of them"],
        ),
    ];
    for (table, more, code, named) in cases {
        let folder = tempdir().unwrap();
        std::fs::write(folder.path().join("my.csv"), table).unwrap();
        std::fs::write(folder.path().join("grid.toml"), GRID).unwrap();
        for verb in ["run", "start", "plan"] {
            let said = fails(&search(folder.path(), verb, more), *code);
            assert!(said.contains("--help") || said.lines().count() == 1, "{table:?} {more:?}: {said}");
            assert!(named.iter().all(|name| said.contains(name)), "{table:?} {more:?} {named:?}: {said}");
        }
        assert!(!folder.path().join("spotifai-out").exists());
    }
    let folder = tempdir().unwrap();
    assert!(fails(&run(folder.path(), &["search", "start", "--labels", "a"]), 2).contains("--data"));
}

#[test]
fn missing_values_are_imputed_where_that_is_asked_for_and_recorded() {
    let row = |i: usize| {
        let x = if i.is_multiple_of(10) { String::new() } else { (i % 20).to_string() };
        format!("{},{x},{}", u8::from(i % 20 > 9), i % 7)
    };
    let folder = folder("high,x,y", row, 90);
    let at = folder.path();
    for how in ["mean", "median", "zero", "most_frequent"] {
        let summary = summary(at, &["--labels", "high", "--impute", how]);
        assert_eq!((summary["dataset_rows"].as_u64(), summary["dataset_features"].as_u64()), (Some(90), Some(2)));
        assert!(ok(&run(at, &["search", "show"])).contains("9 missing values imputed in 1 feature"));
    }
    assert_eq!(
        serde_json::from_str::<Value>(&ok(&run(at, &["search", "list", "--json"]))).unwrap().as_array().unwrap().len(),
        4
    );
}

#[test]
fn one_label_constant_columns_and_constant_labels_are_no_trouble() {
    let row = |i: usize| format!("{},1,0,{},7", u8::from(i % 30 > 14), i % 30);
    let folder = folder("high,always,never,x,constant", row, 60);
    let single = summary(folder.path(), &["--labels", "high", "--ignore", "always,never"]);
    assert_eq!(
        (single["labels"].clone(), single["heldout"]["accuracy"].as_f64()),
        (serde_json::json!(["high"]), Some(1.0))
    );
    assert_eq!(single["dataset_features"].as_u64(), Some(2));
    let all = summary(folder.path(), &["--labels", "high,always,never"]);
    assert_eq!(all["labels"], serde_json::json!(["always", "high", "never"]));
    assert_eq!(all["heldout"]["accuracy"].as_f64(), Some(1.0));
    let constant = summary(folder.path(), &["--labels", "always,never", "--ignore", "high,x"]);
    assert_eq!(constant["heldout"]["accuracy"].as_f64(), Some(1.0), "the only answer there is");
}

#[test]
fn thresholds_and_importances_are_reported_where_they_are_known() {
    let row = |i: usize| {
        format!("{},{},{},{}", i * 37 % 100, i * 53 % 7, u8::from(i * 37 % 100 > 70), u8::from(i.is_multiple_of(3)))
    };
    let folder = folder("loudness,noise,label:a,label:b", row, 100);
    let plain = summary(folder.path(), &[]);
    assert!(plain.get("tuned").is_none());
    let groups = plain["importances"]["groups"].as_array().unwrap();
    assert_eq!((&groups[0]["group"], groups.len()), (&"loudness".into(), 2));

    let said = ok(&search(folder.path(), "run", &["--thresholds", "--out", "out"]));
    assert!(said.contains("with thresholds: ") && said.contains("F1 micro 0."), "{said}");
    let tuned = summary(folder.path(), &["--thresholds"]);
    assert_eq!(tuned["heldout"], plain["heldout"], "at one half as before");
    assert_eq!(tuned["tuned"]["thresholds"].as_array().unwrap().len(), 2);
    let report = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(report.contains("with thresholds") && report.contains("Feature importance"));
    let shown = ok(&run(folder.path(), &["search", "show"]));
    assert!(shown.contains("with thresholds: "), "{shown}");
}

/// A table of 40 rows with two labels that alternate and a feature that says nothing of them, laid out by `line`.
fn songs(mut line: impl FnMut(&[&str]) -> String) -> String {
    let mut text = line(&["track_id", "artist", "label:jazz", "label:pop", "tempo", "energy"]);
    for i in 0..40 {
        let (tempo, energy) =
            (format!("{}.{:03}", 90 + i * 37 % 50, i * 731 % 1000), format!("0.{:04}", i * 7919 % 10_000));
        let (jazz, pop) = (u8::from(i % 2 == 0).to_string(), u8::from(i % 3 == 0).to_string());
        text += &line(&[&format!("t{i:03}"), &format!("Band {}", i % 9), &jazz, &pop, &tempo, &energy]);
    }
    text
}

/// Rows, features and labels of a table as `search plan` reads it, and what it says on standard error.
fn planned(table: impl AsRef<[u8]>, more: &[&str]) -> ([u64; 3], String) {
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("my.csv"), table).unwrap();
    let args = ["search", "plan", "--data", "my.csv", "--grid", "small", "--json"];
    let output = run(folder.path(), &[&args[..], more].concat());
    let plan: Value = serde_json::from_str(&ok(&output)).unwrap();
    (["rows", "features", "labels"].map(|name| plan[name].as_u64().unwrap()), String::from_utf8(output.stderr).unwrap())
}

/// The one line that a table is refused with.
fn refused(table: impl AsRef<[u8]>, more: &[&str]) -> String {
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("my.csv"), table).unwrap();
    let args = ["search", "plan", "--data", "my.csv", "--grid", "small"];
    let said = fails(&run(folder.path(), &[&args[..], more].concat()), 1);
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

/// The arguments of a shell's command.
fn shell(command: &str) -> Vec<String> {
    let script = format!("printf '%s\\0' {command}");
    let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    words.split_terminator('\0').map(str::to_owned).collect()
}

/// The option that an error says to add, as a shell takes it.
fn pasted(error: &str) -> Vec<String> {
    let option = error.split_once("with `").unwrap().1.rsplit_once('`').unwrap().0;
    shell(option.split("`; name labels").next().unwrap())
}

#[test]
fn every_unusable_column_is_named_at_once_with_an_option_that_can_be_pasted() {
    let mut rows = 0;
    let table = songs(|cells| {
        rows += 1;
        let more = match rows {
            1 => "Unnamed: 0,index,Label:rock,\"title, or name\",it's,label:",
            2 => "0,1,1,x,fast,1",
            _ => "",
        };
        let more = if rows < 3 { more.to_owned() } else { format!("{rows},{rows},0,x,{rows},0") };
        format!("{more},{}\n", cells.join(","))
    });
    let said = refused(&table, &[]);
    for named in [
        "cannot use 6 columns, ",
        "`Unnamed: 0` (has no name",
        "`Label:rock` (looks like a label, and those are called `label:NAME`)",
        "`label:` (is a label without a name)",
        "`index` (numbers the rows)",
        "`title, or name` (has no numbers)",
        "`it's` (line 2 has no number but `fast`)",
    ] {
        assert!(said.contains(named), "{named}: {said}");
    }
    let option = pasted(&said);
    assert_eq!(option[0], "--ignore");
    let option: Vec<&str> = option.iter().map(String::as_str).collect();
    assert_eq!(planned(&table, &option), ([40, 2, 2], String::new()));

    // What begins like an option of its own.
    for name in ["-artist", "--artist", "-", "-it's"] {
        let table = songs(|cells| cells.join(",").replace("artist", name) + "\n");
        let option = pasted(&refused(&table, &[]));
        assert_eq!(option, [format!("--ignore={name}")]);
        assert_eq!(planned(&table, &[&option[0]]), ([40, 2, 2], String::new()));
    }
}

#[test]
fn names_that_are_nearly_labels_stop_the_command_until_they_are_labels_or_left_out() {
    let table = |name: &str| songs(|cells| cells.join(",").replace("label:pop", name) + "\n");
    for name in [
        "Label:pop",
        "LABEL:pop",
        "label_pop",
        "label.pop",
        "labels:pop",
        "label :pop",
        "label-pop",
        "Label pop",
        "\u{200b}label:pop",
        "Labels : pop",
        "lable:pop",
        "lbl:pop",
        "genre:pop",
        "genres:pop",
        "tag:pop",
        "pop_label",
        "genre_pop",
        "Genre=Pop",
        "is_pop",
        "has hip-hop",
        "genre",
        "target",
    ] {
        let said = refused(table(name), &[]);
        assert!(said.contains(&format!("cannot use column `{name}` (looks like a label")), "{said}");
        assert_eq!(planned(table(name), &["--labels", &format!("jazz,{name}")]).0, [40, 2, 2]);
        assert_eq!(planned(table(name), &["--ignore", name]).0, [40, 2, 1]);
    }
    assert_eq!(planned(table("label: pop"), &[]).0, [40, 2, 2]);
    assert_eq!(planned(table("labelled"), &["--labels", "jazz"]).0, [40, 3, 1], "a word of its own");
    for name in ["is_explicit", "has_lyrics", "n_tags", "classic", "record_label", "Music Label"] {
        assert_eq!(planned(table(name), &[]).0, [40, 3, 1], "{name}: 0 and 1, and no label");
    }
    let measure = |name: &str| songs(|cells| cells.join(",").replace("energy", name) + "\n");
    for name in ["genre_entropy", "genres", "labels_count", "tag.weight", "label_b", "is_jazz", "genre", "target"] {
        assert_eq!(planned(measure(name), &[]), ([40, 2, 2], String::new()), "{name}: a measure");
    }
    assert!(
        refused(measure("label:rock").replace("label:pop", "pop"), &[]).contains("`label:rock` (has neither 0 nor 1)")
    );
    assert!(refused(measure("Label:rock"), &[]).contains("`Label:rock` (looks like a label"));
}

#[test]
fn copies_under_an_id_of_another_name_are_kept_together_and_the_ids_that_are_not_used_are_named() {
    let mut i = 0;
    let table = songs(|cells| {
        i += 1;
        let more = if i == 1 { "uri,isrc,album_id".into() } else { format!("u{},i{i},{}", i / 2, i % 5) };
        format!("{},{more}\n", cells[1..].join(","))
    });
    let said = refused(&table, &[]);
    for named in [
        "`isrc` (holds ids of tracks, and those in `uri` are used)",
        "`album_id` (holds ids, by its name and its whole numbers)",
    ] {
        assert!(said.contains(named), "{said}");
    }
    let option = pasted(&said);
    assert_eq!(option, ["--ignore", "isrc,album_id"], "not that of the ids in use");
    let (read, said) = planned(&table, &[&option[0], &option[1]]);
    assert_eq!(read, [40, 2, 2]);
    assert!(
        said.contains("`uri` was taken for the `track_id`: rows with the same `uri` are taken as one track"),
        "{said}"
    );
    assert!(said.contains("of 40 rows are copies of"), "{said}");
}

#[test]
fn what_is_doubtful_in_a_table_is_said_and_does_not_stop_it() {
    let mut i = 0;
    let table = songs(|cells| {
        i += 1;
        let label = cells[2];
        let more = if i == 1 { "label:never,place,leak,index".into() } else { format!("0,{i},{label}.5,{}", i % 5) };
        format!("{more},{}\n", cells.join(","))
    });
    let (read, said) = planned(table, &[]);
    assert_eq!(read, [40, 5, 3], "an index that repeats is a feature");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[0].contains("the same in every row: `never` is always 0"), "{said}");
    assert!(lines[1].contains("a feature that numbers the rows") && lines[1].contains(": `place`; "), "{said}");
    assert!(lines[2].contains("the label `jazz` is known from one feature alone: `leak`; "), "{said}");
}

#[test]
fn the_cases_that_people_met_come_out_right() {
    let Some(data) = testkit::real_data("the_cases_that_people_met_come_out_right") else { return };
    let cases = data.join("../cases");
    let case = |name: &str| std::fs::read(cases.join(name)).unwrap();
    for name in ["blank_after_separator", "semicolons", "tabs", "inch_in_a_name"] {
        let (read, said) = planned(case(&format!("tables/{name}.csv")), &[]);
        assert_eq!(read, [30, 2, 2], "{name}");
        assert_eq!(said.contains("as the separator"), ["semicolons", "tabs"].contains(&name), "{said}");
    }
    assert!(refused(case("tables/capital_label.csv"), &[]).contains("`Label:pop` (looks like a label"));
    let index = case("tables/unnamed_index.csv");
    let said = refused(&index, &[]);
    assert!(said.contains("`Unnamed: 0` (has no name"), "{said}");
    let option = pasted(&said);
    assert_eq!(option, ["--ignore", "Unnamed: 0"]);
    planned(&index, &[&option[0], &option[1]]);
    for (name, holds) in [
        ("date32", "dates"),
        ("decimal128", "decimals"),
        ("struct", "records (struct)"),
        ("timestamp_us", "points in time"),
    ] {
        let file = case(&format!("parquet/{name}.parquet"));
        let said = refused(&file, &[]);
        assert!(said.contains(&format!("`odd` (holds {holds}")), "{said}");
        planned(&file, &["--ignore", "odd"]);
    }
}

#[test]
fn copies_of_a_track_do_not_make_noise_look_learned() {
    // 60 tracks in five rows each, all over the table, and a label that no feature tells.
    let random =
        |track: usize, column: u32| (track * 7_919 + column as usize * 104_729).wrapping_mul(2_654_435_761) >> 7;
    let row = |i: usize| {
        let track = i * 7 % 60;
        format!("t{track},{},{},{}", random(track, 1) % 1_000, random(track, 2) % 1_000, random(track, 3) % 2)
    };
    let folder = folder("track_id,x,y,label:a", row, 300);
    let said = search(folder.path(), "run", &["--out", "out"]);
    ok(&said);
    let warning = "300 of 300 rows are copies of 60 tracks; copies are kept on one side of the split and of every fold";
    let stderr = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(stderr.matches(&format!("warning: my.csv: {warning}")).count(), 1, "{stderr}");
    let heldout = summary(folder.path(), &[])["heldout"]["accuracy"].as_f64().unwrap();
    assert!(heldout < 0.85, "held-out accuracy {heldout} on noise");
    let board = std::fs::read_to_string(folder.path().join("out/leaderboard.csv")).unwrap();
    assert!(!board.contains(",1.0,") && !board.contains(",1,"), "a fold without a mistake on noise:\n{board}");
    assert!(ok(&run(folder.path(), &["search", "show"])).contains("210 training rows from 42 tracks"));
    let refused = fails(&run(folder.path(), &["search", "plan", "--data", "my.csv", "--folds", "50"]), 2);
    assert!(refused.contains("copies of 42 tracks") && refused.contains("--folds 42 or fewer"), "{refused}");
}

#[test]
fn an_export_for_spreadsheets_has_no_formula_and_the_usual_one_is_left_as_it_is() {
    let row = |i: usize| format!("=id{i},\"@SUM(A1), ok\",-0.5{i},{}", i % 2);
    let folder = folder("track_id,artist,=tempo,label:a", row, 20);
    ok(&search(folder.path(), "start", &[]));
    let export = |more: &[&str]| {
        ok(&run(folder.path(), &[&["dataset", "export", "out.csv"], more].concat()));
        std::fs::read_to_string(folder.path().join("out.csv")).unwrap()
    };
    let (plain, safe) = (export(&[]), export(&["--spreadsheet"]));
    assert!(plain.starts_with("track_id,artist,split,label:a,=tempo\n=id"), "{plain}");
    assert!(plain.contains(",\"@SUM(A1), ok\",train,"), "{plain}");
    assert!(safe.starts_with("track_id,artist,split,label:a,'=tempo\n'=id"), "{safe}");
    assert!(safe.contains(",\"'@SUM(A1), ok\",train,") && safe.contains(",-0.5"), "{safe}");
    assert_eq!(safe.replace('\'', ""), plain, "nothing else differs");
}

#[test]
fn labels_are_made_of_a_column_of_genres_by_the_settings() {
    // One row a genre, as a well-known table has it; every third track has a second genre, and some have none.
    let row = |i: usize| {
        let (track, is_second) = (i / 2, i % 2 == 1);
        let genre = match (is_second, track % 6) {
            (false, 0 | 1) => "Jazz",
            (false, 2 | 3) => "hip-hop",
            (false, 4) => "rock",
            (false, _) => "",
            (true, 0 | 3) => "Polka",
            _ => ["Jazz", "Jazz", "hip-hop", "Hip Hop", "rock", ""][track % 6],
        };
        format!("t{track},title {track},{genre},{},{}", track * 37 % 101, track * 53 % 7)
    };
    let folder = folder("track_id,track_name,track_genre,x,y", row, 180);
    std::fs::write(folder.path().join("spotifai.toml"), "[dataset.cut]\ntop = 2\nmisc = 'other'\n").unwrap();
    let args = ["--genre-column", "track_genre", "--ignore", "track_name"];
    let run_args = [&args[..], &["--out", "out"]].concat();
    let said = search(folder.path(), "run", &run_args);
    ok(&said);
    let stderr = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(stderr.contains("120 rows were joined by `track_id` into 60"), "{stderr}");
    assert!(
        stderr.contains("30 of 90 tracks were left out: 15 without a genre, 15 with excluded genres only"),
        "{stderr}"
    );
    let summary = summary(folder.path(), &args);
    assert_eq!(summary["labels"], serde_json::json!(["hip hop", "jazz"]));
    assert_eq!((summary["dataset_rows"].as_u64(), summary["dataset_features"].as_u64()), (Some(60), Some(2)));

    let plan = |more: &[&str]| search(folder.path(), "plan", &[&args[..], more].concat());
    ok(&plan(&["--genre-separator", ";"]));
    assert!(fails(&plan(&["--genre-separator", ""]), 2).contains("it is empty"));
    assert!(fails(&plan(&["--labels", "x"]), 2).contains("--labels"));
    let nowhere = search(folder.path(), "plan", &["--genre-column", "genre", "--ignore", "track_name"]);
    assert!(fails(&nowhere, 2).contains("`--genre-column` names `genre`"));
}

#[test]
fn a_catalogue_that_cannot_be_learnt_from_is_refused_before_anything_is_collected() {
    let refused = |table: &str| {
        let folder = tempdir().unwrap();
        std::fs::write(folder.path().join("my.csv"), table).unwrap();
        let said = fails(&run(folder.path(), &["demo", "--catalogue", "my.csv"]), 1);
        assert!(said.lines().count() == 1 && !folder.path().join("spotifai-demo").exists(), "{said}");
        said
    };
    let said = refused("Track Name;Artist Name(s);Danceability\nSong;Band;0,5\n");
    assert!(
        said.contains("no column \"Track URI\", \"Genres\"; it has: Track Name, Artist Name(s), Danceability"),
        "{said}"
    );
    let row = "spotify:track:02v9pvGNvWAdQaiMOMXrg9,Song,Band";
    let said = refused(&format!("Track URI,Track Name,Artist Name(s),Artist Genres,Danceability\n{row},,0.5\n"));
    assert!(said.contains("no row of the table has genres (column \"Artist Genres\")"), "{said}");
    let said = refused(&format!("Track URI,Track Name,Artist Name(s),Genres,Danceability\n{row},pop,\n"));
    assert!(said.contains("no row of the table has audio features"), "{said}");
}

#[test]
fn a_catalogue_without_tempo_is_learnt_from_by_its_other_features() {
    let head = "Track URI;Track Name;Artist Name(s);Album Release Date;Track Duration (ms);Artist Genres;Danceability;Energy;Key;\
                Loudness;Mode;Speechiness;Acousticness;Instrumentalness;Liveness;Valence;Time Signature";
    let row = |i: usize| {
        let value = |seed: usize| format!("0,{:03}", (i * seed + 17) % 1000);
        let genres = if i.is_multiple_of(2) { "jazz" } else { "pop" };
        let values: Vec<String> = [37, 53, 71, 89, 97, 101, 103].iter().map(|seed| value(*seed)).collect();
        format!(
            "spotify:track:{i:022};Song {i};Band {};2020-01-01;{};{genres};{};{};{};-8,5;1;{};4",
            i % 7,
            200_000 + i,
            values[0],
            values[1],
            i % 12,
            values[2..].join(";")
        )
    };
    let rows: String = (0..60).map(|i| row(i) + "\n").collect();
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("my.csv"), format!("{head}\n{rows}")).unwrap();
    let output = run(folder.path(), &["demo", "--catalogue", "my.csv", "--out", "out"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ok(&output);
    assert!(
        said.contains("my.csv: it was read with a semicolon as the separator, a comma as the decimal mark"),
        "{said}"
    );
    assert!(said.contains("my.csv: the table has no column \"Tempo\"; the other features are used"), "{said}");
    let summary: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("out/summary.json")).unwrap()).unwrap();
    assert_eq!((&summary["dataset_rows"], &summary["dataset_features"]), (&60.into(), &12.into()));
}
