//! Invented artists and titles. A few are written so that an address, a CSV or a page can break on them.

use std::collections::HashSet;

use crate::random::Random;

/// Titles with characters that an address, a page or a table has to escape.
pub(crate) const ODD_TITLES: &[&str] = &[
    "Milk + Honey",
    "100% Rain",
    "Half/Light",
    "Now & Then",
    "Don't Wait, Don't Worry",
    "Who's There?",
    "#9 Harbour Street",
    "Über den Flüssen",
    "東京の夜, 日本",
    "One, Two, (Three)!",
    "1+1=3; or: <almost>",
    "\"Quoted\" [Demo] *2*",
    "What? / 50%+ & Rising",
    "Noël ~ En Été",
];

/// Artists of the same kind.
pub(crate) const ODD_ARTISTS: &[&str] =
    &["Salt + Iron", "AB/XY", "Jörg Süßmühl", "夜の海", "Hollow, The Band", "Wait?!", "D'Amber"];

const ADJECTIVES: &[&str] = &[
    "Amber", "Broken", "Silent", "Golden", "Hollow", "Electric", "Paper", "Velvet", "Northern", "Distant", "Crooked",
    "Slow", "Burning", "Pale", "Hidden", "Second", "Lonely", "Wild", "Winter", "Copper", "Early", "Blind", "Gentle",
    "Plastic", "Restless", "Salted", "Tidal", "Unseen", "Woolen", "Yellow", "Faded", "Marble",
];
const NOUNS: &[&str] = &[
    "River",
    "Engine",
    "Harbour",
    "Lantern",
    "Mirror",
    "Orchard",
    "Signal",
    "Window",
    "Garden",
    "Machine",
    "Shadow",
    "Station",
    "Mountain",
    "Letter",
    "Summer",
    "Ocean",
    "Compass",
    "Feather",
    "Cathedral",
    "Motel",
    "Satellite",
    "Thunder",
    "Valley",
    "Anchor",
    "Kingdom",
    "Needle",
    "Parade",
    "Quarry",
    "Ribbon",
    "Saddle",
    "Tower",
    "Violet",
];
const FIRST_NAMES: &[&str] = &[
    "Mara", "Jonas", "Ilse", "Teodor", "Nadia", "Oskar", "Lucía", "Emeka", "Freya", "Hana", "Ravi", "Solène", "Tomasz",
    "Wanda", "Yusuf", "Zora", "Anselm", "Bea", "Caio", "Dagny",
];
const LAST_NAMES: &[&str] = &[
    "Almqvist",
    "Brandt",
    "Castellan",
    "Dumont",
    "Eriksen",
    "Falkner",
    "Grünwald",
    "Holloway",
    "Ibarra",
    "Jansson",
    "Kowal",
    "Lindqvist",
    "Marchetti",
    "Novak",
    "Okafor",
    "Petrov",
    "Quill",
    "Rosário",
    "Sato",
    "Thorne",
];
const VERBS: &[&str] = &[
    "Leave", "Find", "Follow", "Remember", "Carry", "Burn", "Cross", "Hold", "Break", "Forget", "Chase", "Answer",
    "Bury", "Call", "Draw", "Keep",
];

/// Names that were not given before.
#[derive(Default)]
pub(crate) struct Names(HashSet<String>);

impl Names {
    pub(crate) fn artist(&mut self, random: &mut Random) -> String {
        self.fresh(random, |random| {
            let (adjective, noun) = (random.pick(ADJECTIVES), random.pick(NOUNS));
            match random.below(6) {
                0 => format!("The {adjective} {noun}s"),
                1 => format!("{adjective} {noun}"),
                2 => format!("{noun} & {}", random.pick(NOUNS)),
                3 => format!("DJ {noun}"),
                _ => format!("{} {}", random.pick(FIRST_NAMES), random.pick(LAST_NAMES)),
            }
        })
    }

    pub(crate) fn title(&mut self, random: &mut Random) -> String {
        self.fresh(random, |random| {
            let (adjective, noun) = (random.pick(ADJECTIVES), random.pick(NOUNS));
            match random.below(7) {
                0 => format!("{} the {noun}", random.pick(VERBS)),
                1 => format!("{adjective} {noun}"),
                2 => format!("{noun} of the {}", random.pick(NOUNS)),
                3 => format!("{} Me ({adjective} Version)", random.pick(VERBS)),
                4 => format!("I Won't {} Your {noun}", random.pick(VERBS)),
                5 => format!("{adjective} {noun} - Remastered {}", 1990 + random.below(30)),
                _ => format!("{} My {adjective} {noun}", random.pick(VERBS)),
            }
        })
    }

    /// A new name: numbered where the words run out.
    fn fresh(&mut self, random: &mut Random, make: impl Fn(&mut Random) -> String) -> String {
        let name = make(random);
        let numbered = (2..).map(|number| format!("{name} No. {number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !self.0.contains(name));
        let free = free.expect("numbers do not run out");
        self.0.insert(free.clone());
        free
    }
}
