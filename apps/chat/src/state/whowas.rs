//! Who was here: the last ones, under the nicks that they had.

use std::collections::VecDeque;

use bstr::BString;

use super::User;
use crate::names;
use crate::time::Moment;

/// Somebody who isn't called so any more.
#[derive(Clone, Debug)]
pub struct Past {
    /// The nick that is free again.
    pub nick: BString,
    /// What USER said.
    pub name: BString,
    /// What others were told of where it was.
    pub host: BString,
    /// What USER said last.
    pub real_name: BString,
    /// Until when.
    pub until: Moment,
}

impl Past {
    /// What is remembered of a user.
    #[must_use]
    pub fn of(user: &User, until: Moment) -> Self {
        Self {
            nick: user.nick().into(),
            name: user.name.clone(),
            host: user.host.clone(),
            real_name: user.real_name.clone(),
            until,
        }
    }
}

/// The last who went, and the last nicks that were given up.
#[derive(Clone, Debug)]
pub struct Whowas {
    most: usize,
    /// The last one first.
    all: VecDeque<Past>,
}

impl Whowas {
    /// A memory for this many.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, all: VecDeque::new() }
    }

    /// Remembers one, and forgets the oldest if there are too many.
    pub fn remember(&mut self, past: Past) {
        self.all.push_front(past);
        self.all.truncate(self.most);
    }

    /// Those who were called so, the last one first; that all are looked at is added to `steps`.
    pub fn called<'a>(
        &'a self,
        nick: &'a [u8],
        steps: &mut u64,
    ) -> impl Iterator<Item = &'a Past> + use<'a> {
        *steps += self.all.len() as u64;
        self.all.iter().filter(|past| names::same(&past.nick, nick))
    }
}
