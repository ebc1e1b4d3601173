"""HTTPS with basic authentication, as the region's servers have it: one answer a connection, everything bounded."""

import base64
import gzip
import hmac
import http.server
import json
import ssl
import threading
import zlib

# As long as a request may take to arrive, and as large as it may be once unpacked.
PATIENCE = 30
LARGEST = 64 << 20


class Refused(Exception):
    """What the client is told instead of an answer."""

    def __init__(self, status, text, headers=()):
        super().__init__(text)
        self.status, self.text, self.headers = status, text, dict(headers)


class Server:
    """Listens from `start` to `stop`. `answer(request)` gives a status, headers and a body, or raises `Refused`."""

    def __init__(self, port, answer, credentials=None, address="0.0.0.0"):
        self.port, self.answer, self.address = port, answer, address
        self.context = None
        if credentials is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.minimum_version = ssl.TLSVersion.TLSv1_2
            self.context.load_cert_chain(credentials / "tls.crt", credentials / "tls.key")
        self.server = None

    def start(self):
        if self.server is None:
            self.server = http.server.ThreadingHTTPServer((self.address, self.port), self.handler())
            threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def handler(outer):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = PATIENCE

            def setup(self):
                self.request.settimeout(PATIENCE)
                if outer.context is not None:
                    # Here, in the connection's own thread: whoever stalls the handshake stalls nobody else.
                    self.request = outer.context.wrap_socket(self.request, server_side=True)
                super().setup()

            def serve(self):
                try:
                    status, headers, body = outer.answer(self)
                except Refused as refused:
                    status, headers, body = refused.status, refused.headers, refused.text.encode()
                self.close_connection = True
                self.send_response(status)
                for name, value in {"Content-Type": "text/plain; charset=UTF-8", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = serve

            def log_message(self, *_):
                pass

        return Handler


def basic(request):
    """The user and the password of a request, or None."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if colon else None


def admit(request, user, password):
    """Raises what Vector and VictoriaMetrics answer where these are not the request's."""
    given = basic(request)
    if given is None or given[0] != user or not hmac.compare_digest(given[1], password):
        raise Refused(401, "invalid username or password\n", {"WWW-Authenticate": "Basic"})


def body(request):
    """The body of a request, unpacked."""
    try:
        length = int(request.headers.get("Content-Length", "0"))
    except ValueError:
        raise Refused(400, "no length\n") from None
    if not 0 <= length <= LARGEST:
        raise Refused(413, f"at most {LARGEST} bytes\n")
    data = request.rfile.read(length)
    if request.headers.get("Content-Encoding", "identity").lower() == "gzip":
        try:
            unpacker = zlib.decompressobj(wbits=31)
            data = unpacker.decompress(data, LARGEST)
            if unpacker.unconsumed_tail:
                raise Refused(413, f"at most {LARGEST} bytes\n")
            if not unpacker.eof:
                raise Refused(400, "the gzip stream ends early\n")
        except zlib.error as error:
            raise Refused(400, f"no gzip: {error}\n") from None
    return data


def packed(rows):
    """Rows as Vector sends them to ClickHouse: a JSON object a line, gzip."""
    return gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode(), compresslevel=1)


def page(samples):
    """Samples as Prometheus reads them: `{(name, ((label, value), …)): number}`."""
    lines = []
    for (name, labels), value in sorted(samples.items()):
        pairs = ",".join(f'{label}="{text}"' for label, text in labels)
        lines.append(f"{name}{{{pairs}}} {value}\n")
    return "".join(lines).encode()
