//! The lines of a page in reading order: columns one after the other, rows of tables as rows.

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
fn read(runs: Vec<Run>, depth: usize, lines: &mut Vec<Line>) {
    let gutter = if depth > 0 { gutter(&runs) } else { None };
    let Some(gutter) = gutter else { return rows(runs, lines) };
    let (mut left, mut right, mut across) = (Vec::new(), Vec::new(), Vec::new());
    for run in runs {
        if run.left < gutter && run.right > gutter {
            // What was read before a line that stands across, is above it.
            if !left.is_empty() || !right.is_empty() {
                rows(std::mem::take(&mut across), lines);
                // Lines of the column that end a little lower than this line stay before it.
                read(std::mem::take(&mut left), depth - 1, lines);
                read(std::mem::take(&mut right), depth - 1, lines);
            }
            across.push(run);
            continue;
        }
        if !across.is_empty() {
            rows(std::mem::take(&mut across), lines);
        }
        if run.right <= gutter { left.push(run) } else { right.push(run) }
    }
    rows(across, lines);
    read(left, depth - 1, lines);
    read(right, depth - 1, lines);
}

/// The middle of the gap between two columns of text.
fn gutter(runs: &[Run]) -> Option<f64> {
    if runs.len() < 2 * LINES {
        return None;
    }
    let size = runs[runs.len() / 2].size;
    let mut edges: Vec<(f64, i32)> =
        runs.iter().flat_map(|run| [(run.left, 1), (run.right.max(run.left), -1)]).collect();
    edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let most = i32::try_from(runs.len() / 3).unwrap_or(i32::MAX);
    let (mut open, mut start) = (0, f64::NAN);
    let mut gaps = Vec::new();
    for (at, change) in edges {
        let was_gap = open <= most;
        open += change;
        if was_gap && open > most && at - start >= 0.6 * size {
            gaps.push((start, at));
        } else if !was_gap && open <= most {
            start = at;
        }
    }
    gaps.sort_by(|a, b| (b.1 - b.0).total_cmp(&(a.1 - a.0)));
    let middle = |(from, to): (f64, f64)| from.midpoint(to);
    gaps.into_iter().take(4).map(middle).find(|gutter| divides(runs, *gutter))
}

/// Both sides hold columns of text.
fn divides(runs: &[Run], gutter: f64) -> bool {
    let is_column = |is_in: &dyn Fn(&Run) -> bool| {
        let lengths = runs.iter().filter(|run| is_in(run)).map(|run| run.text.chars().count());
        let (count, sum) = lengths.fold((0, 0), |(count, sum), length| (count + 1, sum + length));
        count >= LINES && sum >= count * WIDE
    };
    is_column(&|run| run.right <= gutter) && is_column(&|run| run.left >= gutter)
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
