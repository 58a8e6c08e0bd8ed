//! The rules of `data/tags.toml`, by key.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use serde::Deserialize;
use unicode_normalization::char::is_combining_mark;

use super::spelling::squash;

/// The data file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    genres: Vec<String>,
    words: Vec<String>,
    aliases: HashMap<String, Vec<String>>,
    parts: HashMap<String, Vec<String>>,
    noise: NoiseFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoiseFile {
    longest: usize,
    starts: Vec<String>,
    ends: Vec<String>,
    contains: Vec<String>,
    exact: Vec<String>,
}

/// The rules, everything squashed to keys but the forms that genres are shown in.
pub(super) struct Rules {
    /// Key → form.
    genres: HashMap<String, String>,
    /// Key of another spelling → key of the genre.
    aliases: HashMap<String, String>,
    /// The same for parts of a key; longest first, so that none hides another.
    parts: Vec<(String, String)>,
    vocabulary: HashSet<String>,
    noise: HashSet<String>,
    noise_starts: Vec<String>,
    noise_ends: Vec<String>,
    noise_contains: Vec<String>,
    longest: usize,
}

impl Rules {
    /// The rules of the data file that is built in.
    pub(super) fn get() -> &'static Self {
        static RULES: OnceLock<Rules> = OnceLock::new();
        RULES.get_or_init(|| {
            let file = toml::from_str(include_str!("../../data/tags.toml"));
            Self::new(file.expect("data/tags.toml is part of this crate and of this form"))
        })
    }

    fn new(file: File) -> Self {
        // Any key can be cut into shreds of one and two letters: those are words only where they are listed as such.
        let words = file.genres.iter().flat_map(|form| form.split(' ')).filter(|word| word.len() > 2);
        let mut parts: Vec<_> = by_spelling(&file.parts).collect();
        parts.sort_by_key(|(spelling, _)| (std::cmp::Reverse(spelling.len()), spelling.clone()));
        Self {
            vocabulary: words.map(str::to_owned).chain(file.words).collect(),
            aliases: by_spelling(&file.aliases).collect(),
            parts,
            noise: keys(&file.noise.exact).collect(),
            noise_starts: keys(&file.noise.starts).collect(),
            noise_ends: keys(&file.noise.ends).collect(),
            noise_contains: keys(&file.noise.contains).collect(),
            longest: file.noise.longest,
            genres: file.genres.into_iter().map(|form| (squash(&form), form)).collect(),
        }
    }

    /// The key of the genre that a key is another spelling of; other keys stay as they are.
    pub(super) fn resolve(&self, mut key: String) -> String {
        for (spelling, genre) in &self.parts {
            if let Some(rest) = key.strip_prefix(spelling) {
                key = format!("{genre}{rest}");
            }
            if let Some(rest) = key.strip_suffix(spelling) {
                key = format!("{rest}{genre}");
            }
        }
        if let Some(genre) = self.aliases.get(&key) {
            return genre.clone();
        }
        match key.strip_suffix("music") {
            Some(genre) if self.genres.contains_key(genre) => genre.to_owned(),
            _ => key,
        }
    }

    /// Whether a key is that of a genre of the file.
    pub(super) fn is_listed(&self, key: &str) -> bool {
        self.genres.contains_key(key)
    }

    /// Whether a key is that of no genre.
    pub(super) fn is_noise(&self, key: &str) -> bool {
        if self.is_listed(key) {
            return false;
        }
        let letters = key.chars().filter(|c| !is_combining_mark(*c)).count();
        letters < 2
            || letters > self.longest
            || key.chars().all(char::is_numeric)
            || names_a_time(key)
            || self.noise.contains(key)
            || self.noise_starts.iter().any(|part| key.starts_with(part))
            || self.noise_ends.iter().any(|part| key.ends_with(part))
            || self.noise_contains.iter().any(|part| key.contains(part))
    }

    /// The form in which a key is shown.
    pub(super) fn display(&self, key: &str) -> String {
        match self.genres.get(key) {
            Some(form) => form.clone(),
            None => self.words_of(key).map_or_else(|| key.to_owned(), |words| words.join(" ")),
        }
    }

    /// The fewest known words that a key is made of; of equally many those whose last word is the shortest.
    fn words_of<'a>(&self, key: &'a str) -> Option<Vec<&'a str>> {
        if !key.is_ascii() {
            return None;
        }
        // best[end]: number of words that key[..end] is made of, and where the last of them starts.
        let mut best: Vec<Option<(usize, usize)>> = vec![None; key.len() + 1];
        best[0] = Some((0, 0));
        for end in 1..=key.len() {
            best[end] = (0..end)
                .filter(|&start| self.vocabulary.contains(&key[start..end]))
                .filter_map(|start| best[start].map(|(words, _)| (words + 1, start)))
                .min_by_key(|&(words, start)| (words, end - start));
        }
        let mut words = Vec::new();
        let mut end = key.len();
        while end > 0 {
            let (_, start) = best[end]?;
            words.push(&key[start..end]);
            end = start;
        }
        words.reverse();
        Some(words)
    }
}

fn keys(entries: &[String]) -> impl Iterator<Item = String> + '_ {
    entries.iter().map(|entry| squash(entry))
}

fn by_spelling(table: &HashMap<String, Vec<String>>) -> impl Iterator<Item = (String, String)> + '_ {
    table.iter().flat_map(|(form, spellings)| keys(spellings).map(|spelling| (spelling, squash(form))))
}

/// Whether a key has a year (1900 to 2099) or a decade (`80s`, `1980s`) in it.
fn names_a_time(key: &str) -> bool {
    let mut rest = key;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = &rest[start..];
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let (number, after) = digits.split_at(end);
        let year = number.len() == 4 && (number.starts_with("19") || number.starts_with("20"));
        let decade = number.len() == 2 && number.ends_with('0') && after.starts_with('s');
        if year || decade {
            return true;
        }
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::tag::canonical;

    #[test]
    fn the_data_file_does_not_contradict_itself() {
        let rules = Rules::get();
        for (key, form) in &rules.genres {
            assert_eq!(&squash(form), key);
            assert_eq!(&rules.resolve(key.clone()), key, "`{form}` is listed as a genre and as a spelling of another");
        }
        for (spelling, genre) in rules.aliases.iter().chain(rules.parts.iter().map(|(from, to)| (from, to))) {
            let form = rules.genres.get(genre).unwrap_or_else(|| panic!("{genre} is not among the genres"));
            assert_eq!(rules.resolve(genre.clone()), *genre, "{spelling} leads to {form}, which leads elsewhere");
            assert_eq!(canonical(spelling).as_ref(), Some(form));
        }
    }

    #[test]
    fn spellings_of_a_published_map_meet() {
        let Some(folder) = testkit::real_data("spellings_of_a_published_map_meet") else { return };
        let text = std::fs::read_to_string(folder.join("tags/jamendo_tag_map.json")).unwrap();
        let map: serde_json::Value = serde_json::from_str(&text).unwrap();
        // What is not mere spelling: a kind of it, or two kinds.
        let other_meaning = ["punk", "folkpop", "electronicambient"];
        for (variant, genre) in map["genre"].as_object().unwrap() {
            if !other_meaning.contains(&variant.as_str()) {
                assert_eq!(canonical(variant), canonical(genre.as_str().unwrap()), "{variant}");
            }
        }
    }

    #[test]
    fn the_most_frequent_real_tags_come_out_as_genres() {
        let Some(folder) = testkit::real_data("the_most_frequent_real_tags_come_out_as_genres") else { return };
        let text = std::fs::read_to_string(folder.join("tags/pagea_lastfm_artist_tags.csv")).unwrap();
        let mut artists: HashMap<String, usize> = HashMap::new();
        for tags in text.lines().filter_map(|line| line.split('|').nth(1)) {
            let forms: HashSet<String> = tags.split(',').filter_map(canonical).collect();
            forms.into_iter().for_each(|form| *artists.entry(form).or_default() += 1);
        }
        let mut ranked: Vec<(usize, String)> = artists.into_iter().map(|(form, count)| (count, form)).collect();
        ranked.sort_by(|a, b| b.cmp(a));
        let top: Vec<&str> = ranked.iter().map(|(_, form)| form.as_str()).collect();
        for genre in
            ["alternative", "pop", "indie", "rock", "electronic", "hip hop", "singer songwriter", "pop rock", "rnb"]
        {
            assert!(top[..40].contains(&genre), "{genre} is not among {:?}", &top[..40]);
        }
        let unlisted: Vec<&&str> =
            top[..120].iter().filter(|form| !Rules::get().genres.contains_key(&squash(form))).collect();
        assert!(unlisted.is_empty(), "frequent, and neither genre nor noise: {unlisted:?}");
    }
}
