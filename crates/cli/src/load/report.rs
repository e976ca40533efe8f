//! What a load found, for machines as JSON and for people as a table.

use std::fmt::{self, Display};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::Load;
use super::process::Memory;
use super::tally::Tally;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub load: Load,
    pub model: String,
    pub seconds: f64,
    pub readings: Readings,
    pub tokens: Tokens,
    pub milliseconds: Latencies,
    /// Between the moment when everything streamed, or the first answer had ended, and the moment
    /// when the first answer ended, or the last was asked for; none when there was no such time.
    pub steady: Option<Span>,
    /// From the first asking to the last end.
    pub whole: Option<Span>,
    pub memory: Option<Footprint>,
    pub errors: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Readings {
    pub completed: u64,
    pub failed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tokens {
    pub read: u64,
    pub lost: u64,
    pub doubled: u64,
    pub disordered: u64,
    /// Numbers that the model never says.
    pub strange: u64,
    /// Events that do not begin where the one before ended.
    pub gaps: u64,
    /// Ends whose whole text is wrong.
    pub wrong_ends: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latencies {
    /// From the moment that was planned for asking to the asking, which all others begin with.
    pub late: Option<Spread>,
    /// From asking to the id.
    pub start: Option<Spread>,
    /// From asking to the first token.
    pub first_token: Option<Spread>,
    /// From the model's write to the reader's read.
    pub token: Option<Spread>,
    /// From the cut of a connection to the next text on a new one; to all that was there before
    /// with [`Load::reload`].
    pub resume: Option<Spread>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub count: u64,
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

/// What happened between two moments.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Span {
    pub seconds: f64,
    pub tokens: u64,
    pub tokens_per_second: f64,
    /// Bytes that were read, those of the protocol included.
    pub bytes_per_token: f64,
    pub events_per_token: f64,
    pub starts: u64,
    /// Microseconds of processor time.
    pub server_cpu_per_token: Option<f64>,
    pub server_cores: Option<f64>,
    pub tool_cpu_per_token: Option<f64>,
}

/// Bytes of memory of the server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Footprint {
    pub idle: u64,
    pub peak: u64,
    /// What the server had more in the steady time than before, by answers that were alive.
    pub per_answer: Option<f64>,
}

/// What was counted at one moment.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    pub(super) nanos: u64,
    pub(super) tokens: u64,
    pub(super) bytes: u64,
    pub(super) events: u64,
    pub(super) asked: u64,
    pub(super) alive: u64,
    pub(super) server_cpu: Option<f64>,
    pub(super) tool_cpu: Option<f64>,
    pub(super) memory: Option<Memory>,
}

impl Span {
    pub(super) fn between((begin, end): &(Sample, Sample)) -> Option<Self> {
        let seconds = seconds(end.nanos.saturating_sub(begin.nanos));
        let tokens = end.tokens - begin.tokens;
        if seconds <= 0.0 || tokens == 0 {
            return None;
        }
        let server = end.server_cpu.zip(begin.server_cpu).map(|(end, begin)| end - begin);
        let tool = end.tool_cpu.zip(begin.tool_cpu).map(|(end, begin)| end - begin);
        let per_token = |seconds: f64| seconds * 1e6 / float(tokens);
        Some(Self {
            seconds,
            tokens,
            tokens_per_second: float(tokens) / seconds,
            bytes_per_token: float(end.bytes - begin.bytes) / float(tokens),
            events_per_token: float(end.events - begin.events) / float(tokens),
            starts: end.asked - begin.asked,
            server_cpu_per_token: server.map(per_token),
            server_cores: server.map(|cpu| cpu / seconds),
            tool_cpu_per_token: tool.map(per_token),
        })
    }
}

impl Footprint {
    pub(super) fn new(idle: Memory, steady: Option<&Sample>, end: Memory) -> Self {
        let per_answer = steady.and_then(|sample| {
            let more = float(sample.memory?.now) - float(idle.now);
            (sample.alive > 0).then(|| more / float(sample.alive))
        });
        Self { idle: idle.now, peak: end.peak, per_answer }
    }
}

impl Report {
    /// Whether every answer came to its end as the model said it.
    pub fn is_whole(&self) -> bool {
        let Tokens { lost, doubled, disordered, strange, gaps, wrong_ends, .. } = self.tokens;
        self.readings.failed == 0
            && [lost, doubled, disordered, strange, gaps, wrong_ends].iter().all(|n| *n == 0)
    }
}

impl Readings {
    pub(super) fn of(tally: &Tally) -> Self {
        let completed = tally.completed.get();
        Self { completed, failed: tally.readings.saturating_sub(completed) }
    }
}

impl Tokens {
    pub(super) fn of(tally: &Tally) -> Self {
        let harm = tally.harm.get();
        Self {
            read: tally.tokens.get(),
            lost: harm.lost,
            doubled: harm.doubled,
            disordered: harm.disordered,
            strange: harm.strange,
            gaps: tally.gaps.get(),
            wrong_ends: tally.wrong_ends.get(),
        }
    }
}

impl Latencies {
    pub(super) fn of(tally: &Tally) -> Self {
        let times = tally.times.borrow();
        Self {
            late: Spread::of(&times.late),
            start: Spread::of(&times.start),
            first_token: Spread::of(&times.first),
            token: Spread::of(&times.token),
            resume: Spread::of(&times.resume),
        }
    }
}

impl Spread {
    fn of(nanos: &Histogram<u64>) -> Option<Self> {
        let at = |quantile| float(nanos.value_at_quantile(quantile)) / 1e6;
        let max = float(nanos.max()) / 1e6;
        (!nanos.is_empty()).then(|| Self { count: nanos.len(), p50: at(0.5), p99: at(0.99), max })
    }
}

pub(super) fn seconds(nanos: u64) -> f64 {
    float(nanos) / 1e9
}

#[expect(clippy::cast_precision_loss, reason = "a figure in a report, far below 2^52")]
fn float(number: u64) -> f64 {
    number as f64
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Readings { completed, failed } = self.readings;
        row(f, "answers read to their end", format_args!("{completed}, failed {failed}"))?;
        let Tokens { read, lost, doubled, disordered, strange, gaps, wrong_ends } = self.tokens;
        row(f, "tokens", format_args!("{read}, lost {lost}, doubled {doubled}"))?;
        if disordered + strange + gaps + wrong_ends > 0 {
            let order = format_args!("{disordered} late, {strange} never said by the model");
            row(f, "  out of order", order)?;
            row(f, "  gaps, wrong ends", format_args!("{gaps}, {wrong_ends}"))?;
        }
        let Latencies { late, start, first_token, token, resume } = &self.milliseconds;
        spread(f, "asked late by this tool", late.as_ref())?;
        spread(f, "start", start.as_ref())?;
        spread(f, "first token", first_token.as_ref())?;
        spread(f, "token, write to read", token.as_ref())?;
        spread(f, "back after a cut", resume.as_ref())?;
        if let Some(steady) = &self.steady {
            steady_rows(f, steady)?;
        }
        if let Some(Footprint { idle, peak, per_answer }) = &self.memory {
            let mebibytes = |bytes: u64| float(bytes) / 1_048_576.0;
            let (idle, peak) = (mebibytes(*idle), mebibytes(*peak));
            row(f, "server memory", format_args!("{idle:.1} MiB before, {peak:.1} MiB at most"))?;
            if let Some(bytes) = per_answer {
                row(f, "  for each live answer", format_args!("{:.1} KiB", bytes / 1024.0))?;
            }
        }
        self.errors.iter().try_for_each(|error| row(f, "error", error))
    }
}

fn steady_rows(f: &mut fmt::Formatter<'_>, steady: &Span) -> fmt::Result {
    let Span { seconds, tokens_per_second, bytes_per_token, events_per_token, .. } = steady;
    row(f, "steady", format_args!("{seconds:.1} s, {tokens_per_second:.0} tokens/s"))?;
    let wire = format_args!("{bytes_per_token:.0} bytes, {events_per_token:.2} events");
    row(f, "  a token on the wire", wire)?;
    if let (Some(cpu), Some(cores)) = (steady.server_cpu_per_token, steady.server_cores) {
        row(f, "  server, a token", format_args!("{cpu:.1} µs of CPU ({cores:.2} cores)"))?;
    }
    if let Some(cpu) = steady.tool_cpu_per_token {
        row(f, "  this tool, a token", format_args!("{cpu:.1} µs of CPU"))?;
    }
    Ok(())
}

fn spread(f: &mut fmt::Formatter<'_>, name: &str, spread: Option<&Spread>) -> fmt::Result {
    let Some(Spread { p50, p99, max, .. }) = spread else { return Ok(()) };
    row(f, name, format_args!("p50 {p50:.2} ms, p99 {p99:.2} ms, max {max:.2} ms"))
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, value: impl Display) -> fmt::Result {
    writeln!(f, "{name:<28}{value}")
}
