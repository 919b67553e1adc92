"""Whatever the OpenAPI document allows, and whatever it forbids, sent to a real installation.

Each route gets fifteen requests, with `--long` a thousand, which are others each time.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import CheckFunction
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
)

from tests.e2e.processes import ADMIN, TEXT_MODEL, VIDEO_MODEL, Person, Process, api

IMAGE_MODEL = "black-forest-labs/flux.2-pro"
_MODELS = {"text": TEXT_MODEL, "image": IMAGE_MODEL, "video": VIDEO_MODEL, "quote": TEXT_MODEL}
_NO_LIMITS = {"usd_day": None, "usd_month": None}


@pytest.fixture
def house(provider: Process, tmp_path: Path) -> Iterator[Process]:
    """An installation in which nothing is switched off and nobody has to wait."""
    process = api(
        tmp_path,
        provider.url,
        AIGEN_REGISTRATION="open",
        AIGEN_METRICS="on",
        AIGEN_JOBS_PER_USER="1000000",
        AIGEN_LOGIN_FAILURES="1000000",
        AIGEN_LOGIN_FAILURES_PER_ADDRESS="1000000",
        AIGEN_LOG_FORMAT="json",
    )
    process.start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def root(house: Process) -> Iterator[Person]:
    person = Person.log_in(house.url, **ADMIN)
    yield person
    person.close()


def objects(root: Person) -> dict[str, str]:
    """One of everything that stands in addresses, made anew."""
    root.put("/admin/limits", _NO_LIMITS)  # which somebody may have set to nothing
    for key in root.get("/keys")["items"]:
        root.delete(f"/keys/{key['id']}")
    text = root.post("/generate/text", {"model": TEXT_MODEL, "prompt": "p"})
    image = root.post("/generate/image", {"model": IMAGE_MODEL, "prompt": "p"})
    email = f"{text['id']}@example.org"
    user = root.post("/users", {"email": email, "password": "a long pass phrase"}, 201)
    return {
        "text_id": text["id"],
        "image_id": image["id"],
        "video_id": root.video("A fox sim:fail=no"),
        "user_id": user["id"],
        "key_id": root.post("/keys", {"name": "k"}, 201)["id"],
    }


def cases(
    operation: schemathesis.APIOperation[Any, Any, Any, Any], known: dict[str, str]
) -> st.SearchStrategy[schemathesis.Case[Any]]:
    """Requests that break the rules, that keep them, and that are so plausible besides that they
    get to where something happens."""
    lawful = operation.as_strategy(schemathesis.GenerationMode.POSITIVE)
    lawless = operation.as_strategy(schemathesis.GenerationMode.NEGATIVE)
    return st.one_of(lawless, lawful, lawful.map(lambda case: plausible(case, known)))


def plausible(case: schemathesis.Case[Any], known: dict[str, str]) -> schemathesis.Case[Any]:
    """It with ids of objects that there are, and a model that the provider has."""
    for name in case.path_parameters or {}:
        case.path_parameters[name] = known.get(name, case.path_parameters[name])
    _, _, kind, *_ = [*case.path.split("/"), "", ""]
    if isinstance(case.body, dict) and isinstance(case.body.get("model"), str):
        case.body["model"] = _MODELS.get(kind, TEXT_MODEL)
    return case


def attack(
    operation: schemathesis.APIOperation[Any, Any, Any, Any], root: Person, *, is_long: bool
) -> list[int]:
    """Send many requests to one route; the statuses that they got. Fails at an answer that the
    document does not know, or not in this form: that is every 5xx, too."""
    known = objects(root)
    authorization = {"Authorization": root.client.headers["Authorization"]}
    statuses = []

    @settings(
        max_examples=1000 if is_long else 15,
        derandomize=not is_long,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(operation, known))
    def send(case: schemathesis.Case[Any]) -> None:
        answer = case.call(base_url=str(root.client.base_url), headers=authorization, timeout=30)
        statuses.append(answer.status_code)
        # Rules beyond the schema are real: passwords, pictures, models that there are not.
        excluded: list[CheckFunction] = [positive_data_acceptance]
        if answer.headers.get("content-type", [""])[0].startswith("text/event-stream"):
            excluded.append(response_schema_conformance)  # it would take the whole for an event
        if case.method == "GET":
            excluded.append(negative_data_rejection)  # of what a query says twice, the last counts
        case.validate_response(answer, excluded_checks=excluded)

    send()
    return statuses


def test_no_request_breaks_anything(
    house: Process, root: Person, request: pytest.FixtureRequest, subtests: pytest.Subtests
) -> None:
    schema = schemathesis.openapi.from_dict(root.get("/openapi.json"))
    # What a query says beyond what a route reads is passed over, as HTTP has it.
    schema.config.generation.update(allow_extra_parameters=False)
    statuses: Counter[int] = Counter()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        with subtests.test(operation=operation.label):
            statuses.update(attack(operation, root, is_long=request.config.getoption("--long")))
    print(f"\n{statuses.total()} requests fuzzed: {dict(statuses)}")
    assert statuses.keys() >= {200, 201, 202, 204, 404, 422}, "many got nowhere"
    assert "Traceback" not in house.output()
    assert "request_failed" not in house.output()
    operator = Path(house.env["AIGEN_DATA_DIR"]) / "operator-token"
    root.client.headers["Authorization"] = f"Bearer {operator.read_text().strip()}"
    assert root.post("/maintenance/check")["problems"] == []
