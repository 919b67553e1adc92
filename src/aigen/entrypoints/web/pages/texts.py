"""Texts: written as one watches, in several turns, and kept."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from attrs import asdict, evolve, frozen
from flask import (
    Blueprint,
    Response,
    flash,
    get_template_attribute,
    jsonify,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue

from aigen.adapters.http.client import ApiRefused, ApiUnreachable, EventStream
from aigen.entrypoints.web.backend import backend
from aigen.entrypoints.web.errors import Refusal, answers_json
from aigen.entrypoints.web.forms import filled, ids, key_after, new_key
from aigen.entrypoints.web.generating import generate, key_header
from aigen.entrypoints.web.markdown import GrowingText
from aigen.entrypoints.web.quotes import quote
from aigen.entrypoints.web.signed_in import api

texts = Blueprint("texts", __name__)

_CUT = "The connection broke before the text was complete. Look for it among your texts."


@frozen(kw_only=True)
class Draft:
    """What stands in the form: the next prompt, and the ids of the texts that came before it."""

    model: str = ""
    prompt: str = ""
    system: str = ""
    turns: tuple[str, ...] = ()
    idempotency_key: str

    @classmethod
    def sent(cls) -> "Draft":
        return cls(
            **filled("model", "prompt", "system"),
            turns=ids("turn"),
            idempotency_key=request.form.get("idempotency_key", ""),
        )

    def followed_by(self, text_id: str) -> "Draft":
        return evolve(self, prompt="", turns=(*self.turns, text_id), idempotency_key=new_key())

    def body(self) -> dict[str, Any]:
        """As the API wants it."""
        body: dict[str, Any] = {"model": self.model, "prompt": self.prompt}
        if self.system:
            body["system"] = self.system
        if self.turns:
            body["messages"] = [
                {"role": role, "content": content}
                for text in _texts(self.turns)
                for role, content in (("user", text["prompt"]), ("assistant", text["text"]))
                if content
            ]
        return body


@texts.get("/text")
def show() -> ResponseReturnValue:
    """`?turn=` continues from texts, `?reuse=` begins anew with the prompt of one."""
    reused = _texts(ids("reuse")[:1])
    draft = Draft(
        model=reused[0]["model"] if reused else request.args.get("model", ""),
        prompt=reused[0]["prompt"] if reused else request.args.get("prompt", ""),
        turns=ids("turn"),
        idempotency_key=new_key(),
    )
    return _page(draft)


@texts.post("/text")
def write() -> ResponseReturnValue:
    """One plain post, for browsers without JavaScript: the page with the text, once it is
    written. A reload sends the same key and so buys nothing."""
    draft = Draft.sent()
    try:
        made = generate("/generate/text", draft.body())
    except ApiRefused as error:
        refusal = Refusal.of(error)
        draft = evolve(draft, idempotency_key=key_after(error.problem))
        return _page(draft, refusal), refusal.status
    return _page(draft.followed_by(made["id"]))


@texts.post("/text/stream")
@answers_json
def stream() -> ResponseReturnValue:
    """The same as events: `answer` as the text grows, then `done` with the whole turn as HTML and
    the key for the next one, or `error`."""
    body = Draft.sent().body() | {"stream": True}
    events = api().stream("/generate/text", body=body, headers=key_header())
    response = Response(
        stream_with_context(_events(events)),
        content_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )
    response.call_on_close(events.close)
    return response


@texts.post("/text/price")
@answers_json
def price() -> ResponseReturnValue:
    """What the form as it stands would cost."""
    body = Draft.sent().body()
    return jsonify(asdict(quote("text", body | {"prompt": body["prompt"] or "-"})))


@texts.post("/text/<uuid:text_id>/delete")
def delete(text_id: UUID) -> ResponseReturnValue:
    api().ask("DELETE", f"/generate/text/{text_id}")
    flash("The text has been deleted.", "success")
    return redirect(url_for("texts.show"))


def _page(draft: Draft, refusal: Refusal | None = None) -> str:
    query = {name: request.args[name] for name in ("q", "cursor") if request.args.get(name)}
    history = api().ask("GET", f"/generate/text?{urlencode(query)}")
    offer = backend().catalogue.offer("text", api().ask)
    turns = _texts(draft.turns, history["items"])
    used = [text["model"] for text in (*reversed(turns), *history["items"])]
    model = offer.preferred(draft.model, *used[:1])
    return render_template(
        "texts/page.html",
        draft=draft,
        refusal=refusal,
        turns=turns,
        offer=offer,
        model=model,
        history=history["items"],
        older=history["next_cursor"] and {**query, "cursor": history["next_cursor"]},
        query=query,
    )


def _texts(wanted: tuple[str, ...], at_hand: list[dict[str, Any]] | None = None) -> list[Any]:
    """The texts with these ids, as far as they are still there."""
    known = {text["id"]: text for text in at_hand or ()}
    found = []
    for text_id in wanted:
        try:
            found.append(known.get(text_id) or api().ask("GET", f"/generate/text/{text_id}"))
        except ApiRefused as error:
            if error.problem != "not_found":
                raise
    return found


def _events(events: EventStream) -> Iterator[str]:
    growing = GrowingText()
    try:
        for event in events:
            match event:
                case None:
                    yield ": still there\n\n"
                case "delta", piece:
                    growing.add(piece["text"])
                    if growing.is_due:
                        yield _event("answer", growing.shown())
                case "done", text:
                    yield _event("done", _finished(text))
                case "error", problem:
                    again = {"idempotency_key": key_after(problem["code"])}
                    yield _event("error", {"detail": problem["detail"]} | again)
    except ApiUnreachable:
        yield _event("error", {"detail": _CUT, "idempotency_key": new_key()})


def _finished(text: dict[str, Any]) -> dict[str, str]:
    return {
        "id": text["id"],
        "turn": get_template_attribute("texts/parts.html", "turn")(text),
        "entry": get_template_attribute("texts/parts.html", "entry")(text),
        "idempotency_key": new_key(),
    }


def _event(name: str, data: dict[str, str]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
