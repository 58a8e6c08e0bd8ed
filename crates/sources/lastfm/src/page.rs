//! Tag pages.

use std::sync::LazyLock;

use model::tag::Tag;
use scraper::{ElementRef, Html, Selector};

/// What a page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageOutcome {
    /// At least one tag, strongest first.
    Tags(Vec<Tag>),
    /// The track is known and has no tags.
    NoTags,
    /// last.fm does not know the track.
    UnknownTrack,
    /// Too many pages were requested.
    Throttled,
    /// A firewall or a browser check blocks the page.
    Blocked,
    /// None of these: keep it for inspection, and try again.
    Unrecognised,
}

impl PageOutcome {
    /// The name used in tables and JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Tags(_) => "tags",
            Self::NoTags => "no_tags",
            Self::UnknownTrack => "unknown_track",
            Self::Throttled => "throttled",
            Self::Blocked => "blocked",
            Self::Unrecognised => "unrecognised",
        }
    }

    /// The tags; none unless it is [`PageOutcome::Tags`].
    pub fn tags(&self) -> &[Tag] {
        match self {
            Self::Tags(tags) => tags,
            _ => &[],
        }
    }
}

/// Reads a page. For a saved page, pass the status 200: then the text decides.
pub fn read_page(status: u16, body: &str) -> PageOutcome {
    use PageOutcome::{Blocked, Throttled, Unrecognised};
    let said = read_text(body);
    match status {
        200 => said,
        406 => Blocked,
        // Pages of the firewall and of the rate limit come with various statuses: the text decides first.
        _ if matches!(said, Blocked | Throttled) => said,
        403 | 429 | 503 => Throttled,
        404 => PageOutcome::UnknownTrack,
        _ => Unrecognised,
    }
}

fn read_text(body: &str) -> PageOutcome {
    let page = Page::parse(body);
    let tags = page.tags();
    if !tags.is_empty() {
        return PageOutcome::Tags(tags);
    }
    if page.is_complete && page.says_no_tags() {
        return PageOutcome::NoTags;
    }
    let headings: Vec<String> =
        page.html.select(&HEADINGS).map(|heading| one_line(heading.text()).to_lowercase()).collect();
    let headed = |start: &str| headings.iter().any(|heading| heading.starts_with(start));
    // These two are accepted of an incomplete page, too: nothing is stored because of them.
    if headed("your request was blocked") || headed("error 406") || headed("client challenge") {
        PageOutcome::Blocked
    } else if headed("page not available")
        || one_line(page.html.root_element().text()).to_lowercase().contains(THROTTLED_TEXT)
    {
        PageOutcome::Throttled
    } else if page.is_complete && headed("page not found") {
        PageOutcome::UnknownTrack
    } else {
        PageOutcome::Unrecognised
    }
}

/// A document, and whether it is complete: a page that was cut off can look like another one.
struct Page {
    html: Html,
    is_complete: bool,
}

impl Page {
    fn parse(body: &str) -> Self {
        // A marker element after the end: the parser puts it into whatever element is still open, and drops it if the text
        // ended within a tag, an attribute, a script or a comment.
        let html = Html::parse_document(&format!("{body}{END_MARKER_HTML}"));
        let is_complete = ends_with_html(body) && html.select(&END_MARKER).next().is_some();
        Self { html, is_complete }
    }

    /// The tags, if their list is complete.
    fn tags(&self) -> Vec<Tag> {
        let has_end = self.is_complete || {
            let marker = self.html.select(&END_MARKER).next();
            let is_list = |node: ElementRef| TAG_LIST.matches(&node);
            marker.is_some_and(|marker| !marker.ancestors().filter_map(ElementRef::wrap).any(is_list))
        };
        let links = self.html.select(&TAG_LINKS).filter(|_| has_end);
        let names = links.map(|link| one_line(link.text())).filter(|name| !name.is_empty());
        names.map(|name| Tag { name, count: None }).collect()
    }

    /// Whether the page has an empty list of tags, or the note that last.fm shows where it has no data. Such notes also stand
    /// for shouts and wikis, so the note must be in the main column of the tags tab, or mention tags.
    fn says_no_tags(&self) -> bool {
        if self.html.select(&TAG_LIST).next().is_some() {
            return self.html.select(&TAG_ITEMS).next().is_none();
        }
        let is_tags_tab = self.html.select(&TAGS_TAB).next().is_some();
        let notes = || self.html.select(&NO_DATA);
        notes().any(|note| is_tags_tab || one_line(note.text()).to_lowercase().contains("tag"))
    }
}

/// Whether the text ends with `</html>`. Comments and scripts may follow: caches and firewalls append them.
fn ends_with_html(body: &str) -> bool {
    let lower = body.to_ascii_lowercase();
    let Some((_, rest)) = lower.rsplit_once("</html") else { return false };
    let Some((inside, rest)) = rest.split_once('>') else { return false };
    inside.trim().is_empty() && {
        let rest = rest.trim();
        rest.is_empty() || (rest.starts_with("<!--") || rest.starts_with("<script")) && rest.ends_with('>')
    }
}

/// Text with runs of white space collapsed into single spaces.
fn one_line<'a>(text: impl Iterator<Item = &'a str>) -> String {
    text.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The marker that is appended to a page, and its selector.
const END_MARKER_HTML: &str = "<i class=\"spotifai-end\"></i>";
static END_MARKER: LazyLock<Selector> = LazyLock::new(|| selector("i.spotifai-end"));

/// Part of "You're requesting too many pages", whose apostrophe varies.
const THROTTLED_TEXT: &str = "requesting too many pages";

// Not simply `a[href^="/tag/"]`: each tag has a second such link, without text, over its picture.
static TAG_LINKS: LazyLock<Selector> =
    LazyLock::new(|| selector("ol.big-tags li.big-tags-item-wrap h3.big-tags-item-name a"));
static TAG_LIST: LazyLock<Selector> = LazyLock::new(|| selector("ol.big-tags"));
static TAG_ITEMS: LazyLock<Selector> = LazyLock::new(|| selector("ol.big-tags > *"));
static TAGS_TAB: LazyLock<Selector> =
    LazyLock::new(|| selector(".secondary-nav-item--tags .secondary-nav-item-link--active"));
static NO_DATA: LazyLock<Selector> = LazyLock::new(|| selector(r#".col-main [class*="no-data-message"]"#));
static HEADINGS: LazyLock<Selector> = LazyLock::new(|| selector("title, h1, h2, #error"));

fn selector(css: &'static str) -> Selector {
    Selector::parse(css).expect("the selectors of this file are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(title: &str, main: &str) -> String {
        format!(
            r#"<!DOCTYPE html><html><head><title>{title}</title></head><body><nav><ul>
            <li class="navlist-item secondary-nav-item secondary-nav-item--tags">
            <a class="secondary-nav-item-link secondary-nav-item-link--active" href="/x">Tags</a></li></ul></nav>
            <div class="row"><div class="col-main"><section><h2 class="subpage-title">Tags</h2>{main}</section></div></div>
            </body></html>"#
        )
    }

    fn item(name: &str) -> String {
        format!(
            r#"<li class="big-tags-item-wrap"><div class="big-tags-item"><h3 class="big-tags-item-name">
            <a class="link-block-target" href="/tag/x"> {name}
            </a></h3><p>Including <a href="/music/Rihanna">Rihanna</a></p>
            <a class="link-block-cover-link" href="/tag/x"></a></div></li>"#
        )
    }

    #[test]
    fn tags_are_read_in_order_with_their_spaces() {
        let list = format!(
            r#"<ol class="buffer-standard big-tags">{}{}{}</ol>"#,
            item("rnb"),
            item("neo soul"),
            item("r&amp;b")
        );
        let outcome = read_page(200, &page("Tags of T", &list));
        let names: Vec<&str> = outcome.tags().iter().map(|tag| tag.name.as_str()).collect();
        assert_eq!((outcome.as_str(), names), ("tags", vec!["rnb", "neo soul", "r&b"]));
    }

    #[test]
    fn no_tags_is_only_where_their_place_says_so() {
        let note = r#"<p class="no-data-message">Nobody added tags yet.</p>"#;
        assert_eq!(read_page(200, &page("T", note)), PageOutcome::NoTags);
        assert_eq!(read_page(200, &format!("{}<!-- cached -->\n", page("T", note))), PageOutcome::NoTags);
        assert_eq!(read_page(200, &page("T", r#"<ol class="big-tags"></ol>"#)), PageOutcome::NoTags);
        assert_eq!(read_page(200, &page("T", "")), PageOutcome::Unrecognised);
        let renamed = r#"<ol class="big-tags"><li class="tag-2027"><a href="/tag/pop">pop</a></li></ol>"#;
        assert_eq!(read_page(200, &page("T", renamed)), PageOutcome::Unrecognised);
        let shouts =
            r#"<html><div class="col-main"><p class="no-data-message">Nobody said anything yet.</p></div></html>"#;
        assert_eq!(read_page(200, shouts), PageOutcome::Unrecognised);
    }

    #[test]
    fn every_form_of_throttling_is_told() {
        let titled = "<html><head><title>\n Page Not Available | Last.fm</title></head><body></body></html>";
        assert_eq!(read_page(200, titled), PageOutcome::Throttled);
        for apostrophe in ["'", "’", "&#8217;", "&#39;", "&rsquo;", "ʼ"] {
            for body in [
                format!("<title>Last.fm</title><h1>You{apostrophe}re requesting too many pages</h1>"),
                format!("<html><title>YOU{apostrophe}RE REQUESTING TOO MANY PAGES</title></html>"),
                format!("<div><p>You{apostrophe}re requesting\n too many pages. Slow down.</p></div>"),
            ] {
                assert_eq!(read_page(200, &body), PageOutcome::Throttled, "{body}");
            }
        }
        for status in [429, 403, 503] {
            assert_eq!(read_page(status, ""), PageOutcome::Throttled);
            assert_eq!(read_page(status, "<h1>Service unavailable</h1>"), PageOutcome::Throttled);
        }
    }

    #[test]
    fn the_firewall_is_told_by_status_and_by_text() {
        let firewall =
            "<title>Last.fm - Rate Limited</title><h1>Your request was blocked</h1><div id=error>Error 406</div>";
        for status in [200, 403, 406, 500] {
            assert_eq!(read_page(status, firewall), PageOutcome::Blocked, "{status}");
        }
        assert_eq!(read_page(406, ""), PageOutcome::Blocked);
        assert_eq!(read_page(200, "<title>Client Challenge</title>"), PageOutcome::Blocked);
    }

    #[test]
    fn an_unknown_track_is_told_by_status_and_by_text() {
        assert_eq!(read_page(404, "<h1>Where did that page go?</h1>"), PageOutcome::UnknownTrack);
        assert_eq!(read_page(200, "<html><title>Page Not Found | Last.fm</title></html>"), PageOutcome::UnknownTrack);
    }

    #[test]
    fn a_page_that_was_cut_off_is_unrecognised_or_right() {
        let note = r#"<p class="no-data-message">Nobody added tags yet.</p>"#;
        let empty = r#"<ol class="big-tags"></ol>"#;
        let three = format!(r#"<ol class="big-tags">{}{}{}</ol>"#, item("rnb"), item("neo soul"), item("</html>"));
        let other_notes = format!("{note}{three}");
        // A note, a title and a script that would make something else of their page.
        let script = format!("<script>let end = '</body></html>';</script>{three}");
        for main in [note, empty, &three, &other_notes, &script] {
            for title in ["Tags of T", "Page not found, by nobody | Last.fm"] {
                let whole = page(title, main);
                let right = read_page(200, &whole);
                assert!(matches!(right, PageOutcome::Tags(_) | PageOutcome::NoTags), "{right:?}");
                for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
                    let cut = read_page(200, &whole[..end]);
                    assert!(cut == PageOutcome::Unrecognised || cut == right, "{end}: {cut:?} of {}", &whole[..end]);
                }
            }
        }
        let gone = "<html><head><title>Page not found | Last.fm</title></head><body><h1>404</h1></body></html>";
        for end in 0..gone.len() {
            assert_eq!(read_page(200, &gone[..end]), PageOutcome::Unrecognised);
        }
    }

    #[test]
    fn everything_else_is_unrecognised() {
        for (status, body) in [(200, ""), (200, "<p>hello</p>"), (500, ""), (302, ""), (204, ""), (200, "{\"a\":1}")] {
            assert_eq!(read_page(status, body), PageOutcome::Unrecognised, "{status} {body}");
        }
    }

    #[test]
    fn real_pages_are_told_apart() {
        let Some(folder) = testkit::real_data("real_pages_are_told_apart") else { return };
        let read = |name: &str| std::fs::read_to_string(folder.join("lastfm").join(name)).unwrap();
        let tagged = read_page(200, &read("beyonce-naughty-girl-tags.fragment.html"));
        let names: Vec<&str> = tagged.tags().iter().map(|tag| tag.name.as_str()).collect();
        assert_eq!(names, ["rnb", "sexy", "pop", "beyonce", "female vocalists", "hip-hop"]);
        for status in [200, 406] {
            assert_eq!(read_page(status, &read("rate_limited_406.html")), PageOutcome::Blocked);
        }
    }
}
