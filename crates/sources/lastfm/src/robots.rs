//! What robots.txt allows.

use std::time::Duration;

use texting_robots::Robot;
use web::AGENT;

use crate::page::{PageOutcome, read_page};

/// What a site's robots.txt says to this program.
pub(crate) struct Robots {
    /// `None`: there is none, so everything is allowed.
    rules: Option<Robot>,
}

impl Robots {
    /// Reads the answer to the request for robots.txt, or says why it is none. As RFC 9309 has it, a file that isn't
    /// there (4xx) allows everything, and one that can't be had for the moment nothing. last.fm's throttle and
    /// firewall, which come with 4xx and with 200, are of the second kind.
    pub(crate) fn read(status: u16, body: &str) -> Result<Self, String> {
        let refusal = read_page(status, body);
        if matches!(refusal, PageOutcome::Throttled | PageOutcome::Blocked) {
            return Err(format!("status {status}, {}", refusal.as_str()));
        }
        match status {
            200..=299 => Robot::new(AGENT, body.as_bytes())
                .map(|rules| Self { rules: Some(rules) })
                .map_err(|error| format!("it is not understood: {error}")),
            400..=499 => Ok(Self { rules: None }),
            _ => Err(format!("status {status}")),
        }
    }

    pub(crate) fn allow(&self, address: &str) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.allowed(address))
    }

    /// The least time between two pages.
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
