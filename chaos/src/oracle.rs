//! Compares what readers saw with the store, and the store with the model.

use unbroken_protocol::{GenerationState, MessageView};
use unbroken_standin::{Call, Continuation};

use crate::model::Model;
use crate::reader::Sight;
use crate::track::Ended;

/// What kind of promise was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    Lost,
    Doubled,
    Other,
}

/// An answer that broke, and its story.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) harm: Harm,
    pub(crate) title: String,
    pub(crate) story: Vec<String>,
}

pub(crate) type Verdict = Result<(), (Harm, String)>;

/// The stored answer against the model's text (B8.2, B8.16).
pub(crate) fn check_store(stored: &MessageView, model: &Model) -> Verdict {
    let text = &stored.content;
    if !model.text.starts_with(text) {
        let harm = if text.len() > model.text.len() { Harm::Doubled } else { Harm::Lost };
        return Err((harm, format!("the model did not say this: {}", seam(text, &model.text))));
    }
    if stored.state == Some(GenerationState::Completed) && *text != model.text {
        let (has, of) = (text.len(), model.text.len());
        return Err((Harm::Lost, format!("completed with {has} of {of} bytes")));
    }
    Ok(())
}

/// Model calls are at most one and the takeovers (B7, B8.17). To reattach is no call.
pub(crate) fn check_calls(stored: &MessageView, calls: &[Call]) -> Verdict {
    let epochs = usize::try_from(stored.epoch.unwrap_or(1).max(1)).expect("epochs are few");
    let further = |call: &&Call| {
        matches!(call.continuation, Some(Continuation::Prefill | Continuation::Prompt))
    };
    let continued = calls.iter().filter(further).count();
    let fresh = calls.iter().filter(|call| call.continuation.is_none()).count();
    if continued > epochs - 1 {
        let broken = format!("{continued} calls went on with it in {epochs} epochs");
        return Err((Harm::Other, broken));
    }
    // Without visible output a run may repeat its call twice.
    if fresh > 3 * epochs || continued + fresh > epochs + 2 * (epochs - continued) {
        let broken =
            format!("{fresh} calls began it anew, {continued} went on, in {epochs} epochs");
        return Err((Harm::Other, broken));
    }
    Ok(())
}

/// A reader against the store (B8.3, B8.4).
pub(crate) fn check_sight(sight: &Sight, stored: &MessageView) -> Verdict {
    if let Some(broken) = &sight.broken {
        return Err((Harm::Other, broken.clone()));
    }
    let whole = &stored.content;
    let from =
        whole.char_indices().nth(index(sight.track.joined)).map_or(whole.len(), |(at, _)| at);
    if sight.track.joined > whole.chars().count() as u64 {
        return Err((Harm::Lost, "the store has less than the reader joined with".into()));
    }
    let (rest, text) = (&whole[from..], &sight.track.text);
    if !rest.starts_with(text) {
        let harm = if rest.len() < text.len() { Harm::Lost } else { Harm::Doubled };
        return Err((harm, format!("its text is not the store's: {}", seam(text, rest))));
    }
    if sight.must_be_whole && rest != text {
        return Err((Harm::Lost, format!("it has {} of {} bytes", text.len(), rest.len())));
    }
    let ended = match stored.state {
        Some(GenerationState::Completed) => Some(Ended::Completed),
        Some(GenerationState::Stopped) => Some(Ended::Stopped),
        Some(GenerationState::Failed) => Some(Ended::Failed),
        _ => None,
    };
    let seen = sight.track.ended.clone().filter(|ended| *ended != Ended::Interrupted);
    if (sight.must_be_whole || seen.is_some()) && seen != ended {
        return Err((Harm::Other, format!("it saw the end {seen:?}, and the store has {ended:?}")));
    }
    Ok(())
}

/// Where two texts part.
pub(crate) fn seam(text: &str, expected: &str) -> String {
    let same = text.chars().zip(expected.chars()).take_while(|(a, b)| a == b).count();
    let around =
        |text: &str| text.chars().skip(same.saturating_sub(20)).take(60).collect::<String>();
    format!("after {same} characters `{}` in place of `{}`", around(text), around(expected))
}

fn index(chars: u64) -> usize {
    usize::try_from(chars).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use unbroken_standin::numbered;

    use crate::track::Track;

    fn stored(content: &str, state: &str) -> MessageView {
        let id = "0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3";
        serde_json::from_value(json!({
            "message_id": id, "role": "assistant", "content": content, "epoch": 1, "seq": 9,
            "state": state, "timestamp": "2026-01-01T00:00:00Z",
        }))
        .unwrap()
    }

    fn harm(verdict: &Verdict) -> Option<Harm> {
        verdict.as_ref().err().map(|(harm, _)| *harm)
    }

    #[test]
    fn a_store_that_lost_or_doubled_is_found_out() {
        let model = Model { name: String::new(), text: numbered(9) };
        let check = |text: &str, state| harm(&check_store(&stored(text, state), &model));
        assert_eq!(check(&numbered(9), "completed"), None);
        assert_eq!(check(&numbered(5), "interrupted"), None);
        assert_eq!(check(&numbered(5), "completed"), Some(Harm::Lost));
        assert_eq!(check("1 2 4 ", "stopped"), Some(Harm::Lost));
        assert_eq!(check(&numbered(9).repeat(2), "failed"), Some(Harm::Doubled));
    }

    #[test]
    fn a_reader_who_saw_more_or_less_than_the_store_is_found_out() {
        let check = |joined, text: &str, ended| {
            let track = Track { joined, text: text.into(), ended, ..Track::default() };
            let sight = Sight { name: String::new(), track, broken: None, must_be_whole: true };
            harm(&check_sight(&sight, &stored("1 2 3 ", "completed")))
        };
        assert_eq!(check(0, "1 2 3 ", Some(Ended::Completed)), None);
        assert_eq!(check(2, "2 3 ", Some(Ended::Completed)), None);
        assert_eq!(check(2, "2 ", Some(Ended::Completed)), Some(Harm::Lost));
        assert_eq!(check(0, "1 2 3 4 ", Some(Ended::Completed)), Some(Harm::Lost));
        assert_eq!(check(0, "1 1 3 ", Some(Ended::Completed)), Some(Harm::Doubled));
        assert_eq!(check(0, "1 2 3 ", Some(Ended::Stopped)), Some(Harm::Other));
    }
}
