//! Whether a client is there: it has to register in time, and to say something now and then.

use std::time::{Duration, Instant};

use crate::config::Limits;

/// When a client came, and when it last said anything.
pub(super) struct Presence {
    since: Instant,
    heard: Instant,
    /// When it was asked whether it is there, if it hasn't said anything since.
    asked: Option<Instant>,
}

/// What a client's silence means.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Silence {
    /// Nothing, until so much later.
    Bearable(Duration),
    /// It has to be asked whether it is there; and what it says by so much later is looked at.
    Asked(Duration),
    /// It is over, with this reason.
    Over(String),
}

impl Presence {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, heard: now, asked: None }
    }

    /// It has said something.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
    }

    /// When to look first.
    pub(super) fn first_look(limits: &Limits) -> Duration {
        Duration::from_secs(limits.registration_seconds.min(limits.ping_seconds))
    }

    /// Looks whether the client has registered in time, and whether it is there.
    pub(super) fn silence(&mut self, now: Instant, registered: bool, limits: &Limits) -> Silence {
        let seconds = Duration::from_secs;
        let (ping, drop) = (seconds(limits.ping_seconds), seconds(limits.drop_seconds));
        if !registered {
            let left = seconds(limits.registration_seconds).saturating_sub(now - self.since);
            return match left {
                Duration::ZERO => Silence::Over("Registration timed out".into()),
                // Once it has registered, it is to be asked in time.
                left => Silence::Bearable(left.min(ping)),
            };
        }
        let silent = now - self.heard;
        // Who was never asked isn't dropped, however late it is: perhaps the process stood still.
        let answer = drop.saturating_sub(ping);
        match self.asked {
            None if silent < ping => Silence::Bearable(ping - silent),
            None => {
                self.asked = Some(now);
                Silence::Asked(answer)
            }
            Some(asked) if now - asked < answer => Silence::Bearable(answer - (now - asked)),
            Some(_) => Silence::Over(format!("Ping timeout: {} seconds", silent.as_secs())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_is_asked_and_then_dropped() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let limits = Limits { ping_seconds: 20, drop_seconds: 30, ..Limits::default() };
        let mut client = Presence::new(begin);
        let look = |client: &mut Presence, second| client.silence(at(second), true, &limits);
        assert_eq!(look(&mut client, 5), Silence::Bearable(Duration::from_secs(15)));
        assert_eq!(look(&mut client, 20), Silence::Asked(Duration::from_secs(10)));
        assert_eq!(look(&mut client, 25), Silence::Bearable(Duration::from_secs(5)));
        client.heard(at(29));
        assert_eq!(look(&mut client, 30), Silence::Bearable(Duration::from_secs(19)));
        // Nobody has looked for long: it is asked first nevertheless.
        assert_eq!(look(&mut client, 1000), Silence::Asked(Duration::from_secs(10)));
        assert_eq!(look(&mut client, 1010), Silence::Over("Ping timeout: 981 seconds".into()));
    }

    #[test]
    fn who_does_not_register_is_dropped_whatever_it_says() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let limits = Limits { registration_seconds: 60, ping_seconds: 20, ..Limits::default() };
        let mut client = Presence::new(begin);
        assert_eq!(
            client.silence(at(1), false, &limits),
            Silence::Bearable(Duration::from_secs(20))
        );
        client.heard(at(59));
        assert_eq!(
            client.silence(at(59), false, &limits),
            Silence::Bearable(Duration::from_secs(1))
        );
        let Silence::Over(_) = client.silence(at(60), false, &limits) else {
            panic!("it goes on");
        };
    }
}
