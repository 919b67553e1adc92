"""Jobs, workers and a provider whose every step is somebody else's decision; and who knows what."""

from collections.abc import Iterable
from decimal import Decimal

from aigen.adapters.local_events import LocalEvents
from aigen.adapters.memory.clock import ManualClock
from aigen.adapters.memory.journal import MemoryJournal
from aigen.adapters.memory.media import MemoryMedia
from aigen.adapters.memory.provider import MP4, ScriptedProvider
from aigen.adapters.memory.security import PlainEmails, PlainPasswords
from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.catalogue import Model, Price
from aigen.domain.model.errors import (
    InvalidRequest,
    JobFinished,
    JobNotRetryable,
    JobUnfinished,
    NotFound,
    NotUnknown,
    SpendLimitReached,
    TooManyJobs,
)
from aigen.domain.model.ledger import HOUSE, NEWCOMERS, Limits
from aigen.domain.model.media import FILMS, Picture
from aigen.domain.model.users import User
from aigen.domain.model.video_requests import VideoPolicy
from aigen.domain.model.videos import VideoError
from aigen.domain.services.accounts import Accounts
from aigen.domain.services.administration import Administration
from aigen.domain.services.background import Background
from aigen.domain.services.costs import Costs
from aigen.domain.services.files import Files
from aigen.domain.services.guesses import Guesses, LoginPolicy
from aigen.domain.services.inputs import store_picture
from aigen.domain.services.models import Models
from aigen.domain.services.money import HouseLimits, Money
from aigen.domain.services.submitter import Submitter
from aigen.domain.services.videos import Videos
from aigen.domain.services.work import Work, WorkPolicy
from aigen.ports.jobs import Claim, Film, LeaseLost, NoFilm
from aigen.ports.media import Accept
from aigen.ports.provider import (
    Accepted,
)
from aigen.ports.store import Records, Store
from tests.services.job_flow_terms import (
    DEADLINE,
    ENDS,
    ESTIMATE,
    HOUSE_CAP,
    JOBS_PER_USER,
    LEASE,
    USER_CAP,
    VERDICTS,
    Hand,
    Seen,
    Sent,
    tally_on,
)
from tests.services.worlds import PASSWORD, video_request


class JobFlow:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock, self.ids, self.media = ManualClock(), SystemIds(), MemoryMedia()
        self.provider = ScriptedProvider()
        events, files = LocalEvents(), Files(store, self.media)
        self.files = files
        self.work = Work(
            store,
            self.media,
            events,
            self.clock,
            self.ids,
            WorkPolicy(lease=LEASE, deadline=DEADLINE, callback_base="https://aigen.example"),
        )
        policy = VideoPolicy(deadline=DEADLINE, jobs_per_user=JOBS_PER_USER)
        price = Price(per="generate", usd=ESTIMATE)
        self.provider.offered = (Model(id=video_request().model, name="A", pricing=(price,)),)
        models = Models(self.provider, Background(), self.clock)
        self.money = Money(store, models, self.clock, self.ids)
        self.costs = Costs(store, self.provider, self.clock)
        self.videos = Videos(
            store, self.media, files, self.money, events, self.clock, self.ids, policy
        )
        self.accounts = Accounts(
            store,
            PlainPasswords(),
            PlainEmails(),
            files,
            events,
            self.clock,
            self.ids,
            Guesses(store, self.clock, LoginPolicy()),
        )
        self.admin = Administration(store, events, self.clock, self.ids, deadline=DEADLINE)
        self.sender = Submitter(self.work, self.provider, self.media, MemoryJournal(), self.clock)
        self.users: list[User] = []
        self.job_ids: dict[str, str] = {}  # with their owners
        self.charge_ids: dict[str, str] = {}  # the same, those that are gone too
        self.hands: list[Hand] = []
        self.sent: list[Sent] = []
        self.adopted_ids: dict[str, str] = {}
        self.contents: dict[str, bytes] = {}

    # --- owners -------------------------------------------------------------------------------

    async def add_user(self) -> None:
        email = f"user-{self.ids.new()}@example.org"
        user = await self.accounts.add(email, PASSWORD)
        await self.money.set_limits(Limits(owner=user.id, usd_day=USER_CAP))
        self.users.append(user)

    async def cap_the_house(self) -> None:
        await self.money.set_house_limits(
            HouseLimits(
                house=Limits(owner=HOUSE, usd_day=HOUSE_CAP), newcomers=Limits(owner=NEWCOMERS)
            )
        )

    async def submit(self, user: User) -> None:
        await self._enqueue(user.id, None)

    async def retry(self, video_id: str) -> None:
        await self._enqueue(self.job_ids[video_id], video_id)

    async def _enqueue(self, user_id: str, old_id: str | None) -> None:
        seen = await self.seen()
        before = len(seen.unfinished[user_id])
        held = [
            (HOUSE_CAP, tally_on(seen.tallies[HOUSE], self.clock.now())),
            (USER_CAP, tally_on(seen.tallies[user_id], self.clock.now())),
        ]
        suffices = all(spent + ESTIMATE <= cap for cap, spent in held)
        try:
            if old_id is None:
                job = await self.videos.submit(user_id, video_request())
            else:
                job = (await self.videos.retry(user_id, old_id)).value
                assert job.retry_of == old_id
        except TooManyJobs:
            assert before >= JOBS_PER_USER
        except SpendLimitReached:
            assert not suffices
        except (NotFound, JobNotRetryable):
            pass
        else:
            assert before < JOBS_PER_USER
            assert suffices
            self.job_ids[job.id] = self.charge_ids[job.id] = user_id

    async def cancel(self, video_id: str) -> None:
        try:
            job = await self.videos.cancel(self.job_ids[video_id], video_id)
        except (NotFound, JobFinished):
            return
        assert job.may_be_charged is (job.nonce is not None)

    async def remove(self, video_id: str) -> None:
        try:
            await self.videos.remove(self.job_ids[video_id], video_id)
        except (NotFound, JobUnfinished):
            return
        del self.job_ids[video_id]

    async def remove_user(self, user: User) -> None:
        await self.accounts.remove(user.id)
        self.users.remove(user)
        self.job_ids = {job: owner for job, owner in self.job_ids.items() if owner != user.id}

    # --- workers ------------------------------------------------------------------------------

    async def begin(self) -> Hand:
        hand = Hand(self.ids.new())
        await self.work.enlist(hand.id, is_inside=False)
        self.hands.append(hand)
        return hand

    async def claim(self, hand: Hand, submissions: int) -> None:
        try:
            claims = await self.work.claim(hand.id, submissions=submissions)
        except LeaseLost:
            await self._start_over(hand)
            return
        assert sum(claim.nonce is not None for claim in claims) <= submissions
        self._take_up(hand, claims)

    async def claim_unheard(self, hand: Hand, submissions: int) -> None:
        """The claim is made, and its answer lost."""
        try:
            await self.work.claim(hand.id, submissions=submissions)
        except LeaseLost:
            await self._start_over(hand)

    async def recall(self, hand: Hand) -> None:
        holding = {
            *hand.polled,
            *(claim.video_id for claim in hand.unsent),
            *(sent.claim.video_id for sent in self.unanswered() if sent.hand is hand),
        }
        forgotten = await self.work.recall(hand.id, holding=holding)
        assert not holding & {claim.video_id for claim in forgotten}
        self._take_up(hand, forgotten)

    @staticmethod
    def _take_up(hand: Hand, claims: Iterable[Claim]) -> None:
        for claim in claims:
            if claim.nonce is None:
                hand.polled[claim.video_id] = claim
            else:
                hand.unsent.append(claim)

    async def renew(self, hand: Hand) -> None:
        try:
            await self.work.renew(hand.id, trouble=None)
        except LeaseLost:
            await self._start_over(hand)

    async def _start_over(self, hand: Hand) -> None:
        """As a worker does: what it has claimed is sent all the same, what it polled forgotten."""
        hand.polled.clear()
        hand.id = self.ids.new()
        await self.work.enlist(hand.id, is_inside=False)

    async def release(self, hand: Hand) -> None:
        """A worker stops when it has heard out what it has sent."""
        if not hand.unsent and not any(sent.hand is hand for sent in self.unanswered()):
            await self.work.release(hand.id)
            self.hands.remove(hand)

    async def send(self, hand: Hand, verdict: str) -> None:
        """The one request that a claim allows."""
        claim = hand.unsent.pop(0)
        outcome, is_taken = VERDICTS[verdict]
        real_id = f"provider-{len(self.sent)}" if is_taken else None
        outcome = outcome or Accepted(provider_job_id=real_id or "")
        self.provider.submits.add(outcome)
        assert await self.sender.send(claim) == outcome
        self.sent.append(Sent(hand=hand, claim=claim, outcome=outcome, real_id=real_id))

    async def answer(self, sent: Sent) -> None:
        """The answer is written down; perhaps late, perhaps once more."""
        claim = sent.claim
        polled = await self.work.record(claim.video_id, claim.nonce or "", sent.outcome)
        sent.is_answered = True
        if polled is not None:
            sent.hand.polled[claim.video_id] = polled

    async def call_back(self, sent: Sent) -> None:
        """The provider speaks of a job that it has."""
        if sent.real_id is None:
            return
        claim = sent.claim
        try:
            await self.work.must_expect(claim.video_id, claim.nonce or "", sent.real_id)
        except NotFound:
            return
        await self.work.called_back(claim.video_id, claim.nonce or "", sent.real_id)

    async def finish(self, hand: Hand, video_id: str, end: str) -> None:
        """The end of a job, by a worker that believes that it holds it."""
        claim = hand.polled.pop(video_id)
        holder = (await self.seen()).jobs.get(video_id)
        with_film, cost_usd = ENDS[end]
        result = await self._film(claim, cost_usd) if with_film else _no_film(cost_usd)
        is_taken = await self.work.finish(video_id, claim.epoch, result)
        if is_taken:
            assert holder is not None
            assert holder.is_terminal or holder.worker_id == hand.id

    async def _film(self, claim: Claim, cost_usd: Decimal | None) -> Film:
        content = MP4 + f"{claim.video_id} {claim.epoch} {len(self.contents)}".encode()
        accept = Accept(types=FILMS, size=10_000)
        name = f"video-{claim.epoch}"
        picture = Picture(content=content)
        stored = await store_picture(self.media, picture, claim.folder, name, accept)
        self.contents[stored.sha256] = content
        return Film(media=stored, cost_usd=cost_usd, generation_ids=_ids_for(cost_usd))

    # --- administrators -----------------------------------------------------------------------

    async def adopt(self, video_id: str, provider_job_id: str) -> None:
        owners = (await self.seen()).owners
        try:
            await self.admin.adopt(video_id, provider_job_id)
        except (NotFound, NotUnknown):
            return
        except InvalidRequest:
            assert provider_job_id in owners
            return
        assert provider_job_id not in owners
        self.adopted_ids[video_id] = provider_job_id

    async def close(self, video_id: str, *, was_charged: bool) -> None:
        try:
            await self.admin.close(video_id, was_charged=was_charged)
        except (NotFound, NotUnknown):
            return

    # --- what can be seen ---------------------------------------------------------------------

    def unanswered(self) -> list[Sent]:
        return [sent for sent in self.sent if not sent.is_answered]

    def has_proof(self, video_id: str) -> bool:
        """Whether somebody knows that the provider has the job."""
        return video_id in self.adopted_ids or any(
            sent.claim.video_id == video_id and sent.real_id is not None for sent in self.sent
        )

    async def seen(self) -> Seen:
        ids = [sent.real_id for sent in self.sent] + list(self.adopted_ids.values())

        def look(records: Records) -> Seen:
            found = {video_id: records.videos.get(video_id) for video_id in self.job_ids}
            owners = {real_id: records.provider_jobs.get(real_id) for real_id in ids if real_id}
            return Seen(
                jobs={video_id: job for video_id, job in found.items() if job is not None},
                unfinished={
                    user.id: {job.id for job in records.videos.unfinished_of(user.id)}
                    for user in self.users
                },
                leases={lease.worker_id: lease.expires_at for lease in records.workers.all()},
                owners={real_id: owner.video_id for real_id, owner in owners.items() if owner},
                charges={
                    charge_id: charge
                    for charge_id in self.charge_ids
                    if (charge := records.charges.get(charge_id))
                },
                tallies={
                    owner: records.tallies.get(owner)
                    for owner in (HOUSE, *(user.id for user in self.users))
                },
            )

        return await self.store.read(look)


def _no_film(cost_usd: Decimal | None) -> NoFilm:
    return NoFilm(
        code=VideoError.PROVIDER_FAILED,
        reason="it broke",
        cost_usd=cost_usd,
        generation_ids=_ids_for(cost_usd),
    )


def _ids_for(cost_usd: Decimal | None) -> tuple[str, ...]:
    """What the cost may be found under, where it was not told."""
    return ("gen-film",) if cost_usd is None else ()
