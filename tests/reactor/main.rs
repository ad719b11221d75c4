//! The suite of the loop: the cases by topic, each written once and run on each mechanism of the
//! build, through real sockets.
//!
//! `cargo test -p tests --test reactor on_poll::` runs those of one mechanism. A case that isn't in
//! the list below is dead code, which the checks deny.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod budgets;
mod closing;
mod codecs;
mod connecting;
mod crowd;
mod delivery;
mod descriptors;
#[cfg(any(all(feature = "epoll", target_os = "linux"), feature = "mio"))]
mod embedding;
mod half_closing;
mod keeping;
mod last_words;
mod layers;
mod lifecycle;
mod listeners;
mod mailbox;
mod marks;
mod memory;
mod options;
mod racing;
mod raw;
mod raw_marks;
mod reader;
mod reading;
mod reentrancy;
mod relaying;
mod requests;
mod signals;
mod spinning;
mod starved;
mod stopping;
mod timers;
mod typing;
mod udp;
mod udp_bursts;
mod udp_errors;
mod udp_groups;
mod udp_peers;
mod unwatchable;
mod urgent;
mod waiting;
mod writing;

/// Makes of each case one test for each mechanism. The second list's cases get a process each, those
/// of the third need a mechanism with a descriptor of its own. Those of one system say so as items do.
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
        { $($topic:ident { $($(#[$when:meta])* $case:ident)* })* },
        { $($alone_topic:ident { $($alone:ident)* })* },
        { $($embedded_topic:ident { $($embedded:ident)* })* }
    ) => {
        $(mod $topic {
            $($(#[$when])*
            #[test]
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
                crate::$embedded_topic::$embedded::<$poller>();
            })*
        })*
    };
}

suite! {
    in_process {
        budgets {
            a_callback_ends_also_with_a_fast_peer
            a_callback_of_small_sends_ends_also_with_a_fast_peer
            small_bites_leave_room_for_others
        }
        last_words {
            finish_drops_nothing_that_waits
            a_failed_write_drops_nothing_that_waits
            come_after_finish
            come_after_finish_in_a_timer
            nothing_comes_in_a_pause
            new_limits_keep_the_deadline
        }
        spinning {
            a_wake_ends_the_spin
            a_message_ends_the_spin
            what_is_ready_ends_the_spin
            a_timeout_ends_the_spin
            a_loop_that_slept_long_sleeps_at_once
            a_loop_that_is_not_told_to_never_spins
        }
        stopping {
            a_stop_loses_nothing_that_the_kernel_has
            an_idle_end_loses_nothing_that_the_kernel_has
            a_stop_with_nothing_unread_loses_nothing
            a_shut_down_doesn_t_undo_a_stop
        }
        layers {
            a_handler_can_wrap_any_other
        }
        lifecycle {
            a_conversation_comes_in_order
            a_peer_that_says_nothing_finishes_too
            a_reset_is_an_error
            a_reset_before_it_was_accepted_ends_that_one_alone
            an_abort_is_a_reset
            stop_ends_all
            stop_in_a_callback_ends_all
            shut_down_lets_all_drain
            shut_down_ends_at_its_deadline
            shut_down_without_connections_stops
            a_stopped_loop_stays_stopped
            an_old_id_is_refused
            an_old_id_leaves_its_successor_alone
            the_error_of_one_is_its_own
            a_connection_knows_its_addresses_and_listener
            accepted_knows_a_peer_that_has_reset
            what_begins_outside_of_a_callback_has_the_handler_too
            a_panic_ends_the_loop_for_ever
            a_panic_while_closing_is_no_different
        }
        reentrancy {
            every_callback_may_close_itself
            every_callback_may_abort_itself
            every_callback_may_stop_the_loop
            one_callback_may_end_all
            who_was_closed_in_a_turn_hears_no_more_in_it
            who_was_aborted_in_a_turn_hears_no_more_in_it
            a_callback_may_listen
            a_callback_may_send_to_all
            closed_may_send_to_others
            closed_may_end_others
        }
        reading {
            what_was_left_comes_with_what_follows
            a_pause_at_the_end_holds_it_back
            a_low_water_mark_is_exact
            a_low_water_mark_counts_what_was_left
            what_is_below_the_mark_comes_at_the_end
            what_is_below_the_mark_comes_before_a_reset
            what_was_left_comes_once_more_at_the_end
            a_high_water_mark_pauses_and_taking_resumes
            a_low_water_mark_above_the_high_one_raises_it
            a_paused_connection_is_silent
            what_was_left_comes_in_the_turn_that_resumes
            a_callback_of_another_source_may_resume
            pausing_and_resuming_in_one_turn_loses_nothing
            resume_in_data_brings_the_rest_again
            a_new_low_water_mark_holds_at_once
            a_mark_set_in_data_holds_for_what_is_left
            the_end_waits_for_a_handler_that_wants_the_rest
            asking_again_without_taking_doesn_t_spin
            resume_after_the_end_brings_what_was_left
            a_flood_doesn_t_delay_others
            bulk_is_read_to_its_end
        }
        reader {
            is_shown_all_in_order
        }
        marks {
            one_long_message_is_one_call
            the_kernel_s_mark_spares_wake_ups
            the_kernel_s_mark_is_what_is_missing
            the_kernel_s_mark_is_left_alone_where_it_is_no_help
            a_mark_of_its_own_is_exact
            a_lower_mark_holds_for_what_has_come
            a_mark_beyond_all_buffers_is_reached
            single_bytes_reach_a_mark_in_short_memory
            what_is_below_a_mark_wakes_nobody
            an_urgent_byte_below_a_mark_does_no_harm
            the_end_below_a_mark_is_told
            a_reset_below_a_mark_is_told
            a_pause_below_a_mark_loses_nothing
            closing_below_a_mark_resets_nobody
            who_sends_below_a_mark_isn_t_idle
            a_mark_that_is_back_where_it_was_doesn_t_spin
            who_sends_behind_an_urgent_byte_isn_t_idle
        }
        raw_marks {
            a_descriptor_s_mark_is_exact
            what_is_below_a_descriptor_s_mark_wakes_seldom
            the_end_below_a_descriptor_s_mark_is_told
            a_descriptor_s_lower_mark_holds_for_what_has_come
            a_descriptor_s_mark_leaves_writing_alone
            a_descriptor_comes_back_without_a_mark
            what_can_t_have_a_mark_says_so
            an_urgent_byte_that_was_taken_hides_nothing
            the_end_of_a_terminal_s_input_is_told
            who_doesn_t_ask_for_reading_is_not_looked_after
        }
        codecs {
            a_long_frame_wakes_its_handler_once
            frames_come_as_they_were_sent
            lines_come_as_they_were_sent
            a_message_that_is_cut_off_is_seen_at_the_end
            too_long_a_message_is_an_error_at_once
        }
        writing {
            small_sends_are_queued_and_come
            queued_counts_what_the_callback_has_sent
            all_kinds_of_sends_keep_their_order
            sends_of_nothing_do_nothing
            who_keeps_up_is_above_no_mark
            above_high_water_is_said_and_drained_comes_once
            below_high_water_nothing_drains
            marks_hold_in_a_callback
            drained_may_fill_the_queue_again
            beyond_its_cap_a_connection_is_closed
            a_send_beyond_the_cap_is_not_queued
            no_bytes_follow_an_overflow
            shared_bytes_go_to_many
            a_slow_reader_delays_nobody
            both_directions_are_full_and_all_comes
            little_waits_unsent_in_the_kernel
        }
        closing {
            finish_ends_our_side_alone
            finish_sends_all_that_is_queued_before
            answers_go_on_after_the_peer_has_finished
            close_sends_all_to_a_slow_reader
            a_peer_that_goes_on_sending_loses_nothing_of_ours
            lingering_ends_at_the_deadline
            lingering_ends_at_its_most_bytes
            draining_ends_at_its_deadline
            a_peer_that_goes_while_we_drain_is_an_error
            the_last_words_arrive_after_a_failed_write
            the_last_words_arrive_before_a_reset
            a_reset_stays_the_reason
            a_reset_is_the_reason_of_a_close_too
            an_abort_drops_what_is_queued
            who_is_idle_is_closed_and_nobody_else
            idle_counts_from_the_last_byte
            who_is_sent_to_isn_t_idle
            an_idle_reader_learns_that_it_was_not_all
            an_idle_timeout_can_be_set_and_taken_back
            a_finished_peer_that_reads_slowly_gets_all
        }
        connecting {
            a_connection_that_was_made_is_as_any_other
            the_families_of_addresses
            nothing_comes_before_the_turn_ends
            who_is_refused_is_told_so
            a_path_without_a_socket_is_an_error
            what_is_no_target_is_an_error
            a_full_backlog_takes_no_longer_than_its_time
            a_full_unix_backlog_is_waited_for
            a_full_unix_backlog_takes_no_longer_than_its_time
            nobody_is_connected_to_himself
            a_peer_that_resets_at_once
            what_is_cancelled_fails_once
            what_is_cancelled_at_once_never_begins
            what_isn_t_connected_takes_nothing
            a_connect_may_follow_in_each_callback
            a_stop_ends_connects
            a_shut_down_ends_connects
            a_connect_while_shutting_down_fails_when_it_stops
            a_connect_in_the_last_callbacks_is_none
            a_source_address_is_used
            an_option_that_is_refused_is_told
            a_source_of_another_family_is_told
            a_source_that_no_interface_has_is_told
            a_connection_has_the_options_that_were_chosen
            a_pending_connect_wakes_nobody
            a_full_unix_backlog_burns_no_processor
            an_idle_timeout_holds_for_those_that_were_made
        }
        racing {
            the_next_address_joins_one_that_is_silent
            the_next_address_follows_a_refusal_at_once
            all_addresses_refused_are_all_told
            a_thousand_addresses_hold_nobody_up
            rounds_without_a_pause_have_their_time
            rounds_go_on_until_somebody_listens
            rounds_end
            all_of_it_has_its_time
            localhost_is_found
            a_name_that_is_none_is_an_error
            a_lookup_can_be_cancelled
        }
        keeping {
            a_kept_peer_comes_back_after_a_restart
            a_stable_connection_makes_the_next_wait_short
            a_short_connection_leaves_the_waits_growing
            who_closes_a_connection_gets_the_next
            a_peer_that_is_let_go_is_not_connected_again
            a_connect_to_a_peer_that_is_let_go_is_cancelled
            a_peer_may_be_let_go_in_each_callback
            where_a_connection_came_from_is_told_to_its_end
            a_peer_that_names_nothing_is_let_go
            a_shut_down_lets_peers_go
        }
        typing {
            an_input_that_is_empty
            an_input_that_is_a_file
            an_input_that_is_a_pipe
            an_input_that_is_a_terminal
            a_server_that_ends_first
            a_server_that_isn_t_there
        }
        half_closing {
            all_that_was_asked_comes_back
            nothing_asked_is_nothing_back
            the_answer_follows_the_end
            an_answer_that_is_cut_off_isn_t_whole
            nobody_answers
        }
        relaying {
            both_ways_to_both_ends
            a_slow_reader_holds_a_fast_sender_back
            words_wait_until_somebody_listens
            what_is_cut_off_doesn_t_look_whole
        }
        delivery {
            what_is_sent_is_what_comes
        }
        listeners {
            tcp_over_ipv6
            an_ipv6_listener_leaves_ipv4_alone
            a_dual_stack_listener_serves_both
            a_taken_port_is_an_error_that_says_so
            who_gives_no_address_is_told_how_one_looks
            a_unix_socket_s_file_goes_with_its_listener
            a_unix_socket_without_a_directory_is_an_error_that_says_so
            a_stale_unix_socket_is_replaced
            what_is_no_socket_is_left_alone
            an_abstract_unix_name_needs_no_file
            who_is_beyond_the_limit_waits
            a_limit_of_one_serves_one_after_the_other
            a_full_listener_waits_for_one_of_its_own
            a_listener_has_limits_of_its_own
            closing_a_listener_turns_away_who_waits
        }
        unwatchable {
            they_wait_for_room
            who_is_resumed_without_room_is_asked_for_again
            who_waits_for_urgent_bytes_is_asked_for_again
            a_listener_without_room_is_asked_for_again
            a_descriptor_without_room_is_asked_for_again
            a_lowered_mark_without_room_is_asked_for_again
        }
        udp {
            datagrams_come_and_are_answered
            #[cfg(target_os = "linux")]
            the_answer_comes_from_the_address_that_was_asked
            a_dual_stack_socket_answers_both
            a_flood_of_datagrams_leaves_time_for_others
            an_error_has_its_number
            a_connected_socket_hears_of_its_peer_alone
            a_closed_socket_is_silent_and_its_id_refused
        }
        requests {
            an_answer_ends_a_request
            a_lost_datagram_is_sent_again
            silence_is_given_up
            a_stranger_answers_nothing
            another_socket_hears_no_answer
            a_request_can_be_cancelled
            what_can_t_be_asked_waits_for_nothing
            #[cfg(target_os = "linux")]
            an_error_names_the_requests_that_it_is_about
            a_request_to_the_unspecified_address_is_answered
        }
        udp_peers {
            without_its_peer_a_socket_hears_all_where_it_was
            a_new_peer_is_reached_by_its_own_way
            a_failed_connect_leaves_no_peer
            a_peer_chosen_in_a_callback_is_heard_alone_at_once
        }
        udp_errors {
            an_error_comes_once
            #[cfg(target_os = "linux")]
            each_error_names_its_peer
            #[cfg(target_os = "linux")]
            one_peer_s_error_keeps_nothing_from_another
            #[cfg(target_os = "linux")]
            errors_and_datagrams_come_side_by_side
            who_wants_no_errors_hears_none
            an_error_of_the_call_comes_from_the_call_alone
            a_socket_may_be_closed_in_its_error
            #[cfg(target_os = "linux")]
            errors_leave_room_for_datagrams
        }
        udp_bursts {
            a_burst_comes_in_order
            a_batch_goes_to_its_addresses
            a_burst_is_cut_into_datagrams
            joined_datagrams_come_one_by_one
            #[cfg(target_os = "linux")]
            what_is_dropped_is_counted
            #[cfg(target_os = "linux")]
            a_larger_buffer_holds_a_longer_burst
        }
        udp_groups {
            a_group_is_heard_by_those_who_join
            a_group_of_ipv6_is_heard_by_those_who_join
            #[cfg(target_os = "linux")]
            a_broadcast_reaches_who_listens
            one_port_serves_tcp_and_udp
        }
        raw {
            a_descriptor_of_ones_own_is_told_of
            an_interest_that_was_taken_away_is_silent_at_once
        }
        options {
            what_a_listener_has_its_connections_have
            what_a_unix_listener_has_its_connections_have
            udp_sockets_are_made_with_options
            a_refusal_names_the_option_and_the_value
            what_is_in_use_is_said_alike
            two_listeners_share_a_port
            a_client_that_says_nothing_isn_t_announced
            a_mark_of_the_kernel_s_saves_waking_up
            every_socket_knows_its_names
            an_old_id_has_no_socket
        }
        urgent {
            an_urgent_byte_doesn_t_spin
            what_follows_an_urgent_byte_comes
            an_urgent_byte_overtakes_the_others
            who_doesn_t_ask_hears_nothing
            who_no_longer_asks_hears_nothing
            a_handler_can_drop_all_up_to_the_mark
            the_mark_counts_more_than_low_water
            what_waits_below_low_water_comes_before_a_mark
            a_pause_doesn_t_hold_urgent_bytes_back
            a_pause_keeps_the_place_of_an_urgent_byte
            a_paused_listener_for_urgent_bytes_doesn_t_spin
            a_callback_may_end_the_connection
            a_callback_may_answer
            bulk_before_an_urgent_byte_ends_at_it
            an_urgent_byte_is_sent_as_such
            an_urgent_byte_is_sent_in_its_place
            an_urgent_byte_waits_in_the_queue
            who_sends_no_more_sends_nothing_urgent
            one_that_is_announced_later_is_waited_for
            one_that_is_on_its_way_doesn_t_spin
            in_line_it_is_one_byte_among_the_others
        }
        descriptors {
            a_unix_datagram_socket_works
            a_seqpacket_socket_works
            both_ends_of_a_pipe_work
            a_listener_of_ones_own_works
            an_eventfd_works
            a_raw_icmp_socket_works
            a_netlink_socket_works
            changes_of_interfaces_are_told
        }
        timers {
            timers_come_in_order_and_never_early
            a_turn_has_one_time
            a_timer_set_between_turns_counts_from_then
            a_cancelled_timer_doesn_t_come
            a_due_timer_can_be_cancelled
            a_timer_can_be_put_off_and_brought_forward
            a_timer_can_rearm_itself
            repeat_doesn_t_drift
            repeat_leaves_out_what_is_over
            timers_may_be_set_from_timers
            a_crowd_of_timers_comes_in_order
            times_without_end_are_no_danger
        }
        mailbox {
            a_post_ends_a_wait
            each_thread_s_messages_come_in_order
            many_posts_wake_once
            a_flood_of_messages_leaves_time_for_others
            a_full_mailbox_pushes_back
            a_new_owner_doesn_t_wait_for_itself
            a_callback_may_post
            a_stop_drops_what_is_unread
            a_stop_ends_a_post_that_waits
            a_mailbox_outlives_its_loop
        }
        waiting {
            idle_connections_wake_nobody
            a_paused_connection_wakes_nobody
            a_half_closed_connection_wakes_nobody
            a_full_socket_wakes_nobody
            a_far_timer_wakes_nobody
            a_timer_costs_one_wait
            a_cancelled_timer_wakes_nobody
            a_message_costs_one_wait
            work_that_is_there_waits_for_nothing
            a_turn_without_time_doesn_t_wait
            a_lingering_connection_wakes_nobody
        }
    }
    own_process {
        memory {
            headers_between_shared_bodies_cost_what_they_are
            a_tick_to_a_crowd_costs_what_it_is
            a_byte_left_of_a_long_frame_costs_a_byte
        }
        crowd {
            a_crowd_at_once_is_all_accepted
            a_crowd_doesn_t_delay_others
            hundreds_of_connects_all_end
        }
        starved {
            connections_go_on
            a_starved_listener_doesn_t_spin
            who_can_t_be_served_is_turned_away
            a_close_makes_room_at_once
            a_close_makes_room_for_every_listener
            accepting_goes_on_when_descriptors_are_free
            a_starved_listener_can_be_closed
            a_connect_without_descriptors_fails
            a_mark_needs_no_descriptor
        }
        signals {
            signals_are_callbacks
            a_signal_ends_a_wait
            many_of_one_are_told_once
            a_broken_pipe_ends_no_process
        }
    }
    with_descriptor {
        embedding {
            a_server_works_inside_another_loop
            one_turn_does_what_there_is_to_do
            bulk_comes_through_to_its_end
            prepare_respects_timers
            prepare_finds_what_is_pending
            prepare_may_be_called_again
            a_post_makes_the_descriptor_ready
            an_idle_loop_lets_the_other_sleep
        }
    }
}
