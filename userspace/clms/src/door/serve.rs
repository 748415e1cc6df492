//! The listening end.

mod bouncer;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use self::bouncer::Bouncer;
use super::authority::{self, Papers};
use super::tls;
use super::wire::{Ask, Enrolled, LONGEST, LONGEST_STRANGE, Newcomer, Say, receive, send};
use crate::core::View;
use crate::core::member::Key;
use crate::core::message::Message;

/// How long one may take to show who one is, and to read an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long one who has papers may say nothing.
const IDLE: Duration = Duration::from_secs(15);
/// Answers that may wait for one who knocks.
const ANSWERS: usize = 16;

/// Who lives behind the door. Errors are said to whoever asked, in words.
pub trait House: Send + Sync + 'static {
    /// The view: who is in it is told so when he knocks.
    fn view(&self) -> Arc<View>;

    /// Papers for a newcomer who is at `seen`.
    ///
    /// # Errors
    /// The token lets nobody in.
    fn enrol(&self, newcomer: &Newcomer, seen: IpAddr) -> Result<Enrolled, String>;

    /// A message from the holder of a key, who is no member.
    fn knock(
        &self,
        key: Key,
        token: Option<&str>,
        message: Message,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// What another voter's log asks this one's.
    fn log(
        &self,
        key: Key,
        question: Vec<u8>,
    ) -> impl Future<Output = Result<Vec<u8>, String>> + Send;

    /// A witness that holds this key may be asked at this address.
    fn witness(
        &self,
        key: Key,
        token: &str,
        address: SocketAddr,
    ) -> impl Future<Output = Result<(), String>> + Send;
}

/// Somebody who knocks and waits.
struct Waiting {
    /// Which life of him asks to be taken in.
    life: Option<u64>,
    answers: mpsc::Sender<Say>,
}

struct Shared<H> {
    house: H,
    acceptor: TlsAcceptor,
    waiting: Mutex<HashMap<Key, Waiting>>,
    bouncer: Mutex<Bouncer>,
    closed: watch::Sender<bool>,
}

/// A door. Clones are the same.
pub struct Door<H>(Arc<Shared<H>>);

impl<H> Clone for Door<H> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<H: House> Door<H> {
    /// A door for a house whose papers these are.
    ///
    /// # Errors
    /// The papers are of no use.
    pub fn new(house: H, papers: &Papers) -> io::Result<Self> {
        Ok(Self(Arc::new(Shared {
            house,
            acceptor: tls::acceptor(papers).map_err(io::Error::other)?,
            waiting: Mutex::default(),
            bouncer: Mutex::default(),
            closed: watch::Sender::default(),
        })))
    }

    /// Nobody lives here any more: whoever is at the door is left standing.
    pub fn close(&self) {
        self.0.closed.send_replace(true);
    }

    /// Who lives behind it.
    #[must_use]
    pub fn house(&self) -> &H {
        &self.0.house
    }

    /// Takes those who come, until dropped.
    pub async fn serve(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, from)) => {
                    // IPv4 comes by an IPv6 socket too.
                    let from = SocketAddr::new(from.ip().to_canonical(), from.port());
                    self.meet(stream, from);
                }
                Err(error) => {
                    // Out of descriptors, most likely: trying again at once would not help.
                    self.refuse("cannot accept", &error.to_string());
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Says a message of membership to the holder of a key, if he waits at the door.
    pub fn tell(&self, key: &Key, message: &Message) {
        let Ok(message) = postcard::to_stdvec(message) else {
            return;
        };
        if let Some(waiting) = lock(&self.0.waiting).get(key) {
            // One who doesn't read asks again.
            let _ = waiting.answers.try_send(Say::Message(message));
        }
    }

    /// There is a new view: whoever waits at the door and is in it now is told.
    pub fn installed(&self, view: &View) {
        let taken: Vec<Key> = lock(&self.0.waiting)
            .iter()
            .filter(|(key, waiting)| waiting.life.is_some_and(|life| has(view, key, life)))
            .map(|(key, _)| *key)
            .collect();
        for key in taken {
            self.tell(&key, &Message::Snapshot(Box::new(view.clone())));
        }
    }

    /// How many were refused, by reason.
    #[must_use]
    pub fn refused(&self) -> std::collections::BTreeMap<String, u64> {
        lock(&self.0.bouncer).refused()
    }

    fn meet(&self, stream: TcpStream, from: SocketAddr) {
        let entered = lock(&self.0.bouncer).enter(from.ip());
        if let Err(why) = entered {
            self.refuse(why, &from.ip().to_string());
            return;
        }
        let door = self.clone();
        tokio::spawn(async move {
            let mut closed = door.0.closed.subscribe();
            tokio::select! {
                _ = closed.wait_for(|closed| *closed) => {}
                result = door.entertain(stream, from) => if let Err(error) = result {
                    door.refuse("broke off", &format!("{}: {error}", from.ip()));
                },
            }
            lock(&door.0.bouncer).leave(from.ip());
        });
    }

    async fn entertain(&self, stream: TcpStream, from: SocketAddr) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let handshake = timeout(PATIENCE, self.0.acceptor.accept(stream)).await;
        let mut stream = handshake.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let shown = stream.get_ref().1.peer_certificates();
        let key = shown
            .and_then(<[_]>::first)
            .map(|shown| authority::fingerprint(shown));
        match key {
            Some(key) => self.known(&mut stream, from, key).await,
            None => self.stranger(&mut stream, from).await,
        }
    }

    /// One without papers: he may ask for some, once.
    async fn stranger(
        &self,
        stream: &mut TlsStream<TcpStream>,
        from: SocketAddr,
    ) -> io::Result<()> {
        let asked = timeout(PATIENCE, receive(stream, LONGEST_STRANGE)).await??;
        let say = match asked {
            Some(Ask::Enrol(newcomer)) => match self.0.house.enrol(&newcomer, from.ip()) {
                Ok(enrolled) => Say::Enrolled(Box::new(enrolled)),
                Err(why) => self.no(from, why),
            },
            Some(_) => self.no(from, "only who has a certificate may ask that".to_owned()),
            None => return Ok(()),
        };
        timeout(PATIENCE, send(stream, &say)).await?
    }

    /// One with papers.
    async fn known(
        &self,
        stream: &mut TlsStream<TcpStream>,
        from: SocketAddr,
        key: Key,
    ) -> io::Result<()> {
        let (mut read, mut write) = tokio::io::split(stream);
        let (answers, mut answered) = mpsc::channel(ANSWERS);
        let mine = answers.clone();
        let talk = async {
            loop {
                let next = timeout(IDLE, receive(&mut read, LONGEST)).await;
                let Ok(asked) = next else { return Ok(()) };
                let Some(asked) = asked? else { return Ok(()) };
                if let Some(say) = self.hear(asked, from, key, &mine).await
                    && mine.send(say).await.is_err()
                {
                    return Ok(());
                }
            }
        };
        let answer = async {
            while let Some(say) = answered.recv().await {
                timeout(PATIENCE, send(&mut write, &say)).await??;
            }
            Ok(())
        };
        let ended = tokio::select! { ended = talk => ended, ended = answer => ended };
        let mut waiting = lock(&self.0.waiting);
        if waiting
            .get(&key)
            .is_some_and(|waiting| waiting.answers.same_channel(&answers))
        {
            waiting.remove(&key);
        }
        ended
    }

    async fn hear(
        &self,
        asked: Ask,
        from: SocketAddr,
        key: Key,
        answers: &mpsc::Sender<Say>,
    ) -> Option<Say> {
        let house = &self.0.house;
        let said = match asked {
            Ask::Knock { token, message } => match self.admit(key, &message, answers) {
                Ok(message) => house
                    .knock(key, token.as_deref(), message)
                    .await
                    .map(|()| None),
                Err(why) => Err(why),
            },
            Ask::Log(question) => house
                .log(key, question)
                .await
                .map(|said| Some(Say::Log(said))),
            Ask::Witness { token, port } => {
                let address = SocketAddr::new(from.ip(), port);
                house
                    .witness(key, &token, address)
                    .await
                    .map(|()| Some(Say::Done))
            }
            Ask::Enrol(_) => Err("this node has its certificate already".to_owned()),
        };
        said.unwrap_or_else(|why| Some(self.no(from, why)))
    }

    /// What those say who may be no members here, each about himself.
    fn admit(
        &self,
        key: Key,
        message: &[u8],
        answers: &mpsc::Sender<Say>,
    ) -> Result<Message, String> {
        let message = postcard::from_bytes(message)
            .map_err(|error| format!("the message makes no sense: {error}"))?;
        let view = self.0.house.view();
        let life = match &message {
            Message::Join(wish) if wish.candidate.key == key => Some(wish.candidate.life),
            Message::AmI(id)
                if view
                    .members
                    .get(&id.number)
                    .is_some_and(|known| known.candidate.key == key) =>
            {
                None
            }
            // From nodes whose new lives this node doesn't know yet; after all were off, nobody
            // knows anybody's.
            Message::Snapshot(_) | Message::Gone(_) if view.epoch == 0 || knows(&view, key) => {
                return Ok(message);
            }
            Message::HaveYouTakenOver { key: asks, .. }
            | Message::IHaveNotTakenOver { key: asks, .. }
                if *asks == key && knows(&view, key) =>
            {
                return Ok(message);
            }
            _ => return Err("only who is no member speaks at the door, for himself".to_owned()),
        };
        let answers = answers.clone();
        lock(&self.0.waiting).insert(key, Waiting { life, answers });
        if life.is_some_and(|life| has(&view, &key, life)) {
            self.tell(&key, &Message::Snapshot(Box::new(View::clone(&view))));
        }
        Ok(message)
    }

    fn no(&self, from: SocketAddr, why: String) -> Say {
        self.refuse("refused", &format!("{}: {why}", from.ip()));
        Say::Refused(why)
    }

    fn refuse(&self, reason: &'static str, what: &str) {
        let quiet = lock(&self.0.bouncer).count(reason);
        if let Some(others) = quiet {
            tracing::warn!("door: {reason}: {what} ({others} others since)");
        }
    }
}

/// Whether a key is that of a node, in whatever state.
fn knows(view: &View, key: Key) -> bool {
    let mut known = view.members.values();
    known.any(|known| known.candidate.key == key)
}

/// Whether this life of a key's holder is a member.
fn has(view: &View, key: &Key, life: u64) -> bool {
    view.present()
        .any(|member| member.candidate.key == *key && member.candidate.life == life)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
