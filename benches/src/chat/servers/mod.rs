//! Chat servers side by side: ours on each mechanism, and those that are installed.

mod configs;
mod table;

pub use table::{header, row};

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::thread;

use anyhow::{Context as _, anyhow};
use reactor::Backend;
use serde::de::DeserializeOwned;

use super::{FanoutReport, RegisterReport};
use crate::cpu;
use crate::runs::{Cores, Process, output};

/// Where Debian keeps servers, and a user's PATH mostly doesn't look.
const FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin"];

/// A chat server that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contender {
    /// Ours, which is this program, on a mechanism.
    Ours(PathBuf, Backend),
    /// ngIRCd, which is there.
    Ngircd(PathBuf),
    /// InspIRCd, which is there.
    Inspircd(PathBuf),
}

impl Contender {
    /// The others that are installed here.
    pub fn installed() -> Vec<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<_> =
            std::env::split_paths(&path).chain(FOLDERS.map(PathBuf::from)).collect();
        let find =
            |name| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file());
        [find("ngircd").map(Self::Ngircd), find("inspircd").map(Self::Inspircd)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// How many clients may come at the same time. ngIRCd lets ten wait, and of many more loses some for
    /// good; InspIRCd welcomes all who have come once a second.
    fn connects(&self) -> usize {
        if matches!(self, Self::Ngircd(_)) { 8 } else { 1000 }
    }

    /// Starts it on a core, with what it writes down in a folder.
    ///
    /// # Errors
    ///
    /// When it can't be started, or doesn't listen within 10 s.
    fn start(&self, folder: &Path, core: Option<usize>) -> anyhow::Result<Process> {
        let (program, made) = match self {
            Self::Ours(program, backend) => {
                let mut command = Command::new(program);
                command.args(["--no-flood-control", "--listen", "127.0.0.1:0", "--backend"]);
                command.arg(backend.to_string());
                return on_core(core, move || Process::start(&mut command));
            }
            Self::Ngircd(program) => (program, configs::ngircd as fn(&_, _) -> _),
            Self::Inspircd(program) => (program, configs::inspircd as fn(&_, _) -> _),
        };
        let address = free_address()?;
        let arguments: Vec<String> = made(folder, address)?;
        let mut command = Command::new(program);
        command.args(arguments);
        on_core(core, move || Process::start_at(&mut command, address))
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(_, backend) => write!(f, "chat-{backend}"),
            Self::Ngircd(_) => write!(f, "ngircd"),
            Self::Inspircd(_) => write!(f, "inspircd"),
        }
    }
}

/// Calls `begin` on a thread of one core, on which the processes stay that it starts.
fn on_core<T: Send>(
    core: Option<usize>,
    begin: impl FnOnce() -> anyhow::Result<T> + Send,
) -> anyhow::Result<T> {
    thread::scope(|scope| {
        let begun = scope.spawn(|| {
            core.map_or(Ok(()), cpu::pin)?;
            begin()
        });
        begun.join().unwrap_or_else(|_| Err(anyhow!("start a server: its thread panicked")))
    })
}

/// An address that nobody has now; somebody may before it is used.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("look for a free port")?;
    listener.local_addr().context("look for a free port")
}

/// What is asked of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// So many members, senders, and messages under way.
    Fanout(usize, usize, usize),
    /// So many clients.
    Register(usize),
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fanout(members, senders, outstanding) => {
                write!(f, "N={members} S={senders} W={outstanding}")
            }
            Self::Register(clients) => write!(f, "register {clients}"),
        }
    }
}

/// What one run has measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// Of talking.
    Fanout(FanoutReport),
    /// Of registering.
    Register(RegisterReport),
}

/// How each run is made.
#[derive(Clone, Debug)]
pub struct Setup {
    /// This program, which loads.
    pub program: PathBuf,
    /// Where server and load run; without it, where the system puts them.
    pub cores: Option<Cores>,
    /// Seconds to measure, and before that to talk.
    pub seconds: f64,
    /// Seconds to talk before.
    pub warmup: f64,
}

/// Starts a server, loads it, and ends it.
///
/// # Errors
///
/// When the server or the load fails, or is `interrupted`.
pub fn measure(
    setup: &Setup,
    contender: &Contender,
    case: Case,
    folder: &Path,
    interrupted: &AtomicBool,
) -> anyhow::Result<Sample> {
    let server = contender.start(folder, setup.cores.map(|cores| cores.server))?;
    let mut load = Command::new(&setup.program);
    load.arg("chat");
    match case {
        Case::Fanout(members, senders, outstanding) => load
            .args(["fanout", "--members", &members.to_string()])
            .args(["--senders", &senders.to_string()])
            .args(["--outstanding", &outstanding.to_string()])
            .args(["--seconds", &setup.seconds.to_string()])
            .args(["--warmup", &setup.warmup.to_string()]),
        Case::Register(clients) => load.args(["register", "--clients", &clients.to_string()]),
    };
    load.args(["--connects", &contender.connects().to_string()]);
    load.args(["--json", "-", "--connect", &server.address().to_string()])
        .args(["--pid", &server.pid().to_string()]);
    if let Some(cores) = setup.cores {
        load.args(["--core", &cores.load.to_string()]);
    }
    let line = output(&mut load, interrupted)?;
    match case {
        Case::Fanout(..) => read(&line).map(Sample::Fanout),
        Case::Register(_) => read(&line).map(Sample::Register),
    }
}

fn read<T: DeserializeOwned>(line: &str) -> anyhow::Result<T> {
    serde_json::from_str(line).with_context(|| format!("{line:?} is no report of a chat load"))
}
