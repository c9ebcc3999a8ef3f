//! A bare asynchronous server, which the benchmarks of HTTP compare ours with.

use std::net::SocketAddr;
use std::sync::mpsc;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

/// Starts a server that answers everything with one body, on a runtime of its own, and
/// returns its address. It serves until the process ends.
pub(crate) fn start(content_type: &'static str, body: Bytes) -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    let work = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_io()
            .build()
            .expect("a runtime starts where threads start");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
                .await
                .expect("loopback has a free port");
            sender
                .send(
                    listener
                        .local_addr()
                        .expect("a bound socket has an address"),
                )
                .expect("the bench waits for the address");
            while let Ok((stream, _)) = listener.accept().await {
                let _gone = stream.set_nodelay(true);
                tokio::spawn(serve(stream, content_type, body.clone()));
            }
        });
    };
    elastane::thread::spawn("bench-hyper", None, work).expect("threads start");
    receiver.recv().expect("the other server has an address")
}

/// Serves one connection to its end.
async fn serve(stream: tokio::net::TcpStream, content_type: &'static str, body: Bytes) {
    let service = service_fn(|_request| {
        let body = body.clone();
        async move {
            hyper::Response::builder()
                .header("Content-Type", content_type)
                .body(Full::new(body))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new();
    let _ended = connection
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
