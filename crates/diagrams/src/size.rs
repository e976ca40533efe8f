//! The size of a picture.

/// The picture with its size in pixels, from its `viewBox`: an image without one is as wide as its
/// place, however small or large its letters are then.
pub(super) fn stated(svg: &str) -> Option<String> {
    let (root, rest) = svg.split_once('>')?;
    let mut numbers = attribute(root, "viewBox")?.split_ascii_whitespace().skip(2);
    let (width, height) = (side(numbers.next()?)?, side(numbers.next()?)?);
    let root = without(&without(&without(root, "width"), "height"), "style");
    let root = root.strip_prefix("<svg")?;
    Some(format!("<svg width=\"{width}\" height=\"{height}\"{root}>{rest}"))
}

/// A length that is one, rounded up.
fn side(number: &str) -> Option<u32> {
    let length: f64 = number.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is in the range that is asked for"
    )]
    (1.0..=32_000.0).contains(&length).then(|| length.ceil() as u32)
}

/// The place of a value in a tag, without its quotes.
fn place(tag: &str, name: &str) -> Option<(usize, usize, usize)> {
    let from = tag.find(&format!(" {name}=\""))?;
    let value = from + name.len() + 3;
    Some((from, value, value + tag[value..].find('"')?))
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    place(tag, name).map(|(_, value, end)| &tag[value..end])
}

fn without(tag: &str, name: &str) -> String {
    match place(tag, name) {
        Some((from, _, end)) => format!("{}{}", &tag[..from], &tag[end + 1..]),
        None => tag.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_as_large_as_its_view_box() {
        let svg = "<svg id=\"a\" width=\"100%\" style=\"max-width:9px\" viewBox=\"-8 0 936.2 64\"><g/></svg>";
        let expected =
            "<svg width=\"937\" height=\"64\" id=\"a\" viewBox=\"-8 0 936.2 64\"><g/></svg>";
        assert_eq!(stated(svg).as_deref(), Some(expected));
    }

    #[test]
    fn one_without_a_size_or_with_none_that_can_be_shown_is_no_picture() {
        for view_box in ["", "0 0 10", "0 0 NaN 1", "0 0 0 1", "0 0 1e9 1"] {
            assert_eq!(stated(&format!("<svg viewBox=\"{view_box}\"></svg>")), None);
        }
    }
}
