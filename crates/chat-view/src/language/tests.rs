use std::path::Path;
use std::sync::OnceLock;

use proptest::prelude::*;
use unbroken_fluent::{Source, compile, read};

use super::*;
use crate::texts;

/// The tables that the web app is served, by language.
fn tables() -> &'static [(String, &'static str)] {
    static TABLES: OnceLock<Vec<(String, &'static str)>> = OnceLock::new();
    TABLES.get_or_init(compiled)
}

fn compiled() -> Vec<(String, &'static str)> {
    let sources =
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("locales")).expect("it is there");
    let compiled = compile(&sources).expect("it was built");
    compiled.tables.into_iter().map(|(name, table)| (name, &*table.leak())).collect()
}

fn german() -> Language {
    let (_, table) = tables().iter().find(|(name, _)| name == "de").expect("there is German");
    Language::read(table, Rules::default()).expect("it is of these messages")
}

/// A pattern as the compiler makes it of a message in Fluent.
fn pattern(message: &str) -> &'static str {
    let source =
        |language: &str| Source { language: language.to_owned(), text: format!("a = {message}\n") };
    let compiled = compile(&[source("en"), source("xx")]).expect(message);
    let (_, table) = compiled.tables[0].clone();
    let (_key, pattern) = table.leak().split_once('\n').expect("a key comes first");
    pattern
}

fn fill(message: &str, values: &[Value<'_>]) -> String {
    ENGLISH.fill(pattern(message), values)
}

#[test]
fn names_that_tests_and_screen_readers_rely_on_are_word_for_word_those_of_the_design() {
    let names = [
        texts::message(),
        texts::send(),
        texts::stop(),
        texts::new_chat(),
        texts::latest(),
        texts::attach(),
        texts::web(),
        texts::copy(),
        texts::regenerate(),
        texts::edit(),
        texts::go_on(),
        texts::retry(),
        texts::models(),
        texts::conversations(),
        texts::you(),
        texts::connection(),
    ];
    let design = [
        "Message",
        "Send",
        "Stop",
        "New chat",
        "Latest",
        "Attach",
        "Web",
        "Copy",
        "Regenerate",
        "Edit",
        "Continue",
        "Retry",
        "Models",
        "Conversations",
        "You",
        "Connection",
    ];
    assert_eq!(names, design);
    assert_eq!(texts::model_button("Numbers"), "Model: Numbers");
}

#[test]
fn every_text_is_in_the_language_that_is_spoken() {
    assert_eq!((texts::send(), translated(0).is_some()), ("Send", false));
    german().speak();
    assert_eq!((texts::send(), translated(0).is_some()), ("Senden", true));
    assert_eq!(texts::delete_named("Reise"), "Reise löschen");
    Language::english(Rules::default()).speak();
    assert_eq!(texts::delete_named("Reise"), "Delete Reise");
}

#[test]
fn a_table_of_other_messages_is_not_taken() {
    assert!(Language::read("0123456789abcdef\nSenden", Rules::default()).is_none());
    assert!(Language::read("", Rules::default()).is_none());
}

#[test]
fn a_number_chooses_its_variant() {
    let message = "{ $n ->\n    [0] none\n    [one] one\n   *[other] { $n } of them\n}, { $who }";
    let of = |n| fill(message, &[Value::Number(n), Value::Text("Ada")]);
    assert_eq!(
        (of(0), of(1), of(2)),
        ("none, Ada".into(), "one, Ada".into(), "2 of them, Ada".into())
    );
}

#[test]
fn what_may_be_of_the_other_direction_is_isolated_and_nothing_else_is() {
    let say = |name: &str| fill("Delete { $name }", &[Value::Text(name)]);
    assert_eq!(say("Été 2026 – नमस्ते"), "Delete Été 2026 – नमस्ते");
    assert_eq!(say("שלום"), "Delete \u{2068}שלום\u{2069}");
    // It cannot leave the isolation, or turn what follows.
    assert_eq!(say("\u{202e}gpj.exe"), "Delete gpj.exe");
    assert_eq!(say("א\u{2069}\u{202e}x"), "Delete \u{2068}אx\u{2069}");
    let rules = Rules { right_to_left: true, ..Rules::default() };
    let language = Language::english(rules);
    assert_eq!(language.fill("\u{1}0", &[Value::Text("Ada")]), "\u{2068}Ada\u{2069}");
}

#[test]
fn an_error_is_told_in_the_persons_language_where_its_code_says_as_much() {
    use unbroken_protocol::ErrorCode::{NotFound, ProviderTimeout};
    assert_eq!(texts::told(ProviderTimeout, "ollama was silent"), "ollama was silent");
    german().speak();
    let said = texts::told(ProviderTimeout, "ollama was silent");
    assert!(said.starts_with("Der Anbieter"), "{said}");
    assert_eq!(texts::told(NotFound, "there is no such prompt"), "there is no such prompt");
    Language::english(Rules::default()).speak();
}

#[test]
fn no_language_leaves_a_text_empty_or_in_english_by_accident() {
    for (name, table) in tables() {
        assert!(table.lines().all(|line| !line.trim().is_empty()), "{name}");
    }
}

proptest! {
    #[test]
    fn every_language_takes_any_value_in_every_text(
        text in "\\PC{0,12}|[\u{0}-\u{6}\u{202a}-\u{202e}\u{2066}-\u{2069}א0-9{}$]{0,12}",
        number in any::<u64>(),
        given in 0_usize..6,
    ) {
        let values = [
            Value::Text(&text), Value::Number(number), Value::Text(&text), Value::Number(1),
            Value::Text(""), Value::Number(0),
        ];
        for (_, table) in tables() {
            let language = Language::read(table, Rules::default()).expect("it is of these messages");
            for pattern in &language.patterns {
                language.fill(pattern, &values[..given]);
            }
        }
    }

    #[test]
    fn no_pattern_makes_it_panic(pattern in "([\u{1}-\u{5}]|[0-9a]|one|\\PC){0,30}") {
        ENGLISH.fill(&pattern, &[Value::Text("\u{2}0"), Value::Number(1)]);
    }
}
