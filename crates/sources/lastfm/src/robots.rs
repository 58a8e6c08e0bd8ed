//! The rules of robots.txt.

use std::time::Duration;

use texting_robots::Robot;
use web::PRODUCT_TOKEN;

use crate::page::{PageOutcome, read_page};

/// A site's rules for this program.
pub(crate) struct Robots {
    /// `None`: the site has no robots.txt, and everything is allowed.
    rules: Option<Robot>,
}

impl Robots {
    /// Reads the response to a request for robots.txt, or says why it cannot be read. By RFC 9309, a missing file (4xx) allows
    /// everything, and a temporarily unavailable one nothing. last.fm's rate limit and firewall, which answer with 4xx and with
    /// 200, count as unavailable.
    pub(crate) fn read(status: u16, body: &str) -> Result<Self, String> {
        let refusal = read_page(status, body);
        if matches!(refusal, PageOutcome::Throttled | PageOutcome::Blocked) {
            return Err(format!("status {status}, {}", refusal.as_str()));
        }
        match status {
            200..=299 => Robot::new(PRODUCT_TOKEN, body.as_bytes())
                .map(|rules| Self { rules: Some(rules) })
                .map_err(|error| format!("it is not valid: {error}")),
            400..=499 => Ok(Self { rules: None }),
            _ => Err(format!("status {status}")),
        }
    }

    pub(crate) fn allow(&self, address: &str) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.allowed(address))
    }

    /// The minimum time between two pages.
    pub(crate) fn delay(&self) -> Duration {
        let seconds = self.rules.as_ref().and_then(|rules| rules.delay).unwrap_or(0.0);
        Duration::try_from_secs_f32(seconds).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "https://www.last.fm/music/A/_/T/+tags";

    #[test]
    fn rules_for_everyone_and_for_this_program_hold() {
        let everyone = "User-agent: *\nDisallow: /music\nCrawl-delay: 2";
        let robots = Robots::read(200, everyone).unwrap();
        assert!(!robots.allow(PAGE));
        assert_eq!(robots.delay(), Duration::from_secs(2));
        let us = format!("{everyone}\nUser-agent: Spotif-AI\nDisallow: /user");
        let robots = Robots::read(200, &us).unwrap();
        assert!(robots.allow(PAGE) && !robots.allow("https://www.last.fm/user/x"));
        assert!(!Robots::read(200, "User-agent: *\nDisallow: /*/+tags").unwrap().allow(PAGE));
    }

    #[test]
    fn no_file_allows_everything_and_an_unreadable_one_nothing() {
        for status in [404, 410] {
            assert!(Robots::read(status, "<h1>not found</h1>").unwrap().allow(PAGE));
        }
        for status in [302, 403, 406, 429, 500, 503] {
            assert!(Robots::read(status, "").is_err(), "{status}");
        }
        assert!(Robots::read(200, "<title>Page not available</title>").is_err());
    }
}
