//! A model that fails in some way, and what it says in the end.

use unbroken_standin::{numbered, numbered_utf8, reasoned};

use crate::dice::Dice;

/// A model of the stand-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) name: String,
    /// All that it says.
    pub(crate) text: String,
    /// All that it thinks before.
    pub(crate) reasoning: String,
}

const KINDS: [&str; 5] =
    ["vllm-numbers", "plain-numbers", "streams-numbers", "repeating-numbers", "llama-numbers"];

impl Model {
    /// A model for the `n`th answer. No other has its name, so a call says whose it is.
    pub(crate) fn draw(dice: &mut Dice, n: u64) -> Self {
        let rate = *dice.pick(&[40, 100, 200, 400, 2000]);
        // A slow one does not make a short run long.
        let tokens = dice.between(20..=600.min(rate * 6));
        let utf8 = dice.chance(20);
        let mut name = format!(
            "{}:tokens={tokens},rate={rate},first={}.{n:06}ms,chunk={}",
            dice.pick(&KINDS),
            dice.between(0..=400),
            dice.pick(&[1, 1, 1, 3, 40]),
        );
        if utf8 {
            name.push_str(",utf8=1");
        }
        let thoughts = if dice.chance(35) { dice.between(1..=150) } else { 0 };
        let reasoning = match *dice.pick(&["reasoning_content", "reasoning", "think"]) {
            field if thoughts > 0 => format!(",reasoning={thoughts},field={field}"),
            _ => String::new(),
        };
        name.push_str(&reasoning);
        let at = dice.between(0..=tokens + thoughts);
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
        Self::named(&name)
    }

    /// What the model of this name says; it may have its provider's name before it.
    pub(crate) fn named(name: &str) -> Self {
        let value = |wanted: &str| {
            let parameters = name.split([':', ',']);
            parameters.filter_map(|p| p.split_once('=')).find(|(name, _)| *name == wanted)
        };
        let count = |name| value(name).and_then(|(_, count)| count.parse().ok()).unwrap_or(0);
        let tokens = count("tokens");
        let text = if value("utf8").is_some() { numbered_utf8(tokens) } else { numbered(tokens) };
        Self { name: name.to_owned(), text, reasoning: reasoned(count("reasoning")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_says_is_in_its_name() {
        let model = Model::named("standin/vllm-numbers:tokens=3,reasoning=2,field=think,cut_at=1");
        assert_eq!((model.text.as_str(), model.reasoning.as_str()), ("1 2 3 ", "r1 r2 "));
        assert_eq!(Model::named("x:tokens=1,utf8=1").text, numbered_utf8(1));
        let mut dice = Dice::new(3);
        assert_ne!(Model::draw(&mut dice.clone(), 1).name, Model::draw(&mut dice, 2).name);
    }
}
