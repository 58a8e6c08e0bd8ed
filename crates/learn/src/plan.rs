//! The plan: a search cut into blocks of roughly equal cost.

use model::search::{Block, Setting};

use crate::family::Estimator;

/// Seconds a block should take on one core at most, so that a lost worker loses little.
const LONGEST: f64 = 30.0;

/// Seconds a block should take at least: each copies the rows of its fold and looks at the store.
const SHORTEST: f64 = 1.0;

/// Blocks that a search should have, so that no worker has to wait long for the last one of another.
const BLOCKS: f64 = 100.0;

/// Cuts a search over a dataset of `rows` rows and `features` features into blocks, each of one fold. Settings that
/// share work lie in one block, in the order of the grid. The longest blocks come first: what workers wait for at the end
/// is then a short one. How a search is cut never changes a score.
pub fn blocks(settings: &[Setting], folds: u32, rows: usize, features: usize) -> Vec<Block> {
    let queries = rows / folds.max(1) as usize;
    let groups: Vec<(f64, Vec<u32>)> = groups(settings, features)
        .into_iter()
        // Whoever runs the block of a setting that cannot be read says so; it costs nothing.
        .map(|(of, group)| (of.map_or(0.0, |of| of.seconds(rows - queries, queries, features)), group))
        .collect();
    let whole = f64::from(folds) * groups.iter().map(|(seconds, _)| seconds).sum::<f64>();
    let mut chunks = chunks(groups, (whole / BLOCKS).clamp(SHORTEST, LONGEST));
    chunks.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let of_chunk = |(_, settings): (f64, Vec<u32>)| {
        (0..folds).map(move |fold| Block { settings: settings.clone(), folds: vec![fold] })
    };
    chunks.into_iter().flat_map(of_chunk).collect()
}

/// Groups of settings with the seconds they take, merged until they are worth a block of `worth` seconds.
fn chunks(groups: Vec<(f64, Vec<u32>)>, worth: f64) -> Vec<(f64, Vec<u32>)> {
    let mut chunks: Vec<(f64, Vec<u32>)> = Vec::new();
    for (seconds, group) in groups {
        match chunks.last_mut() {
            Some((sum, chunk)) if *sum + seconds <= worth => {
                *sum += seconds;
                chunk.extend(group);
            }
            _ => chunks.push((seconds, group)),
        }
    }
    chunks
}

/// Settings that share their work, in the order of their first; the others by themselves.
fn groups(settings: &[Setting], features: usize) -> Vec<(Option<Estimator>, Vec<u32>)> {
    let mut groups: Vec<(Option<Estimator>, Vec<u32>)> = Vec::new();
    for (index, setting) in settings.iter().enumerate() {
        let estimator = Estimator::new(setting, 0).ok();
        let shared = groups.iter_mut().find(|(of, _)| match (of, &estimator) {
            (Some(of), Some(estimator)) => of.shares_with(estimator, features),
            _ => false,
        });
        match shared {
            Some((_, group)) => group.push(index as u32),
            None => groups.push((estimator, vec![index as u32])),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid;

    fn sorted(blocks: &[Block]) -> Vec<(u32, u32)> {
        let trials = blocks.iter().flat_map(|b| b.folds.iter().flat_map(|&f| b.settings.iter().map(move |&s| (s, f))));
        let mut trials: Vec<_> = trials.collect();
        trials.sort_unstable();
        trials
    }

    #[test]
    fn every_trial_is_in_exactly_one_block_however_large_the_data() {
        let settings = grid::default_grid(&[]).unwrap();
        let all: Vec<_> = (0..settings.len() as u32).flat_map(|s| (0..5).map(move |f| (s, f))).collect();
        for (rows, features) in [(0, 1), (30, 2), (700, 1_241), (200_000, 1_241)] {
            assert_eq!(sorted(&blocks(&settings, 5, rows, features)), all);
        }
        assert_eq!(blocks(&settings, 5, 100, 13).len(), 5, "small data: a block a fold");
        assert!(blocks(&settings, 5, 8_000, 1_241).len() > 10, "large data: several blocks a fold");
    }

    #[test]
    fn no_block_is_much_of_the_search_and_the_longest_come_first() {
        let settings = grid::default_grid(&["tree".into()]).unwrap();
        let of_setting = |&setting: &u32| {
            let estimator = Estimator::new(&settings[setting as usize], 0).unwrap();
            estimator.seconds(1_920, 480, 1_241)
        };
        let blocks = blocks(&settings, 5, 2_400, 1_241);
        let seconds: Vec<f64> = blocks.iter().map(|block| block.settings.iter().map(of_setting).sum()).collect();
        assert!(seconds.is_sorted_by(|a, b| a >= b), "{seconds:?}");
        assert!(seconds[0] <= seconds.iter().sum::<f64>() / 20.0, "{seconds:?}");
    }

    #[test]
    fn settings_of_one_metric_stay_together() {
        let settings = grid::default_grid(&["knn".into()]).unwrap();
        let blocks = blocks(&settings, 2, 10_000_000, 1_000);
        assert_eq!(blocks.len(), 6);
        assert!(blocks.iter().all(|block| block.settings.len() == 8));
    }
}
