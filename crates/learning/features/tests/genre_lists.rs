//! Labels from Parquet's lists of texts, as pandas, polars and Spark write them.

use std::sync::Arc;

use features::{GenreColumn, ImportOptions, ImportedDataset, import};
use model::tag::{LabelSelection, canonical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

/// The rows of all tables: no list, an empty one, one with a text that is missing, and others.
const LIST_COLUMN: [Option<&[Option<&str>]>; 6] = [
    None,
    Some(&[]),
    Some(&[Some("jazz"), None, Some("Hip-Hop")]),
    Some(&[Some("jazz")]),
    Some(&[Some("r&amp;b, soul"), Some("hip hop"), Some(" ")]),
    Some(&[Some("jazz"), Some("hip hop")]),
];

type Group<'a> = SerializedRowGroupWriter<'a, Vec<u8>>;

/// A file of so many row groups that `write` fills.
fn parquet(schema: &str, groups: usize, write: impl Fn(&mut Group<'_>, usize)) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Default::default()).unwrap();
    for at in 0..groups {
        let mut group = writer.next_row_group().unwrap();
        write(&mut group, at);
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

fn column<T: DataType>(group: &mut Group<'_>, values: &[T::T], levels: Option<[&[i16]; 2]>) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, levels.map(|[def, _]| def), levels.map(|[_, rep]| rep)).unwrap();
    column.close().unwrap();
}

/// Lists with the levels of this layout: of a null list, of an empty one, of a missing text, and of a text. Where the layout
/// knows no null, there is an empty list or no text.
fn lists(group: &mut Group<'_>, rows: &[Option<&[Option<&str>]>], [null, empty, missing, full]: [i16; 4]) {
    let (mut texts, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let items: Vec<&Option<&str>> =
            row.iter().copied().flatten().filter(|text| text.is_some() || missing < full).collect();
        if items.is_empty() {
            definitions.push(if row.is_none() { null } else { empty });
            repetitions.push(0);
        }
        for (at, item) in items.into_iter().enumerate() {
            definitions.push(if item.is_some() { full } else { missing });
            repetitions.push(i16::from(at > 0));
            texts.extend(item.map(ByteArray::from));
        }
    }
    column::<ByteArrayType>(group, &texts, Some([&definitions, &repetitions]));
}

fn by_genres(separator: Option<&str>) -> ImportOptions {
    let separator = separator.map(|separator| separator.parse().unwrap());
    ImportOptions {
        genres: Some(GenreColumn { name: "genres".into(), separator, label_selection: LabelSelection::default() }),
        ..ImportOptions::default()
    }
}

/// A table with this column of genres, of two row groups.
fn table(genres: &str, levels: [i16; 4]) -> Vec<u8> {
    parquet(&format!("message m {{ required int64 track_id; {genres} required double x; }}"), 2, |group, at| {
        let rows = at * 3..at * 3 + 3;
        let numbers: Vec<i64> = rows.clone().map(|row| row as i64).collect();
        column::<Int64Type>(group, &numbers, None);
        lists(group, &LIST_COLUMN[rows], levels);
        column::<DoubleType>(group, &numbers.iter().map(|number| *number as f64 * 0.5).collect::<Vec<_>>(), None);
    })
}

#[test]
fn lists_in_every_layout_become_labels() {
    let soul = canonical("r&b, soul").unwrap();
    for (genres, levels) in [
        // pandas, polars and Spark.
        ("optional group genres (LIST) { repeated group list { optional binary element (UTF8); } }", [0, 1, 2, 3]),
        ("optional group genres (LIST) { repeated group list { optional binary item (STRING); } }", [0, 1, 2, 3]),
        ("required group genres (LIST) { repeated group list { required binary element (UTF8); } }", [0, 0, 1, 1]),
        // Hive, and Spark with `writeLegacyFormat`.
        ("optional group genres (LIST) { repeated group bag { optional binary array (UTF8); } }", [0, 1, 2, 3]),
        // Two levels, as Avro and Thrift have written them.
        ("optional group genres (LIST) { repeated binary array (UTF8); }", [0, 1, 2, 2]),
        ("required group genres (LIST) { repeated binary genres_tuple (UTF8); }", [0, 0, 1, 1]),
        // Protocol buffers.
        ("repeated binary genres (UTF8);", [0, 0, 1, 1]),
    ] {
        let bytes = table(genres, levels);
        let ImportedDataset { dataset, notes, .. } = import(&bytes, &by_genres(None)).unwrap();
        assert_eq!(dataset.feature_names, ["x"], "{genres}");
        let mut rows: Vec<(String, Vec<String>)> =
            (0..dataset.rows()).map(|row| (dataset.track_ids[row].clone(), dataset.labels_of(row))).collect();
        rows.sort();
        let expected = [
            ("2", &["hip hop", "jazz"][..]),
            ("3", &["jazz"]),
            ("4", &["hip hop", &soul]),
            ("5", &["hip hop", "jazz"]),
        ];
        let expected =
            expected.map(|(id, labels)| (id.to_owned(), labels.iter().map(|label| label.to_string()).collect()));
        assert_eq!(rows, expected, "{genres}");
        assert_eq!(notes[0], "2 of 6 rows were left out: 2 without a genre", "{genres}");

        let named = import(&bytes, &by_genres(Some(";"))).unwrap().notes;
        assert_eq!(named[0], "no cell of `genres` has a semicolon: they are lists already, or empty");
        let feature = import(&bytes, &ImportOptions { labels: vec!["x".into()], ..ImportOptions::default() })
            .unwrap_err()
            .to_string();
        assert!(feature.contains("`genres` (holds lists)") && feature.contains("--ignore genres"), "{feature}");
    }
}

#[test]
fn lists_of_anything_else_are_refused_with_what_is_needed() {
    let bytes =
        table("optional group genres (LIST) { repeated group list { optional binary element; } }", [0, 1, 2, 3]);
    assert_eq!(
        import(&bytes, &by_genres(None)).unwrap_err().to_string(),
        "column `genres` holds neither texts nor lists of texts: write the names of genres into it, or name another column"
    );
}

const GENRES: &str = "optional group genres (LIST) { repeated group list { optional binary element (UTF8); } }";

#[test]
fn a_small_file_does_not_unpack_to_lists_without_end() {
    // Missing texts take no room: a few kilobytes say that there are more than are read of any file.
    let length = 1 << 20;
    let definitions = vec![2; length];
    let mut repetitions = vec![1; length];
    repetitions[0] = 0;
    let schema = format!("message m {{ {GENRES} }}");
    let bytes =
        parquet(&schema, 17, |group, _| column::<ByteArrayType>(group, &[], Some([&definitions, &repetitions])));
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    let refused = import(&bytes, &by_genres(None)).unwrap_err().to_string();
    assert_eq!(refused, "the lists of `genres` hold more than 16,777,216 texts: take fewer rows");
    // Nobody asked for them.
    let feature = import(&bytes, &ImportOptions::default()).unwrap_err().to_string();
    assert!(feature.contains("no label columns among genres"), "{feature}");
}

#[test]
fn a_small_file_does_not_unpack_to_texts_without_end() {
    // A dictionary holds the text once.
    let (text, length) = (ByteArray::from("x".repeat(10_000).as_str()), 30_000);
    let texts = vec![text; length];
    let (definitions, repetitions) = (vec![3; length], vec![0; length]);
    let schema = format!("message m {{ {GENRES} }}");
    let bytes =
        parquet(&schema, 1, |group, _| column::<ByteArrayType>(group, &texts, Some([&definitions, &repetitions])));
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    let refused = import(&bytes, &by_genres(None)).unwrap_err().to_string();
    assert_eq!(refused, "the lists of `genres` hold more than 256 MiB of text: take fewer rows");
}
