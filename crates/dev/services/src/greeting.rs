//! Finds out whether a server answers, without a client library for its protocol.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// The bytes of AMQP 0-9-1's protocol header; the answer is a method frame, which begins with 1.
const AMQP_HEADER: &[u8] = b"AMQP\0\0\x09\x01";

/// `{hello: 1, $db: "admin"}` in MongoDB's wire protocol, as message 1 with the operation code 2013.
const MONGODB_HELLO: &[u8] = b"\x34\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\
    \x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0";

/// Whether an AMQP broker answers.
pub(crate) fn is_amqp(port: u16) -> bool {
    exchange(port, AMQP_HEADER).is_ok_and(|answer| answer[0] == 1)
}

/// Whether a web server answers.
pub(crate) fn is_http(port: u16) -> bool {
    exchange(port, b"GET / HTTP/1.0\r\n\r\n").is_ok_and(|answer| answer.starts_with(b"HTTP/"))
}

/// Whether a MongoDB server answers: its response refers to our message, with the same operation code.
pub(crate) fn is_mongodb(port: u16) -> bool {
    exchange(port, MONGODB_HELLO).is_ok_and(|answer| answer[8..] == *b"\x01\0\0\0\xdd\x07\0\0")
}

/// The first bytes of the response to a greeting.
fn exchange(port: u16, greeting: &[u8]) -> io::Result<[u8; 16]> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(greeting)?;
    let mut answer = [0; 16];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn nobody_and_somebody_else_are_no_server() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = std::thread::spawn(move || {
            for _ in 0..2 {
                listener.accept().unwrap().0.write_all(b"220 mail.example.org").unwrap();
            }
        });
        assert!(!is_amqp(port));
        assert!(!is_mongodb(port));
        answer.join().unwrap();
        assert!(!is_http(port), "nobody listens there any more");
    }
}
