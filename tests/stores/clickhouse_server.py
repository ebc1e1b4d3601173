"""ClickHouse for the testbed: its own engine, with the region's schema and users, behind as much of its HTTP interface as the
region's clients use. The engine is real (`chdb`), and so are the schema, the grants, the profiles and the quota, for they are
files of manifests/region; HTTP and passwords are this program's, because the library has no server.
"""

import hashlib
import hmac
import re
import threading
import urllib.parse

from clickhouse import MANIFESTS, Engine, statements
from secure import Refused, Server, basic, body, page

# What Vector's sink and the auditor set by parameters, and nothing more.
SETTINGS = {"date_time_input_format", "input_format_skip_unknown_fields", "input_format_import_nested_json"}
IGNORED = {"query", "default_format", "wait_end_of_query"}
# ClickHouse's own choice of statuses, for what can happen here; all else is 500.
STATUSES = {27: 400, 62: 400, 117: 400, 46: 404, 47: 404, 60: 404, 81: 404, 115: 404, 516: 403}
TYPES = {"JSON": "application/json; charset=UTF-8", "JSONEachRow": "application/x-ndjson; charset=UTF-8"}


def failure(code, text, status=None):
    full = text if text.startswith("Code: ") else f"Code: {code}. DB::Exception: {text}"
    return Refused(status or STATUSES.get(code, 500), f"{full}\n", {"X-ClickHouse-Exception-Code": str(code)})


class ClickHouse:
    def __init__(self, directory, credentials):
        directory.mkdir(exist_ok=True)
        self.engine = Engine(directory)
        self.turn = threading.Lock()
        self.counts = {"Query": 0, "FailedQuery": 0, "InsertQuery": 0}
        # A status that everything is answered with, while it is meant to be broken.
        self.fault = None
        # As the server has them: sums, never a password.
        sums = dict(line.split("=", 1) for line in (credentials / "clickhouse" / "users.env").read_text().splitlines())
        self.sums = {name: sums[f"{name.upper()}_PASSWORD_SHA256"] for name in ("vector", "reader")}
        self.server = Server(8443, self.answer, credentials / "clickhouse")
        self.metrics = Server(9363, self.page)
        for statement in statements((MANIFESTS / "clickhouse" / "schema.sql").read_text()):
            self.engine.query(statement, "maintenance")

    def start(self):
        self.server.start()
        self.metrics.start()

    def stop(self):
        self.server.stop()
        self.metrics.stop()

    def close(self):
        self.stop()
        with self.turn:
            self.engine.close()

    def page(self, _):
        return 200, {}, page({(f"ClickHouseProfileEvents_{name}", ()): value for name, value in self.counts.items()})

    def answer(self, request):
        if self.fault is not None:
            raise Refused(self.fault, "upstream connect error or disconnect/reset before headers\n")
        path, _, parameters = request.path.partition("?")
        if path == "/ping":
            return 200, {}, b"Ok.\n"
        if path != "/":
            raise Refused(404, "There is no handle\n")
        user = self.user(request)
        given = dict(urllib.parse.parse_qsl(parameters, keep_blank_values=True))
        unknown = given.keys() - SETTINGS - IGNORED
        if unknown:
            raise failure(115, f"Unknown setting '{min(unknown)}'. (UNKNOWN_SETTING)")
        data = body(request)
        try:
            text = "\n".join(part for part in (given.get("query", ""), data.decode()) if part)
        except UnicodeDecodeError:
            raise failure(117, "Incorrect data: not UTF-8. (INCORRECT_DATA)") from None
        settings = ", ".join(f"{name} = '{self.value(value)}'" for name, value in given.items() if name in SETTINGS)
        if settings:
            text = re.sub(r"(?i)\bFORMAT\b", lambda match: f"SETTINGS {settings} {match.group()}", text, count=1)
        output = given.get("default_format", "TabSeparated")
        named = re.search(r"\bFORMAT\s+(\w+)\s*;?\s*$", text)
        result = self.query(text, user, output)
        output = named.group(1) if named else output
        return 200, {"Content-Type": TYPES.get(output, "text/plain; charset=UTF-8"), "X-ClickHouse-Format": output}, result.encode()

    def user(self, request):
        given = basic(request)
        # Whoever gives no name is `default`, whom users.xml removes.
        user, password = given or ("default", "")
        known = self.sums.get(user)
        if known is None or not hmac.compare_digest(known, hashlib.sha256(password.encode()).hexdigest()):
            text = "Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)"
            raise failure(516, f"{user}: {text}")
        return user

    @staticmethod
    def value(text):
        if not re.fullmatch(r"\w{1,32}", text):
            raise failure(27, f"Cannot parse the value of a setting: '{text}'. (CANNOT_PARSE_INPUT_ASSERTION_FAILED)")
        return text

    def query(self, text, user, output="TabSeparated"):
        with self.turn:
            self.counts["Query"] += 1
            self.counts["InsertQuery"] += text.lstrip()[:6].upper() == "INSERT"
            try:
                return self.engine.query(text, user, output)
            except (RuntimeError, AssertionError, OSError) as error:
                self.counts["FailedQuery"] += 1
                code = re.match(r"Code: (\d+)\.", str(error))
                raise failure(int(code.group(1)) if code else 1002, str(error)) from None
