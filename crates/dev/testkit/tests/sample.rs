//! The sample catalogue: the same every time, and worth learning from.

mod common;

use std::collections::HashMap;

use common::{Visitor, visit};
use serde_json::Value;
use testkit::{Catalogue, Oddities};

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes() {
    let first = visit(Catalogue::sample(60, 9), Oddities::none()).await;
    let second = visit(Catalogue::sample(60, 9), Oddities::none()).await;
    let other = visit(Catalogue::sample(60, 10), Oddities::none()).await;
    assert_eq!(first.stage.playlists(), second.stage.playlists());
    assert_ne!(first.stage.playlists(), other.stage.playlists());
    assert_eq!(first.all_rows().await, second.all_rows().await);
    for track in first.tracks().await {
        let id = track["id"].as_str().unwrap();
        for path in [format!("audio-analysis/{id}"), format!("audio-features/{id}")] {
            let bytes = async |visitor: &Visitor| visitor.ask(&path).await.bytes().await.unwrap();
            assert_eq!(bytes(&first).await, bytes(&second).await);
        }
    }
}

/// Main genre and standardisable values: 13 scalars, mean chroma.
async fn examples(visitor: &Visitor) -> Vec<(String, Vec<f64>)> {
    let mut examples = Vec::new();
    for track in visitor.tracks().await {
        let id = track["id"].as_str().unwrap();
        let artist = visitor.json(&format!("artists/{}", track["artists"][0]["id"].as_str().unwrap())).await;
        let features = visitor.ask(&format!("audio-features/{id}")).await.json::<Value>().await.unwrap();
        let analysis = visitor.ask(&format!("audio-analysis/{id}")).await.json::<Value>().await.unwrap();
        let Some(segments) = analysis["segments"].as_array() else { continue };
        if features.get("error").is_some() {
            continue;
        }
        let mut values: Vec<f64> =
            model::audio::SCALARS.iter().map(|scalar| features[scalar].as_f64().unwrap()).collect();
        for class in 0..12 {
            let sum: f64 = segments.iter().map(|segment| segment["pitches"][class].as_f64().unwrap()).sum();
            values.push(sum / segments.len() as f64);
        }
        examples.push((artist["genres"][0].as_str().unwrap().to_owned(), values));
    }
    examples
}

fn standardise(examples: &mut [(String, Vec<f64>)]) {
    let rows = examples.len() as f64;
    for column in 0..examples[0].1.len() {
        let mean = examples.iter().map(|(_, values)| values[column]).sum::<f64>() / rows;
        let variance = examples.iter().map(|(_, values)| (values[column] - mean).powi(2)).sum::<f64>() / rows;
        for (_, values) in examples.iter_mut() {
            values[column] = (values[column] - mean) / variance.sqrt();
        }
    }
}

fn nearest<'a>(centroids: &'a HashMap<String, Vec<f64>>, values: &[f64]) -> &'a str {
    let distance = |centroid: &[f64]| centroid.iter().zip(values).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    centroids.iter().min_by(|a, b| distance(a.1).total_cmp(&distance(b.1))).unwrap().0
}

#[tokio::test]
async fn genres_can_be_told_from_the_sound_but_not_perfectly() {
    let visitor = visit(Catalogue::sample(400, 7), Oddities::none()).await;
    let mut examples = examples(&visitor).await;
    standardise(&mut examples);
    let (training, test) = examples.split_at(examples.len() / 2);
    let mut groups: HashMap<String, Vec<&Vec<f64>>> = HashMap::new();
    for (genre, values) in training {
        groups.entry(genre.clone()).or_default().push(values);
    }
    assert!(groups.len() >= 11, "enough genres for nine and misc, rock aside: {}", groups.len());
    let majority = groups.iter().max_by_key(|(_, members)| members.len()).unwrap().0.clone();
    let centroid = |members: Vec<&Vec<f64>>| -> Vec<f64> {
        let mean = |column: usize| members.iter().map(|values| values[column]).sum::<f64>() / members.len() as f64;
        (0..members[0].len()).map(mean).collect()
    };
    let centroids: HashMap<String, Vec<f64>> =
        groups.into_iter().map(|(genre, members)| (genre, centroid(members))).collect();
    let share = |hits: usize| hits as f64 / test.len() as f64;
    let accuracy = share(test.iter().filter(|(genre, values)| nearest(&centroids, values) == genre).count());
    let baseline = share(test.iter().filter(|(genre, _)| *genre == majority).count());
    assert!(accuracy > 2.5 * baseline && accuracy < 0.95, "accuracy {accuracy:.2}, baseline {baseline:.2}");
}
