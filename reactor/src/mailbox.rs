//! Messages to the loop from other threads.

use std::error::Error;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, TrySendError};

use crate::poller::Waker;

/// Posts messages to a loop, from any thread.
///
/// Clones post to the same loop. Messages of one thread arrive in the order in which they were
/// posted. However many are posted while the loop is busy, they wake it once.
///
/// An unbounded mailbox takes all that it is given. A bounded one pushes back: see
/// [`post`](Self::post).
///
/// ```
/// use std::io;
/// use std::net::{SocketAddr, ToSocketAddrs};
/// use std::thread::{self, JoinHandle};
///
/// use reactor::Mailbox;
///
/// /// Looks a name up, which takes its time, and posts what came of it.
/// fn resolve(name: String, mailbox: Mailbox<io::Result<Vec<SocketAddr>>>) -> JoinHandle<()> {
///     thread::spawn(move || {
///         let addresses = name.to_socket_addrs().map(Iterator::collect);
///         if let Err(error) = mailbox.post(addresses) {
///             eprintln!("look up {name}: {error}");
///         }
///     })
/// }
/// ```
pub struct Mailbox<M> {
    sender: Sender<M>,
    shared: Arc<Shared>,
}

/// What the mailbox knows of the loop.
#[derive(Debug)]
struct Shared {
    waker: Waker,
    /// The thread that had to do with the loop last: that made it, ran it, or asked it for something.
    owner: AtomicUsize,
}

impl<M> Mailbox<M> {
    /// Posts `message`, and waits for room where the mailbox is bounded and full.
    ///
    /// The wait ends when the loop has received a message, or is gone. Only the loop's own thread
    /// never waits, since nobody else would make room: there a full mailbox is an error. It is the
    /// thread that made the loop, until another one runs it or asks it for a mailbox or a context. So a
    /// thread that hands a loop over, and has more to post than the mailbox holds, waits for a sign of
    /// the other thread first.
    ///
    /// Two loops that post to each other's full mailboxes would wait for each other: towards another
    /// loop, [`try_post`](Self::try_post) is the one to use in a handler.
    ///
    /// # Errors
    ///
    /// Both give the message back: [`Closed`](PostError::Closed) if the loop is gone,
    /// [`Full`](PostError::Full) as told above.
    pub fn post(&self, message: M) -> Result<(), PostError<M>> {
        let message = match self.try_post(message) {
            Err(PostError::Full(message)) => message,
            done => return done,
        };
        // Whoever filled the mailbox may not have come to wake the loop yet, or never will.
        self.shared.wake();
        if self.shared.owner.load(Ordering::Relaxed) == this_thread() {
            return Err(PostError::Full(message));
        }
        self.sender.send(message).map_err(|error| PostError::Closed(error.into_inner()))?;
        self.shared.wake();
        Ok(())
    }

    /// Posts `message` if that needs no waiting.
    ///
    /// # Errors
    ///
    /// Both give the message back: [`Closed`](PostError::Closed) if the loop is gone,
    /// [`Full`](PostError::Full) if the mailbox holds as many messages as it may.
    pub fn try_post(&self, message: M) -> Result<(), PostError<M>> {
        self.sender.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) => PostError::Full(message),
            TrySendError::Disconnected(message) => PostError::Closed(message),
        })?;
        self.shared.wake();
        Ok(())
    }
}

impl Shared {
    fn wake(&self) {
        // The message is posted and can't be taken back: if the wake fails, which it is not known to,
        // the next one or the loop's next turn finds it.
        let _ = self.waker.wake();
    }
}

impl<M> Clone for Mailbox<M> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<M> fmt::Debug for Mailbox<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox")
            .field("unread", &self.sender.len())
            .field("capacity", &self.sender.capacity())
            .finish_non_exhaustive()
    }
}

/// Why a message could not be posted, with the message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PostError<M> {
    /// The loop is gone.
    Closed(M),
    /// The mailbox is full, and the post was not to wait, or would have waited for ever.
    Full(M),
}

impl<M> PostError<M> {
    /// The message.
    #[must_use]
    pub fn into_message(self) -> M {
        match self {
            Self::Closed(message) | Self::Full(message) => message,
        }
    }
}

impl<M> fmt::Display for PostError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "post a message: the loop is gone",
            Self::Full(_) => "post a message: the mailbox is full",
        })
    }
}

impl<M> fmt::Debug for PostError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "Closed(..)",
            Self::Full(_) => "Full(..)",
        })
    }
}

impl<M> Error for PostError<M> {}

/// The loop's half of a [`Mailbox`].
#[derive(Debug)]
pub(crate) struct Inbox<M> {
    receiver: Receiver<M>,
    mailbox: Mailbox<M>,
}

impl<M> Inbox<M> {
    /// An empty mailbox for `capacity` messages (at least one), or for any number.
    ///
    /// The loop looks into it after every wait: a wake is no event.
    pub(crate) fn new(waker: Waker, capacity: Option<usize>) -> Self {
        // With no capacity at all a message would be there only while the loop asks for it.
        let (sender, receiver) = match capacity {
            Some(capacity) => crossbeam_channel::bounded(capacity.max(1)),
            None => crossbeam_channel::unbounded(),
        };
        let shared = Shared { waker, owner: AtomicUsize::new(this_thread()) };
        Self { receiver, mailbox: Mailbox { sender, shared: Arc::new(shared) } }
    }

    /// Says that the loop is this thread's, for now.
    pub(crate) fn enter(&self) {
        // No thread but this one compares the number with its own, and that sees its own store.
        self.mailbox.shared.owner.store(this_thread(), Ordering::Relaxed);
    }

    /// The half for everybody else.
    pub(crate) fn mailbox(&self) -> Mailbox<M> {
        self.mailbox.clone()
    }

    /// The next message, if there is one.
    pub(crate) fn receive(&self) -> Option<M> {
        self.receiver.try_recv().ok()
    }

    /// Whether there is no message.
    pub(crate) fn is_empty(&self) -> bool {
        self.receiver.is_empty()
    }

    /// Ends it: drops what is unread, and lets every post say that the loop is gone, also those that
    /// wait for room. A drop does the same.
    ///
    /// How many messages were dropped unread, but for those that are being posted at this moment.
    pub(crate) fn close(&mut self) -> usize {
        let receiver = mem::replace(&mut self.receiver, crossbeam_channel::never());
        // Not by receiving them: that would make room, and let a post succeed into nothing.
        receiver.len()
    }
}

/// A number for this thread, which no other thread has.
///
/// A [`ThreadId`](std::thread::ThreadId) doesn't fit into an atomic.
fn this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::poller::{DefaultPoller, Events, Poller};

    /// A loop that does nothing but receive.
    struct Loop<M> {
        poller: DefaultPoller,
        inbox: Inbox<M>,
    }

    impl<M> Loop<M> {
        fn new(capacity: Option<usize>) -> Self {
            let poller = DefaultPoller::new().unwrap();
            let inbox = Inbox::new(poller.waker(), capacity);
            Self { poller, inbox }
        }

        fn wait(&mut self, timeout: Option<Duration>) {
            self.inbox.enter();
            self.poller.wait(&mut Events::default(), timeout).unwrap();
        }

        /// Waits, without a timeout, until `count` messages have come.
        fn receive(&mut self, count: usize) -> Vec<M> {
            let mut received = Vec::new();
            while received.len() < count {
                if self.inbox.is_empty() {
                    self.wait(None);
                }
                received.extend(self.inbox.receive());
            }
            received
        }
    }

    #[test]
    fn many_posts_wake_once() {
        let mut reactor = Loop::new(None);
        let mailbox = reactor.inbox.mailbox();
        thread::spawn(move || (0..1000).for_each(|n| mailbox.post(n).unwrap())).join().unwrap();
        reactor.wait(None);
        assert_eq!(reactor.receive(1000), Vec::from_iter(0..1000));
        assert_eq!(reactor.inbox.receive(), None);

        let timeout = Duration::from_millis(10);
        let start = Instant::now();
        reactor.wait(Some(timeout));
        assert!(start.elapsed() >= timeout, "a second wake was left over");
    }

    #[test]
    fn each_thread_keeps_its_order() {
        for capacity in [None, Some(0), Some(1), Some(7)] {
            let mut reactor = Loop::new(capacity);
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    let mailbox = reactor.inbox.mailbox();
                    thread::spawn(move || {
                        (0..500).for_each(|n| mailbox.post((thread, n)).unwrap());
                    })
                })
                .collect();
            let received = reactor.receive(4 * 500);
            for thread in threads {
                thread.join().unwrap();
            }
            for thread in 0..4 {
                let numbers = received.iter().filter(|(from, _)| *from == thread).map(|(_, n)| *n);
                assert!(numbers.eq(0..500), "capacity {capacity:?}");
            }
        }
    }

    #[test]
    fn a_full_mailbox_is_an_error_in_the_thread_of_the_loop() {
        let mut reactor = Loop::new(Some(2));
        reactor.inbox.enter();
        let mailbox = reactor.inbox.mailbox();
        mailbox.post("one").unwrap();
        mailbox.post("two").unwrap();
        assert_eq!(mailbox.post("three"), Err(PostError::Full("three")));
        assert_eq!(reactor.receive(2), ["one", "two"]);
        mailbox.post("three").unwrap();
    }

    #[test]
    fn the_thread_of_the_loop_is_the_one_that_entered_last() {
        let inbox = Inbox::new(DefaultPoller::new().unwrap().waker(), Some(1));
        inbox.enter();
        let mailbox = inbox.mailbox();
        mailbox.post(1).unwrap();
        assert_eq!(mailbox.post(2), Err(PostError::Full(2)));
        let elsewhere = mailbox.clone();
        let (inbox, refused) = thread::spawn(move || {
            inbox.enter();
            let refused = elsewhere.post(3);
            (inbox, refused)
        })
        .join()
        .unwrap();
        assert_eq!(refused, Err(PostError::Full(3)));
        // Now this thread is one of the others, and its post waits, here for the end of the loop.
        let (about_to_post, is_about_to) = mpsc::channel();
        let ending = thread::spawn(move || {
            is_about_to.recv().unwrap();
            drop(inbox);
        });
        about_to_post.send(()).unwrap();
        assert_eq!(mailbox.post(4), Err(PostError::Closed(4)));
        ending.join().unwrap();
    }

    #[test]
    fn try_post_does_not_wait() {
        let mut reactor = Loop::new(Some(1));
        let mailbox = reactor.inbox.mailbox();
        thread::spawn(move || {
            mailbox.try_post(1).unwrap();
            assert_eq!(mailbox.try_post(2), Err(PostError::Full(2)));
        })
        .join()
        .unwrap();
        assert_eq!(reactor.receive(1), [1]);
    }

    #[test]
    fn a_post_that_waits_is_told_that_the_loop_is_gone() {
        let mut reactor = Loop::new(Some(1));
        let mailbox = reactor.inbox.mailbox();
        let poster = thread::spawn(move || {
            mailbox.post("read").unwrap();
            mailbox.post("unread").unwrap();
            // Waits, or comes too late: the same to the one who posts.
            mailbox.post("never posted")
        });
        assert_eq!(reactor.receive(1), ["read"]);
        while reactor.inbox.is_empty() {
            reactor.wait(None);
        }
        assert_eq!(reactor.inbox.close(), 1);
        assert_eq!(poster.join().unwrap(), Err(PostError::Closed("never posted")));
        assert_eq!(reactor.inbox.close(), 0);
        assert_eq!(reactor.inbox.receive(), None);
        assert!(reactor.inbox.is_empty());
        assert_eq!(reactor.inbox.mailbox().post("late"), Err(PostError::Closed("late")));
    }

    #[test]
    fn an_end_drops_what_is_unread() {
        let message = Arc::new(());
        let inbox = Inbox::new(DefaultPoller::new().unwrap().waker(), None);
        let mailbox = inbox.mailbox();
        mailbox.post(Arc::clone(&message)).unwrap();
        drop(inbox);
        assert_eq!(Arc::strong_count(&message), 1);
        assert!(matches!(mailbox.post(message), Err(PostError::Closed(_))));
    }

    #[test]
    fn a_loop_is_its_makers_until_another_thread_runs_it() {
        let mut reactor = Loop::new(Some(4));
        let mailbox = reactor.inbox.mailbox();
        (0..4).for_each(|n| mailbox.post(n).unwrap());
        assert_eq!(mailbox.post(4), Err(PostError::Full(4)));
        let (runs, is_running) = mpsc::channel();
        let running = thread::spawn(move || {
            reactor.inbox.enter();
            runs.send(()).unwrap();
            reactor.receive(1000)
        });
        is_running.recv().unwrap();
        (4..1000).for_each(|n| mailbox.post(n).unwrap());
        assert_eq!(running.join().unwrap(), Vec::from_iter(0..1000));
    }

    #[test]
    fn mailboxes_go_wherever_their_messages_may() {
        fn is_shared<T: Send + Sync + Clone + fmt::Debug>(_: &T) {}
        /// Neither `Sync`, `Clone` nor `Debug`.
        struct Opaque(Cell<u8>);

        let inbox = Inbox::new(DefaultPoller::new().unwrap().waker(), Some(3));
        let mailbox = inbox.mailbox();
        is_shared(&mailbox);
        mailbox.post(Opaque(Cell::new(1))).unwrap();
        assert_eq!(format!("{mailbox:?}"), "Mailbox { unread: 1, capacity: Some(3), .. }");
        drop(inbox);
        let error = mailbox.post(Opaque(Cell::new(2))).unwrap_err();
        assert_eq!(format!("{error:?}"), "Closed(..)");
        assert_eq!(error.into_message().0.get(), 2);
        let error: Box<dyn Error> = PostError::Full(()).into();
        assert_eq!(error.to_string(), "post a message: the mailbox is full");
    }
}
