"""aigen's commands as real processes, as a user starts them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from attrs import define, field, frozen

AIGEN = str(Path(sys.executable).with_name("aigen"))
ADMIN = {"email": "root@example.org", "password": "a long pass phrase"}
TEXT_MODEL = "openai/gpt-4o-mini"
VIDEO_MODEL = "google/veo-3.1-lite"
_PATIENCE_SECONDS = 30.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def environment(**settings: str) -> dict[str, str]:
    """Our own environment without any setting of aigen, and these instead."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIGEN_", "OPENROUTER_"))
    }
    return kept | settings


@define
class Process:
    """A command that serves; its output lies in `log`."""

    command: list[str]
    env: dict[str, str]
    url: str
    log: Path
    folder: Path
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self, path: str = "/healthz") -> None:
        """Start it and wait until `path` answers."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.command, env=self.env, cwd=self.folder, stdout=log, stderr=log
            )
        until(lambda: self._answers(path), f"{self.command} at {self.url}", self.output)

    def _answers(self, path: str) -> bool:
        self.must_run()
        try:
            return httpx.get(self.url + path, trust_env=False).status_code < 500
        except httpx.TransportError:
            return False

    def must_run(self) -> None:
        if self.child.poll() is not None:
            raise AssertionError(f"ended with {self.child.returncode}:\n{self.output()}")

    @property
    def child(self) -> subprocess.Popen[bytes]:
        assert self._child is not None
        return self._child

    def kill(self) -> None:
        """As a power cut would: no signal handler runs."""
        self.child.kill()
        self.child.wait()

    def signal(self, number: int) -> None:
        self.child.send_signal(number)

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        if self.child.poll() is None:
            self.signal(signal.SIGTERM)
        return self.child.wait(timeout=60)

    def output(self) -> str:
        return self.log.read_text(errors="replace")


def until(done: Any, what: str, explain: Any = lambda: "") -> Any:
    """Ask again and again until it is so; what it was is the answer."""
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        if found := done():
            return found
        time.sleep(0.02)  # another process has no other way to be waited for
    raise AssertionError(f"waited in vain for {what}\n{explain()}")


@contextmanager
def simulator(folder: Path, *options: str) -> Iterator[Process]:
    """The provider's simulator until the block ends."""
    port = free_port()
    process = Process(
        [AIGEN, "simulator", "--port", str(port), *options],
        environment(),
        f"http://127.0.0.1:{port}",
        folder / "simulator.log",
        folder,
    )
    process.start("/simulator/summary")
    try:
        yield process
    finally:
        process.stop()


def api(folder: Path, simulator_url: str, *options: str, **settings: str) -> Process:
    """An API that is not started yet, on its own data dir, quick with jobs."""
    port = free_port()
    defaults = {
        "AIGEN_DATA_DIR": str(folder / "data"),
        "AIGEN_API_PORT": str(port),
        "AIGEN_OPENROUTER_URL": f"{simulator_url}/api/v1",
        "OPENROUTER_API_KEY": "sk-or-v1-test",
        "AIGEN_ADMIN_EMAIL": ADMIN["email"],
        "AIGEN_ADMIN_PASSWORD": ADMIN["password"],
        "AIGEN_BCRYPT_COST": "4",
        "AIGEN_POLL_INTERVAL": "0.2",
        "AIGEN_WORKER_INTERVAL": "1",
        "AIGEN_LEASE": "2",
    }
    return Process(
        [AIGEN, "api", *options],
        environment(**defaults | settings),
        f"http://127.0.0.1:{port}",
        folder / "api.log",
        folder,
    )


@frozen
class Person:
    """Somebody with an account who uses the API."""

    client: httpx.Client
    tokens: dict[str, Any]

    @classmethod
    def log_in(cls, url: str, email: str, password: str) -> "Person":
        return cls.over(httpx.Client(base_url=url, trust_env=False, timeout=30), email, password)

    @classmethod
    def over(cls, client: httpx.Client, email: str, password: str) -> "Person":
        """Log in over a client that has not been used by anybody else."""
        answer = client.post("/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        tokens = answer.json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        return cls(client, tokens)

    def get(self, path: str, status: int = 200, **parts: Any) -> Any:
        return self._ask("GET", path, status, **parts)

    def post(self, path: str, body: Any = None, status: int = 200, **parts: Any) -> Any:
        return self._ask("POST", path, status, json=body, **parts)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        return self._ask("PUT", path, status, json=body)

    def delete(self, path: str, status: int = 204) -> Any:
        return self._ask("DELETE", path, status)

    def _ask(self, method: str, path: str, status: int, **parts: Any) -> Any:
        answer = self.client.request(method, path, **parts)
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def video(self, prompt: str, **fields: Any) -> str:
        """Submit a video; its id."""
        body = {"model": VIDEO_MODEL, "prompt": prompt, "duration": 4} | fields
        job_id: str = self.post("/generate/video", body, status=202)["id"]
        return job_id

    def wait(self, job_id: str) -> Any:
        """The job once it is over."""

        def over() -> Any:
            job = self.get(f"/generate/video/{job_id}/status")
            return job if job["status"] not in {"queued", "processing"} else None

        return until(over, f"the end of job {job_id}")

    def close(self) -> None:
        self.client.close()


def journal(simulator_url: str) -> list[dict[str, Any]]:
    """Every request to the provider, as it wrote it down."""
    answer = httpx.get(f"{simulator_url}/simulator/journal", trust_env=False, timeout=30)
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


def submissions(simulator_url: str) -> list[dict[str, Any]]:
    """The video jobs that it was asked to make."""
    return [e for e in journal(simulator_url) if e["route"] == "POST /api/v1/videos"]
