//! A fenced code block that is still open: its lines are appended, never parsed again. And the frame
//! around code.

use super::escape::escape;

#[derive(Debug)]
pub(super) struct Fence {
    pub(super) id: u64,
    pub(super) language: String,
    /// The code so far. Only grows.
    pub(super) code: String,
    marker: u8,
    length: usize,
    indent: usize,
    /// Where the current line starts in the open text, and how much of it is in `code`.
    at: usize,
    taken: usize,
}

impl Fence {
    /// Reads the opening line, which must be complete.
    pub(super) fn open(text: &str, id: u64) -> Option<Self> {
        let (first, _) = text.split_once('\n')?;
        let fence = first.trim_start_matches(' ');
        let marker = *fence.as_bytes().first().filter(|byte| matches!(byte, b'`' | b'~'))?;
        let length = fence.bytes().take_while(|byte| *byte == marker).count();
        Some(Self {
            id,
            language: language(&fence[length..]).to_owned(),
            code: String::new(),
            marker,
            length,
            indent: first.len() - fence.len(),
            at: first.len() + 1,
            taken: 0,
        })
    }

    /// Takes what is new. `text` is everything from the opening line on. The end of the block, once
    /// it is closed.
    pub(super) fn feed(&mut self, text: &str) -> Option<usize> {
        loop {
            let seen = self.at + self.taken;
            let end = text[seen..].find('\n').map(|at| seen + at);
            let line = &text[self.at..end.unwrap_or(text.len())];
            if self.taken == 0 {
                if end.is_none() && self.may_close(line) {
                    return None;
                }
                if self.closes(line) {
                    return end.map(|end| end + 1);
                }
                let spaces = line.bytes().take(self.indent).take_while(|byte| *byte == b' ');
                self.taken = spaces.count();
            }
            self.code.push_str(&line[self.taken..]);
            let Some(end) = end else {
                self.taken = line.len();
                return None;
            };
            self.code.push('\n');
            (self.at, self.taken) = (end + 1, 0);
        }
    }

    fn closes(&self, line: &str) -> bool {
        let fence = line.trim_start_matches(' ');
        let run = fence.bytes().take_while(|byte| *byte == self.marker).count();
        let spaces = line.len() - fence.len();
        spaces < 4 && run >= self.length && fence[run..].bytes().all(|byte| byte == b' ')
    }

    /// Whether an unfinished line may still become the closing one: it is held back.
    fn may_close(&self, line: &str) -> bool {
        line.bytes().all(|byte| byte == b' ' || byte == self.marker)
    }
}

/// The frame around code, up to where the code goes, and its end. A `live` frame is filled later.
pub(super) fn frame(language: &str, live: bool) -> (String, &'static str) {
    let mut name = String::new();
    escape(&mut name, language);
    let label = if name.is_empty() { crate::texts::code() } else { &name };
    let open = format!(
        "<figure class=\"code\" data-lang=\"{name}\"><figcaption><span>{label}</span>\
         <button type=\"button\" data-action=\"wrap\">{}</button>\
         <button type=\"button\" data-action=\"copy\">{}</button></figcaption>\
         <pre tabindex=\"0\"><code{}>",
        crate::texts::wrap(),
        crate::texts::copy(),
        if live { " data-live" } else { "" },
    );
    (open, "</code></pre></figure>")
}

/// The language of a block, from what follows its fence.
pub(super) fn language(info: &str) -> &str {
    let word = info.trim_start().split([' ', '\t', ',', '{']).next().unwrap_or_default();
    word.trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_only_grows_and_a_closing_line_is_never_shown() {
        let text = "```rust x\nfn a() {}\n  ``\n```\nafter";
        for cut in 10..text.len() {
            let mut fence = Fence::open(&text[..cut], 0).unwrap();
            let first = fence.feed(&text[..cut]);
            let shown = fence.code.clone();
            let end = first.or_else(|| fence.feed(text));
            assert!(fence.code.starts_with(&shown));
            assert_eq!((fence.code.as_str(), end), ("fn a() {}\n  ``\n", Some(text.len() - 5)));
            assert_eq!(fence.language, "rust");
        }
    }
}
