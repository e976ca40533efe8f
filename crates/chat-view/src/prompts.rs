//! A person's own prompts: which `/` at the beginning finds, and the variables in their texts.

use std::ops::Range;

use unbroken_protocol::{Prompt, PromptEvent};

use crate::fold::fold;

/// How many prompts `/` shows at once.
const SHOWN: usize = 8;

/// What stands behind a `/` at the very beginning of the draft, while it is one line: the beginning
/// of a prompt's name.
pub fn asked(draft: &str) -> Option<&str> {
    draft.strip_prefix('/').filter(|query| !query.contains(['\n', '/']))
}

/// The prompts that have all words of the query at beginnings of words of their names; those whose
/// names begin so come first.
pub fn found<'p>(prompts: &'p [Prompt], query: &str) -> Vec<&'p Prompt> {
    let query = fold(query.trim());
    let has_all = |name: &str| {
        let words: Vec<_> = name.split_whitespace().collect();
        query.split_whitespace().all(|begun| words.iter().any(|word| word.starts_with(begun)))
    };
    let named = prompts.iter().map(|prompt| (fold(&prompt.name), prompt));
    let mut found: Vec<_> = named.filter(|(name, _)| has_all(name)).collect();
    found.sort_by_key(|(name, _)| (!name.starts_with(&query), name.clone()));
    found.into_iter().map(|(_, prompt)| prompt).take(SHOWN).collect()
}

/// Another text for one of them, a new one, or one less.
pub fn apply(prompts: &mut Vec<Prompt>, event: PromptEvent) {
    prompts.retain(|prompt| prompt.prompt_id != event.prompt_id);
    if let Some(prompt) = event.prompt {
        let at = prompts.partition_point(|other| other.prompt_id < prompt.prompt_id);
        prompts.insert(at, prompt);
    }
}

/// Where the next `{{variable}}` of a text is, from a place on; both in bytes.
pub fn next_variable(text: &str, from: usize) -> Option<Range<usize>> {
    let rest = text.get(from..)?;
    let mut ends = rest.match_indices("}}").map(|(at, _)| from + at);
    ends.find_map(|end| {
        let start = text.get(from..end)?.rfind("{{")? + from;
        is_name(text.get(start + 2..end)?).then_some(start..end + 2)
    })
}

/// The last `{{variable}}` that ends before a place.
pub fn variable_before(text: &str, place: usize) -> Option<Range<usize>> {
    let mut found = None;
    let mut from = 0;
    while let Some(variable) = next_variable(text, from).filter(|variable| variable.end <= place) {
        from = variable.end;
        found = Some(variable);
    }
    found
}

/// The names of a text's variables, each once, in order.
pub fn variables(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut from = 0;
    while let Some(variable) = next_variable(text, from) {
        let name = text[variable.start + 2..variable.end - 2].trim();
        if !names.contains(&name) {
            names.push(name);
        }
        from = variable.end;
    }
    names
}

fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && !name.contains(['{', '}', '\n'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unbroken_protocol::{PromptId, Timestamp};

    use super::*;

    fn prompt(name: &str) -> Prompt {
        Prompt {
            prompt_id: PromptId::new(),
            name: name.to_owned(),
            text: String::new(),
            updated_at: Timestamp::from_millis(0),
        }
    }

    fn names<'p>(prompts: &'p [Prompt], query: &str) -> Vec<&'p str> {
        found(prompts, query).into_iter().map(|prompt| prompt.name.as_str()).collect()
    }

    #[test]
    fn a_slash_asks_for_prompts_only_at_the_beginning_and_in_one_line() {
        assert_eq!(asked("/sum"), Some("sum"));
        assert_eq!(asked("/"), Some(""));
        assert_eq!(asked("and/or"), None);
        assert_eq!(asked("/usr/bin is a path"), None);
        assert_eq!(asked("/sum\nup"), None);
    }

    #[test]
    fn names_that_begin_so_come_first_and_words_may_come_in_any_order() {
        let prompts = ["Write a test", "Test plan", "Über das Wetter"].map(prompt);
        assert_eq!(names(&prompts, "te"), ["Test plan", "Write a test"]);
        assert_eq!(names(&prompts, "test wri"), ["Write a test"]);
        assert_eq!(names(&prompts, "üBER"), ["Über das Wetter"]);
        assert_eq!(names(&prompts, "").len(), 3);
    }

    #[test]
    fn a_notice_changes_adds_and_takes_away() {
        let mut prompts = vec![prompt("One"), prompt("Two")];
        let id = prompts[0].prompt_id;
        let changed = Prompt { name: "First".into(), ..prompts[0].clone() };
        apply(&mut prompts, PromptEvent { prompt_id: id, prompt: Some(changed) });
        assert_eq!(names(&prompts, ""), ["First", "Two"]);
        apply(&mut prompts, PromptEvent { prompt_id: id, prompt: None });
        assert_eq!(names(&prompts, ""), ["Two"]);
    }

    #[test]
    fn variables_are_names_in_double_braces_each_once() {
        let text = "Tell {{who}} about {{ what }}, {{who}}. Not {{}}, {{a\nb}}, {x} or }}.";
        assert_eq!(variables(text), ["who", "what"]);
        assert_eq!(next_variable("a {{b {{c}}", 0), Some(6..11), "the inner one");
        assert_eq!(variable_before(text, text.len()).map(|v| &text[v]), Some("{{who}}"));
    }

    proptest! {
        #[test]
        fn whatever_the_text_a_variable_lies_inside_it_and_behind_the_place(
            text in "[a-c{} \né]{0,40}",
            from in 0_usize..45,
        ) {
            if let Some(variable) = next_variable(&text, from) {
                prop_assert!(variable.start >= from);
                let inside = text.get(variable).unwrap();
                prop_assert!(inside.starts_with("{{") && inside.ends_with("}}"));
            }
            for name in variables(&text) {
                let is_name = !name.is_empty() && !name.contains(['{', '}']);
                prop_assert!(is_name);
            }
        }

        #[test]
        fn every_variable_that_was_put_in_is_found_in_order(
            names in prop::collection::vec("[a-z]{1,6}", 0..6),
        ) {
            let pieces: Vec<_> =
                names.iter().map(|name| format!("before {{{{{name}}}}} ")).collect();
            let text = pieces.concat();
            let mut places = Vec::new();
            let mut from = 0;
            while let Some(variable) = next_variable(&text, from) {
                from = variable.end;
                places.push(text[variable.start + 2..variable.end - 2].to_owned());
            }
            prop_assert_eq!(places, names);
        }
    }
}
