"""Chat completions for OpenAI's clients, beside the LiteLLM proxy and the provider itself.

The proxy comes from PyPI into an environment of its own, `.tools/litellm`, the first time. It runs
as its documentation recommends for one core: one worker, no database. So it keeps no accounts and
no history, where aigen checks a personal key with a cap, reserves, settles and records.
"""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from attrs import frozen

from benchmarks.load import Load, first_tokens, hammer
from benchmarks.pace import QUICK, paced, say
from benchmarks.processes import Process, free_port, running, serving
from benchmarks.report import Report, machine
from benchmarks.tables import Bound, Result, Table, show
from benchmarks.text import PASSED_BODY, aigen_api, log_in

CONNECTIONS = 16
ROUNDS = paced(3, 1)
REQUESTS = {"aigen": paced(6000, 300), "LiteLLM proxy": paced(600, 60)}
STREAMS = paced(300, 50)
_PATH = "/v1/chat/completions"
_MASTER_KEY = "sk-benchmark"
_ENVIRONMENT = Path(__file__).resolve().parent.parent / ".tools" / "litellm"


@frozen(kw_only=True)
class Door:
    """A server that speaks OpenAI's language, and a key that it takes."""

    process: Process
    key: str


def run() -> Report:
    if not QUICK:
        install_litellm()
    with ExitStack() as stack:
        provider = stack.enter_context(serving("benchmarks.provider"))
        api = stack.enter_context(aigen_api(provider.url))
        doors = {"aigen": Door(process=api, key=personal_key(api))}
        if is_installed():
            doors["LiteLLM proxy"] = stack.enter_context(litellm(provider.url))
        else:
            say("the LiteLLM proxy is not installed yet, and left out")
        measured: dict[str, list[tuple[float, Load]]] = {name: [] for name in doors}
        for _ in range(ROUNDS):
            for name, door in doors.items():
                measured[name].append(measure(door, REQUESTS[name]))
        waits = {"the provider itself": wait(Door(process=provider, key=""))}
        waits |= {name: wait(door) for name, door in doors.items()}
    versions = {"LiteLLM": litellm_version()} if is_installed() else {}
    return Report([report(measured), report_waits(waits)], machine(**versions))


def measure(door: Door, requests: int) -> tuple[float, Load]:
    """Milliseconds of CPU for each request, and the load that it took."""
    before = door.process.cpu_seconds()
    load = asyncio.run(
        hammer(
            door.process.url + _PATH,
            requests=requests,
            connections=CONNECTIONS,
            body=PASSED_BODY,
            token=door.key,
        )
    )
    if set(load.statuses) != {200}:
        raise RuntimeError(f"answers were {load.statuses}")
    return (door.process.cpu_seconds() - before) / requests * 1000, load


def wait(door: Door) -> list[float]:
    """Seconds until the first token, sorted."""
    body = {**PASSED_BODY, "stream": True}
    url = door.process.url + _PATH
    return asyncio.run(first_tokens(url, requests=STREAMS, body=body, token=door.key))


def report(measured: dict[str, list[tuple[float, Load]]]) -> Table:
    best = {name: min(rounds, key=lambda found: found[0]) for name, rounds in measured.items()}
    proxy = best.get("LiteLLM proxy")

    def times(load: Load) -> float | None:
        return load.rate / proxy[1].rate if proxy else None

    return show(
        "A chat completion with a key",
        [
            Result(
                name=name,
                figures={
                    "CPU ms/request": f"{cpu:.3f}",
                    "requests/s": f"{load.rate:.0f}",
                    **({"× LiteLLM proxy": f"{ratio:.1f}"} if (ratio := times(load)) else {}),
                    "p50 ms": f"{load.quantile(0.5) * 1000:.1f}",
                    "p99 ms": f"{load.quantile(0.99) * 1000:.1f}",
                },
                bounds=_bounds(cpu, times(load)) if name == "aigen" else (),
            )
            for name, (cpu, load) in best.items()
        ],
        f"{CONNECTIONS} connections, best of {ROUNDS}",
    )


def _bounds(cpu: float, times: float | None) -> tuple[Bound, ...]:
    ours = Bound("≤ 1.0 ms", cpu)
    return (ours, Bound("≥ 10 ×", times)) if times else (ours,)


def report_waits(waits: dict[str, list[float]]) -> Table:
    direct = waits["the provider itself"]

    def later(found: list[float]) -> float:
        return _quantile(found, 0.5) - _quantile(direct, 0.5)

    return show(
        "The first token of a streamed answer",
        [
            Result(
                name=name,
                figures={
                    "p50 ms": f"{_quantile(found, 0.5):.2f}",
                    "p99 ms": f"{_quantile(found, 0.99):.2f}",
                    "p50 later by ms": f"{later(found):.2f}",
                    "× the provider": f"{_quantile(found, 0.5) / _quantile(direct, 0.5):.1f}",
                },
                bounds=(Bound("≤ 3 ms later", later(found)),) if name == "aigen" else (),
            )
            for name, found in waits.items()
        ],
        f"{STREAMS} one after the other",
    )


def _quantile(found: list[float], share: float) -> float:
    return found[int(len(found) * share)] * 1000


def personal_key(api: Process) -> str:
    """A key with a cap that is never reached, so that it is checked each time."""
    headers = {"Authorization": f"Bearer {log_in(api)}"}
    with httpx.Client(base_url=api.url, headers=headers, trust_env=False) as client:
        made = client.post("/keys", json={"name": "benchmark", "usd_month": 1000})
        key: str = made.raise_for_status().json()["key"]
        client.get("/models").raise_for_status()  # so that prices are known
        return key


def is_installed() -> bool:
    return (_ENVIRONMENT / "bin" / "litellm").exists()


def litellm_version() -> str:
    (found,) = _ENVIRONMENT.glob("lib/python*/site-packages/litellm-*.dist-info")
    return found.stem.partition("-")[2]


def install_litellm() -> None:
    if is_installed():
        return
    say("installing the LiteLLM proxy into .tools/litellm (once)")
    shutil.rmtree(_ENVIRONMENT, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", _ENVIRONMENT], check=True)
    pip = [
        str(_ENVIRONMENT / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "litellm[proxy]",
    ]
    subprocess.run(pip, check=True)


@contextmanager
def litellm(provider_url: str) -> Iterator[Door]:
    config: dict[str, Any] = {
        "model_list": [
            {
                "model_name": PASSED_BODY["model"],
                "litellm_params": {
                    "model": "openai/openai/gpt-4o-mini",
                    "api_base": provider_url,
                    "api_key": "a-key",
                },
            }
        ],
        "general_settings": {"master_key": _MASTER_KEY},
    }
    port = free_port()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        file.write_text(json.dumps(config))  # which is YAML, too
        command = [str(_ENVIRONMENT / "bin" / "litellm"), "--config", str(file)]
        command += ["--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
        quiet = {"LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION"}
        with running(command, port, "/health/liveliness", quiet, patience=90) as process:
            yield Door(process=process, key=_MASTER_KEY)
