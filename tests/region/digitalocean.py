"""The part of DigitalOcean's API that snapshots need, on loopback: tokens with scopes, pages, errors."""

import datetime
import http.server
import json
import re
import threading


class DigitalOcean:
    def __init__(self):
        self.snapshots = {}
        self.requests = []
        self.fails = None
        self.page = 3
        # What somebody wants to know at the time of each request, and what it was.
        self.observe = None
        self.observed = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, status, body=None):
                data = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def handle_request(self):
                path, _, query = self.path.partition("?")
                outer.requests.append(f"{self.command} {self.path}")
                if outer.observe:
                    outer.observed.append((self.command, outer.observe()))
                token = self.headers["Authorization"]
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if outer.fails:
                    return self.answer(outer.fails, {"id": "server_error", "message": "it is not your day"})
                allowed = {"Bearer token-that-makes": ("POST", "GET"), "Bearer token-that-deletes": ("DELETE", "GET")}
                if self.command not in allowed.get(token, ()):
                    return self.answer(403, {"id": "forbidden", "message": "You are missing the required permission"})
                if self.command == "POST":
                    request = json.loads(body)
                    snapshot = outer.add(path.split("/")[3], request["name"], request["tags"], 0)
                    return self.answer(201, {"snapshot": snapshot})
                if self.command == "DELETE":
                    return self.answer(204 if outer.snapshots.pop(path.rsplit("/", 1)[1], None) else 404)
                if path == "/v2/snapshots":
                    number = int(re.search(r"[?&]page=(\d+)", "?" + query).group(1))
                    found = list(outer.snapshots.values())
                    part = found[(number - 1) * outer.page:number * outer.page]
                    pages = {"next": "there is one"} if number * outer.page < len(found) else {}
                    return self.answer(200, {"snapshots": part, "links": {"pages": pages}, "meta": {"total": len(found)}})
                snapshot = outer.snapshots.get(path.rsplit("/", 1)[1])
                return self.answer(200, {"snapshot": snapshot}) if snapshot else self.answer(404, {"message": "not found"})

            do_GET = do_POST = do_DELETE = handle_request

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def add(self, volume, name, tags, age_hours):
        created = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=age_hours)
        snapshot = {
            "id": f"{len(self.snapshots):08x}-{name}", "name": name, "resource_id": volume, "resource_type": "volume", "tags": tags,
            "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        self.snapshots[snapshot["id"]] = snapshot
        return snapshot
