//! Where the secrets of a connection come from.
//!
//! The asked daemon draws them and says them, where daemons talk to each other over TLS: what is
//! said there can't be read later either, as its keys are gone then. Where they only
//! authenticate what they say, both draw keys (X25519, RFC 7748), and the secrets come of them
//! (HKDF, RFC 5869); so whoever has listened has nothing, and whoever would change a key can't.

use std::io;

use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, Prk, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::Secrecy;
use crate::core::{Given, Id, Protection, Secrets};

/// What the secrets are for; another version of this protocol says something else.
const PURPOSE: &[u8] = b"ssi remote execution 1";

/// What the asking daemon keeps until there is an answer.
pub(super) enum Asked {
    Nothing,
    Secrets,
    Agreement(Drawn),
}

impl Asked {
    /// Also what to ask for.
    pub(super) fn new(secrecy: Secrecy) -> io::Result<(Self, Protection)> {
        Ok(match secrecy {
            Secrecy::Unwanted => (Self::Nothing, Protection::None),
            Secrecy::Carried => (Self::Secrets, Protection::Told),
            Secrecy::Missing => {
                let own = Drawn::new()?;
                let public = own.public.clone();
                (Self::Agreement(own), Protection::Agreed(public))
            }
        })
    }

    /// What comes of the answer.
    ///
    /// # Errors
    /// It is not one to what was asked for.
    pub(super) fn answered(self, given: Given, id: &Id) -> io::Result<Option<Secrets>> {
        match (self, given) {
            (Self::Nothing, Given::Nothing) => Ok(None),
            (Self::Secrets, Given::Secrets(secrets)) => Ok(Some(secrets)),
            (Self::Agreement(own), Given::Key(theirs)) => own.agree(true, &theirs, id).map(Some),
            _ => Err(strange()),
        }
    }
}

/// The answer, and what it comes to.
///
/// # Errors
/// It was asked with what is no key, or there is no randomness.
pub(super) fn answer(asked: &Protection, id: &Id) -> io::Result<(Given, Option<Secrets>)> {
    match asked {
        Protection::None => Ok((Given::Nothing, None)),
        Protection::Told => {
            let mut secrets = Secrets {
                to_session: [0; 32],
                to_surrogate: [0; 32],
            };
            fill(&mut secrets.to_session)?;
            fill(&mut secrets.to_surrogate)?;
            Ok((Given::Secrets(secrets.clone()), Some(secrets)))
        }
        Protection::Agreed(theirs) => {
            let own = Drawn::new()?;
            let public = own.public.clone();
            let secrets = own.agree(false, theirs, id)?;
            Ok((Given::Key(public), Some(secrets)))
        }
    }
}

/// Draws bytes.
pub(super) fn fill(bytes: &mut [u8]) -> io::Result<()> {
    SystemRandom::new().fill(bytes).map_err(|_| no_randomness())
}

/// A key that was drawn for one connection.
pub(super) struct Drawn {
    private: EphemeralPrivateKey,
    public: Vec<u8>,
}

impl Drawn {
    fn new() -> io::Result<Self> {
        let random = SystemRandom::new();
        let private =
            EphemeralPrivateKey::generate(&X25519, &random).map_err(|_| no_randomness())?;
        let public = private.compute_public_key().map_err(|_| no_randomness())?;
        let public = public.as_ref().to_vec();
        Ok(Self { private, public })
    }

    /// The secrets of the connection that says `id`.
    fn agree(self, asking: bool, theirs: &[u8], id: &Id) -> io::Result<Secrets> {
        let Self { private, public } = self;
        let keys = if asking {
            [&public, theirs]
        } else {
            [theirs, &public]
        };
        let secrets = |shared: &[u8]| {
            let shared = Salt::new(HKDF_SHA256, id).extract(shared);
            Some(Secrets {
                to_session: secret(&shared, keys, b"to the session")?,
                to_surrogate: secret(&shared, keys, b"to the surrogate")?,
            })
        };
        let agreed = agree_ephemeral(private, &UnparsedPublicKey::new(&X25519, theirs), secrets);
        agreed.ok().flatten().ok_or_else(strange)
    }
}

fn secret(shared: &Prk, [asking, asked]: [&[u8]; 2], direction: &[u8]) -> Option<[u8; 32]> {
    let info = [PURPOSE, asking, asked, direction];
    let mut secret = [0; 32];
    let expanded = shared.expand(&info, HKDF_SHA256).ok()?;
    expanded.fill(&mut secret).ok()?;
    Some(secret)
}

fn no_randomness() -> io::Error {
    io::Error::other("the system has no randomness")
}

fn strange() -> io::Error {
    let why = "it protects connections in another way; do all nodes have the same version of ssi?";
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_have_the_same_secrets_and_each_time_others() {
        let mut seen = Vec::new();
        for secrecy in [Secrecy::Carried, Secrecy::Missing, Secrecy::Missing] {
            let (asked, protection) = Asked::new(secrecy).unwrap();
            let (given, secrets) = answer(&protection, &[1; 32]).unwrap();
            let secrets = secrets.expect("it was wanted");
            if secrecy == Secrecy::Missing {
                assert!(
                    matches!(given, Given::Key(_)),
                    "who listens must not have them"
                );
            }
            assert_eq!(
                asked.answered(given, &[1; 32]).unwrap(),
                Some(secrets.clone())
            );
            seen.extend([secrets.to_session, secrets.to_surrogate]);
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 6);
        let (asked, protection) = Asked::new(Secrecy::Unwanted).unwrap();
        let (given, none) = answer(&protection, &[1; 32]).unwrap();
        assert_eq!(
            (asked.answered(given, &[1; 32]).unwrap(), none),
            (None, None)
        );
    }

    #[test]
    fn those_of_another_connection_are_others() {
        let (asked, protection) = Asked::new(Secrecy::Missing).unwrap();
        let (given, secrets) = answer(&protection, &[1; 32]).unwrap();
        assert_ne!(asked.answered(given, &[2; 32]).unwrap(), secrets);
    }

    #[test]
    fn what_was_not_asked_for_is_refused() {
        // The last has the point of which everybody knows what comes of it.
        for key in [vec![], vec![7; 44], vec![0; 32]] {
            answer(&Protection::Agreed(key.clone()), &[1; 32]).unwrap_err();
            let (asked, _) = Asked::new(Secrecy::Missing).unwrap();
            asked.answered(Given::Key(key), &[1; 32]).unwrap_err();
        }
        let (asked, _) = Asked::new(Secrecy::Missing).unwrap();
        asked.answered(Given::Nothing, &[1; 32]).unwrap_err();
        let (asked, _) = Asked::new(Secrecy::Carried).unwrap();
        asked.answered(Given::Nothing, &[1; 32]).unwrap_err();
    }
}
