//! Real HTTPS on loopback: each request is authenticated, answered from the world, and logged; faults fall as ordered.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::answer::{Answer, bent, xml};
use crate::auth::{authenticate, basic};
use crate::fault::FaultKind;
use crate::log::Entry;
use crate::request::{Asked, product_of};
use crate::world::{Elsewhere, World};
use crate::{apps, products, v2010};

/// Accepts connections until the runtime ends.
pub async fn serve(listener: TcpListener, config: Arc<ServerConfig>, world: Arc<Mutex<World>>) {
    let acceptor = TlsAcceptor::from(config);
    loop {
        let Ok((stream, peer)) = listener.accept().await else { continue };
        let (acceptor, world) = (acceptor.clone(), Arc::clone(&world));
        tokio::spawn(connection(stream, peer, acceptor, world));
    }
}

async fn connection(
    stream: tokio::net::TcpStream,
    _peer: SocketAddr,
    acceptor: TlsAcceptor,
    world: Arc<Mutex<World>>,
) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let sni = stream.get_ref().1.server_name().map(str::to_owned);
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let (world, sni) = (Arc::clone(&world), sni.clone());
        async move { respond(world, sni, request.map(Body::new)).await }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Ends the connection without an answer.
#[derive(Debug)]
struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("reset on order")
    }
}

impl std::error::Error for Reset {}

async fn respond(
    world: Arc<Mutex<World>>,
    sni: Option<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Reset> {
    let (head, body) = request.into_parts();
    let host = head
        .headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .map(|host| host.split(':').next().unwrap_or_default().to_owned())
        .unwrap_or_default();
    let path = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let query =
        form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let method = head.method.to_string();
    let bearer = head
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ").map(str::to_owned));
    let pair = basic(head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()));
    let user = pair.as_ref().map(|(user, _)| user.clone());
    let fault = take_fault(&mut world.lock().expect("no panic"), &method, &format!("{host}{path}"));
    if let Some(FaultKind::Latency(time)) = &fault {
        tokio::time::sleep(*time).await;
    }
    let (slot, crowded) = enter(&mut world.lock().expect("no panic"), user.as_deref().unwrap_or_default());
    // Others get their turn while this one is in flight.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let asked = |(product, region)| Asked {
        method: method.clone(),
        host: host.clone(),
        product,
        region,
        path: path.clone(),
        query,
        form: form.clone(),
        json: serde_json::from_slice(&body).unwrap_or_default(),
        bearer: bearer.clone(),
        basic: pair.clone(),
    };
    let answer = {
        let mut world = world.lock().expect("no panic");
        let answer = match (&fault, product_of(&host)) {
            _ if crowded => Answer::error(429, 20429, "Too Many Requests"),
            (Some(FaultKind::TooMany(_)), _) => Answer::error(429, 20429, "Too Many Requests"),
            (Some(FaultKind::ServerError), _) => Answer::error(500, 20500, "Internal Server Error"),
            (Some(FaultKind::Answer(status, code, message)), _) => Answer::error(*status, *code, message),
            (Some(FaultKind::ResetBefore), _) => Answer::error(599, 0, "reset"),
            (_, None) => Answer { status: 421, body: None },
            (_, Some(place)) => answer(&mut world, &asked(place)),
        };
        *world.in_flight.entry(slot).or_default() -= 1;
        world.log.push(Entry {
            method: method.clone(),
            host: host.clone(),
            sni,
            path: path.clone(),
            user,
            form: form.clone(),
            status: answer.status,
            code: answer.code(),
            fault: fault.is_some(),
        });
        answer
    };
    let ahead = world.lock().expect("no panic").switches.clock_ahead;
    let mut response = render(&answer, &path, fault)?;
    let now = Timestamp::now() + SignedDuration::from_secs(ahead);
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).expect("a date");
    response.headers_mut().insert(header::DATE, date.parse().expect("a header"));
    Ok(response)
}

/// Counts a request against the account that it is of: a key's, or the one that is named.
fn enter(world: &mut World, user: &str) -> (String, bool) {
    let account = world.keys.get(user).map_or(user, |key| key.account.as_str()).to_owned();
    let now = world.in_flight.entry(account.clone()).or_default();
    *now += 1;
    let now = *now;
    let peak = world.peak.entry(account.clone()).or_default();
    *peak = (*peak).max(now);
    (account, now > world.switches.most_concurrent)
}

fn take_fault(world: &mut World, method: &str, target: &str) -> Option<FaultKind> {
    let seed = world.log.len() as u64;
    for fault in &mut world.faults {
        if fault.times == 0
            || fault.method.is_some_and(|only| only != method)
            || !target.contains(&fault.within)
        {
            continue;
        }
        if fault.after > 0 {
            fault.after -= 1;
            continue;
        }
        let own = if let FaultKind::Bent(own) = fault.kind { own << 32 } else { 0 };
        if fault.percent < 100 && fastrand::Rng::with_seed(own ^ seed ^ 0x9e37).u32(..100) >= fault.percent {
            continue;
        }
        fault.times = fault.times.saturating_sub(u32::from(fault.times != u32::MAX));
        return Some(fault.kind.clone());
    }
    None
}

fn answer(world: &mut World, asked: &Asked) -> Answer {
    if asked.region != crate::world::Region::Us1 && asked.product != "api" {
        match world.switches.products_in_regions {
            Elsewhere::Absent => return Answer { status: 404, body: None },
            Elsewhere::Refuses => return Answer::unauthorized(),
            Elsewhere::Answers => {}
        }
    }
    if asked.product == "oauth" {
        return apps::token(world, asked);
    }
    if asked.product == "preview-iam" {
        return apps::users(world, asked);
    }
    let who = match authenticate(world, asked.basic.as_ref(), asked.region, &asked.product) {
        Ok(who) => who,
        Err(refusal) => return refusal,
    };
    if asked.product == "api" {
        let path = asked.path.split('?').next().unwrap_or_default();
        let path = path.strip_suffix(".json").unwrap_or(path);
        let Some(rest) = path.strip_prefix("/2010-04-01/") else { return Answer::not_found(&asked.path) };
        let parts: Vec<&str> = rest.split('/').collect();
        return v2010::answer(world, asked, &who, &parts);
    }
    products::answer(world, asked, &who)
}

fn render(answer: &Answer, path: &str, fault: Option<FaultKind>) -> Result<Response<Body>, Reset> {
    let page = "<!doctype html><title>Sign in</title><p>Sign in to use this network</p>";
    match fault {
        Some(FaultKind::ResetBefore | FaultKind::ResetAfter) => return Err(Reset),
        Some(FaultKind::WrongType) => {
            return Ok(build(200, "text/html", page.as_bytes().to_vec().into(), None));
        }
        Some(FaultKind::ProxyPage) => {
            return Ok(build(407, "text/html", page.as_bytes().to_vec().into(), None));
        }
        Some(FaultKind::Redirect(host)) => {
            let mut response = build(307, "text/html", Body::empty(), None);
            let location = format!("https://{host}{path}").parse().expect("a location");
            response.headers_mut().insert(header::LOCATION, location);
            return Ok(response);
        }
        Some(FaultKind::Endless) => return Ok(build(200, "application/json", endless(), None)),
        _ => {}
    }
    let retry = match fault {
        Some(FaultKind::TooMany(seconds)) => seconds,
        _ => None,
    };
    let Some(body) = &answer.body else {
        return Ok(build(answer.status, "application/json", Body::empty(), retry));
    };
    if let (Some(FaultKind::Bent(seed)), 200..300) = (&fault, answer.status) {
        let seed = path.bytes().fold(*seed, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
        return Ok(build(answer.status, "application/json", bent(body, seed).into(), None));
    }
    let is_json =
        path.split('?').next().unwrap_or_default().ends_with(".json") || !path.starts_with("/2010-04-01");
    let (kind, text) =
        if is_json { ("application/json", body.to_string()) } else { ("application/xml", xml(body)) };
    if fault == Some(FaultKind::HalfBody) {
        let mut response = build(answer.status, kind, half(text.as_bytes()), retry);
        response.headers_mut().insert(header::CONTENT_LENGTH, text.len().into());
        return Ok(response);
    }
    Ok(build(answer.status, kind, text.into(), retry))
}

/// The first half of a body, and then a broken connection.
fn half(text: &[u8]) -> Body {
    let first = Bytes::copy_from_slice(&text[..text.len() / 2]);
    Body::from_stream(Parts(vec![Err(Reset), Ok(first)]))
}

/// White space without end: it is legal at the start of JSON.
fn endless() -> Body {
    struct Spaces;
    impl futures_core::Stream for Spaces {
        type Item = Result<Bytes, Infallible>;
        fn poll_next(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            std::task::Poll::Ready(Some(Ok(Bytes::from_static(&[b' '; 16384]))))
        }
    }
    Body::from_stream(Spaces)
}

struct Parts(Vec<Result<Bytes, Reset>>);

impl futures_core::Stream for Parts {
    type Item = Result<Bytes, Reset>;
    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop())
    }
}

fn build(status: u16, kind: &str, body: Body, retry: Option<u32>) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind.parse().expect("a type"));
    headers.insert("Twilio-Concurrent-Requests", 1.into());
    let id: String = (0..32).map(|_| char::from_digit(fastrand::u32(..16), 16).expect("a digit")).collect();
    headers.insert("Twilio-Request-Id", format!("RQ{id}").parse().expect("an id"));
    if let Some(seconds) = retry {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
