use proptest::prelude::*;

use super::*;

fn source(language: &str, text: &str) -> Source {
    Source { language: language.to_owned(), text: text.to_owned() }
}

/// What is said about a German file beside an English one.
fn faults(english: &str, german: &str) -> Vec<String> {
    let sources = [source("en", english), source("de", german)];
    let faults = compile(&sources).expect_err("something is wrong");
    faults.iter().map(ToString::to_string).collect()
}

fn table(english: &str, german: &str) -> Vec<String> {
    let compiled =
        compile(&[source("en", english), source("de", german)]).expect("nothing is wrong");
    let (language, table) = &compiled.tables[0];
    assert_eq!(language, "de");
    table.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn a_message_becomes_a_function_with_its_variables() {
    let english = "send = Send\ncontinue = Go on\ndelete-named = Delete { $the-name }\n\
        selected = { $count ->\n    [one] One\n   *[other] { NUMBER($count) } of { $title }\n}\n";
    let compiled = compile(&[source("en", english)]).expect("nothing is wrong");
    let functions: Vec<_> =
        compiled.functions.lines().filter(|line| line.contains("pub fn")).collect();
    let expected = [
        r#"#[inline(always)] pub fn send() -> &'static str { text(&Message { index: 0, english: "Send" }) }"#,
        r##"#[inline(always)] pub fn r#continue() -> &'static str { text(&Message { index: 1, english: "Go on" }) }"##,
        r#"pub fn delete_named(the_name: &str) -> String { filled(&Message { index: 2, english: "Delete \u{1}0" }, &[Value::Text(the_name), ]) }"#,
        r#"pub fn selected(count: u64, title: &str) -> String { filled(&Message { index: 3, english: "\u{2}0one\u{3}One\u{4}other\u{3}\u{1}0 of \u{1}1\u{4}\u{5}" }, &[Value::Number(count), Value::Text(title), ]) }"#,
    ];
    assert_eq!(functions, expected);
    assert!(compiled.places.contains("const DELETE_NAMED: usize = 2;"), "{}", compiled.places);
}

#[test]
fn a_table_has_the_messages_in_the_order_of_english_and_values_in_theirs() {
    let english = "a = { $x } and { $y }\nb = B\n";
    let german = "# Zuerst\nb = Be {\"{\"}\na = { $y } und { $x }\n";
    assert_eq!(table(english, german), ["\u{1}1 und \u{1}0", "Be {"]);
}

#[test]
fn what_a_language_lacks_or_has_too_many_is_named_with_file_line_and_id() {
    let said = faults("# One\na = A\nb = B\n", "b = Be\nc = Ce\n");
    assert_eq!(
        said,
        ["en.ftl:2: a: de.ftl lacks this message", "de.ftl:2: c: en.ftl has no such message"]
    );
}

#[test]
fn other_variables_than_those_of_english_are_named() {
    let english = "a = { $x }\nb = { $y }\nc = { NUMBER($z) }\n";
    let german = "a = { $wrong }\nb = { NUMBER($y) }\nc = { $z }\n";
    let said = faults(english, german);
    assert_eq!(
        said,
        [
            "de.ftl:1: a: does not use $x, which en.ftl does",
            "de.ftl:1: a: uses $wrong, which en.ftl does not",
            "de.ftl:2: b: takes $y for a number, and in en.ftl it is a text",
        ]
    );
}

#[test]
fn what_the_compiler_does_not_take_is_named() {
    for (message, what) in [
        ("a = A\n    B", "has a line break or another control character"),
        ("a = { \"\\u0001\" }", "has a line break or another control character"),
        ("a = A\n    .title = B", "has attributes, which are not taken"),
        ("a = { b }", "refers to something other than a variable or a quoted text"),
        ("a = { -b }", "refers to something other than a variable or a quoted text"),
        ("a = { DATETIME($x) }", "calls a function other than NUMBER($variable)"),
        (
            "a = { NUMBER($x, minimumFractionDigits: 2) }",
            "calls a function other than NUMBER($variable)",
        ),
        ("a = { NUMBER($x) ->\n    *[other] A\n}", "selects by something other than a variable"),
        (
            "a = { $x ->\n    *[other] A\n    [one] B\n}",
            "has a default variant that is not the last",
        ),
        (
            "a = { $x ->\n    [masculine] A\n    *[other] B\n}",
            "has a variant [masculine], which is no plural category and no whole number",
        ),
        (
            "a = { $x ->\n    *[other] { $x ->\n        *[other] A\n    }\n}",
            "selects inside of a variant",
        ),
        ("aB = A", "is not in kebab-case"),
        ("a = A\na = B", "is there twice"),
        ("a = { $aB }", "has $aB, which is not in kebab-case"),
    ] {
        let faults = compile(&[source("en", message)]).expect_err(message);
        assert_eq!(faults.iter().map(|fault| fault.what.as_str()).collect::<Vec<_>>(), [what]);
        assert_eq!((faults[0].file.as_str(), faults[0].id.get(..1)), ("en.ftl", Some("a")));
    }
}

#[test]
fn what_is_not_fluent_is_named_with_its_line() {
    let said = faults("a = A\n", "a = A\n\nb = { $x\n");
    assert!(said[0].starts_with("de.ftl:3: ") || said[0].starts_with("de.ftl:4: "), "{said:?}");
    assert!(faults("a = A\n", "a = A\n-b = B\n")[0].starts_with("de.ftl:2: b: is a term"));
}

#[test]
fn a_table_for_other_messages_has_another_key() {
    let key = |english: &str| {
        let compiled = compile(&[source("en", english), source("de", english)]);
        let (_, table) = compiled.expect("nothing is wrong").tables.remove(0);
        table.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(key("a = A\n"), key("a = Another A\n"));
    assert_ne!(key("a = A\n"), key("b = A\n"));
    assert_ne!(key("a = A\n"), key("a = A { $x }\n"));
}

proptest! {
    #[test]
    fn no_text_makes_the_compiler_panic(english in "\\PC*", german in "([a-c] = |\\{|\\}|\\$x|->|\\*|\\[one\\]|\n|    |\"|\\PC){0,40}") {
        let _ = compile(&[source("en", &english), source("de", &german)]);
        let _ = compile(&[source("en", &german), source("de", &german)]);
    }

    #[test]
    fn a_plain_text_comes_through_as_it_is(text in "[^\\p{C}\\p{Z}{}\\[\\]*.#-][^\\p{C}{}]{0,30}") {
        let text = text.trim_end();
        let file = format!("a = {text}\n");
        prop_assert_eq!(table(&file, &file), [text.to_owned()]);
    }
}
