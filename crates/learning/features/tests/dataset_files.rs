//! Datasets as files: written, read back, and read from elsewhere.

mod common;

use std::io::Write;

use common::{column, parquet};
use features::{
    DatasetError, GenreColumn, ImportOptions, ImportedDataset, describe, import as import_of, model_rows, read, to_csv,
    to_parquet, to_spreadsheet,
};
use model::dataset::{Dataset, Impute, Imputed, Split, Training};
use model::settings::SplitSettings;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use proptest::prelude::*;

fn dataset(values: Vec<f64>, names: &[&str]) -> Dataset {
    let n = values.len() / 2;
    Dataset {
        track_ids: (0..n).map(|i| format!("{i:03}")).collect(),
        artists: (0..n).map(|i| ["Sigur Rós ", "", "Tyler, \"The\" Creator\n", "0042"][i % 4].to_owned()).collect(),
        feature_names: vec!["tempo".into(), "C#_0".into()],
        features: values,
        label_names: names.iter().map(|name| name.to_string()).collect(),
        labels: (0..n * names.len()).map(|i| u8::from(i % 3 == 0)).collect(),
        split: (0..n).map(|i| if i < n / 2 { Split::Train } else { Split::Test }).collect(),
    }
}

fn read_csv(text: &str) -> Result<Dataset, DatasetError> {
    Ok(import_csv(text, &ImportOptions::default())?.dataset)
}

fn error(text: &str) -> String {
    read_csv(text).unwrap_err().to_string()
}

proptest! {
    #[test]
    fn both_formats_keep_every_bit(values in prop::collection::vec(any::<f64>().prop_filter("finite", |v| v.is_finite()), 4..60)) {
        let values = values[..values.len() / 2 * 2].to_vec();
        let dataset = dataset(values, &["folk", "r&b, soul"]);
        for bytes in [to_parquet(&dataset).unwrap(), to_csv(&dataset).unwrap()] {
            let back = read(&bytes, &SplitSettings::default()).unwrap();
            let bits = |dataset: &Dataset| dataset.features.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&back), bits(&dataset));
            prop_assert_eq!(back, dataset.clone());
        }
    }
}

/// Whether a spreadsheet may run a cell.
fn is_formula(cell: &str) -> bool {
    let begins = cell.trim_start_matches(|c: char| c == '"' || c.is_whitespace() && !"\t\r".contains(c));
    begins.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err()
}

proptest! {
    #[test]
    fn no_cell_for_a_spreadsheet_is_a_formula_whatever_it_takes_for_a_separator(
        texts in prop::collection::vec("[-=+@a0;|,'\" \t\r\n]{0,8}", 8),
    ) {
        let mut dataset = dataset(vec![-0.5, -1e-300, 2.0, -7.0, 0.0, 1.0], &["a"]);
        dataset.track_ids = texts[..3].to_vec();
        dataset.artists = texts[3..6].to_vec();
        dataset.feature_names = texts[6..].iter().enumerate().map(|(i, text)| format!("{text}{i}")).collect();
        dataset.label_names = vec![texts[7].clone()];
        let bytes = to_spreadsheet(&dataset).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        prop_assert_eq!(records.len(), 4);
        for cell in records.iter().flatten() {
            prop_assert!(!is_formula(cell), "{:?}", cell);
        }
        prop_assert_eq!([&records[1][4], &records[1][5], &records[2][5]], ["-0.5", "-1e-300", "-7.0"]);
        let text = String::from_utf8(bytes).unwrap();
        for rest in text.split([';', '|', '\t', '\r', '\n']) {
            // What follows a comma was looked at above; before it a number may stand.
            let cell = rest.split(',').next().unwrap_or_default();
            prop_assert!(!is_formula(cell), "{:?} in {:?}", cell, text);
        }
    }
}

#[test]
fn equal_datasets_have_equal_ids() {
    let first = dataset((0..2_000).map(f64::from).collect(), &["folk"]);
    let mut other = first.clone();
    let id = |dataset: &Dataset| describe(dataset, &to_parquet(dataset).unwrap()).id;
    assert_eq!(id(&first), id(&other));
    assert_eq!(id(&first).len(), 64);
    other.features[17] = 0.5;
    assert_ne!(id(&first), id(&other));
}

#[test]
fn csv_has_the_columns_of_the_exported_format() {
    let csv = String::from_utf8(to_csv(&dataset(vec![92.5, 0.1, 120.0, 1e-7], &["jazz"])).unwrap()).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "track_id,artist,split,label:jazz,tempo,C#_0");
    assert_eq!(lines[1], "000,\"Sigur Rós \",train,1,92.5,0.1");
}

#[test]
fn a_file_of_pandas_is_read_whatever_its_types() {
    let dataset = read(include_bytes!("pandas/outside.parquet"), &SplitSettings::default()).unwrap();
    assert_eq!(dataset.feature_names, ["energy", "key", "tempo", "duration_ms"]);
    assert_eq!(dataset.label_names, ["folk", "jazz", "pop"]);
    assert_eq!(dataset.track_ids[..3], ["1000", "1001", "1003"]);
    assert_eq!(dataset.artists[8..], ["three", "three", "three", "three"]);
    assert_eq!(dataset.label_row(0), [1, 1, 1]);
    assert_eq!(dataset.feature_row(2), [3.0 / 11.0, 3.0, f64::from(80.0f32 + 300.0 / 11.0), 3_000.0]);
    assert_eq!(dataset.rows_in(Split::Test), [8, 9, 10, 11]);
}

#[test]
fn without_ids_rows_are_numbered_and_split_by_the_protocol() {
    let rows: String = (0..10).map(|i| format!("{i},{}\n", i % 2)).collect();
    let dataset = read_csv(&format!("tempo,label:jazz\n{rows}")).unwrap();
    // numpy: RandomState(234634754).permutation(10) is 8 5 1 | 0 3 6 9 2 7 4, of which the first three are the test rows.
    assert_eq!(dataset.features, [0.0, 3.0, 6.0, 9.0, 2.0, 7.0, 4.0, 8.0, 5.0, 1.0]);
    assert_eq!(dataset.track_ids[..2], ["2", "5"]);
    assert_eq!(dataset.rows_in(Split::Test), [7, 8, 9]);
    assert_eq!(dataset.labels, [0, 1, 0, 1, 0, 1, 0, 0, 1, 1]);
}

#[test]
fn given_sides_keep_the_order_of_the_file() {
    let text = "split,tempo,label:b,label:a\r\ntest,1,1,0\r\ntrain,2,0,1\r\ntest,3,true,FALSE\r\ntrain,4,1.0,0.0\r\n";
    let dataset = read_csv(text).unwrap();
    assert_eq!(dataset.features, [2.0, 4.0, 1.0, 3.0]);
    assert_eq!(dataset.label_names, ["a", "b"]);
    assert_eq!(dataset.labels, [1, 0, 0, 1, 0, 1, 0, 1]);
    assert_eq!(dataset.split, [Split::Train, Split::Train, Split::Test, Split::Test]);
}

#[test]
fn an_artist_stays_on_one_side_if_asked_to() {
    let rows: String = (0..100)
        .map(|i| format!("{},{i},1\n", if i % 10 == 0 { String::new() } else { format!("a{}", i % 7) }))
        .collect();
    let settings = SplitSettings { by_artist: true, ..SplitSettings::default() };
    let dataset = read(format!("artist,tempo,label:x\n{rows}").as_bytes(), &settings).unwrap();
    let artists =
        |side| dataset.rows_in(side).into_iter().map(|i| dataset.artists[i].clone()).filter(|a| !a.is_empty());
    let train: Vec<String> = artists(Split::Train).collect();
    assert!(artists(Split::Test).all(|artist| !train.contains(&artist)));
    let test = dataset.rows_in(Split::Test).len();
    assert!((30..=45).contains(&test), "{test} test rows");
    let mut rows = dataset.features.clone();
    rows.sort_by(f64::total_cmp);
    assert_eq!(rows, (0..100).map(f64::from).collect::<Vec<_>>());
}

#[test]
fn errors_name_the_place_and_the_way_out_in_one_line() {
    let cases = [
        ("tempo\n1\n", "no label columns"),
        ("label:a\n1\n0\n0\n", "no feature columns"),
        ("tempo,label:a\n", "no rows"),
        ("", "cannot be read as Parquet, nor as CSV with a line of column names: it is empty"),
        ("tempo,label:a\n1,0\n,1\n3,0\n", "column `tempo` lacks 1 of 3 values, the first in line 3: fill"),
        ("tempo,label:a\n1,0\n2,1\nNaN,0\n", "column `tempo` lacks 1 of 3 values, the first in line 4"),
        ("tempo,label:a\n1,0\nNA,1\n3,0\n,1\n", "column `tempo` lacks 2 of 4 values, the first in line 3"),
        (
            "a,b,c,label:a\n1,,1,0\n2,1,,1\n3,0,,1\n",
            "column `b` lacks 1 of 3 values, the first in line 2, and so does an",
        ),
        (
            "tempo,label:a\n1,0\n-inf,1\n3,0\n",
            "cannot use column `tempo` (line 3 is infinite): correct line 3, or remove it if that is a sum, a note or other names of columns, or leave the column \
             out with `--ignore tempo`",
        ),
        ("tempo,label:a\n1,0\nfast,1\n3,0\n", "cannot use column `tempo` (line 3 has no number but `fast`)"),
        ("album,tempo,label:a\nx,1,0\ny,2,1\nz,3,0\n", "column `album` (has no numbers): "),
        (
            "album,tempo,label:a\n,1,0\n,2,1\n,3,0\n",
            "leave the column out with `--ignore album`; name labels with `--labels`",
        ),
        ("tempo,label:a\n1,0\n2,2\n3,0\n", "column `label:a` (line 3 is neither 0 nor 1)"),
        ("tempo,label:a\n1,0\n2,\n3,0\n", "column `label:a` (line 3 is neither 0 nor 1)"),
        ("tempo,label:a\n1,0\n2\n3,0\n", "column `label:a` (line 3 is neither 0 nor 1)"),
        ("tempo,label:a,split\n1,0,train\n2,1,dev\n", "column `split`, line 3 is neither `train` nor `test`"),
        ("tempo,label:a,split\n1,0,train\n2,1,train\n", "all 2 rows are on the train side"),
        ("tempo,label:a\n1,0\n", "all 1 rows are on the test side"),
        ("track_id,tempo,label:a\nx,1,0\n,2,1\n", "column `track_id`, line 3 has no id"),
        ("track_id,tempo,label:a\nx,1,0\nNA,2,1\nNA,3,1\n", "column `track_id`, line 3 has no id"),
        ("track_id,tempo,label:a\nx,1,0\ny,2,1\nnull,3,1\n", "column `track_id`, line 4 has no id"),
        ("tempo,tempo,label:a\n1,1,0\n2,2,1\n", "column `tempo` comes twice"),
        (",tempo,label:a\n0,1,0\n1,2,1\n", "column `Unnamed: 0` (has no name"),
    ];
    for (text, expected) in cases {
        let message = error(text);
        assert!(message.contains(expected) && !message.contains('\n'), "{text:?}: {message}");
    }
    let cut_short = &include_bytes!("pandas/outside.parquet")[..500];
    let message = read(cut_short, &SplitSettings::default()).unwrap_err().to_string();
    assert!(message.contains("Parquet file is damaged or cut off") && !message.contains('\n'), "{message}");
}

fn import_csv(text: &str, import: &ImportOptions) -> Result<ImportedDataset, DatasetError> {
    import_of(text.as_bytes(), import)
}

#[test]
fn columns_are_named_as_labels_and_left_out() {
    let text = "title,jazz,label:pop,label:rock,tempo\nx,1,0,1,1\ny,0,1,1,2\nz,1,1,0,3\n";
    let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    let import =
        ImportOptions { labels: names(&["pop", "jazz"]), ignored: names(&["title"]), ..ImportOptions::default() };
    let dataset = import_csv(text, &import).unwrap().dataset;
    assert_eq!((dataset.label_names, dataset.feature_names), (names(&["jazz", "pop"]), names(&["tempo"])));
    let refused = |labels: &[&str], ignored: &[&str]| {
        let import = ImportOptions { labels: names(labels), ignored: names(ignored), ..ImportOptions::default() };
        import_csv(text, &import).unwrap_err().to_string()
    };
    assert!(refused(&["jaz"], &[]).contains("`--labels` names `jaz`") && refused(&["jaz"], &[]).contains("label:pop"));
    assert!(refused(&[], &["titel"]).contains("`--ignore` names `titel`"));
    assert!(refused(&["jazz"], &["jazz"]).contains("choose one"));
    let twice =
        import_csv("a,label:a,b\n0,0,1\n1,1,2\n", &ImportOptions { labels: names(&["a"]), ..ImportOptions::default() });
    assert_eq!(
        twice.unwrap_err().to_string(),
        "`a` is a label twice, as the columns `a` and `label:a`: rename or remove one of them"
    );
    let blank = error("label:a,label: a,x\n0,0,1\n1,1,2\n");
    assert!(blank.starts_with("`a` is a label twice, as the columns `label: a` and `label:a`: "), "{blank}");
}

#[test]
fn missing_values_are_imputed_from_the_training_rows_and_counted() {
    let text = "split,tempo,key,label:a\ntest,,7,1\ntrain,2,1,0\ntrain,NaN,1,1\ntrain,6,5,0\ntest,90,,1\n";
    let imported = |how| import_csv(text, &ImportOptions { impute: Some(how), ..ImportOptions::default() }).unwrap();
    let mean = imported(Impute::Mean);
    assert_eq!(mean.dataset.features, [2.0, 1.0, 4.0, 1.0, 6.0, 5.0, 4.0, 7.0, 90.0, 7.0 / 3.0]);
    let columns = [("key".to_owned(), 1), ("tempo".to_owned(), 2)].into();
    let fills = [("key".to_owned(), 7.0 / 3.0), ("tempo".to_owned(), 4.0)].into();
    assert_eq!(mean.imputed, Some(Imputed { how: Impute::Mean, columns, fills }));
    assert_eq!(mean.info(b"").imputed, mean.imputed);
    assert_eq!(imported(Impute::MostFrequent).dataset.features[6..], [2.0, 7.0, 90.0, 1.0]);
    let full = "tempo,label:a\n1,0\n2,1\n3,1\n";
    assert_eq!(
        import_csv(full, &ImportOptions { impute: Some(Impute::Mean), ..ImportOptions::default() }).unwrap().imputed,
        None
    );
    let impute = ImportOptions { impute: Some(Impute::Median), ..ImportOptions::default() };
    for (text, expected) in [
        ("tempo,label:a\n1,0\nfast,1\n3,0\n", "line 3 has no number but `fast`"),
        ("tempo,label:a\n1,0\ninf,1\n3,0\n", "line 3 is infinite"),
        ("tempo,label:a\n1,0\n2,\n3,0\n", "column `label:a` (line 3 is neither 0 nor 1)"),
        ("split,tempo,label:a\ntrain,,0\ntest,1,1\n", "no value in the training rows"),
    ] {
        let message = import_csv(text, &impute).unwrap_err().to_string();
        assert!(message.contains(expected), "{text:?}: {message}");
    }
}

#[test]
fn null_and_nan_are_missing_in_parquet() {
    let schema = "message rows { optional double tempo; optional int64 key; required int32 a;
                  required binary split (UTF8); }";
    // Three row groups, the second without a row.
    let mut groups = [(0, 2), (2, 2), (2, 4)].into_iter();
    let bytes = parquet(schema, 3, |group| {
        let (from, to) = groups.next().unwrap();
        let values = |has: &[i16]| (has[..from].iter().sum::<i16>() as usize, has[..to].iter().sum::<i16>() as usize);
        let (tempo, key) = ([1, 0, 1, 1], [1, 1, 0, 1]);
        let (first, end) = values(&tempo);
        column::<DoubleType>(group, &[1.0, f64::NAN, 5.0][first..end], Some(&tempo[from..to]));
        let (first, end) = values(&key);
        column::<Int64Type>(group, &[1, 2, 2][first..end], Some(&key[from..to]));
        column::<Int32Type>(group, &[0, 1, 0, 1][from..to], None);
        column::<ByteArrayType>(group, &["train", "train", "test", "train"].map(ByteArray::from)[from..to], None);
    });
    let import = ImportOptions { labels: vec!["a".into()], ..ImportOptions::default() };
    let refused = import_of(&bytes, &import).unwrap_err().to_string();
    assert!(
        refused.contains("column `tempo` lacks 2 of 4 values, the first in row 2, and so does another"),
        "{refused}"
    );
    let imported = import_of(&bytes, &ImportOptions { impute: Some(Impute::Median), ..import }).unwrap();
    assert_eq!(imported.dataset.features, [1.0, 1.0, 3.0, 2.0, 5.0, 2.0, 3.0, 2.0]);
    assert_eq!(imported.imputed.unwrap().columns, [("key".to_owned(), 1), ("tempo".to_owned(), 2)].into());
}

#[test]
fn the_baseline_is_the_share_of_the_most_frequent_label_set_of_the_training_rows() {
    let text = "split,tempo,label:a,label:b\ntrain,1,1,0\ntrain,2,1,1\ntrain,3,1,0\ntest,4,1,1\ntest,5,1,1\n";
    let info = describe(&read_csv(text).unwrap(), b"");
    assert_eq!(info.training, Some(Training { rows: 3, tracks: None, baseline: 2.0 / 3.0 }));
}

#[test]
fn an_empty_line_of_too_many_separators_condemns_no_row() {
    let rows = model_rows(b"x,y\n1,2\n,,,\n3,4\n", &["x".into(), "y".into()], &[]).unwrap();
    assert_eq!((rows.features, rows.unusable.len()), (vec![1.0, 2.0, 3.0, 4.0], 0));
}

#[test]
fn too_many_values_in_a_row_are_no_silent_loss() {
    let message = error("tempo,label:a\n1,0\n\n2,1,5\n3,0\n");
    assert!(message.starts_with("line 4 has 3 values, and the line of column names has 2"), "{message}");
}

#[test]
fn damaged_files_are_refused_in_one_line() {
    let parquet = include_bytes!("pandas/outside.parquet");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"tempo,label:a\n1,0\n2,1\n3,0\n").unwrap();
    let gzip = gzip.finish().unwrap();
    let refused = |bytes: &[u8]| match read(bytes, &SplitSettings::default()) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    for length in 4..parquet.len() {
        assert!(
            refused(&parquet[..length]).ends_with("the Parquet file is damaged or cut off: fetch or write it again")
        );
    }
    for length in 2..gzip.len() {
        assert!(refused(&gzip[..length]).ends_with("the gzip file is damaged or cut off: fetch or pack it again"));
    }
    // The decoder panics at the first two of these, and finds the third itself; the others change a label's name and values.
    for (place, bit) in [(1362, 0), (181, 2), (1953, 7), (1237, 0), (978, 0)] {
        let mut flipped = parquet.to_vec();
        flipped[place] ^= 1 << bit;
        let message = refused(&flipped);
        assert!(!message.is_empty() && !message.contains(['\n', '\r']), "{place} {bit}: {message}");
    }
}

#[test]
fn what_was_imported_is_read_back_whatever_its_columns_look_like_by_then() {
    // A gap, and rows of tracks that are joined: neither is a row number before, both are after.
    let gap = "no,label:a\n1,0\n2,1\n,0\n4,1\n5,1\n";
    let zero = import_csv(gap, &ImportOptions { impute: Some(Impute::Zero), ..ImportOptions::default() }).unwrap();
    let tracks = "track_id,index,genres\na,1,pop\na,1,rock\nb,2,pop\nb,2,jazz\nc,3,rock\nd,4,jazz\n";
    let genres = GenreColumn { name: "genres".into(), separator: None, label_selection: Default::default() };
    let joined = import_csv(tracks, &ImportOptions { genres: Some(genres), ..ImportOptions::default() }).unwrap();
    // Names that were accepted before they were looked at.
    let named = |name: &str| Dataset {
        feature_names: vec![name.to_owned(), "tempo".to_owned()],
        ..dataset((0..12).map(f64::from).collect(), &["folk"])
    };
    let before = ["index", "Label:pop", "label_pop", "Unnamed: 0", "...1"].map(named);
    for dataset in [zero.dataset, joined.dataset].into_iter().chain(before) {
        for bytes in [to_parquet(&dataset).unwrap(), to_csv(&dataset).unwrap()] {
            assert_eq!(read(&bytes, &SplitSettings::default()).as_ref(), Ok(&dataset));
        }
    }
}

#[test]
fn a_row_without_an_id_has_no_other_rows() {
    let text = "Spotify ID,x,label:a\n4,0.5,0\n1,1.5,1\n,2.5,0\nrow 6,3.5,1\n,4.5,0\n6,5.5,1\n,6.5,0\n";
    let mut ids = read_csv(text).unwrap().track_ids;
    ids.sort();
    assert_eq!(ids, ["1", "4", "6", "8", "row 4", "row 6", "row row 6"]);
    let rows = model_rows(text.as_bytes(), &["x".into()], &[]).unwrap();
    assert_eq!(rows.ids, ["4", "1", "row 4", "row 6", "row row 6", "6", "8"]);
}

#[test]
fn a_track_that_this_program_stored_under_an_odd_id_keeps_it() {
    let text = "track_id,tempo,split,label:a\nNA,1,train,0\nnull,2,train,1\nx,3,test,1\n";
    assert_eq!(read_csv(text).unwrap_err().to_string().split(" has no id").next(), Some("column `track_id`, line 2"));
    assert_eq!(read(text.as_bytes(), &SplitSettings::default()).unwrap().track_ids, ["NA", "null", "x"]);
}

#[test]
fn a_model_takes_a_table_whose_other_columns_of_ids_come_twice() {
    let rows = |text: &str| model_rows(text.as_bytes(), &["x".into()], &[]).unwrap();
    let taken = rows("track_id,id,x,id\na,1,0.5,1\nb,2,1.5,2\n");
    assert_eq!((taken.ids, taken.features, taken.notes.len()), (vec!["a".into(), "b".into()], vec![0.5, 1.5], 0));
    let other = rows("id,x,isrc,id\n1,0.5,i1,1\n2,1.5,i2,2\n");
    assert_eq!(other.ids, ["i1", "i2"]);
    assert_eq!(other.notes, ["`isrc` was taken for the `track_id`: rows with the same `isrc` are taken as one track"]);
    assert_eq!(rows("id,x,id\na,0.5,a\nb,1.5,b\n").ids, ["2", "3"], "nobody can tell which");
    for text in ["track_id,x,track_id\na,1,a\n", "x,id,x\n1,a,2\n"] {
        let refused = model_rows(text.as_bytes(), &["x".into()], &[]).unwrap_err().to_string();
        assert!(refused.contains(" comes twice: rename or remove"), "{refused}");
    }
}

#[test]
fn places_are_those_of_the_file() {
    // Empty lines, a line end within quotes, a line of separators, and the line that Excel says its separator in.
    let rows = "x;y;note;label:a\r\n\r\n1;2;\"two\r\nlines\";0\r\n;;;\r\n3;4;b;1\r\n5;z;c;0\r\n";
    let said =
        ["sep=;\r\n", "SEP=;\r\n", "Sep=;\n", "\"sep=;\"\r\n", "sep=;;;;\r\n"].map(|said| (format!("{said}{rows}"), 8));
    for (text, line) in [(rows.to_owned(), 7)].into_iter().chain(said) {
        let ignored = ImportOptions { ignored: vec!["note".into()], ..ImportOptions::default() };
        let message = import_csv(&text, &ignored).unwrap_err().to_string();
        assert!(
            message.contains(&format!("column `y` (line {line} has no number but `z`): correct line {line}, or")),
            "{message}"
        );
        let rows = model_rows(text.as_bytes(), &["x".into(), "y".into()], &[]).unwrap();
        let lines: Vec<String> = [3, 6, 7].map(|at| (at + line - 7).to_string()).into();
        assert_eq!(rows.ids, lines);
        assert!(
            rows.unusable[&2].starts_with(&format!("line {line}: `y` has no number but `z`")),
            "{:?}",
            rows.unusable
        );
    }
    let bytes = parquet("message m { required double x; required int32 a; }", 1, |group| {
        column::<DoubleType>(group, &[1.0, 2.0, f64::INFINITY], None);
        column::<Int32Type>(group, &[0, 1, 0], None);
    });
    let message = import_of(&bytes, &ImportOptions { labels: vec!["a".into()], ..ImportOptions::default() })
        .unwrap_err()
        .to_string();
    assert!(message.contains("column `x` (row 3 is infinite): correct row 3, or"), "a row of Parquet: {message}");
    let rows = model_rows(&bytes, &["x".into()], &["a".into()]).unwrap();
    assert_eq!(
        (rows.ids, rows.unusable[&2].as_str()),
        (vec!["1".into(), "2".into(), "3".into()], "row 3: `x` is infinite")
    );
}

#[test]
fn rows_of_parquet_are_named_each_for_itself_whatever_the_type_of_a_column() {
    let schema = "message m { optional binary x (UTF8); optional double y; optional int32 a; }";
    let texts = ["NA", "much"].map(ByteArray::from);
    let rows = |has: &[i16; 3], y: &[f64]| {
        let bytes = parquet(schema, 1, |group| {
            column::<ByteArrayType>(group, &texts[..has.iter().sum::<i16>() as usize], Some(has));
            column::<DoubleType>(group, y, Some(&[1, 1, 1]));
            column::<Int32Type>(group, &[1, 2], Some(&[1, 0, 1]));
        });
        model_rows(&bytes, &["x".into(), "y".into()], &["a".into()])
    };
    let found = rows(&[1, 1, 0], &[f64::NAN; 3]).unwrap();
    assert!(found.features.iter().all(|value| value.is_nan()), "nothing and `NA` are missing, and a text is no number");
    assert_eq!(found.unusable.into_iter().collect::<Vec<_>>(), [(1, "row 2: `x` has no number but `much`".to_owned())]);
    assert_eq!(found.labels, [Some(vec![1]), None, None]);
    assert_eq!(found.notes, ["`a` is neither 0 nor 1 in row 3: the truth of such rows is not known"]);
    let infinite = rows(&[0, 0, 0], &[f64::INFINITY, f64::NEG_INFINITY, 1e300]).unwrap_err().to_string();
    assert_eq!(
        infinite,
        "cannot use column `y` (row 1 is infinite, and 2 more are no better), which the model takes: correct the file"
    );
}

#[test]
fn values_that_no_model_takes_are_refused_in_all_columns_at_once_and_a_line_of_sums_is_named() {
    let import_by = ImportOptions { impute: Some(Impute::Zero), ..ImportOptions::default() };
    let message = |text: &str| import_csv(text, &import_by).unwrap_err().to_string();
    let said = message("x,y,z,label:a\n1,2,3,0\n1e308,-inf,3,1\n-4e38,2,3.4e38,0\n4,5,6,1\n");
    assert_eq!(
        said,
        "cannot use 2 columns, `x` (line 3 is 1e308, beyond ±3.4e38, and 1 more is no better), `y` (line 3 is infinite): \
         correct line 3, or remove it if that is a sum, a note or other names of columns, or leave the columns out with \
         `--ignore x,y`"
    );
    let sums = message("track_id,x,label:a,label:b\na,1,0,1\nb,2,1,0\nc,3,1,1\nTotal,,123,2\n");
    assert_eq!(
        sums,
        "cannot use 2 columns, `label:a` (line 5 is neither 0 nor 1), `label:b` (line 5 is neither 0 nor 1): correct line 5, \
         or remove it if that is a sum, a note or other names of columns"
    );
    let names = message("x,y,label:a\nms,bpm,yes\n1,2,0\n3,4,1\n");
    assert!(names.contains("correct line 2, or remove it") && names.contains("`--ignore x,y`"), "{names}");
    let several = message("x,label:a\n1,0\n2,5\n3,1\n4,6\n");
    assert!(several.ends_with("(line 3 is neither 0 nor 1, and 1 more is no better): correct the file"), "{several}");
    let none = message("x,label:a\n1,yes\n2,no\n");
    assert!(none.contains("`label:a` (has neither 0 nor 1)") && none.contains("--ignore label:a"), "{none}");
}
