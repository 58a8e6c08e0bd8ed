//! Ids of Spotify's.

/// Letters and digits of an id: for playlists, tracks and artists alike.
const LENGTH: usize = 22;

/// Whether the text is an id that Spotify can be asked for: 22 letters and digits. With any other, a request for many
/// things is refused as a whole, and one for a single thing may be a request for something else.
pub fn is_id(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
