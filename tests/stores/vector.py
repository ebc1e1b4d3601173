"""A stand-in for Vector: the binary is to be had from no registry. Its two programs are real and run in Vector's own runtime of
VRL: manifests/region/vector/logs.vrl and dead-letters.vrl. What is around them is this program's, after vector.yaml: the
source takes Fluent Bit's requests, the sinks send batches to ClickHouse and repeat what was not taken, and the metrics count
what really happened. Unlike Vector's, the buffer is in memory, so what is in it ends with this program.
"""

import base64
import collections
import json
import random
import re
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from clickhouse import MANIFESTS
from secure import Refused, Server, admit, body, packed, page
from vrl_python import VRLRuntime

LOGS = (MANIFESTS / "vector" / "logs.vrl").read_text()
DEAD_LETTERS = (MANIFESTS / "vector" / "dead-letters.vrl").read_text()
BUFFER_BYTES = 256 << 20
BATCH_BYTES = 20_000_000
BATCH_SECONDS = 5
REQUEST_SECONDS = 60
RETRY_SECONDS = 30

KINDS = {
    "fluent_bit": ("source", "http_server"), "logs": ("transform", "remap"), "dead_letters": ("transform", "remap"),
    "clickhouse": ("sink", "clickhouse"), "clickhouse_dead_letters": ("sink", "clickhouse"),
}


class Sink:
    """A buffer, and a thread that empties it into a table."""

    def __init__(self, name, table, vector):
        self.name, self.table, self.vector = name, table, vector
        self.rows = collections.deque()
        self.bytes = 0
        self.changed = threading.Condition()
        self.ends = False
        self.thread = threading.Thread(target=self.run, daemon=True)

    def put(self, rows):
        """When full, collectors wait, and keep their own buffers: nothing is dropped here."""
        size = sum(len(json.dumps(row)) for row in rows)
        with self.changed:
            if not self.changed.wait_for(lambda: self.bytes + size <= BUFFER_BYTES or self.ends, timeout=REQUEST_SECONDS) or self.ends:
                raise Refused(503, "the buffer is full\n")
            self.rows.extend(rows)
            self.bytes += size
            self.changed.notify_all()

    def run(self):
        while batch := self.batch():
            size = sum(len(json.dumps(row)) for row in batch)
            wait = 1
            while not self.send(batch):
                if self.ends:
                    return
                time.sleep(wait * random.uniform(0.5, 1))
                wait = min(2 * wait, RETRY_SECONDS)
            with self.changed:
                for _ in batch:
                    self.rows.popleft()
                self.bytes -= size
                self.changed.notify_all()

    def batch(self):
        """The oldest rows, once there are enough or they have waited; None at the end."""
        with self.changed:
            self.changed.wait_for(lambda: self.rows or self.ends)
            self.changed.wait_for(lambda: self.bytes >= BATCH_BYTES or self.ends, timeout=BATCH_SECONDS)
            batch, size = [], 0
            for row in self.rows:
                size += len(json.dumps(row))
                if batch and size > BATCH_BYTES:
                    break
                batch.append(row)
            return batch or None

    def send(self, rows):
        """Whether they are done with: taken, or refused in a way that no repetition mends, which is counted as lost."""
        query = f'INSERT INTO "logs"."{self.table}" FORMAT JSONEachRow'
        parameters = {"query": query, "date_time_input_format": "best_effort", "input_format_skip_unknown_fields": "0"}
        url = f"{self.vector.clickhouse}/?{urllib.parse.urlencode(parameters)}"
        request = urllib.request.Request(url, data=packed(rows), headers={"Content-Encoding": "gzip"})
        request.add_header("Authorization", self.vector.authorization)
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_SECONDS, context=self.vector.trust):
                self.vector.count("vector_component_sent_events_total", self.name, len(rows))
        except urllib.error.HTTPError as error:
            said = error.read(1000).decode(errors="replace").strip()
            # ClickHouse answers 500 to rows that it cannot read, too: those would be repeated for ever, as Vector does.
            print(f"vector: ClickHouse answered {error.code} to {len(rows)} rows of {self.table}: {said}", flush=True)
            if error.code >= 500 or error.code in (408, 429):
                return False
            self.vector.count("vector_component_errors_total", self.name, 1, ("error_type", "request_failed"))
            self.vector.count("vector_component_discarded_events_total", self.name, len(rows), ("intentional", "false"))
        except OSError as error:
            print(f"vector: ClickHouse cannot be reached: {error}", flush=True)
            return False
        return True

    def close(self):
        with self.changed:
            self.ends = True
            self.changed.notify_all()
        self.thread.join(timeout=5)


class Vector:
    def __init__(self, credentials, clickhouse):
        own = credentials / "vector_agg"
        password = (own / "clickhouse-password").read_text().strip()
        self.clickhouse = clickhouse
        self.authorization = "Basic " + base64.b64encode(f"vector:{password}".encode()).decode()
        self.trust = ssl.create_default_context(cafile=own / "ca.crt")
        self.passwords = {name: (own / f"{name}-password").read_text().strip() for name in ("fluent-bit", "scrape")}
        # Each compiles its program once.
        self.programs = VRLRuntime(), VRLRuntime()
        self.running = threading.Lock()
        self.turn = threading.Lock()
        self.counts = collections.Counter()
        self.sinks = [Sink("clickhouse", "kubernetes", self), Sink("clickhouse_dead_letters", "dead_letters", self)]
        for component in KINDS:
            for name in ("received_events", "sent_events", "discarded_events", "errors"):
                self.count(f"vector_component_{name}_total", component, 0)
        for sink in self.sinks:
            self.count("vector_buffer_discarded_events_total", sink.name, 0)
            sink.thread.start()
        self.source = Server(8080, self.receive, own)
        self.metrics = Server(9598, self.page, own)

    def start(self):
        self.source.start()
        self.metrics.start()

    def stop(self):
        self.source.stop()
        self.metrics.stop()

    def close(self):
        self.stop()
        for sink in self.sinks:
            sink.close()

    def count(self, name, component, number, *labels):
        kind, type_ = KINDS[component]
        full = (("component_id", component), ("component_kind", kind), ("component_type", type_), *labels)
        with self.turn:
            self.counts[name, full] += number

    def receive(self, request):
        if request.path != "/logs":
            raise Refused(404, "Not Found\n")
        if request.command != "POST":
            raise Refused(405, "Method Not Allowed\n")
        admit(request, "fluent-bit", self.passwords["fluent-bit"])
        try:
            events = json.loads(body(request))
        except ValueError as error:
            self.count("vector_component_errors_total", "fluent_bit", 1, ("error_type", "parser_failed"))
            raise Refused(400, f"Failed decoding body: {error}\n") from None
        events = events if isinstance(events, list) else [events]
        self.count("vector_component_received_events_total", "fluent_bit", len(events))
        self.count("vector_component_sent_events_total", "fluent_bit", len(events))
        rows, letters = [], []
        for event in events:
            self.transform(event, rows, letters)
        for component, received, made in (("logs", len(events), rows), ("dead_letters", len(letters), letters)):
            self.count("vector_component_received_events_total", component, received)
            self.count("vector_component_sent_events_total", component, len(made))
        for sink, made in zip(self.sinks, (rows, letters)):
            if made:
                self.count("vector_component_received_events_total", sink.name, len(made))
                sink.put(made)
        return 200, {}, b""

    def transform(self, event, rows, letters):
        logs, dead_letters = self.programs
        # Text beside the fields, as Vector has any value that is no object.
        event = event if isinstance(event, dict) else {"message": event}
        # The runtimes are not asked from two threads at once.
        with self.running:
            try:
                rows.append(logs.execute(LOGS, event).processed_event)
                return
            except RuntimeError as error:
                found = re.search(r"error\[E000\]: (.*)", str(error))
            dropped = {"reason": "abort", "message": found.group(1) if found else "error"}
            letter = dead_letters.execute(DEAD_LETTERS, {**event, "metadata": {"dropped": dropped}}).processed_event
        letters.append(letter)
        with self.turn:
            self.counts["starform_dead_letters_total", (("reason", letter["reason"]),)] += 1

    def page(self, request):
        if request.path != "/metrics":
            raise Refused(404, "Not Found\n")
        admit(request, "scrape", self.passwords["scrape"])
        with self.turn:
            samples = dict(self.counts)
        for sink in self.sinks:
            labels = (("component_id", sink.name), ("component_kind", "sink"), ("component_type", "clickhouse"))
            samples["vector_buffer_size_bytes", labels] = sink.bytes
            samples["vector_buffer_max_size_bytes", labels] = BUFFER_BYTES
            samples["vector_buffer_events", labels] = len(sink.rows)
        return 200, {}, page(samples)
