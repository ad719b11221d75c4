//! Names the mechanisms that this build really has.
//!
//! The features say what the user wants; `epoll` exists on Linux and Android alone. The one
//! place that knows both sets a plain `cfg` for each, so that the code asks a short question.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let system = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let mut found = false;
    for mechanism in ["select", "poll", "epoll", "mio", "adaptive"] {
        let wanted = env::var_os(format!("CARGO_FEATURE_{}", mechanism.to_uppercase())).is_some();
        let exists = !matches!(mechanism, "epoll" | "adaptive")
            || matches!(system.as_str(), "linux" | "android");
        println!("cargo:rustc-check-cfg=cfg({mechanism})");
        if wanted && exists {
            println!("cargo:rustc-cfg={mechanism}");
            found = true;
        }
    }
    if !found {
        println!(
            "cargo::error=reactor needs a mechanism: enable one of the features `select`, `poll`, \
             `mio`, or, on Linux, `epoll`"
        );
    }
}
