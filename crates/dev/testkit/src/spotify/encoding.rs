//! Base64, as far as the accounts service needs it.

use sha2::{Digest, Sha256};

const BASE64_ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// RFC 4648 section 4, with padding: the form of HTTP's Basic scheme.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut text = encode(bytes, ['+', '/']);
    text.extend(std::iter::repeat_n('=', (3 - bytes.len() % 3) % 3));
    text
}

/// The S256 challenge of a PKCE verifier (RFC 7636 section 4.2).
pub(super) fn challenge(verifier: &str) -> String {
    encode(&Sha256::digest(verifier), ['-', '_'])
}

fn encode(bytes: &[u8], last_two: [char; 2]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let group = three.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            let index = (group >> (18 - 6 * place) & 63) as usize;
            text.push(BASE64_ALPHABET.get(index).map_or_else(|| last_two[index - 62], |letter| char::from(*letter)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standards_hold() {
        assert_eq!(["", "f", "fo", "foo"].map(|text| base64(text.as_bytes())), ["", "Zg==", "Zm8=", "Zm9v"]);
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
