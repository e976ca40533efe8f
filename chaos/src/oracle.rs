//! Compares what readers saw with the store, and the store with the model.

use unbroken_protocol::{GenerationState, MessageId, MessageView};
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

/// The stored reasoning against the model's. Before the first visible text a call may be repeated,
/// and what it thinks then is not heard again; with one call all of it is there.
pub(crate) fn check_reasoning(stored: &MessageView, model: &Model, calls: &[Call]) -> Verdict {
    // White space around it is a matter of the tags in which some servers send it.
    let (has, all) = (stored.reasoning.trim_end(), model.reasoning.trim_end());
    if !all.starts_with(has) {
        let harm = if has.len() > all.len() { Harm::Doubled } else { Harm::Lost };
        return Err((harm, format!("the model did not think this: {}", seam(has, all))));
    }
    let one_call = calls.iter().filter(|call| call.continuation.is_none()).count() == 1;
    if one_call && stored.state == Some(GenerationState::Completed) && has != all {
        return Err((Harm::Lost, format!("{} of {} bytes of reasoning", has.len(), all.len())));
    }
    Ok(())
}

/// Where an answer must stand in its conversation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stand {
    /// What the question may say.
    pub(crate) texts: Vec<String>,
    /// The question that it answers, when that was known before.
    pub(crate) question: Option<MessageId>,
    pub(crate) put: Put,
}

/// Where a question was put.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Put {
    /// Where the conversation ends that is shown.
    #[default]
    Anywhere,
    /// After an answer.
    After(MessageId),
    /// Where a conversation begins.
    Root,
}

impl Put {
    pub(crate) fn after(answer: Option<MessageId>) -> Self {
        answer.map_or(Self::Root, Self::After)
    }
}

/// The answer and its question are where they were put, and the model was asked just that.
pub(crate) fn check_stand(
    stand: &Stand,
    question: &MessageView,
    stored: &MessageView,
    calls: &[Call],
) -> Verdict {
    let broken = |what: String| Err((Harm::Other, what));
    if stored.parent_id != Some(question.message_id)
        || stand.question.is_some_and(|id| id != question.message_id)
    {
        return broken(format!("it answers {} {:?}", question.message_id, question.content));
    }
    if !stand.texts.contains(&question.content) {
        return broken(format!("its question says {:?}, not {:?}", question.content, stand.texts));
    }
    let is = Put::after(question.parent_id);
    if stand.put != Put::Anywhere && stand.put != is {
        return broken(format!("its question stands at {is:?}, and was put at {:?}", stand.put));
    }
    match calls.iter().find(|call| call.last_user != question.content) {
        // The call that reattaches carries no message.
        Some(call) if call.continuation != Some(Continuation::Reattach) => {
            broken(format!("the model was asked {:?}", call.last_user))
        }
        _ => Ok(()),
    }
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
    let track = &sight.track;
    let whole = sight.must_be_whole;
    check_part("text", &track.text, track.joined, &stored.content, whole)?;
    if !track.hears_text_only {
        let (has, joined) = (&track.reasoning, track.joined_thoughts);
        check_part("reasoning", has, joined, &stored.reasoning, whole)?;
    }
    let ended = match stored.state {
        Some(GenerationState::Completed) => Some(Ended::Completed),
        Some(GenerationState::Stopped) => Some(Ended::Stopped),
        Some(GenerationState::Failed) => Some(Ended::Failed),
        _ => None,
    };
    let seen = match sight.track.ended.clone() {
        Some(Ended::Interrupted) => None,
        Some(Ended::Well) if matches!(ended, Some(Ended::Completed | Ended::Stopped)) => {
            ended.clone()
        }
        Some(Ended::Before) if stored.seq == Some(track.at.seq) => ended.clone(),
        seen => seen,
    };
    if (sight.must_be_whole || seen.is_some()) && seen != ended {
        return Err((Harm::Other, format!("it saw the end {seen:?}, and the store has {ended:?}")));
    }
    Ok(())
}

/// What a reader has of a text, from `joined` characters on, against the stored one.
fn check_part(what: &str, has: &str, joined: u64, stored: &str, must_be_whole: bool) -> Verdict {
    if joined > stored.chars().count() as u64 {
        return Err((Harm::Lost, format!("the store has less {what} than the reader joined with")));
    }
    let from = stored.char_indices().nth(index(joined)).map_or(stored.len(), |(at, _)| at);
    let rest = &stored[from..];
    if !rest.starts_with(has) {
        let harm = if rest.len() < has.len() { Harm::Lost } else { Harm::Doubled };
        return Err((harm, format!("its {what} is not the store's: {}", seam(has, rest))));
    }
    if must_be_whole && rest != has {
        let (has, rest) = (has.len(), rest.len());
        return Err((Harm::Lost, format!("it has {has} of {rest} bytes of {what}")));
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
    use unbroken_standin::{CallState, numbered};

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
        let model = Model { text: numbered(9), ..Model::default() };
        let check = |text: &str, state| harm(&check_store(&stored(text, state), &model));
        assert_eq!(check(&numbered(9), "completed"), None);
        assert_eq!(check(&numbered(5), "interrupted"), None);
        assert_eq!(check(&numbered(5), "completed"), Some(Harm::Lost));
        assert_eq!(check("1 2 4 ", "stopped"), Some(Harm::Lost));
        assert_eq!(check(&numbered(9).repeat(2), "failed"), Some(Harm::Doubled));
    }

    fn call(last_user: &str) -> Call {
        Call {
            n: 1,
            model: "numbers".into(),
            last_user: last_user.into(),
            messages: 1,
            continuation: None,
            given: None,
            state: CallState::Finished,
            tokens: 3,
        }
    }

    #[test]
    fn reasoning_that_was_lost_or_doubled_is_found_out() {
        let model = Model { reasoning: "r1 r2 ".into(), ..Model::default() };
        let check = |reasoning: &str, calls: &[Call]| {
            let stored = MessageView { reasoning: reasoning.into(), ..stored("", "completed") };
            harm(&check_reasoning(&stored, &model, calls))
        };
        assert_eq!(check("r1 r2 ", &[call("")]), None);
        assert_eq!(check("r1 ", &[call("")]), Some(Harm::Lost));
        assert_eq!(check("r1 ", &[call(""), call("")]), None, "the second call is not heard");
        assert_eq!(check("r1 r1 r2 ", &[call(""), call("")]), Some(Harm::Doubled));
    }

    #[test]
    fn an_answer_in_the_wrong_place_is_found_out() {
        let (question, other) = (MessageId::new(), MessageId::new());
        let asked = MessageView { message_id: question, ..stored("why?", "completed") };
        let answer = MessageView { parent_id: Some(question), ..stored("1 ", "completed") };
        let check =
            |stand: &Stand, calls: &[Call]| harm(&check_stand(stand, &asked, &answer, calls));
        let right = Stand { texts: vec!["why?".into()], question: Some(question), put: Put::Root };
        assert_eq!(check(&right, &[call("why?")]), None);
        assert_eq!(check(&right, &[call("what?")]), Some(Harm::Other));
        for wrong in [
            Stand { texts: vec!["what?".into()], ..right.clone() },
            Stand { question: Some(other), ..right.clone() },
            Stand { put: Put::After(other), ..right.clone() },
        ] {
            assert_eq!(check(&wrong, &[]), Some(Harm::Other), "{wrong:?}");
        }
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
