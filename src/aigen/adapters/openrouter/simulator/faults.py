"""Answers of requests that a keyword spoils."""

from collections.abc import Callable, Mapping

from starlette.responses import HTMLResponse, RedirectResponse, Response

from aigen.adapters.openrouter.simulator.connections import Reset
from aigen.adapters.openrouter.simulator.errors import ApiError
from aigen.adapters.openrouter.simulator.keywords import KEYWORDS
from aigen.adapters.openrouter.simulator.scripts import Script

REFUSALS = frozenset(word.name for word in KEYWORDS if word.accepted is False) - {"empty"}

_LONGEST_FLAGGED = 100
_HTML_502 = """<!DOCTYPE html><html><head><title>openrouter.ai | 502: Bad gateway</title></head>
<body><h1>Bad gateway</h1><p>Error code 502</p></body></html>"""


def refusal(
    script: Script, *, prompt: str, model: str, path: str, now: float
) -> Response | ApiError | None:
    """The answer that the first refusing keyword asks for."""
    word = script.first(REFUSALS)
    if word is None:
        return None
    if word.name == "reset-early":
        return Reset()
    if word.name == "html502":
        return HTMLResponse(_HTML_502, status_code=502, headers={"server": "cloudflare"})
    if word.name == "redirect":
        # Without a target of its own it leads back, marked, so that whoever follows is noticed
        # (one more POST in the journal) and not caught in a loop.
        return RedirectResponse(script.text("redirect") or f"{path}?redirected=1", status_code=307)
    if word.name == "200-error":
        failure = ApiError(502, "Provider returned error")
        return failure.response(with_type=True, status=200)
    return _error(word.name, script, prompt=prompt, model=model, now=now)


def garbage(status: int) -> Response:
    return Response("<<< this is not JSON", status_code=status, media_type="application/json")


def _error(name: str, script: Script, *, prompt: str, model: str, now: float) -> ApiError:
    if name == "moderation":
        return _moderation(prompt, model)
    if name == "ratelimit":
        return _rate_limit(script, now)
    if name == "overloaded":
        return ApiError(
            503, "The provider is overloaded, try again later", headers=_retry_after(script, name)
        )
    if name == "http":
        status = script.count("http")
        return ApiError(status, f"The simulator was told to answer {status}")
    return _PLAIN[name]()


def _moderation(prompt: str, model: str) -> ApiError:
    flagged = prompt if len(prompt) <= _LONGEST_FLAGGED else f"{prompt[:48]}...{prompt[-48:]}"
    return ApiError(
        403,
        "Your chosen model requires moderation and your input was flagged",
        metadata={
            "reasons": ["violence/graphic"],
            "flagged_input": flagged,
            "provider_name": "OpenAI",
            "model_slug": model,
        },
    )


def _rate_limit(script: Script, now: float) -> ApiError:
    limits = {
        "X-RateLimit-Limit": "20",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int((now + script.seconds("ratelimit", 60)) * 1000)),
    }
    return ApiError(
        429,
        "Rate limit exceeded: free-models-per-min",
        metadata={"headers": limits},
        headers=limits | _retry_after(script, "ratelimit"),
    )


def _retry_after(script: Script, name: str) -> dict[str, str]:
    return {"Retry-After": f"{script.seconds(name):g}"} if script.given(name) else {}


def _raw_502() -> ApiError:
    raw = '{"error":{"type":"upstream_failure","message":"The renderer is out of memory"}}'
    return ApiError(
        502, "Provider returned error", metadata={"raw": raw, "provider_name": "FakeProvider"}
    )


_PLAIN: Mapping[str, Callable[[], ApiError]] = {
    "refuse": lambda: ApiError(
        400,
        "The prompt was refused by the provider's content policy",
        error_type="content_policy_violation",
    ),
    "credits": lambda: ApiError(
        402,
        "Insufficient credits. Add more using https://openrouter.ai/credits",
        metadata={"provider_name": None},
    ),
    "badkey": lambda: ApiError(401, "Invalid API key"),
    "notfound": lambda: ApiError(404, "No endpoints found for this model"),
    "toolarge": lambda: ApiError(413, "Downloaded image content cannot exceed 30MB"),
    "semantic": lambda: ApiError(422, "The request is well-formed and can't be processed"),
    "raw502": _raw_502,
}
