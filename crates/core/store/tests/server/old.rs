//! A stand-in for a server that is too old: it reports its version and can do nothing else.

use mongodb::bson::{Document, deserialize_from_slice, doc, serialize_to_vec};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Result};
use tokio::net::{TcpListener, TcpStream};

const HEADER_BYTES: usize = 16;
const OP_REPLY: i32 = 1;
const OP_QUERY: i32 = 2004;
const OP_MSG: i32 = 2013;

/// Serves as MongoDB `version` on a free port until the test ends; returns the URL.
pub async fn serve(version: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("mongodb://{}/x", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_all(stream, version));
        }
    });
    url
}

async fn answer_all(mut stream: TcpStream, version: &'static str) -> Result<()> {
    loop {
        let mut header = [0; HEADER_BYTES];
        stream.read_exact(&mut header).await?;
        let number = |at: usize| i32::from_le_bytes(header[at..at + 4].try_into().unwrap());
        let (length, id, code) = (number(0) as usize, number(4), number(12));
        let mut body = vec![0; length - HEADER_BYTES];
        stream.read_exact(&mut body).await?;
        // Before the document, a query has flags, name, skip and limit; a message has flags and the kind of its section.
        let name = if code == OP_QUERY { body[4..].iter().position(|byte| *byte == 0).unwrap() } else { 0 };
        let question: Document = deserialize_from_slice(&body[if code == OP_QUERY { name + 13 } else { 5 }..]).unwrap();
        let answer = serialize_to_vec(&answer(&question, version)).unwrap();
        let (code, before) =
            if code == OP_QUERY { (OP_REPLY, [vec![0; 16], vec![1, 0, 0, 0]].concat()) } else { (OP_MSG, vec![0; 5]) };
        let length = (HEADER_BYTES + before.len() + answer.len()) as i32;
        let header = [length, 0, id, code].map(i32::to_le_bytes).concat();
        stream.write_all(&[header, before, answer].concat()).await?;
    }
}

fn answer(question: &Document, version: &str) -> Document {
    let numbers: Vec<i32> = version.split('.').map(|number| number.parse().unwrap()).collect();
    match question.keys().next().map(String::as_str) {
        Some("buildInfo") => doc! { "ok": 1, "version": version, "versionArray": numbers },
        _ => doc! {
            "ok": 1, "helloOk": true, "isWritablePrimary": true, "ismaster": true, "minWireVersion": 0, "maxWireVersion": 13,
            "maxBsonObjectSize": 16 << 20, "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000,
        },
    }
}
