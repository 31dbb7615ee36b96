//! TLS in front of the local stack, because AWS is only reached over TLS.

use anyhow::Context as _;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A TLS server that passes everything on.
pub(crate) struct TlsFront {
    pub(crate) url: String,
    /// The file with its certificate, for clients to trust.
    pub(crate) certificate: PathBuf,
}

impl TlsFront {
    /// Starts the server in front of `url`, which begins with `http://`. The folder gets its certificate.
    pub(crate) async fn start(url: &str, folder: &std::path::Path) -> anyhow::Result<Self> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let certificate = folder.join("certificate.pem");
        std::fs::write(&certificate, made.cert.pem())?;
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.context("failed to listen")?;
        let own = format!("https://{}", listener.local_addr()?);
        let target = url.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, acceptor.clone(), target.clone()));
            }
        });
        Ok(Self { url: own, certificate })
    }
}

/// Passes the bytes of one connection on. An error ends the connection, which the client notices.
async fn pass(client: TcpStream, acceptor: TlsAcceptor, target: String) -> anyhow::Result<()> {
    client.set_nodelay(true)?;
    let mut server = TcpStream::connect(&target).await?;
    server.set_nodelay(true)?;
    let mut client = acceptor.accept(client).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
