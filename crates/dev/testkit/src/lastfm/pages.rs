//! The pages, in the markup that a reader of real pages meets.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const LINK_ENCODE_SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A track's tags, or the place of the list and the word that there are none.
pub(super) fn tags(artist: &str, title: &str, tags: &[(String, u32)]) -> String {
    let body = if tags.is_empty() {
        r#"<p class="no-data-message">No one has tagged this track yet.</p>"#.to_owned()
    } else {
        let items: String = tags.iter().map(|(tag, _)| item(tag)).collect();
        format!(r#"<ol class="buffer-standard big-tags big-tags--with-{}">{items}</ol>"#, tags.len())
    };
    // The real blob runs the words of a tag together, so it is of no use to a reader.
    let run_together: Vec<String> = tags.iter().map(|(tag, _)| tag.replace(' ', "")).collect();
    let blob = serde_json::json!({
        "siteSection": "music", "pageType": "music_track_tags_overview", "musicSongTitle": title,
        "musicArtistName": artist, "tag": run_together.join(","),
    });
    let main = format!(
        r#"<div class="hidden" id="tlmdata" hidden data-tealium-data="{}"></div>
<nav class="navlist secondary-nav"><ul class="navlist-items">
<li class="navlist-item secondary-nav-item"><a class="secondary-nav-item-link" href="/music">Overview</a></li>
<li class="navlist-item secondary-nav-item secondary-nav-item--tags">
<a class="secondary-nav-item-link secondary-nav-item-link--active" href="">Tags</a></li>
</ul></nav>
<div class="container page-content"><div class="row"><div class="col-main"><section>
<div class="section-controls"><h2 class="subpage-title">Tags</h2><a class="btn-add" href="/login">Add Tags</a></div>
{body}
</section></div></div></div>"#,
        escape(&blob.to_string())
    );
    page(&format!("{title} — {artist} tags"), &main)
}

/// One tag: its link, and the empty link that covers the whole card.
fn item(tag: &str) -> String {
    let link = utf8_percent_encode(tag, LINK_ENCODE_SET).to_string().replace("%20", "+");
    let tag = escape(tag);
    format!(
        r#"
<li class="big-tags-item-wrap" itemscope itemtype="">
<div class="big-tags-item js-link-block link-block">
<h3 class="big-tags-item-name" itemprop="name">
<a class="link-block-target" href="/tag/{link}" itemprop="url">{tag}</a>
</h3>
<p class="big-tags-item-context">
        Including <a href="/music/Somebody">Somebody</a> and <a href="/music/Somebody+Else">Somebody Else</a>
</p>
<a aria-hidden="true" class="js-link-block-cover-link link-block-cover-link" href="/tag/{link}" tabindex="-1"></a>
</div>
</li>"#
    )
}

/// 404.
pub(super) fn not_found() -> String {
    page("Page not found", r#"<div class="error-page"><h1>404 - Page Not Found</h1><p>Crap!</p></div>"#)
}

/// Sent with 200 or 429.
pub(super) fn throttled() -> String {
    page(
        "Page not available",
        r#"<div class="error-page"><h1>Page not available</h1><p>You're requesting too many pages.</p></div>"#,
    )
}

/// Sent with 406, by what stands before the site.
pub(super) fn firewall() -> String {
    "<!DOCTYPE html><html><head><title>Error 406</title></head><body><header></header>\
     <h1>Error 406</h1><p>Your request was blocked by our firewall.</p></body></html>"
        .to_owned()
}

/// A page of the site, with status 200, that holds neither tags nor the place for them.
pub(super) fn unrecognised() -> String {
    page("Something new", r#"<div class="container page-content"><div class="tag-cloud-v9"></div></div>"#)
}

fn page(title: &str, main: &str) -> String {
    format!(
        r#"<!DOCTYPE html>
<html lang="en" class="no-js">
<head><meta charset="utf-8"><title>{} | Last.fm</title></head>
<body>
<nav class="masthead"><a href="/">Last.fm</a><a href="/music">Music</a></nav>
<div class="main-content" id="content" role="main">
{main}
</div>
</body>
</html>
"#,
        escape(title)
    )
}

/// Safe in text and in attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#x27;"),
            other => escaped.push(other),
        }
    }
    escaped
}
