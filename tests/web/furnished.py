"""A house in which a lot has been made already, and frontends of it: to look at its pages."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import field, frozen
from flask import Flask

from aigen.adapters.http.client import ApiClient
from aigen.entrypoints.web.app import create_app
from aigen.entrypoints.web.backend import Backend
from aigen.entrypoints.web.settings import WebSettings
from tests.e2e.processes import (
    ADMIN,
    AIGEN,
    TEXT_MODEL,
    Person,
    Process,
    api,
    simulator,
    submissions,
    until,
)
from tests.web.browsing import ANN, Browser
from tests.web.serving import KEYS, served, web_token

IMAGE_MODEL = "black-forest-labs/flux.2-pro"
NEW = {"email": "newcomer@example.org", "password": "nothing made so far"}
BOB = {"email": "bob@example.org", "password": "bob's long pass phrase"}
PEOPLE = {"ann": ANN, "new": NEW, "root": ADMIN}

_REFUSED = "the provider refuses our key or credit: Insufficient credits. Add more at openrouter.ai"
_LONG = (
    "A lighthouse on a cliff above a restless sea, seen from a small boat at dawn, with gulls and "
    "a first thin line of light; the keeper is on the stairs with a lamp in the hand, and far out "
    "a ship goes by. Painted, calm, with much air, no people at the shore, and no text anywhere."
)
_MARKDOWN = """Repeat this:

# The tides

They come **twice a day**, since the earth turns under *two* bulges:

1. one towards the moon,
2. one away from it.

| place | metres |
| --- | --- |
| Bay of Fundy | 16 |
| Baltic Sea | 0.1 |

```python
print("high water")
```

> Time and tide wait for no man. [More](https://example.org)"""


@frozen(kw_only=True)
class Furnished:
    """`sites` are addresses of frontends: the `usual` one, and one that has something to say on
    every page, `troubled`. `ids` are what stands in the addresses of pages; `cookies` those of
    the people who are logged in."""

    house: Process
    provider: Process
    sites: Mapping[str, str]
    ids: Mapping[str, str]
    cookies: Mapping[str, str] = field(repr=False)


@contextmanager
def furnished(folder: Path) -> Iterator[Furnished]:
    with ExitStack() as stack:
        provider = stack.enter_context(simulator(folder))
        house = api(
            folder,
            provider.url,
            AIGEN_WEB_URL="https://aigen.example.org",
            AIGEN_RETENTION_DAYS="90",
            AIGEN_RETENTION_BYTES_PER_USER="5 GiB",
        )
        stack.callback(house.stop)
        house.start()
        _hold_a_job_back(house, provider, folder)
        ids = _make_things(house)
        settings = WebSettings(api_url=house.url, keys=KEYS, web_token=web_token(house))
        apps = {"usual": create_app(settings), "troubled": create_app(settings)}
        _trouble(apps["troubled"].extensions["aigen"])
        cookies = {name: _cookie(apps["usual"], person) for name, person in PEOPLE.items()}
        for app in apps.values():
            stack.callback(app.extensions["aigen"].api.close)
        sites = {name: stack.enter_context(served(app)) for name, app in apps.items()}
        yield Furnished(house=house, provider=provider, sites=sites, ids=ids, cookies=cookies)


def _cookie(app: Flask, person: Mapping[str, str]) -> str:
    browser = Browser(app)
    browser.log_in(**person)
    return browser.cookie()


def _trouble(backend: Backend) -> None:
    """A demo, and a provider that wants money: both banners at once."""
    about = backend.installation.about()
    backend.installation._known._value = type(about)(demo=True, media_origin=about.media_origin)
    backend.readiness._answer = lambda: (_REFUSED,)  # type: ignore[method-assign]


# --- what there is --------------------------------------------------------------------------


def _hold_a_job_back(house: Process, provider: Process, folder: Path) -> None:
    """A job that a restore has held, as an administrator finds it."""
    _as(house, ADMIN, lambda root: [root.post("/users", new, 201) for new in (ANN, NEW, BOB)])

    def wait_in_queue(bob: Person) -> None:
        job_id = bob.video("A regatta sim:ratelimit=9999")
        until(lambda: submissions(provider.url), "the submission")
        path = f"/generate/video/{job_id}/status"
        until(lambda: bob.get(path)["status"] == "queued", "the job to be queued again")

    _as(house, BOB, wait_in_queue)
    token = (Path(house.env["AIGEN_DATA_DIR"]) / "operator-token").read_text().strip()
    with ApiClient(house.url, token) as operator:
        operator.ask("POST", "/maintenance/backup", body={"folder": str(folder / "backup")})
    house.stop()
    restore = [AIGEN, "db", "restore", str(folder / "backup"), "--yes"]
    subprocess.run(restore, env=house.env, cwd=folder, check=True, capture_output=True)
    house.start()


def _make_things(house: Process) -> dict[str, str]:
    ids: dict[str, str] = {}
    _as(house, ADMIN, lambda root: ids.update(_accounts(root) | _limits(root)))
    _as(house, BOB, lambda bob: bob.wait(bob.video("A harbour sim:reset")))
    _as(house, ANN, lambda ann: ids.update(_keys(ann) | _texts(ann) | _images(ann) | _videos(ann)))
    return ids


def _accounts(root: Person) -> dict[str, str]:
    for number in range(22):
        email = f"guest-{number}@example.org"
        if number == 20:
            email = "a.very.long.name.that.goes.on.and.on.and.on@subdomain.of.somewhere.example.org"
        root.post("/users", {"email": email, "password": "a guest's pass phrase"}, 201)
    guest = root.get("/users?q=guest-1@")["items"][0]
    link = root.post(f"/users/{guest['id']}/reset-link", status=201)["url"]
    return {"reset": link.rpartition("/")[2]}


def _limits(root: Person) -> dict[str, str]:
    ann, bob = (root.get(f"/users?q={each['email']}")["items"][0]["id"] for each in (ANN, BOB))
    root.put(f"/users/{ann}/limits", {"usd_day": 5, "usd_month": 99.5})
    root.put("/admin/limits", {"usd_day": None, "usd_month": 1000, "default_usd_day": 2.5})
    return {"bob": bob}


def _keys(ann: Person) -> dict[str, str]:
    ends = (datetime.now(UTC) + timedelta(days=90)).isoformat()
    for name, more in (("a script", {"usd_month": 5, "expires_at": ends}), (_LONG[:90], {})):
        ann.post("/keys", {"name": name} | more, 201)
    return {}


def _texts(ann: Person) -> dict[str, str]:
    texts = [
        ann.post("/generate/text", {"model": TEXT_MODEL, "prompt": prompt})
        for prompt in ("Name three rivers.", _LONG, _MARKDOWN)
    ]
    return {"text": texts[-1]["id"]}


def _images(ann: Person) -> dict[str, str]:
    made = [
        ann.post("/generate/image", {"model": IMAGE_MODEL, "prompt": prompt} | more)
        for prompt, more in (
            ("A fox in the snow", {}),
            (_LONG, {"aspect_ratio": "9:16"}),
            ("Four small boats", {"n": 4, "aspect_ratio": "16:9"}),
        )
    ]
    return {"image": made[0]["id"], "several": made[-1]["id"]}


def _videos(ann: Person) -> dict[str, str]:
    prompts: dict[str, tuple[str, dict[str, Any]]] = {
        "failed": ("A storm sim:fail=The_prompt_was_flagged_by_the_content_filter", {}),
        "unknown": ("A flood sim:reset", {}),
        "tall": ("\n\n".join([_LONG] * 6), {"aspect_ratio": "9:16"}),
        "completed": (_LONG, {"aspect_ratio": "16:9"}),
        "cancelled": ("A parade sim:forever", {}),
        "processing": ("A long voyage sim:forever", {"aspect_ratio": "16:9"}),
        "queued": ("A regatta sim:ratelimit=9999", {}),
    }
    ids = {name: ann.video(prompt, **more) for name, (prompt, more) in prompts.items()}
    for name in ("failed", "unknown", "tall", "completed"):
        ann.wait(ids[name])
    ann.post(f"/generate/video/{ids['cancelled']}/cancel")
    for name in ("processing", "queued"):
        path = f"/generate/video/{ids[name]}/status"
        until(lambda path=path, name=name: ann.get(path)["status"] == name, f"a {name} job")
    return ids


def _as(house: Process, who: Mapping[str, str], do: Callable[[Person], object]) -> None:
    person = Person.log_in(house.url, who["email"], who["password"])
    do(person)
    person.close()
