//! Spotify ids.

/// Letters and digits of an id, of playlists, tracks and artists alike.
const ID_LENGTH: usize = 22;

/// Characters of an invalid id that a message quotes.
const MAX_QUOTED_CHARS: usize = 100;

/// Whether the text is a valid Spotify id: 22 letters and digits. With an invalid one, a request for many items is refused
/// as a whole, and a request for one item may ask for something else.
pub fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The id in a text that refers to a `kind` of item (`track`, `playlist`): the id itself, a URI, or a URL with whatever was
/// copied along with it. `None` if there is none.
pub fn parse_id<'a>(text: &'a str, kind: &str) -> Option<&'a str> {
    let path = text.trim().split(['?', '#']).next().unwrap_or_default();
    let parts: Vec<&str> = path.split(['/', ':']).collect();
    let id = match parts.as_slice() {
        [id] => Some(*id),
        parts if parts.iter().any(|part| matches!(*part, "spotify" | "open.spotify.com" | "play.spotify.com")) => {
            parts.iter().skip_while(|part| **part != kind).nth(1).copied()
        }
        _ => None,
    };
    id.filter(|id| is_id(id))
}

/// The problem with ids that are all invalid; `None` if one is valid, or if there are none. Any program can publish jobs.
pub fn all_invalid(spotify_ids: &[String]) -> Option<String> {
    let first = spotify_ids.first().filter(|_| !spotify_ids.iter().any(|id| is_id(id)))?;
    let first: String = first.chars().take(MAX_QUOTED_CHARS).collect();
    let others =
        if spotify_ids.len() > 1 { format!(", nor are {} others", spotify_ids.len() - 1) } else { String::new() };
    Some(format!("{first:?} is not a Spotify id (22 letters and digits){others}"))
}
