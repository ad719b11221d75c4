//! What no log may have.

use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error};

/// Something that isn't shown by [`Debug`](fmt::Debug), whatever it is a part of, nor by the error of a file of
/// settings where it is no text.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret<T>(pub T);

impl<'de> Deserialize<'de> for Secret<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The error of a number has the number in it.
        let wrong = |_| D::Error::custom("invalid type, expected a string in quotes");
        String::deserialize(deserializer).map(Self).map_err(wrong)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

impl<T> Deref for Secret<T> {
    type Target = T;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl From<&str> for Secret<String> {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let shown = format!("{:?}", Some(Secret::from("sesame")));
        assert_eq!(shown, "Some((secret))");
    }
}
