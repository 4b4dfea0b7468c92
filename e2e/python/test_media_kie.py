"""kie.ai's calls with `requests`: the documented path, headers and body, and the documented answer."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from media_server import FILE_URL, HEX_ID, ISO_TIME, SPACED_TIME, MediaServer, expect_shape, until

FOX = {
    "prompt": "A red fox sitting in snow, golden hour",
    "model": "flux-kontext-pro",
    "aspectRatio": "16:9",
    "outputFormat": "png",
}
RETRIEVER = {
    "prompt": "A golden retriever running through autumn leaves",
    "model": "veo3_fast",
    "aspectRatio": "16:9",
}
SONG = {
    "prompt": "upbeat synthwave, driving bass, retro vibes",
    "customMode": False,
    "instrumental": False,
    "model": "V4_5",
}
BANANA = {
    "model": "google/nano-banana",
    "input": {"prompt": "A giant banana in space", "output_format": "png", "image_size": "1:1"},
}
CREATED = {"code": 200, "msg": "success", "data": {"taskId": HEX_ID}}
KIE_ERROR = {"message": str, "param": lambda value: value is None or isinstance(value, str), "code": str}


def created(answer: requests.Response, shape: object = CREATED) -> str:
    assert answer.status_code == 200, answer.text
    expect_shape(answer.json(), shape)
    assert float(answer.headers["X-AI-Credits-Charged"]) > 0
    assert float(answer.headers["X-AI-Credits-Balance"]) > 0
    return str(answer.json()["data"]["taskId"])


def test_flux_makes_an_image(media: MediaServer) -> None:
    task_id = created(media.post("/api/v1/flux/kontext/generate", FOX))
    path = f"/api/v1/flux/kontext/record-info?taskId={task_id}"
    record = until(lambda: media.get(path).json(), lambda body: body["data"]["successFlag"] != 0)
    data = {
        "taskId": task_id,
        "paramJson": lambda text: json.loads(text) == FOX,
        "completeTime": ISO_TIME,
        "response": {"originImageUrl": FILE_URL, "resultImageUrl": FILE_URL},
        "successFlag": 1,
        "errorCode": None,
        "errorMessage": "",
        "createTime": ISO_TIME,
        "state": "success",
        "resultJson": str,
    }
    expect_shape(record, {"code": 200, "msg": "success", "data": data})


def test_veo_makes_a_video_and_shows_the_status_of_the_task(media: MediaServer) -> None:
    task_id = created(media.post("/api/v1/veo/generate", RETRIEVER))
    path = f"/api/v1/veo/record-info?taskId={task_id}"
    record = until(lambda: media.get(path).json(), lambda body: body["data"]["successFlag"] != 0)
    data = {
        "taskId": task_id,
        "paramJson": str,
        "completeTime": SPACED_TIME,
        "response": {"taskId": task_id, "resultUrls": [FILE_URL], "resolution": "720p"},
        "resultUrls": lambda text: all(FILE_URL(url) for url in json.loads(text)),
        "successFlag": 1,
        "errorCode": None,
        "errorMessage": "",
        "createTime": SPACED_TIME,
        "fallbackFlag": False,
        "state": "success",
        "resultJson": str,
    }
    expect_shape(record, {"code": 200, "msg": "success", "data": data})


def test_suno_takes_a_song(media: MediaServer) -> None:
    task_id = created(media.post("/api/v1/generate", SONG))
    record = media.get(f"/api/v1/generate/record-info?taskId={task_id}").json()
    assert record["code"] == 200
    assert record["data"]["taskId"] == task_id
    assert record["data"]["status"] in {"PENDING", "TEXT_SUCCESS", "FIRST_SUCCESS", "SUCCESS"}
    cancelled = media.post(f"/v1/generations/{task_id}/cancel", {})
    assert cancelled.status_code in {200, 409}


def test_the_market_creates_and_tells(media: MediaServer) -> None:
    shape = {"code": 200, "msg": "success", "data": {"taskId": HEX_ID, "recordId": HEX_ID}}
    task_id = created(media.post("/v1/jobs/createTask", BANANA), shape)
    path = f"/v1/jobs/recordInfo?taskId={task_id}"
    record = until(lambda: media.get(path).json(), lambda body: body["data"]["state"] in {"success", "fail"})
    data = {
        "taskId": task_id,
        "model": BANANA["model"],
        "state": "success",
        "param": str,
        "resultJson": lambda text: all(FILE_URL(url) for url in json.loads(text)["resultUrls"]),
        "failCode": None,
        "failMsg": None,
        "costTime": int,
        "completeTime": int,
        "createTime": int,
    }
    expect_shape(record, {"code": 200, "msg": "success", "data": data})


def test_chat_embeddings_and_me_share_the_key(media: MediaServer) -> None:
    chat = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Write a haiku about APIs."}]}
    assert media.post("/api/v1/chat/completions", chat).json()["object"] == "chat.completion"
    embedded = media.post("/api/v1/embeddings", {"model": "text-embedding-3-large", "input": "hello"})
    assert len(embedded.json()["data"][0]["embedding"]) == 3072
    account = media.get("/api/v1/me").json()
    assert account["tier"]["name"] == "starter"
    assert account["balance"] < 100_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/flux/kontext/generate", FOX),
        ("/api/v1/veo/generate", RETRIEVER),
        ("/api/v1/generate", SONG),
        ("/api/v1/jobs/createTask", BANANA),
    ],
)
def test_the_table_of_errors(media: MediaServer, path: str, body: object) -> None:
    for key, status, code in [
        (None, 401, "missing_api_key"),
        ("sk-aig-YOUR_KEY", 401, "invalid_api_key"),
        (media.poor_key, 402, "insufficient_credits"),
        (media.capped_key, 402, "key_daily_cap"),
    ]:
        answer = media.post(path, body, key)
        assert answer.status_code == status, answer.text
        assert answer.headers["X-AI-Credits-Charged"] == "0"
        error = {**KIE_ERROR, "code": code, **({"details": list} if status == 402 else {})}
        expect_shape(answer.json(), {"code": status, "msg": str, "data": None, "error": error})


def test_the_21st_creation_in_ten_seconds_is_refused(media: MediaServer) -> None:
    wish = {**FOX, "prompt": "sandbox:task-fails"}
    with ThreadPoolExecutor(21) as pool:
        answers = list(
            pool.map(lambda _: media.post("/api/v1/flux/kontext/generate", wish, media.second_key), range(21))
        )
    refused = [answer for answer in answers if answer.status_code == 429]
    assert [answer.status_code for answer in answers].count(200) == 20
    assert len(refused) == 1
    assert refused[0].json()["error"]["code"] == "rate_limited"
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 10


def test_a_failing_provider_is_502_upstream_error(media: MediaServer) -> None:
    chat = {"model": "sandbox/error-502", "messages": [{"role": "user", "content": "Hello"}]}
    answer = media.post("/api/v1/chat/completions", chat)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")
