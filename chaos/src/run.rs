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
use crate::dice::Dice;
use crate::oracle::Harm;
use crate::server::Server;
use crate::tally::Tally;
use crate::world::World;
use crate::{audit, client};

const PROGRESS: Duration = Duration::from_secs(5);
/// After the calm in which answers end, this much for the readers and the oracle.
const END: Duration = Duration::from_mins(4);

/// What is in the table also when it never happened.
const COUNTED: [&str; 8] = [
    "branches",
    "cuts",
    "edits",
    "full disks",
    "kills",
    "pauses",
    "refused, disk full",
    "regenerations",
];

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
    has_disk: bool,
    /// The data folder and the server's log, kept after a failure.
    folder: Option<PathBuf>,
}

/// Runs, and says on standard error how it goes.
pub async fn run(options: Options) -> Result<Report> {
    let folder = TempDir::new()?;
    let standin = Standin::start().await;
    let megabytes = megabytes(options.minutes);
    let base_url = standin.base_url();
    let mut server = Server::start(&options.server, folder.path(), &base_url, megabytes).await?;
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
        fates: std::sync::Mutex::default(),
        lists: std::sync::Mutex::default(),
    });
    for name in COUNTED {
        world.tally.add(name, 0);
    }
    let mut dice = Dice::new(options.seed);
    for n in 0..options.clients {
        world.tasks.spawn(client::live(Arc::clone(&world), n, dice.fork()));
    }
    let shown = tokio::spawn(show(Arc::clone(&world)));
    let until = Instant::now() + Duration::from_secs_f64(options.minutes * 60.0);
    let faults =
        Faults { world: Arc::clone(&world), proxy: proxy.clone(), dice, swallowed: Vec::new() };
    faults.until(until, &mut server).await?;
    proxy.heal();
    world.closing.cancel();
    world.chronicle.say("calm");
    world.calm.send_replace(Some(Instant::now()));
    world.tasks.close();
    if timeout(END, world.tasks.wait()).await.is_err() {
        world.fail_run("somebody still waits after all was calm");
    }
    look_back(&world).await;
    shown.abort();
    if world.tally.get("answers") != world.tally.get("checked") {
        world.fail_run("an answer was never checked: a task of this program died");
    }
    if !world.failures().is_empty() {
        if let Some(disk) = server.disk() {
            disk.keep(&folder.path().join("data"))?;
        }
        std::fs::write(folder.path().join("stories.txt"), stories(&world))?;
    }
    let has_disk = server.disk().is_some();
    Ok(Report { has_disk, ..Report::new(options, &world, folder) })
}

/// Every failure with its story.
fn stories(world: &World) -> String {
    let failures = world.failures().into_iter();
    let stories = failures.map(|f| format!("{}\n  {}\n", f.title, f.story.join("\n  ")));
    stories.collect::<Vec<_>>().join("\n")
}

/// Lists and store, once nobody asks any more.
async fn look_back(world: &World) {
    for list in world.lists() {
        if let Err(broken) = list.check(world).await {
            world.fail_run(&broken);
        }
    }
    audit::check(world).await;
}

/// The size of the disk: what a run writes, several times.
fn megabytes(minutes: f64) -> u64 {
    200 + 30 * Duration::from_secs_f64(minutes * 60.0).as_secs() / 60
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
    /// Connections that lost bytes: no network delivers what comes after them.
    swallowed: Vec<u64>,
}

/// What can happen to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Kill,
    Restart,
    Pause,
    FullDisk,
    Cut,
    Stall,
    Swallow,
    Outage,
}

/// The faults, each as often as its number says.
const FAULTS: [(Fault, usize); 8] = [
    (Fault::Kill, 3),
    (Fault::Restart, 1),
    (Fault::Pause, 2),
    (Fault::FullDisk, 2),
    (Fault::Cut, 5),
    (Fault::Stall, 4),
    (Fault::Swallow, 2),
    (Fault::Outage, 2),
];

impl Faults {
    /// Each kind once, in any order; then as often as they are likely, until the time is over.
    async fn until(mut self, until: Instant, server: &mut Server) -> Result<()> {
        let mut first: Vec<_> = FAULTS.iter().map(|(fault, _)| *fault).collect();
        let often: Vec<_> = FAULTS.iter().flat_map(|(fault, n)| vec![*fault; *n]).collect();
        loop {
            sleep(self.dice.millis(100..=1000)).await;
            if first.is_empty() && Instant::now() > until {
                return Ok(());
            }
            let fault = if first.is_empty() {
                *self.dice.pick(&often)
            } else {
                let nth = self.dice.next() % first.len() as u64;
                first.swap_remove(usize::try_from(nth)?)
            };
            self.happen(fault, server).await?;
        }
    }

    async fn happen(&mut self, fault: Fault, server: &mut Server) -> Result<()> {
        match fault {
            Fault::Kill => self.kill(server).await?,
            Fault::Restart => self.restart(server).await?,
            Fault::Pause => self.pause(server).await?,
            Fault::FullDisk => self.full_disk(server).await?,
            Fault::Cut => self.cut(),
            Fault::Stall => self.stall(),
            Fault::Swallow => self.swallow(),
            Fault::Outage => self.outage().await,
        }
        Ok(())
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

    /// For a while the server can write nothing; sometimes it is killed then.
    async fn full_disk(&mut self, server: &mut Server) -> Result<()> {
        if server.disk().is_some() && self.dice.chance(50) {
            // A write-ahead log that is new has no room yet.
            self.restart(server).await?;
        }
        let Some(disk) = server.disk() else { return Ok(()) };
        self.note("full disks", "the disk is full");
        disk.fill().await?;
        sleep(self.dice.millis(300..=3000)).await;
        let killed = self.dice.chance(20);
        if killed {
            self.note("kills", "kill -9 on a full disk");
            server.kill().await?;
        }
        if let Some(disk) = server.disk() {
            disk.clear()?;
            self.world.chronicle.say("the disk has room again");
        }
        if killed {
            server.restart().await?;
            self.world.chronicle.say("the server is back");
        }
        Ok(())
    }

    fn cut(&mut self) {
        if let Some(id) = self.proxy.set_one(self.dice.next(), Mode::Cut) {
            self.note("cuts", &format!("connection {id} is cut"));
        }
    }

    fn stall(&mut self) {
        let pause = self.dice.millis(200..=4000);
        if let Some(id) = self.proxy.set_one(self.dice.next(), Mode::Stalled) {
            if self.swallowed.contains(&id) {
                return self.proxy.set(id, Mode::Swallowed);
            }
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
            self.swallowed.push(id);
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
        for id in self.swallowed.drain(..) {
            self.proxy.set(id, Mode::Swallowed);
        }
        sleep(self.dice.millis(100..=1500)).await;
        self.proxy.heal();
    }

    fn note(&self, name: &'static str, text: &str) {
        self.world.tally.add(name, 1);
        self.world.chronicle.say(text);
    }
}

impl Report {
    /// How often something happened, by its name in the table.
    pub fn count(&self, name: &str) -> u64 {
        self.counts.iter().find(|(own, _)| *own == name).map_or(0, |(_, count)| *count)
    }

    /// Whether the machine permits a disk that gets full.
    pub fn has_disk(&self) -> bool {
        self.has_disk
    }

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
            has_disk: false,
            folder: (!failures.is_empty()).then(|| folder.keep()),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { seed, minutes, clients, .. } = &self.options;
        for (name, value) in [("seed", *seed), ("clients", *clients as u64)] {
            writeln!(f, "{name:<20} {value:>10}")?;
        }
        writeln!(f, "{:<20} {minutes:>10.2}", "minutes")?;
        for (name, count) in &self.counts {
            writeln!(f, "{name:<20} {count:>10}")?;
        }
        writeln!(f, "{:<20} {:>10}", "lost", self.lost)?;
        writeln!(f, "{:<20} {:>10}", "doubled", self.doubled)?;
        writeln!(f, "{:<20} {:>10}", "broken", self.failures.len())?;
        if let Some(folder) = &self.folder {
            writeln!(f, "\nSeed {seed} broke {} answers:", self.failures.len())?;
            for failure in &self.failures {
                writeln!(f, "  {failure}")?;
            }
            writeln!(
                f,
                "\nThe shortest story; all of them, the store and the log are in {}:",
                folder.display()
            )?;
            for line in &self.story {
                writeln!(f, "  {line}")?;
            }
        }
        Ok(())
    }
}
