//! One list of several: reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009).

use std::collections::HashMap;
use std::hash::Hash;

/// How much less a place further down counts; the paper's value.
const K: f64 = 60.0;

/// Fuses lists that are ranked best first. What several lists have comes before what one has alone,
/// as their ranks add up: `1 / (60 + rank)` for each. Of equals the one that was met first comes
/// first, list by list; what a list names twice counts at its better place.
pub fn fuse<T: Clone + Eq + Hash>(lists: &[Vec<T>]) -> Vec<T> {
    fuse_scored(lists).into_iter().map(|(item, _)| item).collect()
}

/// As [`fuse`], with the share of what the first place in all lists gives: 1 at most.
pub fn fuse_scored<T: Clone + Eq + Hash>(lists: &[Vec<T>]) -> Vec<(T, f64)> {
    let mut scores: HashMap<&T, (f64, usize)> = HashMap::new();
    let mut order = Vec::new();
    for (number, list) in (1..).zip(lists) {
        for (rank, item) in (1_u32..).zip(list) {
            let (score, last) = scores.entry(item).or_insert_with(|| {
                order.push(item);
                (0.0, 0)
            });
            if *last != number {
                *score += 1.0 / (K + f64::from(rank));
                *last = number;
            }
        }
    }
    // The sort is stable.
    order.sort_by(|a, b| scores[b].0.total_cmp(&scores[a].0));
    let most = f64::from(u32::try_from(lists.len()).unwrap_or(u32::MAX)) / (K + 1.0);
    order.into_iter().map(|item| (item.clone(), scores[item].0 / most)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_two_lists_have_comes_before_what_one_has() {
        let lists = [vec!["a", "b", "c"], vec!["d", "c", "e"]];
        assert_eq!(fuse(&lists), ["c", "a", "d", "b", "e"]);
    }

    #[test]
    fn the_first_of_all_lists_has_the_whole_score() {
        let scored = fuse_scored(&[vec!["a", "b"], vec!["a", "c"]]);
        assert_eq!(scored[0], ("a", 1.0));
        assert!(scored[1].1 > 0.49 && scored[1].1 < 0.5, "{scored:?}");
    }

    #[test]
    fn equals_keep_the_order_in_which_they_were_met() {
        assert_eq!(fuse(&[vec![3, 1], vec![4, 2], vec![9]]), [3, 4, 9, 1, 2]);
        assert_eq!(fuse(&[vec![1, 2], vec![2, 1]]), [1, 2]);
        assert_eq!(fuse::<u32>(&[vec![], vec![]]), [0_u32; 0]);
    }

    #[test]
    fn what_a_list_names_twice_counts_once() {
        assert_eq!(fuse(&[vec!["a", "b", "b", "b"]]), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn one_list_stays_as_it_is_and_none_is_lost(
            first in prop::collection::vec(0..20_u8, 0..20),
            second in prop::collection::vec(0..20_u8, 0..20),
        ) {
            let alone = fuse(std::slice::from_ref(&first));
            let mut once = first.clone();
            let mut seen = std::collections::HashSet::new();
            once.retain(|item| seen.insert(*item));
            prop_assert_eq!(alone, once);
            let mut both = fuse(&[first.clone(), second.clone()]);
            both.sort_unstable();
            let mut all = [first, second].concat();
            all.sort_unstable();
            all.dedup();
            prop_assert_eq!(both, all);
        }
    }
}
