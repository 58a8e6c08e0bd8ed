//! The genres of the sample catalogue: how each sounds, and how its listeners spell it.
//!
//! The numbers are in the range of what Spotify's audio features say of such music; they overlap, as real ones do.

/// How the music of one genre is.
#[derive(Debug)]
pub(crate) struct Genre {
    /// As Spotify lists it for an artist.
    pub name: &'static str,
    /// Weight among the genres of artists.
    pub share: f64,
    /// Its tag as different listeners write it.
    pub spellings: &'static [&'static str],
    /// Tags of its sub-genres.
    pub styles: &'static [&'static str],
    /// Names of genres that it is often blended with.
    pub kin: &'static [&'static str],
    /// Mean scalars.
    pub sound: Mean,
    /// Its usual keys (pitch classes), and the mode it is mostly in.
    pub keys: [u8; 3],
    pub major: bool,
    /// Its usual chords in a loop.
    pub progression: &'static [Chord],
    /// Strength of the pitches that belong to no chord: distortion and drums fill the spectrum.
    pub haze: f64,
    /// Segments a second: how often the sound changes.
    pub density: f64,
}

/// Semitones of the root above the key, and of the tones above the root.
pub(crate) type Chord = (u8, &'static [u8]);

/// Means of the scalars that follow the genre.
#[derive(Debug)]
pub(crate) struct Mean {
    pub danceability: f64,
    pub energy: f64,
    pub valence: f64,
    pub loudness: f64,
    pub speechiness: f64,
    pub acousticness: f64,
    pub instrumentalness: f64,
    pub liveness: f64,
    pub tempo: f64,
    pub minutes: f64,
}

const MAJOR: &[u8] = &[0, 4, 7];
const MINOR: &[u8] = &[0, 3, 7];
const FIFTH: &[u8] = &[0, 7];
const MAJOR7: &[u8] = &[0, 4, 7, 11];
const MINOR7: &[u8] = &[0, 3, 7, 10];
const DOMINANT7: &[u8] = &[0, 4, 7, 10];
const SUSPENDED: &[u8] = &[0, 2, 7];

/// Scalars in the order of [`Mean`]'s fields.
const fn mean(m: [f64; 10]) -> Mean {
    Mean {
        danceability: m[0],
        energy: m[1],
        valence: m[2],
        loudness: m[3],
        speechiness: m[4],
        acousticness: m[5],
        instrumentalness: m[6],
        liveness: m[7],
        tempo: m[8],
        minutes: m[9],
    }
}

/// The genre of this name.
pub(crate) fn genre(name: &str) -> &'static Genre {
    GENRES.iter().find(|genre| genre.name == name).expect("a genre of the table")
}

pub(crate) const GENRES: &[Genre] = &[
    Genre {
        name: "pop",
        share: 0.13,
        spellings: &["pop", "Pop", "POP"],
        styles: &["synthpop", "dance pop"],
        kin: &["electronic", "r&b", "indie"],
        sound: mean([0.66, 0.67, 0.56, -5.8, 0.07, 0.22, 0.02, 0.17, 118.0, 3.5]),
        keys: [0, 7, 2],
        major: true,
        progression: &[(0, MAJOR), (7, MAJOR), (9, MINOR), (5, MAJOR)],
        haze: 0.16,
        density: 2.5,
    },
    Genre {
        name: "electronic",
        share: 0.12,
        spellings: &["electronic", "Electronic", "electronic"],
        styles: &["house", "techno"],
        kin: &["ambient", "pop", "hip hop"],
        sound: mean([0.69, 0.77, 0.40, -7.0, 0.07, 0.07, 0.58, 0.18, 126.0, 5.0]),
        keys: [9, 4, 6],
        major: false,
        progression: &[(0, MINOR), (8, MAJOR), (10, MAJOR), (0, MINOR)],
        haze: 0.24,
        density: 3.0,
    },
    Genre {
        name: "hip hop",
        share: 0.11,
        spellings: &["hip hop", "Hip-Hop", "hip-hop", "hiphop", "Hip Hop"],
        styles: &["rap", "underground rap"],
        kin: &["r&b", "soul", "electronic"],
        sound: mean([0.75, 0.63, 0.49, -6.9, 0.24, 0.17, 0.02, 0.22, 98.0, 3.7]),
        keys: [1, 8, 11],
        major: false,
        progression: &[(0, MINOR), (0, MINOR), (1, MAJOR), (0, MINOR)],
        haze: 0.30,
        density: 2.9,
    },
    Genre {
        name: "indie",
        share: 0.10,
        spellings: &["indie", "Indie", "INDIE"],
        styles: &["lo-fi", "dream pop"],
        kin: &["rock", "folk", "pop", "punk"],
        sound: mean([0.51, 0.61, 0.46, -7.6, 0.05, 0.26, 0.17, 0.16, 122.0, 3.9]),
        keys: [2, 9, 4],
        major: true,
        progression: &[(0, MAJOR), (4, MINOR), (5, MAJOR), (5, MINOR)],
        haze: 0.20,
        density: 2.3,
    },
    Genre {
        name: "folk",
        share: 0.08,
        spellings: &["folk", "Folk", "folk"],
        styles: &["singer-songwriter", "americana"],
        kin: &["indie", "rock"],
        sound: mean([0.48, 0.33, 0.42, -12.2, 0.04, 0.76, 0.08, 0.14, 112.0, 3.8]),
        keys: [7, 0, 2],
        major: true,
        progression: &[(0, MAJOR), (5, MAJOR), (0, MAJOR), (7, MAJOR)],
        haze: 0.07,
        density: 2.2,
    },
    Genre {
        name: "jazz",
        share: 0.08,
        spellings: &["jazz", "Jazz", "JAZZ"],
        styles: &["bebop", "vocal jazz"],
        kin: &["soul", "classical"],
        sound: mean([0.53, 0.34, 0.51, -13.5, 0.05, 0.73, 0.45, 0.16, 112.0, 5.2]),
        keys: [10, 3, 5],
        major: true,
        progression: &[(2, MINOR7), (7, DOMINANT7), (0, MAJOR7), (9, DOMINANT7)],
        haze: 0.13,
        density: 3.1,
    },
    Genre {
        name: "metal",
        share: 0.08,
        spellings: &["metal", "Metal", "METAL"],
        styles: &["heavy metal", "doom"],
        kin: &["rock", "punk"],
        sound: mean([0.37, 0.93, 0.28, -5.0, 0.10, 0.01, 0.24, 0.23, 130.0, 4.9]),
        keys: [4, 2, 1],
        major: false,
        progression: &[(0, FIFTH), (1, FIFTH), (0, FIFTH), (6, FIFTH)],
        haze: 0.38,
        density: 3.0,
    },
    Genre {
        name: "soul",
        share: 0.06,
        spellings: &["soul", "Soul", "soul music"],
        styles: &["motown", "funk"],
        kin: &["r&b", "jazz"],
        sound: mean([0.61, 0.49, 0.63, -9.4, 0.06, 0.47, 0.03, 0.17, 108.0, 3.6]),
        keys: [5, 10, 8],
        major: true,
        progression: &[(0, MAJOR7), (9, MINOR7), (2, MINOR7), (7, DOMINANT7)],
        haze: 0.15,
        density: 2.4,
    },
    Genre {
        name: "r&b",
        share: 0.06,
        spellings: &["rnb", "r&b", "R&B", "RnB", "r'n'b"],
        styles: &["new jack swing", "slow jam"],
        kin: &["soul", "hip hop", "pop"],
        sound: mean([0.68, 0.54, 0.50, -7.7, 0.12, 0.27, 0.02, 0.15, 104.0, 3.8]),
        keys: [3, 1, 6],
        major: false,
        progression: &[(5, MAJOR7), (4, MINOR7), (9, MINOR7), (0, MAJOR7)],
        haze: 0.20,
        density: 2.6,
    },
    Genre {
        name: "punk",
        share: 0.06,
        spellings: &["punk", "Punk", "PUNK"],
        styles: &["hardcore", "pop punk"],
        kin: &["rock", "indie", "metal"],
        sound: mean([0.44, 0.91, 0.58, -4.8, 0.09, 0.03, 0.05, 0.25, 156.0, 2.5]),
        keys: [9, 4, 11],
        major: true,
        progression: &[(0, FIFTH), (5, FIFTH), (7, FIFTH), (5, FIFTH)],
        haze: 0.33,
        density: 3.2,
    },
    Genre {
        name: "classical",
        share: 0.05,
        spellings: &["classical", "Classical", "classical"],
        styles: &["baroque", "piano"],
        kin: &["ambient"],
        sound: mean([0.28, 0.14, 0.19, -21.0, 0.04, 0.94, 0.85, 0.12, 98.0, 5.4]),
        keys: [0, 5, 7],
        major: true,
        progression: &[(0, MAJOR), (7, MAJOR), (9, MINOR), (4, MINOR), (5, MAJOR), (0, MAJOR)],
        haze: 0.03,
        density: 2.6,
    },
    Genre {
        name: "ambient",
        share: 0.04,
        spellings: &["ambient", "Ambient", "ambient"],
        styles: &["drone", "space"],
        kin: &["electronic", "classical"],
        sound: mean([0.29, 0.20, 0.11, -20.0, 0.04, 0.80, 0.88, 0.11, 94.0, 5.8]),
        keys: [2, 7, 9],
        major: true,
        progression: &[(0, SUSPENDED), (5, SUSPENDED)],
        haze: 0.06,
        density: 1.1,
    },
    Genre {
        name: "reggae",
        share: 0.03,
        spellings: &["reggae", "Reggae", "reggae"],
        styles: &["dub", "roots"],
        kin: &["soul", "hip hop"],
        sound: mean([0.76, 0.57, 0.73, -8.4, 0.12, 0.19, 0.05, 0.16, 104.0, 4.0]),
        keys: [9, 7, 0],
        major: false,
        progression: &[(0, MINOR), (5, MINOR)],
        haze: 0.18,
        density: 2.4,
    },
    Genre {
        name: "rock",
        share: 0.08,
        spellings: &["rock", "Rock", "ROCK"],
        styles: &[],
        kin: &["indie", "metal", "punk"],
        sound: mean([0.50, 0.77, 0.52, -6.8, 0.05, 0.12, 0.08, 0.19, 126.0, 4.1]),
        keys: [9, 4, 7],
        major: true,
        progression: &[(0, MAJOR), (10, MAJOR), (5, MAJOR), (0, MAJOR)],
        haze: 0.26,
        density: 2.7,
    },
];
