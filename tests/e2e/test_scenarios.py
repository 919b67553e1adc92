"""Every scenario of the HTTP API, against real processes."""

import base64
import json
from collections.abc import Iterator

import httpx
import jwt
import pytest

from aigen.adapters.memory.provider import PNG
from tests.e2e.processes import ADMIN, TEXT_MODEL, Person, Process, journal, submissions, until

PASSWORD = "another long pass phrase"


@pytest.fixture
def ann(house: Process, root: Person) -> Iterator[Person]:
    """A plain user who is gone after the test."""
    user = root.post("/users", {"email": "ann@example.org", "password": PASSWORD}, status=201)
    person = Person.log_in(house.url, "ann@example.org", PASSWORD)
    yield person
    person.close()
    root.client.delete(f"/users/{user['id']}")


def test_login_gives_a_jwt_of_the_stored_user(house: Process, root: Person) -> None:
    claims = jwt.decode(root.tokens["access_token"], options={"verify_signature": False})
    me = root.get("/users/me")
    assert claims["sub"] == me["id"]
    assert me["role"] == "admin"
    wrong = {"email": ADMIN["email"], "password": "not the pass phrase"}
    refused = httpx.post(f"{house.url}/auth/login", json=wrong, trust_env=False)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_credentials")


def test_a_text_is_written_kept_and_continued(ann: Person) -> None:
    first = ann.post("/generate/text", {"model": TEXT_MODEL, "prompt": "Name a colour"})
    assert first["text"]
    assert first["cost_usd"] > 0
    turns = [
        {"role": "user", "content": "Name a colour"},
        {"role": "assistant", "content": first["text"]},
    ]
    second = ann.post(
        "/generate/text",
        {"model": TEXT_MODEL, "prompt": "Another", "messages": turns, "system": "Be brief."},
    )
    assert second["usage"]["prompt_tokens"] > first["usage"]["prompt_tokens"]
    kept = ann.get("/generate/text")["items"]
    assert [text["id"] for text in kept] == [second["id"], first["id"]]


def test_a_text_is_streamed_as_it_is_written(ann: Person) -> None:
    body = {"model": TEXT_MODEL, "prompt": "Tell a story", "stream": True}
    with ann.client.stream("POST", "/generate/text", json=body) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line and not line.startswith(":")]
    events = [line.removeprefix("event: ") for line in lines[::2]]
    data = [json.loads(line.removeprefix("data: ")) for line in lines[1::2]]
    assert set(events[:-1]) == {"delta"}
    assert events[-1] == "done"
    assert len(events) > 5
    assert "".join(piece["text"] for piece in data[:-1]) == data[-1]["text"]
    assert ann.get(f"/generate/text/{data[-1]['id']}") == data[-1]


@pytest.mark.parametrize(
    "model", ["black-forest-labs/flux.2-pro", "openai/gpt-5-image", "openai/gpt-5-image-mini"]
)
def test_flux_and_gpt_5_image_go_through_chat_with_aspect_ratio_and_resolution(
    ann: Person, provider: Process, model: str
) -> None:
    made = ann.post(
        "/generate/image",
        {"model": model, "prompt": "A fox", "aspect_ratio": "16:9", "image_size": "1K"},
    )
    (picture,) = made["images"]
    assert (picture["width"], picture["height"]) == (1344, 768)
    content = httpx.get(picture["url"], trust_env=False)
    assert content.headers["content-type"] == "image/png"
    assert content.content.startswith(b"\x89PNG")
    assert last_route(provider, "A fox") == "POST /api/v1/chat/completions"


def test_dall_e_3_goes_to_images_generations_and_from_there_to_images(
    ann: Person, provider: Process
) -> None:
    made = ann.post(
        "/generate/image",
        {"model": "openai/dall-e-3", "prompt": "An owl", "size": "1024x1024", "n": 2},
    )
    assert len(made["images"]) == 2
    assert last_route(provider, "An owl") == "POST /api/v1/images"


def test_a_picture_is_edited(ann: Person) -> None:
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    made = ann.post(
        "/generate/image",
        {"model": "google/gemini-2.5-flash-image", "prompt": "At night", "image_url": url},
    )
    assert made["image_url"].startswith("http")
    assert httpx.get(made["image_url"], trust_env=False).content == PNG


def test_an_image_can_be_made_in_the_background(ann: Person) -> None:
    body = {"model": "black-forest-labs/flux.2-pro", "prompt": "A bear"}
    accepted = ann.post("/generate/image", body, 202, headers={"Prefer": "respond-async"})
    assert accepted["status"] == "processing"

    def finished() -> bool:
        return bool(ann.get(f"/generate/image/{accepted['id']}")["status"] == "completed")

    until(finished, "the image")


def test_a_video_from_text_is_submitted_once_polled_and_stored(
    ann: Person, provider: Process
) -> None:
    job_id = ann.video("A fox in the snow", aspect_ratio="16:9", resolution="720p")
    job = ann.wait(job_id)
    assert job["status"] == "completed"
    assert job["generation_type"] == "text_to_video"
    assert job["cost_usd"] > 0
    film = httpx.get(job["video_url"], trust_env=False)
    assert film.headers["content-type"] == "video/mp4"
    assert film.content[4:8] == b"ftyp"
    part = httpx.get(job["video_url"], headers={"Range": "bytes=4-7"}, trust_env=False)
    assert (part.status_code, part.content) == (206, b"ftyp")
    sent = [s for s in submissions(provider.url) if s["prompt"] == "A fox in the snow"]
    assert len(sent) == 1


def test_a_video_from_an_image_is_submitted_with_it(ann: Person) -> None:
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    body = {
        "model": "google/veo-3.1-lite",
        "prompt": "It moves",
        "duration": 4,
        "image_url": url,
    }
    job = ann.post("/generate/video/from-image", body, status=202)
    assert job["generation_type"] == "image_to_video"
    assert ann.wait(job["id"])["status"] == "completed"


def test_a_video_is_cancelled_by_its_owner_and_the_provider_left_alone(
    ann: Person, provider: Process
) -> None:
    job_id = ann.video("Never ending sim:forever")

    def submitted() -> bool:
        return bool(ann.get(f"/generate/video/{job_id}/status")["submitted_at"])

    until(submitted, "the submission")
    job = ann.post(f"/generate/video/{job_id}/cancel")
    assert job["status"] == "cancelled"
    assert job["may_be_charged"] is True
    assert ann.post(f"/generate/video/{job_id}/cancel")["status"] == "cancelled"
    assert not [entry for entry in journal(provider.url) if entry["method"] == "DELETE"]
    again = ann.post(f"/generate/video/{job_id}/retry", status=202)
    assert again["retry_of"] == job_id
    ann.post(f"/generate/video/{again['id']}/cancel")


def test_a_refused_video_says_why(ann: Person) -> None:
    job = ann.wait(ann.video("Something sim:moderation"))
    assert (job["status"], job["error_code"]) == ("failed", "provider_refused")
    assert job["may_be_charged"] is False
    assert len(job["error"]) > 20


def test_the_refresh_token_rotates_and_a_thief_ends_the_session(
    house: Process, ann: Person
) -> None:
    first = ann.tokens["refresh_token"]
    tokens = ann.post("/auth/refresh", {"refresh_token": first})
    assert tokens["refresh_token"] != first
    assert ann.post("/auth/refresh", {"refresh_token": first}, 401)["code"] == "token_revoked"
    renewed = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert ann.get("/users/me", headers=renewed)["email"] == "ann@example.org"
    ann.post("/auth/logout", {"refresh_token": tokens["refresh_token"]}, 204)
    assert ann.get("/users/me", 401, headers=renewed)["code"] == "token_revoked"


def test_an_admin_sees_numbers_promotes_demotes_and_deletes(house: Process, root: Person) -> None:
    bob = root.post("/users", {"email": "bob@example.org", "password": PASSWORD}, status=201)
    person = Person.log_in(house.url, "bob@example.org", PASSWORD)
    person.get("/admin/stats", 403)
    root.put(f"/users/{bob['id']}/role", {"role": "admin"})
    stats = person.get("/admin/stats")
    assert stats["users"]["admins"] == 2
    root.put(f"/users/{bob['id']}/role", {"role": "user"})
    person.get("/admin/stats", 403)
    film = person.wait(person.video("Soon gone"))["video_url"]
    root.delete(f"/users/{bob['id']}")
    assert person.get("/users/me", 401)["code"] == "token_revoked"
    assert httpx.get(film, trust_env=False).status_code == 404
    me = root.get("/users/me")
    assert root.put(f"/users/{me['id']}/role", {"role": "user"}, 409)["code"] == "last_admin"
    actions = [entry["action"] for entry in root.get("/admin/audit")["items"]]
    assert {"user_added", "role_changed", "user_removed", "login"} <= set(actions)
    person.close()


def test_a_profile_changes_address_and_password(house: Process, ann: Person) -> None:
    other = Person.log_in(house.url, "ann@example.org", PASSWORD)
    change = {
        "current_password": PASSWORD,
        "email": "Ann.New@example.org",
        "new_password": "yet another pass phrase",
    }
    assert ann.put("/users/me", change)["email"] == "Ann.New@example.org"
    assert ann.get("/users/me")["email"] == "Ann.New@example.org"
    assert other.get("/users/me", 401)["code"] == "token_revoked"
    Person.log_in(house.url, "ann.new@EXAMPLE.org", "yet another pass phrase").close()
    other.close()


def last_route(provider: Process, prompt: str) -> str:
    """The last of the provider's routes that was asked with this prompt."""
    entries = journal(provider.url)
    return [str(entry["route"]) for entry in entries if entry["prompt"] == prompt][-1]
