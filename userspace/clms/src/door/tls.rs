//! TLS 1.3 at the door: certificates of the cluster's authority.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring as provider};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::authority::{self, NAME, Papers};
use crate::core::member::Key;

fn crypto() -> Arc<CryptoProvider> {
    Arc::new(provider::default_provider())
}

fn roots(authority: &[u8]) -> Result<Arc<RootCertStore>, Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.to_vec()))?;
    Ok(Arc::new(roots))
}

/// The node's own chain: who has no trust yet but a fingerprint needs the authority's too.
fn chain(papers: &Papers) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = [&papers.certificate, &papers.authority];
    let chain = chain.map(|one| CertificateDer::from(one.clone()));
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(papers.key.clone()));
    (chain.into(), key)
}

/// The listening end. Those who come without a certificate are let as far as a token.
pub(super) fn acceptor(papers: &Papers) -> Result<TlsAcceptor, Error> {
    let clients = WebPkiClientVerifier::builder_with_provider(roots(&papers.authority)?, crypto())
        .allow_unauthenticated()
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    let (chain, key) = chain(papers);
    let mut config = ServerConfig::builder_with_provider(crypto())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The knocking end, of one who has papers.
pub(super) fn connector(papers: &Papers) -> Result<TlsConnector, Error> {
    let (chain, key) = chain(papers);
    let mut config = ClientConfig::builder_with_provider(crypto())
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots(&papers.authority)?)
        .with_client_auth_cert(chain, key)?;
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The knocking end, of one who only knows the authority's fingerprint.
pub(super) fn stranger(authority: Key) -> Result<TlsConnector, Error> {
    let pinned = Pinned {
        authority,
        crypto: crypto(),
    };
    let mut config = ClientConfig::builder_with_provider(crypto())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(TlsConnector::from(Arc::new(config)))
}

/// What a knocking end has to name.
pub(super) fn name() -> ServerName<'static> {
    ServerName::try_from(NAME).expect("a valid name")
}

/// Trusts the one authority that has this fingerprint, and whom it issued a certificate.
#[derive(Debug)]
struct Pinned {
    authority: Key,
    crypto: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = intermediates
            .iter()
            .find(|shown| authority::fingerprint(shown) == self.authority)
            .ok_or(CertificateError::UnknownIssuer)?;
        let crypto = Arc::clone(&self.crypto);
        WebPkiServerVerifier::builder_with_provider(roots(found)?, crypto)
            .build()
            .map_err(|error| Error::General(error.to_string()))?
            .verify_server_cert(end_entity, &[], name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only TLS 1.3 is spoken".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.crypto.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto
            .signature_verification_algorithms
            .supported_schemes()
    }
}
