//! One reading of one answer.

use unbroken_protocol::{Epoch, Seq};

use super::clock::nanos;
use super::count::{Count, Harm, Tokens};
use super::tally::{Tally, add, record};

pub(super) struct Answer {
    pub(super) generation: String,
    pub(super) epoch: Epoch,
    pub(super) seq: Seq,
    tokens: Tokens,
    count: Count,
    total: u64,
    asked: u64,
    /// When its connection was cut, until as much is there again as its reader had kept.
    cut: Option<Cut>,
    is_speaking: bool,
    pub(super) has_ended: bool,
}

#[derive(Clone, Copy)]
struct Cut {
    at: u64,
    /// Tokens that have to come again; with none, the first text is enough.
    again: u64,
}

impl Answer {
    /// An answer of so many tokens, asked for now.
    pub(super) fn ask(total: u64, tally: &Tally) -> Self {
        tally.step(&tally.asked);
        Self {
            generation: String::new(),
            epoch: 0,
            seq: 0,
            tokens: Tokens::default(),
            count: Count::new(total),
            total,
            asked: nanos(),
            cut: None,
            is_speaking: false,
            has_ended: false,
        }
    }

    /// The server has taken it.
    pub(super) fn started(&mut self, now: u64, tally: &Tally) {
        record(&mut tally.times.borrow_mut().start, now.saturating_sub(self.asked));
    }

    pub(super) fn cut(&mut self, now: u64) {
        self.cut = (!self.has_ended).then_some(Cut { at: now, again: 0 });
    }

    /// Its reader has lost all that came, and reads it again.
    pub(super) fn forget(&mut self) {
        let Some(cut) = &mut self.cut else { return };
        cut.again = self.count.seen();
        (self.tokens, self.count) = (Tokens::default(), Count::new(self.total));
        (self.epoch, self.seq) = (0, 0);
    }

    /// A piece of its text came. `now` is the time of the read that brought it.
    pub(super) fn text(&mut self, text: &[u8], now: u64, tally: &Tally) {
        let mut times = tally.times.borrow_mut();
        let Self { tokens, count, is_speaking, asked, cut, .. } = self;
        tokens.read(text, |token| {
            if !*is_speaking {
                *is_speaking = true;
                record(&mut times.first, now.saturating_sub(*asked));
                tally.step(&tally.speaking);
            }
            count.see(token.number);
            tally.token();
            let is_old = cut.is_some_and(|cut| token.number <= cut.again);
            if let Some(written) = token.written.filter(|_| !is_old) {
                record(&mut times.token, now.saturating_sub(written));
            }
        });
        if let Some(cut) = cut.take_if(|cut| count.seen() >= cut.again) {
            record(&mut times.resume, now.saturating_sub(cut.at));
        }
    }

    /// The whole text so far, in the place of all that came.
    pub(super) fn replace(&mut self, text: &[u8]) {
        (self.tokens, self.count) = (Tokens::default(), Count::new(self.total));
        let Self { tokens, count, .. } = self;
        tokens.read(text, |token| count.see(token.number));
    }

    /// An event covers the records from `from` to `seq`.
    pub(super) fn advance(&mut self, epoch: Epoch, from: Seq, seq: Seq, tally: &Tally) {
        if from != self.seq + 1 {
            add(&tally.gaps, 1);
        }
        (self.epoch, self.seq) = (epoch, seq);
    }

    /// It ended well, with this as its whole text where the server says it again.
    pub(super) fn complete(&mut self, whole: Option<&[u8]>, tally: &Tally) {
        let mut count = Count::new(self.total);
        if let Some(whole) = whole {
            Tokens::default().read(whole, |token| count.see(token.number));
            if count.harm() != Harm::default() {
                add(&tally.wrong_ends, 1);
            }
        }
        if !self.has_ended {
            add(&tally.completed, 1);
        }
        self.end(tally);
    }

    /// It failed, or cannot be read further.
    pub(super) fn fail(&mut self, error: &str, tally: &Tally) {
        if !self.has_ended {
            tally.error(error);
            self.end(tally);
        }
    }

    fn end(&mut self, tally: &Tally) {
        if !self.has_ended {
            self.has_ended = true;
            tally.harmed(self.count.harm());
            tally.step(&tally.ended);
        }
    }
}
