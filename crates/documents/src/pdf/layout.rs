//! The lines of a page in reading order: columns one after the other, rows of tables as rows.

use std::collections::BTreeMap;

use super::glyphs::Run;

/// A gap within a line that separates the cells of a table, in parts of the size of the text.
const CELL: f64 = 2.0;

/// Columns of text are at least this wide, in characters of a line on average; what is narrower
/// is a table.
const WIDE: usize = 20;

/// Lines that make a column.
const LINES: usize = 4;

/// Columns within columns.
const DEPTH: usize = 3;

/// A larger distance between lines, in parts of the size of the text, ends a column.
const APART: f64 = 2.6;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) size: f64,
    pub(crate) is_bold: bool,
    /// It is a row of a table.
    pub(crate) is_row: bool,
}

pub(crate) fn lines(runs: Vec<Run>) -> Vec<Line> {
    let mut by_turns: [Vec<Run>; 4] = Default::default();
    for run in runs {
        by_turns[usize::from(run.turns % 4)].push(run);
    }
    let mut lines = Vec::new();
    for mut runs in by_turns {
        runs.sort_by(|a, b| a.top.total_cmp(&b.top).then(a.left.total_cmp(&b.left)));
        runs.dedup_by(|again, run| is_again(again, run));
        read(runs, DEPTH, &mut lines);
    }
    lines
}

/// Shadows and bold letters are drawn twice by some, a little to the side.
fn is_again(again: &Run, run: &Run) -> bool {
    let is_near = |a: f64, b: f64| (a - b).abs() < 0.15 * run.size;
    is_near(again.left, run.left) && is_near(again.top, run.top) && again.text == run.text
}

/// The runs come from above to below.
fn read(mut runs: Vec<Run>, depth: usize, lines: &mut Vec<Line>) {
    let Some(columns) = (if depth > 0 { columns(&runs) } else { None }) else {
        return rows(runs, lines);
    };
    let below = runs.split_off(columns.end);
    let beside = runs.split_off(columns.start);
    rows(runs, lines);
    let (mut left, mut right, mut across) = (Vec::new(), Vec::new(), Vec::new());
    for run in beside {
        if run.left < columns.gutter && run.right > columns.gutter {
            // Both columns go on below a line that stands across.
            read(std::mem::take(&mut left), depth - 1, lines);
            read(std::mem::take(&mut right), depth - 1, lines);
            across.push(run);
            continue;
        }
        rows(std::mem::take(&mut across), lines);
        if run.right <= columns.gutter { left.push(run) } else { right.push(run) }
    }
    rows(across, lines);
    read(left, depth - 1, lines);
    read(right, depth - 1, lines);
    read(below, depth - 1, lines);
}

/// Two columns of text beside each other.
struct Columns {
    gutter: f64,
    /// The runs that they hold.
    start: usize,
    end: usize,
}

/// Looks for lines that begin below each other, with lines to their left.
fn columns(runs: &[Run]) -> Option<Columns> {
    if runs.len() < 2 * LINES {
        return None;
    }
    let step = (runs[runs.len() / 2].size / 2.0).max(0.5);
    let mut edges: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (index, run) in runs.iter().enumerate() {
        edges.entry(whole(run.left / step)).or_default().push(index);
    }
    // An edge may lie on the border of two steps.
    let mut beginnings: Vec<Vec<usize>> = edges
        .iter()
        .map(|(step, runs)| {
            let next = edges.get(&(step + 1)).into_iter().flatten();
            let mut all: Vec<_> = runs.iter().chain(next).copied().collect();
            all.sort_unstable();
            all
        })
        .filter(|beginning| {
            beginning.len() >= LINES && is_wide(beginning.iter().map(|at| &runs[*at]))
        })
        .collect();
    beginnings.sort_by_key(|beginning| std::cmp::Reverse(beginning.len()));
    beginnings.iter().take(8).find_map(|beginning| beside(runs, beginning))
}

/// The columns of which the right one begins with these runs.
fn beside(runs: &[Run], right: &[usize]) -> Option<Columns> {
    let (first, last) = (*right.first()?, *right.last()?);
    let edge = right.iter().map(|at| runs[*at].left).fold(f64::INFINITY, f64::min);
    let gutter = edge - 0.2 * runs[first].size;
    let is_left = |run: &Run| run.right <= gutter;
    // The left column may be longer, and its first line a little higher.
    let goes_on = |from: &Run, to: &Run| {
        is_left(to) && (to.top - from.top).abs() < APART * from.size.min(to.size)
    };
    let (mut start, mut end) = (first, last + 1);
    while start > 0 && goes_on(&runs[start], &runs[start - 1]) {
        start -= 1;
    }
    while end < runs.len() && goes_on(&runs[end - 1], &runs[end]) {
        end += 1;
    }
    let within = &runs[start..end];
    let left = || within.iter().filter(|run| is_left(run));
    let across = within.iter().filter(|run| run.left < gutter && !is_left(run)).count();
    let are_columns = left().count() >= LINES && is_wide(left()) && across * 4 <= within.len();
    are_columns.then_some(Columns { gutter, start, end })
}

fn is_wide<'a>(runs: impl Iterator<Item = &'a Run>) -> bool {
    let lengths = runs.map(|run| run.text.chars().count());
    let (count, sum) = lengths.fold((0, 0), |(count, sum), length| (count + 1, sum + length));
    sum >= count * WIDE
}

fn whole(number: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "what is too large becomes the largest")]
    let whole = number.floor() as i64;
    whole.clamp(-1_000_000, 1_000_000)
}

/// Runs that stand beside each other are one line.
fn rows(runs: Vec<Run>, lines: &mut Vec<Line>) {
    let mut row: Vec<Run> = Vec::new();
    for run in runs {
        let is_beside = row
            .first()
            .is_some_and(|first| (run.top - first.top).abs() < 0.45 * first.size.max(run.size));
        if !is_beside && !row.is_empty() {
            lines.push(line(std::mem::take(&mut row)));
        }
        row.push(run);
    }
    if !row.is_empty() {
        lines.push(line(row));
    }
}

fn line(mut runs: Vec<Run>) -> Line {
    runs.sort_by(|a, b| a.left.total_cmp(&b.left));
    let most = runs.iter().max_by_key(|run| run.text.len());
    let (size, top) = most.map_or((0.0, 0.0), |run| (run.size, run.top));
    let mut line = Line {
        text: String::new(),
        left: runs.first().map_or(0.0, |run| run.left),
        top,
        size,
        is_bold: runs.iter().all(|run| run.is_bold),
        is_row: false,
    };
    let mut right = f64::NAN;
    for run in runs {
        let gap = (run.left - right) / size;
        if gap > CELL {
            line.text.truncate(line.text.trim_end().len());
            line.text.push_str(" | ");
            line.is_row = true;
        } else if gap > 0.15 && !line.text.ends_with(' ') {
            line.text.push(' ');
        }
        line.text.push_str(&run.text);
        right = right.max(run.right);
    }
    line.text.truncate(line.text.trim_end().len());
    line
}
