//! How servers are to be run in rounds, as command lines say it.

use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use crate::command_line::seconds;
use crate::runs::{Cores, Setup};

#[derive(Args)]
pub(super) struct Rounds {
    /// Rounds of each case.
    #[arg(long, value_name = "COUNT", default_value = "5")]
    pub(super) runs: NonZeroUsize,

    /// How long to measure in each run.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "2")]
    pub(super) seconds: Duration,

    /// How long to send before measuring.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "0.5")]
    pub(super) warmup: Duration,

    /// The core of the servers; without it the first that isn't the load's.
    #[arg(long, value_name = "CORE")]
    server_core: Option<usize>,

    /// The core of the load; without it the first that isn't the servers'.
    #[arg(long, value_name = "CORE")]
    load_core: Option<usize>,
}

impl Rounds {
    /// What is wrong with it, if anything is.
    pub(super) fn complaint(&self) -> Option<&'static str> {
        self.seconds.is_zero().then_some("--seconds 0 leaves nothing to compare")
    }

    /// How each run is made. `command` warns where figures mean little.
    ///
    /// # Errors
    ///
    /// When a core that was asked for can't be used, and when the system doesn't tell where this program is.
    pub(super) fn setup(&self, command: &str) -> anyhow::Result<Setup> {
        let cores = Cores::choose(self.server_core, self.load_core)?;
        if cores.is_none() {
            eprintln!(
                "{command}: only one core can be used, so that server and load disturb each other"
            );
        }
        if cfg!(debug_assertions) {
            eprintln!("{command}: this is a debug build, its figures mean nothing");
        }
        Ok(Setup {
            program: std::env::current_exe().context("ask where this program is")?,
            cores,
            measured: self.seconds,
            warmup: self.warmup,
        })
    }
}
