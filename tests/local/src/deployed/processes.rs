//! Which process of this machine has a connection.

use std::fs;
use std::net::SocketAddr;

/// How often to look: the kernel's table may miss a line while other connections come and go.
const LOOKS: usize = 10;

/// A connection as the one who opened it sees it. IPv4 only, as everything here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connection {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
}

/// The process that opened a connection.
pub(super) fn that_opened(connection: Connection) -> Option<u32> {
    (0..LOOKS).find_map(|_| look(connection))
}

fn look(connection: Connection) -> Option<u32> {
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

/// The inode of the opener's socket in the kernel's table. One end alone would not do: a port serves several
/// connections at once, each to another place.
fn inode(table: &str, connection: Connection) -> Option<&str> {
    let ends = [hex(connection.from)?, hex(connection.to)?];
    table.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let found = ends.iter().all(|end| fields.next() == Some(end));
        found.then(|| fields.nth(6)).flatten()
    })
}

/// An address as the kernel writes it.
fn hex(address: SocketAddr) -> Option<String> {
    let SocketAddr::V4(address) = address else { return None };
    let ip = u32::from_ne_bytes(address.ip().octets());
    Some(format!("{ip:08X}:{:04X}", address.port()))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_leads_to_its_process() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let from = client.local_addr().unwrap();
        let connection = Connection { from, to: client.peer_addr().unwrap() };
        assert_eq!(that_opened(connection), Some(std::process::id()));
        let to = SocketAddr::from(([127, 9, 9, 9], 1));
        assert_eq!(that_opened(Connection { from, to }), None);
    }

    #[test]
    fn connections_from_one_port_are_told_apart() {
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
