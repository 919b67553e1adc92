"""The text page, with and without scripts."""

import json
from typing import Any

import httpx

from tests.e2e.processes import TEXT_MODEL, Person, Process
from tests.web.browsing import Browser, Page

_PROBE = "<script>alert(1)</script><img src=x onerror=alert(2)>[x](javascript:alert(3))"


def events(page: Page) -> list[tuple[str, Any]]:
    assert page.response.mimetype == "text/event-stream"
    found = []
    for block in page.html.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def calls(provider: Process, words: str) -> int:
    """How often the provider was asked for a text with these words."""
    journal = httpx.get(f"{provider.url}/simulator/journal", trust_env=False).json()["entries"]
    return sum(words in (entry["prompt"] or "") for entry in journal)


def test_the_form_offers_models_with_their_prices(ann: Browser) -> None:
    page = ann.open("/text")
    assert page.form("/text").fields["model"] == TEXT_MODEL
    assert "GPT-4o-mini · $0.15 in, $0.60 out per million tokens" in page.text
    assert "Llama 3.3 70B Instruct (free) · free" in page.text


def test_one_plain_post_makes_a_text(ann: Browser) -> None:
    page = ann.open("/text").form("/text").send(prompt="Say hello\r\nin two lines")
    assert page.status == 200
    assert "simulated openai/gpt-4o-mini" in page.text
    assert page.form("/text").fields["prompt"] == ""


def test_the_conversation_goes_on_from_turn_to_turn(ann: Browser) -> None:
    page = ann.open("/text").form("/text").send(prompt="First things", system="Be brief")
    page = page.form("/text").send(prompt="Second things")
    assert page.form("/text").fields["system"] == "Be brief"
    assert "First things" in page.text
    assert "my answer number 2 in our conversation" in page.text
    first, second = page.form("/text").fields["turn"]
    again = ann.open(f"/text?turn={first}&turn={second}")
    assert "my answer number 2 in our conversation" in again.text


def test_a_form_that_is_sent_twice_buys_once(ann: Browser, provider: Process) -> None:
    form = ann.open("/text").form("/text")
    pages = [form.send(prompt="Only once, please") for _ in range(2)]
    turns = {page.form("/text").fields["turn"][0] for page in pages}
    assert (len(turns), calls(provider, "Only once, please")) == (1, 1)


def test_a_refusal_is_said_and_what_was_written_stays(ann: Browser) -> None:
    form = ann.open("/text").form("/text")
    page = form.send(prompt="Something bad sim:refuse", system="Be careful")
    assert page.status == 422
    kept = page.form("/text").fields
    assert (kept["prompt"], kept["system"]) == ("Something bad sim:refuse", "Be careful")
    assert kept["idempotency_key"] == form.fields["idempotency_key"]
    assert page.form("/text").send(prompt="Something good").status == 200


def test_after_an_unknown_outcome_sending_again_is_a_new_request(ann: Browser) -> None:
    form = ann.open("/text").form("/text")
    page = form.send(prompt="Lost on the way sim:reset")
    assert page.status == 504
    assert "may have been charged" in page.text
    assert page.form("/text").fields["idempotency_key"] != form.fields["idempotency_key"]


def test_another_prompt_under_a_used_key_gets_a_new_one(ann: Browser) -> None:
    form = ann.open("/text").form("/text")
    form.send(prompt="One thing")
    page = form.send(prompt="Another thing")
    assert page.status == 409
    assert page.form("/text").send().status == 200


def test_a_text_is_streamed_as_html_and_ends_with_the_whole_turn(ann: Browser) -> None:
    form = ann.open("/text").form("/text")
    found = events(ann.post("/text/stream", form.fields | {"prompt": "Write **slowly**"}))
    assert [name for name, _ in found[-1:]] == ["done"]
    assert {name for name, _ in found[:-1]} == {"answer"}
    done = found[-1][1]
    assert "<strong>slowly</strong>" in done["turn"]
    assert done["id"] in ann.open(f"/text?turn={done['id']}").html
    assert done["idempotency_key"] != form.fields["idempotency_key"]
    assert "Write **slowly**" in done["entry"]


def test_what_breaks_in_the_middle_ends_with_an_error(ann: Browser) -> None:
    form = ann.open("/text").form("/text")
    found = events(ann.post("/text/stream", form.fields | {"prompt": "Break sim:midstream"}))
    name, problem = found[-1]
    assert name == "error"
    assert problem["detail"]
    assert problem["idempotency_key"]


def test_a_refusal_before_the_first_word_is_a_problem(ann: Browser) -> None:
    form = ann.open("/text").form("/text")
    answer = ann.post("/text/stream", form.fields | {"prompt": "Bad sim:refuse"}).response
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")


def test_ones_texts_can_be_searched_reused_continued_and_deleted(ann: Browser) -> None:
    page = ann.open("/text").form("/text").send(prompt="A zebra crosses the road")
    text_id = page.form("/text").fields["turn"][0]
    assert "A zebra crosses the road" in ann.open("/text?q=zebra").text
    assert "No prompt of yours has these words" in ann.open("/text?q=giraffe").text
    reused = ann.open(f"/text?reuse={text_id}").form("/text").fields
    assert (reused["prompt"], "turn" in reused) == ("A zebra crosses the road", False)
    page = ann.open("/text?q=zebra").form(f"/text/{text_id}/delete").send()
    assert "The text has been deleted." in page.text
    assert "No prompt of yours has these words" in ann.open("/text?q=zebra").text
    assert ann.open(f"/text?turn={text_id}").status == 200


def test_older_texts_are_a_page_away(ann: Browser, ann_at_api: Person) -> None:
    for number in range(21):
        body = {"model": TEXT_MODEL, "prompt": f"Number {number} of many"}
        ann_at_api.post("/generate/text", body)
    page = ann.open("/text?q=of+many")
    assert "Number 0 of many" not in page.text
    older = page.html.partition('href="/text?q=of+many&amp;cursor=')[2].partition('"')[0]
    assert "Number 0 of many" in ann.open(f"/text?q=of+many&cursor={older}").text


def test_somebody_elses_texts_are_as_if_there_were_none(ann: Browser, admin: Browser) -> None:
    page = admin.open("/text").form("/text").send(prompt="The administrator's own")
    text_id = page.form("/text").fields["turn"][0]
    assert "administrator's own" not in ann.open(f"/text?turn={text_id}&reuse={text_id}").text
    form = ann.open("/").form("/logout")
    assert ann.post(f"/text/{text_id}/delete", form.fields).status == 404
    for odd in ("..", "x", "../../users/me", ""):
        assert ann.open(f"/text?turn={odd}&reuse={odd}").status == 200


def test_scripts_in_prompts_and_texts_are_inert(ann: Browser) -> None:
    page = ann.open("/text").form("/text").send(prompt=_PROBE, system=_PROBE)
    again = ann.open("/text?q=%3Cscript%3Ealert")
    form = ann.open("/text").form("/text")
    streamed = events(ann.post("/text/stream", form.fields | {"prompt": _PROBE}))
    shown = [page.html, again.html, ann.open("/").html]
    shown += [part for _, data in streamed for part in data.values()]
    for html in shown:
        assert "<script>" not in html
        assert "<img src=x" not in html
        assert 'href="javascript:' not in html
    assert "alert(1)" in page.text
