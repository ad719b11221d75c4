//! Host names, looked up away from the loop's thread.
//!
//! The system's resolver (getaddrinfo(3)) knows all that the machine is configured for, and blocks. So a
//! few threads call it, which are made when there is something to look up, and the loop is woken for
//! their answers. A call that is under way can't be ended: whoever doesn't want its answer any more drops
//! the ticket, and lookups that haven't begun by then are left out.

use std::io;
use std::net::ToSocketAddrs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread;

use crossbeam_channel::{Receiver, Sender};

use super::Address;
use super::target::in_turns;
use crate::poller::{Key, Waker};

/// Threads that look names up at the same time.
const THREADS: usize = 4;

/// A lookup that somebody waits for.
#[derive(Debug)]
pub(crate) struct Ticket(#[expect(dead_code, reason = "its life is what it says")] Arc<()>);

/// What came of a lookup: the addresses with their families in turns.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// Who asked.
    pub(crate) key: Key,
    pub(crate) answer: io::Result<Arc<[Address]>>,
}

#[derive(Debug)]
struct Question {
    key: Key,
    name: Arc<str>,
    port: u16,
    ticket: Weak<()>,
}

/// The threads, and what goes to and fro. On drop they end, each when its call has returned.
#[derive(Debug)]
pub(crate) struct Resolver {
    questions: Sender<Question>,
    waiting: Receiver<Question>,
    answers: Receiver<Resolved>,
    answer: Sender<Resolved>,
    waker: Waker,
    threads: usize,
    /// Questions that wait or are under way.
    open: Arc<AtomicUsize>,
}

impl Resolver {
    pub(crate) fn new(waker: Waker) -> Self {
        let (questions, waiting) = crossbeam_channel::unbounded();
        let (answer, answers) = crossbeam_channel::unbounded();
        let open = Arc::default();
        Self { questions, waiting, answers, answer, waker, threads: 0, open }
    }

    /// Has a name looked up; the answer is for `key`.
    ///
    /// # Errors
    ///
    /// EAGAIN if the system allows no thread to do it.
    pub(crate) fn look_up(&mut self, key: Key, name: Arc<str>, port: u16) -> io::Result<Ticket> {
        // Each open question has a thread of its own, or will have: this one needs one more.
        let all_busy = self.open.load(Ordering::Relaxed) >= self.threads;
        if all_busy && self.threads < THREADS {
            match self.add_thread() {
                Ok(()) => self.threads += 1,
                Err(error) if self.threads == 0 => return Err(error),
                // Those that there are will do.
                Err(_) => {}
            }
        }
        let ticket = Arc::new(());
        let question = Question { key, name, port, ticket: Arc::downgrade(&ticket) };
        self.open.fetch_add(1, Ordering::Relaxed);
        // The receiver is here, too.
        let _ = self.questions.send(question);
        Ok(Ticket(ticket))
    }

    fn add_thread(&self) -> io::Result<()> {
        let (waiting, answer) = (self.waiting.clone(), self.answer.clone());
        let (waker, open) = (self.waker.clone(), Arc::clone(&self.open));
        let work = move || {
            for Question { key, name, port, ticket } in waiting {
                let wanted = ticket.strong_count() > 0;
                let found = wanted.then(|| (&*name, port).to_socket_addrs());
                // Before the answer: whoever has that finds this thread free.
                open.fetch_sub(1, Ordering::Relaxed);
                let Some(found) = found else { continue };
                let found = found.map(|all| in_turns(all.collect()));
                if answer.send(Resolved { key, answer: found }).is_err() {
                    return;
                }
                // Else the loop's next turn finds it.
                let _ = waker.wake();
            }
        };
        thread::Builder::new().name("resolver".to_owned()).spawn(work).map(drop)
    }

    /// Whether there is an answer.
    pub(crate) fn has_answers(&self) -> bool {
        self.threads > 0 && !self.answers.is_empty()
    }

    /// The next answer. A loop that looks nothing up doesn't ask the channel.
    #[inline]
    pub(crate) fn answer(&self) -> Option<Resolved> {
        if self.threads == 0 { None } else { self.answers.try_recv().ok() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::poller::{DefaultPoller, Events, Poller};

    const PATIENCE: Duration = Duration::from_secs(10);

    fn resolver() -> (Resolver, DefaultPoller) {
        let poller = DefaultPoller::new().unwrap();
        (Resolver::new(poller.waker()), poller)
    }

    fn next(resolver: &Resolver, poller: &mut DefaultPoller) -> Resolved {
        loop {
            if let Some(resolved) = resolver.answer() {
                return resolved;
            }
            poller.wait(&mut Events::default(), Some(PATIENCE)).unwrap();
        }
    }

    #[test]
    fn answers_wake_the_loop() {
        let (mut resolver, mut poller) = resolver();
        assert!(resolver.answer().is_none() && !resolver.has_answers());
        let tickets: Vec<_> = (0..20)
            .map(|slot| resolver.look_up(Key::new(slot, 7), "127.0.0.1".into(), 80).unwrap())
            .collect();
        assert!(resolver.threads <= THREADS);
        let mut keys: Vec<_> = tickets
            .iter()
            .map(|_| {
                let resolved = next(&resolver, &mut poller);
                assert_eq!(&*resolved.answer.unwrap(), [Address::Ip(([127, 0, 0, 1], 80).into())]);
                resolved.key.slot()
            })
            .collect();
        keys.sort_unstable();
        assert!(keys.into_iter().eq(0..20));
    }

    #[test]
    fn whoever_drops_the_ticket_hears_nothing() {
        let (mut resolver, mut poller) = resolver();
        // Nobody takes a question before the thread is there.
        resolver.threads = THREADS;
        drop(resolver.look_up(Key::new(1, 0), "127.0.0.1".into(), 80).unwrap());
        let _ticket = resolver.look_up(Key::new(2, 0), "127.0.0.1".into(), 80).unwrap();
        resolver.add_thread().unwrap();
        assert_eq!(next(&resolver, &mut poller).key, Key::new(2, 0));
        assert!(resolver.answer().is_none());
    }

    /// One after the other takes one thread, and each that isn't answered yet its own.
    #[test]
    fn there_are_as_many_threads_as_open_questions() {
        let (mut resolver, mut poller) = resolver();
        let ask = |resolver: &mut Resolver| {
            resolver.look_up(Key::new(1, 0), "127.0.0.1".into(), 80).unwrap()
        };
        for _ in 0..3 {
            let _ticket = ask(&mut resolver);
            next(&resolver, &mut poller);
            assert_eq!(resolver.threads, 1);
        }
        for busy in [1, 2, 3, 4, 5] {
            // It has taken its question, and doesn't come back.
            resolver.open.fetch_add(1, Ordering::Relaxed);
            let _ticket = ask(&mut resolver);
            next(&resolver, &mut poller);
            assert_eq!(resolver.threads, THREADS.min(busy + 1));
        }
    }

    /// What follows the percent sign is the name of an interface.
    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn a_scope_is_found_by_its_name() {
        let (mut resolver, mut poller) = resolver();
        let all = crate::net::Interface::all().unwrap();
        let lo = all.iter().find(|interface| interface.is_loopback).unwrap();
        let (name, port) = crate::Target::from(format!("[fe80::1%{}]:80", lo.name)).host().unwrap();
        let _ticket = resolver.look_up(Key::new(1, 0), name, port).unwrap();
        let found = next(&resolver, &mut poller).answer.unwrap();
        let expected = std::net::SocketAddrV6::new("fe80::1".parse().unwrap(), 80, 0, lo.index);
        assert_eq!(*found, [Address::Ip(expected.into())]);
    }

    #[test]
    fn what_isn_t_a_name_is_an_error() {
        let (mut resolver, mut poller) = resolver();
        let _ticket = resolver.look_up(Key::new(1, 0), "not a name".into(), 80).unwrap();
        assert!(next(&resolver, &mut poller).answer.is_err());
    }
}
