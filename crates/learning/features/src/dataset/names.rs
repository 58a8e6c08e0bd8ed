//! What the name of a column says about its contents.

use model::tag::{canonical, is_listed};

use super::table::UNNAMED;

/// Names of columns with track ids, in lower case and without punctuation; the most reliable first.
const TRACK_ID_NAMES: [&str; 33] = [
    "trackid",
    "spotifytrackid",
    "spotifyid",
    "trackspotifyid",
    "trackuri",
    "spotifytrackuri",
    "spotifyuri",
    "uri",
    "trackurl",
    "spotifytrackurl",
    "spotifyurl",
    "trackhref",
    "msdtrackid",
    "fmatrackid",
    "deezertrackid",
    "deezerid",
    "lastfmtrackid",
    "youtubeid",
    "youtubevideoid",
    "videoid",
    "songid",
    "songuri",
    "spotifysongid",
    "msdsongid",
    "recordingid",
    "musicbrainztrackid",
    "musicbrainzrecordingid",
    "recordingmbid",
    "trackmbid",
    "mbid",
    "isrc",
    "trackisrc",
    // Whatever it identifies: a row is a track.
    "id",
];

/// Things whose ids may be written in one word, as `trackid`.
const ID_OWNERS: [&str; 7] = ["track", "song", "artist", "album", "playlist", "user", "genre"];

/// Names, in lower case, of columns that may be row numbers or features.
const ROW_NUMBER_NAMES: [&str; 12] =
    ["index", "idx", "row", "rows", "row_number", "rownum", "row_nr", "rowid", "row_id", "#", "no", "nr"];

/// `label` and its misspellings.
const LABEL_WORDS: [&str; 4] = ["label", "lable", "labl", "lbl"];

/// Words before `label` that make it a music company: whose song it is is a feature like any other.
const COMPANY_WORDS: [&str; 3] = ["record", "records", "music"];

/// Other words for labels.
const OTHER_LABEL_WORDS: [&str; 5] = ["genre", "subgenre", "tag", "class", "target"];

/// Words for numbers of labels rather than labels.
const MEASURES: [&str; 9] = ["count", "counts", "num", "number", "n", "nr", "total", "size", "length"];

/// Genres that say how a recording sounds or what it is for as much: a question for one of them may be a feature.
const GENRES_AND_TRAITS: [&str; 4] = ["acoustic", "instrumental", "a cappella", "christmas"];

/// Invisible characters, as they come with names copied from web pages.
const INVISIBLE: [char; 6] = ['\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];

/// The rank of a name among those of columns with track ids: the lowest is used if there is no `track_id`.
pub(super) fn id_rank(name: &str) -> Option<usize> {
    let letters: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    let letters = letters.to_lowercase();
    TRACK_ID_NAMES.iter().position(|id| *id == letters)
}

/// Whether whole numbers under this name are ids of something: `album_id`, `ArtistId`, `id_album`.
pub(super) fn is_id(name: &str) -> bool {
    let words = words(name);
    let is_joined = |word: &String| word.strip_suffix("id").is_some_and(|owner| ID_OWNERS.contains(&owner));
    words.first().is_some_and(|word| word == "id") || words.last().is_some_and(|word| word == "id" || is_joined(word))
}

/// A name that pandas, polars or R gives a column that has none.
pub(super) fn is_nameless(name: &str) -> bool {
    name.starts_with(UNNAMED) || name.starts_with("__index_level_") || is_numbered(name, "...")
}

/// Whether a column of this name is no feature if its values are different whole numbers.
pub(super) fn is_row_number(name: &str) -> bool {
    let name = name.to_lowercase();
    ROW_NUMBER_NAMES.contains(&name.as_str()) || is_numbered(&name, "level_")
}

fn is_numbered(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What values make a label of a column that is not called `label:NAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LabelLikeness {
    /// Any.
    Always,
    /// Whole numbers, which are classes.
    IfWholeNumbers,
    /// 0 and 1.
    IfBits,
}

/// Whether a name resembles a label's: `label` in other case, misspelt or after invisible characters (`Label:pop`,
/// `lable :pop`), a synonym before or after another word (`genre_pop`, `pop-label`), or a question about a genre
/// (`is_jazz`).
pub(super) fn label_likeness(name: &str) -> Option<LabelLikeness> {
    let name = name.replace(INVISIBLE, "");
    let words = words(&name);
    let (first, last) = (words.first()?, words.last()?);
    if let [word] = &words[..]
        && !name.contains([':', '：'])
    {
        return match singular(word) {
            (label, _) if LABEL_WORDS.contains(&label) => Some(LabelLikeness::Always),
            (other, false) if OTHER_LABEL_WORDS.contains(&other) => Some(LabelLikeness::IfWholeNumbers),
            (other, true) if OTHER_LABEL_WORDS.contains(&other) => Some(LabelLikeness::IfBits),
            _ => None,
        };
    }
    let before_colon = name.split_once([':', '：']).map(|(before, _)| before.trim().to_lowercase());
    if before_colon.is_some_and(|before| LABEL_WORDS.contains(&singular(&before).0)) {
        return Some(LabelLikeness::Always);
    }
    if words
        .windows(2)
        .any(|two| COMPANY_WORDS.contains(&two[0].as_str()) && LABEL_WORDS.contains(&singular(&two[1]).0))
    {
        return None;
    }
    let is_question = ["is", "has"].contains(&first.as_str());
    let asked = words[1..].join(" ");
    let is_trait = || canonical(&asked).is_some_and(|genre| GENRES_AND_TRAITS.contains(&genre.as_str()));
    if is_question && is_listed(&asked) && !is_trait() {
        return Some(LabelLikeness::IfBits);
    }
    // `has_genre` asks whether there is any.
    let is_measure = words.iter().any(|word| MEASURES.contains(&word.as_str())) || (is_question && words.len() == 2);
    let means_label = |word: &String| {
        let (word, _) = singular(word);
        LABEL_WORDS.contains(&word) || OTHER_LABEL_WORDS.contains(&word)
    };
    (!is_measure && (means_label(first) || means_label(last))).then_some(LabelLikeness::IfBits)
}

/// A word without its number or the ending of several, and whether it had that: `genre2`, `labels`, `classes`.
fn singular(word: &str) -> (&str, bool) {
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let of_classes = word.strip_suffix("es").filter(|singular| singular.ends_with("ss"));
    let singular = of_classes.or_else(|| word.strip_suffix('s').filter(|singular| !singular.ends_with('s')));
    singular.map_or((word, false), |singular| (singular, true))
}

/// The words of a name in small letters, parted by signs or by a capital: `track.albumId` has `track`, `album` and `id`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for char in name.chars() {
        if !char.is_alphanumeric() || (was_small && char.is_uppercase()) {
            words.push(String::new());
        }
        was_small = char.is_lowercase();
        if let (true, Some(word)) = (char.is_alphanumeric(), words.last_mut()) {
            word.extend(char.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parted_by_signs_and_capitals() {
        for (name, expected) in [
            ("track_id", &["track", "id"][..]),
            ("track.albumId", &["track", "album", "id"]),
            ("Artist ID", &["artist", "id"]),
            ("LIQUID", &["liquid"]),
            ("label :pop", &["label", "pop"]),
            ("ÉtatId", &["état", "id"]),
            ("::", &[]),
        ] {
            assert_eq!(words(name), expected, "{name}");
        }
    }

    #[test]
    fn ids_are_known_by_their_names() {
        for name in ["id", "ID", "album_id", "ArtistId", "artistid", "id_album", "user.id", "track-id", "Playlist ID"] {
            assert!(is_id(name), "{name}");
        }
        for name in ["liquid", "ACID", "valid", "idle", "identity", "hybrid", "id3", "grid", "tempo", "#", ""] {
            assert!(!is_id(name), "{name}");
        }
        assert!(id_rank("Track URI") < id_rank("isrc") && id_rank("isrc") < id_rank("ID"));
        assert_eq!(id_rank("album_id"), None);
    }

    #[test]
    fn names_like_a_labels_are_known() {
        use LabelLikeness::{Always, IfBits, IfWholeNumbers};
        let cases: &[(Option<LabelLikeness>, &[&str])] = &[
            (
                Some(Always),
                &[
                    "Label:pop",
                    "LABELS:x",
                    "label :x",
                    "lable:b",
                    "lbl:b",
                    "labl: b",
                    "\u{200b}label:pop",
                    "label",
                    "Labels",
                    "label：",
                ],
            ),
            (Some(IfWholeNumbers), &["genre", "Genre", "class", "target", "genre2"]),
            (
                Some(IfBits),
                &[
                    "genre:b",
                    "genres:b",
                    "tag:b",
                    "b_label",
                    "label_b",
                    "label.b",
                    "label-b",
                    "Label b",
                    "is_jazz",
                    "isJazz",
                    "has hip-hop",
                    "is_pop_genre",
                    "has_rock_tag",
                    "is_acoustic_genre",
                    "genre_pop",
                    "genrePop",
                    "Genre=Pop",
                    "pop (genre)",
                    "tags",
                    "genres",
                    "classes",
                    "pop_classes",
                    "class_2",
                    "target:x",
                    "label1_x",
                ],
            ),
            (
                None,
                &[
                    "labelled",
                    "record_label",
                    "Record Label",
                    "recordLabel",
                    "music-label",
                    "has_record_label",
                    "labels_count",
                    "n_tags",
                    "num genres",
                    "genre count",
                    "genreless",
                    "tagged",
                    "classic",
                    "is_explicit",
                    "has_lyrics",
                    "is_local",
                    "is_live",
                    "is_instrumental",
                    "is_acoustic",
                    "isAcoustic",
                    "is_christmas",
                    "is_xmas",
                    "is_acapella",
                    "has_genre",
                    "has_tags",
                    "tempo",
                    "vintage",
                    "stage",
                    "classes_total",
                    "tags_total",
                    "is",
                    "",
                ],
            ),
        ];
        for (expected, names) in cases {
            names.iter().for_each(|name| assert_eq!(label_likeness(name), *expected, "{name}"));
        }
    }
}
