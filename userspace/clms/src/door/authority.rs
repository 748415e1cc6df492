//! The cluster's authority: who has its key can make others members.
//!
//! Every node has it, so that each can take newcomers in; a node is trusted with no less
//! anyhow, as its root is root on all.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ED25519, PublicKeyData, SignatureAlgorithm,
};
use ring::{digest, hmac};

use crate::core::member::Key;

/// The name in every certificate: the protocol wants one, and who a node is depends on its
/// key alone.
pub(super) const NAME: &str = "ssi";

/// Bytes of an Ed25519 public key (RFC 8032).
const PUBLIC_KEY: usize = 32;

/// The authority's key can't be made or used.
#[derive(Debug, thiserror::Error)]
#[error("the cluster's authority cannot be used: {0}")]
pub struct BadAuthority(String);

fn bad(error: rcgen::Error) -> BadAuthority {
    BadAuthority(error.to_string())
}

/// The cluster's authority, with its key.
pub struct Authority {
    identity: u64,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// A node's key pair, with the certificate that the authority issued for it.
#[derive(Clone)]
pub struct Papers {
    /// The node's certificate (DER).
    pub certificate: Vec<u8>,
    /// The authority's certificate (DER).
    pub authority: Vec<u8>,
    /// The node's private key (DER, PKCS #8).
    pub key: Vec<u8>,
}

impl Papers {
    /// What the view calls the node's key: the SHA-256 of its certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Key {
        fingerprint(&self.certificate)
    }
}

impl std::fmt::Debug for Papers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Papers(…)")
    }
}

/// SHA-256 of a certificate.
pub(super) fn fingerprint(certificate: &[u8]) -> Key {
    let digest = digest::digest(&digest::SHA256, certificate);
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest.as_ref());
    fingerprint
}

/// A new key pair for a node: the private key (DER, PKCS #8), and the public one.
///
/// # Errors
/// The system has no randomness.
pub(super) fn new_key() -> Result<(Vec<u8>, Vec<u8>), BadAuthority> {
    let pair = KeyPair::generate_for(&PKCS_ED25519).map_err(bad)?;
    Ok((pair.serialize_der(), pair.public_key_raw().to_vec()))
}

impl Authority {
    /// A new authority for a cluster.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate(identity: u64) -> Result<Self, BadAuthority> {
        let pair = KeyPair::generate_for(&PKCS_ED25519).map_err(bad)?;
        let certificate = params(identity)?.self_signed(&pair).map_err(bad)?;
        Ok(Self {
            identity,
            certificate: certificate.der().to_vec(),
            key: pair.serialize_der(),
        })
    }

    /// The authority with this certificate (DER) and key (DER, PKCS #8).
    ///
    /// # Errors
    /// The key makes no sense.
    pub fn new(identity: u64, certificate: Vec<u8>, key: Vec<u8>) -> Result<Self, BadAuthority> {
        KeyPair::try_from(key.as_slice()).map_err(bad)?;
        Ok(Self {
            identity,
            certificate,
            key,
        })
    }

    /// Its cluster's identity.
    #[must_use]
    pub fn identity(&self) -> u64 {
        self.identity
    }

    /// Its certificate (DER).
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Its private key (DER, PKCS #8).
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// What tokens call it: the SHA-256 of its certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Key {
        fingerprint(&self.certificate)
    }

    /// A certificate (DER) for a node's public key.
    ///
    /// # Errors
    /// It is no Ed25519 key.
    pub fn issue(&self, public: &[u8]) -> Result<Vec<u8>, BadAuthority> {
        if public.len() != PUBLIC_KEY {
            return Err(BadAuthority(format!(
                "a public key has {PUBLIC_KEY} bytes, not {}",
                public.len()
            )));
        }
        let pair = KeyPair::try_from(self.key.as_slice()).map_err(bad)?;
        let issuer = Issuer::new(params(self.identity)?, pair);
        let node = CertificateParams::new([NAME.to_owned()]).map_err(bad)?;
        let certificate = node.signed_by(&Public(public), &issuer).map_err(bad)?;
        Ok(certificate.der().to_vec())
    }

    /// A key pair for a node of this machine's own, with its certificate.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn papers(&self) -> Result<Papers, BadAuthority> {
        let (key, public) = new_key()?;
        Ok(Papers {
            certificate: self.issue(&public)?,
            authority: self.certificate.clone(),
            key,
        })
    }

    /// A secret that all who have the authority's key share, one for each purpose.
    #[must_use]
    pub fn secret(&self, purpose: &str) -> [u8; 32] {
        let tag = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, &self.key),
            purpose.as_bytes(),
        );
        let mut secret = [0; 32];
        secret.copy_from_slice(tag.as_ref());
        secret
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority(…)")
    }
}

fn params(identity: u64) -> Result<CertificateParams, BadAuthority> {
    let mut params = CertificateParams::new(Vec::new()).map_err(bad)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let name = format!("ssi cluster {identity:016x}");
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

/// A node's public key, as it came over the wire.
struct Public<'a>(&'a [u8]);

impl PublicKeyData for Public<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_issues_like_the_original() {
        let first = Authority::generate(7).unwrap();
        let again = Authority::new(7, first.certificate().to_vec(), first.key().to_vec()).unwrap();
        assert_eq!(again.fingerprint(), first.fingerprint());
        assert_eq!(again.secret("a"), first.secret("a"));
        assert_ne!(again.secret("a"), first.secret("b"));
        assert_ne!(
            first.papers().unwrap().fingerprint(),
            again.papers().unwrap().fingerprint()
        );
        assert!(first.issue(&[1; 31]).is_err());
        assert!(Authority::new(7, Vec::new(), vec![1, 2, 3]).is_err());
    }
}
