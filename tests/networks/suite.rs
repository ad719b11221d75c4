//! The list of cases, and the harness that runs them, or says why it can't.

use std::env;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use tests::own_process;

use crate::network;

/// With this variable set to 1, a case that can't run has failed.
const REQUIRE: &str = "REACTOR_REQUIRE_NETNS";

/// All cases on one mechanism.
macro_rules! on {
    ($trials:ident, $module:literal, $poller:ty, { $($topic:ident { $($case:ident)* })* }) => {
        $trials.extend([$($((
            concat!($module, "::", stringify!($topic), "::", stringify!($case)),
            crate::$topic::$case::<$poller> as fn(),
        ),)*)*]);
    };
}

macro_rules! suite {
    ($cases:tt) => {
        fn all() -> Vec<(&'static str, fn())> {
            let mut all = Vec::new();
            #[cfg(feature = "select")]
            on!(all, "on_select", reactor::SelectPoller, $cases);
            #[cfg(feature = "poll")]
            on!(all, "on_poll", reactor::PollPoller, $cases);
            #[cfg(feature = "epoll")]
            on!(all, "on_epoll", reactor::EpollPoller, $cases);
            #[cfg(feature = "mio")]
            on!(all, "on_mio", reactor::MioPoller, $cases);
            #[cfg(feature = "adaptive")]
            on!(all, "on_adaptive", reactor::AdaptivePoller, $cases);
            all
        }
    };
}

suite! {{
    cases {
        a_connection_across
        a_filter_that_drops
        the_system_s_own_patience
        a_filter_that_rejects
        a_filter_of_our_own_that_rejects
        routes_that_lead_nowhere
        an_address_that_nobody_has
        a_reset_in_the_middle
        a_silent_first_address_and_a_live_second
        ports_that_are_used_up
        a_port_serves_several_peers
        an_accident_that_connects_to_itself
        a_server_that_restarts
    }
    ipv6 {
        a_connection_across
        a_silent_first_family_and_a_live_second
    }
    crowd {
        five_thousand_at_once
    }
    names {
        one_that_is_slow_holds_no_other_up
    }
}}

pub(crate) fn run() -> ExitCode {
    let obstacle = network::obstacle();
    let without_ipv6 = obstacle.clone().or_else(network::ipv6_obstacle);
    let trials = all().into_iter().map(|(name, case)| {
        let needs_ipv6 = name.contains("::ipv6::");
        trial(name, case, if needs_ipv6 { without_ipv6.as_deref() } else { obstacle.as_deref() })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn trial(name: &'static str, case: fn(), obstacle: Option<&str>) -> Trial {
    let Some(reason) = obstacle.map(str::to_owned) else {
        return Trial::test(name, move || {
            own_process::run(&format!("networks::{name}"), case);
            Ok(())
        });
    };
    if env::var(REQUIRE).is_ok_and(|value| value == "1") {
        let text = format!("{reason}; {REQUIRE} forbids to leave it out");
        return Trial::test(name, move || Err(Failed::from(text)));
    }
    Trial::test(name, || Ok(())).with_ignored_flag(true).with_kind(reason)
}
