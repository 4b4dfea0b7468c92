"""The servers for these tests, and the official `openai` package pointed at the first."""

from __future__ import annotations

import json
import os
import select
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import openai
import pytest

from media_server import MediaServer, running_media_server

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 40


@dataclass(frozen=True)
class Served:
    """Where the server is, and its keys."""

    url: str
    upstream_url: str
    test_key: str
    live_key: str
    capped_key: str
    poor_key: str
    narrow_key: str
    limited_key: str

    @property
    def base_url(self) -> str:
        return f"{self.url}/api/v1"


@dataclass
class Counted:
    """What a client really sent, retries included."""

    sent: list[httpx2.Request] = field(default_factory=list)


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    command = [os.environ.get("TOLLGATE_NODE", "node"), str(ROOT / "e2e/serve-for-python.ts")]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    try:
        readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        line = process.stdout.readline() if readable else b""
        assert line, f"the server did not start in {START_SECONDS} seconds"
        yield Served(**json.loads(line))
    except BaseException:
        # It ends its own server on the way out.
        process.terminate()
        process.wait(STOP_SECONDS)
        raise
    # The end of its input stops it; it answers with 0 where the ledger was whole and its log in order.
    process.stdin.close()
    assert process.wait(STOP_SECONDS) == 0


@pytest.fixture(scope="session")
def media() -> Iterator[MediaServer]:
    with running_media_server() as server:
        yield server


@pytest.fixture
def client(served: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=served.base_url, api_key=served.test_key, max_retries=0)


@pytest.fixture
def live(served: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=served.base_url, api_key=served.live_key, max_retries=0)


@pytest.fixture
def async_client(served: Served) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=served.base_url, api_key=served.test_key, max_retries=0)


def counting_client(served: Served, api_key: str, counted: Counted) -> openai.OpenAI:
    """With the package's default of two retries."""
    hooks = {"request": [counted.sent.append]}
    http_client = openai.DefaultHttpxClient(event_hooks=hooks)
    return openai.OpenAI(base_url=served.base_url, api_key=api_key, http_client=http_client)
