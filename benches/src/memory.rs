//! How much memory a process has.

use std::fs;
use std::io;

use anyhow::Context as _;

/// Bytes of a process's own that are in memory: heap, stacks, and what it has written of its data.
///
/// Pages of files, which are code above all, don't count: some hundred KiB of them are read in with the first
/// connections, and would be shared out among all. It is `Anonymous` in smaps_rollup, exact to the page, or where
/// the kernel lacks that file `RssAnon` in status, of which some pages may be missing (proc(5)).
///
/// # Errors
///
/// When there is no such process, or it is another user's.
pub fn anonymous(pid: u32) -> anyhow::Result<u64> {
    let read = |name: &str| {
        let path = format!("/proc/{pid}/{name}");
        let text = fs::read_to_string(&path);
        (path, text)
    };
    let (mut path, mut text) = read("smaps_rollup");
    if text.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        (path, text) = read("status");
    }
    let text = text.with_context(|| format!("read {path}"))?;
    parse(&text).with_context(|| format!("read {path}: it doesn't tell of anonymous memory"))
}

/// From either of the files.
fn parse(text: &str) -> Option<u64> {
    let figure = |line: &'_ str| {
        let line = line.strip_prefix("Anonymous:").or_else(|| line.strip_prefix("RssAnon:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    };
    Some(text.lines().find_map(figure)? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_anonymous_is_in_kib() {
        let rollup = "00400000-7ff [rollup]\nRss:                1234 kB\nPss_Anon:    7 kB\n\
                      Anonymous:            56 kB\nAnonHugePages:  9 kB\n";
        assert_eq!(parse(rollup), Some(56 * 1024));
        assert_eq!(parse("VmRSS:\t    1234 kB\nRssAnon:\t      56 kB\n"), Some(56 * 1024));
        assert_eq!(parse("Rss: 99 kB\n"), None);
    }

    /// A file that is mapped and read is in memory, as code is, and isn't the process's own.
    #[test]
    fn pages_of_files_do_not_count() {
        let rollup = fs::read_to_string("/proc/self/smaps_rollup").unwrap();
        let kib = |name: &str| -> u64 {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        assert!(parse(&rollup).unwrap() / 1024 < kib("Rss:"), "{rollup}");
    }

    #[test]
    fn this_process_has_memory_and_grows() {
        let before = anonymous(std::process::id()).unwrap();
        let more = std::hint::black_box(vec![1_u8; 64 * 1024 * 1024]);
        let after = anonymous(std::process::id()).unwrap();
        assert!(after >= before + more.len() as u64 / 2, "{before} bytes became {after}");
        assert!(anonymous(1 << 23).is_err());
    }
}
