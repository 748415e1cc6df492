//! The knocking end.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::authority::{self, BadAuthority, Papers};
use super::token::Token;
use super::wire::{Ask, Enrolled, LONGEST, Newcomer, Say, receive, send};
use super::{PORT, tls};

/// How long a door may take to open, and a newcomer's answer to come.
const PATIENCE: Duration = Duration::from_secs(3);
/// A connection that nobody uses for so long is closed.
const IDLE: Duration = Duration::from_secs(10);
/// Questions that may wait for one door.
const WAITING: usize = 16;

/// Why a newcomer has no papers.
#[derive(Debug, thiserror::Error)]
pub enum NoEntry {
    /// Nobody there, or not in time.
    #[error(
        "cannot reach {address}: {source}; does ssid run there, in the cluster, and does nothing block port {}?", .address.port()
    )]
    Unreachable {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Who is there is not of the cluster that the token is for.
    #[error("{address} is not of the cluster that the token is for: {source}")]
    Stranger {
        /// Where.
        address: SocketAddr,
        /// What was wrong.
        source: io::Error,
    },
    /// The cluster says no.
    #[error("{0}")]
    Refused(String),
    /// It says something that makes no sense.
    #[error("{0} answers something else; is it of the same version?")]
    Strange(SocketAddr),
    /// No key.
    #[error(transparent)]
    Key(#[from] BadAuthority),
}

/// Gets papers from the cluster that a token is for, at one of its doors, and perhaps the
/// number that the newcomer wants.
///
/// # Errors
/// It is not there, not the right one, or says no.
pub async fn enrol(
    door: SocketAddr,
    token: &Token,
    number: Option<u16>,
) -> Result<(Papers, Enrolled), NoEntry> {
    let (key, public) = authority::new_key()?;
    let unreachable = |source| NoEntry::Unreachable {
        address: door,
        source,
    };
    let stranger = |source| NoEntry::Stranger {
        address: door,
        source,
    };
    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
    let connector = tls::stranger(token.authority).map_err(|e| stranger(io::Error::other(e)))?;
    let stream = timeout(PATIENCE, TcpStream::connect(door)).await;
    let stream = stream
        .map_err(late)
        .and_then(|connected| connected)
        .map_err(unreachable)?;
    let stream = timeout(PATIENCE, connector.connect(tls::name(), stream)).await;
    let mut stream = stream
        .map_err(late)
        .and_then(|shaken| shaken)
        .map_err(stranger)?;
    let ask = Ask::Enrol(Newcomer {
        token: token.to_string(),
        public,
        number,
    });
    let said = timeout(PATIENCE, async {
        send(&mut stream, &ask).await?;
        receive(&mut stream, LONGEST).await
    })
    .await;
    match said.map_err(late).and_then(|said| said) {
        Ok(Some(Say::Enrolled(enrolled))) if enrolled.identity == token.identity => {
            let papers = Papers {
                certificate: enrolled.certificate.clone(),
                authority: enrolled.authority.clone(),
                key,
            };
            Ok((papers, *enrolled))
        }
        Ok(Some(Say::Refused(why))) => Err(NoEntry::Refused(why)),
        Ok(_) => Err(NoEntry::Strange(door)),
        Err(source) => Err(unreachable(source)),
    }
}

/// What goes to a door.
enum Errand {
    /// A message; what comes back goes to whom it may concern.
    Knock(Ask),
    /// A question, and who wants the answer.
    Question(Ask, oneshot::Sender<Say>),
}

/// What a door says to one who knocked.
pub type Heard = Arc<dyn Fn(Result<Vec<u8>, String>) + Send + Sync>;

/// Knocks at doors, and keeps the ways there open while they are used. Clones are the
/// same.
#[derive(Clone)]
pub struct Caller {
    connector: TlsConnector,
    heard: Heard,
    ways: Arc<Mutex<HashMap<SocketAddr, mpsc::Sender<Errand>>>>,
}

impl Caller {
    /// One who has papers. `heard` gets what doors say: messages, and why they refuse.
    ///
    /// # Errors
    /// The papers are of no use.
    pub fn new(papers: &Papers, heard: Heard) -> io::Result<Self> {
        Ok(Self {
            connector: tls::connector(papers).map_err(io::Error::other)?,
            heard,
            ways: Arc::default(),
        })
    }

    /// Says a message at a door; `token` lets a key in that the cluster doesn't know yet.
    /// It may be lost.
    pub fn knock(&self, at: IpAddr, token: Option<String>, message: Vec<u8>) {
        let errand = Errand::Knock(Ask::Knock { token, message });
        self.go(SocketAddr::new(at, PORT), errand);
    }

    /// Asks the log behind a door; nothing if no answer comes in time.
    pub async fn ask_log(
        &self,
        at: SocketAddr,
        question: Vec<u8>,
        within: Duration,
    ) -> Option<Vec<u8>> {
        match self.ask(at, Ask::Log(question), within).await? {
            Say::Log(answer) => Some(answer),
            _ => None,
        }
    }

    /// Offers oneself as a witness that listens at `port`.
    ///
    /// # Errors
    /// The cluster says no, or nothing.
    pub async fn offer_witness(
        &self,
        at: SocketAddr,
        token: &Token,
        port: u16,
    ) -> Result<(), NoEntry> {
        let token = token.to_string();
        match self
            .ask(at, Ask::Witness { token, port }, PATIENCE * 3)
            .await
        {
            Some(Say::Done) => Ok(()),
            Some(Say::Refused(why)) => Err(NoEntry::Refused(why)),
            Some(_) => Err(NoEntry::Strange(at)),
            None => Err(NoEntry::Unreachable {
                address: at,
                source: io::ErrorKind::TimedOut.into(),
            }),
        }
    }

    async fn ask(&self, at: SocketAddr, ask: Ask, within: Duration) -> Option<Say> {
        let (wants, gets) = oneshot::channel();
        self.go(at, Errand::Question(ask, wants));
        timeout(within, gets).await.ok()?.ok()
    }

    fn go(&self, at: SocketAddr, errand: Errand) {
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        let errand = match ways.get(&at) {
            Some(way) => match way.try_send(errand) {
                // Full: the door is slow, and what waits is as good as lost.
                Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => return,
                Err(mpsc::error::TrySendError::Closed(errand)) => errand,
            },
            None => errand,
        };
        let (way, errands) = mpsc::channel(WAITING);
        // There is room for the first.
        let _ = way.try_send(errand);
        ways.insert(at, way);
        let (connector, heard) = (self.connector.clone(), Arc::clone(&self.heard));
        tokio::spawn(async move {
            if let Err(error) = keep(&connector, at, errands, heard).await {
                tracing::debug!("door {at}: {error}");
            }
        });
    }
}

async fn keep(
    connector: &TlsConnector,
    at: SocketAddr,
    mut errands: mpsc::Receiver<Errand>,
    heard: Heard,
) -> io::Result<()> {
    let stream = timeout(PATIENCE, TcpStream::connect(at)).await??;
    stream.set_nodelay(true)?;
    let stream: TlsStream<TcpStream> =
        timeout(PATIENCE, connector.connect(tls::name(), stream)).await??;
    let (mut read, mut write) = tokio::io::split(stream);
    // Answers come in the order of the questions.
    let (asked, mut wants) = mpsc::unbounded_channel::<oneshot::Sender<Say>>();
    let listen = async {
        while let Some(said) = receive(&mut read, LONGEST).await? {
            match said {
                Say::Message(message) => heard(Ok(message)),
                other => match (wants.try_recv(), other) {
                    // Who asked may have stopped waiting.
                    (Ok(want), other) => drop(want.send(other)),
                    (Err(_), Say::Refused(why)) => heard(Err(why)),
                    (Err(_), _) => return Err(io::ErrorKind::InvalidData.into()),
                },
            }
        }
        Ok(())
    };
    let speak = async {
        while let Ok(Some(errand)) = timeout(IDLE, errands.recv()).await {
            let ask = match errand {
                Errand::Knock(ask) => ask,
                Errand::Question(ask, want) => {
                    // The listener is beside us.
                    let _ = asked.send(want);
                    ask
                }
            };
            timeout(PATIENCE, send(&mut write, &ask)).await??;
        }
        Ok(())
    };
    tokio::select! { ended = listen => ended, ended = speak => ended }
}
