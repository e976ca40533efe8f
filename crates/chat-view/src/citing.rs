//! Where a citation leads, and which citations an answer refers to.

use std::fmt::Write as _;

use unbroken_protocol::Citation;

use crate::texts;

/// Words of a quote by which a browser finds it in its page.
const WORDS: usize = 8;

/// The citations that the text refers to, and those that it does not.
pub fn parted(text: &str, citations: Vec<Citation>) -> (Vec<Citation>, Vec<Citation>) {
    citations.into_iter().partition(|citation| text.contains(&format!("[{}]", citation.index)))
}

/// A place in a file of that name. What is counted there is told by the name's ending.
pub fn place(name: &str, number: u32) -> String {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let number = number.into();
    match ending.as_deref() {
        Some("pptx" | "odp") => texts::slide(number),
        Some("xlsx" | "ods") => texts::sheet(number),
        Some("epub") => texts::part(number),
        _ => texts::page(number),
    }
}

/// The address of a page with the quote as a text fragment, so that a browser marks the passage and
/// scrolls to it (WICG "Scroll To Text Fragment").
pub fn with_fragment(url: &str, quote: &str) -> String {
    // What is found lies in one block.
    let line = quote.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().take(WORDS).collect();
    if words.is_empty() {
        return url.to_owned();
    }
    let mut address = format!("{url}{}:~:text=", if url.contains('#') { "" } else { "#" });
    for byte in words.join(" ").bytes() {
        if byte.is_ascii_alphanumeric() {
            address.push(char::from(byte));
        } else {
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_opens_at_the_words_of_the_quote() {
        assert_eq!(
            with_fragment("https://a.example/b", "  \n One-two, thrée\nnext"),
            "https://a.example/b#:~:text=One%2Dtwo%2C%20thr%C3%A9e"
        );
        assert_eq!(with_fragment("https://a.example/#top", "x"), "https://a.example/#top:~:text=x");
        assert_eq!(with_fragment("https://a.example/", " \n"), "https://a.example/");
        assert!(with_fragment("https://a.example/", &"w ".repeat(50)).ends_with("w%20w"));
    }

    #[test]
    fn a_place_is_called_what_it_is_in_such_a_file() {
        let names = ["a.pdf", "Talk.PPTX", "b.odp", "c.xlsx", "d.ods", "e.epub", "f"];
        assert_eq!(
            names.map(|name| place(name, 3)),
            ["Page 3", "Slide 3", "Slide 3", "Sheet 3", "Sheet 3", "Part 3", "Page 3"]
        );
    }

    #[test]
    fn an_answer_refers_to_what_it_marks() {
        let citation = |index| Citation {
            index,
            source_type: "file".into(),
            title: String::new(),
            url: None,
            file_id: None,
            page: None,
            passage: None,
            quote: String::new(),
            score: None,
        };
        let (cited, other) = parted("So it is [2], [12].", (1..=12).map(citation).collect());
        assert_eq!(cited.iter().map(|one| one.index).collect::<Vec<_>>(), [2, 12]);
        assert_eq!(other.len(), 10);
    }
}
