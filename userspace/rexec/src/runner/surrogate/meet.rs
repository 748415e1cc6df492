//! Being introduced to a session.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use super::{AGAIN, Wish, ask};
use crate::core::{Answer, Ask, Grant, NotRun, Place};
use crate::runner::channel::Channel;
use crate::runner::keys::End;
use crate::runner::news::News;

/// How long another node may take to take a connection.
const CONNECT: Duration = Duration::from_secs(3);

/// A session that waits for our command.
pub(super) struct Met {
    pub(super) place: Place,
    pub(super) channel: Channel,
    pub(super) news: News,
}

/// Asks for one and connects to it.
pub(super) fn meet(wish: &Wish, until: Instant) -> Result<Met, NotRun> {
    let question = Ask::Run {
        whom: wish.whom.clone(),
        pinned: wish.pinned,
    };
    loop {
        let (answer, mut talk) = ask(&wish.socket, &question)?;
        let grant = match answer {
            Answer::Granted(grant) => *grant,
            Answer::Refused(why) => return Err(NotRun::failed(why)),
            _ => return Err(NotRun::failed("ssid answered something else")),
        };
        let connected = connect(&grant, talk.passed());
        let Grant { place, address, .. } = grant;
        match connected {
            Ok(channel) => {
                let news = News::new(wish.socket.clone(), place.life, Some(talk));
                return Ok(Met {
                    place,
                    channel,
                    news,
                });
            }
            // Nothing was said yet: it may be tried again.
            Err(_) if Instant::now() < until => std::thread::sleep(AGAIN),
            Err(error) => {
                return Err(NotRun::failed(format!(
                    "cannot connect to node {} {} at {address}: {error}; does a firewall keep port {} of the interconnect? see: ssi cluster",
                    place.life.node,
                    place.name,
                    crate::PORT
                )));
            }
        }
    }
}

fn connect(grant: &Grant, passed: Option<OwnedFd>) -> io::Result<Channel> {
    let tcp = match (&grant.id, passed) {
        (None, Some(connection)) => connection.into(),
        (None, None) => return Err(io::Error::other("no connection came from ssid")),
        (Some(id), _) => {
            let mut tcp = TcpStream::connect_timeout(&grant.address, CONNECT)?;
            // The first bytes of a connection always find room.
            tcp.write_all(id)?;
            tcp
        }
    };
    Channel::new(tcp, End::Surrogate, grant.secrets.as_ref())
}
