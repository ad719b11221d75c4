//! The command line.

mod ping;

use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use reactor::Backend;

pub(crate) use ping::{Options as PingOptions, Server};

/// Where the server listens if it isn't told.
const DEFAULT: &str = "127.0.0.1:7007";

/// The longest time that makes sense to anyone, and far from what overflows.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

const NOTES: &str = "\
TIME is in seconds, or has a unit: 30, 0.5, 500ms, 30s, 5m, 1h.

Connections are bounded by --max-connections and by the limit of open files (ulimit -n): at that \
limit new clients are turned away until others have left, and those that are served go on.

Datagrams from a port below 1024, or from one of the server's own, get no answer: with a forged \
sender they would have two servers answer each other for ever.

SIGINT or SIGTERM ends the server in good order: it accepts no more, sends what it has queued for \
at most --drain-timeout, says what it had to drop, and exits with 0. A second one ends it at once, \
with 128 + the number of the signal (130, 143).

Exit codes: 1 for a failure (such as a port that is taken), 2 for a wrong command line.
Log messages: RUST_LOG=debug (error, warn, info, debug, trace). From info on they begin with what the \
mechanism can do.";

/// An echo server (RFC 862): what comes over TCP, UDP or a Unix socket goes back
#[derive(Debug, Parser)]
#[command(version, after_help = NOTES, args_conflicts_with_subcommands = true)]
#[command(allow_negative_numbers = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Option<Command>,

    /// Serve TCP and UDP at this address, on the same port; port 0 takes a free one. Of a name that has
    /// several, it is the first that can be had. Repeatable
    /// [default: 127.0.0.1:7007, unless there is --unix]
    #[arg(long, value_name = "ADDR:PORT", value_parser = address)]
    pub(crate) listen: Vec<String>,

    /// Serve a Unix stream socket at this path, or with an abstract name, which has no file: @NAME
    /// (Linux; a file is ./@NAME). Repeatable
    #[arg(long, value_name = "PATH|@NAME")]
    pub(crate) unix: Vec<PathBuf>,

    #[command(flatten)]
    mechanism: Mechanism,

    /// Serve so many connections of each --listen and --unix at a time; the next ones wait until
    /// one of them leaves [default: no limit of its own]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_connections: Option<u32>,

    /// Close a connection on which nothing came and nothing went for so long [default: never]
    #[arg(long, value_name = "TIME", value_parser = period)]
    pub(crate) idle_timeout: Option<Duration>,

    /// How long the end of the server waits for clients to take what is queued for them
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "5s")]
    pub(crate) drain_timeout: Duration,

    /// Print a line of figures to stderr this often; the loop lag in it is how late the line is
    #[arg(long, value_name = "TIME", value_parser = period)]
    pub(crate) stats: Option<Duration>,
}

/// What else it is than a server.
#[derive(Debug, Subcommand)]
enum Command {
    Ping(ping::Arguments),
}

/// What server and client wait with.
#[derive(Debug, Args)]
struct Mechanism {
    /// Wait with this mechanism; `list` prints those of this build [default: the best of them]
    #[arg(long, value_name = "NAME|list", env = Backend::VARIABLE, hide_env_values = true)]
    backend: Option<String>,
}

impl Mechanism {
    /// The one that was chosen; `None` asks for the list.
    fn chosen(&self) -> Result<Option<Backend>, String> {
        match self.backend.as_deref() {
            Some("list") => Ok(None),
            None | Some("") => Ok(Some(Backend::COMPILED[0])),
            Some(name) => name.parse().map(Some).map_err(|error| format!("{error}")),
        }
    }
}

/// What the command line asks for.
pub(crate) enum Request {
    /// Nothing more: this was the help or an error, and it is printed.
    Answered(ExitCode),
    /// The mechanisms of this build.
    List,
    Serve(Backend, Options),
    Ping(Backend, PingOptions),
}

/// Reads the command line, and answers it where nothing needs to run for that.
pub(crate) fn read() -> Request {
    let asked = match Options::try_parse() {
        Ok(options) => request(options),
        // Help and version are answers, not errors.
        Err(answer) if !answer.use_stderr() => {
            let code = answer.print().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
            return Request::Answered(code);
        }
        Err(error) => Err(first_line(&error.to_string())),
    };
    asked.unwrap_or_else(|error| {
        eprintln!("echo: {error}; try --help");
        Request::Answered(ExitCode::from(2))
    })
}

fn request(mut options: Options) -> Result<Request, String> {
    if let Some(Command::Ping(ping)) = options.command {
        return Ok(match ping.mechanism.chosen()? {
            Some(backend) => Request::Ping(backend, ping.check()?),
            None => Request::List,
        });
    }
    let Some(backend) = options.mechanism.chosen()? else { return Ok(Request::List) };
    if options.listen.is_empty() && options.unix.is_empty() {
        options.listen.push(DEFAULT.to_owned());
    }
    Ok(Request::Serve(backend, options))
}

/// The message of a clap error on one line, without its label and its usage section.
fn first_line(error: &str) -> String {
    let lines = error.trim_start_matches("error: ").lines().take_while(|line| !line.is_empty());
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

/// An address or a name, which isn't looked up yet, with a port.
fn address(text: &str) -> Result<String, String> {
    if has_port(text) {
        return Ok(text.to_owned());
    }
    Err("expected an address or a name with a port, such as 127.0.0.1:7007 or [::1]:7007"
        .to_owned())
}

/// Whether it is an address or a name, and a port.
fn has_port(text: &str) -> bool {
    let named = |(name, port): (&str, &str)| {
        !name.is_empty() && !name.contains([':', '/']) && port.parse::<u16>().is_ok()
    };
    text.parse::<SocketAddr>().is_ok() || text.rsplit_once(':').is_some_and(named)
}

/// The abstract name that is meant by what stands in a path's place, if there is one.
pub(crate) fn abstract_name(path: &Path) -> Option<&[u8]> {
    path.as_os_str().as_bytes().strip_prefix(b"@")
}

/// A time above zero.
fn period(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("it must be more than nothing".to_owned()),
        time => Ok(time),
    }
}

/// Reads what [`NOTES`] says of times.
fn time(text: &str) -> Result<Duration, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let unit = match unit {
        "ms" => Some(0.001),
        "" | "s" => Some(1.0),
        "m" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    };
    number
        .parse::<f64>()
        .ok()
        .zip(unit)
        .and_then(|(number, unit)| Duration::try_from_secs_f64(number * unit).ok())
        .filter(|time| *time <= LONGEST)
        .ok_or_else(|| {
            "expected a time such as 30, 500ms, 30s, 5m or 1h, at most a year".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_have_a_unit() {
        for (text, millis) in [
            ("30", 30_000),
            ("0.5", 500),
            ("500ms", 500),
            ("30s", 30_000),
            ("1.5m", 90_000),
            ("2h", 7_200_000),
            ("8760h", 31_536_000_000),
            ("0", 0),
        ] {
            assert_eq!(time(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-1", "1 s", "1d", "1.2.3", "inf", "nan", "1e3", "9000h", "٣"] {
            assert!(time(text).is_err(), "{text}");
        }
        assert!(period("0ms").is_err());
        assert_eq!(period("1ms"), Ok(Duration::from_millis(1)));
    }

    #[test]
    fn the_default_address_gives_way_to_a_path() {
        let listens = |arguments: &[&str]| {
            let options = Options::parse_from([&["echo", "--backend="], arguments].concat());
            match request(options) {
                Ok(Request::Serve(_, options)) => options.listen,
                _ => panic!("{arguments:?} ask for no server"),
            }
        };
        assert_eq!(listens(&[]), [DEFAULT]);
        assert_eq!(listens(&["--unix", "/run/echo"]), [""; 0]);
        assert_eq!(listens(&["--listen", "[::1]:7"]), ["[::1]:7"]);
    }

    #[test]
    fn an_address_has_a_port() {
        for text in ["127.0.0.1:7", "[::1]:7007", "localhost:7", "a.example:65535"] {
            assert!(has_port(text), "{text}");
        }
        for text in ["", "localhost", ":7", "::1", "[::1]", "a:b:7", "a:65536", "/run/echo:7"] {
            assert!(!has_port(text), "{text}");
        }
    }
}
