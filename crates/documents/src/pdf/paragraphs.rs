//! Lines as paragraphs, headings and rows. A heading is what is larger than the text, or bold.

use std::collections::BTreeMap;

use super::layout::Line;
use crate::Refusal;
use crate::blocks::Blocks;

/// A heading is shorter, in characters.
const HEADING: usize = 160;

pub(crate) fn put_together(pages: &[Vec<Line>], blocks: &mut Blocks) -> Result<(), Refusal> {
    let levels = Levels::of(pages);
    for (index, lines) in pages.iter().enumerate() {
        blocks.turn_to(index + 1);
        let mut rest = lines.as_slice();
        while !rest.is_empty() {
            let count = paragraph(rest, &levels);
            let (lines, after) = rest.split_at(count);
            push(lines, &levels, blocks)?;
            rest = after;
        }
    }
    Ok(())
}

fn push(lines: &[Line], levels: &Levels, blocks: &mut Blocks) -> Result<(), Refusal> {
    let is_table = lines.iter().all(|line| line.is_row);
    if is_table {
        return lines
            .iter()
            .try_for_each(|line| blocks.row(&line.text.split(" | ").collect::<Vec<_>>()));
    }
    let text = joined(lines);
    match levels.of_line(&lines[0]) {
        Some(level) if text.chars().count() <= HEADING && text.contains(char::is_alphabetic) => {
            blocks.heading(level, &text)
        }
        _ => blocks.paragraph(&text),
    }
}

/// How many lines the first paragraph has.
fn paragraph(lines: &[Line], levels: &Levels) -> usize {
    let mut count = 1;
    // The distance of its lines, known from the second on.
    let mut pitch = None;
    for pair in lines.windows(2) {
        let [line, next] = pair else { break };
        let distance = next.top - line.top;
        let is_near =
            distance > 0.0 && distance < pitch.map_or(1.75 * line.size, |pitch: f64| 1.2 * pitch);
        let is_alike = (0.9..1.1).contains(&(next.size / line.size))
            && line.is_row == next.is_row
            && levels.of_line(line) == levels.of_line(next);
        if !is_near || !is_alike {
            break;
        }
        pitch = pitch.or(Some(distance));
        count += 1;
    }
    count
}

fn joined(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        let next = line.text.trim();
        if is_cut(&text, next) {
            text.pop();
        } else if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(next);
    }
    text
}

/// A word that the end of a line cuts.
fn is_cut(text: &str, next: &str) -> bool {
    let mut before = text.chars().rev();
    let hyphen = before.next();
    let is_word = before.next().is_some_and(char::is_lowercase);
    hyphen == Some('\u{ad}')
        || (matches!(hyphen, Some('-' | '\u{2010}'))
            && is_word
            && next.starts_with(char::is_lowercase))
}

/// The sizes of headings, in half points, with their levels.
struct Levels {
    sizes: BTreeMap<i64, u8>,
    text: i64,
    /// The level of a heading that is bold and no larger than the text.
    bold: Option<u8>,
}

impl Levels {
    fn of(pages: &[Vec<Line>]) -> Self {
        let mut weights: BTreeMap<i64, usize> = BTreeMap::new();
        let (mut bold, mut all) = (0, 0);
        for line in pages.iter().flatten() {
            let length = line.text.chars().count();
            *weights.entry(half_points(line.size)).or_default() += length;
            bold += if line.is_bold { length } else { 0 };
            all += length;
        }
        let text = weights.iter().max_by_key(|(_, weight)| **weight).map_or(0, |(size, _)| *size);
        let larger = weights.keys().rev().filter(|size| **size * 100 >= text * 115);
        let levels = (1..6).chain(std::iter::repeat(6));
        let sizes: BTreeMap<_, _> = larger.copied().zip(levels).collect();
        let lowest: u8 = sizes.values().max().copied().unwrap_or_default();
        // Where much is bold it marks no headings.
        let bold = (bold * 4 < all).then_some(lowest.saturating_add(1));
        Self { sizes, text, bold }
    }

    fn of_line(&self, line: &Line) -> Option<u8> {
        let size = half_points(line.size);
        let of_size = self.sizes.get(&size).copied();
        let is_bold = line.is_bold
            && !line.is_row
            && size >= self.text
            && line.text.chars().count() < HEADING / 2
            && !line.text.ends_with(['.', ',', ';', ':']);
        of_size.or(self.bold.filter(|_| is_bold))
    }
}

fn half_points(size: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float that is too large becomes the largest"
    )]
    let half_points = (size * 2.0).round() as i64;
    half_points.clamp(0, 100_000)
}
