//! The identity of a finding across runs, machines and moved lines.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Kind, Secret};

/// SHA-256 of kind, value and path. The values are 128 bits of randomness and more, so it gives nothing away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a value of this kind at this path (relative to the scanned root, with `/`).
    #[must_use]
    pub fn of_finding(kind: Kind, value: &Secret, path: &str) -> Self {
        Self::of(&[kind.as_str(), value.expose(), path])
    }

    /// The identity of a credential, wherever it stands: type and values.
    #[must_use]
    pub fn of_credential(parts: &[&str]) -> Self {
        Self(Self::of(parts).0[..16].to_owned())
    }

    fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        Self(HEXLOWER.encode(&hash.finalize()))
    }

    /// The hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
