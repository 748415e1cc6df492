use ssi_abi::server::Server;
use ssi_abi::service::{Service, ServiceKey};
use ssi_abi::settings::Settings;

/// One write to the kernel's maps. A list of them is to be carried out in order: then a
/// packet in flight at any moment sees tables that name only servers that are there, and
/// services that have their tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Counts and load of a server start from 0; its index has a new owner.
    ResetServer(u16),
    /// Counts and turn of a service start from 0; its index has a new owner.
    ResetService(u32),
    /// Replaces a record of `SERVERS`.
    Server(u16, Server),
    /// Replaces entries of `TABLE` from the first on.
    Entries(u32, Vec<u32>),
    /// Replaces a record of `SERVICES`.
    Service(u32, Service),
    /// Sets an entry of `SERVICE_INDEX`.
    Key(ServiceKey, u32),
    /// Removes an entry of `SERVICE_INDEX`.
    RemoveKey(ServiceKey),
    /// Replaces a word of `ADDRS`.
    Filter(u32, u32),
    /// Replaces `SETTINGS`.
    Settings(Settings),
    /// What is shown of a service's counts, or of all, starts from 0.
    Zero(Option<u32>),
}
