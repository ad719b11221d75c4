//! The command line.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use chat::addresses;
use chat::config::Config;
use chat::server::Setup;
use clap::Parser;
use log::LevelFilter;
use reactor::Backend;

const NOTES: &str = "\
Without --config the server is for trying out: it listens on 127.0.0.1:6667, and nobody can become an \
operator.

SIGHUP reads the file of settings again; if something is wrong with it, the old ones stay. SIGINT or \
SIGTERM ends the server in good order: every client is told, and gets what is queued for it within 5 \
seconds. A second one ends it at once, with 128 + the number of the signal (130, 143).

Exit codes: 1 for a failure (such as a port that is taken, or a file that --check refuses), 2 for a \
wrong command line.
Log messages: RUST_LOG=debug (error, warn, info, debug, trace).";

/// A chat server that speaks IRC
#[derive(Debug, Parser)]
#[command(version, after_help = NOTES)]
struct Options {
    /// Listen at this address, in place of those in the file of settings; port 0 takes a free one.
    /// Repeatable
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Vec<String>,

    /// Read the settings from this file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Say what is wrong with a file of settings, and do nothing else
    #[arg(long, value_name = "FILE", exclusive = true)]
    check: Option<PathBuf>,

    /// Read a password from stdin, and print its hash for the file of settings
    #[arg(long, exclusive = true)]
    hash_password: bool,

    /// Don't slow down who talks too fast, and allow any number of connections from one address: for
    /// measuring, and for tests
    #[arg(long)]
    no_flood_control: bool,

    /// Wait with this mechanism; `list` prints those of this build [default: what REACTOR_BACKEND says,
    /// or else the best of them]
    // The variable isn't clap's to read: it would be at odds with --check, which stands alone.
    #[arg(long, value_name = "NAME|list")]
    backend: Option<String>,
}

/// What the command line asks for.
pub(crate) enum Request {
    /// Nothing more: this was the help or an error, and it is printed.
    Answered(ExitCode),
    /// The mechanisms of this build.
    List,
    Check(PathBuf),
    HashPassword,
    Serve(Backend, Box<Setup>),
}

/// Reads the command line, and answers it where nothing needs to run for that.
pub(crate) fn read() -> Request {
    let options = match Options::try_parse() {
        Ok(options) => options,
        // Help and version are answers, not errors.
        Err(answer) if !answer.use_stderr() => {
            let code = answer.print().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
            return Request::Answered(code);
        }
        Err(error) => return wrong(&first_line(&error.to_string())),
    };
    if let Some(file) = options.check {
        return Request::Check(file);
    }
    if options.hash_password {
        return Request::HashPassword;
    }
    let chosen = match options.backend.as_deref() {
        Some("list") => return Request::List,
        Some(name) => name.parse().map_err(|error| format!("--backend: {error}")),
        None => Backend::from_env().map_err(|error| error.to_string()),
    };
    let backend = match chosen {
        Ok(backend) => backend,
        Err(error) => return wrong(&error),
    };
    if let Err(error) = addresses::check(&options.listen) {
        return wrong(&format!("--listen: {error}"));
    }
    let config = match &options.config {
        None => Config::default(),
        Some(file) => match Config::read(file) {
            Ok(config) => config,
            Err(error) => {
                eprintln!("chat: {error}");
                return Request::Answered(ExitCode::FAILURE);
            }
        },
    };
    let (listen, flood_control) = (options.listen, !options.no_flood_control);
    Request::Serve(backend, Box::new(Setup { config, listen, flood_control }))
}

/// The first word of RUST_LOG that is no level. The logger takes it for a part of the program, of which it then
/// logs everything, and nothing of the rest.
pub(crate) fn unknown_log_level() -> Option<String> {
    let variable = env::var("RUST_LOG").ok()?;
    let words = variable.split('/').next()?.split(',').map(str::trim);
    let meant = |word: &str| {
        word.is_empty()
            || word.contains(['=', ':'])
            || word.parse::<LevelFilter>().is_ok()
            || ["chat", "reactor", "mio"].contains(&word)
    };
    words.filter(|word| !meant(word)).map(String::from).next()
}

fn wrong(error: &str) -> Request {
    eprintln!("chat: {error}; try --help");
    Request::Answered(ExitCode::from(2))
}

/// The message of a clap error on one line, without its label and its usage section.
fn first_line(error: &str) -> String {
    let lines = error.trim_start_matches("error: ").lines().take_while(|line| !line.is_empty());
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}
