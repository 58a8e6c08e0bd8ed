//! Copies of a track in a table: together on one side, next to each other, and counted aloud.

use std::collections::{HashMap, HashSet};

use features::{ImportOptions, ImportedDataset, describe, import, read, to_csv, to_parquet};
use model::dataset::{Dataset, Split};
use model::settings::SplitSettings;
use proptest::prelude::*;

/// A table of one feature that is the row's number.
fn table(ids: &[usize], artists: &[usize]) -> String {
    let row = |(row, (id, artist)): (usize, (&usize, &usize))| format!("t{id},a{artist},{row},{}\n", row % 2);
    let rows: String = ids.iter().zip(artists).enumerate().map(row).collect();
    format!("track_id,artist,x,label:a\n{rows}")
}

fn imported(text: &str, split: &SplitSettings) -> ImportedDataset {
    import(text.as_bytes(), &ImportOptions { split: split.clone(), ..ImportOptions::default() }).unwrap()
}

fn refused(text: &str) -> String {
    import(text.as_bytes(), &ImportOptions::default()).unwrap_err().to_string()
}

/// How often each of these comes.
fn counts<'a>(names: impl Iterator<Item = &'a String>) -> HashMap<&'a String, usize> {
    let mut counts = HashMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts
}

/// Rows of one name are on one side.
fn assert_unparted(dataset: &Dataset, names: &[String]) {
    let names_on = |side| dataset.rows_in(side).into_iter().map(|row| &names[row]).collect::<HashSet<_>>();
    assert!(names_on(Split::Train).is_disjoint(&names_on(Split::Test)));
}

proptest! {
    #[test]
    fn no_track_is_parted_and_no_row_is_lost(
        rows in prop::collection::vec((0usize..40, 0usize..12), 2..120),
        seed in any::<u32>(),
        by_artist in any::<bool>(),
        test_size in 0.1f64..0.9,
    ) {
        let (ids, artists): (Vec<usize>, Vec<usize>) = rows.into_iter().unzip();
        let split = SplitSettings { test_size, seed, by_artist };
        let text = table(&ids, &artists);
        let Ok(ImportedDataset { dataset, notes, .. }) = import(text.as_bytes(), &ImportOptions { split: split.clone(), ..ImportOptions::default() })
        else {
            let is_one_group = by_artist || ids.iter().all(|id| *id == ids[0]);
            prop_assert!(is_one_group || (test_size * ids.len() as f64).ceil() as usize == ids.len(), "there is a split");
            return Ok(());
        };
        let mut numbers = dataset.features.clone();
        numbers.sort_by(f64::total_cmp);
        prop_assert_eq!(numbers, (0..ids.len()).map(|row| row as f64).collect::<Vec<_>>());
        for row in 0..ids.len() {
            let source = dataset.features[row] as usize;
            prop_assert_eq!(&dataset.track_ids[row], &format!("t{}", ids[source]));
            prop_assert_eq!(dataset.labels[row] as usize, source % 2);
        }
        assert_unparted(&dataset, &dataset.track_ids);
        let runs = dataset.track_ids.chunk_by(|a, b| a == b).count();
        let tracks = counts(dataset.track_ids.iter());
        prop_assert_eq!(runs, tracks.len(), "rows of a track follow each other");
        if by_artist {
            assert_unparted(&dataset, &dataset.artists);
        } else {
            let largest = *tracks.values().max().unwrap() as f64;
            let (test, asked) = (dataset.rows_in(Split::Test).len() as f64, (test_size * ids.len() as f64).ceil());
            prop_assert!((test - asked).abs() < largest, "{} of {} test rows, the largest track has {}", test, asked, largest);
        }
        let copies: usize = tracks.values().filter(|rows| **rows > 1).sum();
        let is_said = notes.iter().any(|note| note.starts_with(&format!("{copies} of {} rows are copies of", ids.len())));
        prop_assert_eq!(is_said, copies > 0);
        for bytes in [to_parquet(&dataset).unwrap(), to_csv(&dataset).unwrap()] {
            prop_assert_eq!(&read(&bytes, &SplitSettings::default()).unwrap(), &dataset);
        }
    }

    #[test]
    fn without_copies_the_split_is_that_of_rows(n in 2usize..200, seed in any::<u32>(), test_size in 0.1f64..0.9) {
        let split = SplitSettings { test_size, seed, by_artist: false };
        let ids: Vec<usize> = (0..n).collect();
        let unnamed: String = ids.iter().map(|row| format!("{row},{}\n", row % 2)).collect();
        let unnamed = import(format!("x,label:a\n{unnamed}").as_bytes(), &ImportOptions { split: split.clone(), ..ImportOptions::default() });
        prop_assume!(unnamed.is_ok());
        let (unnamed, named) = (unnamed.unwrap(), imported(&table(&ids, &ids), &split));
        prop_assert_eq!(unnamed.dataset.features, named.dataset.features);
        prop_assert_eq!(unnamed.dataset.split, named.dataset.split);
        prop_assert!(!named.notes.iter().any(|note| note.contains("copies")), "{:?}", named.notes);
    }
}

#[test]
fn tracks_are_drawn_for_the_test_side_until_it_has_enough_rows() {
    // numpy: RandomState(234634754).permutation(10) is 8 5 1 | 0 3 6 9 2 7 4. Track 8 has five rows, of which four
    // are elsewhere in the table: they come together, and no other track is needed for ⌈0.3 × 14⌉.
    let ids = [8, 0, 1, 8, 2, 3, 4, 8, 5, 8, 6, 7, 9, 8];
    let first_seen = [8, 0, 1, 2, 3, 4, 5, 6, 7, 9];
    let dataset = imported(&table(&ids, &ids), &SplitSettings::default()).dataset;
    let tracks: Vec<String> = dataset.track_ids.chunk_by(|a, b| a == b).map(|rows| rows[0].clone()).collect();
    // The numbers of the permutation are places in the order of first rows.
    let order = [8, 5, 1, 0, 3, 6, 9, 2, 7, 4].map(|place: usize| format!("t{}", first_seen[place]));
    let test = tracks.iter().position(|track| *track == order[0]).unwrap();
    assert_eq!([&tracks[test..], &tracks[..test]].concat(), order);
    assert_eq!(dataset.rows_in(Split::Test).len(), 8, "one of track 7, one of 4, one of 0 and five of 8");
    let info = describe(&dataset, b"");
    assert_eq!((info.training.unwrap().rows, info.training.unwrap().tracks), (6, None));
}

#[test]
fn a_track_or_an_artist_that_has_most_rows_is_trained_on_and_the_test_side_is_of_the_others() {
    // Whatever place the permutation gives it.
    for seed in 0..40 {
        for (by_artist, largest, others) in
            [(false, 80, 20), (true, 80, 20), (false, 60, 1), (false, 31, 69), (true, 95, 5)]
        {
            let split = SplitSettings { seed, by_artist, ..SplitSettings::default() };
            let names: Vec<usize> = (0..largest).map(|_| 0).chain(1..=others).collect();
            let rows: Vec<usize> = (0..names.len()).collect();
            let text = if by_artist { table(&rows, &names) } else { table(&names, &rows) };
            let ImportedDataset { dataset, notes, .. } = imported(&text, &split);
            let test = dataset.rows_in(Split::Test).len();
            assert_eq!(test, (0.3 * others as f64).ceil() as usize, "seed {seed}: 30 % of the other rows");
            let (whose, name) = if by_artist { ("an artist", "a0") } else { ("a track", "t0") };
            let all = names.len();
            let told = format!(
                "{test} of {all} rows are held out, not {}: all rows of {whose} stay together, and `{name}` has {largest}",
                (0.3 * all as f64).ceil()
            );
            assert!(notes.contains(&told), "{told}: {notes:?}");
        }
    }
}

#[test]
fn where_every_track_has_more_rows_than_the_test_side_the_smallest_is_held_out() {
    for seed in 0..20 {
        let split = SplitSettings { test_size: 0.1, seed, by_artist: false };
        let ids: Vec<usize> = (0..70).map(|row| usize::from(row >= 45)).collect();
        let ImportedDataset { dataset, notes, .. } = imported(&table(&ids, &ids), &split);
        assert_eq!(dataset.rows_in(Split::Test).len(), 25);
        assert!(notes.contains(
            &"25 of 70 rows are held out, not 7: all rows of a track stay together, and `t0` has 45".to_owned()
        ));
    }
}

#[test]
fn two_tracks_are_one_on_each_side_however_many_rows_they_have() {
    let dataset = imported(&table(&[1, 2, 2, 2, 2, 2, 2, 2, 2, 2], &[0; 10]), &SplitSettings::default()).dataset;
    assert_unparted(&dataset, &dataset.track_ids);
    let message = refused(&table(&[1; 10], &[0; 10]));
    assert!(message.contains("all 10 rows are on the train side"), "{message}");
}

#[test]
fn a_split_that_parts_copies_is_refused_with_the_rows() {
    let row = |(at, (id, side)): (usize, &(&str, &str))| format!("{id},{side},{at},{}\n", at % 2);
    let table = |rows: &[(&str, &str)]| {
        format!("track_id,split,x,label:a\n{}", rows.iter().enumerate().map(row).collect::<String>())
    };
    let message = refused(&table(&[("a", "train"), ("b", "test"), ("a", "train"), ("a", "test")]));
    let expected = "column `split` parts the rows of a track: `a` is in lines 2 (train) and 5 (test); put all rows";
    assert!(message.starts_with(expected) && message.contains("--ignore split"), "{message}");
    let mut rows: Vec<(String, &str)> = (0..5).map(|id| (format!("t{id}"), "train")).collect();
    rows.extend((0..5).map(|id| (format!("t{id}"), "test")));
    let rows: Vec<(&str, &str)> = rows.iter().map(|(id, side)| (id.as_str(), *side)).collect();
    let message = refused(&table(&rows));
    assert!(message.contains("rows of 5 tracks: `t0` is in lines 2 (train) and 7 (test), `t1`"), "{message}");
    assert!(message.contains("`t2` is in lines 4 (train) and 9 (test) and 2 more; put"), "{message}");
    let text = table(&rows);
    let ignored =
        import(text.as_bytes(), &ImportOptions { ignored: vec!["split".into()], ..ImportOptions::default() }).unwrap();
    assert_unparted(&ignored.dataset, &ignored.dataset.track_ids);

    let text = table(&[("a", "train"), ("b", "train"), ("c", "test"), ("a", "train"), ("d", "test"), ("c", "test")]);
    let dataset = imported(&text, &SplitSettings::default()).dataset;
    assert_eq!(dataset.track_ids, ["a", "a", "b", "c", "c", "d"]);
    assert_eq!(dataset.features, [0.0, 3.0, 1.0, 2.0, 5.0, 4.0]);
    assert_eq!(describe(&dataset, b"").training.unwrap().tracks, Some(2));
}

#[test]
fn rows_that_are_alike_are_told_of_with_the_first_of_them() {
    let notes = |text: &str| imported(text, &SplitSettings::default()).notes;
    let alike = "track_id,x,y,label:a\na,1,-0.0,1\nb,2,5,0\nc,1,0,1\nd,1,0,0\ne,2,5,0\nf,2,5,0\ng,7,7,1\n";
    let expected = "5 of 7 rows are equal in every feature and label under different ids (lines 2 and 4, 3 and 6)";
    assert!(notes(alike).len() == 1 && notes(alike)[0].starts_with(expected), "{:?}", notes(alike));
    let unnamed = notes("x,label:a\n1,1\n2,0\n1,1\n3,0\n");
    assert!(
        unnamed[0].starts_with("2 of 4 rows are equal in every feature and label (lines 2 and 4): if"),
        "{unnamed:?}"
    );
    let copies = notes("track_id,x,label:a\na,1,1\na,1,1\nb,2,0\nc,3,0\n");
    assert_eq!(
        copies,
        ["2 of 4 rows are copies of one track; copies are kept on one side of the split and of every fold"]
    );
    assert_eq!(notes("x,label:a\n1,1\n2,0\n1,0\n3,0\n"), Vec::<String>::new(), "their labels differ");
}

fn taken(name: &str) -> String {
    format!("`{name}` was taken for the `track_id`: rows with the same `{name}` are taken as one track")
}

#[test]
fn a_column_that_is_called_as_ids_of_tracks_are_is_taken_for_the_track_id() {
    for name in [
        "Track ID",
        "trackId",
        "Track URI",
        "track_uri",
        "uri",
        "spotify_id",
        "Spotify ID",
        "msd_track_id",
        "song_id",
        "Song ID",
        "isrc",
        "ISRC",
        "id",
        "Id",
        "deezer_id",
        "recording_mbid",
        "track.id",
        "track_href",
        "Song URI",
        "mbid",
    ] {
        for ids in [["u", "v", "u", ""], ["7", "8", "7", "NA"], ["7.0", "8.0", "7.0", ""]] {
            let row = |(at, id): (usize, &&str)| format!("{id},{at}.5,{}\n", at % 2);
            let rows: String = ids.iter().enumerate().map(row).collect();
            let found = imported(&format!("{name},x,label:a\n{rows}"), &SplitSettings::default());
            assert_eq!(found.dataset.feature_names, ["x"], "{name}");
            assert!(found.dataset.track_ids.contains(&"5".to_owned()), "{name}: without an id it is the line");
            assert_eq!(found.notes[0], taken(name));
            assert!(found.notes[1].starts_with("2 of 4 rows are copies of one track"), "{:?}", found.notes);
            assert_unparted(&found.dataset, &found.dataset.track_ids);
        }
    }
    let own = imported("track_id,x,label:a\n1,7,0\n2,8,1\n3,7,1\n", &SplitSettings::default());
    assert!(!own.notes.iter().any(|note| note.contains("taken")), "{:?}", own.notes);
}

#[test]
fn of_several_columns_of_ids_the_surest_is_taken_and_the_others_are_named() {
    let text = "id,isrc,Track URI,x,label:a\n1,i,u,7,0\n2,j,v,8,1\n3,i,u,7,0\n4,k,w,9,1\n";
    let without = |ignored: &[&str]| {
        let ignored = ignored.iter().map(|name| name.to_string()).collect();
        import(text.as_bytes(), &ImportOptions { ignored, ..ImportOptions::default() })
    };
    let message = refused(text);
    assert!(
        message.starts_with(
            "cannot use 2 columns, `id` (holds ids of tracks, and those in `Track URI` are used), `isrc` (holds ids"
        ) && message.ends_with("are used): leave the columns out with `--ignore id,isrc`"),
        "{message}"
    );
    for (ignored, used) in [(["id", "isrc"], "Track URI"), (["id", "Track URI"], "isrc"), (["isrc", "Track URI"], "id")]
    {
        assert_eq!(without(&ignored).unwrap().notes[0], taken(used));
    }
    let first = refused("uri,track_id,x,label:a\nu,1,7,0\nv,2,8,1\nw,3,9,1\n");
    assert!(first.contains("`uri` (holds ids of tracks, and those in `track_id` are used)"), "{first}");
    // What holds no id is none.
    let empty = refused("isrc,id,x,label:a\nNA,u,7,0\n,v,8,1\n,u,9,1\n");
    assert!(empty.starts_with("cannot use column `isrc` (has no numbers)"), "{empty}");
}

#[test]
fn whole_numbers_that_are_called_ids_are_no_feature_and_measures_are() {
    let table = |name: &str, value: fn(usize) -> String| {
        let rows: String = (0..6).map(|at| format!("t{at},{},{at}.5,{}\n", value(at), at % 2)).collect();
        format!("track_id,{name},x,label:a\n{rows}")
    };
    let values: [fn(usize) -> String; 2] = [|at| (at * 37 % 11).to_string(), |at| format!("{}.0", at / 2)];
    for name in ["artist_id", "album.id", "ArtistID", "albumid", "id_album", "user-id", "Playlist ID", "year_id"] {
        for value in values {
            let message = refused(&table(name, value));
            let named =
                format!("cannot use column `{name}` (holds ids, by its name and its whole numbers): rename, or");
            assert!(message.starts_with(&named) && message.contains("--ignore "), "{message}");
        }
    }
    assert!(refused(&table("id", |at| at.to_string())).contains("`id` (holds ids of tracks, and those in `track_id`"));
    let measures: [fn(usize) -> String; 2] = [|at| format!("0.{at}"), |at| (at % 3).to_string()];
    for (name, value) in ["id", "acid"].into_iter().zip(measures) {
        assert_eq!(imported(&table(name, value), &SplitSettings::default()).dataset.feature_names, [name, "x"]);
    }
}
