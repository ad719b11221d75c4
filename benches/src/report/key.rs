//! The words that stand on the page, and what they mean.

use super::page::Section;

const TERMS: [(&str, &str); 22] = [
    (
        "reactor-epoll, reactor-poll, reactor-select, reactor-mio, reactor-adaptive",
        "This library on each of its mechanisms, the same handler on all; mio is the crate of that name, and \
         adaptive has the busy descriptors in poll and the others in epoll.",
    ),
    (
        "awake-epoll",
        "This library on epoll, looking again for up to 50 µs before each sleep (`Options::spin`).",
    ),
    (
        "plain-epoll, plain-poll, plain-select",
        "Loops on libc's calls that do this one job and no more: the yardsticks.",
    ),
    (
        "mio",
        "The mio crate by itself, used as its documentation says: edge-triggered, read until a read would block.",
    ),
    (
        "tokio, polling, calloop, message-io",
        "The same job in these libraries; tokio on one thread.",
    ),
    ("wait", "One call that waits, with so many descriptors registered and a part of them ready."),
    (
        "chain",
        "Bytes that are passed on along a row of socket pairs, so many at a time; a hop is one wait's share, one \
      read and one write.",
    ),
    (
        "stopped and started",
        "After each hop nobody listens to the descriptor any more, and then listens again, both \
      before the next wait.",
    ),
    (
        "churn",
        "Changes of who is watched, and for what: to add, to remove, to modify, to stop and start.",
    ),
    ("put off", "A timer is set to a later time than it had."),
    ("re-arm", "A timer is set to another time, earlier or later."),
    ("fire", "All timers come due within a second; the turns that this takes count."),
    (
        "call, loop busy",
        "What a message from another thread costs who sends it, while the loop needn't be woken.",
    ),
    (
        "until received",
        "What a message costs from the first that is sent to the last that the loop has received.",
    ),
    ("to a sleeping loop", "From sending a message to a loop that sleeps until it has it."),
    ("turn", "One pass of a whole loop: a wait, and what comes of it."),
    (
        "burst",
        "Many connections have a message at once: a wait, and a read and a write for each. What the clients do \
         isn't counted.",
    ),
    ("silent descriptors", "Registered ones to which nothing comes."),
    ("crowd", "Connections that were answered once and then do nothing, beside some busy ones."),
    (
        "slow readers",
        "Connections that send as much as goes and read little of what comes back, beside busy ones.",
    ),
    ("bulk", "Connections that send and read as much as goes, at the same time."),
    (
        "registered, pairs, alive",
        "How many descriptors are watched, socket pairs there are, timers are set.",
    ),
];

/// As a section of its own.
pub(super) fn section() -> Section {
    let owned = |(term, meaning): (&str, &str)| (term.to_owned(), meaning.to_owned());
    Section {
        title: "What the words mean".to_owned(),
        terms: TERMS.into_iter().map(owned).collect(),
        ..Section::default()
    }
}
