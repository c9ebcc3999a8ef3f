//! The encryption of messages (`runtime.md 3.4`): AES-256-CBC under the SHA-256 of a
//! password, with a fixed initialisation vector, as the protocol has it. It hides messages
//! from nobody who can read the process's environment; loopback keeps the others out.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The bytes of an initialisation vector.
pub(super) const IV_BYTES: usize = 16;

/// What both ends know.
#[derive(Clone)]
pub(super) struct Cipher {
    key: [u8; 32],
    iv: [u8; IV_BYTES],
}

impl Cipher {
    /// Makes the cipher of a password and an initialisation vector of 16 ASCII characters.
    pub(super) fn new(password: &str, iv: [u8; IV_BYTES]) -> Self {
        Self {
            key: Sha256::digest(password.as_bytes()).into(),
            iv,
        }
    }

    /// Encrypts a value as base64 text: protocol version 1.
    pub(super) fn seal(&self, value: &Value) -> String {
        let cipher = cbc::Encryptor::<aes::Aes256>::new(&self.key.into(), &self.iv.into());
        let plain = value.to_string();
        STANDARD.encode(cipher.encrypt_padded_vec_mut::<Pkcs7>(plain.as_bytes()))
    }

    /// Decrypts base64 text; none where it is not what this cipher sealed.
    pub(super) fn open(&self, text: &[u8]) -> Option<Value> {
        let sealed = STANDARD.decode(text).ok()?;
        self.open_raw(&sealed)
    }

    /// Decrypts bytes: protocol version 2.
    pub(super) fn open_raw(&self, sealed: &[u8]) -> Option<Value> {
        let cipher = cbc::Decryptor::<aes::Aes256>::new(&self.key.into(), &self.iv.into());
        let plain = cipher.decrypt_padded_vec_mut::<Pkcs7>(sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What Node makes of the value below.
    const NODE: &str = "Idgs/Dj+hA/ceuZfyun0CVBLmKvCr7c7zh+VjKeQYW8=";

    #[test]
    fn the_text_is_that_of_node() {
        // crypto.createCipheriv('aes-256-cbc', sha256('testCryptoPassword'), 'iv=any16_symbols')
        let cipher = Cipher::new("testCryptoPassword", *b"iv=any16_symbols");
        let value = json!({"someKey": "someValue"});
        assert_eq!(cipher.seal(&value), NODE);
        assert_eq!(cipher.open(NODE.as_bytes()), Some(value));
    }

    #[test]
    fn damaged_texts_do_not_open() {
        let cipher = Cipher::new("password", *b"0123456789abcdef");
        for text in [&b""[..], b"!", b"AAAA", b"AAAAAAAAAAAAAAAAAAAAAA=="] {
            assert_eq!(cipher.open(text), None);
        }
    }
}
