//! A found value. It is wiped from memory when dropped, and there is no way to print it by accident.

use std::collections::BTreeMap;

use zeroize::Zeroize;

use super::Fingerprint;

/// The values of found secrets, by the credential that each is: for asking Twilio, and for nothing else.
pub type Vault = BTreeMap<Fingerprint, Secret>;

/// A value that was found. `Debug` shows its length only, and there is no `Display`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret(String);

impl Secret {
    /// Takes a value over.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value itself: for comparing, hashing, sending to Twilio, and `--show-secrets`; for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_shows_no_part_of_the_value() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".into())), "Secret(7 bytes)");
    }
}
