//! An authority made at start-up, and certificates for Twilio's hosts: a good one and an expired one.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::world::{Region, World};

const PRODUCTS: [&str; 11] = [
    "api",
    "verify",
    "iam",
    "accounts",
    "monitor",
    "insights",
    "conversations",
    "oauth",
    "webhooks",
    "voice",
    "preview-iam",
];

/// What the server needs, and the authority's PEM for those who are to trust it.
pub fn configure(world: Arc<Mutex<World>>) -> (Arc<ServerConfig>, String) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "twilio-sim authority");
    let key = KeyPair::generate().expect("a key");
    let authority = params.self_signed(&key).expect("signed");
    let pem = authority.pem();
    let issuer = Issuer::new(params, key);
    let good = certify(&issuer, false);
    let expired = certify(&issuer, true);
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Resolver { good, expired, world }));
    (Arc::new(config), pem)
}

fn certify(issuer: &Issuer<'static, KeyPair>, expired: bool) -> Arc<CertifiedKey> {
    let names: Vec<String> =
        PRODUCTS.iter().flat_map(|product| Region::ALL.map(|region| region.host(product))).collect();
    let mut params = CertificateParams::new(names).expect("names");
    if expired {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    }
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, issuer).expect("signed");
    let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let signer = ring::sign::any_supported_type(&private).expect("a supported key");
    Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signer))
}

struct Resolver {
    good: Arc<CertifiedKey>,
    expired: Arc<CertifiedKey>,
    world: Arc<Mutex<World>>,
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Resolver")
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let expired = self.world.lock().expect("no panic").expired_certificate;
        Some(Arc::clone(if expired { &self.expired } else { &self.good }))
    }
}
