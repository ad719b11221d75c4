//! The mechanisms of the library that this build has, as types.

use std::io;

use reactor::{Backend, Poller};

/// One of the library's mechanisms.
pub(super) trait Mechanism: Poller + Sized + 'static {
    /// The name in charts.
    const NAME: &'static str;

    /// A poller without descriptors.
    fn new() -> io::Result<Self>;
}

/// What there is one of for each mechanism.
pub(super) trait PerMechanism {
    /// That of `P`.
    fn of<P: Mechanism>() -> Self;
}

macro_rules! mechanisms {
    ($($feature:literal $poller:ident)*) => {
        $(
            #[cfg(feature = $feature)]
            impl Mechanism for reactor::$poller {
                const NAME: &'static str = concat!("reactor-", $feature);

                fn new() -> io::Result<Self> {
                    Self::new()
                }
            }
        )*

        /// One for each mechanism of this build, in the library's order.
        pub(super) fn each<T: PerMechanism>() -> Vec<T> {
            let of = |backend: &Backend| match backend.name() {
                $(
                    #[cfg(feature = $feature)]
                    $feature => Some(T::of::<reactor::$poller>()),
                )*
                _ => None,
            };
            Backend::COMPILED.iter().filter_map(of).collect()
        }
    };
}

mechanisms! {
    "select" SelectPoller
    "poll" PollPoller
    "epoll" EpollPoller
    "mio" MioPoller
    "adaptive" AdaptivePoller
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Name(&'static str);

    impl PerMechanism for Name {
        fn of<P: Mechanism>() -> Self {
            Self(P::NAME)
        }
    }

    #[test]
    fn no_mechanism_is_left_out() {
        let names: Vec<_> = each::<Name>().into_iter().map(|name| name.0.to_owned()).collect();
        let compiled = Backend::COMPILED.iter().map(|backend| format!("reactor-{backend}"));
        assert_eq!(names, compiled.collect::<Vec<_>>());
    }
}
