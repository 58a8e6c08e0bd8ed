//! Small files that say they hold more than there is room for.

mod common;

use std::io::Write;

use common::{column, parquet};
use features::{ImportOptions, import, model_rows, read};
use model::settings::SplitSettings;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType};

#[test]
fn a_small_gzip_file_does_not_unpack_without_end() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(b"tempo,label:a\n").unwrap();
    let rows = b"1,0\n".repeat(1 << 18);
    (0..80).for_each(|_| gzip.write_all(&rows).unwrap());
    let message = read(&gzip.finish().unwrap(), &SplitSettings::default()).unwrap_err().to_string();
    assert!(
        message.contains("the gzip file unpacks to more than") && message.contains("unpack it yourself"),
        "{message}"
    );
}

#[test]
fn columns_that_a_model_does_not_take_count_for_nothing() {
    // More than is read of any file; packed they are a few kilobytes.
    let truths = vec![true; 1 << 20];
    let schema = "message rows { required boolean other; }";
    let file = parquet(schema, (1 << 9) + 1, |group| column::<BoolType>(group, &truths, None));
    let read = |name: &str| model_rows(&file, &[name.to_owned()], &[]).unwrap_err().to_string();
    assert!(read("x").contains("the file has no column x, which the model takes"), "{}", read("x"));
    let said = read("other");
    assert!(said.contains("more than 536870912 values: take fewer rows") && !said.contains("leave"), "{said}");
}

#[test]
fn texts_that_a_dictionary_holds_once_are_counted_as_often_as_rows_have_them() {
    let texts = vec![ByteArray::from("x".repeat(600_000).as_str()); 1_000];
    // Neither of the columns is too much alone.
    let schema = "message rows { required binary title (UTF8); required binary album (UTF8); }";
    let file = parquet(schema, 1, |group| (0..2).for_each(|_| column::<ByteArrayType>(group, &texts, None)));
    assert!(file.len() < 2 << 20, "{} bytes", file.len());
    let refused = |import_: &ImportOptions| import(&file, import_).unwrap_err().to_string();
    let said = refused(&ImportOptions::default());
    assert_eq!(said, "the Parquet file has more than 1024 MiB of text to read: take fewer rows, or leave columns out");
    let less = refused(&ImportOptions { ignored: vec!["title".into(), "album".into()], ..ImportOptions::default() });
    assert!(less.contains("no label columns among title, album"), "{less}");
    let model = model_rows(&file, &["title".to_owned(), "album".to_owned()], &[]).unwrap_err().to_string();
    assert!(model.ends_with("MiB of text to read: take fewer rows"), "{model}");
}
