//! Labels from a column of genres: every layout is read as what was written, and cut by the rules for collected tags.

use std::collections::{BTreeMap, BTreeSet};

use features::{GenreColumn, ImportOptions, ImportedDataset, Separator, import};
use model::dataset::{Dataset, Split};
use model::tag::{LabelSelection, canonical};
use proptest::prelude::*;

fn by(separator: Option<Separator>, label_selection: LabelSelection) -> ImportOptions {
    let genres = GenreColumn { name: "Genres".into(), separator, label_selection };
    ImportOptions { genres: Some(genres), ..ImportOptions::default() }
}

/// A table of these ids and cells, with a feature that is the row's number.
fn table(rows: &[(String, String)]) -> String {
    let row = |(at, (id, cell)): (usize, &(String, String))| format!("{id},\"{}\",{at}\n", cell.replace('"', "\"\""));
    format!("track_id,Genres,x\n{}", rows.iter().enumerate().map(row).collect::<String>())
}

fn cells(cells: &[&str]) -> String {
    table(&cells.iter().enumerate().map(|(at, cell)| (format!("t{at}"), cell.to_string())).collect::<Vec<_>>())
}

fn imported(text: &str, import_by: &ImportOptions) -> ImportedDataset {
    import(text.as_bytes(), import_by).unwrap()
}

/// Labels by id.
fn labels(dataset: &Dataset) -> BTreeMap<String, Vec<String>> {
    (0..dataset.rows()).map(|row| (dataset.track_ids[row].clone(), dataset.labels_of(row))).collect()
}

/// As Python's `repr` writes a list of texts.
fn python(genres: &[&str]) -> String {
    let text = |genre: &&str| match genre.contains('\'') {
        true if !genre.contains('"') => format!("\"{genre}\""),
        _ => format!("'{}'", genre.replace('\\', "\\\\").replace('\'', "\\'")),
    };
    format!("[{}]", genres.iter().map(text).collect::<Vec<_>>().join(", "))
}

/// As Python and numpy write other collections.
fn set(genres: &[&str]) -> String {
    if genres.is_empty() { "set()".to_owned() } else { format!("{{{}}}", inner(genres)) }
}

fn tuple(genres: &[&str]) -> String {
    format!("({}{})", inner(genres), if genres.len() == 1 { "," } else { "" })
}

fn array(genres: &[&str]) -> String {
    format!("array([{}], dtype=object)", inner(genres).replace("', ", "',\n       "))
}

/// As numpy prints an array, without commas.
fn printed(genres: &[&str]) -> String {
    format!("[{}]", genres.iter().map(|genre| inner(&[genre])).collect::<Vec<_>>().join(" "))
}

fn inner(genres: &[&str]) -> String {
    let list = python(genres);
    list[1..list.len() - 1].to_owned()
}

fn hashtags(genres: &[&str]) -> String {
    genres.iter().map(|genre| format!("#{genre}")).collect::<Vec<_>>().join(" ")
}

/// As a page has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('\'', "&#39;").replace('"', "&quot;").replace('è', "&egrave;")
}

fn json(genres: &[&str]) -> String {
    serde_json::to_string(genres).unwrap()
}

/// What the rules for collected tags make of tracks and their genres, by hand.
fn expected(
    tracks: &BTreeMap<String, BTreeSet<String>>,
    label_selection: &LabelSelection,
) -> BTreeMap<String, Vec<String>> {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    tracks.values().flatten().for_each(|genre| *counts.entry(genre).or_default() += 1);
    let mut ranked: Vec<(&String, usize)> =
        counts.into_iter().filter(|(genre, _)| !label_selection.excluded.contains(genre)).collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let top: Vec<&String> = ranked.iter().take(label_selection.top).map(|(genre, _)| *genre).collect();
    let mut labelled = BTreeMap::new();
    for (id, genres) in tracks {
        let kept: Vec<&String> = genres.iter().filter(|genre| !label_selection.excluded.contains(genre)).collect();
        let labels: Vec<String> = kept.iter().filter(|genre| top.contains(*genre)).map(|g| g.to_string()).collect();
        match (kept.is_empty(), labels.is_empty()) {
            (true, _) => {}
            (_, true) => drop(labelled.insert(id.clone(), vec![label_selection.misc.clone()])),
            _ => drop(labelled.insert(id.clone(), labels)),
        }
    }
    labelled
}

/// Genres in spellings that people write, and words that are none.
const NAMES: [&str; 14] = [
    "pop",
    "rock",
    "Hip-Hop",
    "hip hop",
    "r&b",
    "children's music",
    "musique \"concrète\"",
    "Dream Pop",
    "folk",
    "80s",
    "chanson",
    "jazz",
    "punk",
    "metal",
];

proptest! {
    #[test]
    fn every_layout_gives_the_labels_of_collected_tags(
        rows in prop::collection::vec((0usize..40, prop::collection::vec(0usize..14, 0..5)), 10..60),
        layout in 0usize..16,
        top in 1usize..6,
    ) {
        let label_selection = LabelSelection { top, ..LabelSelection::default() };
        let written: Vec<(String, Vec<&str>)> =
            rows.iter().map(|(id, genres)| (format!("t{id}"), genres.iter().map(|at| NAMES[*at]).collect())).collect();
        let cell = |genres: &Vec<&str>| match layout {
            0 => genres.join(","),
            1 => genres.join("; "),
            2 => genres.join("|"),
            3 => genres.join(" / "),
            4 => python(genres),
            5 => json(genres),
            6 => genres.join("\t"),
            7 => genres.join(" + "),
            8 => set(genres),
            9 => tuple(genres),
            10 => array(genres),
            11 => printed(genres),
            12 => hashtags(genres),
            13 => escaped(&genres.join("; ")),
            14 => escaped(&json(genres)),
            _ => if genres.is_empty() { "NA".to_owned() } else { genres.join(" \n") },
        };
        let text = table(&written.iter().map(|(id, genres)| (id.clone(), cell(genres))).collect::<Vec<_>>());
        let mut tracks: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (id, genres) in &written {
            tracks.entry(id.clone()).or_default().extend(genres.iter().filter_map(|genre| canonical(genre)));
        }
        let expected = expected(&tracks, &label_selection);
        let separator = match layout {
            3 => Some("/"),
            7 => Some(" + "),
            _ => None,
        };
        let separator = separator.map(|separator| separator.parse().unwrap());
        match import(text.as_bytes(), &by(separator, label_selection)) {
            Ok(ImportedDataset { dataset, .. }) => {
                prop_assert_eq!(labels(&dataset), expected);
                prop_assert_eq!(dataset.feature_names, ["x"]);
            }
            Err(error) => prop_assert!(expected.len() < 2, "{}", error),
        }
    }
}

#[test]
fn rows_of_a_track_become_one_with_all_their_genres_and_are_counted() {
    let text = "track_id,track_genre,x,y\na,pop,1,5\nb,jazz,2,\na,folk,1,5\nc,pop,3,5\nb,jazz,2,7\na,pop,9,5\nd,,4,5\n\
                e,rock,5,5\nf,80s,6,5\n";
    let genres =
        GenreColumn { name: " track_genre ".into(), separator: None, label_selection: LabelSelection::default() };
    let imported = imported(text, &ImportOptions { genres: Some(genres), ..ImportOptions::default() });
    let expected = [("a", vec!["folk", "pop"]), ("b", vec!["jazz"]), ("c", vec!["pop"])];
    let expected = expected.map(|(id, labels)| (id.to_owned(), labels.into_iter().map(str::to_owned).collect()));
    assert_eq!(labels(&imported.dataset), expected.into());
    let b = imported.dataset.track_ids.iter().position(|id| id == "b").unwrap();
    assert_eq!(imported.dataset.feature_row(b), [2.0, 7.0], "what the first row lacks is taken from another");
    assert_eq!(
        imported.notes[..2],
        [
            "3 of 6 tracks were left out: 1 with words that are no genres, 1 without a genre, 1 with excluded genres only \
             (rock)",
            "5 rows were joined by `track_id` into 2, one a track with all its genres; the features of 1 differ from row \
             to row: the first row's were taken",
        ]
    );
    let info = imported.info(b"");
    let dropped = [("no_genre", 1), ("no_genre_given", 1), ("only_excluded_tags", 1)];
    assert_eq!(info.dropped, dropped.map(|(reason, n)| (reason.to_owned(), n)).into());
    assert_eq!(info.tags_before[0], ("pop".to_owned(), 2));
    assert_eq!(info.label_selection.unwrap(), LabelSelection::default());
}

#[test]
fn a_doubtful_separator_is_told_with_the_first_row_as_read() {
    let notes = |text: &[&str], separator: Option<&str>| {
        let separator = separator.map(|text| text.parse().unwrap());
        let notes = imported(&cells(text), &by(separator, LabelSelection::default())).notes;
        notes.into_iter().filter(|note| note.contains("`Genres`")).collect::<Vec<_>>()
    };
    let none: [String; 0] = [];
    assert_eq!(notes(&["pop,jazz", "folk, pop", "jazz"], None), none);
    assert_eq!(notes(&["['pop', 'a, b']", "[\"jazz; folk\"]", "[]"], None), none);
    assert_eq!(notes(&["pop", "jazz", "R&B"], None), none);
    assert_eq!(notes(&["pop & jazz", "jazz", "folk"], Some(" & ")), none);
    for (text, named, told) in [
        (["pop", "pop;jazz", "folk; jazz"], None, "with a semicolon between genres: line 3 has `pop`, `jazz`; "),
        (["a|b|c|d", "jazz", "folk"], None, "with `|` between genres: line 2 has `a`, `b`, `c`, …; "),
        (
            ["pop,x;jazz", "pop;jazz", "jazz"],
            None,
            "with a semicolon between genres: line 2 has `pop,x`, `jazz` (there is also a comma in 1 of 3 cells)",
        ),
        (
            ["pop", "Hip-Hop/Rap", "jazz"],
            None,
            "with one genre a cell: line 3 has `Hip-Hop/Rap` (there is also `/` in 1",
        ),
        (
            ["pop", "drum & bass", "soul & funk"],
            None,
            "with one genre a cell: line 3 has `drum & bass` (there is also ` & ` in 2 of 3 cells)",
        ),
        (
            ["pop", "rock and roll", "jazz"],
            None,
            "with one genre a cell: line 3 has `rock and roll` (there is also ` and `",
        ),
        (
            ["pop", "R&B", "jazz"],
            Some(" & "),
            "no cell of `Genres` has ` & `: each was read as one genre, such as `pop` in line 2",
        ),
        (
            ["['pop']", "['jazz']", ""],
            Some(";"),
            "no cell of `Genres` has a semicolon: they are lists already, or empty",
        ),
        (
            ["pop,jazz", "folk", "jazz"],
            Some(";"),
            "no cell of `Genres` has a semicolon: each was read as one genre, such",
        ),
    ] {
        let notes = notes(&text, named);
        assert!(notes.len() == 1 && notes[0].contains(told), "{text:?}: {notes:?}");
    }
    let rare: Vec<String> = (0..30).map(|at| if at == 7 { "pop, jazz" } else { "folk" }.to_owned()).collect();
    let rare: Vec<&str> = rare.iter().map(String::as_str).collect();
    assert!(notes(&rare, None)[0].ends_with(
        "with a comma between genres: line 9 has `pop`, `jazz`; if a cell is one genre, add `--genre-separator none`"
    ));
    assert_eq!(notes(&rare, Some("none")), none);
    assert_eq!(notes(&rare, Some(",")), none);
    let dataset = imported(&cells(&rare), &by(Some(Separator::None), LabelSelection::default())).dataset;
    assert_eq!(dataset.label_names, ["folk", "pop jazz"]);
}

/// The option that a note says to add, as a shell takes it.
fn pasted(note: &str) -> String {
    let option = note.split_once("add `--genre-separator").unwrap().1.split_once("`").unwrap().0;
    let script = format!("printf %s {}", &option[1..]);
    let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_may_be_between_genres_is_read_or_told_with_the_option_to_paste() {
    let expected = ["dream pop", "jazz"];
    let read = |cell: &str, separator: Option<Separator>| {
        let text = cells(&[cell, cell, "jazz", "dream pop"]);
        let ImportedDataset { dataset, notes, .. } = imported(&text, &by(separator, LabelSelection::default()));
        (dataset.label_names, notes.into_iter().find(|note| note.contains("`Genres`")))
    };
    for cell in ["jazz\tdream pop", "#jazz #dream pop", "#Jazz#DreamPop", "jazz | dream pop", "jazz • dream pop"] {
        let (labels, note) = read(cell, None);
        assert_eq!(labels, expected, "{cell}");
        assert!(note.unwrap().contains(" between genres: line 2 has "), "{cell}");
    }
    for between in [
        " / ", "/", "\\", " + ", "+", " & ", " and ", " - ", " – ", "--", " > ", " :: ", "~", "^", "=", "*", "__",
        "  ", " #",
    ] {
        let cell = format!("jazz{between}dream pop");
        let (labels, note) = read(&cell, None);
        assert!(labels.len() > 2, "{cell}: {labels:?}");
        let note = note.unwrap_or_else(|| panic!("{cell} is read without a word"));
        assert!(
            note.contains("with one genre a cell: line 2 has") && note.contains(" in 2 of 4 cells); if "),
            "{note}"
        );
        let separator: Separator = pasted(&note).parse().unwrap();
        assert_eq!(read(&cell, Some(separator)), (expected.map(str::to_owned).into(), None), "{note}");
        assert_eq!(read(&cell, Some(Separator::None)).1, None);
    }
    let names =
        ["hip-hop", "lo-fi", "r&b", "8-bit", "lgbtq+ hip hop", "jazz", "k-pop", "rock'n'roll", "Q: pop", "folk", "ska"];
    let names = [&names[..], &["dub"; 10]].concat();
    let notes = imported(&cells(&names), &by(None, LabelSelection::default())).notes;
    assert!(!notes.iter().any(|note| note.contains("`Genres`")), "signs in a few names: {notes:?}");
}

#[test]
fn entities_of_html_are_read_as_their_characters() {
    let label_names = |text: &[&str], separator: Option<&str>| {
        let separator = separator.map(|text| text.parse().unwrap());
        imported(&cells(text), &by(separator, LabelSelection::default())).dataset.label_names
    };
    let expected = ["chanson francaise", "drum and bass", "jazz", "rnb"];
    let expected: Vec<String> = expected.iter().map(|label| canonical(label).unwrap()).collect();
    for text in [
        ["r&amp;b", "drum &#39;n&#39; bass", "Chanson fran&ccedil;aise", "jazz"],
        ["r&amp;b; jazz", "drum &#x26; bass", "chanson fran&#231;aise", ""],
        ["['r&amp;b', 'jazz']", "[&quot;drum &amp;amp; bass&quot;]", "[\"chanson fran\u{e7}aise\"]", "[]"],
    ] {
        assert_eq!(label_names(&text, None), expected, "{text:?}");
    }
    assert_eq!(label_names(&["jazz &amp; folk", "folk", "jazz"], Some(" &amp; ")), ["folk", "jazz"]);
}

#[test]
fn what_cannot_be_genres_is_refused_with_the_place() {
    let error = |text: &str, import_by: &ImportOptions| import(text.as_bytes(), import_by).unwrap_err().to_string();
    let found = by(None, LabelSelection::default());
    let message = error(&cells(&["['pop']", "[{'id': 18, 'name': 'pop'}]"]), &found);
    assert!(message.starts_with("column `Genres`, line 3 holds no list of texts but `[{'id'"), "{message}");
    assert!(error(&cells(&["['it's', 'pop']"]), &found).contains("line 2 holds no list"));
    assert!(error(&cells(&["['pop', 'ja", "pop"]), &found).contains("line 2 holds no list"));
    for code in ["array('pop', dtype=object)", "<StringArray>\n['pop', 'jazz']\nLength: 2", "genres: [\"pop\"]"] {
        assert!(error(&cells(&["jazz", code]), &found).contains("line 3 holds no list"), "{code}");
    }
    let shortened = error(&cells(&["['pop']", "array(['folk', 'jazz', ..., 'rock'], dtype=object)"]), &found);
    assert!(
        shortened.starts_with("column `Genres`, line 3 holds a list that was shortened, with `...` in place of genres")
            && shortened.contains("`.tolist()`"),
        "{shortened}"
    );
    assert!(error(&cells(&["", "NA", "[]", "rock", "80s"]), &found).contains("no row with a genre in `Genres`"));
    assert!(error("genre,x\npop,1\njazz,2\n", &found).starts_with("`--genre-column` names `Genres`, and the file"));
    let ignored = ImportOptions { ignored: vec!["Genres".into()], ..found.clone() };
    assert!(error(&cells(&["pop"]), &ignored).contains("choose one"));
    let parted = "track_id,Genres,split,x\na,pop,train,1\na,jazz,test,2\nb,pop,test,3\n";
    assert!(error(parted, &found).contains("`a` is in lines 2 (train) and 3 (test)"));
    let missing = error("Genres,x\n,1\npop,2\n,9\njazz,3\nfolk,\npop,4\n", &found);
    assert!(missing.contains("column `x` lacks 1 of 4 values, the first in line 6"), "{missing}");
    assert!("".parse::<Separator>().is_err());
}

#[test]
fn label_columns_beside_a_column_of_genres_are_left_out() {
    let text = "track_id,split,label:old,Genres,x\na,train,1,pop,1\nb,test,0,jazz,2\nc,train,1,pop,3\n";
    let dataset = imported(text, &by(None, LabelSelection::default())).dataset;
    assert_eq!(
        (dataset.label_names.clone(), dataset.feature_names.clone()),
        (vec!["jazz".into(), "pop".into()], vec!["x".into()])
    );
    assert_eq!(dataset.rows_in(Split::Test), [2]);
}
