"""Pages of the frontend: CPU of its process for each page."""

import asyncio
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from benchmarks.load import Load, hammer
from benchmarks.pace import paced
from benchmarks.processes import Process, free_port, running
from benchmarks.report import Report
from benchmarks.tables import Bound, Result, Table, show
from benchmarks.text import PASSWORD, aigen_api, log_in

REQUESTS = paced(600, 100)
CONNECTIONS = 8
ROUNDS = paced(3, 1)
WARM_UP = paced(100, 20)
PAGES = {"login": "/login", "dashboard": "/", "text": "/text", "gallery": "/gallery"}
#: Things made before: as many as the pages show.
TEXTS, IMAGES, VIDEOS = 20, 12, 12
_AIGEN = str(Path(sys.executable).with_name("aigen"))


def run() -> Report:
    with ExitStack() as stack:
        provider = stack.enter_context(_simulator())
        api = stack.enter_context(aigen_api(f"{provider.url}/api/v1", AIGEN_POLL_INTERVAL="0.2"))
        _make_things(api)
        web = stack.enter_context(_frontend(api))
        cookie = logged_in(web)
        best: dict[str, tuple[float, Load]] = {}
        for _ in range(ROUNDS):
            for name, path in PAGES.items():
                found = measure(web, path, None if name == "login" else cookie)
                best[name] = min(best.get(name, found), found, key=lambda one: one[0])
    return Report([report(best)])


def measure(web: Process, path: str, cookie: str | None) -> tuple[float, Load]:
    """Milliseconds of CPU for each page, and the load that it took."""

    def load(requests: int) -> Load:
        url = web.url + path
        return asyncio.run(hammer(url, requests=requests, connections=CONNECTIONS, cookie=cookie))

    load(WARM_UP)
    before = web.cpu_seconds()
    found = load(REQUESTS)
    if set(found.statuses) != {200}:
        raise RuntimeError(f"answers were {found.statuses}")
    return (web.cpu_seconds() - before) / REQUESTS * 1000, found


def report(best: dict[str, tuple[float, Load]]) -> Table:
    return show(
        "Pages",
        [
            Result(
                name=name,
                figures={
                    "CPU ms/page": f"{cpu:.2f}",
                    "pages/s": f"{load.rate:.0f}",
                    "p50 ms": f"{load.quantile(0.5) * 1000:.1f}",
                    "p99 ms": f"{load.quantile(0.99) * 1000:.1f}",
                },
                bounds=(Bound("< 3 ms", cpu),),
            )
            for name, (cpu, load) in best.items()
        ],
        f"{CONNECTIONS} connections, best of {ROUNDS} × {REQUESTS}",
    )


@contextmanager
def _simulator() -> Iterator[Process]:
    port = free_port()
    command = [_AIGEN, "simulator", "--port", str(port)]
    with running(command, port, "/simulator/summary") as process:
        yield process


@contextmanager
def _frontend(api: Process) -> Iterator[Process]:
    port = free_port()
    with TemporaryDirectory() as folder:
        env = {
            "AIGEN_DATA_DIR": folder,
            "AIGEN_WEB_PORT": str(port),
            "AIGEN_WEB_TOKEN": "a token that the api does not know",
            "AIGEN_API_URL": api.url,
        }
        with running([_AIGEN, "web"], port, "/login", env) as process:
            yield process


def _make_things(api: Process) -> None:
    headers = {"Authorization": f"Bearer {log_in(api)}"}
    with httpx.Client(base_url=api.url, headers=headers, trust_env=False, timeout=60) as client:

        def make(kind: str, model: str, count: int, **fields: Any) -> None:
            for number in range(count):
                body = {"model": model, "prompt": f"A fox in the snow, take {number}"} | fields
                client.post(f"/generate/{kind}", json=body).raise_for_status()

        make("text", "openai/gpt-4o-mini", TEXTS)
        make("image", "black-forest-labs/flux.2-pro", IMAGES)
        make("video", "google/veo-3.1-lite", VIDEOS, duration=4)
        give_up_at = time.monotonic() + 60
        while client.get("/admin/stats").json()["videos"]["completed"] < VIDEOS:
            if time.monotonic() > give_up_at:
                raise RuntimeError("the videos do not end")
            time.sleep(0.1)


def logged_in(web: Process) -> str:
    """The cookie of a browser that has logged in."""
    with httpx.Client(base_url=web.url, trust_env=False) as browser:
        found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/login").text)
        if found is None:
            raise RuntimeError("the login has no form")
        fields = {"csrf_token": found[1], "email": "admin@example.org", "password": PASSWORD}
        answer = browser.post("/login", data=fields)
        if answer.status_code != httpx.codes.FOUND:
            raise RuntimeError(f"the login was refused: {answer.status_code}")
        return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
