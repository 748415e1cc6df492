//! The test program as a server process on a node: copied there, started there.

use std::env;
use std::net::UdpSocket;
use std::process::ExitCode;

use super::host::Host;

/// Where the copy lies, in the node's own `/run`.
const COPY: &str = "/run/e2e";
const ROLE: &str = "SSI_E2E_UDP_SERVER";

/// If this process was started as a server: serves until it is killed.
pub fn play() -> Option<ExitCode> {
    let address = env::var(ROLE).ok()?;
    let error = serve(&address);
    eprintln!("{address}: {error}");
    Some(ExitCode::FAILURE)
}

/// Starts a UDP server on `host` at `address` (`[::]:9000`). It answers each datagram with
/// the host's name, a blank, and how many bytes came with which sum.
pub fn start_udp_server(host: Host, address: &str) {
    let program = env::current_exe()
        .and_then(std::fs::read)
        .expect("this program");
    host.feed(
        &[
            "sh",
            "-ec",
            &format!("pkill -f ^{COPY} || true; rm -f {COPY}; cat > {COPY}; chmod 755 {COPY}"),
        ],
        &program,
    );
    host.sh(&format!(
        "{ROLE}={address} setsid {COPY} </dev/null >/run/e2e.log 2>&1 & sleep 0.2; kill -0 $!"
    ));
}

/// What the server answers to `payload`.
pub fn answer(name: &str, payload: &[u8]) -> String {
    let sum: u64 = payload.iter().map(|byte| u64::from(*byte)).sum();
    format!("{name} {} {sum}", payload.len())
}

fn serve(address: &str) -> std::io::Error {
    let serve = || -> std::io::Result<()> {
        let name = nix::unistd::gethostname()?;
        let name = name.to_string_lossy();
        let socket = UdpSocket::bind(address)?;
        let mut datagram = vec![0; 65536];
        loop {
            let (length, from) = socket.recv_from(&mut datagram)?;
            socket.send_to(answer(&name, &datagram[..length]).as_bytes(), from)?;
        }
    };
    match serve() {
        Ok(()) => std::io::Error::other("stopped"),
        Err(error) => error,
    }
}
