//! The columns that are permuted together: the dataset's groups, and every other column by itself.

use model::dataset::ColumnGroup;

/// Columns without a group that get one of their own; more would take long and could not be shown.
const MAX_SINGLE_COLUMNS: usize = 50;

/// These groups, and one for each column that is in none of them; also how many columns are left out.
pub(super) fn with_single_columns(groups: &[ColumnGroup], names: &[String]) -> (Vec<ColumnGroup>, usize) {
    let mut is_grouped = vec![false; names.len()];
    groups.iter().flat_map(|group| &group.columns).for_each(|&column| is_grouped[column] = true);
    let ungrouped: Vec<usize> = (0..names.len()).filter(|&column| !is_grouped[column]).collect();
    let single = |&column: &usize| ColumnGroup { name: names[column].clone(), columns: vec![column] };
    let all = groups.iter().cloned().chain(ungrouped.iter().take(MAX_SINGLE_COLUMNS).map(single)).collect();
    (all, ungrouped.len().saturating_sub(MAX_SINGLE_COLUMNS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_in_no_group_are_one_each_up_to_fifty() {
        let names: Vec<String> = (0..73).map(|at| format!("c{at}")).collect();
        let given = ColumnGroup { name: "three".into(), columns: vec![0, 2, 72] };
        let (groups, left_out) = with_single_columns(std::slice::from_ref(&given), &names);
        assert_eq!((groups.len(), left_out), (51, 20));
        assert_eq!(groups[0], given);
        assert_eq!(groups[2], ColumnGroup { name: "c3".into(), columns: vec![3] });
        assert_eq!(with_single_columns(&[], &names[..2]).0.len(), 2);
    }
}
