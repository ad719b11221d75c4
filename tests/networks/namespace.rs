//! A network namespace, and a thread that is in it.

use std::io;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use nix::sched::{CloneFlags, unshare};
use rustix::thread::gettid;

type Job = Box<dyn FnOnce() + Send>;

/// Ends when this is dropped, unless somebody still has a socket in it.
#[derive(Debug)]
pub(crate) struct Namespace {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// By which others name it.
    pub(crate) thread_id: i32,
}

/// Takes this thread to a new namespace of its own.
pub(crate) fn leave() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| {
        let error = io::Error::from(errno);
        io::Error::new(error.kind(), format!("unshare(CLONE_NEWNET): {error}"))
    })
}

impl Namespace {
    pub(crate) fn new() -> io::Result<Self> {
        let (jobs, todo) = channel::<Job>();
        let (answer, left) = channel();
        let thread = thread::spawn(move || {
            answer.send(leave().map(|()| gettid().as_raw_nonzero().get())).unwrap();
            todo.into_iter().for_each(|job| job());
        });
        let thread_id = left.recv().unwrap()?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), thread_id })
    }

    /// Runs `job` in the namespace. What it makes there stays there, wherever it is used.
    pub(crate) fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (answer, done) = channel();
        let job = Box::new(move || answer.send(job()).unwrap());
        self.jobs.as_ref().unwrap().send(job).unwrap();
        done.recv().expect("the job doesn't panic")
    }

    /// Runs a command in the namespace.
    pub(crate) fn call(&self, command: &str) {
        let command = command.to_owned();
        self.run(move || call(&command)).unwrap();
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A job that has panicked was told of by then.
            let _ = thread.join();
        }
    }
}

/// Runs a command in the namespace of this thread: a program and its words.
pub(crate) fn call(command: &str) -> io::Result<()> {
    let mut words = command.split_whitespace();
    let program = words.next().expect("a command has a name");
    let output = Command::new(program).args(words).output();
    let output =
        output.map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{command}: {}", text.trim())))
}
