//! What the sample's listeners tag: its genres in spellings of their own, sub-genres, and much that is no genre.

use super::genre::Genre;
use crate::random::Random;

const NOISE: &[&str] = &["seen live", "favorites", "favourite songs", "awesome", "love it", "my playlist"];

/// Tags with counts from 100 downwards, the strongest first.
pub(crate) fn tags(genres: &[&Genre], artist: &str, year: usize, random: &mut Random) -> Vec<(String, u32)> {
    let mut names: Vec<String> = genres.iter().map(|genre| (*random.pick(genre.spellings)).to_owned()).collect();
    // The main genre once more, spelled by somebody else.
    if random.chance(0.2) {
        names.push((*random.pick(genres[0].spellings)).to_owned());
    }
    if random.chance(0.3) && !genres[0].styles.is_empty() {
        names.push((*random.pick(genres[0].styles)).to_owned());
    }
    let mut noise = |chance: f64, tag: String| {
        if random.chance(chance) {
            let place = random.below(names.len() + 1);
            names.insert(place, tag);
        }
    };
    noise(0.15, artist.to_owned());
    noise(0.20, format!("{:02}s", year / 10 % 10 * 10));
    for tag in NOISE {
        noise(0.07, (*tag).to_owned());
    }
    with_counts(names)
}

/// Falling counts; a tag that comes twice stays where it was first.
pub(crate) fn with_counts(names: Vec<String>) -> Vec<(String, u32)> {
    let mut tags: Vec<(String, u32)> = Vec::new();
    for name in names {
        if !tags.iter().any(|(known, _)| *known == name) {
            let count = 100 / (tags.len() as u32 + 1);
            tags.push((name, count.max(1)));
        }
    }
    tags
}
