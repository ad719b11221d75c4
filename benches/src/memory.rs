//! How much memory a process has.

use std::fs;

use anyhow::Context as _;

/// Bytes of a process that are in memory, exact to the page (`Rss` in smaps_rollup, proc(5)).
///
/// # Errors
///
/// When there is no such process, or it is another user's.
pub fn resident(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    rss(&text).with_context(|| format!("read {path}: it doesn't tell of Rss"))
}

fn rss(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_rss_is_in_kib() {
        let text = "00400000-7ff [rollup]\nRss:                1234 kB\nPss:      99 kB\n";
        assert_eq!(rss(text), Some(1234 * 1024));
        assert_eq!(rss("Pss: 99 kB\n"), None);
    }

    #[test]
    fn this_process_has_memory_and_grows() {
        let before = resident(std::process::id()).unwrap();
        let more = std::hint::black_box(vec![1_u8; 64 * 1024 * 1024]);
        let after = resident(std::process::id()).unwrap();
        assert!(after >= before + more.len() as u64 / 2, "{before} bytes became {after}");
        assert!(resident(1 << 23).is_err());
    }
}
