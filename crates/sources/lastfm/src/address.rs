//! The URL of a track's tag page.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters of a path segment that last.fm percent-encodes: all but letters, digits and these. Derived from the links of
/// real pages; the test `the_links_of_real_pages_are_reproduced` checks it against them.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'&')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b'-')
    .remove(b'.')
    .remove(b':')
    .remove(b';')
    .remove(b'_');

/// The URL of a track's tag page. Without `/_/` it would be an album's.
pub fn tags_url(base: &str, artist: &str, track: &str) -> String {
    format!("{}/music/{}/_/{}/+tags", base.trim_end_matches('/'), encode(artist), encode(track))
}

fn encode(segment: &str) -> String {
    if matches!(segment, "." | "..") {
        // URL parsers resolve dot segments, which would lead to another page.
        return segment.replace('.', "%252E");
    }
    // last.fm decodes twice: a plus sign that is encoded once would become a space.
    utf8_percent_encode(segment, ENCODED).to_string().replace("%20", "+").replace("%2B", "%252B")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    #[test]
    fn every_kind_of_character_is_encoded_as_last_fm_does() {
        for (plain, encoded) in [
            ("Mr. Brightside", "Mr.+Brightside"),
            ("C+C", "C%252BC"),
            ("100%", "100%25"),
            ("AC/DC", "AC%2FDC"),
            ("It's", "It%27s"),
            ("!&(),*-.:;_", "!&(),*-.:;_"),
            ("What?", "What%3F"),
            ("#1", "%231"),
            ("Beyoncé", "Beyonc%C3%A9"),
            ("Don’t", "Don%E2%80%99t"),
            ("..", "%252E%252E"),
            ("...", "..."),
        ] {
            assert_eq!(encode(plain), encoded, "{plain}");
        }
    }

    #[test]
    fn a_slash_behind_the_base_makes_no_difference() {
        assert_eq!(tags_url("http://h/", "A", "T"), "http://h/music/A/_/T/+tags");
    }

    proptest! {
        #[test]
        fn no_name_leads_to_another_place(
            artist in "\\PC{0,12}|[./\\\\%2eEfF?#:@\t\n\r +]{0,12}",
            title in "\\PC{0,12}|[./\\\\%2eEfF?#:@\t\n\r +]{0,12}",
        ) {
            let page = tags_url("http://h/base", &artist, &title);
            let url = Url::parse(&page).unwrap();
            prop_assert_eq!(url.as_str(), &page, "it is sent as it is written");
            let parts: Vec<&str> = url.path_segments().unwrap().collect();
            prop_assert_eq!([parts[0], parts[1], parts[3], parts[5]], ["base", "music", "_", "+tags"], "{}", page);
            prop_assert_eq!((parts.len(), url.query(), url.fragment()), (6, None, None));
        }
    }

    #[test]
    fn the_links_of_real_pages_are_reproduced() {
        let Some(folder) = testkit::real_data("the_links_of_real_pages_are_reproduced") else { return };
        let text = std::fs::read_to_string(folder.join("lastfm/name_href_pairs.tsv")).unwrap();
        let mut tracks = 0;
        for line in text.lines().skip(1) {
            let (title, rest) = line.split_once('\t').unwrap();
            let href = rest.split('\t').next().unwrap();
            let parts: Vec<&str> = href.split('/').skip(2).filter(|part| *part != "+noredirect").collect();
            // The title is that of the last part: a track, an album or an artist.
            assert_eq!(encode(title), *parts.last().unwrap(), "{href}");
            if let [artist, "_", track] = parts[..] {
                tracks += 1;
                // What the artist is called, the link tells only encoded.
                let decoded = artist.replace("%252B", "%2B").replace('+', " ");
                let name = percent_encoding::percent_decode_str(&decoded).decode_utf8().unwrap();
                let page = tags_url("https://www.last.fm", &name, title);
                assert_eq!(page, format!("https://www.last.fm/music/{artist}/_/{track}/+tags"));
            }
        }
        assert!(tracks > 100, "only {tracks} links of tracks");
    }
}
