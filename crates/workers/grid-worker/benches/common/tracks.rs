//! Generated tracks: what real ones look like to a model, the same in every run.

use std::f64::consts::TAU;

use model::dataset::{Dataset, Split};

const PITCH_CLASSES: usize = 12;
const STEPS: usize = 100;
/// Scalars that are real numbers; a key, a mode and a time signature follow them.
const REAL_SCALARS: usize = 14;
/// Pitches, the least and the greatest of each, scalars.
const FEATURES: usize = STEPS * PITCH_CLASSES + 2 * PITCH_CLASSES + REAL_SCALARS + 3;

/// Tracks with 1 to 3 labels of unequal frequency. A label bends the course of the pitches and shifts the scalars; what a
/// track is by itself is larger than that, so that no model gets all of them right. Fewer than all 1,241 features are
/// spread evenly over them. The first 70 in 100 rows are for training: rows are in no order.
pub fn tracks(rows: usize, features: usize, labels: usize) -> Dataset {
    let mut random = Random(234_634_754);
    let genres: Vec<Genre> = (0..labels).map(|at| Genre::new(at, &mut random)).collect();
    let chosen: Vec<usize> = (0..features).map(|at| at * FEATURES / features).collect();
    let mut values = Vec::with_capacity(rows * features);
    let mut has = Vec::with_capacity(rows * labels);
    for _ in 0..rows {
        let of_track = draw(&genres, &mut random);
        let row = track(&genres, &of_track, &mut random);
        values.extend(chosen.iter().map(|&column| row[column]));
        has.extend((0..labels).map(|label| u8::from(of_track.contains(&label))));
    }
    let training = rows - (rows * 3).div_ceil(10);
    Dataset {
        track_ids: (0..rows).map(|row| format!("track{row:017}")).collect(),
        artists: vec![String::new(); rows],
        feature_names: (0..features).map(|column| format!("feature{column}")).collect(),
        features: values,
        label_names: (0..labels).map(|label| format!("genre{label}")).collect(),
        labels: has,
        split: (0..rows).map(|row| if row < training { Split::Train } else { Split::Test }).collect(),
    }
}

struct Genre {
    /// How often it is drawn, beside the others.
    weight: f64,
    level: [f64; PITCH_CLASSES],
    trend: [f64; PITCH_CLASSES],
    scalars: [f64; REAL_SCALARS],
}

impl Genre {
    fn new(at: usize, random: &mut Random) -> Self {
        Self {
            weight: 0.82_f64.powi(at as i32),
            level: std::array::from_fn(|_| 0.35 * random.normal()),
            trend: std::array::from_fn(|_| 0.2 * random.normal()),
            scalars: std::array::from_fn(|_| 0.5 * random.normal()),
        }
    }
}

/// One to three different labels.
fn draw(genres: &[Genre], random: &mut Random) -> Vec<usize> {
    let amount = random.unit();
    let count = 1 + usize::from(amount > 0.6) + usize::from(amount > 0.9);
    let mut drawn = Vec::new();
    while drawn.len() < count.min(genres.len()) {
        let left: Vec<usize> = (0..genres.len()).filter(|at| !drawn.contains(at)).collect();
        let mut at = random.unit() * left.iter().map(|&at| genres[at].weight).sum::<f64>();
        let hit = left.iter().find(|&&genre| {
            at -= genres[genre].weight;
            at < 0.0
        });
        drawn.push(*hit.unwrap_or(&left[0]));
    }
    drawn
}

/// All features of a track: smooth series in 0 to 1, their extremes, scalars.
fn track(genres: &[Genre], labels: &[usize], random: &mut Random) -> Vec<f64> {
    let sum = |value: &dyn Fn(&Genre) -> f64| labels.iter().map(|&label| value(&genres[label])).sum::<f64>();
    let mut row = Vec::with_capacity(FEATURES);
    let mut own = [0.0; PITCH_CLASSES];
    for moment in 0..STEPS {
        let time = 2.0 * moment as f64 / (STEPS - 1) as f64 - 1.0;
        for (pitch, own) in own.iter_mut().enumerate() {
            *own = if moment == 0 { random.normal() } else { 0.8 * *own + 0.6 * random.normal() };
            let course = sum(&|genre| genre.level[pitch] + genre.trend[pitch] * time);
            row.push(1.0 / (1.0 + (-(course + 1.2 * *own)).exp()));
        }
    }
    for better in [f64::min as fn(f64, f64) -> f64, f64::max] {
        let extreme = |pitch: usize| row.iter().skip(pitch).step_by(PITCH_CLASSES).copied().reduce(better);
        let extremes: Vec<f64> = (0..PITCH_CLASSES).filter_map(extreme).collect();
        row.extend(extremes);
    }
    row.extend((0..REAL_SCALARS).map(|scalar| sum(&|genre| genre.scalars[scalar]) + random.normal()));
    row.extend([(12.0, 0.0), (2.0, 0.0), (3.0, 3.0)].map(|(values, from)| from + (random.unit() * values).floor()));
    row
}

/// splitmix64.
struct Random(u64);

impl Random {
    /// In 0 to 1, without 1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Of mean 0 and variance 1, by Box and Muller.
    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (TAU * self.unit()).cos()
    }
}
