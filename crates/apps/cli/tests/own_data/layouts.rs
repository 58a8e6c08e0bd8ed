//! Tables in any layout, and documents that are none.

use super::{planned, refused, songs};

#[test]
fn tables_of_any_layout_are_read_and_what_was_found_out_is_told() {
    let joined = |separator: &'static str| move |cells: &[&str]| cells.join(separator) + "\n";
    let plain = songs(joined(","));
    assert_eq!(planned(&plain, &[]), ([40, 2, 2], String::new()));
    for (separator, name) in [(";", "a semicolon"), ("\t", "a tab"), ("|", "`|`")] {
        let (read, said) = planned(songs(joined(separator)), &[]);
        assert_eq!(read, [40, 2, 2]);
        let told =
            format!("warning: my.csv: it was read with {name} as the separator; the first row is track_id = `t000`");
        assert!(said.starts_with(&told) && said.lines().count() == 1, "{said}");
    }
    // A first line for Excel.
    for (said, separator) in
        [("sep=;", ";"), ("SEP=;", ";"), ("Sep=;", ";"), ("\"sep=;\"", ";"), ("SEP=;;;", ";"), ("sep=\t", "\t")]
    {
        let table = format!("\u{feff}{said}\r\n{}", songs(joined(separator)));
        let (read, told) = planned(table, &[]);
        assert_eq!(read, [40, 2, 2], "{said}");
        assert!(told.contains("as the separator; the first row is track_id = `t000`"), "{told}");
    }
    assert_eq!(planned(format!("SEP=,\r{}", plain.replace('\n', "\r")), &[]), ([40, 2, 2], String::new()));
    let german = songs(|cells| cells.join(";").replace('.', ",") + "\r\n");
    let (read, said) = planned(german, &[]);
    assert_eq!(read, [40, 2, 2]);
    assert!(said.contains("a comma as the decimal mark (`tempo`: 90,000)") && said.contains("tempo = 90, "), "{said}");

    let accented = plain.replace("Band 3", "Måneskin");
    let latin: Vec<u8> = accented.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect();
    for line_end in ["\n", "\r\n", "\r"] {
        let ended = latin.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(line_end.as_bytes());
        let (read, said) = planned(ended, &[]);
        assert_eq!(read, [40, 2, 2]);
        let told = "not UTF-8 and was read as Windows-1252 (Latin-1), which makes line 5 read `Måneskin,0,1,";
        assert!(said.contains(told), "{line_end:?}: {said}");
    }
    let utf16: Vec<u8> = format!("\u{feff}{accented}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for quiet in [
        format!("\u{feff}{accented}").into_bytes(),
        utf16,
        songs(joined(", ")).into_bytes(),
        plain.replace("Band 3", "Maxi 12\" Band").into_bytes(),
        plain.replace('\n', "\r").into_bytes(),
        plain.replace("\n", "\n\n").into_bytes(),
        plain.trim_end().as_bytes().to_vec(),
        plain.replace("label:jazz", " label:jazz ").replace(",1,", ",True,").replace(",0,", ", False ,").into_bytes(),
    ] {
        let text = String::from_utf8_lossy(&quiet).into_owned();
        assert_eq!(planned(quiet, &[]), ([40, 2, 2], String::new()), "{text}");
    }
}

#[test]
fn a_table_that_cannot_be_read_is_refused_with_the_line() {
    let line = |cells: &[&str]| cells.join(",") + "\n";
    let plain = songs(line);
    let cases = [
        (plain.replace("t007,Band 7", "t007,\"Band 7"), "line 9: a quote opens a cell that no other quote ends"),
        (
            plain.replace("t007,Band 7", "t007,\"Band 7").replace("t010,Band 1", "t010,\"Band 1"),
            "line 9: a quote opens a cell that ends in line 12, in the middle of a text",
        ),
        (plain.replace("t007,Band 7", "t007,Band, 7"), "line 9 has 7 values, and the line of column names has 6"),
        (plain.replace("t007,", "t0\0 7,"), "line 9 has a zero byte"),
        (plain.replace("tempo,", "energy,"), "column `energy` comes twice"),
        (format!("1,2,3\n{plain}"), "its first line holds numbers and no names of columns"),
        (String::new(), "it is empty"),
        (
            format!("sep=\\t\n{plain}"),
            "its first line is `sep=\\t`, and what stands behind `=` is no separator: remove",
        ),
        (format!("SEP=\n{plain}"), "its first line is `SEP=`, and what stands behind `=` is no separator: remove"),
    ];
    for (table, expected) in cases {
        let said = refused(&table, &[]);
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let mixed = [plain.replace("Band 3", "Sigur Rós").as_bytes(), b"t,M\xe5neskin,1,0,1,1\n"].concat();
    assert!(refused(mixed, &[]).contains("mixes encodings: it has a UTF-8 `ó`, and line 42 is no UTF-8"));
    assert!(refused(b"PK\x03\x04 and so on", &[]).contains("a zip archive, as Excel's .xlsx is"));
}

#[test]
fn a_document_that_is_no_table_is_called_what_it_is() {
    let page = "it is an HTML page, as a server sends it in place of a file: fetch the file itself";
    let json = "it looks like JSON: write the table as CSV or Parquet";
    let xml = "it is XML: write the table as CSV or Parquet";
    for (text, what) in [
        ("<!DOCTYPE html>\n<html><head><title>Sign in, please</title></head></html>\n", page),
        ("\n\n  <HTML>\n<BODY>a,b,c</BODY>\n</HTML>\n", page),
        ("\u{feff}<html lang=\"en\">", page),
        ("<!-- saved, from; a page -->\n<!doctype html>\n<p>x", page),
        ("<!-- never closed", page),
        ("<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\">\n<html>", page),
        ("<head><meta charset=\"utf-8\"></head>", page),
        ("<table><tr><td>track_id</td></tr></table>", page),
        ("<br />\n<b>Fatal error</b>: out of memory, line 1\n", page),
        ("<center><h1>502 Bad Gateway</h1></center>", page),
        ("{\"error\": \"not found\", \"status\": 404}\n", json),
        ("[{\"track_id\": \"a\", \"tempo\": 1}]", json),
        ("\u{feff}\n[\n", json),
        ("{\"track_id\": \"a\"}\n{\"track_id\": \"b\"}\n", json),
        ("<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", xml),
        ("<rss version=\"2.0\"><channel></channel></rss>", xml),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
            "a pointer of Git LFS in place of the file",
        ),
    ] {
        let said = refused(text, &[]);
        assert!(said.contains(what) && !said.contains("columns,"), "{text:?}: {said}");
    }
    let angled = songs(|cells| cells.join(",").replace("track_id", "<title>").replace("tempo", "<tempo>") + "\n");
    assert_eq!(planned(angled, &["--ignore", "<title>"]), ([40, 2, 2], String::new()));
}
