"""ClickHouse's own engine, as one of the manifests' users.

The engine is a library, and whoever embeds it is its user `default`. So `default` is made a copy of the user that is meant,
with the grants, the profile, the constraints and the quota that stand in users.xml. An engine has one user for as long as
it lives, and the data have one engine at a time: another user is another process.

Run as a program it answers queries, one JSON object a line; see `Engine`. Run with clickhouse-client's flags, as the
droplet's programs do, it answers those as `maintenance`.
"""

import argparse
import copy
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests" / "region"

# Who runs the tests: as the package's user is before users.xml removes it.
EVERYTHING = (
    "<default><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>"
    "<grants><query>GRANT ALL ON *.* WITH GRANT OPTION</query></grants></default>"
)


def configure(directory, user):
    """Writes a server's configuration for one user: the manifests' users.xml, disks and backups. Returns its path."""
    tree = ElementTree.parse(MANIFESTS / "clickhouse" / "users.xml").getroot()
    users = tree.find("users")
    removed = users.find("default")
    assert removed.attrib == {"remove": "remove"}
    users.remove(removed)
    own = ElementTree.fromstring(EVERYTHING) if user == "default" else copy.deepcopy(users.find(user))
    own.tag = "default"
    for element in own.findall("password_sha256_hex"):
        own.remove(element)
    ElementTree.SubElement(own, "password")
    users.append(own)
    for section in ("profiles", "quotas"):
        ElementTree.SubElement(tree.find(section), "default")
    (directory / f"users-{user}.xml").write_bytes(ElementTree.tostring(tree))

    server = ElementTree.parse(MANIFESTS / "clickhouse" / "config.xml").getroot()
    path = server.find("storage_configuration/disks/backups/path")
    assert path.text == "/var/lib/clickhouse-scratch/backups/"
    path.text = f"{directory}/backups/"
    config = ElementTree.Element("clickhouse")
    ElementTree.SubElement(config, "users_config").text = f"{directory}/users-{user}.xml"
    config.extend([server.find("storage_configuration"), server.find("backups")])
    target = directory / f"config-{user}.xml"
    target.write_bytes(ElementTree.tostring(config))
    return target


def statements(text):
    """The statements of a script without its comments; the schema has no semicolon within one."""
    lines = [line.split("--")[0] for line in text.splitlines()]
    return [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]


class Engine:
    """The data of one directory, asked as one user after the other."""

    def __init__(self, directory):
        self.directory = directory
        self.user = None
        self.process = None
        for name in ("data", "backups"):
            (directory / name).mkdir(exist_ok=True)

    def query(self, text, user="default", output="TabSeparatedRaw"):
        if user != self.user:
            self.close()
            environment = {**os.environ, **{f"{name}_PASSWORD_SHA256": "0" * 64 for name in ("VECTOR", "READER", "MAINTENANCE")}}
            self.process = subprocess.Popen(
                [sys.executable, __file__, "serve", self.directory / "data", configure(self.directory, user)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
            )
            self.user = user
        self.process.stdin.write(json.dumps({"query": text, "format": output}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the engine ended over: {text[:200]}"
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def rows(self, text, user="reader"):
        return json.loads(self.query(text, user, "JSON"))["data"]

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait(timeout=30)
        self.user = self.process = None


def serve(data, config):
    from chdb import session

    engine = session.Session(f"{data}?config-file={config}")
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": str(engine.query(request["query"], request["format"]))}
        except RuntimeError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)
    engine.close()


def client(flags):
    from chdb import session

    parser = argparse.ArgumentParser()
    parser.add_argument("--config-file", required=True)
    parser.add_argument("--query")
    parser.add_argument("--queries-file")
    parser.add_argument("--multiquery", action="store_true")
    arguments = parser.parse_args(flags)
    assert "<user>maintenance</user>" in Path(arguments.config_file).read_text(), "not the maintenance user's configuration"
    text = arguments.query if arguments.query is not None else Path(arguments.queries_file).read_text()
    try:
        engine = session.Session(f"{os.environ['CLICKHOUSE_DATA']}?config-file={os.environ['CLICKHOUSE_CONFIG']}")
        for statement in statements(text):
            sys.stdout.write(str(engine.query(statement, "TabSeparatedRaw")))
        engine.close()
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(serve(*sys.argv[2:]) if sys.argv[1] == "serve" else client(sys.argv[1:]))
