//! A run: the faults and their schedule, then calm, then the table.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use unbroken_client::Rest;
use unbroken_standin::{Mode, Proxy, Standin};

use crate::chronicle::Chronicle;
use crate::client;
use crate::dice::Dice;
use crate::oracle::Harm;
use crate::server::Server;
use crate::tally::Tally;
use crate::world::World;

const PROGRESS: Duration = Duration::from_secs(5);
/// After the calm in which answers end, this much for the readers and the oracle.
const END: Duration = Duration::from_mins(4);

/// What a run is started with.
#[derive(Clone, Debug)]
pub struct Options {
    pub seed: u64,
    /// How long faults happen.
    pub minutes: f64,
    pub clients: usize,
    /// The server's binary.
    pub server: PathBuf,
}

/// What came of a run. Its `Display` is the table, and the story of one failure.
#[derive(Clone, Debug)]
pub struct Report {
    options: Options,
    counts: Vec<(&'static str, u64)>,
    /// A sentence for each answer that broke.
    pub failures: Vec<String>,
    story: Vec<String>,
    lost: usize,
    doubled: usize,
    /// The data folder and the server's log, kept after a failure.
    folder: Option<PathBuf>,
}

/// Runs, and says on standard error how it goes.
pub async fn run(options: Options) -> Result<Report> {
    let folder = TempDir::new()?;
    let standin = Standin::start().await;
    let mut server = Server::start(&options.server, folder.path(), &standin.base_url()).await?;
    let proxy = Proxy::start(server.address().to_owned()).await?;
    // It installs the cryptography that every reqwest client wants.
    drop(Rest::new(""));
    let world = Arc::new(World {
        address: proxy.address().to_string(),
        standin,
        chronicle: Chronicle::new(),
        tally: Tally::default(),
        http: reqwest::Client::builder().no_proxy().build()?,
        closing: CancellationToken::new(),
        calm: watch::Sender::new(None),
        tasks: TaskTracker::new(),
        failures: std::sync::Mutex::default(),
        last: 0.into(),
    });
    let mut dice = Dice::new(options.seed);
    for n in 0..options.clients {
        world.tasks.spawn(client::live(Arc::clone(&world), n, dice.fork()));
    }
    let shown = tokio::spawn(show(Arc::clone(&world)));
    let until = Instant::now() + Duration::from_secs_f64(options.minutes * 60.0);
    let faults = Faults { world: Arc::clone(&world), proxy: proxy.clone(), dice };
    faults.until(until, &mut server).await?;
    proxy.heal();
    world.closing.cancel();
    world.chronicle.say("calm");
    world.calm.send_replace(Some(Instant::now()));
    world.tasks.close();
    if timeout(END, world.tasks.wait()).await.is_err() {
        world.fail_run("somebody still waits after all was calm");
    }
    shown.abort();
    if world.tally.get("answers") != world.tally.get("checked") {
        world.fail_run("an answer was never checked: a task of this program died");
    }
    Ok(Report::new(options, &world, folder))
}

async fn show(world: Arc<World>) {
    loop {
        sleep(PROGRESS).await;
        let count = |name| world.tally.get(name);
        eprintln!(
            "{:6.0} s  {} kills, {} answers, {} checked, {} readers, {} tokens, {} broken{}",
            world.chronicle.elapsed().as_secs_f64(),
            count("kills"),
            count("answers"),
            count("checked"),
            count("readers"),
            count("tokens"),
            world.failures().len(),
            if world.calm.borrow().is_some() { ", calm" } else { "" },
        );
    }
}

struct Faults {
    world: Arc<World>,
    proxy: Proxy,
    dice: Dice,
}

impl Faults {
    async fn until(mut self, until: Instant, server: &mut Server) -> Result<()> {
        loop {
            sleep(self.dice.millis(100..=1000)).await;
            if Instant::now() > until {
                return Ok(());
            }
            match self.dice.between(0..=99) {
                0..=14 => self.kill(server).await?,
                15..=19 => self.restart(server).await?,
                20..=27 => self.pause(server).await?,
                28..=59 => self.cut(),
                60..=79 => self.stall(),
                80..=89 => self.swallow(),
                _ => self.outage().await,
            }
        }
    }

    async fn kill(&mut self, server: &mut Server) -> Result<()> {
        self.note("kills", "kill -9");
        server.kill().await?;
        sleep(self.dice.millis(0..=600)).await;
        server.restart().await?;
        self.world.chronicle.say("the server is back");
        Ok(())
    }

    async fn restart(&mut self, server: &mut Server) -> Result<()> {
        self.note("restarts", "SIGTERM");
        server.terminate().await?;
        server.restart().await?;
        self.world.chronicle.say("the server is back");
        Ok(())
    }

    async fn pause(&mut self, server: &mut Server) -> Result<()> {
        self.note("pauses", "SIGSTOP");
        server.pause()?;
        sleep(self.dice.millis(50..=2500)).await;
        if self.dice.chance(20) {
            return self.kill(server).await;
        }
        self.world.chronicle.say("SIGCONT");
        server.wake()
    }

    fn cut(&mut self) {
        if let Some(id) = self.proxy.set_one(self.dice.next(), Mode::Cut) {
            self.note("cuts", &format!("connection {id} is cut"));
        }
    }

    fn stall(&mut self) {
        let pause = self.dice.millis(200..=4000);
        if let Some(id) = self.proxy.set_one(self.dice.next(), Mode::Stalled) {
            self.note("stalls", &format!("connection {id} is stalled for {pause:?}"));
            let proxy = self.proxy.clone();
            tokio::spawn(async move {
                sleep(pause).await;
                proxy.set(id, Mode::Open);
            });
        }
    }

    fn swallow(&mut self) {
        if let Some(id) = self.proxy.set_one(self.dice.next(), Mode::Swallowed) {
            self.note("swallowed", &format!("connection {id} swallows"));
        }
    }

    /// Every connection at once.
    async fn outage(&mut self) {
        if self.dice.chance(50) {
            self.note("outages", "every connection is cut");
            return self.proxy.set_all(Mode::Cut);
        }
        self.note("outages", "every connection is stalled");
        self.proxy.set_all(Mode::Stalled);
        sleep(self.dice.millis(100..=1500)).await;
        self.proxy.set_all(Mode::Open);
    }

    fn note(&self, name: &'static str, text: &str) {
        self.world.tally.add(name, 1);
        self.world.chronicle.say(text);
    }
}

impl Report {
    fn new(options: Options, world: &World, folder: TempDir) -> Self {
        let failures = world.failures();
        let of = |harm: Harm| failures.iter().filter(|failure| failure.harm == harm).count();
        let (lost, doubled) = (of(Harm::Lost), of(Harm::Doubled));
        let shortest = failures.iter().min_by_key(|f| (f.story.is_empty(), f.story.len()));
        let story = shortest.map(|failure| {
            let mut story = vec![failure.title.clone()];
            story.extend(failure.story.clone());
            story
        });
        Self {
            options,
            counts: world.tally.all().into_iter().collect(),
            failures: failures.iter().map(|failure| failure.title.clone()).collect(),
            story: story.unwrap_or_default(),
            lost,
            doubled,
            folder: (!failures.is_empty()).then(|| folder.keep()),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { seed, minutes, clients, .. } = &self.options;
        for (name, value) in [("seed", *seed), ("clients", *clients as u64)] {
            writeln!(f, "{name:<12} {value:>10}")?;
        }
        writeln!(f, "{:<12} {minutes:>10.2}", "minutes")?;
        for (name, count) in &self.counts {
            writeln!(f, "{name:<12} {count:>10}")?;
        }
        writeln!(f, "{:<12} {:>10}", "lost", self.lost)?;
        writeln!(f, "{:<12} {:>10}", "doubled", self.doubled)?;
        writeln!(f, "{:<12} {:>10}", "broken", self.failures.len())?;
        if let Some(folder) = &self.folder {
            writeln!(f, "\nSeed {seed} broke {} answers:", self.failures.len())?;
            for failure in &self.failures {
                writeln!(f, "  {failure}")?;
            }
            writeln!(
                f,
                "\nThe shortest story; the store and the log are in {}:",
                folder.display()
            )?;
            for line in &self.story {
                writeln!(f, "  {line}")?;
            }
        }
        Ok(())
    }
}
