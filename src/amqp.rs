//! AMQP 0-9-1, the server's side: what an unmodified sailor speaks, and nothing else
//! (`runtime.md 3.2`).
//!
//! A library inside the crate that knows no flow and no resource. Clients sign in,
//! consume one queue or another, publish, and confirm. What a queue is, and what becomes
//! of a message, is for the one seam outward to say: [`Handler`].
//!
//! Nothing is declared here: no exchange, no queue, no binding. Other methods than those
//! of `runtime.md 3.2` (and `basic.nack`) are answered with 540, not implemented, and end
//! their connection.
//!
//! The codec is ours. The published one recurses without bound into nested tables, which
//! a client may send before it has signed in, and its crate brings a TCP stack with an
//! asynchronous runtime's traits; what is needed here is 17 methods and one table.

pub mod connection;
mod consumer;
pub mod fault;
pub mod frame;
mod handler;
mod message;
mod method;
mod outbox;
mod server;
mod session;
pub mod table;
mod wire;

pub use consumer::{Confirm, Consumer};
pub use handler::{ClientId, Handler, Settlement};
pub use message::{Delivery, Properties, Published};
pub use server::{Server, Settings};
