//! The door over real sockets: who gets in, and who doesn't.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ssi_clms::core::command::{Command, Wish};
use ssi_clms::core::member::{Candidate, Facts, Key};
use ssi_clms::core::message::Message;
use ssi_clms::core::{NodeId, Number, View};
use ssi_clms::door::{
    Authority, Caller, Door, Enrolled, House, Newcomer, NoEntry, Papers, Token, enrol,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

const NOW: u64 = 1_000;
const SOON: Duration = Duration::from_secs(5);

/// A node's house, as far as the door is concerned.
struct Home {
    authority: Authority,
    view: Mutex<Arc<View>>,
    came: mpsc::UnboundedSender<(Key, Message)>,
}

impl House for Home {
    fn view(&self) -> Arc<View> {
        self.view.lock().unwrap().clone()
    }

    fn enrol(&self, newcomer: &Newcomer, seen: IpAddr) -> Result<Enrolled, String> {
        let token: Token = newcomer.token.parse().map_err(|e| format!("{e}"))?;
        token
            .check(&self.authority, NOW)
            .map_err(|e| e.to_string())?;
        Ok(Enrolled {
            cluster: "blue".to_owned(),
            identity: self.authority.identity(),
            number: newcomer.number.unwrap_or(1),
            security: "tls".to_owned(),
            certificate: self
                .authority
                .issue(&newcomer.public)
                .map_err(|e| e.to_string())?,
            authority: self.authority.certificate().to_vec(),
            authority_key: self.authority.key().to_vec(),
            doors: Vec::new(),
            seen,
        })
    }

    async fn knock(&self, key: Key, _: Option<&str>, message: Message) -> Result<(), String> {
        self.came.send((key, message)).map_err(|e| e.to_string())
    }

    async fn log(&self, _: Key, mut question: Vec<u8>) -> Result<Vec<u8>, String> {
        question.reverse();
        Ok(question)
    }

    async fn witness(&self, _: Key, _: &str, address: SocketAddr) -> Result<(), String> {
        Err(format!("no witness at {}", address.ip()))
    }
}

struct Site {
    door: Door<Home>,
    at: SocketAddr,
    came: mpsc::UnboundedReceiver<(Key, Message)>,
}

/// A door on an address of its own in 127/8, as knocks go to the door's usual port.
async fn open(identity: u64, ip: &str, port: u16) -> Site {
    let authority = Authority::generate(identity).unwrap();
    let papers = authority.papers().unwrap();
    let (tells, came) = mpsc::unbounded_channel();
    let home = Home {
        authority,
        view: Mutex::default(),
        came: tells,
    };
    let door = Door::new(home, &papers).unwrap();
    let listener = TcpListener::bind((ip, port)).await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(door.clone().serve(listener));
    Site { door, at, came }
}

impl Site {
    fn token(&self, expires: u64) -> Token {
        Token::new(&self.door.house().authority, expires, 3)
    }
}

fn candidate(key: Key, life: u64) -> Candidate {
    Candidate {
        name: "new".to_owned(),
        addresses: vec!["127.0.0.1".parse().unwrap()],
        key,
        life,
        potential_master: true,
        facts: Facts::default(),
    }
}

fn wish(key: Key, life: u64) -> Vec<u8> {
    let wish = Wish {
        number: None,
        candidate: candidate(key, life),
    };
    postcard::to_stdvec(&Message::Join(wish)).unwrap()
}

type Answers = mpsc::UnboundedReceiver<Result<Vec<u8>, String>>;

fn caller(papers: &Papers) -> (Caller, Answers) {
    let (tells, answers) = mpsc::unbounded_channel();
    let heard = Arc::new(move |said| drop(tells.send(said)));
    (Caller::new(papers, heard).unwrap(), answers)
}

#[tokio::test]
async fn a_token_brings_papers_and_papers_let_knock() {
    let mut site = open(7, "127.0.0.71", ssi_clms::door::PORT).await;
    let (papers, enrolled) = enrol(site.at, &site.token(NOW + 1), None).await.unwrap();
    assert_eq!(enrolled.cluster, "blue");
    let key = papers.fingerprint();
    let (caller, mut answers) = caller(&papers);
    caller.knock(site.at.ip(), None, wish(key, 5));
    let (who, message) = timeout(SOON, site.came.recv()).await.unwrap().unwrap();
    assert_eq!(who, key);
    assert!(matches!(message, Message::Join(wish) if wish.candidate.life == 5));

    // Once the view has this life, whoever waits is told; another life of it is not meant.
    let mut view = View::default();
    for (life, told) in [(4, false), (5, true)] {
        view = View::default();
        view.apply(&Command::Found {
            cluster: "blue".to_owned(),
            identity: 7,
            max_nodes: 9,
            number: Number::new(1).unwrap(),
            candidate: candidate(key, life),
            probe_key: [1, 2],
        })
        .unwrap();
        site.door.installed(&view);
        let said = timeout(Duration::from_millis(300), answers.recv()).await;
        assert_eq!(said.is_ok(), told);
        if let Ok(said) = said {
            let said: Message = postcard::from_bytes(&said.unwrap().unwrap()).unwrap();
            assert_eq!(said, Message::Snapshot(Box::new(view.clone())));
        }
    }
    // Who knocks though he is in is told at once.
    *site.door.house().view.lock().unwrap() = Arc::new(view);
    caller.knock(site.at.ip(), None, wish(key, 5));
    let said = timeout(SOON, answers.recv()).await.unwrap().unwrap();
    assert!(said.is_ok());

    let answer = caller.ask_log(site.at, vec![1, 2, 3], SOON).await;
    assert_eq!(answer, Some(vec![3, 2, 1]));
}

#[tokio::test]
async fn nobody_speaks_for_another_or_of_something_else() {
    let mut site = open(7, "127.0.0.72", ssi_clms::door::PORT).await;
    let (papers, _) = enrol(site.at, &site.token(NOW + 1), None).await.unwrap();
    let (caller, mut answers) = caller(&papers);
    let one = NodeId {
        number: Number::new(1).unwrap(),
        incarnation: 1,
    };
    let said = [
        wish([9; 32], 5),
        postcard::to_stdvec(&Message::AmI(one)).unwrap(),
        postcard::to_stdvec(&Message::Leave).unwrap(),
        vec![0xff; 40],
    ];
    for message in said {
        caller.knock(site.at.ip(), None, message);
        let answer = timeout(SOON, answers.recv()).await.unwrap().unwrap();
        assert!(answer.is_err(), "{answer:?}");
    }
    assert!(site.came.try_recv().is_err());
    assert_eq!(site.door.refused()["refused"], 4);
}

#[tokio::test]
async fn wrong_tokens_and_wrong_clusters() {
    let (site, other) = (open(7, "127.0.0.1", 0).await, open(8, "127.0.0.1", 0).await);
    let refused = |error: NoEntry| match error {
        NoEntry::Refused(why) => why,
        other => panic!("{other}"),
    };
    let expired = enrol(site.at, &site.token(NOW), None).await.unwrap_err();
    assert!(refused(expired).contains("expired"));
    let mut forged = site.token(NOW + 1);
    forged.expires += 1;
    let forged = enrol(site.at, &forged, None).await.unwrap_err();
    assert!(refused(forged).contains("not made by this cluster"));
    // The newcomer itself notices that it is at the wrong door.
    let elsewhere = enrol(other.at, &site.token(NOW + 1), None)
        .await
        .unwrap_err();
    assert!(matches!(elsewhere, NoEntry::Stranger { .. }), "{elsewhere}");
    // And a door lets nobody in with papers of another cluster.
    let (papers, _) = enrol(other.at, &other.token(NOW + 1), None).await.unwrap();
    let (caller, _answers) = caller(&papers);
    let answer = caller
        .ask_log(site.at, vec![1], Duration::from_secs(1))
        .await;
    assert_eq!(answer, None);
    let closed = enrol("127.0.0.1:1".parse().unwrap(), &site.token(NOW + 1), None).await;
    assert!(matches!(closed, Err(NoEntry::Unreachable { .. })));
}

#[tokio::test]
async fn a_flood_is_bounded_and_others_get_in_afterwards() {
    let site = open(7, "127.0.0.1", 0).await;
    let mut flood = Vec::new();
    for _ in 0..64 {
        let mut stream = TcpStream::connect(site.at).await.unwrap();
        // The first say nothing at all, the others something that isn't TLS.
        if flood.len() >= 16 {
            // It may be closed already.
            let _ = stream.write_all(&[0x16, 3, 1, 0xff, 0xff, 1]).await;
        }
        flood.push(stream);
    }
    // Beyond sixteen of one address, nobody is even listened to.
    let mut turned_away = 0;
    for stream in &mut flood {
        let closed = timeout(Duration::from_millis(20), stream.read(&mut [0; 8])).await;
        turned_away += usize::from(closed.is_ok());
    }
    assert!(turned_away >= 48, "{turned_away}");
    drop(flood);
    tokio::time::sleep(Duration::from_millis(200)).await;
    enrol(site.at, &site.token(NOW + 1), None).await.unwrap();
    assert!(site.door.refused()["too many at once from one address"] >= 48);
}
