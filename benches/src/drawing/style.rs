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
        "tokio" => RED,
        "polling" | "calloop" | "awake" => SKY,
        _ => GREY,
    };
    Style { colour, dashes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mechanism_s_colour_is_the_same_for_all_who_wait_with_it() {
        assert_eq!(of("reactor-epoll").colour, of("plain-epoll").colour);
        assert_eq!(of("reactor-mio").colour, of("mio").colour);
    }

    #[test]
    fn nobody_looks_like_another() {
        let all = [
            "reactor-epoll",
            "reactor-poll",
            "reactor-select",
            "reactor-mio",
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
