//! What a person sees while a load runs, and the end of a load that came to a standstill.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use tokio::time::interval;

use super::tally::Tally;

const TICK: Duration = Duration::from_millis(500);
const WIDTH: u64 = 30;

/// Shows a bar until nothing has moved for this long.
pub(super) async fn until_still(tally: &Tally, patience: Duration) {
    let is_seen = stderr().is_terminal();
    let mut ticks = interval(TICK);
    let (mut last, mut still, mut last_tokens) = (None, Duration::ZERO, 0);
    loop {
        ticks.tick().await;
        let tokens = tally.tokens.get();
        if is_seen {
            draw(tally, (tokens - last_tokens) * 2);
        }
        last_tokens = tokens;
        let now = (tokens, tally.ready.get(), tally.asked.get(), tally.ended.get());
        still = if last == Some(now) { still + TICK } else { Duration::ZERO };
        last = Some(now);
        if still >= patience {
            return;
        }
    }
}

fn draw(tally: &Tally, tokens_per_second: u64) {
    let (tokens, planned) = (tally.tokens.get(), tally.planned_tokens.max(1));
    let done = usize::try_from(tokens * WIDTH / planned).unwrap_or_default();
    let (full, readings, ended) = ("#".repeat(done), tally.readings, tally.ended.get());
    let width = usize::try_from(WIDTH).unwrap_or_default();
    // A terminal that is gone does not matter.
    let _ = write!(
        stderr(),
        "\r[{full:<width$}] {ended} of {readings} ended, {tokens_per_second} tokens/s\x1b[K"
    );
}

/// Removes the bar.
pub(super) fn clear() {
    if stderr().is_terminal() {
        let _ = write!(stderr(), "\r\x1b[K");
    }
}
