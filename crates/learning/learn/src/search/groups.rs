//! Features by what they tell: which pitch class, which part of the song, which scalar.

use model::audio::{PITCH_CLASSES, STEPS};

/// Features without a group of many that get one each; more would take long and could not be read.
const SINGLE: usize = 50;

/// Parts that a song's steps are cut into.
const PARTS: usize = 10;

/// Columns that are looked at together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) columns: Vec<usize>,
}

/// The groups of features of these names, and how many features are in none. Steps of a pitch class are in two: that of
/// their class and that of their part of the song.
pub(super) fn groups(names: &[String]) -> (Vec<Group>, usize) {
    let mut groups: Vec<Group> = Vec::new();
    groups.extend(PITCH_CLASSES.map(|class| Group { name: format!("pitch {class}"), columns: Vec::new() }));
    let part = |part| format!("part {} of {PARTS}", part + 1);
    groups.extend((0..PARTS).map(|at| Group { name: part(at), columns: Vec::new() }));
    groups.extend(PITCH_CLASSES.map(|class| Group { name: format!("extremes of {class}"), columns: Vec::new() }));
    let mut left_out = 0;
    let several = groups.len();
    for (column, name) in names.iter().enumerate() {
        match pitch(name) {
            Some((class, Some(step))) => {
                groups[class].columns.push(column);
                groups[PITCH_CLASSES.len() + step * PARTS / STEPS].columns.push(column);
            }
            Some((class, None)) => groups[PITCH_CLASSES.len() + PARTS + class].columns.push(column),
            None if groups.len() - several < SINGLE => {
                groups.push(Group { name: name.clone(), columns: vec![column] });
            }
            None => left_out += 1,
        }
    }
    groups.retain(|group| !group.columns.is_empty());
    (groups, left_out)
}

/// The pitch class of a column, and the step unless it is an extreme: `C#_7`, `C#_max`.
fn pitch(name: &str) -> Option<(usize, Option<usize>)> {
    let (class, what) = name.rsplit_once('_')?;
    let class = PITCH_CLASSES.iter().position(|of| *of == class)?;
    match what {
        "max" | "min" => Some((class, None)),
        step => step.parse().ok().filter(|step| *step < STEPS).map(|step| (class, Some(step))),
    }
}

#[cfg(test)]
mod tests {
    use model::audio::{SCALARS, pitch_columns};

    use super::*;

    #[test]
    fn the_features_of_the_study_are_51_groups_and_none_is_left_out() {
        let names: Vec<String> = pitch_columns().into_iter().chain(SCALARS.map(str::to_owned)).collect();
        let (groups, left_out) = groups(&names);
        assert_eq!((groups.len(), left_out), (12 + 10 + 12 + SCALARS.len(), 0));
        let of = |name: &str| groups.iter().find(|group| group.name == name).unwrap().columns.clone();
        assert_eq!(of("pitch C#"), (100..200).collect::<Vec<_>>());
        assert_eq!(of("part 10 of 10").len(), 120);
        assert_eq!(of("part 1 of 10")[..11], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100]);
        assert_eq!(of("extremes of D"), [1_204, 1_205]);
        assert_eq!(of("energy").len(), 1);
    }

    #[test]
    fn other_names_are_groups_of_their_own_up_to_fifty() {
        let names: Vec<String> = (0..70).map(|at| format!("C_{}", at + 100)).collect();
        let (groups, left_out) = groups(&names);
        assert_eq!((groups.len(), left_out), (50, 20));
        assert_eq!(groups[3], Group { name: "C_103".into(), columns: vec![3] });
    }
}
