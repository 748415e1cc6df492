//! Join tokens: `ssi1-` and 72 bytes in base64 (URL alphabet).
//!
//! A token names the cluster and the authority that a newcomer must find behind the door,
//! so that nobody else can take it in, and carries a tag by which any node of the cluster
//! knows it for its own. It says until when it is valid.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use ring::hmac;

use super::authority::Authority;
use crate::core::member::Key;

const PREFIX: &str = "ssi1-";
/// Bytes of the tag, the first of an HMAC-SHA256.
const TAG: usize = 16;
/// Bytes of the rest: identity, authority, end, salt.
const BODY: usize = 8 + 32 + 8 + 8;
const PURPOSE: &str = "join token";

/// What lets a node join, for a while.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Which cluster.
    pub identity: u64,
    /// Its authority: the SHA-256 of the certificate.
    pub authority: Key,
    /// Until when, in seconds since 1970.
    pub expires: u64,
    salt: u64,
    tag: [u8; TAG],
}

/// Why a token lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// It was not copied whole, or is none.
    #[error("that is no join token; copy all of what `ssi token` prints: {PREFIX}…")]
    Malformed,
    /// It is of another cluster.
    #[error("the token is for another cluster; make one here with `ssi token`")]
    OtherCluster,
    /// Nobody here made it.
    #[error("the token was not made by this cluster; make one with `ssi token`")]
    Forged,
    /// Its time is over.
    #[error("the token has expired; make another with `ssi token`")]
    Expired,
}

impl Token {
    /// A token of a cluster, valid until `expires`. `salt` tells tokens apart in logs.
    #[must_use]
    pub fn new(authority: &Authority, expires: u64, salt: u64) -> Self {
        let mut token = Self {
            identity: authority.identity(),
            authority: authority.fingerprint(),
            expires,
            salt,
            tag: [0; TAG],
        };
        let tag = hmac::sign(&key(authority), &token.body());
        token.tag.copy_from_slice(&tag.as_ref()[..TAG]);
        token
    }

    /// Whether it lets anybody in at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, authority: &Authority, now: u64) -> Result<(), BadToken> {
        if self.identity != authority.identity() || self.authority != authority.fingerprint() {
            return Err(BadToken::OtherCluster);
        }
        let expected = hmac::sign(&key(authority), &self.body());
        let differs = expected.as_ref()[..TAG]
            .iter()
            .zip(self.tag)
            .fold(0, |all, (a, b)| all | (a ^ b));
        if differs != 0 {
            return Err(BadToken::Forged);
        }
        if now >= self.expires {
            return Err(BadToken::Expired);
        }
        Ok(())
    }

    fn body(&self) -> [u8; BODY] {
        let mut body = [0; BODY];
        body[..8].copy_from_slice(&self.identity.to_be_bytes());
        body[8..40].copy_from_slice(&self.authority);
        body[40..48].copy_from_slice(&self.expires.to_be_bytes());
        body[48..].copy_from_slice(&self.salt.to_be_bytes());
        body
    }
}

fn key(authority: &Authority) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &authority.secret(PURPOSE))
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.body().to_vec();
        bytes.extend_from_slice(&self.tag);
        write!(f, "{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({:016x}…)", self.identity)
    }
}

impl FromStr for Token {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let text = text.trim().strip_prefix(PREFIX);
        let bytes = text.and_then(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok());
        let bytes: [u8; BODY + TAG] = bytes
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(BadToken::Malformed)?;
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            u64::from_be_bytes(word)
        };
        let mut token = Self {
            identity: word(0),
            authority: [0; 32],
            expires: word(40),
            salt: word(48),
            tag: [0; TAG],
        };
        token.authority.copy_from_slice(&bytes[8..40]);
        token.tag.copy_from_slice(&bytes[BODY..]);
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lets_in_until_its_end_and_nobody_elsewhere() {
        let (ours, other) = (
            Authority::generate(1).unwrap(),
            Authority::generate(2).unwrap(),
        );
        let token = Token::new(&ours, 1_000, 5);
        let token: Token = token.to_string().parse().unwrap();
        assert_eq!(token.check(&ours, 999), Ok(()));
        assert_eq!(token.check(&ours, 1_000), Err(BadToken::Expired));
        assert_eq!(token.check(&other, 999), Err(BadToken::OtherCluster));
        let longer = Token {
            expires: 2_000,
            ..token
        };
        assert_eq!(longer.check(&ours, 999), Err(BadToken::Forged));
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_judged(text in "(ssi1-)?[A-Za-z0-9_-]{0,110}") {
            if let Ok(token) = text.parse::<Token>() {
                prop_assert_eq!(token.to_string(), text);
            }
        }

        #[test]
        fn no_changed_character_lets_in(at in 5_usize..101, with in "[A-Za-z0-9_-]") {
            let ours = Authority::new(1, vec![1], Authority::generate(1).unwrap().key().to_vec()).unwrap();
            let text = Token::new(&ours, 1_000, 5).to_string();
            let mut changed = text.clone();
            prop_assume!(at < text.len());
            changed.replace_range(at..=at, &with);
            if changed != text && let Ok(token) = changed.parse::<Token>() {
                prop_assert!(token.check(&ours, 1).is_err());
            }
        }
    }
}
