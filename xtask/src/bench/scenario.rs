//! What is measured.

/// One load on a server of ours, and the one on nginx that it is compared with.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) title: String,
    /// Arguments of `unbroken load`.
    pub(super) ours: Vec<String>,
    /// None where a relay has nothing like it.
    pub(super) relay: Option<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// Every scenario as small as it can be, in seconds.
    Smoke,
    /// Every scenario, smaller and shorter; says whether they run, and little about figures.
    Quick,
    Full,
}

pub(super) fn all(size: Size) -> Vec<Scenario> {
    let full = |full: u64, quick: u64| match size {
        Size::Full => full,
        Size::Quick => quick,
        Size::Smoke => quick.div_ceil(10),
    };
    let many = full(1_000, 200);
    let tokens = full(300, 60);
    let streams = format!("--answers {many} --tokens {tokens} --rate 20");
    let watched = full(4, 1);
    let five = full(5_000, 500);
    let ten = full(10_000, 1_000);
    let fast = format!("--answers 20 --tokens {} --rate 0 --starts 10000", full(20_000, 10_000));
    let (starts, seats) = (full(500, 100), full(250, 50));
    let starting = format!("--tokens 20 --rate 20 --starts {starts} --answers {}", starts * 10);
    let (records, pages, pause) = (full(4_000, 1_000), full(1_000, 100), full(5, 2));
    vec![
        of("streams", format!("{many} answers, a socket each, 20 tokens/s"), &streams)
            .beside_nginx(&streams),
        of(
            "shared-sockets",
            format!("{many} answers over {} sockets, 20 tokens/s", many / 20),
            &format!("{streams} --sockets {}", many / 20),
        ),
        of(
            "sse",
            format!("{many} answers as SSE, 20 tokens/s"),
            &format!("{streams} --transport sse"),
        ),
        of(
            "poll",
            format!("{many} answers as long polls, 20 tokens/s"),
            &format!("{streams} --transport poll"),
        ),
        slow("streams-5000", five, 4, full(60, 12)),
        slow("streams-10000", ten, 2, full(40, 8)),
        of("fast", "20 answers as fast as the model can".into(), &fast).beside_nginx(&fast),
        of(
            "followers",
            format!("{} readers of one answer, 20 tokens/s", watched * 250),
            &format!("--answers 1 --followers {} --tokens {tokens} --rate 20", watched * 250),
        ),
        of(
            "reconnects",
            format!("{many} answers, every socket cut in the middle, 20 tokens/s"),
            &format!("{streams} --cut"),
        ),
        reload("reload", 1, records, pause),
        reload("reloads", pages, records, pause),
        of("starts", format!("{starts} starts a second"), &format!("{starting} --sockets {seats}"))
            .beside_nginx(&starting),
        of(
            "starts-http",
            format!("{starts} starts a second over HTTP, answers as SSE"),
            &format!("{starting} --transport sse"),
        ),
    ]
}

/// Pages that are loaded anew while an answer pauses, in seconds, after so many tokens: `back` is
/// the time until each has that text again.
fn reload(name: &'static str, pages: u64, tokens: u64, pause: u64) -> Scenario {
    let title = format!("{pages} pages loaded anew at once on an answer of {tokens} tokens");
    let all = 2 * tokens;
    let model = format!("numbers:tokens={all},rate=0,stall_at={tokens},stall={pause}s,stamp=1");
    let load = format!("--answers 1 --followers {pages} --cut --reload --tokens {all}");
    of(name, title, &format!("{load} --model {model}"))
}

/// Many answers that come slowly, ten on a socket: one socket each would be more open files than
/// many systems allow a process.
fn slow(name: &'static str, answers: u64, rate: u64, tokens: u64) -> Scenario {
    let load = format!("--answers {answers} --rate {rate} --tokens {tokens} --starts 1000");
    let title = format!("{answers} answers over {} sockets, {rate} tokens/s", answers / 10);
    of(name, title, &format!("{load} --sockets {}", answers / 10)).beside_nginx(&load)
}

fn of(name: &'static str, title: String, load: &str) -> Scenario {
    Scenario { name, title, ours: words(load), relay: None }
}

impl Scenario {
    fn beside_nginx(self, load: &str) -> Self {
        Self { relay: Some(words(&format!("{load} --transport openai"))), ..self }
    }
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}
