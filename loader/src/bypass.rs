//! The way around the network stack between nodes that share a kernel.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::path::{Path, PathBuf};

use aya::maps::SockHash;
use aya::programs::{ProgramError, SkMsg};
use aya::{Ebpf, EbpfLoader};
use ssi_abi::ABI_VERSION;
use ssi_abi::bypass::End;

use crate::map::Raw;
use crate::net::raw;
use crate::{LoadError, object};

/// The maps that are those of the packet path.
pub(crate) const COMMON: [&str; 4] = ["MEMBERS", "OWN", "PEER_STATS", "COUNTERS"];

/// Connections that go around the network stack: what is written to one end is in the
/// other's queue at once. The fence holds here too, at the sender: to nobody who is no
/// member, and nothing without a lease. A write that is refused fails, and so does every
/// later one to that connection.
///
/// Dropping it takes this node's ends out; so does closing them.
#[derive(Debug)]
pub struct Bypass {
    ends: Raw,
    own: Raw,
    // Detaches the program when it goes.
    _ebpf: Ebpf,
}

impl Bypass {
    /// `shared`: a directory of a bpffs that all nodes of this kernel have in common; nodes
    /// of one `cluster` find each other in it. `common` has the packet path's pins.
    pub(crate) fn open(
        shared: &Path,
        cluster: [u8; 16],
        common: [(&'static str, PathBuf); COMMON.len()],
    ) -> Result<Self, LoadError> {
        fs::create_dir_all(shared).map_err(|source| LoadError::Pin {
            path: shared.to_owned(),
            source,
        })?;
        let mut loader = EbpfLoader::new();
        for (name, path) in &common {
            loader.map_pin_path(name, path.as_path());
        }
        let ends = pin(shared, cluster);
        loader.map_pin_path("ENDS", ends.as_path());
        let mut ebpf = loader
            .load(object::bypass()?)
            .map_err(|error| LoadError::refused("the maps of the bypass", &error))?;
        attach(&mut ebpf).map_err(|error| LoadError::refused("program ssi_bypass", &error))?;
        Ok(Self {
            ends: raw(&ebpf, "ENDS")?,
            own: raw(&ebpf, "OWN_ENDS")?,
            _ebpf: ebpf,
        })
    }

    /// Takes an end of a connection in. Everything that the other end has sent must have
    /// been read, and the other end must send nothing until it has heard of this end again:
    /// else what is on its way through the stack would come after what goes around it.
    /// While only one end is in, both are reached through the stack.
    ///
    /// # Errors
    /// The kernel's: the connection is not established, or there are too many.
    pub fn join(
        &self,
        socket: BorrowedFd<'_>,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> io::Result<()> {
        let end = End {
            local: local.ip().to_canonical().into(),
            remote: remote.ip().to_canonical().into(),
            local_port: local.port().into(),
            remote_port: remote.port().into(),
        };
        let descriptor = socket.as_raw_fd().cast_unsigned();
        self.own.put(&end, &descriptor)?;
        self.ends.put(&end, &descriptor)
    }
}

/// Where the nodes of a cluster find each other. Sockets are told apart by address and
/// port, and two clusters may have the same.
fn pin(shared: &Path, cluster: [u8; 16]) -> PathBuf {
    let mut name = format!("ssi-ends-{ABI_VERSION}-");
    for byte in cluster {
        let _ = write!(name, "{byte:02x}");
    }
    shared.join(name)
}

fn attach(ebpf: &mut Ebpf) -> Result<(), ProgramError> {
    let own = ebpf.map("OWN_ENDS").ok_or(ProgramError::NotLoaded)?;
    let own: SockHash<_, End> = own.try_into()?;
    let own = own.fd().try_clone()?;
    let program = object::program::<SkMsg>(ebpf, "ssi_bypass")?;
    program.load()?;
    program.attach(&own).map(drop)
}

/// Forgets where the nodes of a cluster find each other, in the directory that
/// [`Net::bypass`](crate::Net::bypass) was given. Those that run go on; who starts from now
/// on meets those that start from now on.
///
/// # Errors
/// It could not be removed.
pub fn unload_bypass(shared: &Path, cluster: [u8; 16]) -> Result<bool, LoadError> {
    let path = pin(shared, cluster);
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(LoadError::Pin { path, source }),
    }
}
