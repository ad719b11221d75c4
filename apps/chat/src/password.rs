//! Passwords of operators: hashed with Argon2, and compared away from the loop, for that takes long.

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::{io, thread};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// Comparisons that may wait for their turn.
const WAITING: usize = 64;

/// The hash of a password, as a line for the file of settings.
///
/// # Errors
///
/// A text that says what Argon2 says of it.
pub fn hash(password: &[u8]) -> Result<String, String> {
    let hashed = Argon2::default().hash_password(password);
    hashed.map(|hash| hash.to_string()).map_err(|error| format!("hash a password: {error}"))
}

/// Whether a text is the hash of a password.
#[must_use]
pub fn is_hash(text: &str) -> bool {
    PasswordHash::new(text).is_ok_and(|hash| hash.hash.is_some())
}

/// Whether a hash is that of this password.
#[must_use]
pub fn is_hash_of(hash: &str, password: &[u8]) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

/// What has come of comparing a password with a hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It is the one.
    Same,
    /// It isn't.
    Other,
    /// Too many are waiting: it wasn't compared.
    Busy,
}

/// A thread that compares, one after the other.
pub struct Checker {
    sender: SyncSender<Check>,
}

struct Check {
    hash: String,
    password: Vec<u8>,
    then: Box<dyn FnOnce(Outcome) + Send>,
}

impl Checker {
    /// Begins the thread, which ends with this.
    ///
    /// # Errors
    ///
    /// That of making a thread.
    pub fn new() -> io::Result<Self> {
        let (sender, receiver) = sync_channel::<Check>(WAITING);
        thread::Builder::new().name("passwords".into()).spawn(move || {
            for check in receiver {
                let same = is_hash_of(&check.hash, &check.password);
                (check.then)(if same { Outcome::Same } else { Outcome::Other });
            }
        })?;
        Ok(Self { sender })
    }

    /// Compares a password with a hash, and tells the answer to `then`, on the other thread. Answers
    /// whether that will be: not if too many are waiting, which is [`Outcome::Busy`].
    pub fn check(
        &self,
        hash: String,
        password: Vec<u8>,
        then: impl FnOnce(Outcome) + Send + 'static,
    ) -> bool {
        let check = Check { hash, password, then: Box::new(then) };
        match self.sender.try_send(check) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_hash_is_that_of_its_password_alone() {
        // Cheap parameters: it is the comparison that is tested.
        let hash = Argon2::new(
            argon2::Algorithm::default(),
            argon2::Version::default(),
            argon2::Params::new(8, 1, 1, None).expect("parameters"),
        )
        .hash_password(b"secret")
        .expect("a hash")
        .to_string();
        assert!(is_hash(&hash) && !is_hash("secret") && !is_hash("$argon2id$v=19$m=8,t=1,p=1$"));
        let (sender, answers) = channel();
        let checker = Checker::new().expect("a thread");
        for password in ["secret", "guess"] {
            let sender = sender.clone();
            let answer = move |same| sender.send(same).expect("somebody asks");
            assert!(checker.check(hash.clone(), password.into(), answer));
        }
        drop(sender);
        assert_eq!(answers.iter().collect::<Vec<_>>(), [Outcome::Same, Outcome::Other]);
        assert!(!is_hash_of("nonsense", b"secret"));
    }

    #[test]
    fn a_full_queue_says_so() {
        let (go, wait) = channel::<()>();
        let checker = Checker::new().expect("a thread");
        assert!(checker.check(String::new(), Vec::new(), move |_| {
            // The other end is gone when all was tried.
            let _ = wait.recv();
        }));
        // The first one may be in the queue still.
        let taken = (0..=WAITING).filter(|_| checker.check(String::new(), Vec::new(), |_| {}));
        assert!((WAITING - 1..=WAITING).contains(&taken.count()));
        drop(go);
    }
}
