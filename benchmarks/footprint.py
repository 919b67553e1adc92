"""How soon the library can be used and the API process is ready, and how much memory that keeps
after 100,000 requests."""

import asyncio
import subprocess
import sys
import time
from contextlib import ExitStack

import httpx

from benchmarks.load import hammer
from benchmarks.pace import paced
from benchmarks.processes import serving
from benchmarks.report import Report
from benchmarks.tables import Bound, Result, show
from benchmarks.text import BODY, aigen_api, log_in

TEXTS = paced(60_000, 600)
LOOKS = paced(40_000, 400)
MB = 10**6


def importing(code: str) -> float:
    """Milliseconds that the code takes beyond the start of an interpreter, at best of seven."""

    def seconds(program: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True)
        return time.perf_counter() - began

    return (min(seconds(code) for _ in range(7)) - min(seconds("") for _ in range(7))) * 1000


def run() -> Report:
    # Most of the second is pydantic, which reads the settings.
    programs = ("import aigen", "from aigen import Aigen, Settings")
    library = show(
        "The library",
        [Result(name=code, figures={"": f"{importing(code):.0f} ms"}) for code in programs],
        "beyond the start of an interpreter, best of seven",
    )
    with ExitStack() as stack:
        provider = stack.enter_context(serving("benchmarks.provider"))
        began = time.perf_counter()
        api = stack.enter_context(aigen_api(provider.url))
        ready = time.perf_counter() - began
        before = api.rss_bytes()
        token = log_in(api)
        asyncio.run(hammer(f"{api.url}/generate/text", requests=TEXTS, body=BODY, token=token))
        headers = {"Authorization": f"Bearer {token}"}
        video = {"model": "google/veo-3.1-lite", "prompt": "A fox"}
        job = httpx.post(
            f"{api.url}/generate/video", json=video, headers=headers, trust_env=False
        ).json()
        status = f"{api.url}/generate/video/{job['id']}/status"
        cpu = api.cpu_seconds()
        looks = asyncio.run(hammer(status, requests=LOOKS, token=token))
        cpu = (api.cpu_seconds() - cpu) / LOOKS * 1000
        after = api.rss_bytes()
    process = show(
        "The API process",
        [
            Result(name="ready", figures={"": f"{ready:.2f} s"}, bounds=(Bound("< 2.5 s", ready),)),
            Result(name="memory when ready", figures={"": f"{before / MB:.0f} MB"}),
            Result(
                name=f"memory after {TEXTS + LOOKS:,} requests",
                figures={"": f"{after / MB:.0f} MB"},
                bounds=(Bound("< 150 MB", after / MB),),
            ),
            Result(name="a status read", figures={"": f"{cpu:.3f} ms CPU, {looks.rate:.0f}/s"}),
        ],
    )
    return Report([library, process])
