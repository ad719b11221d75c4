//! What the programs share at their edges: one line for each error, 2 for a wrong command line,
//! 1 for a failure.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use reactor::Backend;

/// The exit code for a command line that cannot be understood.
const USAGE: u8 = 2;

/// The longest time that makes sense for anything here.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads the command line, hands it to `run`, and turns the outcome into an exit code.
///
/// `run` says by its exit code what it found, and by an error what kept it from finding out: the
/// error's whole chain of causes becomes one line on stderr.
pub fn main<C: Parser>(run: impl FnOnce(C) -> anyhow::Result<ExitCode>) -> ExitCode {
    let program = C::command().get_name().to_owned();
    let arguments = match C::try_parse() {
        Ok(arguments) => arguments,
        // `--help` and `--version` arrive as errors that belong on stdout.
        Err(text) if !text.use_stderr() => {
            return if text.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Err(error) => {
            eprintln!("{program}: {}; try --help", one_line(&error.to_string()));
            return ExitCode::from(USAGE);
        }
    };
    run(arguments).unwrap_or_else(|error| {
        eprintln!("{program}: {error:#}");
        ExitCode::FAILURE
    })
}

/// Says what is wrong with a command line, where that takes more than one flag to see.
pub fn usage_error(complaint: &str) -> ExitCode {
    eprintln!("benches: {complaint}; try --help");
    ExitCode::from(USAGE)
}

/// Whether a signal came that is to end this program, and which.
#[derive(Clone, Debug, Default)]
pub struct Caught {
    flag: Arc<AtomicBool>,
    number: Arc<AtomicUsize>,
}

impl Caught {
    /// Up once one has come.
    pub fn flag(&self) -> &Arc<AtomicBool> {
        &self.flag
    }

    /// Whether one has come.
    pub fn any(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// The exit code that shells give to a program that it has killed: 128 and its number.
    pub fn exit_code(&self) -> ExitCode {
        let code = 128 + self.number.load(Ordering::Relaxed);
        ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
    }
}

/// Turns the signals that would end this program at once into a flag. A second one does end it: what looks
/// at the flag may take its time.
///
/// # Errors
///
/// When the system refuses to have one caught.
pub fn catch_signals() -> anyhow::Result<Caught> {
    let caught = Caught::default();
    let Caught { flag, number } = &caught;
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // In this order: the flag is still down when the first one asks whether it is up, and the number is
        // there once it is.
        let killed = 128 + signal;
        let value = usize::try_from(signal).context("a signal's number")?;
        signal_hook::flag::register_conditional_shutdown(signal, killed, Arc::clone(flag))
            .and_then(|_| signal_hook::flag::register_usize(signal, Arc::clone(number), value))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(flag)))
            .context("catch a signal")?;
    }
    Ok(caught)
}

/// A bar for so many steps, each of which is named by a message.
///
/// # Errors
///
/// None that is known of: the template is a constant.
pub fn progress(steps: usize) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len}, {elapsed} so far: {msg}")?;
    Ok(ProgressBar::new(steps as u64).with_style(style))
}

/// So many of them: `1 figure`, `2 figures`.
pub fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Reads a number of seconds, such as `2` or `0.5`, up to a day.
///
/// # Errors
///
/// Says what is wrong with `text` when it is not a number, is negative or is too large.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(number) {
        Ok(duration) if duration <= DAY => Ok(duration),
        Ok(_) => Err("more than a day".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// What is wrong with the variable that chooses a mechanism, if anything is.
pub fn wrong_backend() -> Option<String> {
    Backend::from_env().err().map(|error| format!("REACTOR_BACKEND: {error}"))
}

/// The first paragraph of clap's message, which is the error; usage and tips come after it.
pub fn one_line(message: &str) -> String {
    let error = message.strip_prefix("error: ").unwrap_or(message);
    let paragraph = error.split("\n\n").next().unwrap_or(error);
    paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_error_becomes_one_line() {
        let table = [
            (
                "error: unexpected argument '-x' found\n\nUsage: load\n",
                "unexpected argument '-x' found",
            ),
            (
                "error: the following required arguments were not provided:\n  --connect <ADDR>\n\nUsage: load\n",
                "the following required arguments were not provided: --connect <ADDR>",
            ),
            ("plain", "plain"),
        ];
        for (message, line) in table {
            assert_eq!(one_line(message), line);
        }
    }

    #[test]
    fn seconds_are_positive_numbers() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(seconds("2"), Ok(Duration::from_secs(2)));
        for wrong in ["", "two", "-1", "inf", "NaN", "86401", "1e19"] {
            assert!(seconds(wrong).is_err(), "{wrong:?} was taken for a number of seconds");
        }
    }
}
