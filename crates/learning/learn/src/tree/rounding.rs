//! scikit-learn's arithmetic, rounding errors and all: it is they that decide between equally good splits.
//!
//! It adds the weights on the left of a split in the order of the values, and takes them from the node's sums for those on
//! the right. Where weights are whole numbers every order gives the same sums, and the decision is scikit-learn's. Where
//! they are not, the node's own sums depend on how scikit-learn shuffled its rows, which its seed decides; here they are
//! added from a random row on.

use super::code::Code;
use super::rows::{LANES, Lanes, Local};
use super::split::{Node, Search};

/// What some rows weigh, added up one after another.
pub(super) struct Sums {
    weight: f64,
    /// Of those with each of 16 labels, and of those without.
    groups: Vec<Classes>,
}

struct Classes {
    with: [f64; LANES],
    without: [f64; LANES],
}

/// Gains of a node's splits that are known already: in a small node most features have the same few rows on the left.
#[derive(Default)]
pub(super) struct Gains(Vec<(u64, f64)>);

impl Gains {
    /// Gains that are kept, so that looking one up stays quicker than computing it.
    const MOST: usize = 32;

    /// Begins a node.
    pub(super) fn begin(&mut self) {
        self.0.clear();
    }

    /// The gain of the split that has the rows at these places on the left.
    #[inline]
    pub(super) fn of<C: Code>(&mut self, search: &Search<'_>, node: &Node<'_>, local: &Local, left: &[C]) -> f64 {
        if left.len() > 8 || node.rows.len() > 255 {
            return gain(search, node, local, left);
        }
        let key = left.iter().fold(0, |key, &place| key << 8 | u64::from(place.number() + 1));
        if let Some((_, gain)) = self.0.iter().find(|(of, _)| *of == key) {
            return *gain;
        }
        let gain = gain(search, node, local, left);
        if self.0.len() < Self::MOST {
            self.0.push((key, gain));
        }
        gain
    }
}

/// scikit-learn's `proxy_impurity_improvement` of the split that has the rows at these places of the node on the left.
pub(super) fn gain<C: Code>(search: &Search<'_>, node: &Node<'_>, local: &Local, left: &[C]) -> f64 {
    let rows = node.rows.len();
    let weight_of = |place: C| search.weights.of_rows[node.rows[place.number() as usize] as usize];
    let group = |places: &[C], group: usize| {
        let lanes = &local.lanes[group * rows..][..rows];
        classes(places.iter().map(|&place| (weight_of(place), &lanes[place.number() as usize])))
    };
    let weight = |places: &[C]| places.iter().map(|&place| weight_of(place)).fold(0.0, |sum, weight| sum + weight);
    if search.weights.whole && local.scale == 1.0 {
        return whole_gain(search, local, left);
    }
    let all = local.sums.get_or_init(|| {
        let mut places: Vec<C> = (0..rows as u32).map(C::of).collect();
        places.rotate_left(node.path.draw(u32::MAX).priority as usize % rows);
        let groups = (0..local.totals.len()).map(|of| group(&places, of)).collect();
        Sums { weight: weight(&places), groups }
    });
    let left_weight = weight(left);
    let right_weight = all.weight - left_weight;
    let (mut of_left, mut of_right) = (0.0, 0.0);
    for (index, all) in all.groups.iter().enumerate() {
        let of = group(left, index);
        for lane in 0..LANES.min(search.labels.count() - index * LANES) {
            let (with, without) = (of.with[lane], of.without[lane]);
            of_left += search.criterion.of_label(left_weight, without, with);
            of_right += search.criterion.of_label(right_weight, all.without[lane] - without, all.with[lane] - with);
        }
    }
    let labels = search.labels.count() as f64;
    -right_weight * (of_right / labels) - left_weight * (of_left / labels)
}

/// The same, where weights are whole numbers, so that sums are exact in any order.
fn whole_gain<C: Code>(search: &Search<'_>, local: &Local, left: &[C]) -> f64 {
    let rows = local.weights.len();
    let left_weight: i32 = left.iter().map(|&place| local.weights[place.number() as usize]).sum();
    let (left_weight, right_weight) = (f64::from(left_weight), f64::from(local.weight - left_weight));
    let (mut of_left, mut of_right) = (0.0, 0.0);
    for (group, total) in local.totals.iter().enumerate() {
        let mut sums = Lanes::ZERO;
        left.iter().for_each(|&place| sums.add(&local.lanes[group * rows + place.number() as usize]));
        for lane in 0..LANES.min(search.labels.count() - group * LANES) {
            let (with, of_right_with) = (f64::from(sums.0[lane]), f64::from(total.0[lane] - sums.0[lane]));
            of_left += search.criterion.of_label(left_weight, left_weight - with, with);
            of_right += search.criterion.of_label(right_weight, right_weight - of_right_with, of_right_with);
        }
    }
    let labels = search.labels.count() as f64;
    -right_weight * (of_right / labels) - left_weight * (of_left / labels)
}

fn classes<'a>(rows: impl Iterator<Item = (f64, &'a Lanes)>) -> Classes {
    let mut of = Classes { with: [0.0; LANES], without: [0.0; LANES] };
    for (weight, has) in rows {
        for lane in 0..LANES {
            let (with, without) = if has.0[lane] != 0 { (weight, 0.0) } else { (0.0, weight) };
            of.with[lane] += with;
            of.without[lane] += without;
        }
    }
    of
}
