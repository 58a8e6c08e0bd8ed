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

/// What is wrong with ids of which none can be one; `None` where some can, or where there are none. Anyone can publish a job.
pub fn all_odd(ids: &[String]) -> Option<String> {
    let first = ids.first().filter(|_| !ids.iter().any(|id| is_id(id)))?;
    let first: String = first.chars().take(MOST_QUOTED).collect();
    let others = if ids.len() > 1 { format!(", nor are {} others", ids.len() - 1) } else { String::new() };
    Some(format!("{first:?} is no Spotify id (22 letters and digits){others}"))
}
