"""The way of every POST that generates something: keywords, money, acceptance, answer."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from decimal import Decimal

from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response

from aigen.adapters.openrouter.simulator.connections import Reset, Silence
from aigen.adapters.openrouter.simulator.errors import ApiError, invalid
from aigen.adapters.openrouter.simulator.faults import garbage, refusal
from aigen.adapters.openrouter.simulator.ledger import usd
from aigen.adapters.openrouter.simulator.scripts import BadKeyword, Script
from aigen.adapters.openrouter.simulator.state import State, entry_number

_MOST_PROMPTS_COUNTED = 10_000


@frozen(kw_only=True)
class Work:
    """A valid request: what it costs, what accepting it does, and its answer."""

    kind: str
    model: str
    prompt: str
    cost: Decimal
    accept: Callable[[Script], str | None]
    """Take the work; returns the id of the job, if it becomes one."""
    answer: Callable[[Script], Awaitable[Response]]
    success_status: int = 200


class Intake:
    def __init__(self, state: State) -> None:
        self._state = state
        self._times: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def take(self, request: Request, work: Work) -> Response:
        state, number = self._state, entry_number(request.scope)
        state.journal.describe(number, model=work.model, prompt=work.prompt)
        script = self._script(request, work)
        refused = refusal(
            script,
            prompt=work.prompt,
            model=work.model,
            path=request.url.path,
            now=state.clock(),
        )
        if script.has("charged") or not (refused or script.has("empty")):
            state.ledger.check(work.cost, state.options)
            state.journal.accept(
                number, kind=work.kind, cost_usd=usd(work.cost), job_id=work.accept(script)
            )
        await state.sleep(script.seconds("delay"))
        if isinstance(refused, ApiError):
            raise refused
        return refused or await _answer(work, script)

    def _script(self, request: Request, work: Work) -> Script:
        try:
            script = Script.read(work.prompt).on(work.kind)
        except BadKeyword as error:
            raise invalid(str(error)) from error
        if script.has("times") and self._count(work) > script.count("times"):
            script = script.afterwards()
        if "redirected" in request.query_params:
            script = script.without("redirect")
        return script

    def _count(self, work: Work) -> int:
        """How often this prompt has come by now."""
        key = (work.kind, work.prompt)
        count = self._times[key] = self._times.pop(key, 0) + 1
        while len(self._times) > _MOST_PROMPTS_COUNTED:
            self._times.popitem(last=False)
        return count


async def _answer(work: Work, script: Script) -> Response:
    if script.has("reset"):
        return Reset()
    if script.has("hang"):
        return Silence()
    if script.has("garbage"):
        return garbage(work.success_status)
    return await work.answer(script)
