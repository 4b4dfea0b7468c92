"""Images at fixed prices, and their files, with `requests`."""

from __future__ import annotations

import pytest
import requests

from media_server import FILE_URL, NUMBER, MediaServer, expect_shape

CAT = {
    "model": "black-forest-labs/flux-schnell",
    "prompt": "A cat sitting on a rainbow cloud, digital art",
    "aspect_ratio": "1:1",
    "count": 1,
}


def test_imgeo_generates_lists_and_balances(media: MediaServer) -> None:
    models = media.get("/api/v1/models", None).json()
    assert len(models) == 14
    row = {
        "id": str,
        "name": str,
        "credits": NUMBER,
        "modes": [str],
        "aspect_ratios": [str],
        "max_count": int,
        "negative_prompt": bool,
    }
    expect_shape(models, [row])
    before = media.get("/api/v1/balance").json()["balance"]
    made = media.post("/api/v1/generate", CAT).json()
    shape = {**CAT, "images": [FILE_URL], "mode": "text2img", "credits": 1, "balance": NUMBER}
    expect_shape(made, shape)
    after = media.get("/api/v1/balance").json()
    expect_shape(after, {"balance": made["balance"], "credits": made["balance"]})
    # Doubles on both sides: seven decimal places are what the API promises.
    assert after["balance"] == pytest.approx(before - 1, abs=1e-6)


def test_imgeo_errors(media: MediaServer) -> None:
    for key, body, status in [
        ("", {**CAT, "aspect_ratio": "7:7"}, 400),
        (None, CAT, 401),
        (media.poor_key, CAT, 402),
        ("", {**CAT, "prompt": "sandbox:task-fails"}, 500),
    ]:
        answer = media.post("/api/v1/generate", body, key)
        assert answer.status_code == status, answer.text
        expect_shape(answer.json(), {"error": str})


def test_a_file_comes_in_parts_too(media: MediaServer) -> None:
    url = media.post("/api/v1/generate", CAT).json()["images"][0]
    whole = requests.get(url, timeout=120)
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    part = requests.get(url, headers={"Range": "bytes=0-7"}, timeout=120)
    assert (part.status_code, part.content) == (206, b"\x89PNG\r\n\x1a\n")
    assert whole.content.startswith(part.content)
    again = requests.get(url, headers={"If-None-Match": whole.headers["ETag"]}, timeout=120)
    assert (again.status_code, again.content) == (304, b"")
