//! Certificates that are refused, and what is said of them.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use rstest::rstest;
use shuttle::lifecycle::SetbackKind;
use shuttle::registrar::{Registrar, ReqwestTransport, TransportOptions};
use shuttle::verification::Verification;
use testbed::{CertificateFault, Fault, FaultKind, Starbase};

use super::bed::{Bed, ID, UID, client_of, registering, verification};

#[rstest]
#[case(CertificateFault::Expired, &[
    "its certificate has expired, or this node's clock is ahead",
    "this node's clock says 20",
    "certificate 1: subject `CN=starbase.testbed`, issuer `CN=starbase intermediate`, valid 2020-01-01T00:00:00Z to \
     2021-01-01T00:00:00Z, EXPIRED",
    "certificate 2: subject `CN=starbase intermediate`, issuer `CN=starbase root`",
    "date -u",
])]
#[case(CertificateFault::NotYetValid, &[
    "its certificate is not valid yet, or this node's clock is behind",
    "valid 2200-01-01T00:00:00Z to 2201-01-01T00:00:00Z, NOT YET VALID",
])]
#[case(CertificateFault::WrongName, &[
    "its certificate is for another name",
    "subject `CN=elsewhere.example`",
    "it is for elsewhere.example, 192.0.2.7, and 127.0.0.1 was asked for",
])]
#[case(CertificateFault::UnknownAuthority, &[
    "its certificate is signed by an unknown authority",
    "certificate 1: subject `CN=starbase.testbed`, issuer `CN=somebody else's intermediate`",
    "the issuer of certificate 2, `CN=somebody else's root`, was not sent and is no authority that is trusted here",
])]
#[case(CertificateFault::MissingIntermediate, &[
    "its certificate is signed by an unknown authority",
    "the issuer of certificate 1, `CN=starbase intermediate`, was not sent and is no authority that is trusted here",
])]
#[tokio::test]
async fn a_refused_certificate_is_described(#[case] fault: CertificateFault, #[case] words: &[&str]) {
    let bed = Bed::new();
    let client = bed.client();
    bed.starbase
        .fault(&Fault::always(FaultKind::Certificate(fault)))
        .unwrap();
    let setback = client.registrar.register(&registering(UID)).await.unwrap_err();
    assert_eq!(setback.kind, SetbackKind::Later { after: None });
    for words in words {
        assert!(
            setback.message.contains(words),
            "`{words}` is not in: {}",
            setback.message
        );
    }
    let linked = matches!(
        fault,
        CertificateFault::Expired | CertificateFault::NotYetValid | CertificateFault::WrongName
    );
    assert_eq!(!setback.message.contains("was not sent"), linked, "{}", setback.message);
    assert!(
        bed.starbase.requests().unwrap().is_empty(),
        "nothing is sent over such a connection"
    );

    bed.starbase.clear().unwrap();
    client.registrar.register(&registering(UID)).await.unwrap();
}

#[tokio::test]
async fn a_wrong_clock_is_suspected_where_another_one_differs() {
    let bed = Bed::new();
    let client = bed.client();
    // Starbase's clock, from an answer before.
    bed.starbase.advance(Duration::from_hours(5)).unwrap();
    client.registrar.register(&registering(UID)).await.unwrap();
    // And the API server's, from the last report.
    let mut slow = Verification::clone(&verification("healthy"));
    let server = slow.report.times.server.unwrap();
    slow.report.times.collected = server - SignedDuration::from_hours(4);
    let told = shuttle::registrar::Told {
        report: Some(Arc::new(slow)),
        ..registering(UID)
    };
    bed.starbase
        .fault(&Fault::always(FaultKind::Certificate(CertificateFault::NotYetValid)))
        .unwrap();
    let setback = client.registrar.register(&told).await.unwrap_err();
    for words in [
        "when Starbase last answered, its clock was ",
        " ahead of this node's",
        "this node's clock is 4h behind the API server's",
    ] {
        assert!(
            setback.message.contains(words),
            "`{words}` is not in: {}",
            setback.message
        );
    }
}

#[tokio::test]
async fn the_authority_s_file_is_read_again_when_it_changes() {
    let bed = Bed::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let other = Starbase::open(elsewhere.path()).unwrap();
    let file = elsewhere.path().join("authority.pem");
    fs::copy(other.authority(), &file).unwrap();
    let options = TransportOptions {
        authority: Some(file.clone()),
        ..bed.options()
    };
    let client = client_of(&bed.starbase.mint(ID).unwrap(), options);
    let setback = client.registrar.register(&registering(UID)).await.unwrap_err();
    assert!(setback.message.contains("unknown authority"), "{}", setback.message);

    fs::copy(bed.starbase.authority(), &file).unwrap();
    client.registrar.register(&registering(UID)).await.unwrap();

    // A file that is broken later does no harm.
    fs::write(&file, "nothing").unwrap();
    client.registrar.register(&registering(UID)).await.unwrap();
    fs::remove_file(&file).unwrap();
    client.registrar.register(&registering(UID)).await.unwrap();

    // One that is emptied takes its authority away.
    fs::write(&file, "\n").unwrap();
    let sent = bed.starbase.requests().unwrap().len();
    client.registrar.register(&registering(UID)).await.unwrap_err();
    assert_eq!(bed.starbase.requests().unwrap().len(), sent);
    fs::copy(bed.starbase.authority(), &file).unwrap();
    client.registrar.register(&registering(UID)).await.unwrap();
}

/// No file, and one that adds nothing, as `ca.crt: ""` of the manifests.
#[rstest]
#[case(None)]
#[case(Some(""))]
#[case(Some(" \r\n\t\n"))]
#[tokio::test]
async fn the_machine_s_own_authorities_do_not_vouch_for_it(#[case] blank: Option<&str>) {
    let bed = Bed::new();
    let file = bed.dir.path().join("authority.pem");
    let options = TransportOptions {
        authority: blank.map(|blank| {
            fs::write(&file, blank).unwrap();
            file
        }),
        ..bed.options()
    };
    if let Err(error) = ReqwestTransport::new(options.clone()) {
        // A machine without any authority has no transport at all.
        assert!(error.message.contains("no authority is trusted"), "{error}");
        return;
    }
    let client = client_of(&bed.starbase.mint(ID).unwrap(), options);
    let setback = client.registrar.register(&registering(UID)).await.unwrap_err();
    assert!(setback.message.contains("unknown authority"), "{}", setback.message);
}

#[rstest]
#[case(None, "it cannot be read")]
#[case(Some("nothing"), "it holds no certificate")]
#[case(Some("# the authority comes later\n"), "it holds no certificate")]
#[case(
    Some("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
    "it holds no certificate"
)]
#[case(
    Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    "a certificate in it is none"
)]
#[case(Some("-----BEGIN CERTIFICATE-----\nAAAA\n"), "it is not PEM")]
fn an_authority_s_file_that_is_none_is_named(#[case] content: Option<&str>, #[case] words: &str) {
    let bed = Bed::new();
    let file = bed.dir.path().join("authority.pem");
    if let Some(content) = content {
        fs::write(&file, content).unwrap();
    }
    let options = TransportOptions {
        authority: Some(file),
        ..bed.options()
    };
    let error = ReqwestTransport::new(options).unwrap_err();
    assert!(error.message.contains(words), "{error}");
    assert!(error.message.contains("authority.pem"), "{error}");
}
