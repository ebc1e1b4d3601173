"""A log record on its way: what Fluent Bit sends, and what Vector's programs make of it."""

import datetime
import re

from vrl_python import VRLRuntime

from conftest import MANIFESTS

LOGS = (MANIFESTS / "vector" / "logs.vrl").read_text()
DEAD_LETTERS = (MANIFESTS / "vector" / "dead-letters.vrl").read_text()


def now():
    return datetime.datetime.now(datetime.UTC)


def record(**changes):
    """A record as Fluent Bit sends it: output `http`, `format json`, `json_date_key date`, `json_date_format iso8601`."""
    base = {
        "date": now().strftime("%Y-%m-%dT%H:%M:%S.123456Z"),
        "log": "paid 12 EUR",
        "stream": "stdout",
        "offset": 4096,
        "cluster": "c-1",
        "region": "fra1",
        "kubernetes": {
            "namespace_name": "shop", "pod_name": "web-7d9f-x2x5z", "pod_id": "7e5d6a0c-5f0e-4d56-9d2b-000000000001",
            "container_name": "web", "host": "node-1",
            "labels": {
                "app": "web", "starform.io/cluster-id": "forged", "starform.io/region": "forged",
                "starform.io/project": "retail", "starform.io/app": "shop", "starform.io/deployment": "web",
            },
        },
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def row(event):
    return VRLRuntime().execute(LOGS, event).processed_event


def refusal(event):
    """Why logs.vrl aborts, as Vector notes it beside the record, or None."""
    try:
        row(event)
    except RuntimeError as error:
        return re.search(r"error\[E000\]: (.*)", str(error)).group(1)
    return None


def letter(event, reason):
    """What becomes of a refused record, with the reason that Vector notes beside it."""
    return VRLRuntime().execute(DEAD_LETTERS, {**event, "metadata": {"dropped": {"reason": "abort", "message": reason}}}).processed_event
