//! Connecting over networks that lose, refuse and misroute: each case makes its own, of network
//! namespaces and a pair of veth interfaces, with the routes and the filters that it needs.
//!
//! That needs Linux, the right to do so (CAP_SYS_ADMIN and CAP_NET_ADMIN, as root has them), and the
//! programs `ip` (iproute2) and `nft` (nftables). Where one of them is missing, the cases are listed as
//! ignored, with the reason; with `REACTOR_REQUIRE_NETNS=1` they fail instead. Each case has a process
//! of its own, and the networks end with it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[cfg(target_os = "linux")]
mod cases;
#[cfg(target_os = "linux")]
mod crowd;
#[cfg(target_os = "linux")]
mod ipv6;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod namespace;
#[cfg(target_os = "linux")]
mod network;
#[cfg(target_os = "linux")]
mod suite;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    suite::run()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("there are no network namespaces on this system");
}
