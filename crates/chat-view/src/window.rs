//! Which rows of a long conversation are in the page: those near what is seen, and for the rest a
//! space of their height.
//!
//! Everything is counted from the top of the first row, in CSS pixels. A row that was never laid out
//! counts with the mean of those that were.

use std::collections::HashMap;
use std::ops::Range;

/// Conversations up to so many rows are in the page whole: the browser finds every word of them.
pub const WHOLE: usize = 60;
/// Rows that are in the page before and after those that are seen.
pub const ROWS_AROUND: usize = 12;
/// The same in heights of the window.
const HEIGHTS_AROUND: f64 = 2.0;
/// Nearer to the end of what is in the page than this, and it is moved; in heights of the window.
const TOO_NEAR: f64 = 1.0;
/// A row of which nothing is known.
const UNKNOWN: f64 = 160.0;

/// The rows of a conversation with their heights, each with the gap to the next.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    keys: Vec<u64>,
    heights: Vec<f64>,
    measured: HashMap<u64, f64>,
}

/// A place in a row that must not move: where the edge of the window cuts it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Anchor {
    pub key: u64,
    /// How far below the row's top.
    pub below: f64,
}

impl Rows {
    /// These rows are the conversation now, in this order.
    pub fn set(&mut self, keys: Vec<u64>) {
        let mean = self.mean();
        let height = |key: &u64| self.measured.get(key).copied().unwrap_or(mean);
        self.heights = keys.iter().map(height).collect();
        self.keys = keys;
    }

    fn mean(&self) -> f64 {
        if self.measured.is_empty() {
            return UNKNOWN;
        }
        #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^53 rows")]
        let count = self.measured.len() as f64;
        (self.measured.values().sum::<f64>() / count).round()
    }

    /// The row was laid out, and is so high with the gap to the next.
    pub fn measure(&mut self, key: u64, height: f64) {
        if let Some(known) = self.index_of(key).and_then(|index| self.heights.get_mut(index)) {
            self.measured.insert(key, height);
            *known = height;
        }
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Where the row with that key is.
    pub fn index_of(&self, key: u64) -> Option<usize> {
        self.keys.iter().position(|known| *known == key)
    }

    /// How high these rows are together.
    pub fn height_of(&self, range: Range<usize>) -> f64 {
        self.heights.get(range).unwrap_or_default().iter().sum()
    }

    /// What lies at `top`.
    pub fn anchor(&self, top: f64) -> Option<Anchor> {
        let index = self.at(top);
        let key = *self.keys.get(index)?;
        Some(Anchor { key, below: top - self.height_of(0..index) })
    }

    /// Where the anchor is now; `None` when its row is gone.
    pub fn top_of(&self, anchor: Anchor) -> Option<f64> {
        let index = self.index_of(anchor.key)?;
        Some(self.height_of(0..index) + anchor.below)
    }

    /// The row at `top`; the first or the last where that is outside.
    fn at(&self, top: f64) -> usize {
        let mut bottom = 0.0;
        let cuts = |height: &f64| {
            bottom += height;
            bottom > top
        };
        self.heights.iter().position(cuts).unwrap_or(self.keys.len().saturating_sub(1))
    }

    /// The rows that should be in the page while `top..top + height` is seen and those of `now`
    /// are there: the same as long as they reach far enough.
    pub fn window(&self, now: &Range<usize>, top: f64, height: f64) -> Range<usize> {
        let all = 0..self.len();
        if all.len() <= WHOLE {
            return all;
        }
        let reach = |around: f64| {
            let (first, last) = (top - around * height, top + (1.0 + around) * height);
            self.at(first)..self.at(last) + 1
        };
        let needed = reach(TOO_NEAR);
        if now.start <= needed.start && needed.end <= now.end.min(all.end) {
            // What is there is enough; it is cut when it has become long.
            let most = reach(2.0 * HEIGHTS_AROUND);
            let most = most.start.saturating_sub(2 * ROWS_AROUND)
                ..(most.end + 2 * ROWS_AROUND).min(all.end);
            if most.start <= now.start && now.end <= most.end {
                return now.clone();
            }
        }
        let wanted = reach(HEIGHTS_AROUND);
        wanted.start.saturating_sub(ROWS_AROUND)..(wanted.end + ROWS_AROUND).min(all.end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEIGHT: f64 = 800.0;

    fn rows(heights: &[u16]) -> Rows {
        let mut rows = Rows::default();
        rows.set((0..heights.len() as u64).collect());
        for (key, height) in (0..).zip(heights) {
            rows.measure(key, f64::from(*height));
        }
        rows
    }

    #[test]
    fn a_short_conversation_is_in_the_page_whole() {
        let rows = rows(&[5000; WHOLE]);
        assert_eq!(rows.window(&(0..0), 0.0, HEIGHT), 0..WHOLE);
    }

    #[test]
    fn of_ten_thousand_rows_only_those_around_what_is_seen_are_in_the_page() {
        let rows = rows(&vec![200; 10_000]);
        let end = rows.height_of(0..10_000) - HEIGHT;
        let window = rows.window(&(0..0), end, HEIGHT);
        assert_eq!(window.end, 10_000);
        assert!(window.len() < 40, "{window:?}");
        let middle = rows.window(&window, 1_000_000.0, HEIGHT);
        assert!(middle.contains(&5_000) && middle.len() < 60, "{middle:?}");
    }

    proptest! {
        /// Whatever is seen lies in the page, and rows on either side of it.
        #[test]
        fn what_is_seen_is_in_the_page(
            heights in prop::collection::vec(20_u16..3000, 1..400),
            places in prop::collection::vec(0.0..1.0_f64, 1..20),
        ) {
            let rows = rows(&heights);
            let all = rows.height_of(0..rows.len());
            let mut now = 0..0;
            for place in places {
                let top = place * (all - HEIGHT).max(0.0);
                now = rows.window(&now, top, HEIGHT);
                prop_assert!(now.end <= rows.len());
                prop_assert!(now.contains(&rows.at(top)));
                prop_assert!(now.contains(&rows.at(top + HEIGHT)));
                let before = rows.height_of(0..now.start);
                prop_assert!(now.start == 0 || before <= top - HEIGHT);
                let after = before + rows.height_of(now.clone());
                prop_assert!(now.end == rows.len() || after >= top + 2.0 * HEIGHT);
                prop_assert_eq!(rows.window(&now, top, HEIGHT), now.clone(), "it rests");
            }
        }

        /// Rows that come before, and heights that turn out otherwise, do not move what is seen.
        #[test]
        fn an_anchor_stays_in_its_row(
            heights in prop::collection::vec(20_u16..3000, 1..100),
            earlier in 0_u64..200,
            measured in prop::collection::vec((0_u64..1200, 20_u16..3000), 0..50),
            place in 0.0..1.0_f64,
        ) {
            let mut rows = rows(&heights);
            let top = place * rows.height_of(0..rows.len()) * 0.999;
            let anchor = rows.anchor(top).unwrap();
            prop_assert!((rows.top_of(anchor).unwrap() - top).abs() < 1e-6);
            let keys = (1000..1000 + earlier).chain(0..heights.len() as u64).collect();
            rows.set(keys);
            for (key, height) in measured {
                rows.measure(key, f64::from(height));
            }
            let now = rows.top_of(anchor).unwrap();
            let at = rows.index_of(anchor.key).unwrap();
            prop_assert!((now - anchor.below - rows.height_of(0..at)).abs() < 1e-6);
        }
    }
}
