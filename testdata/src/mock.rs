//! The canned answers over plain HTTP on loopback: the API server, Starbase and the region's stores at one address.

use crate::answers::Answers;
use crate::client::{self, Reach};
use crate::reply::{DATE, Ends, NEVER, Reply};
use starform_verify::collect::{Stores, Targets};
use starform_verify::evidence::Vantage;
use std::net::SocketAddr;
use std::ops::Deref;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The longest beginning of a request that is read.
const HEAD_BOUND: usize = 64 << 10;

/// The server. It ends with the runtime that it was started in.
#[derive(Clone, Debug)]
pub struct Mock {
    /// Where it listens.
    pub address: SocketAddr,
    answers: Answers,
}

impl Mock {
    /// Starts one that answers everything well.
    ///
    /// # Panics
    /// Where nothing may listen on loopback.
    pub async fn start() -> Self {
        Self::of(Answers::good()).await
    }

    /// Starts one with these answers.
    ///
    /// # Panics
    /// Where nothing may listen on loopback.
    pub async fn of(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback");
        let address = listener.local_addr().expect("the address of a listener");
        let mock = Self { address, answers };
        let accepting = mock.answers.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answers = accepting.clone();
                tokio::spawn(async move {
                    // The client may be gone; it is the test that says what that means.
                    let _ = serve(stream, &answers).await;
                });
            }
        });
        mock
    }

    /// It as all that an audit asks, from outside the cluster.
    #[must_use]
    pub fn targets(&self) -> Targets {
        self.targets_from(Vantage::Outside)
    }

    /// It as all that an audit asks.
    #[must_use]
    pub fn targets_from(&self, vantage: Vantage) -> Targets {
        client::targets(self, vantage)
    }

    /// It as the cluster alone: nobody asks for Starbase and the region.
    #[must_use]
    pub fn cluster(&self) -> Targets {
        client::cluster(self, Vantage::Outside).into()
    }

    /// It is the region's stores too. `more` is what else stands in the stores file.
    #[must_use]
    pub fn stores(&self, more: &str) -> Stores {
        client::stores(&self.url(), more)
    }
}

impl Deref for Mock {
    type Target = Answers;

    fn deref(&self) -> &Answers {
        &self.answers
    }
}

impl Reach for Mock {
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn client(&self, config: kube::Config) -> kube::Result<kube::Client> {
        kube::Client::try_from(config)
    }
}

async fn serve(mut stream: TcpStream, answers: &Answers) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut bytes = [0; 1024];
        match stream.read(&mut bytes).await? {
            0 => return Ok(()),
            _ if head.len() > HEAD_BOUND => return Ok(()),
            read => head.extend_from_slice(&bytes[..read]),
        }
    }
    let reply = answers.reply(String::from_utf8_lossy(&head).into_owned());
    match reply.ends {
        Ends::Well => {
            stream.write_all(beginning(&reply).as_bytes()).await?;
            stream.write_all(&reply.body).await
        }
        Ends::Cut => {
            stream.write_all(beginning(&reply).as_bytes()).await?;
            stream.write_all(reply.half()).await
        }
        Ends::HangInBody => {
            stream.write_all(beginning(&reply).as_bytes()).await?;
            stream.write_all(reply.half()).await?;
            tokio::time::sleep(NEVER).await;
            Ok(())
        }
        Ends::Slowly(pause) => {
            stream.write_all(beginning(&reply).as_bytes()).await?;
            for part in reply.parts() {
                tokio::time::sleep(pause).await;
                stream.write_all(&part).await?;
            }
            Ok(())
        }
        Ends::Late(after) => {
            tokio::time::sleep(after).await;
            stream.write_all(beginning(&reply).as_bytes()).await?;
            stream.write_all(&reply.body).await
        }
        Ends::Hang => {
            tokio::time::sleep(NEVER).await;
            Ok(())
        }
        Ends::Close => Ok(()),
        Ends::NotHttp => stream.write_all(&reply.body).await,
    }
}

fn beginning(reply: &Reply) -> String {
    let Reply {
        status, content_type, ..
    } = reply;
    let length = reply.body.len();
    let location = reply.location.map(|location| format!("location: {location}\r\n"));
    let location = location.unwrap_or_default();
    format!(
        "HTTP/1.1 {status} Mock\r\ndate: {DATE}\r\ncontent-type: {content_type}\r\n{location}content-length: {length}\r\nconnection: close\r\n\r\n"
    )
}
