"""Whatever goes wrong under /v1 is told in OpenAI's shape, and raised by the SDK as its own."""

import json
from typing import Any

import httpx
import pytest

from aigen.adapters.openrouter.simulator import RunningSimulator
from openai import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
)
from tests.openai.conftest import Open, Shop

MODEL = "openai/gpt-4o-mini"
JSON = {"Content-Type": "application/json"}


def asking(prompt: str) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}]}


def assert_error(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The error, in exactly OpenAI's shape."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body: dict[str, Any] = response.json()
    assert body.keys() == {"error"}
    error: dict[str, Any] = body["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["code"] == code
    assert error["message"].strip()
    assert ("retry-after" in response.headers) == ("x-should-retry" not in response.headers)
    return error


@pytest.mark.parametrize(
    ("prompt", "kind", "status", "code"),
    [
        ("sim:refuse", BadRequestError, 400, "provider_refused"),
        ("sim:ratelimit", InternalServerError, 503, "provider_unavailable"),
        ("sim:overloaded", InternalServerError, 503, "provider_unavailable"),
        ("sim:credits", InternalServerError, 502, "provider_misconfigured"),
        ("sim:empty", InternalServerError, 502, "provider_bad_answer"),
        ("sim:200-error", InternalServerError, 504, "provider_outcome_unknown"),
        ("sim:html502", InternalServerError, 504, "provider_outcome_unknown"),
        ("sim:midstream", InternalServerError, 504, "provider_outcome_unknown"),
    ],
)
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_what_the_provider_does_is_told(
    shop: Shop, prompt: str, kind: type[APIStatusError], status: int, code: str, is_streamed: bool
) -> None:
    if is_streamed and prompt in {"sim:midstream", "sim:empty"}:
        return  # told by an event, since the answer has begun
    client = shop.client.with_options(max_retries=0)
    with pytest.raises(APIStatusError) as caught:
        await client.chat.completions.create(**asking(prompt), stream=is_streamed)
    assert isinstance(caught.value, kind)
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert caught.value.request_id


async def test_a_wrong_key_is_an_authentication_error(shop: Shop) -> None:
    client = shop.client.with_options(api_key="aigen_wrong")
    with pytest.raises(AuthenticationError):
        await client.models.list()


async def test_a_login_token_is_as_good_as_a_key(shop: Shop) -> None:
    client = shop.client.with_options(api_key=shop.ann.token)
    answer = await client.chat.completions.create(**asking("Say hello"))
    assert answer.choices


async def test_too_many_films_are_a_rate_limit(
    open_shop: Open, simulator: RunningSimulator
) -> None:
    shop = await open_shop(simulator.url, jobs_per_user=1)
    body = {"model": "google/veo-3.1-lite", "prompt": "A fox"}
    client = shop.client.with_options(max_retries=0)
    await client.post("/videos", body=body, cast_to=object)
    with pytest.raises(RateLimitError) as caught:
        await client.post("/videos", body=body, cast_to=object)
    assert caught.value.code == "too_many_jobs"


async def test_models_are_listed_and_found(shop: Shop) -> None:
    models = [model async for model in shop.client.models.list()]
    assert {MODEL, "google/veo-3.1-lite", "black-forest-labs/flux.2-pro"} <= {
        model.id for model in models
    }
    model = await shop.client.models.retrieve(MODEL)
    assert model in models
    assert model.owned_by == "openai"
    with pytest.raises(NotFoundError):
        await shop.client.models.retrieve("openai/gpt-0")


@pytest.mark.parametrize(
    ("method", "path", "parts", "status", "code"),
    [
        ("GET", "/nothing", {}, 404, "not_found"),
        ("GET", "", {}, 404, "not_found"),
        ("DELETE", "/models", {}, 405, "method_not_allowed"),
        ("GET", "/videos/no-id", {}, 404, "not_found"),
        ("GET", "/videos?limit=0", {}, 400, "invalid_request"),
        ("GET", "/videos?order=asc", {}, 400, "invalid_request"),
        ("GET", "/videos?after=x", {}, 400, "invalid_request"),
        ("POST", "/chat/completions", {"content": b"{"}, 415, "unsupported_media_type"),
        ("POST", "/videos", {"content": b"{", "headers": JSON}, 400, None),
        ("POST", "/chat/completions", {"content": b"{", "headers": JSON}, 400, None),
        ("POST", "/chat/completions", {"json": {"model": "m"}}, 400, "invalid_request"),
        ("POST", "/chat/completions", {"json": asking("hi") | {"model": ""}}, 400, None),
        ("POST", "/chat/completions", {"json": {"model": "m", "messages": [1]}}, 400, None),
        ("POST", "/images/generations", {"json": {"model": "m"}}, 400, None),
        ("POST", "/images/edits", {"json": {"model": "m", "prompt": "p"}}, 400, None),
        ("POST", "/images/edits", {"content": b"hello"}, 415, "unsupported_media_type"),
        ("POST", "/videos", {"json": []}, 400, None),
        ("POST", "/videos", {"content": b"x" * 2**21}, 413, "too_large"),
    ],
)
async def test_the_frameworks_refusals_have_that_shape_too(
    open_shop: Open, method: str, path: str, parts: dict[str, Any], status: int, code: str | None
) -> None:
    shop = await open_shop("http://127.0.0.1:1/api/v1", catalogue=None, max_body=2**20)
    headers = {"Authorization": f"Bearer {shop.client.api_key}"}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
        answer = await client.request(method, shop.url + path, **parts)
    assert_error(answer, status, code or "invalid_request")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"--b\r\n\r\nno name\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\ncut off',
        b"".join(
            b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\nv\r\n' % name
            for name in (b"image", b"image[x]", b"image[]")
        )
        + b"--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nv\r\n' * 200 + b"--b--\r\n",
    ],
)
async def test_a_damaged_form_is_refused(open_shop: Open, content: bytes) -> None:
    shop = await open_shop("http://127.0.0.1:1/api/v1", catalogue=None)
    key = {"Authorization": f"Bearer {shop.client.api_key}"}
    async with httpx.AsyncClient(trust_env=False) as client:
        for kind in ("multipart/form-data; boundary=b", "multipart/form-data"):
            answer = await client.post(
                f"{shop.url}/images/edits", content=content, headers=key | {"Content-Type": kind}
            )
            error = answer.json()["error"]
            assert (answer.status_code, error["code"]) in {
                (400, "invalid_request"),
                (413, "too_large"),
            }


async def test_while_the_server_stops_it_says_so_in_that_shape(shop: Shop) -> None:
    shop.world.house.is_draining = True
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{shop.url}/chat/completions", json=asking("hi"))
    assert_error(answer, 503, "shutting_down")


async def test_a_body_as_deep_as_it_is_wicked_is_refused(shop: Shop) -> None:
    headers = {"Authorization": f"Bearer {shop.client.api_key}"}
    async with httpx.AsyncClient(trust_env=False) as client:
        for depth in (200, 900, 990, 100_000):
            deep = "[" * depth + "]" * depth
            body = json.dumps(asking("hi"))[:-1] + f', "deep": {deep}}}'
            answer = await client.post(
                f"{shop.url}/chat/completions",
                content=body,
                headers=headers | {"Content-Type": "application/json"},
            )
            assert answer.status_code in {200, 400}, answer.text
