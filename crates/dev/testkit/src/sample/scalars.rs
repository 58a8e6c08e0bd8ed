//! The audio features of a sample track, around the means of its genres.

use super::genre::{Genre, Mean};
use crate::random::Random;

/// Weight of the first of several genres; the others share the rest.
pub(crate) const MAIN_WEIGHT: f64 = 0.6;

/// Values in the order of [`model::audio::SCALARS`].
pub(crate) fn scalars(genres: &[&Genre], random: &mut Random) -> [f64; 13] {
    let mean = |field: fn(&Mean) -> f64| blend(genres, |genre| field(&genre.sound));
    let main = genres[0];
    let mut share = |field, deviation| round(random.normal(mean(field), deviation).clamp(0.0, 0.997), 3);
    let danceability = share(|m| m.danceability, 0.12);
    let energy = share(|m| m.energy, 0.13);
    let valence = share(|m| m.valence, 0.19);
    let speechiness = share(|m| m.speechiness, 0.035).max(0.023);
    let acousticness = share(|m| m.acousticness, 0.19);
    let instrumentalness = share(|m| m.instrumentalness, 0.19);
    let liveness = share(|m| m.liveness, 0.09).max(0.02);
    let loudness = round(random.normal(mean(|m| m.loudness), 2.2).clamp(-45.0, -0.8), 3);
    let tempo = round(random.normal(mean(|m| m.tempo), 20.0).clamp(52.0, 214.0), 3);
    let minutes = random.normal(mean(|m| m.minutes), 0.7).clamp(1.3, 9.0);
    [
        (minutes * 60_000.0).floor(),
        danceability,
        energy,
        key(main, random),
        loudness,
        f64::from(main.major == random.chance(0.8)),
        speechiness,
        acousticness,
        instrumentalness,
        liveness,
        valence,
        tempo,
        *random.pick(&[4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 3.0, 5.0]),
    ]
}

/// A value of several genres, by their weights in the song.
pub(crate) fn blend(genres: &[&Genre], value: impl Fn(&Genre) -> f64) -> f64 {
    let others = &genres[1..];
    if others.is_empty() {
        return value(genres[0]);
    }
    let rest: f64 = others.iter().map(|genre| value(genre)).sum();
    MAIN_WEIGHT * value(genres[0]) + (1.0 - MAIN_WEIGHT) * rest / others.len() as f64
}

/// Mostly one of the genre's keys; now and then any other, and where a drone leaves no key to find, -1.
fn key(genre: &Genre, random: &mut Random) -> f64 {
    match random.uniform() {
        chance if chance < 0.75 => f64::from(*random.pick(&genre.keys)),
        chance if chance > 0.97 && genre.density < 2.0 => -1.0,
        _ => random.below(12) as f64,
    }
}

/// To so many decimals, as the API sends them.
pub(crate) fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    // `+ 0.0` turns -0.0 into 0.0.
    (value * scale).round() / scale + 0.0
}
