//! Everything that goes wrong on the way, made to happen.

use std::time::{Duration, Instant};

use rstest::rstest;
use shuttle::lifecycle::SetbackKind;
use shuttle::registrar::{Registrar, TransportOptions};
use testbed::{Fault, FaultKind, Operation, RetryAfter};

use super::bed::{Bed, UID, active, client_of, registering};

const LATER: SetbackKind = SetbackKind::Later { after: None };

#[rstest]
#[case::dropped(FaultKind::Drop, "the connection broke before an answer began")]
#[case::truncated(FaultKind::Truncate, "broke off after")]
#[case::a_portal(FaultKind::Html, "the answer is not Starbase's: its content type is `text/html`")]
#[case::failed(FaultKind::Status { status: 500, retry_after: None }, "500, Starbase failed")]
#[case::bad_gateway(
    FaultKind::Answer { status: 502, headers: vec![("content-type".to_owned(), "text/html".to_owned())], body: "<h1>Bad Gateway</h1>".to_owned() },
    "502, Starbase failed: it does not say why"
)]
#[case::redirect(
    FaultKind::Answer { status: 307, headers: vec![("location".to_owned(), "https://elsewhere.example/".to_owned())], body: String::new() },
    "redirects to https://elsewhere.example/, and redirects are not followed"
)]
#[case::too_long(
    FaultKind::Answer { status: 200, headers: vec![("content-type".to_owned(), "application/json".to_owned())], body: " ".repeat(400_000) },
    "is longer than 262144 bytes"
)]
#[tokio::test]
async fn each_is_told_in_words_and_the_next_request_is_accepted(#[case] kind: FaultKind, #[case] words: &str) {
    let bed = Bed::new();
    let client = bed.client();
    bed.starbase.fault(&Fault::times(kind, 1)).unwrap();
    let setback = client.registrar.register(&registering(UID)).await.unwrap_err();
    assert_eq!(setback.kind, LATER, "{}", setback.message);
    for words in [words, "PUT https://127.0.0.1:", "/v1/clusters/fra1-blue/registration"] {
        assert!(
            setback.message.contains(words),
            "`{words}` is not in: {}",
            setback.message
        );
    }
    client.registrar.register(&registering(UID)).await.unwrap();
    bed.validate();
}

#[tokio::test]
async fn an_answer_that_was_lost_costs_a_generation_and_nothing_else() {
    let bed = Bed::new();
    let client = bed.client();
    bed.starbase.fault(&Fault::times(FaultKind::DropAnswer, 1)).unwrap();
    assert_eq!(
        client.registrar.register(&registering(UID)).await.unwrap_err().kind,
        LATER
    );
    assert_eq!(bed.starbase.clusters().unwrap()[0].generation, 1, "it took effect");
    assert_eq!(
        client.registrar.register(&registering(UID)).await.unwrap().generation,
        2
    );
    client.registrar.heartbeat(2, &active()).await.unwrap();
    bed.validate();
}

#[tokio::test]
async fn a_late_answer_is_given_up_in_time() {
    let bed = Bed::new();
    let options = TransportOptions {
        timeout: Duration::from_millis(300),
        ..bed.options()
    };
    let client = client_of(&bed.starbase.mint(super::bed::ID).unwrap(), options);
    bed.starbase
        .fault(&Fault::times(FaultKind::Delay(Duration::from_secs(5)), 1))
        .unwrap();
    let start = Instant::now();
    let setback = client.registrar.register(&registering(UID)).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(setback.kind, LATER);
    assert!(
        setback.message.contains("no answer in time: none within 0.3 s"),
        "{}",
        setback.message
    );
}

#[rstest]
#[case::seconds(429, RetryAfter::Seconds(120), Some(120))]
#[case::maintenance(503, RetryAfter::Seconds(5), Some(5))]
#[case::bounded(503, RetryAfter::Seconds(1_000_000), Some(3_600))]
#[case::a_date(429, RetryAfter::Date(90), Some(90))]
#[case::a_far_date(503, RetryAfter::Date(86_400), Some(3_600))]
#[case::nonsense(429, RetryAfter::Text("soon".to_owned()), None)]
#[tokio::test]
async fn starbase_is_left_alone_for_as_long_as_it_wants(
    #[case] status: u16,
    #[case] wait: RetryAfter,
    #[case] seconds: Option<u64>,
) {
    let bed = Bed::new();
    let client = bed.client();
    // By Starbase's clock, which is not the agent's.
    bed.starbase.advance(Duration::from_hours(3)).unwrap();
    let kind = FaultKind::Status {
        status,
        retry_after: Some(wait),
    };
    bed.starbase.fault(&Fault::always(kind)).unwrap();
    let setback = client.registrar.register(&registering(UID)).await.unwrap_err();
    let after = seconds.map(Duration::from_secs);
    assert_eq!(setback.kind, SetbackKind::Later { after }, "{}", setback.message);
    bed.starbase.clear().unwrap();
    client.registrar.register(&registering(UID)).await.unwrap();
}

#[tokio::test]
async fn a_fault_can_strike_one_operation_alone_and_so_many_times() {
    let bed = Bed::new();
    let client = bed.client();
    let kind = FaultKind::Status {
        status: 500,
        retry_after: None,
    };
    bed.starbase
        .fault(&Fault::times(kind, 2).on(Operation::Heartbeat))
        .unwrap();
    client.registrar.register(&registering(UID)).await.unwrap();
    for expected in [false, false, true] {
        assert_eq!(client.registrar.heartbeat(1, &active()).await.is_ok(), expected);
    }
    let faults: Vec<_> = bed
        .starbase
        .requests()
        .unwrap()
        .into_iter()
        .map(|exchange| exchange.fault.is_some())
        .collect();
    assert_eq!(faults, [false, true, true, false]);
    bed.validate();
}

#[tokio::test]
async fn nobody_listening_is_told_apart() {
    let bed = Bed::new();
    let client = bed.client();
    let Bed { starbase, serving, dir } = bed;
    drop(serving);
    let setback = client.registrar.register(&registering(UID)).await.unwrap_err();
    assert_eq!(setback.kind, LATER);
    assert!(
        setback.message.contains("the connection was refused"),
        "{}",
        setback.message
    );
    drop((starbase, dir));
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told_apart() {
    let bed = Bed::new();
    let options = TransportOptions {
        address: "https://starbase.invalid".parse().unwrap(),
        ..bed.options()
    };
    let client = client_of("starbase_x", options);
    let setback = client.registrar.register(&registering(UID)).await.unwrap_err();
    assert!(
        setback.message.contains("its host name could not be resolved"),
        "{}",
        setback.message
    );
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart() {
    let bed = Bed::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream.shutdown().await.unwrap();
    });
    let options = TransportOptions {
        address: format!("https://{address}").parse().unwrap(),
        ..bed.options()
    };
    let client = client_of("starbase_x", options);
    let setback = client.registrar.register(&registering(UID)).await.unwrap_err();
    server.await.unwrap();
    assert!(
        setback.message.contains("the TLS handshake failed"),
        "{}",
        setback.message
    );
    assert!(setback.message.contains("plain HTTP"), "{}", setback.message);
}
