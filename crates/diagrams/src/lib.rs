//! Mermaid diagrams as SVG, in a module of its own, which a worker of the web app loads with the
//! first diagram (docs/adr/0013).
//!
//! What a model writes is not trusted. A source and its picture have limits, and the page shows the
//! picture as an image, in which nothing runs and nothing is fetched.

mod size;

use merman::svg::{
    HostTheme, HostThemeAppearance, Presentation, PresentationError, RenderResourcePolicy,
    SvgPipeline, ThemeRole,
};
use merman::{
    Engine, MermaidConfig, OperationControl, ParseOptions, RenderOutput, RenderRequest, Renderer,
    SvgEnvironment, SvgRequest,
};
use serde_json::json;

/// The longest source that is drawn, in bytes. `drawing.js` does not ask for more.
pub const SOURCE_BYTES: usize = 20 * 1024;
/// The largest picture, in bytes.
pub const PICTURE_BYTES: usize = 512 * 1024;

/// Sans-serif letters about as wide as those that are measured.
const LETTERS: &str = "Arial, Helvetica, Liberation Sans, sans-serif";

/// The ground that a picture stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    fn of<T>(self, light: T, dark: T) -> T {
        match self {
            Self::Light => light,
            Self::Dark => dark,
        }
    }
}

/// The picture of a diagram; `None` when the source is no diagram, or too large.
pub fn picture(source: &str, scheme: Scheme) -> Option<String> {
    if source.len() > SOURCE_BYTES {
        return None;
    }
    let theme = Presentation::new().with_theme(theme(scheme).ok()?).resolve();
    // Plain lines: the other look has shadows, which glow on a dark ground.
    let config = MermaidConfig::from_value(json!({ "layout": "dagre", "look": "classic" }));
    let renderer = Renderer::new()
        .with_engine(theme.materialize_engine(Engine::new().with_site_config(config)))
        .with_parse_options(ParseOptions::strict());
    let request = SvgRequest {
        environment: SvgEnvironment::deterministic()
            .with_resource_policy(RenderResourcePolicy::constrained()),
        // Labels are text: HTML in an image is not shown by every browser.
        pipeline: Some(SvgPipeline::resvg_safe()),
        presentation: theme.render_policy(),
        ..SvgRequest::default()
    };
    let request = RenderRequest::svg(source, OperationControl::new(), request);
    let RenderOutput::Svg(Some(svg)) = renderer.render(request).ok()? else { return None };
    size::stated(svg.svg().trim_end()).filter(|picture| picture.len() <= PICTURE_BYTES)
}

/// The app's colours, as in `00-tokens.css`.
fn theme(scheme: Scheme) -> Result<HostTheme, PresentationError> {
    let appearance = scheme.of(HostThemeAppearance::Light, HostThemeAppearance::Dark);
    let mut theme = HostTheme::new().with_appearance(appearance).try_with_font_family(LETTERS)?;
    let (text, line) = (scheme.of("#211f26", "#ece9f0"), scheme.of("#65616b", "#a8a3b0"));
    let (ground, raised) = (scheme.of("#f4f2f6", "#1a191c"), scheme.of("#ffffff", "#252329"));
    let tint = scheme.of("#f0eefe", "#262343");
    for (role, colour) in [
        (ThemeRole::Canvas, ground),
        (ThemeRole::Surface, raised),
        (ThemeRole::SurfaceAlt, tint),
        (ThemeRole::SurfaceMuted, ground),
        (ThemeRole::Text, text),
        (ThemeRole::SubtleText, line),
        (ThemeRole::Border, line),
        (ThemeRole::Line, line),
        (ThemeRole::EdgeLabelBackground, ground),
        (ThemeRole::ClusterBackground, scheme.of("#fdfcfd", "#131214")),
        (ThemeRole::ClusterBorder, scheme.of("#e4e1e6", "#302e34")),
        (ThemeRole::NoteBackground, scheme.of("#fff3d6", "#33260f")),
        (ThemeRole::NoteBorder, scheme.of("#8a4a00", "#f2c06b")),
        (ThemeRole::NoteText, text),
        (ThemeRole::ActorBackground, raised),
        (ThemeRole::ActorBorder, line),
        (ThemeRole::ActorText, text),
        (ThemeRole::ActivationBackground, tint),
        (ThemeRole::ActivationBorder, line),
    ] {
        theme = theme.try_with_role(role, colour)?;
    }
    theme.try_with_series_palette(scheme.of(LIGHT_SERIES, DARK_SERIES))
}

/// Parts of a whole, bars and branches; text stands on them.
const LIGHT_SERIES: [&str; 6] = ["#c9c6f5", "#bfe3d0", "#f6d9a8", "#bcdcf2", "#f2c4cf", "#d9d5de"];
const DARK_SERIES: [&str; 6] = ["#4b468f", "#2c5f47", "#6b4e1c", "#285a78", "#7a3446", "#4a4650"];

/// The pictures of a diagram in light and dark; none when there is none.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn draw(source: &str) -> Vec<String> {
    let both = [Scheme::Light, Scheme::Dark].map(|scheme| picture(source, scheme));
    both.into_iter().collect::<Option<_>>().unwrap_or_default()
}

#[cfg(test)]
mod tests;
