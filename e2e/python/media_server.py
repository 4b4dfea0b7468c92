"""The server for the tests of media, and shapes to hold its answers against."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120
STOP_SECONDS = 120
PATIENCE_SECONDS = 90


@dataclass(frozen=True)
class MediaServer:
    """Where it is, and its keys."""

    url: str
    test_key: str
    second_key: str
    capped_key: str
    poor_key: str

    def post(self, path: str, body: object, key: str | None = "") -> requests.Response:
        """Sends JSON. `key` left out is the test key, and `None` is none."""
        return requests.post(f"{self.url}{path}", json=body, headers=self._headers(key), timeout=120)

    def get(self, path: str, key: str | None = "") -> requests.Response:
        return requests.get(f"{self.url}{path}", headers=self._headers(key), timeout=120)

    def _headers(self, key: str | None) -> dict[str, str]:
        return {} if key is None else {"Authorization": f"Bearer {key or self.test_key}"}


@contextmanager
def running_media_server() -> Iterator[MediaServer]:
    command = [os.environ.get("TOLLGATE_NODE", "node"), str(ROOT / "e2e/serve-media-for-python.ts")]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    try:
        readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        line = process.stdout.readline() if readable else b""
        assert line, f"the server did not start in {START_SECONDS} seconds"
        yield MediaServer(**json.loads(line))
    except BaseException:
        process.terminate()
        process.wait(STOP_SECONDS)
        raise
    # The end of its input stops it; it answers with 0 where the ledger was whole and its log in order.
    process.stdin.close()
    assert process.wait(STOP_SECONDS) == 0


def until(ask: Callable[[], Any], is_done: Callable[[Any], bool]) -> Any:
    """Asks again and again, as the documents say, until it is done."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        value = ask()
        if is_done(value):
            return value
        assert time.monotonic() < deadline, f"not done in time: {value}"
        time.sleep(0.06)


def matching(pattern: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


HEX_ID = matching(r"[0-9a-f]{32}")
REQUEST_ID = matching(r"req_[0-9a-f]{32}")
FILE_URL = matching(r"http://127\.0\.0\.1:\d+/files/[A-Za-z0-9]{20,}/[a-z0-9-]+\.[a-z0-9]+")
ISO_TIME = matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
NUMBER = (int, float)
SPACED_TIME = matching(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def expect_shape(value: object, shape: object, where: str = "body") -> None:
    """Holds a value against a shape: the same keys and no others, types, functions that say yes, or equal values."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), f"{where} is {value!r}"
        assert set(value) == set(shape), f"{where} has {sorted(value)}, not {sorted(shape)}"
        for key, inner in shape.items():
            expect_shape(value[key], inner, f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list) and value, f"{where} is {value!r}"
        for index, item in enumerate(value):
            expect_shape(item, shape[0], f"{where}[{index}]")
    elif isinstance(shape, tuple):
        assert isinstance(value, shape) and not isinstance(value, bool), f"{where} is {value!r}"
    elif isinstance(shape, type):
        assert type(value) is shape, f"{where} is {value!r}, no {shape.__name__}"
    elif callable(shape):
        assert shape(value), f"{where} is {value!r}"
    else:
        assert value == shape, f"{where} is {value!r}, not {shape!r}"
