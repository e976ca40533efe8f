//! What a page shows, as runs: stretches of text that one line of its instructions leaves without
//! a larger gap.

use hayro_interpret::font::{Glyph, GlyphRun};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::kurbo::{Affine, BezPath, Point, Vec2};
use hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask,
};

/// A gap after which a space is meant, in parts of the size of the text.
const SPACE: f64 = 0.18;

/// A gap that may be one between columns.
const COLUMN: f64 = 1.0;

/// A stretch of text on one line, turned so that it runs to the right.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) text: String,
    pub(crate) left: f64,
    pub(crate) right: f64,
    /// Of its baseline, from above.
    pub(crate) top: f64,
    pub(crate) size: f64,
    pub(crate) is_bold: bool,
    /// Quarter turns that make the text run to the right.
    pub(crate) turns: u8,
    /// Its last character, and where that begins.
    last: (char, f64),
}

#[derive(Default)]
pub(crate) struct Glyphs {
    done: Vec<Run>,
    open: Option<Run>,
    /// Where the letters begin that were filled last, and how many they are.
    filled: Option<(Point, usize)>,
}

impl Glyphs {
    pub(crate) fn runs(mut self) -> Vec<Run> {
        self.done.extend(self.open.take());
        self.done.retain(|run| !run.text.trim().is_empty());
        self.done
    }

    fn add(&mut self, glyph: &Glyph<'_>, place: Affine, is_bold: bool) {
        let Some(text) = text_of(glyph) else { return };
        let [a, b, c, d, ..] = place.as_coeffs();
        let turns = turns(Vec2::new(a, b));
        let size = Vec2::new(c, d).hypot() * 1000.0;
        let width = Vec2::new(a, b).hypot() * advance(glyph);
        let origin = turned(place * Point::ZERO, turns);
        if ![size, width, origin.x, origin.y].iter().all(|number| number.is_finite()) || size < 0.1
        {
            return;
        }
        let next = Run {
            left: origin.x,
            right: origin.x + width,
            top: origin.y,
            size,
            is_bold,
            turns,
            last: (text.chars().next().unwrap_or(' '), origin.x),
            text,
        };
        match &mut self.open {
            Some(open) if open.goes_on_with(&next) => open.append(&next),
            open => self.done.extend(open.replace(next)),
        }
    }
}

impl Run {
    fn goes_on_with(&self, next: &Self) -> bool {
        let gap = (next.left - self.right) / self.size;
        self.turns == next.turns
            && (self.top - next.top).abs() < 0.1 * self.size
            && (0.8..1.25).contains(&(next.size / self.size))
            && (-0.6..COLUMN).contains(&gap)
    }

    fn append(&mut self, next: &Self) {
        // Bold letters are drawn twice by some, a little to the side.
        let (last, at) = self.last;
        if last == next.last.0 && last != ' ' && (next.left - at).abs() < 0.12 * self.size {
            return;
        }
        if next.left - self.right > SPACE * self.size && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
        self.text.push_str(&next.text);
        self.right = self.right.max(next.right);
        self.last = next.last;
    }
}

/// The characters that a glyph stands for; those that are joined in print are taken apart.
fn text_of(glyph: &Glyph<'_>) -> Option<String> {
    let text = match glyph.as_unicode()? {
        BfString::Char(c) => c.to_string(),
        BfString::String(text) => text,
    };
    let text = match text.as_str() {
        "ﬀ" => "ff".to_owned(),
        "ﬁ" => "fi".to_owned(),
        "ﬂ" => "fl".to_owned(),
        "ﬃ" => "ffi".to_owned(),
        "ﬄ" => "ffl".to_owned(),
        "ﬅ" | "ﬆ" => "st".to_owned(),
        "\u{a0}" | "\t" | "\r" | "\n" => " ".to_owned(),
        _ => text,
    };
    (!text.chars().any(is_private)).then_some(text).filter(|text| !text.is_empty())
}

/// Characters that mean something in one font only.
fn is_private(c: char) -> bool {
    c == '\u{fffd}' || ('\u{e000}'..='\u{f8ff}').contains(&c) || (c.is_control())
}

/// In thousandths of the size.
fn advance(glyph: &Glyph<'_>) -> f64 {
    let width = match glyph {
        Glyph::Outline(outline) => outline.advance_width(),
        Glyph::Type3(glyph) => glyph.advance_width(),
    };
    f64::from(width.unwrap_or(500.0))
}

fn turns(direction: Vec2) -> u8 {
    match (direction.x.abs() >= direction.y.abs(), direction.x >= 0.0, direction.y >= 0.0) {
        (true, true, _) => 0,
        (false, _, true) => 1,
        (true, false, _) => 2,
        (false, _, false) => 3,
    }
}

fn turned(place: Point, turns: u8) -> Point {
    match turns {
        0 => place,
        1 => Point::new(place.y, -place.x),
        2 => Point::new(-place.x, -place.y),
        _ => Point::new(-place.y, place.x),
    }
}

fn is_bold(run: &GlyphRun<'_, '_>) -> bool {
    let Some(Glyph::Outline(glyph)) = run.glyphs().first().map(|glyph| &**glyph) else {
        return false;
    };
    glyph.font_data().is_some_and(|font| {
        let name = font.postscript_name.unwrap_or_default().to_ascii_lowercase();
        font.weight.is_some_and(|weight| weight >= 600) || name.contains("bold")
    })
}

impl<'a> Device<'a> for Glyphs {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        let first = run.glyphs().first().map(|glyph| props.transform * glyph.transform());
        let place = first.map(|place| (place * Point::ZERO, run.glyphs().len()));
        // The edges of letters that are filled too.
        if matches!(mode, DrawMode::Stroke(_)) && place == self.filled {
            return;
        }
        self.filled = place;
        let is_bold = is_bold(run);
        for glyph in run.glyphs() {
            self.add(glyph, props.transform * glyph.transform(), is_bold);
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}
