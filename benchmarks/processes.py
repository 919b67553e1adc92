"""Processes to be measured: started, waited for, and asked what they have used."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from attrs import frozen

AIGEN = str(Path(sys.executable).with_name("aigen"))

_TICKS = os.sysconf("SC_CLK_TCK")


@frozen(kw_only=True)
class Process:
    """A process of its own; `url` is where it answers, if it serves."""

    pid: int
    url: str = ""

    def cpu_seconds(self) -> float:
        """User and system time of the process so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def rss_bytes(self) -> int:
        """Resident memory now."""
        return self._memory("VmRSS")

    def peak_bytes(self) -> int:
        """The most resident memory that it has ever had."""
        return self._memory("VmHWM")

    def _memory(self, name: str) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def serving(
    module: str, *arguments: str, health: str = "/", env: dict[str, str] | None = None
) -> Iterator[Process]:
    """Run `python -m module PORT arguments…` until the block ends; ready when `health` answers."""
    port = free_port()
    command = [sys.executable, "-m", module, str(port), *arguments]
    with running(command, port, health, env) as process:
        yield process


@contextmanager
def running(
    command: list[str],
    port: int,
    health: str,
    env: dict[str, str] | None = None,
    *,
    patience: float = 20,
) -> Iterator[Process]:
    """Run a command that serves on a port until the block ends; it may take `patience` seconds
    until it answers."""
    url = f"http://127.0.0.1:{port}"
    with _child(command, env) as child:
        _wait(url + health, child, patience)
        yield Process(pid=child.pid, url=url)


@contextmanager
def working(command: list[str], env: dict[str, str]) -> Iterator[Process]:
    """Run a command that serves nothing until the block ends."""
    with _child(command, env) as child:
        yield Process(pid=child.pid)


@contextmanager
def _child(command: list[str], env: dict[str, str] | None) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(
        command, env=os.environ | (env or {}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield child
    finally:
        child.terminate()
        child.wait(timeout=60)


def _wait(url: str, child: subprocess.Popen[bytes], patience: float) -> None:
    give_up_at = time.monotonic() + patience
    while time.monotonic() < give_up_at:
        if child.poll() is not None:
            raise RuntimeError(f"the process ended with {child.returncode}")
        try:
            if httpx.get(url, trust_env=False).status_code < 500:
                return
        except httpx.TransportError:
            time.sleep(0.02)
    raise RuntimeError(f"nothing answers at {url}")
