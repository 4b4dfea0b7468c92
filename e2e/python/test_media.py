"""The calls of the documents with `requests`: the documented path, headers and body, and the documented answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from media_server import (
    FILE_URL,
    HEX_ID,
    ISO_TIME,
    REQUEST_ID,
    SPACED_TIME,
    MediaServer,
    expect_shape,
    running_media_server,
    until,
)

NUMBER = (int, float)
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
GARDEN = {
    "model_id": "gpt-image-2",
    "prompt": "a serene zen garden at sunrise, ultra detailed",
    "image_urls": [],
    "aspect_ratio": "16:9",
}
CAT = {
    "model": "black-forest-labs/flux-schnell",
    "prompt": "A cat sitting on a rainbow cloud, digital art",
    "aspect_ratio": "1:1",
    "count": 1,
}
CREATED = {"code": 200, "msg": "success", "data": {"taskId": HEX_ID}}
KIE_ERROR = {"message": str, "param": lambda value: value is None or isinstance(value, str), "code": str}


@pytest.fixture(scope="module")
def media() -> Iterator[MediaServer]:
    with running_media_server() as server:
        yield server


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


SAMPLE = """
import requests
import json
API_KEY = "your_api_key_here"
BASE_URL = "https://yourdomain.com"
headers = {
"Authorization": f"Bearer {API_KEY}",
"Content-Type": "application/json"
}
# Generate an image
payload = {
"prompt": "A cyberpunk city at night with neon lights",
"aspect_ratio": "16:9",
"num_images": 1
}
response = requests.post(
f"{BASE_URL}/api/v1/images",
headers=headers,
json=payload
)
if response.status_code == 200:
    data = response.json()
    image_url = data["data"]["images"][0]["url"]
    print(f"Image generated: {image_url}")
else:
    print(f"Error: {response.json().get('error', 'Unknown error')}")
"""


def run_sample(media: MediaServer, key: str) -> str:
    """The page's program, with the host and the key replaced (and its lost indentation restored)."""
    program = SAMPLE.replace("https://yourdomain.com", media.url).replace("your_api_key_here", key)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def test_the_python_of_the_page_runs_as_it_is_printed(media: MediaServer) -> None:
    word, _, url = run_sample(media, media.test_key).strip().rpartition(" ")
    assert word == "Image generated:"
    assert FILE_URL(url)
    assert run_sample(media, "wrong").startswith("Error: The API key is not valid")


def test_images_videos_3d_and_projects(media: MediaServer) -> None:
    rest = {"generation_time": int, "remaining_points": int, "request_id": REQUEST_ID}
    wish = {
        "prompt": "A beautiful sunset over mountains with reflection in a lake",
        "aspect_ratio": "16:9",
        "output_format": "webp",
        "num_images": 2,
    }
    image = {
        "url": FILE_URL,
        "content_type": "image/webp",
        "file_name": str,
        "file_size": int,
        "width": int,
        "height": int,
        "aspect_ratio": "16:9",
    }
    made = media.post("/api/v1/images", wish)
    expect_shape(made.json(), {"success": True, "data": {"images": [image], "generation_id": HEX_ID, **rest}})
    assert len(made.json()["data"]["images"]) == 2

    wish = {
        "prompt": "A spaceship flying through a colorful nebula with stars in background",
        "model": "vidu-q2",
        "duration": 4,
        "resolution": "720p",
        "aspect_ratio": "16:9",
    }
    video = {
        "url": FILE_URL,
        "content_type": "video/mp4",
        "file_name": str,
        "file_size": int,
        "width": 1280,
        "height": 720,
        "duration": 4,
        "resolution": "720p",
        "aspect_ratio": "16:9",
        "model": "vidu-q2",
        "generation_id": HEX_ID,
    }
    made = media.post("/api/v1/videos", wish)
    expect_shape(made.json(), {"success": True, "data": {"video": video, **rest}})

    wish = {
        "image_url": "https://example.com/object.jpg",
        "texture_quality": "standard",
        "texture_alignment": "original_image",
        "orientation": "default",
    }
    model = {
        "url": FILE_URL,
        "preview_image": FILE_URL,
        "content_type": "model/gltf-binary",
        "file_name": str,
        "file_size": int,
        "texture_quality": "standard",
        "generation_id": HEX_ID,
    }
    made = media.post("/api/v1/3d", wish)
    expect_shape(made.json(), {"success": True, "data": {"model": model, **rest}})

    listed = media.get("/api/v1/projects?type=videos&page=1&limit=10&sort=createdAt&order=desc")
    metadata = {"aspect_ratio": "16:9", "file_size": int, "dimensions": "1280x720", "duration": NUMBER}
    project = {
        "id": HEX_ID,
        "type": "video",
        "prompt": str,
        "created_at": ISO_TIME,
        "url": FILE_URL,
        "thumbnail": FILE_URL,
        "metadata": metadata,
    }
    page = {"page": 1, "limit": 10, "total": int, "pages": 1, "has_more": False}
    shape = {"success": True, "data": {"projects": [project], "pagination": page}}
    projects = listed.json()
    newest = [one for one in projects["data"]["projects"] if one["prompt"].startswith("A spaceship")]
    expect_shape({**projects, "data": {**projects["data"], "projects": newest}}, shape)
    for name in ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]:
        assert int(listed.headers[name]) > 0


def test_studio_errors_are_strings(media: MediaServer) -> None:
    for key, body, status in [
        (None, {"prompt": "A lake"}, 401),
        ("", {}, 400),
        (media.poor_key, {"prompt": "A lake"}, 402),
        ("", {"prompt": "sandbox:error-502"}, 502),
    ]:
        answer = media.post("/api/v1/images", body, key)
        assert answer.status_code == status, answer.text
        expect_shape(answer.json(), {"success": False, "error": str})


def test_tasks_go_to_status_3(media: MediaServer) -> None:
    answer = media.post("/api/v1/tasks/create", GARDEN)
    data = {"task_id": HEX_ID, "request_id": REQUEST_ID, "credits": NUMBER}
    expect_shape(answer.json(), {"code": 200, "msg": "提交成功,等待生成", "data": data})
    made = answer.json()["data"]
    path = f"/api/v1/tasks/{made['task_id']}"
    task = until(lambda: media.get(path).json(), lambda body: body["data"]["task_status"] >= 3)
    data = {
        "task_id": made["task_id"],
        "task_status": 3,
        "task_type": "image",
        "model_id": "gpt-image-2",
        "image_url": FILE_URL,
        "video_url": None,
        "audio_url": None,
        "credits": made["credits"],
        "created_at": int,
    }
    expect_shape(task, {"code": 200, "msg": "ok", "data": data})


def test_tasks_fail_with_code_0_and_401(media: MediaServer) -> None:
    failure = {"code": 0, "msg": str, "data": None}
    for answer, status in [
        (media.post("/api/v1/tasks/create", {**GARDEN, "model_id": "sora-2"}), 200),
        (media.post("/api/v1/tasks/create", GARDEN, media.poor_key), 200),
        (media.get("/api/v1/tasks/abcdef123456"), 200),
        (media.post("/api/v1/tasks/create", GARDEN, None), 401),
        (media.get("/api/v1/tasks/abcdef123456", "sk-wrong"), 401),
    ]:
        assert answer.status_code == status
        expect_shape(answer.json(), failure)


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
