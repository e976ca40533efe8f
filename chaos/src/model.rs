//! A model that fails in some way, and what it says in the end.

use unbroken_standin::{numbered, numbered_utf8};

use crate::dice::Dice;

/// A model of the stand-in.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) name: String,
    /// All that it says.
    pub(crate) text: String,
}

const KINDS: [&str; 5] =
    ["vllm-numbers", "plain-numbers", "streams-numbers", "repeating-numbers", "llama-numbers"];

impl Model {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let tokens = dice.between(20..=600);
        let rate = *dice.pick(&[40, 100, 200, 400, 2000]);
        let utf8 = dice.chance(20);
        let mut name = format!(
            "{}:tokens={tokens},rate={rate},first={}ms,chunk={}",
            dice.pick(&KINDS),
            dice.between(0..=400),
            dice.pick(&[1, 1, 1, 3, 40]),
        );
        if utf8 {
            name.push_str(",utf8=1");
        }
        let at = dice.between(0..=tokens);
        let failure = match dice.between(0..=9) {
            0..=2 => format!(",cut_at={at},fail_times={}", dice.between(1..=2)),
            3 => format!(",eof_at={at},fail_times=1"),
            4 => format!(",error_at={at},fail_times=1"),
            5 => format!(",status=503,fail_times={}", dice.between(1..=2)),
            6 => format!(",stall_at={at},stall={}ms", dice.between(100..=3000)),
            7 => format!(",stall_at={at},fail_times=1"),
            _ => String::new(),
        };
        name.push_str(&failure);
        let count = usize::try_from(tokens).expect("it is a few hundred");
        let text = if utf8 { numbered_utf8(count) } else { numbered(count) };
        Self { name, text }
    }
}
