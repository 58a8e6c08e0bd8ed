//! Catalogues from tables of real tracks.

mod common;

use common::visit;
use model::track::SkipReason;
use serde_json::json;
use testkit::{Catalogue, Column, Oddities, TableError};

const HEADER: &str = "track uri,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),Popularity,Genres,\
Danceability,Energy,Key,Loudness,Mode,Speechiness,Acousticness,Instrumentalness,Liveness,Valence,Tempo,Time Signature";
const SCALARS: &str = "0.5,0.6,8.0,-6.8,1.0,0.04,0.005,0.0,0.09,0.4,173.4,4.0";

fn table(rows: &[String]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

fn row(uri: &str, name: &str, artists: &str, genres: &str, scalars: &str) -> String {
    format!("{uri},{name},An Album,{artists},2020-04-17,243304.0,3.0,{genres},{scalars}")
}

/// The columns of a CSV text.
fn columns(text: &str) -> Vec<Column> {
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let mut columns: Vec<Column> = csv.headers().unwrap().iter().map(|name| (name.to_owned(), Vec::new())).collect();
    for record in csv.records() {
        columns.iter_mut().zip(&record.unwrap()).for_each(|((_, texts), text)| texts.push(text.to_owned()));
    }
    columns
}

fn load(text: &str) -> Result<Catalogue, TableError> {
    Ok(Catalogue::from_table(&columns(text))?.0)
}

#[tokio::test]
async fn rows_become_what_spotify_would_have_made_of_them() {
    let (first, second) = ("spotify:track:02v9pvGNvWAdQaiMOMXrg9", "spotify:track:4aetd2PsHfVyw1qQJRCNtD");
    let none = ",,,,,,,,,,,";
    let text = table(&[
        row(first, "Song", "\"Tyler, The Creator;Guest\"", "\"hip hop, rap,hip hop\"", SCALARS),
        row(second, "Bare", "Guest", "", none),
        row(first, "Song", "Guest", "", SCALARS),
        row("", "No home", "Guest", "", SCALARS),
        row("spotify:local:A:B:C:12", "File", "Guest", "", none),
        row("spotify:track:1CpN0EmmyoAEi4kyp3nFeu", "", "Guest", "", SCALARS),
    ]);
    let visitor = visit(load(&text).unwrap(), Oddities::none()).await;
    let expected = visitor.stage.expected().clone();
    assert_eq!((expected.rows, expected.tracks, expected.without_features), (6, 2, 1));
    assert_eq!((expected.tagged, expected.no_tags, expected.without_analysis), (1, 1, 2));
    let reasons = [SkipReason::Local, SkipReason::NoId, SkipReason::NoName, SkipReason::Duplicate];
    assert_eq!(expected.skipped, reasons.map(|reason| (reason, 1)).into());

    let tracks = visitor.tracks().await;
    assert_eq!(tracks[0]["artists"][0]["name"], "Tyler, The Creator");
    assert_eq!(tracks[0]["artists"][1]["id"], tracks[1]["artists"][0]["id"]);
    let features = visitor.json("audio-features?ids=02v9pvGNvWAdQaiMOMXrg9,4aetd2PsHfVyw1qQJRCNtD").await;
    assert_eq!(features["audio_features"][0]["tempo"], 173.4);
    assert!(features["audio_features"][1].is_null());
    assert_eq!(visitor.refusal("audio-analysis/02v9pvGNvWAdQaiMOMXrg9").await, (403, String::new()));
    let url = format!("{}/music/Tyler,+The+Creator/_/Song/+tags", visitor.stage.lastfm_url);
    let page = visitor.http.get(url).send().await.unwrap().text().await.unwrap();
    assert_eq!(page.matches("<h3 class=\"big-tags-item-name\"").count(), 2);
}

#[test]
fn errors_are_one_line_that_says_where() {
    let message = |text: &str| load(text).unwrap_err().to_string();
    assert_eq!(message(HEADER), "the table has no rows");
    assert_eq!(
        message("Title,Artist\nx,y\n"),
        "the table has no column \"Track URI\", \"Track Name\", \"Artist Name(s)\", \"Genres\"; it has: Title, Artist"
    );
    let uri = "spotify:track:02v9pvGNvWAdQaiMOMXrg9";
    let good = row(uri, "Song", "A", "pop", SCALARS);
    let text = table(&[good.clone(), row(uri, "Song", "A", "", &SCALARS.replace("173.4", "fast"))]);
    assert_eq!(message(&text), "row 2, column \"Tempo\": \"fast\" is not a number");
    let text = table(&[good.clone(), good.clone(), row("http://example.org", "Song", "A", "", SCALARS)]);
    assert_eq!(message(&text), "row 3, column \"track uri\": \"http://example.org\" is not a Spotify track URI");
    let untagged = message(&table(&[row(uri, "Song", "A", "", SCALARS)]));
    assert_eq!(untagged, "no row of the table has genres (column \"Genres\"): there is no label to learn");
    let unheard = message(&table(&[row(uri, "Song", "A", "pop", ",,,,,,,,,,,").replace("243304.0", "")]));
    assert!(unheard.starts_with("no row of the table has audio features"), "{unheard}");
}

#[tokio::test]
async fn both_layouts_of_exportify_are_read_and_a_missing_tempo_costs_no_other_feature() {
    let uri = "spotify:track:02v9pvGNvWAdQaiMOMXrg9";
    let watsonbox = "Track URI,Track Name,Artist URI(s),Artist Name(s),Album Name,Album Artist Name(s),Album Release Date,\
                     Track Duration (ms),Explicit,Popularity,ISRC,Artist Genres,Danceability,Energy,Key,Loudness,Mode,\
                     Speechiness,Acousticness,Instrumentalness,Liveness,Valence,Time Signature";
    let row =
        format!("{uri},Song,,A,An Album,A,2020-04-17,243304,false,3,,\"jazz,pop\",{}", SCALARS.replace("173.4,", ""));
    let (catalogue, gaps) = Catalogue::from_table(&columns(&format!("{watsonbox}\n{row}\n"))).unwrap();
    assert_eq!(gaps, ["the table has no column \"Tempo\"; the other features are used"]);
    let visitor = visit(catalogue, Oddities::none()).await;
    let expected = visitor.stage.expected();
    assert_eq!((expected.tracks, expected.tagged, expected.without_features), (1, 1, 0));
    let features = visitor.json("audio-features/02v9pvGNvWAdQaiMOMXrg9").await;
    assert_eq!((&features["duration_ms"], &features["danceability"]), (&json!(243_304), &json!(0.5)));
    assert!(features["tempo"].is_null());
    assert_eq!(visitor.tracks().await[0]["album"]["release_date"], "2020-04-17");
}

#[test]
fn rows_that_lack_a_feature_are_counted_before_anything_is_collected() {
    let (first, second) = ("spotify:track:02v9pvGNvWAdQaiMOMXrg9", "spotify:track:4aetd2PsHfVyw1qQJRCNtD");
    let text = table(&[
        row(first, "Song", "A", "pop", SCALARS),
        row(second, "Other", "A", "pop", &SCALARS.replace("173.4", "")),
    ]);
    let (catalogue, gaps) = Catalogue::from_table(&columns(&text)).unwrap();
    assert!(gaps.len() == 1 && gaps[0].starts_with("up to 1 of 2 rows lack an audio feature"), "{gaps:?}");
    assert_eq!(catalogue.expected().without_features, 0);
}

#[test]
fn the_real_table_is_read() {
    let Some(folder) = testkit::real_data("the_real_table_is_read") else { return };
    let path = folder.join("tables/strusz_spotify_features_genres.csv");
    let catalogue = load(&std::fs::read_to_string(path).unwrap()).unwrap();
    let expected = catalogue.expected();
    assert_eq!((expected.rows, expected.tracks), (10_702, 10_627));
    assert_eq!(expected.skipped, [(SkipReason::NoId, 75)].into());
    assert_eq!(expected.tagged + expected.no_tags, expected.tracks);
}
