//! What is wrong with an echo.

use std::fmt;

/// What came back wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A byte was changed.
    Byte {
        /// Its place in the message.
        at: usize,
        sent: u8,
        came: u8,
    },
    /// So many bytes came that nobody had sent.
    Surplus(usize),
}

impl Wrong {
    /// The first byte that differs, the first of `came` being byte `offset` of the message.
    #[cold]
    pub(super) fn byte(sent: &[u8], came: &[u8], offset: usize) -> Self {
        let mut pairs = sent.iter().zip(came).enumerate();
        match pairs.find(|(_, (sent, came))| sent != came) {
            Some((at, (&sent, &came))) => Self::Byte { at: offset + at, sent, came },
            None => Self::Surplus(came.len().saturating_sub(sent.len())),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte { at, sent, came } => {
                write!(f, "byte {at} came back as {came:#04x} instead of {sent:#04x}")
            }
            Self::Surplus(bytes) => write!(f, "{bytes} bytes more came back than were sent"),
        }
    }
}
