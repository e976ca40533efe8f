//! What is known of an answer's log: what the stream inspector shows.

use unbroken_client::Update;
use unbroken_protocol::{Epoch, GenerationState, MessageView, Seq};

/// Of one generation, as far as this page has seen or loaded it. Times are the page's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    pub(crate) tokens: Option<u64>,
    pub(crate) records: Option<Seq>,
    pub(crate) epoch: Option<Epoch>,
    /// SHA-256 of the text, as the server says.
    pub(crate) hash: Option<String>,
    output_tokens: u64,
    /// In milliseconds since 1970: when this page began to follow from the first record.
    began: Option<f64>,
    first_text: Option<f64>,
    last_text: Option<f64>,
    /// Milliseconds between texts, without the pauses of a break.
    writing: f64,
}

impl Facts {
    /// History says this.
    pub(crate) fn read(&mut self, view: &MessageView) {
        self.tokens = view.tokens_used.or(self.tokens);
        self.records = view.seq.max(self.records);
        self.epoch = view.epoch.max(self.epoch);
    }

    /// The connection says this now.
    pub(crate) fn hear(&mut self, update: &Update, now: f64) {
        match update {
            // Whoever comes later has not seen how long the first word took.
            Update::Following { head_seq, state, .. } => {
                let early = *head_seq == 0 && *state != GenerationState::Queued;
                if early && self.began.is_none() {
                    self.began = Some(now);
                }
            }
            Update::Started { .. } if self.records.is_none() => {
                self.began.get_or_insert(now);
            }
            Update::Text { .. } => {
                self.first_text.get_or_insert(now);
                self.writing += self.last_text.map_or(0.0, |last| now - last);
                self.last_text = Some(now);
            }
            Update::State { .. } => self.last_text = None,
            Update::Complete(end) => {
                self.tokens = Some(end.tokens);
                self.output_tokens = end.output_tokens;
                self.records = Some(end.at.seq);
                self.epoch = Some(end.at.epoch);
                self.hash = Some(end.content_sha256.clone());
            }
            Update::Failed(end) => {
                self.records = end.at.map(|at| at.seq).or(self.records);
                self.epoch = end.at.map(|at| at.epoch).or(self.epoch);
            }
            _ => {}
        }
    }

    /// Milliseconds from the beginning to the first text.
    pub(crate) fn to_first_text(&self) -> Option<f64> {
        Some((self.first_text? - self.began?).max(0.0))
    }

    /// Tokens of the answer a second, while text came.
    pub(crate) fn tokens_a_second(&self) -> Option<f64> {
        let _ = self.began?;
        let seconds = self.writing / 1000.0;
        #[expect(clippy::cast_precision_loss, reason = "an answer has far fewer than 2^53 tokens")]
        let tokens = self.output_tokens as f64;
        (seconds > 0.0 && tokens > 0.0).then(|| tokens / seconds)
    }
}
