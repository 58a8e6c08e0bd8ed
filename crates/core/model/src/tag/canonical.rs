//! The canonical form of a tag.

use super::Tag;
use super::rules::Rules;
use super::spelling::squash;
use crate::track::ArtistRef;

/// Version of the rules; goes up whenever one of them or `data/tags.toml` changes.
pub const RULES_VERSION: u32 = 2;

/// The form that all spellings of a genre share (`Hip_Hop`, `hiphop` → `hip hop`), or `None` where the tag is no genre.
///
/// It is lower-case, of letters, digits and single spaces, and its own canonical form. Which tags are genres, how they
/// are shown and what is dropped is told by `data/tags.toml`; a genre that is not listed there gets a form that is the
/// same for every way of putting spaces, hyphens and accents.
pub fn canonical(name: &str) -> Option<String> {
    let rules = Rules::get();
    let key = rules.resolve(squash(name));
    (!rules.is_noise(&key)).then(|| rules.display(&key))
}

/// Whether a name is a spelling of a genre that `data/tags.toml` lists, and not merely of one that there may be.
pub fn is_listed(name: &str) -> bool {
    let rules = Rules::get();
    rules.is_listed(&rules.resolve(squash(name)))
}

/// The canonical tags of a track, strongest first, without repeats and without its artists' names.
pub fn canonical_tags(tags: &[Tag], artists: &[ArtistRef]) -> Vec<String> {
    let artists: Vec<String> = artists.iter().map(|artist| without_the(squash(&artist.name))).collect();
    let mut found = Vec::new();
    for tag in tags.iter().filter(|tag| !artists.contains(&without_the(squash(&tag.name)))) {
        match canonical(&tag.name) {
            Some(form) if !found.contains(&form) => found.push(form),
            _ => {}
        }
    }
    found
}

/// Artists are tagged with and without their article.
fn without_the(key: String) -> String {
    match key.strip_prefix("the") {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => key,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    fn assert_all(form: &str, spellings: &[&str]) {
        for spelling in spellings {
            assert_eq!(canonical(spelling).as_deref(), Some(form), "{spelling}");
        }
    }

    #[test]
    fn spellings_of_a_genre_meet() {
        assert_all(
            "hip hop",
            &["hip-hop", "hip hop", "hiphop", "Hip_Hop", "HIP  HOP", "ｈｉｐ‐ｈｏｐ", "hip/hop", "#hiphop"],
        );
        assert_all(
            "rnb",
            &["r&b", "rnb", "R'n'B", "R’n’B", "r and b", "r n b", "rhythm and blues", "Rhythm & Blues", "R & B"],
        );
        assert_all(
            "drum and bass",
            &["drum and bass", "drum & bass", "Drum n Bass", "dnb", "d&b", "drum'n'bass", "DrumNBass"],
        );
        assert_all(
            "rock and roll",
            &["rock n roll", "rock'n'roll", "rock and roll", "Rock & Roll", "rocknroll", "Rock 'n' Roll"],
        );
        assert_all("lo fi", &["lo-fi", "lofi", "Lo Fi"]);
        assert_all("k pop", &["k-pop", "kpop", "K Pop"]);
        assert_all("synthpop", &["synth pop", "synthpop", "synth-pop"]);
        assert_all("post punk", &["post punk", "post-punk", "postpunk"]);
        assert_all(
            "singer songwriter",
            &["singer songwriter", "singer-songwriter", "Singer/Songwriter", "singersongwriter"],
        );
        assert_all("alternative rnb", &["alternative r&b", "alternative rnb", "Alternative R'n'B"]);
        assert_all("liquid drum and bass", &["liquid dnb", "liquid drum & bass", "Liquid Drum n Bass"]);
        assert_all("electronic", &["electronic music", "Électronic", "electronic"]);
    }

    #[test]
    fn listed_genres_are_known_in_any_spelling() {
        for name in ["jazz", "Hip-Hop", "hiphop", "r&b", "Drum n Bass", "dnb"] {
            assert!(is_listed(name), "{name}");
        }
        for name in ["", "explicit", "local", "zeuhl", "live", "seen live", "80s"] {
            assert!(!is_listed(name), "{name}");
        }
    }

    #[test]
    fn unlisted_compounds_meet_and_stay_readable() {
        assert_all("icelandic dream pop", &["Icelandic Dream-Pop", "icelandic dreampop", "icelandicdreampop"]);
        assert_all("zeuhl", &["Zeuhl", "ZEUHL!", "zeu-hl"]);
        assert_all("electronique", &["électronique", "Electronique", "ELECTRONIQUE"]);
        assert_all("рок", &["Рок", "рок"]);
    }

    #[test]
    fn letters_keep_the_marks_of_their_script() {
        assert_all("русскийрок", &["Русский рок", "русский-рок", "РУССКИЙ РОК", "русскии\u{306} рок"]);
        assert_all("йога", &["йога", "Йога", "и\u{306}ога"]);
        assert_all("ёлка", &["ёлка", "е\u{308}лка"]);
        assert_all("パンク", &["パンク", "ハ\u{309a}ンク", "ﾊﾟﾝｸ", "ハ\u{309c}ンク"]);
        assert_all("ガレージ", &["ガレージ", "カ\u{3099}レーシ\u{3099}", "ｶﾞﾚｰｼﾞ"]);
        assert_all("हिन्दी", &["हिन्दी", "हिन्\u{200d}दी"]);
        assert_all("ลูกทุ่ง", &["ลูกทุ่ง", "ลูก ทุ่ง"]);
        assert_all("หมอลำ", &["หมอลำ"]);
        assert_all("שִׁיר", &["שִׁיר"]);
        assert_all("مُوسِيقَى", &["مُوسِيقَى"]);
        assert_all("트로트", &["트로트", "\u{1110}\u{1173}\u{1105}\u{1169}\u{1110}\u{1173}"]);
        assert_all("έντεχνο", &["έντεχνο", "Έντεχνο", "ε\u{301}ντεχνο"]);
        for (one, other) in [("パンク", "ハンク"), ("ガレージ", "カレーシ"), ("йога", "иога"), ("мой", "мои")]
        {
            assert_ne!(canonical(one), canonical(other));
        }
    }

    #[test]
    fn accents_of_latin_letters_are_dropped_and_so_are_marks_without_a_letter() {
        assert_all("electro", &["électro", "e\u{301}lectro", "ÉLECTRO", "ele\u{200d}\u{301}ctro"]);
        assert_all("nhactre", &["nhạc trẻ", "NHẠC TRẺ"]);
        assert_all("sølv", &["sølv", "sǿlv", "sø\u{301}lv"]);
        assert_all("рок", &["\u{301}рок", "рок \u{306}", "р☮\u{fe0f}ок", "рок\u{fe0f}"]);
        assert_all("8бит", &["8\u{fe0f}\u{20e3} бит"]);
    }

    #[test]
    fn what_is_no_genre_is_dropped() {
        let noise = [
            "",
            "  ",
            "!!!",
            "<3",
            "a",
            "80s",
            "1980s",
            "80's",
            "00s",
            "90s rock",
            "2011",
            "best of 2009",
            "seen live",
            "favorites",
            "Favourite songs",
            "love",
            "awesome",
            "beautiful",
            "my playlist",
            "5 stars",
            "american",
            "British",
            "USA",
            "male vocalists",
            "female vocalist",
            "chill",
            "melancholy",
            "under 2000 listeners",
            "10/10",
            "i love this song",
            "all things annoying in the world put together into one stupid bitch",
        ];
        for tag in noise {
            assert_eq!(canonical(tag), None, "{tag}");
        }
    }

    #[test]
    fn an_artists_own_name_is_dropped() {
        let tags = ["AC-DC", "hard rock", "Hardrock", "Beatles", "80s", "rock"];
        let tags: Vec<Tag> = tags.iter().map(|name| Tag { name: (*name).into(), count: None }).collect();
        let artists = ["AC/DC", "The Beatles"].map(|name| ArtistRef { id: None, name: name.into() });
        assert_eq!(canonical_tags(&tags, &artists), ["hard rock", "rock"]);
        assert_eq!(canonical_tags(&tags, &[]), ["acdc", "hard rock", "beatles", "rock"]);
    }

    proptest! {
        #[test]
        fn a_canonical_form_is_its_own(name in "\\PC*") {
            if let Some(form) = canonical(&name) {
                prop_assert_eq!(canonical(&form), Some(form));
            }
        }

        #[test]
        fn a_name_may_be_typed_composed_or_decomposed(name in "\\PC*|(\\p{L}[\\p{M}\u{200c}\u{200d}]{0,3}[ -]?){1,8}") {
            let [composed, decomposed] = [name.nfc().collect::<String>(), name.nfd().collect()];
            prop_assert_eq!(canonical(&composed), canonical(&decomposed));
            prop_assert_eq!(canonical(&name), canonical(&composed));
            prop_assert_eq!(squash(&squash(&name)), squash(&name));
        }

        #[test]
        fn case_and_separators_make_no_difference(
            words in prop::collection::vec("[a-z]{1,8}|rock|pop|hip|hop|and|rnb|music|metal|80s", 1..4),
            separators in prop::collection::vec(prop::sample::select(&["", " ", "-", "_", "/", ".", "'"][..]), 3),
            upper in any::<bool>(),
        ) {
            let mut spelling = String::new();
            for (word, separator) in words.iter().zip(&separators) {
                spelling.push_str(word);
                spelling.push_str(separator);
            }
            let spelling = if upper { spelling.to_uppercase() } else { spelling };
            let form = canonical(&words.join(" "));
            prop_assert_eq!(canonical(&spelling), form.clone());
            if let Some(form) = form {
                prop_assert_eq!(canonical(&form), Some(form));
            }
        }
    }
}
