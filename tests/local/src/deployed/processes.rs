//! Which process of this machine has a connection.

use std::fs;
use std::net::SocketAddr;

/// How often to look: the kernel's table may miss a line while other connections come and go.
const LOOKS: usize = 100;

/// The process whose end of a connection has this address. IPv4 only, as everything here.
pub(super) fn with_socket(address: SocketAddr) -> Option<u32> {
    (0..LOOKS).find_map(|_| look(address))
}

fn look(address: SocketAddr) -> Option<u32> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let inode = inode(&table, address)?;
    let link = format!("socket:[{inode}]");
    let mut processes = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| {
        let process: u32 = entry.file_name().to_str()?.parse().ok()?;
        let files = fs::read_dir(entry.path().join("fd")).ok()?;
        let mut links = files.flatten().filter_map(|file| fs::read_link(file.path()).ok());
        links.any(|target| target.as_os_str() == link.as_str()).then_some(process)
    });
    processes.next()
}

/// The inode of the socket with this local address in the kernel's table.
fn inode(table: &str, address: SocketAddr) -> Option<&str> {
    let SocketAddr::V4(address) = address else { return None };
    let ip = u32::from_ne_bytes(address.ip().octets());
    let local = format!("{ip:08X}:{:04X}", address.port());
    table.lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        let found = fields.nth(1)? == local;
        found.then(|| fields.nth(7)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_leads_to_its_process() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert_eq!(with_socket(client.local_addr().unwrap()), Some(std::process::id()));
        assert_eq!(with_socket(SocketAddr::from(([127, 9, 9, 9], 1))), None);
    }
}
