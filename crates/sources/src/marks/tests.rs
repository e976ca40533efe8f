use proptest::prelude::*;

use super::*;

/// As it comes at once, where passages 1 to 3 were given: the text, and how many were invented.
fn checked(text: &str) -> (String, usize) {
    let mut marks = Marks::new(1..=3);
    let mut out = marks.push(text.to_owned());
    out.push_str(&marks.finish());
    (out, marks.invented())
}

#[test]
fn marks_of_given_passages_stay_as_they_are() {
    for text in [
        "It is so [1].",
        "It is so [1, 2] and so [1][2] and so [1–3], [2;3] and [1-2].",
        "Es ist so[1].",
        "[1] It is so",
        "[3]",
        "漢字[1]。",
    ] {
        assert_eq!(checked(text), (text.to_owned(), 0));
    }
}

#[test]
fn an_invented_mark_vanishes_with_the_one_space_before_it() {
    for (text, expected, invented) in [
        ("It is so [4].", "It is so.", 1),
        ("It is so  [4] and", "It is so  and", 1),
        ("It is so [4]", "It is so", 1),
        ("It is so.[4] Yes", "It is so. Yes", 1),
        ("in 2019[4].", "in 2019.", 1),
        ("漢字[4]。", "漢字。", 1),
        ("so [4] [5] [6].", "so.", 3),
        ("[4]: no, in the line: [4]: x", "[4]: no, in the line:: x", 1),
        ("- [4] item", "- item", 1),
        ("a [4](b) [4] (c)", "a [4](b) (c)", 1),
    ] {
        assert_eq!(checked(text), (expected.to_owned(), invented), "{text}");
    }
}

#[test]
fn of_several_numbers_those_stay_that_were_given() {
    for (text, expected, invented) in [
        ("so [1, 4].", "so [1].", 1),
        ("so [4, 2, 9].", "so [2].", 2),
        ("so [2–9].", "so [2, 3].", 1),
        ("so [1–3, 7].", "so [1–3].", 1),
        ("so [4][1].", "so [1].", 1),
        ("so [1][4].", "so [1].", 1),
        ("so [4][5].", "so.", 2),
        ("so [4][5][2] on", "so [2] on", 2),
        ("so [7–9]", "so", 1),
    ] {
        assert_eq!(checked(text), (expected.to_owned(), invented), "{text}");
    }
}

#[test]
fn what_is_no_mark_stays_as_it_is() {
    for text in [
        "the code `a [9]` and ``b ` [9]``",
        "so\n```rust\nlet a = b [9];\n```\n",
        "so\n~~~\n [9]\n~~~",
        "see [9](https://example.org)",
        "[9]: https://example.org",
        "  [9]: https://example.org",
        "a footnote [^9]",
        "arr[9] and matrix[9][8] and _x1[9]",
        "[text][9] and [[9]]",
        r"an escape \[9] here",
        "in [0, 9] and [2024] and [09] and [9, x] and [ ] and [x]",
        "the list [4, 5, 6, 7, 8, 9, 10] is long",
        "an end [9",
        "an end [9, ",
    ] {
        assert_eq!(checked(text), (text.to_owned(), 0));
    }
}

#[test]
fn a_piece_without_brackets_and_code_comes_back_at_once() {
    let mut marks = Marks::new([1]);
    for piece in ["It", " is", " so.", "\n\n", "- ", "x  ", "]", "é"] {
        let held = marks.held.clone();
        let expected = format!("{held}{piece}");
        let expected = expected.strip_suffix(' ').unwrap_or(&expected);
        assert_eq!(marks.push(piece.to_owned()), expected);
    }
    let text = "no copy".to_owned();
    let place = text.as_ptr();
    let passed = marks.push(text);
    assert_eq!(passed.as_ptr(), place);
}

#[test]
fn an_answer_that_goes_on_is_checked_as_if_it_had_not_broken_off() {
    let mut marks = Marks::after([1], "so `a");
    assert_eq!(marks.push(" [9]` [9].".to_owned()), " [9]`.");
    assert_eq!(marks.invented(), 1);
    let mut marks = Marks::after([1], "arr");
    assert_eq!(marks.push("[9] [9].".to_owned()), "[9].");
}

#[test]
fn an_identifier_may_come_in_pieces() {
    let mut marks = Marks::new([1]);
    let pieces = ["a", "1", "[9]", " 2", "019", "[9]"];
    let out: String = pieces.into_iter().map(|piece| marks.push(piece.to_owned())).collect();
    assert_eq!(out + &marks.finish(), "a1[9] 2019");
}

/// Texts of what matters here, close together.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "[", "]", "[1]", "[9]", "[1, 9]", "[2–9]", "1", "9", ",", ", ", "-", "–", " ", "  ",
            "\n", "\n\n", "`", "``", "```", "\n```\n", "~~~", "\n~~~\n", "\\", "(", ")", ":", "a",
            "_", ">", "é", "漢", ".", "[x]", "[1](",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// As it comes in pieces that end at these characters.
fn in_pieces(text: &str, cuts: &[prop::sample::Index]) -> (String, usize) {
    let count = text.chars().count();
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(count + 1)).collect();
    cuts.sort_unstable();
    let mut marks = Marks::new(1..=3);
    let (mut out, mut chars, mut at) = (String::new(), text.chars(), 0);
    for cut in cuts.into_iter().chain([count]) {
        out.push_str(&marks.push(chars.by_ref().take(cut - at).collect()));
        assert!(marks.held.chars().count() <= HELD);
        at = cut;
    }
    out.push_str(&marks.finish());
    (out, marks.invented())
}

/// Character by character, by the slow way alone.
fn slowly(text: &str) -> (String, usize) {
    let mut marks = Marks::new(1..=3);
    let mut out = String::new();
    for char in text.chars() {
        marks.take(char, &mut out);
    }
    out.push_str(&marks.finish());
    (out, marks.invented())
}

proptest! {
    #[test]
    fn a_text_cut_anywhere_is_checked_as_at_once(
        text in texts(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let expected = slowly(&text);
        prop_assert_eq!(&in_pieces(&text, &cuts), &expected);
        prop_assert_eq!(&checked(&text), &expected);
    }

    #[test]
    fn nothing_is_lost_but_marks(text in texts()) {
        let (out, invented) = checked(&text);
        prop_assert!(out.len() <= text.len() + 2 * invented);
        if invented == 0 {
            prop_assert_eq!(out, text);
        }
    }

    #[test]
    fn a_text_without_a_bracket_is_untouched(text in "[^\\[]{0,60}") {
        prop_assert_eq!(checked(&text), (text, 0));
    }
}
