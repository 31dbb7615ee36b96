//! The process that opened a connection.
//!
//! The fault modes `crash-before` and `crash-after` must end the process of a function: Lambda
//! answers for it and starts a new one. To reset the connection is not enough, because the AWS SDK
//! retries the call in the same process (the mode `lost-reply` does that). The emulator does not
//! tell which process runs an invocation, so it is looked up in Linux's tables of connections and
//! open files.

use std::fs;
use std::net::SocketAddr;

/// The number of attempts: the table of the kernel can miss a line while other connections change.
const ATTEMPTS: usize = 10;

/// An IPv4 connection, seen from the process that opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connection {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
}

/// Returns the id of the process that opened a connection.
pub(super) fn opener(connection: Connection) -> Option<u32> {
    (0..ATTEMPTS).find_map(|_| find_opener(connection))
}

fn find_opener(connection: Connection) -> Option<u32> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let inode = inode(&table, connection)?;
    let link = format!("socket:[{inode}]");
    let mut processes = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| {
        let process: u32 = entry.file_name().to_str()?.parse().ok()?;
        let files = fs::read_dir(entry.path().join("fd")).ok()?;
        let mut links = files.flatten().filter_map(|file| fs::read_link(file.path()).ok());
        links.any(|target| target.as_os_str() == link.as_str()).then_some(process)
    });
    processes.next()
}

/// Returns the inode of the opener's socket in the table of the kernel. Both ends must match,
/// because several connections can use one port.
fn inode(table: &str, connection: Connection) -> Option<&str> {
    let ends = [hex(connection.from)?, hex(connection.to)?];
    table.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let found = ends.iter().all(|end| fields.next() == Some(end));
        found.then(|| fields.nth(6)).flatten()
    })
}

/// Formats an address as the kernel does.
fn hex(address: SocketAddr) -> Option<String> {
    let SocketAddr::V4(address) = address else { return None };
    let ip = u32::from_ne_bytes(address.ip().octets());
    Some(format!("{ip:08X}:{:04X}", address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn the_process_of_a_connection_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let from = client.local_addr().unwrap();
        let connection = Connection { from, to: client.peer_addr().unwrap() };
        assert_eq!(opener(connection), Some(std::process::id()));
        let to = SocketAddr::from(([127, 9, 9, 9], 1));
        assert_eq!(opener(Connection { from, to }), None);
    }

    #[test]
    fn connections_from_one_port_are_distinguished() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:9C40 0100007F:1F91 06 00000000:00000000 03:00000B5C 00000000     0        0 0 3 0000000000000000
   1: 0100007F:9C40 0100007F:1F92 01 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000
   2: 0100007F:1F92 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000";
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let connection = Connection { from: at(40_000), to: at(8082) };
        assert_eq!(inode(table, connection), Some("4711"));
        let other = Connection { from: at(40_000), to: at(8083) };
        assert_eq!(inode(table, other), None);
    }
}
