"""A guide, read from its first line to its last, and the terminal that it is typed into."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from attrs import define, field

from tests.e2e.processes import until
from tests.house.markdown import GUIDES, Snippet, snippets
from tests.house.programs import with_curl


@define
class Guide:
    """Its blocks come in their order, so that none can be left out unnoticed."""

    name: str
    _left: list[Snippet] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._left = snippets(GUIDES / self.name)

    def next(self, language: str = "sh") -> str:
        snippet = self._left.pop(0)
        assert snippet.language == language, snippet.text
        return snippet.text

    def must_be_over(self) -> None:
        assert not self._left


@define
class Terminal:
    """What is set in one block is there in the next. `words` are those of the guide that stand for
    a reader's own, with ours."""

    folder: Path
    env: dict[str, str]
    words: dict[str, str]
    _state: Path = field(init=False)
    _used: set[str] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        aside = self.folder.with_name(f"{self.folder.name}-terminal")
        aside.mkdir()
        self.env["PATH"] = os.pathsep.join([str(with_curl(aside)), self.env["PATH"]])
        self._state = aside / "state"
        self._state.touch()

    def with_our_words(self, text: str) -> str:
        for theirs, ours in self.words.items():
            if theirs in text:
                self._used.add(theirs)
                text = text.replace(theirs, ours)
        return text

    def all_words_were_read(self) -> None:
        assert self._used == self.words.keys()

    def type(self, script: str) -> str:
        """Run a block, which must succeed and complain of nothing; what it prints."""
        lines = [f". {self._state}", "set -a", self.with_our_words(script)]
        done = subprocess.run(
            ["/bin/sh", "-eu", "-c", "\n".join([*lines, f"export -p > {self._state}"])],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def serving(self, script: str, ready: str, **settings: str) -> Iterator["Server"]:
        """Run a block that is one command which serves, until the end of ours; it is ready when it
        has printed `ready`, or if that is an address, when something answers there."""
        match = re.fullmatch(r"((?:[A-Z_]+=\S+ )*)(.+)\n", self.with_our_words(script))
        assert match is not None, "one command"
        log = self._state.with_name(f"log-{len(list(self._state.parent.iterdir()))}")
        exports = f"export {match[1]}" if match[1] else ""
        with log.open("wb") as output:
            child = subprocess.Popen(
                ["/bin/sh", "-eu", "-c", f". {self._state}\n{exports}\nexec {match[2]}"],
                cwd=self.folder,
                env=self.env | settings,
                stdout=output,
                stderr=output,
            )
        server = Server(child, log)
        try:
            until(lambda: server.is_ready(ready), f"{ready} of {match[2]}", server.output)
            yield server
        finally:
            if child.poll() is None:
                child.send_signal(signal.SIGINT)  # as Ctrl+C does
            code = child.wait(timeout=60)
        assert code == 0, server.output()


@define
class Server:
    _child: subprocess.Popen[bytes]
    _log: Path

    def is_ready(self, ready: str) -> bool:
        if not ready.startswith("http"):
            return ready in self.output()
        try:
            return httpx.get(ready, trust_env=False).status_code == 200
        except httpx.TransportError:
            self.output()  # raises if it has ended
            return False

    def output(self) -> str:
        if self._child.poll() is not None:
            raise AssertionError(f"ended with {self._child.returncode}:\n{self._log.read_text()}")
        return self._log.read_text(errors="replace")
