//! Which versions of the libraries took part.

/// Those that are measured, by their names in the lock file.
const CRATES: [&str; 6] = ["reactor", "mio", "polling", "tokio", "calloop", "message-io"];

/// What this program was built with.
const LOCK: &str = include_str!("../../../Cargo.lock");

/// The names and versions of the libraries that are measured. One may be there in two versions: `mio` is,
/// since `message-io` uses an older one.
pub(super) fn all() -> Vec<(String, String)> {
    of(LOCK)
}

/// One line. Of a library that is there twice, the older one is message-io's.
pub(super) fn line(versions: &[(String, String)]) -> String {
    let each = versions.iter().enumerate().map(|(place, (name, version))| {
        let newer = versions.iter().skip(place + 1).any(|(other, _)| other == name);
        format!("{name} {version}{}", if newer { " (message-io's)" } else { "" })
    });
    each.collect::<Vec<_>>().join(", ")
}

fn of(lock: &str) -> Vec<(String, String)> {
    let mut packages = Vec::new();
    let mut name = None;
    for line in lock.lines() {
        if let Some(found) = quoted(line, "name = ") {
            name = Some(found);
        } else if let (Some(version), Some(of)) = (quoted(line, "version = "), name) {
            packages.push((of, version));
        }
    }
    let of = |krate: &&str| {
        let those: Vec<_> = packages.iter().filter(|(name, _)| name == krate).collect();
        those
            .into_iter()
            .map(|(name, version)| ((*name).to_owned(), (*version).to_owned()))
            .collect::<Vec<_>>()
    };
    CRATES.iter().flat_map(of).collect()
}

fn quoted<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_library_has_a_version() {
        let all = all();
        for krate in CRATES {
            assert!(all.iter().any(|(name, _)| name == krate), "{krate}");
        }
    }

    #[test]
    fn the_older_of_two_is_said_to_be_another_s() {
        let versions = [("mio", "0.8"), ("mio", "1.2"), ("tokio", "1.0")];
        let versions = versions.map(|(name, version)| (name.to_owned(), version.to_owned()));
        assert_eq!(line(&versions), "mio 0.8 (message-io's), mio 1.2, tokio 1.0");
    }

    #[test]
    fn a_library_may_be_there_twice() {
        let lock = "version = 4\n\n[[package]]\nname = \"mio\"\nversion = \"0.8.1\"\n\n\
                    [[package]]\nname = \"mio\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"log\"\nversion = \"1\"\n";
        let expected = [("mio", "0.8.1"), ("mio", "1.2.3")];
        assert_eq!(of(lock), expected.map(|(name, version)| (name.to_owned(), version.to_owned())));
    }
}
