//! Being introduced to a session.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{AGAIN, Wish, ask};
use crate::core::{Answer, Ask, Grant, NotRun, Place};
use crate::runner::channel::Channel;
use crate::runner::keys::Key;
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
    let key = Key::generate().map_err(|error| NotRun::failed(error.to_string()))?;
    let question = Ask::Run {
        whom: wish.whom.clone(),
        key: key.public().to_vec(),
        pinned: wish.pinned,
    };
    loop {
        let (answer, talk) = ask(&wish.socket, &question)?;
        let grant = match answer {
            Answer::Granted(grant) => *grant,
            Answer::Refused(why) => return Err(NotRun::failed(why)),
            _ => return Err(NotRun::failed("ssid answered something else")),
        };
        let Grant {
            place,
            address,
            seat,
        } = grant;
        let connected = TcpStream::connect_timeout(&address, CONNECT)
            .and_then(|tcp| Channel::to_session(tcp, &seat.id, &key, seat.key.as_deref()));
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
