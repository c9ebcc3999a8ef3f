//! AMQP: whatever a client sends, the server lives, answers in whole frames, and gives
//! back what it was asked to deliver.

#![no_main]

use std::sync::Mutex;

use elastane::amqp::connection::converse_over;
use elastane::amqp::frame::{HEAD_BYTES, Head, PREAMBLE};
use elastane::amqp::{
    ClientId, Confirm, Consumer, Delivery, Handler, Properties, Published, Settlement,
};
use libfuzzer_sys::fuzz_target;

/// Lets anybody in, delivers one message to each consumer, and counts.
#[derive(Default)]
struct Counting {
    delivered: Mutex<u64>,
    settled: Mutex<u64>,
}

impl Handler for Counting {
    fn sign_in(&self, _: &str, _: &str) -> Option<ClientId> {
        Some(1)
    }

    fn consume(&self, _: ClientId, _: &str, consumer: Consumer) -> Result<(), String> {
        let delivery = Delivery {
            token: 1,
            exchange: String::new(),
            routing_key: "key".to_owned(),
            redelivered: false,
            properties: Properties::default(),
            body: vec![0; 10_000],
        };
        assert!(consumer.deliver(delivery), "it was just made");
        *self.delivered.lock().unwrap() += 1;
        Ok(())
    }

    fn settle(&self, _: ClientId, _: u64, _: Settlement) {
        *self.settled.lock().unwrap() += 1;
    }

    fn publish(&self, _: ClientId, _: Published, confirm: Confirm) {
        confirm.accept();
    }

    fn cancelled(&self, _: ClientId, _: &str) {}
}

fuzz_target!(|bytes: &[u8]| {
    let handler = Counting::default();
    let sent = converse_over(&[&PREAMBLE[..], bytes].concat(), &handler);
    let mut rest = &sent[..];
    while !rest.is_empty() {
        let (head, after) = rest
            .split_first_chunk::<HEAD_BYTES>()
            .expect("a whole head");
        let head = Head::parse(*head, u32::MAX).expect("a head of ours");
        rest = after.get(head.length + 1..).expect("a whole frame");
    }
    let (delivered, settled) = (
        *handler.delivered.lock().unwrap(),
        *handler.settled.lock().unwrap(),
    );
    assert_eq!(delivered, settled, "everything comes back");
});
