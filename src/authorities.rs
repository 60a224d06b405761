//! Certificates of authorities, from a PEM file: for Twilio's stand-in and for forges with an authority of their own.

use std::path::Path;

use reqwest::Certificate;

/// Reads all certificates of a file.
pub fn read(path: &Path) -> Result<Vec<Certificate>, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string())?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| innermost(&error))?;
    if found.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(found) }
}

/// The last cause of an error: reqwest's own text names the URL, which is of no use here.
#[must_use]
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}
