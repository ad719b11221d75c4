//! The conformance suite of the poller contract: the cases by topic, each written once and run on
//! each mechanism of the build.
//!
//! `cargo test -p tests --test poller on_poll::` runs those of one mechanism. A case that isn't in
//! the list below is dead code, which the checks deny.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod closed_early;
mod closing;
mod connecting;
mod crowd;
mod datagrams;
#[cfg(any(all(feature = "epoll", target_os = "linux"), feature = "mio"))]
mod embedding;
mod identity;
mod interest;
mod level;
mod limits;
mod marks;
mod numbers;
mod oddities;
mod orphans;
mod process;
mod readiness;
mod time;
mod urgent;
mod waking;

/// Makes of each case one test for each mechanism. The second list's cases get a process each; so do
/// those of the third, which are for mechanisms with a descriptor of their own.
macro_rules! suite {
    (in_process $shared:tt own_process $alone:tt with_descriptor $embedded:tt) => {
        #[cfg(feature = "select")]
        mod on_select {
            on!(reactor::SelectPoller, $shared, $alone, {});
        }
        #[cfg(feature = "poll")]
        mod on_poll {
            on!(reactor::PollPoller, $shared, $alone, {});
        }
        #[cfg(all(feature = "epoll", any(target_os = "linux", target_os = "android")))]
        mod on_epoll {
            on!(reactor::EpollPoller, $shared, $alone, $embedded);
        }
        #[cfg(feature = "mio")]
        mod on_mio {
            on!(reactor::MioPoller, $shared, $alone, $embedded);
        }
        #[cfg(all(feature = "adaptive", any(target_os = "linux", target_os = "android")))]
        mod on_adaptive {
            on!(reactor::AdaptivePoller, $shared, $alone, {});
        }
        #[cfg(all(feature = "adaptive", any(target_os = "linux", target_os = "android")))]
        mod on_restless {
            on!(tests::restless::Restless, $shared, $alone, {});
        }
        mod on_any {
            on!(reactor::AnyPoller, $shared, $alone, {});
        }
    };
}

macro_rules! on {
    (
        $poller:ty,
        { $($topic:ident { $($case:ident)* })* },
        { $($alone_topic:ident { $($alone:ident)* })* },
        { $($embedded_topic:ident { $($embedded:ident)* })* }
    ) => {
        $(mod $topic {
            $(#[test]
            fn $case() {
                crate::$topic::$case::<$poller>();
            })*
        })*
        $(mod $alone_topic {
            $(#[test]
            fn $alone() {
                let name = concat!(module_path!(), "::", stringify!($alone));
                tests::own_process::run(name, crate::$alone_topic::$alone::<$poller>);
            })*
        })*
        $(mod $embedded_topic {
            $(#[test]
            fn $embedded() {
                let name = concat!(module_path!(), "::", stringify!($embedded));
                tests::own_process::run(name, crate::$embedded_topic::$embedded::<$poller>);
            })*
        })*
    };
}

suite! {
    in_process {
        identity {
            a_registered_number_already_exists
            a_registered_slot_already_exists
            a_number_that_is_not_open_is_ebadf
            a_failed_add_leaves_nothing_behind
            a_slot_beyond_the_highest_is_invalid
            a_stranger_is_not_found
            an_old_generation_is_a_stranger
            a_number_reopened_within_a_turn_has_the_new_key
            two_pollers_share_a_descriptor
            a_duplicate_left_open_is_silent_after_remove
        }
        readiness {
            data_is_readable
            room_is_writable
            both_directions_come_at_once
            a_new_connection_makes_a_listener_readable
            readiness_is_masked_by_the_interest
        }
        urgent {
            urgent_data_is_priority
            urgent_data_alone_is_not_readable
            urgent_data_without_interest_is_silent
            data_behind_an_urgent_mark_follows
            an_urgent_byte_on_a_unix_stream_is_priority
            a_short_read_before_an_urgent_mark_is_reported_again
            a_mark_is_remembered_when_its_byte_was_taken
            a_mark_hides_nothing_from_a_reader_without_priority
            an_urgent_byte_in_line_is_data
            an_urgent_byte_in_line_is_readable_and_priority
            an_urgent_byte_taken_from_a_unix_stream_is_gone_after_a_read
        }
        datagrams {
            a_datagram_of_no_bytes_is_readable
            datagrams_come_one_by_one
            a_short_datagram_hides_none_behind_it
            a_short_read_at_passed_descriptors_hides_nothing
            a_refused_datagram_is_readable
        }
        level {
            what_is_left_is_reported_again
            nothing_is_lost_when_stopping_half_way
            new_data_after_would_block_is_reported
            new_data_after_a_short_read_is_reported
            room_after_would_block_is_reported
            room_after_a_short_write_is_reported
            an_eventfd_read_fully_is_silent
            a_listener_with_a_second_connection_is_reported_again
            a_short_read_before_the_end_is_reported_again
            a_blocked_direction_leaves_the_other_alone
            a_hint_for_a_stranger_is_ignored
        }
        interest {
            an_empty_interest_is_silent
            an_empty_interest_is_silent_after_a_close
            an_empty_interest_is_silent_after_a_reset
            an_interest_that_returns_finds_its_data
            an_interest_added_later_finds_what_is_ready
            an_interest_taken_away_is_silent
            an_interest_that_is_back_hears_the_next_data
            a_writer_hears_that_the_other_end_is_gone
            a_hang_up_counts_as_every_direction
            a_reset_counts_as_every_direction
            a_half_close_does_not_wake_a_writer
        }
        closing {
            a_fin_is_readable_and_then_the_end
            data_comes_before_the_fin
            a_reset_is_reported
            data_comes_before_the_reset
            a_unix_close_is_the_end
            a_pipe_whose_writer_is_gone_ends
            a_pipe_whose_reader_is_gone_is_writable
            shutting_the_reading_side_is_readable
            shutting_the_writing_side_says_nothing_new
            shutting_both_sides_is_readable_and_writable
        }
        connecting {
            a_connect_that_succeeds_is_writable
            a_connect_that_is_refused_is_writable
            a_socket_never_connected_is_ready_for_everything
            a_connection_reset_before_its_accept_is_accepted
        }
        marks {
            data_below_the_mark_is_silent
            a_fin_below_the_mark_is_readable
            a_reset_below_the_mark_is_readable
        }
        time {
            zero_asks_and_does_not_wait
            a_timeout_is_never_cut_short
            less_than_a_millisecond_waits_all_the_same
            short_waits_burn_no_processor
            a_huge_timeout_is_ended_by_an_event
            no_timeout_is_ended_by_an_event
        }
        waking {
            a_wake_before_the_wait_ends_it
            a_wake_from_another_thread_ends_a_wait
            many_wakes_end_one_wait
            many_wakes_cost_one_write
            a_wake_is_not_an_event
            a_wake_leaves_events_alone
            each_wake_after_a_wait_counts_again
            all_handles_are_one_waker
            wakes_from_many_threads_are_never_lost
            a_waker_outlives_its_poller
        }
        crowd {
            more_ready_descriptors_than_room_take_turns
            room_for_one_starves_nobody
            a_full_buffer_returns_at_once
            events_are_appended
            adding_and_removing_while_dispatching
            removing_all_but_one
        }
        oddities {
            a_regular_file_is_always_ready
            dev_null_is_always_ready
            a_file_with_no_interest_is_silent
            a_file_is_masked_by_its_interest
            files_and_sockets_share_a_small_buffer
            a_file_that_is_removed_is_silent
            a_file_added_again_is_reported_once
            capabilities_are_those_of_the_mechanism
            a_poller_works_behind_a_dyn_reference
        }
    }
    own_process {
        closed_early {
            a_descriptor_closed_early_never_spins
            a_descriptor_closed_after_its_report_never_spins
            a_closed_file_is_an_error_once
            a_closed_descriptor_does_not_hide_the_others
            a_closed_descriptor_can_be_removed
            a_closed_descriptor_with_no_interest_is_silent
            a_change_for_a_closed_descriptor_is_an_error_event
            a_closed_number_is_taken_until_it_is_removed
            many_closed_descriptors_are_reported_through_a_small_buffer
            a_closed_descriptor_that_nobody_wants_any_more_is_silent
            closed_descriptors_and_changes_take_turns
            a_closed_descriptor_is_in_a_batch_once
        }
        orphans {
            a_removed_orphan_does_not_spin
            an_orphan_repeats_no_wake
            an_orphan_swallows_no_wake
            an_orphan_with_no_interest_is_silent
            a_changed_orphan_is_an_error_once
            an_orphan_is_masked_by_the_interest
            an_orphan_does_not_speak_for_the_next_in_its_slot
            an_orphan_at_the_limit_of_open_files_fails_no_wait
        }
        process {
            all_descriptors_are_close_on_exec
            a_poller_leaves_no_descriptor_behind
            a_storm_of_signals_ends_no_wait_and_lengthens_none
            a_wake_while_the_waker_is_cleared_is_not_lost
        }
        numbers {
            five_thousand_descriptors
            numbers_above_the_old_limit_of_select
            the_highest_number_stands_anywhere_in_its_word
            lower_numbers_follow_higher_ones
            a_number_closed_before_its_add_is_ebadf
            a_poller_watches_none_of_its_own_numbers
        }
        limits {
            no_descriptors_left_is_an_error_of_new
            a_lowered_limit_is_an_answer
            closed_ones_at_a_lowered_limit_fail_no_wait
        }
    }    with_descriptor {
        embedding {
            an_outer_poll_hears_of_data
            an_outer_poll_hears_of_a_wake
            what_is_left_comes_before_the_outer_wait
            a_poller_watches_another
            an_outer_poll_still_hears_after_an_orphan
        }
    }
}
