//! Which servers may stand in for Twilio, in tests: those on this machine alone.

use std::net::SocketAddr;

/// The address of a server that stands in for Twilio: loopback, with a port, over TLS.
pub(super) fn loopback(endpoint: &str) -> Option<SocketAddr> {
    let address: SocketAddr = endpoint.strip_prefix("https://")?.trim_end_matches('/').parse().ok()?;
    (address.ip().is_loopback() && address.port() != 0).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::loopback;

    #[test]
    fn only_a_loopback_address_over_tls_stands_in() {
        assert!(loopback("https://127.0.0.1:8443").is_some());
        assert!(loopback("https://[::1]:8443/").is_some());
        for other in [
            "http://127.0.0.1:8443",
            "https://127.0.0.1",
            "https://127.0.0.1:0",
            "https://example.com:443",
            "https://10.0.0.1:443",
            "https://127.0.0.1.example.com:443",
            "https://user@127.0.0.1:1",
        ] {
            assert!(loopback(other).is_none(), "{other}");
        }
    }
}
