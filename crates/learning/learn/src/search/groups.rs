//! Columns that are looked at together: the dataset's groups, and each other column alone.

use model::dataset::ColumnGroup;

/// Columns in no group that get one each; more would take long and could not be read.
const SINGLE: usize = 50;

/// These groups, and one for each column of these names that is in none of them; how many columns are left out.
pub(super) fn complete(groups: &[ColumnGroup], names: &[String]) -> (Vec<ColumnGroup>, usize) {
    let mut is_grouped = vec![false; names.len()];
    groups.iter().flat_map(|group| &group.columns).for_each(|&column| is_grouped[column] = true);
    let alone: Vec<usize> = (0..names.len()).filter(|&column| !is_grouped[column]).collect();
    let single = |&column: &usize| ColumnGroup { name: names[column].clone(), columns: vec![column] };
    let all = groups.iter().cloned().chain(alone.iter().take(SINGLE).map(single)).collect();
    (all, alone.len().saturating_sub(SINGLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_in_no_group_are_one_each_up_to_fifty() {
        let names: Vec<String> = (0..73).map(|at| format!("c{at}")).collect();
        let given = ColumnGroup { name: "three".into(), columns: vec![0, 2, 72] };
        let (groups, left_out) = complete(std::slice::from_ref(&given), &names);
        assert_eq!((groups.len(), left_out), (51, 20));
        assert_eq!(groups[0], given);
        assert_eq!(groups[2], ColumnGroup { name: "c3".into(), columns: vec![3] });
        assert_eq!(complete(&[], &names[..2]).0.len(), 2);
    }
}
