//! The parts without a socket, told the time.

use std::time::Instant;

use proptest::prelude::*;

use super::*;

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// From 10 ms to 10 s.
const POLICY: Retransmission = Retransmission {
    initial: Duration::from_secs(1),
    least: Duration::from_millis(10),
    most: Duration::from_secs(10),
    attempts: 4,
};

fn after(samples: &[u64]) -> RoundTrip {
    let mut trip = RoundTrip::new(&POLICY);
    for sample in samples {
        trip.sample(&POLICY, millis(*sample));
    }
    trip
}

#[test]
fn the_timeout_is_that_of_the_rfc() {
    let table: [(&[u64], Duration); 6] = [
        (&[], millis(1000)),
        // SRTT 100, RTTVAR 50.
        (&[100], millis(300)),
        // RTTVAR 37.5, SRTT 100.
        (&[100, 100], millis(250)),
        // RTTVAR 37.5 + 25, SRTT 112.5.
        (&[100, 200], Duration::from_micros(362_500)),
        // At least, and at most.
        (&[1], millis(10)),
        (&[9000], millis(10_000)),
    ];
    for (samples, timeout) in table {
        assert_eq!(after(samples).timeout(), timeout, "{samples:?}");
    }
}

#[test]
fn the_variation_is_never_less_than_a_tick() {
    let steady = after(&[100; 200]);
    assert_eq!(steady.timeout().as_millis(), 101);
}

#[test]
fn what_was_kept_lasts_until_a_round_trip_is_measured() {
    let mut trip = after(&[100]);
    trip.keep(millis(1200));
    assert_eq!(trip.timeout(), millis(1200));
    trip.keep(millis(600));
    assert_eq!(trip.timeout(), millis(1200), "another one has waited longer");
    trip.sample(&POLICY, millis(100));
    assert_eq!(trip.timeout(), millis(250));
}

#[test]
fn a_request_waits_twice_as_long_each_time_and_is_given_up() {
    let now = Instant::now();
    let mut exchange = Exchange::new(now, millis(3000));
    assert_eq!(exchange.expired(&POLICY), Next::Again(millis(6000)));
    assert_eq!(exchange.expired(&POLICY), Next::Again(millis(10_000)));
    assert_eq!(exchange.expired(&POLICY), Next::Again(millis(10_000)));
    assert_eq!(exchange.expired(&POLICY), Next::GiveUp);
    // Whoever wants no attempt gets one.
    let none = Retransmission { attempts: 0, ..POLICY };
    assert_eq!(Exchange::new(now, millis(1)).expired(&none), Next::GiveUp);
}

#[test]
fn only_what_was_sent_once_is_measured() {
    let now = Instant::now();
    let mut exchange = Exchange::new(now, millis(100));
    assert_eq!(exchange.answered(now + millis(70)), Some(millis(70)));
    assert_eq!(exchange.answered(now - millis(1)), Some(Duration::ZERO), "clocks can be odd");
    exchange.expired(&POLICY);
    assert_eq!(exchange.answered(now + millis(170)), None);
}

#[test]
fn one_peer_has_many_forms() {
    let table = [
        ("192.0.2.1:7", "192.0.2.1:7", true),
        ("192.0.2.1:7", "192.0.2.1:8", false),
        ("192.0.2.1:7", "192.0.2.2:7", false),
        ("[fe80::1%2]:7", "[fe80::1%2]:7", true),
        ("[fe80::1%2]:7", "[fe80::1%3]:7", false),
        ("[fe80::1]:7", "[fe80::1%3]:7", true),
        ("[::1]:7", "127.0.0.1:7", false),
    ];
    for (asked, from, same) in table {
        let [a, b] = [asked, from].map(|address| address.parse().expect("an address"));
        assert_eq!(is_same(a, b), same, "{asked} and {from}");
    }
}

proptest! {
    #[test]
    fn the_timeout_stays_within_its_bounds(
        samples in prop::collection::vec(any::<u64>(), 0..50),
        kept in prop::collection::vec(0_u64..20_000, 0..5),
    ) {
        let mut trip = RoundTrip::new(&POLICY);
        for (at, sample) in samples.iter().enumerate() {
            trip.sample(&POLICY, Duration::from_nanos(*sample));
            prop_assert!(trip.timeout() >= POLICY.least && trip.timeout() <= POLICY.most);
            if let Some(kept) = kept.get(at) {
                let mut exchange = Exchange::new(Instant::now(), trip.timeout());
                exchange.expired(&POLICY);
                trip.keep(bounded(*kept));
                prop_assert!(trip.timeout() >= POLICY.least && trip.timeout() <= POLICY.most);
            }
        }
    }

    /// Against the formulas as they stand in the RFC, in seconds.
    #[test]
    fn the_estimate_is_that_of_the_formulas(samples in prop::collection::vec(1_u64..2000, 1..80)) {
        let mut trip = RoundTrip::new(&POLICY);
        let (mut srtt, mut rttvar) = (0.0, 0.0);
        for (at, sample) in samples.iter().enumerate() {
            trip.sample(&POLICY, millis(*sample));
            let r = *sample as f64 / 1000.0;
            if at == 0 {
                (srtt, rttvar) = (r, r / 2.0);
            } else {
                rttvar = 0.75 * rttvar + 0.25 * f64::abs(srtt - r);
                srtt = 0.875 * srtt + 0.125 * r;
            }
            let rto = (srtt + f64::max(0.001, 4.0 * rttvar)).clamp(0.010, 10.0);
            let difference = (trip.timeout().as_secs_f64() - rto).abs();
            prop_assert!(difference < 1e-5, "{:?} and {rto}", trip.timeout());
        }
    }

    #[test]
    fn a_request_is_sent_as_often_as_told(attempts in 1_u32..20, first in 1_u64..10_000) {
        let policy = Retransmission { attempts, ..POLICY };
        let mut exchange = Exchange::new(Instant::now(), bounded(first));
        let (mut sent, mut waited) = (1, exchange.timeout());
        while let Next::Again(timeout) = exchange.expired(&policy) {
            sent += 1;
            prop_assert!(timeout >= waited && timeout <= policy.most);
            prop_assert!(timeout == waited * 2 || timeout == policy.most);
            waited = timeout;
        }
        prop_assert_eq!(sent, attempts);
    }
}

fn bounded(time: u64) -> Duration {
    round_trip::bounded(&POLICY, millis(time))
}
