//! `cargo run -p unbroken-store --example fill -- FOLDER CONVERSATIONS MESSAGES`: fills a data
//! folder as years of use would, through the store's own writes. One person of eleven has half of
//! the conversations, and the last of them has MESSAGES messages. Prints who may read what, as JSON.

use std::env;
use std::error::Error;
use std::path::Path;

use serde_json::json;
use unbroken_protocol::{
    ConversationId, DeviceId, FinishReason, GenerationId, GenerationState, MessageId, Options,
    PrincipalId, Timestamp,
};
use unbroken_store::{
    Body, Durability, NewTurn, Place, Record, SecretHash, Session, Settled, Store, Transaction,
    TurnOutcome, Writer,
};

const PEOPLE: usize = 11;
/// Turns in a transaction.
const PIECE: u16 = 500;
const WORDS: u64 = 20_000;
/// Words in a question, and in its answer.
const QUESTION: usize = 20;
const ANSWER: usize = 80;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let given: Vec<String> = env::args().skip(1).collect();
    let [folder, conversations, messages] = given.as_slice() else {
        return Err("give a folder, how many conversations, and how many messages in one".into());
    };
    let (store, mut writer) = Store::open(Path::new(folder)).await?;
    let mut fill = Fill { people: [(); PEOPLE].map(|()| PrincipalId::new()), seed: 7, now: 0 };
    fill.sessions(&mut writer).await?;
    let places: Vec<_> = (0..conversations.parse()?).map(|n| (fill.owner(n), new())).collect();
    fill.turns(&store, &mut writer, &places).await?;
    let long = ConversationId::new();
    let first =
        Place::New { conversation_id: long, title: "The long one".into(), temporary: false };
    let turns: usize = messages.parse::<usize>()? / 2;
    let mut places = vec![(fill.people[0], first)];
    places.resize(turns.max(1), (fill.people[0], Place::Next(long)));
    fill.turns(&store, &mut writer, &places).await?;
    store.close().await;
    writer.truncate_wal().await?;
    writer.close().await?;
    let sessions: Vec<_> = (0..PEOPLE).map(secret).collect();
    let words: Vec<_> = (0..WORDS).map(word).collect();
    println!("{}", json!({ "sessions": sessions, "long": long, "words": words }));
    Ok(())
}

fn new() -> Place {
    Place::New {
        conversation_id: ConversationId::new(),
        title: "A conversation".into(),
        temporary: false,
    }
}

/// No secret: the folder holds nothing of anybody.
fn secret(person: usize) -> String {
    format!("00000000-0000-0000-0000-{person:012}")
}

struct Fill {
    people: [PrincipalId; PEOPLE],
    seed: u64,
    now: i64,
}

impl Fill {
    async fn sessions(&self, writer: &mut Writer) -> Result<()> {
        let mut transaction = writer.begin(Durability::Process).await?;
        for (person, principal_id) in self.people.into_iter().enumerate() {
            let session = Session {
                device_id: DeviceId("fill".into()),
                principal_id,
                expires_at: Timestamp::from_millis(32_503_680_000_000),
            };
            let at = Timestamp::from_millis(0);
            transaction.put_session(SecretHash::of(&secret(person)), &session, at).await?;
        }
        Ok(transaction.commit().await?)
    }

    fn owner(&self, conversation: usize) -> PrincipalId {
        let is_first = conversation.is_multiple_of(2);
        self.people[if is_first { 0 } else { 1 + conversation / 2 % (PEOPLE - 1) }]
    }

    async fn turns(
        &mut self,
        store: &Store,
        writer: &mut Writer,
        places: &[(PrincipalId, Place)],
    ) -> Result<()> {
        for piece in places.chunks(PIECE.into()) {
            let mut transaction = writer.begin(Durability::Process).await?;
            for (owner, place) in piece {
                self.turn(&mut transaction, *owner, place.clone()).await?;
            }
            while transaction.index(1 << 20).await?.left > 0 {}
            transaction.commit().await?;
            store.checkpoint().await?;
        }
        Ok(())
    }

    async fn turn(
        &mut self,
        transaction: &mut Transaction<'_>,
        principal_id: PrincipalId,
        place: Place,
    ) -> Result<()> {
        self.now += 1_000;
        let at = Timestamp::from_millis(1_600_000_000_000 + self.now);
        let question = self.text(QUESTION);
        let place = match place {
            Place::New { conversation_id, .. } => {
                let title = question.chars().take(60).collect();
                Place::New { conversation_id, title, temporary: false }
            }
            place => place,
        };
        let turn = NewTurn {
            principal_id,
            place,
            user_message_id: MessageId::new(),
            content: Some(question),
            sources: Vec::new(),
            begins_with: Vec::new(),
            generation_id: GenerationId::new(),
            message_id: MessageId::new(),
            model: "fill/words".into(),
            model_name: "words".into(),
            routing: None,
            options: Options::default(),
            client_message: None,
            at,
        };
        let TurnOutcome::Created(turn) = transaction.create_turn(&turn).await? else {
            return Err("a turn was refused".into());
        };
        let content = self.text(ANSWER);
        let body = Body::Content(content.clone());
        let settled = Settled {
            generation_id: turn.generation_id,
            conversation_id: turn.conversation_id,
            message_id: turn.message_id,
            epoch: turn.epoch,
            state: GenerationState::Completed,
            head_seq: 1,
            content: &content,
            reasoning: "",
            reasoning_ms: None,
            tool_events: &[],
            citations: &[],
            finish_reason: Some(FinishReason::Stop),
            input_tokens: 20,
            output_tokens: 80,
            error: None,
            records: &[Record { epoch: turn.epoch, seq: 1, at, body }],
            at,
        };
        transaction.settle(&[settled]).await?;
        Ok(())
    }

    /// Words as often as in a language: the second half as often as the first, and so on.
    fn text(&mut self, words: usize) -> String {
        let all: Vec<_> = (0..words).map(|_| word(self.rank())).collect();
        all.join(" ")
    }

    fn rank(&mut self) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        // Halving the span at random makes small numbers as frequent as they are in words.
        let span = WORDS >> ((self.seed >> 40) % 14);
        (self.seed >> 8) % span.max(1)
    }
}

/// The word that is the n-th in frequency.
fn word(rank: u64) -> String {
    const SYLLABLES: [&str; 16] = [
        "ba", "de", "fi", "go", "hu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "wu",
        "za",
    ];
    let mut left = rank + 16;
    let mut word = String::new();
    while left > 0 {
        let syllable = usize::try_from(left % 16).unwrap_or_default();
        word.push_str(SYLLABLES[syllable]);
        left /= 16;
    }
    word
}
