//! What each contender looks like on all charts and in all legends.

/// How a contender's line is drawn: what kind it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dashes {
    /// The library.
    Solid,
    /// A plain libc loop.
    Long,
    /// Another library.
    Short,
}

/// A colour and a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) colour: (u8, u8, u8),
    pub(crate) dashes: Dashes,
}

/// The colours of Okabe and Ito, "Color Universal Design", without black and yellow: one of them is hard
/// to see on any page.
const ORANGE: (u8, u8, u8) = (230, 159, 0);
const SKY: (u8, u8, u8) = (86, 180, 233);
const GREEN: (u8, u8, u8) = (0, 158, 115);
const BLUE: (u8, u8, u8) = (0, 114, 178);
const RED: (u8, u8, u8) = (213, 94, 0);
const PURPLE: (u8, u8, u8) = (204, 121, 167);
const GREY: (u8, u8, u8) = (140, 140, 140);
/// Not one of theirs, which are used up: to colour-blind eyes, too, farther from each of these than the nearest two of
/// them are from each other, with a contrast of 4 at least to either page.
const VIOLET: (u8, u8, u8) = (165, 60, 255);

/// A mechanism has one colour, whoever waits with it; other libraries have what is left.
pub(crate) fn of(contender: &str) -> Style {
    let (dashes, mechanism) = match contender.split_once('-') {
        Some(("reactor", mechanism)) => (Dashes::Solid, mechanism),
        // Beside itself asleep, it has another colour.
        Some(("awake", _)) => (Dashes::Solid, "awake"),
        Some(("plain", mechanism)) => (Dashes::Long, mechanism),
        // Timers are the same on each mechanism.
        None if contender == "reactor" => (Dashes::Solid, "epoll"),
        _ => (Dashes::Short, contender),
    };
    let colour = match mechanism {
        "epoll" => BLUE,
        "poll" => ORANGE,
        "select" => GREEN,
        "mio" => PURPLE,
        "adaptive" => VIOLET,
        "tokio" => RED,
        "polling" | "calloop" | "awake" => SKY,
        _ => GREY,
    };
    Style { colour, dashes }
}

#[cfg(test)]
mod tests {
    use reactor::Backend;

    use super::*;

    #[test]
    fn a_mechanism_s_colour_is_the_same_for_all_who_wait_with_it() {
        assert_eq!(of("reactor-epoll").colour, of("plain-epoll").colour);
        assert_eq!(of("reactor-mio").colour, of("mio").colour);
    }

    #[test]
    fn each_mechanism_has_a_colour_of_its_own() {
        let mut mechanisms = vec!["epoll", "poll", "select", "mio", "adaptive"];
        let compiled = Backend::COMPILED.iter().map(|backend| backend.name());
        mechanisms.extend(compiled.filter(|name| !mechanisms.contains(name)).collect::<Vec<_>>());
        let ours = mechanisms.iter().map(|name| of(&format!("reactor-{name}")).colour);
        let mut colours: Vec<_> = ours.chain([of("awake-epoll").colour, GREY]).collect();
        let all = colours.len();
        colours.sort_unstable();
        colours.dedup();
        assert_eq!(colours.len(), all, "{mechanisms:?}");
    }

    #[test]
    fn nobody_looks_like_another() {
        let all = [
            "reactor-epoll",
            "reactor-poll",
            "reactor-select",
            "reactor-mio",
            "reactor-adaptive",
            "awake-epoll",
            "plain-epoll",
            "plain-poll",
            "plain-select",
            "mio",
            "polling",
            "tokio",
            "message-io",
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|other| of(other) != of(one)), "{one}");
        }
    }
}
