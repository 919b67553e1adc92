"""People who ask for texts, images and videos, at the API and on the pages, until somebody answers,
whatever is killed meanwhile."""

import random
import re
import time
from concurrent.futures import Executor, Future
from typing import Any, Protocol, cast

import httpx
from attrs import define, field, frozen
from werkzeug.test import TestResponse

from tests.e2e.processes import TEXT_MODEL, VIDEO_MODEL, Person, Process, submissions, until
from tests.faults.houses import ends, jobs_of
from tests.faults.test_kill_loop import FATES, UNKNOWN
from tests.web.browsing import Browser, Page

IMAGE_MODEL = "black-forest-labs/flux.2-pro"

_AT_ONCE: dict[str, tuple[int, set[Any]]] = {
    "sim:delay=0.3": (4, set()),
    "sim:delay=0.8": (4, set()),
    "sim:reset": (1, set()),
}

#: What the provider does with what is asked for, how often, and how a video may end. Answers come
#: late, so that death finds somebody waiting. What has no cost is looked for longer than we wait.
FATES_OF: dict[str, dict[str, tuple[int, set[Any]]]] = {
    "video": {fate: how for fate, how in FATES.items() if fate != "sim:nocost"}
    | {"sim:delay=1": (12, {None})},
    "text": _AT_ONCE,
    "image": _AT_ONCE,
}

_BODIES: dict[str, dict[str, Any]] = {
    "video": {"model": VIDEO_MODEL, "duration": 4},
    "text": {"model": TEXT_MODEL},
    "image": {"model": IMAGE_MODEL},
}

#: So long somebody asks for what is said to be under way; then whoever was at it has died.
_DOUBT_SECONDS = 5.0
_PAUSE_SECONDS = 0.1


@frozen(kw_only=True)
class Wish:
    """Something of a kind, and what the provider will do with it."""

    kind: str
    prompt: str
    key: str
    fate: str = ""


@frozen(kw_only=True)
class Appetite:
    """How many things of each kind somebody wishes for."""

    videos: int
    texts: int
    images: int

    def wishes(self, whose: str) -> list[Wish]:
        """Always the same for the same person."""
        luck = random.Random(whose)
        kinds = ["video"] * self.videos + ["text"] * self.texts + ["image"] * self.images
        luck.shuffle(kinds)
        return [_wish(luck, kind, f"{number} of {whose}") for number, kind in enumerate(kinds)]


def _wish(luck: random.Random, kind: str, which: str) -> Wish:
    fates = FATES_OF[kind]
    (fate,) = luck.choices(list(fates), [weight for weight, _ in fates.values()])
    prompt = f"{kind.title()} {which} {fate}".strip()
    return Wish(kind=kind, prompt=prompt, fate=fate, key=which.replace(" ", "-"))


class _UnderWay(Exception):
    """It was asked for before, and whoever was asked has not answered yet."""


class Asking(Protocol):
    """One attempt to get a wish fulfilled."""

    def __call__(self, wish: Wish, /) -> str | None:
        """The id of what was made, or that it is `_UNKNOWN`; None if nobody could answer.

        Raises _UnderWay and httpx's TransportError.
        """
        ...


_UNKNOWN = "unknown"


@define
class Crowd:
    """What was wished for, by prompt, and the ids of what somebody was promised or given."""

    people: list[Person] = field(factory=list)
    wishes: dict[str, Wish] = field(factory=dict)
    given: dict[str, str] = field(factory=dict)
    in_doubt: set[str] = field(factory=set)
    _errands: list[tuple[Asking, list[Wish]]] = field(factory=list)

    def join(self, person: Person, asking: Asking, wishes: list[Wish]) -> None:
        """Somebody with wishes, who asks in this way."""
        self.people.append(person)
        self.wishes |= {wish.prompt: wish for wish in wishes}
        self._errands.append((asking, wishes))

    def go(self, threads: Executor) -> list[Future[None]]:
        """All go, and each asks for one thing after the other."""
        return [threads.submit(self._ask_for_all, *errands) for errands in self._errands]

    def _ask_for_all(self, asking: Asking, wishes: list[Wish]) -> None:
        for wish in wishes:
            answer = _insist(asking, wish)
            if answer == _UNKNOWN:
                self.in_doubt.add(wish.prompt)
            else:
                self.given[wish.prompt] = answer

    def share_served(self) -> float:
        return (len(self.given) + len(self.in_doubt)) / len(self.wishes)

    def videos(self) -> set[str]:
        """The ids of those that were promised."""
        given = dict(self.given)
        return {made for prompt, made in given.items() if self.wishes[prompt].kind == "video"}

    def jobs(self) -> dict[str, Any]:
        """All their videos as the API shows them, by id."""
        return {name: job for person in self.people for name, job in jobs_of(person).items()}

    def wait(self) -> None:
        """Until all their videos are over."""
        for person in self.people:
            ends(person, jobs_of(person))


def _insist(asking: Asking, wish: Wish) -> str:
    """Ask until there is an answer, or it is clear that nobody is left to give one."""
    doubts: list[float] = []

    def answered() -> str | None:
        try:
            if answer := asking(wish):
                return answer
        except httpx.TransportError:
            pass
        except _UnderWay:
            doubts.append(time.monotonic())
            if doubts[-1] - doubts[0] > _DOUBT_SECONDS:
                return _UNKNOWN
        time.sleep(_PAUSE_SECONDS)  # as somebody does who has been told to come back
        return None

    return str(until(answered, f"an answer to {wish}"))


def settle_what_is_unknown(root: Person, crowd: Crowd, provider: Process) -> None:
    """As an administrator does who looks into the provider's own list."""
    entries = submissions(provider.url)
    taken = {entry["prompt"]: entry["job_id"] for entry in entries if entry["accepted"]}
    for job_id, job in crowd.jobs().items():
        if job["error_code"] == UNKNOWN:
            theirs = taken.get(job["prompt"])
            decision = {"charged": False} if theirs is None else {"provider_job_id": theirs}
            answer = root.client.post(f"/admin/videos/{job_id}/resolve", json=decision)
            assert answer.status_code in {200, 409}, answer.text  # proof may just have come


# --- at the API -----------------------------------------------------------------------------


def at_api(person: Person) -> Asking:
    def ask(wish: Wish) -> str | None:
        answer = person.client.post(
            f"/generate/{wish.kind}",
            json=_BODIES[wish.kind] | {"prompt": wish.prompt},
            headers={"Idempotency-Key": wish.key},
            timeout=20,
        )
        body = answer.json()
        match answer.status_code, body.get("code"):
            case ((200 | 202), _):
                return str(body["id"])
            case 504, _:
                return _UNKNOWN
            case 409, "idempotency_in_progress":
                raise _UnderWay
            case 503, _:
                return None
        raise AssertionError(f"{answer.status_code} {answer.text}")

    return ask


# --- on the pages ---------------------------------------------------------------------------


class Visitor(Browser):
    """A browser without scripts, at a frontend in a process of its own."""

    def __init__(self, site: str) -> None:
        headers = {"Origin": site, "Sec-Fetch-Site": "same-origin"}
        self.http = httpx.Client(base_url=site, headers=headers, trust_env=False, timeout=5)

    def close(self) -> None:
        self.http.close()

    def open(self, path: str, *, follow: bool = True, headers: Any = None) -> Page:
        return self._page(self.http.get(path, follow_redirects=follow, headers=headers))

    def post(
        self, path: str, fields: dict[str, Any], *, follow: bool = True, headers: Any = None
    ) -> Page:
        answer = self.http.post(path, data=fields, follow_redirects=follow, headers=headers)
        return self._page(answer)

    def _page(self, answer: httpx.Response) -> Page:
        # It has what is asked of a page's answer: status_code, text and headers.
        return Page(self, str(answer.url.path), cast("TestResponse", answer))


def on_pages(visitor: Visitor) -> Asking:
    """Each wish is written into a form once, and the form sent as often as needed."""
    forms: dict[str, tuple[str, dict[str, Any]]] = {}

    def ask(wish: Wish) -> str | None:
        place = f"/{wish.kind}"
        if wish.key not in forms:
            opened = visitor.open(place)
            if opened.status == 503:
                return None
            forms[wish.key] = (place, opened.form(place).fields | {"prompt": wish.prompt})
        try:
            page = visitor.post(*forms[wish.key])
        except httpx.ReadTimeout as error:
            raise _UnderWay from error
        if page.status in {503, 504}:
            return None if page.status == 503 else _UNKNOWN
        assert page.status == 200, f"{page.status} {page.text}"
        return _made(page, wish)

    return ask


def _made(page: Page, wish: Wish) -> str:
    """The id of what a page shows that was just made."""
    if wish.kind == "video":
        return page.path.rpartition("/")[2]
    if wish.kind == "text":
        return str(page.form("/text").fields["turn"][-1])
    results = page.html.partition('id="results"')[2]
    found = re.search(r'id="image-([0-9a-f-]{36})"', results)
    assert found is not None, page.text
    return found[1]
