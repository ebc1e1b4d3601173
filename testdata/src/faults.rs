//! Every way in which an answer can be wrong.

use crate::client::REQUEST_TIMEOUT;
use crate::reply::{Ends, Reply};
use crate::requests::Asked;

/// How a request is answered instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// With this status, and a `Status` as the API server writes it.
    Status(u16),
    /// With this status, and a line of text that is no `Status`.
    Plain(u16),
    /// 200, and `{}`.
    EmptyObject,
    /// 200, and the empty list; for one object, an empty list where the object should be.
    EmptyList,
    /// 200, and the beginning of the body; then the connection breaks.
    Cut,
    /// 200, and the beginning of the body, as if that were all.
    Short,
    /// 200, and bytes.
    Garbage,
    /// 200, and the right body under another content type.
    ContentType,
    /// 200, and a captive portal's page.
    Portal,
    /// A redirection to a login.
    Redirect,
    /// Never.
    Hang,
    /// 200 and half of the body; then never more.
    HangInBody,
    /// 200, and the body in so small parts that it does not end in time.
    Drip,
    /// The connection is closed at once.
    Close,
    /// What comes is no HTTP.
    NotHttp,
}

/// Every fault there is.
pub const FAULTS: [Fault; 25] = [
    Fault::Status(400),
    Fault::Status(401),
    Fault::Status(403),
    Fault::Status(404),
    Fault::Status(410),
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(503),
    Fault::Plain(401),
    Fault::Plain(403),
    Fault::Plain(404),
    Fault::Plain(502),
    Fault::EmptyObject,
    Fault::EmptyList,
    Fault::Cut,
    Fault::Short,
    Fault::Garbage,
    Fault::ContentType,
    Fault::Portal,
    Fault::Redirect,
    Fault::Hang,
    Fault::HangInBody,
    Fault::Drip,
    Fault::Close,
    Fault::NotHttp,
];

impl Fault {
    /// Whether it is a matter of the connection: what carries no bytes cannot show it.
    #[must_use]
    pub fn is_of_the_connection(self) -> bool {
        matches!(self, Self::Cut | Self::Close | Self::NotHttp)
    }

    /// Whether the answer does not end in time.
    #[must_use]
    pub fn hangs(self) -> bool {
        matches!(self, Self::Hang | Self::HangInBody | Self::Drip)
    }

    pub(crate) fn reply(self, asked: &Asked) -> Reply {
        let json = "application/json";
        let own = asked.content_type();
        let whole = asked.body();
        let half = &whole[..whole.len() / 2];
        match self {
            Self::Status(code) if asked.name == "starbase" => {
                Reply::new(code, "application/problem+json", problem(code))
            }
            Self::Status(code) if asked.name.starts_with("store: ") => {
                let body = format!(r#"{{"status":"error","errorType":"{code}","error":"the mock says {code}"}}"#);
                Reply::new(code, json, body)
            }
            Self::Status(code) if asked.name.starts_with("logs: ") => {
                let body = format!("Code: {code}. DB::Exception: the mock says {code}. (MOCK) (version 26.3.1.896)\n");
                Reply::new(code, "text/plain; charset=UTF-8", body)
            }
            Self::Status(code) => Reply::new(code, json, status(code)),
            Self::Plain(code) => Reply::new(code, "text/plain; charset=utf-8", "404 page not found\n"),
            Self::EmptyObject => Reply::new(200, own, "{}"),
            Self::EmptyList => {
                let empty = asked.empty.unwrap_or(r#"{"kind":"List","apiVersion":"v1","items":[]}"#);
                Reply::new(200, own, empty)
            }
            Self::Cut => Reply::new(200, own, whole).that(Ends::Cut),
            Self::Short => Reply::new(200, own, half),
            Self::Garbage => Reply::new(200, own, "\u{1}\u{2}}{]garbage\"\\"),
            Self::ContentType => Reply::new(200, "application/octet-stream", whole),
            Self::Portal => {
                let page = "<html><body>Log in to the café's network</body></html>";
                Reply::new(200, "text/html", page)
            }
            Self::Redirect => Reply::to("http://login.example/"),
            Self::Hang => Reply::new(200, own, whole).that(Ends::Hang),
            Self::HangInBody => Reply::new(200, own, whole).that(Ends::HangInBody),
            Self::Drip => Reply::new(200, own, whole).that(Ends::Slowly(REQUEST_TIMEOUT / 4)),
            Self::Close => Reply::new(200, own, whole).that(Ends::Close),
            Self::NotHttp => Reply::new(200, own, "SSH-2.0-OpenSSH_9.2\r\n").that(Ends::NotHttp),
        }
    }
}

/// A refusal as the API server writes it.
#[must_use]
pub fn status(code: u16) -> String {
    let reason = match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        410 => "Expired",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    };
    format!(
        r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"the mock says {code}","reason":"{reason}","code":{code}}}"#
    )
}

/// A refusal as Starbase writes it.
#[must_use]
pub fn problem(code: u16) -> String {
    format!(
        r#"{{"type":"https://starform.io/problems/mock","title":"Refused","status":{code},"detail":"the mock says {code}"}}"#
    )
}
