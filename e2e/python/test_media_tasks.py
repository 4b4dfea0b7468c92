"""Tasks with numbers for states, with `requests`."""

from __future__ import annotations

from media_server import FILE_URL, HEX_ID, NUMBER, REQUEST_ID, MediaServer, expect_shape, until

GARDEN = {
    "model_id": "gpt-image-2",
    "prompt": "a serene zen garden at sunrise, ultra detailed",
    "image_urls": [],
    "aspect_ratio": "16:9",
}


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
