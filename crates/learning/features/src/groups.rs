//! Groups of columns that carry related information, such as all steps of a pitch class.

use model::audio::{PITCH_CLASSES, STEPS};
use model::dataset::ColumnGroup;

/// Parts that a song is divided into.
const SONG_PARTS: usize = 10;

/// The groups of pitch columns among these: the steps of each pitch class, the steps of each tenth of the song, and the
/// extremes of each class. A step is in two groups; other columns are in none.
pub fn column_groups(names: &[String]) -> Vec<ColumnGroup> {
    let empty = |name: String| ColumnGroup { name, columns: Vec::new() };
    let mut classes = PITCH_CLASSES.map(|class| empty(format!("pitch {class}")));
    let mut parts: [ColumnGroup; SONG_PARTS] =
        std::array::from_fn(|part| empty(format!("part {} of {SONG_PARTS}", part + 1)));
    let mut extremes = PITCH_CLASSES.map(|class| empty(format!("extremes of {class}")));
    for (column, name) in names.iter().enumerate() {
        match pitch(name) {
            Some((class, Some(step))) => {
                classes[class].columns.push(column);
                parts[step * SONG_PARTS / STEPS].columns.push(column);
            }
            Some((class, None)) => extremes[class].columns.push(column),
            None => {}
        }
    }
    let groups = classes.into_iter().chain(parts).chain(extremes);
    groups.filter(|group| !group.columns.is_empty()).collect()
}

/// The pitch class of a column, and the step unless it is an extreme: `C#_7`, `C#_max`.
fn pitch(name: &str) -> Option<(usize, Option<usize>)> {
    let (class, position) = name.rsplit_once('_')?;
    let class = PITCH_CLASSES.iter().position(|known| *known == class)?;
    match position {
        "max" | "min" => Some((class, None)),
        step => step.parse().ok().filter(|step| *step < STEPS).map(|step| (class, Some(step))),
    }
}

#[cfg(test)]
mod tests {
    use model::audio::{SCALARS, pitch_columns};

    use super::*;

    #[test]
    fn the_pitches_of_the_study_are_34_groups_and_its_scalars_are_in_none() {
        let names: Vec<String> = pitch_columns().into_iter().chain(SCALARS.map(str::to_owned)).collect();
        let groups = column_groups(&names);
        assert_eq!(groups.len(), 12 + 10 + 12);
        let columns_of = |name: &str| groups.iter().find(|group| group.name == name).unwrap().columns.clone();
        assert_eq!(columns_of("pitch C#"), (100..200).collect::<Vec<_>>());
        assert_eq!(columns_of("part 10 of 10").len(), 120);
        assert_eq!(columns_of("part 1 of 10")[..11], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100]);
        assert_eq!(columns_of("extremes of D"), [1_204, 1_205]);
    }

    #[test]
    fn names_that_look_like_pitches_and_are_none_are_in_no_group() {
        assert_eq!(column_groups(&["C_100", "H_3", "C_", "C_mean", "tempo"].map(str::to_owned)), []);
    }
}
