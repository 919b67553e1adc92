"""A text through the API: CPU of the API process for each request, beside bare pass-throughs."""

import asyncio
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import jwt

from benchmarks.load import Load, hammer
from benchmarks.pace import paced
from benchmarks.processes import Process, free_port, running, serving
from benchmarks.report import Report
from benchmarks.tables import Bound, Result, Table, show

REQUESTS = paced(6000, 300)
CONNECTIONS = 16
ROUNDS = paced(3, 1)
BODY = {"model": "openai/gpt-4o-mini", "prompt": "Say hello to everybody in the room, please."}
PASSED_BODY = {
    "model": "openai/gpt-4o-mini",
    "messages": [{"role": "user", "content": BODY["prompt"]}],
}
PASSWORD = "a long pass phrase"

BARE = "FastAPI + httpx on aiohttp"
CHECKED = "the same with a token, schemas, a log line"


def run() -> Report:
    with ExitStack() as stack:
        provider = stack.enter_context(serving("benchmarks.provider"))
        secret = secrets.token_hex()

        def peer(kind: str, *more: str) -> Process:
            return stack.enter_context(serving("benchmarks.passthrough", kind, provider.url, *more))

        api = stack.enter_context(aigen_api(provider.url))
        asked: dict[str, tuple[Process, object, str | None]] = {
            "raw ASGI + aiohttp": (peer("raw"), PASSED_BODY, None),
            BARE: (peer("httpx-aiohttp"), PASSED_BODY, None),
            CHECKED: (peer("checked", secret), BODY, jwt.encode({"sub": "ann"}, secret)),
            "FastAPI + httpx": (peer("httpx"), PASSED_BODY, None),
            "aigen": (api, BODY, log_in(api)),
        }
        measured: dict[str, list[tuple[float, Load]]] = {name: [] for name in asked}
        for _ in range(ROUNDS):
            for name, how in asked.items():
                measured[name].append(measure(*how))
    return Report([report(measured)])


def measure(process: Process, body: object, token: str | None) -> tuple[float, Load]:
    """Milliseconds of CPU for each request, and the load that it took."""
    before = process.cpu_seconds()
    url = f"{process.url}/generate/text"
    load = asyncio.run(
        hammer(url, requests=REQUESTS, connections=CONNECTIONS, body=body, token=token)
    )
    if set(load.statuses) != {200}:
        raise RuntimeError(f"answers were {load.statuses}")
    return (process.cpu_seconds() - before) / REQUESTS * 1000, load


def report(measured: dict[str, list[tuple[float, Load]]]) -> Table:
    best = {name: min(rounds, key=lambda found: found[0]) for name, rounds in measured.items()}
    bare = best[BARE][0]
    return show(
        "A text through the API",
        [
            Result(
                name=name,
                figures={
                    "CPU ms/request": f"{cpu:.3f}",
                    "× bare FastAPI": f"{cpu / bare:.2f}",
                    "requests/s": f"{load.rate:.0f}",
                    "p50 ms": f"{load.quantile(0.5) * 1000:.1f}",
                    "p99 ms": f"{load.quantile(0.99) * 1000:.1f}",
                },
                bounds=(Bound("≤ 1.0 ms", cpu), Bound("≤ 1.5 ×", cpu / bare))
                if name == "aigen"
                else (),
            )
            for name, (cpu, load) in best.items()
        ],
        f"{CONNECTIONS} connections, best of {ROUNDS} × {REQUESTS}",
    )


@contextmanager
def aigen_api(provider_url: str, **settings: str) -> Iterator[Process]:
    """An API on a fresh data dir against this provider."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        env = {
            "AIGEN_DATA_DIR": str(Path(folder) / "data"),
            "AIGEN_API_PORT": str(port),
            "AIGEN_OPENROUTER_URL": provider_url,
            "OPENROUTER_API_KEY": "a-key",
            "AIGEN_ADMIN_EMAIL": "admin@example.org",
            "AIGEN_ADMIN_PASSWORD": PASSWORD,
            "AIGEN_BCRYPT_COST": "4",
            "AIGEN_ACCESS_TOKEN_TTL": "86400",
        }
        command = [str(Path(sys.executable).with_name("aigen")), "api"]
        with running(command, port, "/healthz", env | settings) as process:
            yield process


def log_in(api: Process) -> str:
    """An access token of the first administrator."""
    credentials = {"email": "admin@example.org", "password": PASSWORD}
    answer = httpx.post(f"{api.url}/auth/login", json=credentials, trust_env=False)
    token: str = answer.raise_for_status().json()["access_token"]
    return token
