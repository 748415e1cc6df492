//! TLS 1.3, mutual, between nodes that know each other's keys from the view.
//!
//! There is no authority to trust: a certificate is a name for a key, and its fingerprint
//! in the view is what makes it a node's. Leaving the view therefore revokes it at once.
//! Sessions are never resumed, because that would skip the look at the view.

use std::sync::Arc;

use ring::digest;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::{self as provider, cipher_suite as suite};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme, SupportedCipherSuite, version::TLS13,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::config::Fingerprint;

/// The name that the protocol wants and nobody looks at.
const NAME: &str = "ssi";

/// Both ends have the same list, and use the first of it: AES with 128 bits, which are
/// enough, and faster than 256.
const SUITES: [SupportedCipherSuite; 3] = [
    suite::TLS13_AES_128_GCM_SHA256,
    suite::TLS13_AES_256_GCM_SHA384,
    suite::TLS13_CHACHA20_POLY1305_SHA256,
];

/// A node's key pair and the certificate for it.
#[derive(Clone)]
pub struct Identity {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// A key pair or certificate can't be used.
#[derive(Debug, thiserror::Error)]
#[error("this node's certificate or key cannot be used: {0}; make the node join anew")]
pub struct BadIdentity(String);

impl Identity {
    /// A new Ed25519 key pair, and a certificate that it signs itself.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate() -> Result<Self, BadIdentity> {
        let bad = |error: rcgen::Error| BadIdentity(error.to_string());
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).map_err(bad)?;
        let params = rcgen::CertificateParams::new([NAME.to_owned()]).map_err(bad)?;
        let certificate = params.self_signed(&pair).map_err(bad)?;
        Ok(Self {
            certificate: certificate.der().to_vec(),
            key: pair.serialize_der(),
        })
    }

    /// A certificate (DER) and the private key that belongs to it (DER, PKCS #8).
    #[must_use]
    pub fn new(certificate: Vec<u8>, key: Vec<u8>) -> Self {
        Self { certificate, key }
    }

    /// The certificate (DER).
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The private key (DER, PKCS #8).
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// What the view has to say of this node.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.certificate)
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(…)")
    }
}

/// SHA-256 of a certificate.
pub(super) fn fingerprint(certificate: &[u8]) -> Fingerprint {
    let digest = digest::digest(&digest::SHA256, certificate);
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest.as_ref());
    fingerprint
}

/// Both ends of TLS with this node's identity.
#[derive(Clone)]
pub(super) struct Tls {
    provider: Arc<CryptoProvider>,
    own: Arc<SingleCertAndKey>,
}

/// Whether a certificate with this fingerprint is one of those that are expected.
type Known = Arc<dyn Fn(&Fingerprint) -> bool + Send + Sync>;

impl Tls {
    pub(super) fn new(identity: &Identity) -> Result<Self, BadIdentity> {
        let provider = Arc::new(CryptoProvider {
            cipher_suites: SUITES.to_vec(),
            ..provider::default_provider()
        });
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key.clone()));
        let chain = vec![CertificateDer::from(identity.certificate.clone())];
        let own = CertifiedKey::from_der(chain, key, &provider)
            .map_err(|error| BadIdentity(error.to_string()))?;
        Ok(Self {
            provider,
            own: Arc::new(SingleCertAndKey::from(own)),
        })
    }

    /// The dialling end, for the one node that has this fingerprint.
    pub(super) fn connector(&self, expected: Fingerprint) -> Result<TlsConnector, Error> {
        let known = self.known(Arc::new(move |found: &Fingerprint| *found == expected));
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(known))
            .with_client_cert_resolver(Arc::clone(&self.own) as _);
        config.resumption = Resumption::disabled();
        config.enable_sni = false;
        config.enable_secret_extraction = true;
        Ok(TlsConnector::from(Arc::new(config)))
    }

    /// The listening end, for all nodes whose fingerprint is known when they come.
    pub(super) fn acceptor(&self, known: Known) -> Result<TlsAcceptor, Error> {
        let known = self.known(known);
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(Arc::new(known))
            .with_cert_resolver(Arc::clone(&self.own) as _);
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.enable_secret_extraction = true;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// What a dialling end has to name.
    pub(super) fn name() -> ServerName<'static> {
        ServerName::try_from(NAME).expect("a valid name")
    }

    fn known(&self, known: Known) -> Fingerprints {
        Fingerprints {
            known,
            algorithms: self.provider.signature_verification_algorithms,
        }
    }
}

/// Accepts certificates by their fingerprints, and checks that the other end has the key.
struct Fingerprints {
    known: Known,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Fingerprints {
    fn check(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        if (self.known)(&fingerprint(certificate)) {
            Ok(())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }
}

/// The protocol has no older version here.
fn only_tls13() -> Result<HandshakeSignatureValid, Error> {
    Err(Error::General("only TLS 1.3 is spoken".into()))
}

impl std::fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprints(…)")
    }
}

impl ServerCertVerifier for Fingerprints {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        only_tls13()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Fingerprints {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        only_tls13()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_needs_its_own_key() {
        let (one, other) = (Identity::generate(), Identity::generate());
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_ne!(one.fingerprint(), other.fingerprint());
        assert!(Tls::new(&one).is_ok());
        let stolen = Identity::new(one.certificate, other.key);
        assert!(Tls::new(&stolen).is_err());
        assert!(Tls::new(&Identity::new(vec![1], vec![2])).is_err());
    }
}
