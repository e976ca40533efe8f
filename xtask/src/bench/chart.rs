//! A bar chart as SVG that reads in light and dark.

use std::fmt::Write as _;

/// Horizontal bars in groups, one group for each label and one bar for each series.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) unit: &'a str,
    pub(super) series: &'a [&'a str],
    /// A bar that was not measured is left out.
    pub(super) groups: Vec<(String, Vec<Option<f64>>)>,
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 90.0;
const TOP: f64 = 64.0;
const BAR: f64 = 14.0;
const GAP: f64 = 12.0;
/// A ground of its own: a page may be dark on a machine that is set to light.
const STYLE: &str = ".ground { fill: #fff } text { fill: #333 } \
    @media (prefers-color-scheme: dark) { .ground { fill: #16181d } text { fill: #ccc } }";
const COLORS: [&str; 3] = ["#3b82c4", "#d9822b", "#7a8794"];

impl Chart<'_> {
    pub(super) fn svg(&self) -> String {
        let mut body = String::new();
        let mut y = TOP;
        for (label, values) in &self.groups {
            let bars: Vec<_> =
                values.iter().enumerate().filter_map(|(i, v)| Some((i, (*v)?))).collect();
            #[expect(clippy::cast_precision_loss, reason = "a handful of bars")]
            let height = BAR * bars.len().max(1) as f64;
            push(&mut body, LEFT - 10.0, y + height / 2.0 + 4.0, "end", label);
            for (series, value) in bars {
                self.bar(&mut body, y, series, value);
                y += BAR;
            }
            y += GAP;
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y:.0}\" \
             font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\">\n\
             <title>{}, {}</title>\n\
             <style>{STYLE}</style>\n\
             <rect class=\"ground\" width=\"{WIDTH}\" height=\"{y:.0}\" rx=\"6\"/>\n\
             {}{body}</svg>\n",
            escaped(self.title),
            escaped(self.unit),
            self.head(),
        )
    }

    fn head(&self) -> String {
        let mut head = String::new();
        let title = format!("{} ({})", self.title, self.unit);
        push(&mut head, 10.0, 22.0, "start", &title);
        let mut x = LEFT;
        for (name, color) in self.series.iter().zip(COLORS) {
            square(&mut head, x, 36.0, 10.0, 10.0, color);
            push(&mut head, x + 15.0, 45.0, "start", name);
            x += 110.0;
        }
        head
    }

    fn bar(&self, out: &mut String, y: f64, series: usize, value: f64) {
        let values = self.groups.iter().flat_map(|(_, values)| values.iter().flatten());
        let most = values.copied().fold(f64::MIN_POSITIVE, f64::max);
        let width = (WIDTH - LEFT - RIGHT) * value / most;
        let color = COLORS[series % COLORS.len()];
        square(out, LEFT, y, width.max(1.0), BAR - 2.0, color);
        push(out, LEFT + width + 6.0, y + BAR - 4.0, "start", &figure(value));
    }
}

/// Three digits tell enough.
fn figure(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

fn square(out: &mut String, x: f64, y: f64, width: f64, height: f64, color: &str) {
    writeln!(
        out,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{color}\"/>"
    )
    .expect("a String takes everything");
}

fn push(out: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let text = escaped(text);
    writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>")
        .expect("a String takes everything");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_width_and_what_was_not_measured_has_none() {
        let groups = vec![
            ("a & b".to_owned(), vec![Some(10.0), Some(5.0)]),
            ("c".to_owned(), vec![Some(2.5), None]),
        ];
        let svg = Chart { title: "t", unit: "µs", series: &["x", "y"], groups }.svg();
        let widths: Vec<_> = svg.lines().filter(|line| line.contains("height=\"12.0\"")).collect();
        assert_eq!(widths.len(), 3, "{svg}");
        for (line, width) in widths.iter().zip(["520.0", "260.0", "130.0"]) {
            assert!(line.contains(&format!("width=\"{width}\"")), "{line}");
        }
        assert!(svg.contains("a &amp; b"));
    }
}
