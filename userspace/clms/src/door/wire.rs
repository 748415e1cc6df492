//! What is said at the door: a length, and so many bytes of postcard.

use std::io;
use std::net::IpAddr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Longest frame between those who have certificates: a view of hundreds of nodes, or what
/// the log asks a witness.
pub(super) const LONGEST: usize = 4 << 20;

/// Longest frame from somebody who has none.
pub(super) const LONGEST_STRANGE: usize = 4 << 10;

/// What is asked at the door.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    /// Papers.
    Enrol(Newcomer),
    /// A message of membership, from one who is no member.
    Knock {
        /// What lets a key in that the view doesn't know yet.
        token: Option<String>,
        /// The message.
        message: Vec<u8>,
    },
    /// What a voter's log asks a witness, or a witness's a voter.
    Log(Vec<u8>),
    /// That a witness of this address may be asked from now on.
    Witness {
        /// What lets it in.
        token: String,
        /// Where it listens.
        port: u16,
    },
}

/// One who has no papers yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Newcomer {
    /// What lets it in.
    pub token: String,
    /// Its public key, raw.
    pub public: Vec<u8>,
    /// The number it wants; none: any.
    pub number: Option<u16>,
}

/// What is said to that.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Say {
    /// The newcomer's papers.
    Enrolled(Box<Enrolled>),
    /// A message of membership.
    Message(Vec<u8>),
    /// What the log answers.
    Log(Vec<u8>),
    /// As asked.
    Done,
    /// No, and why.
    Refused(String),
}

/// What a newcomer gets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Enrolled {
    /// The cluster's name.
    pub cluster: String,
    /// The cluster's identity.
    pub identity: u64,
    /// The number that the newcomer is to ask for.
    pub number: u16,
    /// How its nodes protect their connections: `tls`, `mac` or `none`.
    pub security: String,
    /// The newcomer's certificate (DER).
    pub certificate: Vec<u8>,
    /// The authority's certificate (DER).
    pub authority: Vec<u8>,
    /// The authority's private key (DER, PKCS #8).
    pub authority_key: Vec<u8>,
    /// Members, to knock at.
    pub doors: Vec<IpAddr>,
    /// The newcomer's address, as the door sees it.
    pub seen: IpAddr,
}

pub(super) async fn send<T: Serialize>(
    stream: &mut (impl AsyncWrite + Unpin),
    what: &T,
) -> io::Result<()> {
    let body = postcard::to_stdvec(what).map_err(io::Error::other)?;
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend_from_slice(&body);
    stream.write_all(&frame).await?;
    stream.flush().await
}

/// The next frame; nothing if the other end has closed.
pub(super) async fn receive<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
    longest: usize,
) -> io::Result<Option<T>> {
    let length = match stream.read_u32().await {
        Ok(length) => length as usize,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    if length > longest {
        let long = format!("a frame of {length} bytes, where {longest} are the most");
        return Err(io::Error::new(io::ErrorKind::InvalidData, long));
    }
    // Grows as bytes come: a length alone shall not take memory.
    let mut body = Vec::new();
    stream.take(length as u64).read_to_end(&mut body).await?;
    if body.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let what = postcard::from_bytes(&body)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(Some(what))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> io::Result<Option<Ask>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(receive(&mut &bytes[..], LONGEST_STRANGE))
    }

    #[test]
    fn a_length_takes_no_memory_and_a_cut_frame_is_none() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(read(&[0, 0, 0, 9, 1]).is_err());
    }

    proptest! {
        #[test]
        fn whatever_comes_is_judged(bytes: Vec<u8>) {
            let mut frame = (bytes.len() as u32).to_be_bytes().to_vec();
            frame.extend_from_slice(&bytes);
            if let Ok(Some(Ask::Enrol(newcomer))) = read(&frame) {
                prop_assert!(newcomer.token.len() + newcomer.public.len() <= bytes.len());
            }
        }
    }
}
