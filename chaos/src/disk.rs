//! A small disk for the server's data: a tmpfs in a namespace of its own, which a process that only
//! waits keeps over every life of the server.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

const MOUNT: Duration = Duration::from_secs(10);
/// Mounts on its first argument, says so, and waits until its input ends: with this program.
const HOLD: &str =
    r#"mount -t tmpfs -o "size=$1m,mode=700" tmpfs "$0" && echo mounted && exec cat"#;

/// As root of the namespace only, and where that is not permitted as root of the machine.
const WAYS: [Way; 2] = [
    Way {
        leave: &["--map-root-user", "--mount"],
        enter: &["--user", "--preserve-credentials", "--mount"],
    },
    Way { leave: &["--mount"], enter: &["--mount"] },
];

struct Way {
    leave: &'static [&'static str],
    enter: &'static [&'static str],
}

/// A mounted disk. It is gone when this is dropped and the server has ended.
pub(crate) struct Disk {
    holder: Child,
    folder: PathBuf,
    way: &'static Way,
}

impl Disk {
    /// Mounts on an empty folder.
    ///
    /// # Errors
    /// When the machine does not permit it.
    pub(crate) async fn mount(folder: &Path, megabytes: u64) -> Result<Self> {
        let mut refusal = String::new();
        for way in &WAYS {
            match hold(way, folder, megabytes).await {
                Ok(holder) => return Ok(Self { holder, folder: folder.to_owned(), way }),
                Err(error) => refusal = format!("{error:#}"),
            }
        }
        bail!(refusal)
    }

    /// A program that sees the disk.
    pub(crate) fn command(&self, binary: &Path) -> Result<Command> {
        let id = self.holder.id().context("the process that keeps the disk has ended")?;
        let mut command = Command::new("nsenter");
        command.args(["--target", &id.to_string()]).args(self.way.enter).arg("--");
        // The working folder is another one inside.
        command.arg(std::path::absolute(binary)?);
        Ok(command)
    }

    /// The disk as it is seen from here.
    pub(crate) fn outside(&self) -> Result<PathBuf> {
        let id = self.holder.id().context("the process that keeps the disk has ended")?;
        let inside = self.folder.strip_prefix("/").context("the folder's path is absolute")?;
        Ok(Path::new("/proc").join(id.to_string()).join("root").join(inside))
    }

    /// Leaves no room.
    pub(crate) async fn fill(&self) -> Result<()> {
        let filler = self.filler()?;
        tokio::task::spawn_blocking(move || fill(&filler)).await?.context("cannot fill the disk")
    }

    /// Gives the room back.
    pub(crate) fn clear(&self) -> Result<()> {
        Ok(fs::remove_file(self.filler()?)?)
    }

    /// Copies what is on it into a folder that stays.
    pub(crate) fn keep(&self, into: &Path) -> Result<()> {
        for entry in fs::read_dir(self.outside()?)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), into.join(entry.file_name()))?;
            }
        }
        Ok(())
    }

    fn filler(&self) -> Result<PathBuf> {
        Ok(self.outside()?.join("filler"))
    }
}

async fn hold(way: &Way, folder: &Path, megabytes: u64) -> Result<Child> {
    let mut holder = Command::new("unshare")
        .args(way.leave)
        .args(["--", "sh", "-c", HOLD])
        .arg(folder)
        .arg(megabytes.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("there is no program `unshare`")?;
    let mut stdout = BufReader::new(holder.stdout.take().context("it is piped")?);
    let mut line = String::new();
    timeout(MOUNT, stdout.read_line(&mut line)).await.context("mounting takes too long")??;
    if line.trim() != "mounted" {
        bail!("a file system in a namespace of its own is not permitted here");
    }
    Ok(holder)
}

fn fill(filler: &Path) -> io::Result<()> {
    let mut file = File::create(filler)?;
    let zeros = vec![0; 1 << 20];
    loop {
        match file.write(&zeros) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
