//! Ids, as people paste them and as pages and jobs contain them.

pub use model::id::is_id;
use model::id::parse_id;

use crate::Error;

/// Characters of an invalid id that a message quotes.
const MAX_QUOTED_CHARS: usize = 100;

/// The error of a text that does not name a playlist or track.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a {kind}: use its id (22 letters and digits), spotify:{kind}:ID or https://open.spotify.com/{kind}/ID"
)]
pub struct BadId {
    text: String,
    kind: &'static str,
}

/// The id of a playlist from an id, a URI or a URL (also with a query, a language or an owner in it).
pub fn parse_playlist(text: &str) -> Result<String, BadId> {
    parse(text, "playlist")
}

/// The id of a track from an id, a URI or a URL.
pub fn parse_track(text: &str) -> Result<String, BadId> {
    parse(text, "track")
}

/// The id, if it is valid.
pub(crate) fn checked(id: &str) -> Result<&str, Error> {
    if is_id(id) { Ok(id) } else { Err(Error::BadId { id: id.chars().take(MAX_QUOTED_CHARS).collect() }) }
}

fn parse(text: &str, kind: &'static str) -> Result<String, BadId> {
    let bad = || BadId { text: text.trim().chars().take(MAX_QUOTED_CHARS).collect(), kind };
    parse_id(text, kind).map(str::to_owned).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "37i9dQZF1DXcBWIGoYBM5M";

    #[test]
    fn every_form_that_people_paste_is_read() {
        for text in [
            ID.to_owned(),
            format!("  {ID}\n"),
            format!("spotify:playlist:{ID}"),
            format!("spotify:user:someone:playlist:{ID}"),
            format!("https://open.spotify.com/playlist/{ID}"),
            format!("https://open.spotify.com/playlist/{ID}/"),
            format!("https://open.spotify.com/intl-de/playlist/{ID}?si=abc&pt=1#x"),
            format!("http://open.spotify.com/user/someone/playlist/{ID}?si=playlist/x"),
            format!("open.spotify.com/playlist/{ID}"),
        ] {
            assert_eq!(parse_playlist(&text).as_deref(), Ok(ID), "{text}");
        }
        assert_eq!(parse_track(&format!("spotify:track:{ID}")).as_deref(), Ok(ID));
    }

    #[test]
    fn what_is_no_playlist_is_refused_in_one_line() {
        for text in [
            "",
            "37i9dQZF1DX",
            "37i9dQZF1DXcBWIGoYBM5é",
            "spotify:track:37i9dQZF1DXcBWIGoYBM5M",
            "spotify:playlist:",
            "https://open.spotify.com/playlist",
            "https://example.org/playlist/37i9dQZF1DXcBWIGoYBM5M",
            "two\nlines",
        ] {
            let error = parse_playlist(text).unwrap_err().to_string();
            assert!(error.contains("spotify:playlist:ID") && error.lines().count() == 1, "{error}");
        }
    }

    proptest! {
        #[test]
        fn an_id_is_a_path_segment_of_its_own_and_stays_what_it_is(text in "\\PC{0,30}|[0-9A-Za-z./%?#:@\\\\é ]{20,24}|[0-9A-Za-z]{22}") {
            let mut url = reqwest::Url::parse("http://h/v1/x").unwrap();
            url.path_segments_mut().unwrap().push(&text);
            if is_id(&text) {
                prop_assert_eq!(url.as_str(), format!("http://h/v1/x/{text}"));
                prop_assert_eq!(parse_track(&text), Ok(text.clone()));
                prop_assert_eq!(checked(&text), Ok(text.as_str()));
            } else {
                let refused = matches!(checked(&text), Err(Error::BadId { .. }));
                prop_assert!(refused, "{}", text);
            }
            prop_assert!(url.path().starts_with("/v1/x"), "{}", url);
        }

        #[test]
        fn whatever_people_paste_comes_out_as_an_id_or_not_at_all(text in "\\PC{0,60}|spotify:track:\\PC{0,30}|https://open.spotify.com/(track|playlist)/[0-9A-Za-z./%]{20,24}") {
            for parsed in [parse_track(&text), parse_playlist(&text)] {
                prop_assert!(parsed.is_err() || parsed.is_ok_and(|id| is_id(&id)));
            }
        }
    }
}
