//! Ids as people paste them.

use rspotify::model::{PlaylistId, TrackId};

/// Why a text names no playlist or track.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} names no {kind}: give its id (22 letters and digits), spotify:{kind}:ID or https://open.spotify.com/{kind}/ID"
)]
pub struct BadId {
    text: String,
    kind: &'static str,
}

/// The playlist's id from an id, a URI or an address (with a query, a language or an owner in it).
pub fn parse_playlist(text: &str) -> Result<String, BadId> {
    parse(text, "playlist", PlaylistId::id_is_valid)
}

/// The track's id from an id, a URI or an address.
pub fn parse_track(text: &str) -> Result<String, BadId> {
    parse(text, "track", TrackId::id_is_valid)
}

/// Whether a track can be asked for by this id.
pub(crate) fn is_track_id(id: &str) -> bool {
    TrackId::id_is_valid(id)
}

fn parse(text: &str, kind: &'static str, is_valid: fn(&str) -> bool) -> Result<String, BadId> {
    let path = text.trim().split(['?', '#']).next().unwrap_or_default();
    let parts: Vec<&str> = path.split(['/', ':']).collect();
    let id = match parts.as_slice() {
        [id] => Some(*id),
        parts if parts.iter().any(|part| matches!(*part, "spotify" | "open.spotify.com" | "play.spotify.com")) => {
            parts.iter().skip_while(|part| **part != kind).nth(1).copied()
        }
        _ => None,
    };
    match id {
        // rspotify checks the letters; the length is Spotify's for all of them and shows a half-pasted id.
        Some(id) if id.len() == 22 && is_valid(id) => Ok(id.to_owned()),
        _ => Err(BadId { text: text.trim().chars().take(100).collect(), kind }),
    }
}

#[cfg(test)]
mod tests {
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
}
