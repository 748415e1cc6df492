//! Surrogates and sessions of this node ask.

use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::time::timeout;

use super::secrets::Asked;
use super::{Host, World, caller};
use crate::core::{Answer, Ask, Grant, Order, Place, Seat, Whom};
use crate::runner::pass;
use crate::runner::talk::{length_of, packed, unpacked};

/// How many conversations there may be: one for each command that runs here, or was started
/// from here. Of one user:
const MOST_OF_ONE: usize = 4096;
/// And of all.
const MOST: usize = 16_384;
/// When a connection that was used is replaced, if the command has not ended before: then there
/// is nothing to be done that is waited for.
const LATER: Duration = Duration::from_millis(20);
/// How long a question may take once it has begun.
const SLOW: Duration = Duration::from_secs(10);

/// The socket where they ask; its file goes when this is dropped.
pub struct Questions {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Questions {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// How many conversations each user has.
#[derive(Default)]
struct Crowd(Mutex<HashMap<u32, usize>>);

/// A place in it.
struct Seated {
    crowd: Arc<Crowd>,
    user: u32,
}

impl Crowd {
    fn seat(self: &Arc<Self>, user: u32) -> Option<Seated> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let total: usize = all.values().sum();
        let own = all.entry(user).or_default();
        if *own >= MOST_OF_ONE || total >= MOST {
            return None;
        }
        *own += 1;
        Some(Seated {
            crowd: self.clone(),
            user,
        })
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        let mut all = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = all.get_mut(&self.user) {
            *own -= 1;
            if *own == 0 {
                all.remove(&self.user);
            }
        }
    }
}

impl<W: World> Host<W> {
    /// Listens, for everybody: who may do what is said when it is asked. Call it only with the
    /// daemon's lock held.
    ///
    /// # Errors
    /// The file can't be made.
    pub fn bind(&self) -> io::Result<Questions> {
        let path = self.socket.clone();
        let new = path.with_extension("new");
        for stale in [&new, &path] {
            match fs::remove_file(stale) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let listener = UnixListener::bind(&new)?;
        fs::set_permissions(&new, Permissions::from_mode(0o666))?;
        fs::rename(&new, &path)?;
        Ok(Questions { listener, path })
    }

    /// Answers until the task is ended.
    pub async fn serve_questions(self: Arc<Self>, questions: Questions) {
        let crowd = Arc::new(Crowd::default());
        loop {
            let stream = match questions.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!("cannot take a question about remote execution: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let user = stream.peer_cred().map_or(u32::MAX, |peer| peer.uid());
            let host = self.clone();
            let seated = crowd.seat(user);
            tokio::spawn(async move {
                // Whoever has gone needs no answer.
                let _ = match seated {
                    Some(_seated) => host.converse(stream).await,
                    None => busy(stream).await,
                };
            });
        }
    }

    async fn converse(self: &Arc<Self>, mut stream: UnixStream) -> io::Result<()> {
        let question: Ask = hear(&mut stream).await?;
        match question {
            Ask::Run { whom, pinned } => {
                let (grant, passed) = match self.introduce(&stream, whom, pinned).await {
                    Ok(granted) => granted,
                    Err(why) => return say(&mut stream, &Answer::Refused(why)).await,
                };
                let (life, address) = (grant.place.life, grant.address);
                let answer = Answer::Granted(Box::new(grant));
                match passed {
                    Some(tcp) => say_and_pass(&mut stream, &answer, tcp).await?,
                    None => say(&mut stream, &answer).await?,
                }
                let mut watching = pin!(self.watch(stream, life));
                let short = timeout(LATER, &mut watching).await;
                if Some(life) != self.world.here() {
                    self.spares.fill_up(life, address);
                }
                match short {
                    Ok(ended) => ended,
                    Err(_) => watching.await,
                }
            }
            Ask::Watch(life) => self.watch(stream, life).await,
            Ask::Nodes(whom) => {
                let nodes = self.world.nodes(whom).await;
                say(
                    &mut stream,
                    &nodes.map_or_else(Answer::Refused, Answer::Nodes),
                )
                .await
            }
        }
    }

    /// Has a session expect the surrogate at the other end of `stream`, which may have its
    /// connection already.
    async fn introduce(
        self: &Arc<Self>,
        stream: &UnixStream,
        whom: Whom,
        pinned: bool,
    ) -> Result<(Grant, Option<TcpStream>), String> {
        let caller =
            caller::of(stream).map_err(|error| format!("who asks is not known: {error}"))?;
        self.world.may(&caller)?;
        let from = self
            .world
            .here()
            .ok_or("this node is in no cluster now; see: ssi cluster")?;
        let (place, address) = self.world.choose(whom).await?;
        let asked = Asked::new(self.world.secrecy());
        let (asked, protection) = asked.map_err(|error| error.to_string())?;
        let address = SocketAddr::new(address, crate::PORT);
        let spare = self.spares.take(place.life);
        let order = Order {
            caller,
            spare: spare.as_ref().map(|spare| spare.id),
            protection,
            from,
            pinned,
        };
        let seat = if place.life == from {
            self.expect(order)
        } else {
            self.world.order(place.life, order).await
        };
        let Place { life, name } = &place;
        let node = |why: String| format!("node {} {name}: {why}", life.node);
        let Seat {
            id,
            has_connection,
            protection,
        } = seat.map_err(node)?;
        let secrets = asked.answered(protection, &id);
        let grant = Grant {
            secrets: secrets.map_err(|error| node(error.to_string()))?,
            address,
            id: (!has_connection).then_some(id),
            place,
        };
        let passed = spare.filter(|_| has_connection).map(|spare| spare.tcp);
        Ok((grant, passed))
    }

    /// Tells when a life ends, unless whoever wants to know goes first.
    async fn watch(&self, mut stream: UnixStream, life: crate::core::Life) -> io::Result<()> {
        let mut nothing = [0; 64];
        tokio::select! {
            epoch = self.world.ended(life) => say(&mut stream, &Answer::Gone { epoch }).await,
            // Nobody says anything any more.
            _ = stream.read(&mut nothing) => Ok(()),
        }
    }
}

async fn busy(mut stream: UnixStream) -> io::Result<()> {
    let why = "more commands than ssid can watch over; wait until some have ended";
    say(&mut stream, &Answer::Refused(why.to_owned())).await
}

async fn hear(stream: &mut UnixStream) -> io::Result<Ask> {
    let reading = async {
        let mut length = [0; 4];
        stream.read_exact(&mut length).await?;
        let mut message = vec![0; length_of(length)?];
        stream.read_exact(&mut message).await?;
        unpacked(&message)
    };
    timeout(SLOW, reading).await?
}

async fn say(stream: &mut UnixStream, answer: &Answer) -> io::Result<()> {
    let bytes = packed(answer)?;
    timeout(SLOW, stream.write_all(&bytes)).await?
}

async fn say_and_pass(stream: &mut UnixStream, answer: &Answer, tcp: TcpStream) -> io::Result<()> {
    let bytes = packed(answer)?;
    let sending = stream.async_io(Interest::WRITABLE, || pass::send(&*stream, &bytes, &tcp));
    let sent = timeout(SLOW, sending).await??;
    timeout(SLOW, stream.write_all(&bytes[sent..])).await?
}
