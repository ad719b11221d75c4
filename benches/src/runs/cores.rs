//! Which cores server and load run on.

use anyhow::ensure;

use crate::cpu;

/// A core each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cores {
    /// The server's.
    pub server: usize,
    /// The load's.
    pub load: usize,
}

impl Cores {
    /// Those that were asked for, and the first ones that are free where none was; nothing where this
    /// process may use only one.
    ///
    /// # Errors
    ///
    /// When this process may not use one that was asked for.
    pub fn choose(server: Option<usize>, load: Option<usize>) -> anyhow::Result<Option<Self>> {
        Self::among(&cpu::usable()?, server, load)
    }

    fn among(
        usable: &[usize],
        server: Option<usize>,
        load: Option<usize>,
    ) -> anyhow::Result<Option<Self>> {
        for core in [server, load].into_iter().flatten() {
            let list = usable.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
            ensure!(usable.contains(&core), "core {core} can't be used here, only: {list}");
        }
        let other_than = |taken| usable.iter().copied().find(|&core| Some(core) != taken);
        let server = server.or_else(|| other_than(load));
        let load = load.or_else(|| other_than(server));
        Ok(server.zip(load).map(|(server, load)| Self { server, load }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_taken_and_what_was_asked_for_kept() {
        let both = |server, load| Some(Cores { server, load });
        for (usable, server, load, chosen) in [
            (&[0, 1][..], None, None, both(0, 1)),
            (&[2, 5, 7], None, None, both(2, 5)),
            (&[0, 1], Some(1), None, both(1, 0)),
            (&[0, 1], None, Some(0), both(1, 0)),
            (&[0, 1], Some(1), Some(1), both(1, 1)),
            (&[0], Some(0), Some(0), both(0, 0)),
            (&[0], None, None, None),
            (&[0], Some(0), None, None),
            (&[0], None, Some(0), None),
        ] {
            assert_eq!(Cores::among(usable, server, load).unwrap(), chosen, "{usable:?}");
        }
    }

    #[test]
    fn a_core_that_cannot_be_used_is_an_error() {
        let error = Cores::among(&[0, 2], Some(1), None).unwrap_err().to_string();
        assert_eq!(error, "core 1 can't be used here, only: 0, 2");
    }
}
