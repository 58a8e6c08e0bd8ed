//! Tables as people have them, read as pandas reads them.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use features::{DatasetError, ImportOptions, ReadOptions, Table, import};
use flate2::Compression;
use flate2::write::GzEncoder;
use model::dataset::Impute;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::{Deserialize, Serialize};

/// Tables that are written and read; pandas is started once for all of them.
const TABLES: usize = 400;

/// How a table is laid out.
#[derive(Debug, Clone, Serialize)]
struct Layout {
    file: String,
    separator: char,
    encoding: &'static str,
    decimal: char,
    gzip: bool,
    blank_after_separator: bool,
    texts: Vec<String>,
    #[serde(skip)]
    blank_before_separator: bool,
    #[serde(skip)]
    quotes_all: bool,
    #[serde(skip)]
    newline: &'static str,
    #[serde(skip)]
    ends_with_newline: bool,
    #[serde(skip)]
    empty_line_every: usize,
}

/// A cell before it is laid out.
#[derive(Debug, Clone)]
enum Cell {
    Text(String),
    Number(f64),
    Whole(i64),
    Truth(bool),
    Missing(&'static str),
}

#[derive(Debug, Clone)]
struct Made {
    layout: Layout,
    names: Vec<String>,
    rows: Vec<Vec<Cell>>,
    /// Rows whose last value is left out with its separator.
    short: Vec<bool>,
}

fn layout() -> impl Strategy<Value = Layout> {
    let separators = prop::sample::select(vec![',', ';', '\t', '|']);
    let encodings = prop::sample::select(vec!["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "cp1252"]);
    let newlines = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    let flags = prop::collection::vec(any::<bool>(), 6);
    (separators, encodings, newlines, flags, 0usize..6).prop_map(|(separator, encoding, newline, flags, empty)| {
        Layout {
            file: String::new(),
            separator,
            encoding,
            decimal: if separator != ',' && flags[0] { ',' } else { '.' },
            gzip: flags[1],
            // A blank behind a tab is no layout that anybody has.
            blank_after_separator: flags[2] && separator != '\t',
            blank_before_separator: flags[3],
            quotes_all: flags[4],
            newline,
            ends_with_newline: flags[5],
            empty_line_every: empty,
            texts: Vec::new(),
        }
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-zéüñøß][a-z 0-9]{0,8}[a-zé]",
        "[A-Z][a-z]{1,5} [0-9]{1,2}\" [a-z]{1,4}",
        "[a-z]{1,4}[,;|\t][a-z\"]{0,4}[a-z]",
        Just(String::new()),
        Just("O'Neill & Sons".to_owned()),
    ]
}

fn feature(kind: usize) -> BoxedStrategy<Cell> {
    let missing = || prop::sample::select(vec!["", "NA", "NaN", "null", "None", "#N/A", "nan"]).prop_map(Cell::Missing);
    match kind {
        0 => prop_oneof![8 => (-1e6..1e6f64).prop_map(Cell::Number), 1 => missing()].boxed(),
        1 => any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(Cell::Number).boxed(),
        2 => prop_oneof![8 => (-999i64..999_999).prop_map(Cell::Whole), 1 => missing()].boxed(),
        3 => any::<bool>().prop_map(Cell::Truth).boxed(),
        _ => (0..100_000i32).prop_map(|value| Cell::Number(f64::from(value) / 1_000.0)).boxed(),
    }
}

fn made() -> impl Strategy<Value = Made> {
    let kinds = prop::collection::vec(0usize..5, 1..5);
    (layout(), kinds, 3usize..25).prop_flat_map(|(mut layout, kinds, rows)| {
        let mut names: Vec<String> = ["track_id", "artist", "label:jazz", "label:R&B, soul"].map(String::from).into();
        names.extend((0..kinds.len()).map(|i| format!("feature {i} (ms)")));
        layout.texts = names[..2].to_vec();
        let row = move |kinds: &[usize]| {
            let features: Vec<_> = kinds.iter().map(|kind| feature(*kind)).collect();
            ("[0-9]{3}[a-z]{2}", text(), any::<bool>(), any::<bool>(), features).prop_map(
                |(id, artist, a, b, features)| {
                    let labels = [Cell::Whole(i64::from(a)), Cell::Truth(b)];
                    [Cell::Text(id), Cell::Text(artist)].into_iter().chain(labels).chain(features).collect::<Vec<_>>()
                },
            )
        };
        let rows = prop::collection::vec((row(&kinds), prop::bool::weighted(0.1)), rows);
        rows.prop_map(move |rows| {
            let (rows, short) = rows.into_iter().unzip();
            Made { layout: layout.clone(), names: names.clone(), rows, short }
        })
    })
}

impl Made {
    fn cell(&self, cell: &Cell) -> String {
        let mark = |text: String| text.replace('.', &self.layout.decimal.to_string());
        let text = match cell {
            Cell::Text(text) => return self.quoted(text, self.layout.quotes_all),
            Cell::Number(value) if value.abs() >= 1e15 || (*value != 0.0 && value.abs() < 1e-5) => {
                mark(format!("{value:e}"))
            }
            Cell::Number(value) => mark(value.to_string()),
            Cell::Whole(value) => value.to_string(),
            Cell::Truth(value) => if *value { "True" } else { "False" }.to_owned(),
            Cell::Missing(word) => (*word).to_owned(),
        };
        self.quoted(&text, self.layout.quotes_all && !text.is_empty())
    }

    fn quoted(&self, text: &str, always: bool) -> String {
        if always || text.contains(self.layout.separator) || text.starts_with('"') {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    }

    fn line(&self, cells: &[String]) -> String {
        let after = if self.layout.blank_after_separator { " " } else { "" };
        // pandas takes a blank behind a closing quote for text.
        let before = if self.layout.blank_before_separator && !self.layout.quotes_all { " " } else { "" };
        let is_quoted = |cell: &String| cell.starts_with('"');
        let cells = cells.iter().map(|cell| if is_quoted(cell) { cell.clone() } else { format!("{cell}{before}") });
        cells.collect::<Vec<_>>().join(&format!("{}{after}", self.layout.separator))
    }

    fn text(&self) -> String {
        let names: Vec<String> = self.names.iter().map(|name| self.quoted(name, self.layout.quotes_all)).collect();
        let mut lines = vec![self.line(&names)];
        for (i, row) in self.rows.iter().enumerate() {
            let mut cells: Vec<String> = row.iter().map(|cell| self.cell(cell)).collect();
            if self.short[i] {
                cells.pop();
            }
            lines.push(self.line(&cells));
            if self.layout.empty_line_every > 0 && i % self.layout.empty_line_every == 0 {
                lines.push(String::new());
            }
        }
        let end = if self.layout.ends_with_newline { self.layout.newline } else { "" };
        lines.join(self.layout.newline) + end
    }

    fn bytes(&self) -> Vec<u8> {
        let text = self.text();
        let units =
            |bytes: fn(u16) -> [u8; 2]| "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect();
        let bytes: Vec<u8> = match self.layout.encoding {
            "utf-8" => text.clone().into_bytes(),
            "utf-8-sig" => format!("\u{feff}{text}").into_bytes(),
            "utf-16-le" => units(u16::to_le_bytes),
            "utf-16-be" => units(u16::to_be_bytes),
            // What is generated is in Latin-1, whose code points are its bytes.
            _ => text.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect(),
        };
        if !self.layout.gzip {
            return bytes;
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&bytes).unwrap();
        gzip.finish().unwrap()
    }
}

/// What pandas read.
#[derive(Debug, Deserialize)]
struct Read {
    rows: usize,
    names: Vec<String>,
    columns: BTreeMap<String, Values>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Values {
    Numbers(Vec<Option<f64>>),
    Texts(Vec<String>),
}

/// Has pandas read these tables.
fn with_pandas(python: &Path, made: &mut [Made]) -> Vec<Read> {
    let folder = tempfile::tempdir().unwrap();
    for (i, made) in made.iter_mut().enumerate() {
        made.layout.file = format!("{i}.csv");
        std::fs::write(folder.path().join(&made.layout.file), made.bytes()).unwrap();
    }
    let layouts: Vec<_> = made
        .iter()
        .map(|made| {
            let encoding = if made.layout.encoding.starts_with("utf-16") { "utf-16" } else { made.layout.encoding };
            Layout { encoding, ..made.layout.clone() }
        })
        .collect();
    std::fs::write(folder.path().join("cases.json"), serde_json::to_vec(&layouts).unwrap()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pandas/tables.py");
    let status = Command::new(python).arg(script).arg(folder.path()).status().unwrap();
    assert!(status.success(), "pandas could not read a table");
    serde_json::from_slice(&std::fs::read(folder.path().join("read.json")).unwrap()).unwrap()
}

/// Where generated tables come from: another seed each time, which a failing test prints and `SPOTIFAI_TEST_SEED` repeats.
struct Seeded {
    seed: u64,
    runner: TestRunner,
}

impl Seeded {
    fn new() -> Self {
        let given = std::env::var("SPOTIFAI_TEST_SEED").ok();
        let seed =
            given.map_or_else(|| RandomState::new().hash_one(0), |seed| seed.parse().expect("a seed is a number"));
        let bytes: Vec<u8> = [seed; 4].iter().flat_map(|word| word.to_le_bytes()).collect();
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        Self { seed, runner: TestRunner::new_with_rng(Config::default(), rng) }
    }
}

impl Drop for Seeded {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to repeat it: SPOTIFAI_TEST_SEED={}", self.seed);
        }
    }
}

fn generated(tables: usize, runner: &mut TestRunner) -> Vec<Made> {
    (0..tables).map(|_| made().new_tree(runner).unwrap().current()).collect()
}

#[test]
fn rows_columns_and_values_are_those_that_pandas_reads() {
    let Some(python) = testkit::pandas("rows_columns_and_values_are_those_that_pandas_reads") else { return };
    let mut seeded = Seeded::new();
    let mut made = generated(TABLES, &mut seeded.runner);
    let expected = with_pandas(&python, &mut made);
    for (made, expected) in made.iter().zip(&expected) {
        let shown = || format!("{:?}\n{}", made.layout, made.text());
        let table =
            Table::read(&made.bytes(), &ReadOptions::default()).unwrap_or_else(|error| panic!("{error}\n{}", shown()));
        assert_eq!(table.rows(), expected.rows, "{}", shown());
        assert_eq!(table.names().collect::<Vec<_>>(), expected.names, "{}", shown());
        for (name, values) in &expected.columns {
            match values {
                Values::Texts(texts) => {
                    let read: Vec<String> =
                        table.texts(name).unwrap().into_iter().map(Option::unwrap_or_default).collect();
                    assert_eq!(&read, texts, "{name}\n{}", shown());
                }
                // pandas has a column without any number, which is refused here.
                Values::Numbers(numbers) if numbers.iter().all(Option::is_none) => {
                    assert!(table.numbers(name).unwrap_err().to_string().contains("has no numbers"), "{}", shown());
                }
                Values::Numbers(numbers) => {
                    let read = table.numbers(name).unwrap_or_else(|error| panic!("{error}\n{}", shown()));
                    let read: Vec<Option<f64>> =
                        read.into_iter().map(|value| (!value.is_nan()).then_some(value)).collect();
                    assert_eq!(&read, numbers, "{name}\n{}", shown());
                }
            }
        }
        let is_plain = made.layout.separator == ',' && made.layout.encoding != "cp1252";
        let told = table.notes().iter().any(|note| note.contains("separator"));
        assert!(is_plain || told || made.layout.separator == ',', "{}", shown());
        assert_eq!(told, made.layout.separator != ',', "{:?}\n{}", table.notes(), shown());
    }
}

/// Columns that are no features, by what they are called and what is in them.
fn intruder() -> impl Strategy<Value = (String, bool)> {
    let row_numbers = prop::sample::select(vec![
        "",
        "Unnamed: 0",
        "Unnamed: 0.1",
        "index",
        "Index",
        "level_0",
        "__index_level_0__",
        "...1",
        "row_number",
        "id",
        "song_id",
        "isrc",
        "Album ID",
        "artistId",
    ]);
    let labels = prop::sample::select(vec![
        "Label:pop",
        "LABEL:x",
        "label_pop",
        "label.pop",
        "labels:pop",
        "label :pop",
        "label",
        "Label pop",
        "label-pop",
        "lable:pop",
        "lbl:pop",
        "genre:pop",
        "genre_pop",
        "genres.pop",
        "tag: pop",
        "pop_label",
        "pop-genre",
        "is_jazz",
        "isHipHop",
        "target",
    ]);
    prop_oneof![row_numbers.prop_map(|name| (name.to_owned(), true)), labels.prop_map(|name| (name.to_owned(), false))]
}

/// Puts a column before all others, and an id of its own on every row.
fn with_intruder(mut made: Made, name: String, is_row_number: bool) -> Made {
    made.names.insert(0, name);
    for (i, row) in made.rows.iter_mut().enumerate() {
        row[0] = Cell::Text(format!("t{i:03}"));
        // An index of rows that were drawn from more, in another order.
        row.insert(0, Cell::Whole(if is_row_number { i as i64 * 37 % 101 } else { i as i64 % 2 }));
    }
    made.short.fill(false);
    made
}

#[test]
fn no_row_number_and_no_label_of_another_spelling_becomes_a_feature() {
    let Some(python) = testkit::pandas("no_row_number_and_no_label_of_another_spelling_becomes_a_feature") else {
        return;
    };
    let mut seeded = Seeded::new();
    let mut made: Vec<Made> = generated(TABLES, &mut seeded.runner)
        .into_iter()
        .map(|made| {
            let (name, is_row_number) = intruder().new_tree(&mut seeded.runner).unwrap().current();
            with_intruder(made, name, is_row_number)
        })
        .collect();
    let expected = with_pandas(&python, &mut made);
    for (made, expected) in made.iter().zip(&expected) {
        let shown = || format!("{:?}\n{}", made.layout, made.text());
        let impute = ImportOptions { impute: Some(Impute::Zero), ..ImportOptions::default() };
        let refused = import(&made.bytes(), &impute).expect_err(&made.text());
        let told = refused.to_string();
        let DatasetError::Unusable(columns) = refused else { panic!("{told}\n{}", shown()) };
        assert_eq!(columns[0].column, expected.names[0], "{}", shown());
        assert!(told.contains(&format!("`{}` (", expected.names[0])) && told.contains("--ignore "), "{told}");

        let ignored: Vec<String> = columns.into_iter().map(|column| column.column).collect();
        let features: Vec<&String> = expected.names[5..].iter().filter(|name| !ignored.contains(name)).collect();
        if features.is_empty() {
            continue;
        }
        let import = import(&made.bytes(), &ImportOptions { ignored: ignored.clone(), ..impute });
        let dataset = import.unwrap_or_else(|error| panic!("{error}\n{}", shown())).dataset;
        assert_eq!(dataset.label_names, ["R&B, soul", "jazz"]);
        assert_eq!(dataset.feature_names.iter().collect::<Vec<_>>(), features, "{}", shown());
        assert_eq!(dataset.rows(), expected.rows);
        for (i, id) in dataset.track_ids.iter().enumerate() {
            let row: usize = id[1..].parse().unwrap();
            let value = |name: &str| match &expected.columns[name] {
                Values::Numbers(numbers) => numbers[row].unwrap_or(0.0),
                Values::Texts(_) => unreachable!(),
            };
            let values: Vec<f64> = features.iter().map(|name| value(name)).collect();
            assert_eq!(dataset.feature_row(i), values, "{}", shown());
            let labels = ["label:R&B, soul", "label:jazz"].map(|name| value(name) as u8);
            assert_eq!(dataset.label_row(i), labels, "{}", shown());
        }
    }
}

#[test]
fn parquet_of_any_type_is_read_or_refused_by_name_and_an_ignored_column_never_touched() {
    let test = "parquet_of_any_type_is_read_or_refused_by_name_and_an_ignored_column_never_touched";
    let Some(python) = testkit::pandas(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pandas/parquet_types.py");
    assert!(Command::new(python).arg(script).arg(folder.path()).status().unwrap().success());
    let types: BTreeMap<String, Option<Vec<f64>>> =
        serde_json::from_slice(&std::fs::read(folder.path().join("types.json")).unwrap()).unwrap();
    for (name, numbers) in types {
        let bytes = std::fs::read(folder.path().join(format!("{name}.parquet"))).unwrap();
        let without =
            import(&bytes, &ImportOptions { ignored: vec!["odd".into()], ..ImportOptions::default() }).unwrap().dataset;
        assert_eq!((without.rows(), without.feature_names), (30, vec!["tempo".to_owned()]), "{name}");
        assert_eq!(without.label_names, ["jazz"]);
        match (import(&bytes, &ImportOptions::default()), numbers) {
            (Ok(_), Some(numbers)) => {
                let table = Table::read(&bytes, &ReadOptions::default()).unwrap();
                assert_eq!(table.numbers("odd").unwrap(), numbers, "{name}");
            }
            (Err(DatasetError::Unusable(columns)), None) => assert_eq!(columns[0].column, "odd", "{name}"),
            (other, _) => panic!("{name}: {other:?}"),
        }
    }
}
