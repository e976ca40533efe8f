//! Whether the page stays at the end of the conversation while it grows.
//!
//! It does while the person is there. Once they scroll away nothing moves under their eyes, and a
//! button leads back.

/// So close to the end counts as there, in CSS pixels: a line of text and the rounding of a zoomed
/// page.
pub const TOLERANCE: f64 = 32.0;

/// The measures of the scrolling element, in CSS pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extent {
    pub scroll_top: f64,
    pub client_height: f64,
    pub scroll_height: f64,
}

pub fn is_at_end(scroll_top: f64, client_height: f64, scroll_height: f64) -> bool {
    scroll_height - client_height - scroll_top <= TOLERANCE
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Following,
    Free,
}

/// Follows the end, or leaves the person alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scroll {
    mode: Mode,
    last: Extent,
}

impl Scroll {
    /// The element was scrolled, by the person or by the page itself.
    ///
    /// Only a move towards the beginning leaves the end: content that grows below does not.
    pub fn scrolled(&mut self, now: Extent) {
        if is_at_end(now.scroll_top, now.client_height, now.scroll_height) {
            self.mode = Mode::Following;
        } else if now.scroll_top < self.last.scroll_top
            && now.scroll_height >= self.last.scroll_height
            && now.client_height <= self.last.client_height
        {
            self.mode = Mode::Free;
        }
        self.last = now;
    }

    /// Whether these are the measures as they were last heard of, with the end in view: then a scroll
    /// is the page's own.
    pub fn has_seen(&self, now: Extent) -> bool {
        self.is_following() && now == self.last
    }

    /// The person turned the wheel, dragged or pressed a key towards the beginning, before any
    /// scrolling is seen.
    pub fn pulled_away(&mut self) {
        if self.last.scroll_top > 0.0 {
            self.mode = Mode::Free;
        }
    }

    /// The content or the window changed its size: where to scroll to, if anywhere.
    pub fn resized(&mut self, now: Extent) -> Option<f64> {
        self.last = now;
        let end = (now.scroll_height - now.client_height).max(0.0);
        (self.mode == Mode::Following && now.scroll_top < end).then_some(end)
    }

    /// "Latest" was pressed, or the person sent a message.
    pub fn to_end(&mut self) {
        self.mode = Mode::Following;
    }

    /// The page goes to a place that the person asked for.
    pub fn leave_end(&mut self) {
        self.mode = Mode::Free;
    }

    pub fn is_following(&self) -> bool {
        self.mode == Mode::Following
    }

    /// Whether "Latest" is shown.
    pub fn shows_latest(&self) -> bool {
        self.mode == Mode::Free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(scroll_top: f64, scroll_height: f64) -> Extent {
        Extent { scroll_top, client_height: 500.0, scroll_height }
    }

    #[test]
    fn the_end_is_followed_until_the_person_leaves_and_again_when_they_return() {
        let mut scroll = Scroll::default();
        assert_eq!(scroll.resized(at(0.0, 1000.0)), Some(500.0));
        scroll.scrolled(at(500.0, 1000.0));
        assert_eq!(scroll.resized(at(500.0, 1100.0)), Some(600.0));
        scroll.scrolled(at(300.0, 1100.0));
        assert!(scroll.shows_latest());
        assert_eq!(scroll.resized(at(300.0, 1300.0)), None);
        scroll.scrolled(at(790.0, 1300.0));
        assert!(!scroll.shows_latest());
    }

    #[test]
    fn growing_content_and_a_smaller_document_do_not_leave_the_end() {
        let mut scroll = Scroll::default();
        scroll.scrolled(at(500.0, 1000.0));
        scroll.scrolled(at(500.0, 1400.0));
        scroll.scrolled(at(400.0, 1300.0));
        assert!(!scroll.shows_latest());
    }

    #[test]
    fn a_scroll_of_the_page_itself_is_no_news_and_one_of_the_person_is() {
        let mut scroll = Scroll::default();
        scroll.resized(at(500.0, 1000.0));
        assert!(scroll.has_seen(at(500.0, 1000.0)));
        assert!(!scroll.has_seen(at(490.0, 1000.0)));
        scroll.pulled_away();
        assert!(!scroll.has_seen(at(500.0, 1000.0)), "it leaves the end");
    }

    #[test]
    fn a_turn_of_the_wheel_counts_before_it_scrolls() {
        let mut scroll = Scroll::default();
        scroll.pulled_away();
        assert!(!scroll.shows_latest(), "nothing to scroll yet");
        scroll.scrolled(at(500.0, 1000.0));
        scroll.pulled_away();
        assert_eq!(scroll.resized(at(500.0, 1100.0)), None);
        scroll.to_end();
        assert_eq!(scroll.resized(at(500.0, 1100.0)), Some(600.0));
    }
}
