//! Ids of Spotify's.

/// Letters and digits of an id: for playlists, tracks and artists alike.
const LENGTH: usize = 22;

/// As much of an odd id as a reason quotes, in characters.
const MOST_QUOTED: usize = 100;

/// Whether the text is an id that Spotify can be asked for: 22 letters and digits. With any other, a request for many
/// things is refused as a whole, and one for a single thing may be a request for something else.
pub fn is_id(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The id in a text that names a `kind` of thing (`track`, `playlist`): the id itself, a URI, or an address with whatever a
/// person copied along. `None` where there is none.
pub fn named<'a>(text: &'a str, kind: &str) -> Option<&'a str> {
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

/// What is wrong with ids of which none can be one; `None` where some can, or where there are none. Anyone can publish a job.
pub fn all_odd(ids: &[String]) -> Option<String> {
    let first = ids.first().filter(|_| !ids.iter().any(|id| is_id(id)))?;
    let first: String = first.chars().take(MOST_QUOTED).collect();
    let others = if ids.len() > 1 { format!(", nor are {} others", ids.len() - 1) } else { String::new() };
    Some(format!("{first:?} is not a Spotify id (22 letters and digits){others}"))
}
