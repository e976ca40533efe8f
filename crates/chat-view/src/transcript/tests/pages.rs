//! Pages in any order, turns and branches meanwhile: in the end the rows are those of the whole.

use super::*;

/// Messages that a page holds.
const PAGE: usize = 6;

#[derive(Clone, Debug)]
enum Step {
    /// The newest page again, as after a reconnect.
    Reload,
    Earlier,
    /// Another device changed that, and this page is told.
    Told(Change),
    /// The same while this page is asleep.
    Missed(Change),
    /// A turn of this page, of which a page tells.
    Own,
    /// A turn of this page, of which only the answer to its start tells.
    Sent,
    /// The last answer but one is held beside whatever takes its place, or none is.
    Hold(bool),
}

#[derive(Clone, Debug)]
enum Change {
    Turn,
    /// A message so far from the end is edited, and another branch is shown.
    Branch(usize),
    /// The branch before that one is shown again.
    Back,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let change = prop_oneof![
        3 => Just(Change::Turn),
        2 => (0_usize..20).prop_map(Change::Branch),
        2 => Just(Change::Back),
    ];
    let step = prop_oneof![
        3 => Just(Step::Reload),
        4 => Just(Step::Earlier),
        6 => change.clone().prop_map(Step::Told),
        3 => change.prop_map(Step::Missed),
        2 => Just(Step::Own),
        3 => Just(Step::Sent),
        1 => any::<bool>().prop_map(Step::Hold),
    ];
    prop::collection::vec(step, 1..40)
}

/// The server: its branches, of which the last is shown.
struct Server {
    branches: Vec<Vec<u16>>,
    next: u16,
}

impl Server {
    fn shown(&self) -> &[u16] {
        self.branches.last().map_or(&[], Vec::as_slice)
    }

    fn add_turn(&mut self) {
        let next = self.next;
        self.next += 2;
        if let Some(branch) = self.branches.last_mut() {
            branch.extend([next, next + 1]);
        }
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Turn => {}
            Change::Branch(from_end) => {
                let shown = self.shown();
                let kept = shown.len().saturating_sub(from_end + 1) & !1;
                let branch = shown[..kept].to_vec();
                self.branches.push(branch);
            }
            Change::Back => {
                let last = self.branches.len() - 1;
                return self.branches.swap(0, last);
            }
        }
        self.add_turn();
    }

    fn page(&self, before: Option<MessageId>) -> ConversationPage {
        let shown = self.shown();
        let is_before = |number: &u16| Some(id(*number)) == before;
        let end = before.map_or(shown.len(), |_| shown.iter().position(is_before).unwrap_or(0));
        let of_page = &shown[end.saturating_sub(PAGE)..end];
        let views = of_page.iter().map(|number| {
            let role = if number % 2 == 0 { Role::User } else { Role::Assistant };
            // Every other answer is never done.
            let states = [GenerationState::Completed, GenerationState::Running];
            let state = (role == Role::Assistant).then_some(states[usize::from(number / 2 % 2)]);
            let at = shown.iter().position(|known| known == number).unwrap_or(0);
            MessageView {
                message_id: id(*number),
                parent_id: at.checked_sub(1).map(|at| id(shown[at])),
                generation_id: state.map(|_| GenerationId::from_bytes(bytes(*number))),
                ..view(0, role, "text", state)
            }
        });
        ConversationPage { total: shown.len() as u64, ..page(views.collect()) }
    }
}

fn bytes(number: u16) -> [u8; 16] {
    let mut bytes = [9; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn id(number: u16) -> MessageId {
    MessageId::from_bytes(bytes(number))
}

fn shown(transcript: &Transcript) -> Vec<MessageId> {
    transcript.messages().iter().filter_map(|message| message.id).collect()
}

fn ids(server: &Server) -> Vec<MessageId> {
    server.shown().iter().map(|number| id(*number)).collect()
}

fn act(server: &mut Server, transcript: &mut Transcript, step: &Step) {
    match step {
        Step::Reload => drop(transcript.merge_page(server.page(None))),
        Step::Earlier => {
            // The server knows no page before a message of another branch.
            let before = transcript.earlier().filter(|id| ids(server).contains(id));
            if let Some(before) = before {
                transcript.add_earlier(server.page(Some(before)));
            }
        }
        Step::Told(change) => {
            server.change(change);
            transcript.switch_page(server.page(None));
        }
        Step::Missed(change) => server.change(change),
        Step::Own => {
            transcript.begin_turn("text");
            server.add_turn();
            transcript.merge_page(server.page(None));
        }
        Step::Sent => {
            if !ids(server).ends_with(&shown(transcript)) {
                transcript.merge_page(server.page(None));
            }
            transcript.begin_turn("text");
            transcript.started(&StartResponse {
                generation_id: GenerationId::from_bytes(bytes(server.next + 1)),
                user_message_id: id(server.next),
                message_id: id(server.next + 1),
                ..taken(0)
            });
            server.add_turn();
        }
        Step::Hold(hold) => {
            let answer = server.shown().iter().rev().nth(2).filter(|_| *hold);
            transcript.hold_beside(answer.map(|number| id(*number)));
        }
    }
}

proptest! {
    #[test]
    fn pages_in_any_order_come_to_the_same_rows_as_the_whole(
        turns in 1_u16..20,
        steps in steps(),
    ) {
        let mut server = Server { branches: vec![Vec::new()], next: 0 };
        (0..turns).for_each(|_| server.add_turn());
        let mut transcript = Transcript::from_page(server.page(None));
        let mut is_asleep = false;
        for step in steps {
            act(&mut server, &mut transcript, &step);
            is_asleep = match step {
                Step::Missed(_) => true,
                Step::Reload | Step::Told(_) | Step::Own | Step::Sent => false,
                Step::Earlier | Step::Hold(_) => is_asleep,
            };
            let is_end = is_asleep || ids(&server).ends_with(&shown(&transcript));
            prop_assert!(is_end, "a piece up to the end, after {step:?}");
            let mut keys: Vec<_> = transcript.shown().map(|message| message.key).collect();
            keys.sort_unstable();
            keys.dedup();
            prop_assert_eq!(keys.len(), transcript.shown().count(), "each key once");
        }
        if is_asleep {
            transcript.merge_page(server.page(None));
        }
        while let Some(before) = transcript.earlier() {
            transcript.add_earlier(server.page(Some(before)));
        }
        prop_assert_eq!(shown(&transcript), ids(&server));
    }
}

/// A question and an answer to it, which is the first or a later one.
fn exchange(answer: u8, state: GenerationState) -> ConversationPage {
    let answer = MessageView {
        parent_id: Some(message(1)),
        generation_id: Some(generation(answer)),
        ..view(answer, Role::Assistant, "text", Some(state))
    };
    page(vec![view(1, Role::User, "hi", None), answer])
}

#[test]
fn turns_of_this_page_hide_no_earlier_messages() {
    let mut end = exchange(2, GenerationState::Completed);
    end.total = 4;
    let mut transcript = Transcript::from_page(end);
    for number in [3, 5] {
        transcript.begin_turn("more");
        transcript.started(&taken(number));
    }
    assert_eq!(transcript.earlier(), Some(message(1)));
    transcript.add_earlier(ConversationPage { total: 8, ..page(Vec::new()) });
    assert_eq!(transcript.earlier(), None, "nothing came: there is nothing");
}

#[test]
fn a_page_keeps_the_turns_that_were_begun_since_it_was_asked_for() {
    let asked_before = || exchange(2, GenerationState::Completed);
    let mut transcript = Transcript::from_page(asked_before());
    for number in [3, 5] {
        transcript.begin_turn("more");
        assert_eq!(transcript.merge_page(asked_before()), []);
        transcript.started(&taken(number));
        assert_eq!(transcript.merge_page(asked_before()), []);
    }
    transcript.apply(generation(4), complete("so", CompleteStatus::Completed));
    assert_eq!(transcript.merge_page(asked_before()), []);
    assert_eq!(shown(&transcript), [1, 2, 3, 4, 5, 6].map(message));
}

#[test]
fn an_answer_of_another_branch_goes_even_while_it_is_being_written() {
    for state in [GenerationState::Completed, GenerationState::Running] {
        let mut transcript = Transcript::from_page(exchange(2, state));
        transcript.merge_page(exchange(3, GenerationState::Running));
        assert_eq!(shown(&transcript), [message(1), message(3)]);
    }
}

#[test]
fn an_answer_that_is_held_streams_on_beside_its_sibling_and_can_come_back() {
    let question = || view(1, Role::User, "hi", None);
    let mut transcript = Transcript::from_page(page(vec![
        question(),
        MessageView {
            parent_id: Some(message(1)),
            ..view(2, Role::Assistant, "so ", Some(GenerationState::Running))
        },
    ]));
    let key = transcript.messages()[1].key;
    transcript.hold_beside(Some(message(2)));
    assert!(transcript.beside().is_none(), "it is on the branch");
    let sibling = MessageView {
        parent_id: Some(message(1)),
        ..view(3, Role::Assistant, "other", Some(GenerationState::Completed))
    };
    transcript.switch_page(page(vec![question(), sibling]));
    assert_eq!(transcript.beside().map(|held| held.key), Some(key));
    let shown = &transcript.messages()[1];
    assert_eq!(transcript.stands_beside(shown).map(|held| held.key), Some(key));
    assert_eq!(transcript.question_of(key).and_then(|you| you.id), Some(message(1)));

    let held = transcript.get(key).and_then(Message::answer).and_then(|held| held.generation_id);
    let changes = transcript.apply(held.unwrap(), text("far"));
    assert!(changes.iter().all(|change| change.key == key) && !changes.is_empty());
    assert_eq!(transcript.get(key).map(Message::plain_text), Some("so far"));
    assert!(transcript.is_running());

    let back = MessageView {
        parent_id: Some(message(1)),
        ..view(2, Role::Assistant, "so far", Some(GenerationState::Running))
    };
    transcript.switch_page(page(vec![question(), back]));
    assert_eq!(transcript.messages()[1].key, key, "the same, with what was streamed");
    assert!(transcript.beside().is_none());
}
