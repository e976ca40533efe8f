//! The command line: `unbroken serve` (also without a word), `unbroken upgrade`, `unbroken doctor`,
//! `unbroken load`, `unbroken config check | show`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use unbroken_cli::load::Load;

/// Self-hosted AI chat whose answers do not break off.
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
#[command(name = "unbroken", version)]
pub struct Cli {
    /// What to do; to serve when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub flags: Flags,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve the chat; the default
    #[default]
    Serve,
    /// Exchange the binary of the running server; no connection is refused meanwhile
    ///
    /// Running answers get shutdown.drain_seconds to end. The signal SIGUSR2 does the same with the
    /// file that the server was started from.
    Upgrade {
        /// The new binary [default: the file that the server was started from]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Check folder, store, configuration, providers and address, and say what to mend
    Doctor,
    Load(Load),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Say whether the configuration holds, and what is unwise about it
    Check,
    /// Print every value and where it comes from, secrets hidden
    Show,
}

/// The strongest layer of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Flags {
    /// Listen on this IP address and port [default: 127.0.0.1:8484]
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Keep everything in this folder [default: ./unbroken-data]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Read this file instead of unbroken.toml in the data folder
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Cli {
        Cli::try_parse_from(line.split_whitespace()).unwrap()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn to_serve_is_the_default() {
        let bare = parse("unbroken --listen 127.0.0.1:0");
        assert_eq!(bare.command.unwrap_or_default(), Command::Serve);
        assert_eq!(bare.flags, parse("unbroken serve --listen 127.0.0.1:0").flags);
    }

    #[test]
    fn flags_go_with_every_command() {
        let show = parse("unbroken config show --config a.toml --data-dir b");
        assert_eq!(show.command, Some(Command::Config(ConfigCommand::Show)));
        assert_eq!(show.flags.config, Some("a.toml".into()));
        assert_eq!(show.flags.data_dir, Some("b".into()));
    }

    #[test]
    fn a_load_goes_to_the_server_that_it_names() {
        let Some(Command::Load(load)) = parse("unbroken load http://a:1 --answers 7").command
        else {
            panic!("it is a load");
        };
        assert_eq!((load.target.as_str(), load.answers, load.tokens), ("http://a:1", 7, 200));
    }

    #[test]
    fn a_name_is_no_listening_address() {
        assert!(Cli::try_parse_from(["unbroken", "--listen", "localhost:8484"]).is_err());
    }
}
