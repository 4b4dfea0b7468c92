"""Images, videos, 3D and projects with `requests`, and the page's own program."""

from __future__ import annotations

import subprocess
import sys

from media_server import FILE_URL, HEX_ID, ISO_TIME, NUMBER, REQUEST_ID, MediaServer, expect_shape

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
