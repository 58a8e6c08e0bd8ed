//! Reading the addresses of track tag pages as last.fm does.

use percent_encoding::percent_decode_str;

/// Artist and title of `/music/{artist}/_/{title}/+tags`; `None` for any other page (without `/_/` it is an album's)
/// and for what last.fm does not find although other servers would.
pub(super) fn parse(path: &str) -> Option<(String, String)> {
    let (artist, title) = path.strip_prefix("/music/")?.strip_suffix("/+tags")?.split_once("/_/")?;
    Some((part(artist)?, part(title)?))
}

/// One part of a path: `+` is a space, and a plus sign is encoded twice (`%252B`), since a single `%2B` is read as the
/// `+` that stands for a space, and then not found.
fn part(encoded: &str) -> Option<String> {
    if encoded.is_empty() || encoded.contains('/') || encoded.to_ascii_uppercase().contains("%2B") {
        return None;
    }
    let spaced = encoded.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.replace("%2B", "+"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(encoded: &str) -> Option<String> {
        parse(&format!("/music/Florence+%252B+the+Machine/_/{encoded}/+tags")).map(|(artist, title)| {
            assert_eq!(artist, "Florence + the Machine");
            title
        })
    }

    #[test]
    fn parts_are_read_by_the_rule_of_real_links() {
        assert_eq!(title("Drive+My+Car+%2F+The+Word").as_deref(), Some("Drive My Car / The Word"));
        assert_eq!(title("100%25+Rain").as_deref(), Some("100% Rain"));
        assert_eq!(title("D%27Angelo!+(%E6%97%A5%E6%9C%AC),+a:b").as_deref(), Some("D'Angelo! (日本), a:b"));
        assert_eq!(title("1%252B1").as_deref(), Some("1+1"));
    }

    #[test]
    fn what_lastfm_does_not_find_is_not_found() {
        assert_eq!(title("1%2B1"), None);
        assert_eq!(title("Half/Light"), None);
        assert_eq!(title("%FF"), None);
        assert_eq!(parse("/music/The+Beatles/Abbey+Road/+tags"), None);
        assert_eq!(parse("/music/The+Beatles/_/Help!"), None);
    }
}
