//! A daemon that echoes a byte on every connection, and who starts, kills and asks it.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, listen, socket, sockopt};
use ssi_keeper::Keeper;

const ARGUMENT: &str = "--be-a-daemon";

/// `count` sockets that listen at an address.
fn listeners(address: SocketAddr, count: usize) -> io::Result<Vec<OwnedFd>> {
    let one = || {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        sockopt::set_socket_reuseport(&socket, count > 1)?;
        bind(&socket, &address)?;
        listen(&socket, 128)?;
        Ok(socket)
    };
    (0..count).map(|_| one()).collect()
}

/// If this process was started as a daemon, it is one until it is killed.
pub fn run_if_asked() -> Option<ExitCode> {
    let args: Vec<String> = std::env::args().collect();
    let [_, first, directory, address, count] = &args[..] else {
        return None;
    };
    if first != ARGUMENT {
        return None;
    }
    let address: SocketAddr = address.parse().expect("an address");
    let count: usize = count.parse().expect("a number");
    let mut keeper = Keeper::open(Path::new(directory));
    let mut made = false;
    let sockets = keeper
        .listeners(address, count, || {
            made = true;
            listeners(address, count)
        })
        .expect("listens");
    assert_eq!(sockets.len(), count);
    keeper.hold().expect("a keeper");
    // The other end of standard output waits for this.
    println!("{}", if made { "made" } else { "found" });
    let serving: Vec<_> = sockets
        .into_iter()
        .map(|socket| std::thread::spawn(move || serve(&TcpListener::from(socket))))
        .collect();
    for thread in serving {
        thread.join().expect("never ends");
    }
    None
}

fn serve(listener: &TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().expect("accepts");
        std::thread::spawn(move || {
            let mut byte = [0];
            if stream.read_exact(&mut byte).is_ok() {
                // It may have been given up meanwhile.
                let _ = stream.write_all(&byte);
            }
        });
    }
}

/// A running daemon, killed when it is dropped.
pub struct Daemon {
    child: Child,
    /// Whether it found its sockets.
    pub found: bool,
}

impl Daemon {
    /// Starts one, and waits until it serves.
    pub fn start(directory: &Path, address: SocketAddr, count: usize) -> Self {
        Self::start_with(directory, address, count, |_| ())
    }

    /// The same, with more of an environment.
    pub fn start_with(
        directory: &Path,
        address: SocketAddr,
        count: usize,
        more: impl FnOnce(&mut Command),
    ) -> Self {
        // Only a process itself can say in its environment which one it is.
        let mut command = Command::new("sh");
        command
            .args(["-c", "LISTEN_PID=$$ exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().expect("a path"))
            .arg(ARGUMENT)
            .arg(directory)
            .args([address.to_string(), count.to_string()])
            .stdout(Stdio::piped());
        more(&mut command);
        let mut child = command.spawn().expect("starts");
        let mut said = [0; 5];
        let out = child.stdout.as_mut().expect("piped");
        out.read_exact(&mut said).expect("it says how it is");
        let found = &said == b"found";
        Self { child, found }
    }

    /// As `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().expect("kills");
        self.child.wait().expect("ends");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Gone already, mostly.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends the keeper of a directory when it is dropped.
pub struct Place(pub tempfile::TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // There may be none.
        let _ = ssi_keeper::end(self.path());
    }
}

/// Connects, without a word.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(stream)
}

/// Whether the daemon answers on a connection.
pub fn echoes(mut stream: &TcpStream) -> bool {
    let mut byte = [0];
    stream.write_all(b"x").is_ok() && stream.read_exact(&mut byte).is_ok() && &byte == b"x"
}

/// Waits until something is so.
pub fn until(what: &str, mut is: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < Duration::from_secs(10), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
