//! Which channels there are: LIST, with what ISUPPORT's ELIST lets a client ask for.

use crate::message::Message;
use crate::names;
use crate::numerics::{ERR_TOOMANYTARGETS, RPL_LIST, RPL_LISTEND};
use crate::state::Channel;
use crate::time::Moment;
use crate::turn::Turn;

/// Masks of names in one line that are looked at.
pub(super) const MASKS: usize = 5;

/// What it takes to look at a channel, beside comparing masks with its name.
const STEPS_OF_CHANNEL: u64 = 10;

pub(super) fn list(turn: &mut Turn<'_>, message: &Message<'_>) {
    let wanted = Wanted::parse(message.params.first().copied().unwrap_or_default());
    if let Some(mask) = wanted.masks.iter().chain(&wanted.unwanted).nth(MASKS) {
        turn.reply(ERR_TOOMANYTARGETS, &[super::spoken(mask)]);
        return turn.reply(RPL_LISTEND, &[]);
    }
    let mut masks = wanted.masks.iter().chain(&wanted.unwanted);
    if let Some(mask) = masks.find(|mask| !names::is_cheap(mask)) {
        super::refuse_mask(turn, "LIST", mask);
        return turn.reply(RPL_LISTEND, &[]);
    }
    let mut found = Vec::new();
    for (id, channel) in &turn.state.channels {
        turn.work += STEPS_OF_CHANNEL;
        if channel.is_known_to(turn.user) && wanted.fits(channel, turn.now, &mut turn.work) {
            found.push(id);
        }
    }
    for id in found {
        let channel = &turn.state.channels[id];
        let count = channel.members().len().to_string();
        let topic = channel.topic.as_ref().map_or(&b""[..], |topic| &topic.text);
        let line = turn.numeric(RPL_LIST, &[&channel.name, count.as_bytes(), topic]);
        if !turn.row(line, "LIST") {
            break;
        }
    }
    turn.reply(RPL_LISTEND, &[]);
}

/// What a channel has to be to be told: all of these.
#[derive(Debug, Default)]
struct Wanted<'a> {
    /// Its name fits one of these, if there are any.
    masks: Vec<&'a [u8]>,
    /// Its name fits none of these.
    unwanted: Vec<&'a [u8]>,
    bounds: Vec<Bound>,
}

/// A number that something of a channel is less than, or more than.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Bound {
    what: What,
    less: bool,
    than: i64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum What {
    /// `C`: the minutes since it was made.
    Age,
    /// `T`: the minutes since the topic was set; no topic is neither old nor new.
    TopicAge,
    /// Without a letter: the members.
    Members,
}

impl<'a> Wanted<'a> {
    fn parse(param: &'a [u8]) -> Self {
        let mut wanted = Self::default();
        for word in super::list(param) {
            if let Some(bound) = Bound::parse(word) {
                wanted.bounds.push(bound);
            } else if let Some(mask) = word.strip_prefix(b"!") {
                wanted.unwanted.push(mask);
            } else {
                wanted.masks.push(word);
            }
        }
        wanted
    }

    /// What it took is added to `steps`.
    fn fits(&self, channel: &Channel, now: Moment, steps: &mut u64) -> bool {
        let mut named = |mask: &&[u8]| names::fits_counting(mask, &channel.name, steps);
        (self.masks.is_empty() || self.masks.iter().any(&mut named))
            && !self.unwanted.iter().any(&mut named)
            && self.bounds.iter().all(|bound| bound.holds(channel, now))
    }
}

impl Bound {
    fn parse(word: &[u8]) -> Option<Self> {
        let (what, rest) = match word.first()? {
            b'C' | b'c' => (What::Age, &word[1..]),
            b'T' | b't' => (What::TopicAge, &word[1..]),
            _ => (What::Members, word),
        };
        let less = match rest.first()? {
            b'<' => true,
            b'>' => false,
            _ => return None,
        };
        let than = std::str::from_utf8(&rest[1..]).ok()?.parse::<u32>().ok()?;
        Some(Self { what, less, than: i64::from(than) })
    }

    fn holds(self, channel: &Channel, now: Moment) -> bool {
        // By the millisecond: what was set this very moment is more than no minutes ago.
        let (value, than) = match (self.what, &channel.topic) {
            (What::Members, _) => {
                (i64::try_from(channel.members().len()).unwrap_or(i64::MAX), self.than)
            }
            (What::Age, _) => (since(channel.created, now), self.than * 60_000),
            (What::TopicAge, Some(topic)) => (since(topic.at, now), self.than * 60_000),
            (What::TopicAge, None) => return false,
        };
        if self.less { value < than } else { value > than }
    }
}

/// Milliseconds.
fn since(then: Moment, now: Moment) -> i64 {
    now.unix_ms().saturating_sub(then.unix_ms())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_bound_is_a_mask() {
        let bound = |what, less, than| Some(Bound { what, less, than });
        assert_eq!(Bound::parse(b"<3"), bound(What::Members, true, 3));
        assert_eq!(Bound::parse(b"C>10"), bound(What::Age, false, 10));
        assert_eq!(Bound::parse(b"t<0"), bound(What::TopicAge, true, 0));
        for mask in ["#c", "C", "T<", ">x", "C>-1", "X<3", "<99999999999"] {
            assert_eq!(Bound::parse(mask.as_bytes()), None, "{mask}");
        }
    }
}
