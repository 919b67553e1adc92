"""What must be true when a crowd has been served: of its wishes, our books and the provider's."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

from attrs import define

from aigen.domain.model.images import Image
from aigen.domain.model.ledger import Charge, Kind
from aigen.domain.model.texts import Text
from aigen.domain.model.videos import VideoError, VideoJob
from tests.e2e.crowds import FATES_OF, Crowd, Wish
from tests.faults.books import Books, could_be_bought, total
from tests.faults.test_kill_loop import UNKNOWN


@define(kw_only=True, slots=False)
class Audit:
    """`journal` is the provider's, `files` are digests by key. Of videos nobody knows not what
    came of them any more: an administrator has settled them."""

    books: Books
    crowd: Crowd
    journal: Sequence[Mapping[str, Any]]
    files: Mapping[str, str]

    def must_be_passed(self) -> None:
        self.promises_must_be_kept()
        self.nothing_may_be_bought_twice()
        self.videos_must_have_ended()
        self.files_must_be_whole()
        self.money_must_agree()

    def promises_must_be_kept(self) -> None:
        """Whoever was answered has what they were told of, and nobody has another video."""
        given = self.crowd.given
        assert {prompt: self._made[prompt].id for prompt in given} == given
        assert set(self._videos) <= set(given)

    def nothing_may_be_bought_twice(self) -> None:
        bought = Counter(
            entry["prompt"]
            for entry in self.journal
            if entry["prompt"] in self.crowd.wishes and could_be_bought(entry)
        )
        assert max(bought.values()) == 1, bought.most_common(3)

    def videos_must_have_ended(self) -> None:
        """As the provider would have it, or never sent."""
        for prompt, job in self._videos.items():
            wish = self.crowd.wishes[prompt]
            assert job.is_terminal, job
            assert job.error_code in self._legal_ends(wish), (wish, job)

    def _legal_ends(self, wish: Wish) -> set[Any]:
        usual = FATES_OF["video"][wish.fate][1] - {UNKNOWN} or {None}
        if wish.prompt in self._bill:
            return usual
        # Perhaps it was refused, and nobody was left to hear it.
        return {VideoError.SUBMISSION_SETTLED} | (usual & {VideoError.PROVIDER_REFUSED})

    def files_must_be_whole(self) -> None:
        films = {key: value for key, value in self.files.items() if key.endswith(".mp4")}
        others = {key: value for key, value in self.files.items() if key not in films}
        self.books.must_have_these_films(films)
        self.books.must_have_these_pictures(others)

    def money_must_agree(self) -> None:
        """What was charged is what the provider charges. Open is only what is in doubt, since
        whoever asked for it has died."""
        self.books.must_balance()
        closed = [charge for charge in self._charges if not charge.is_open]
        # Of what has failed without a word about its cost the provider is asked once more.
        in_doubt = [
            charge for charge in self._charges if charge.is_open and not charge.is_free_unless_found
        ]
        prompts = {made.id: prompt for prompt, made in self._made.items()}
        for charge in closed:
            assert charge.cost_usd == self._bill.get(prompts[charge.id], 0), charge
        for charge in in_doubt:
            assert charge.kind is not Kind.VIDEO, charge
            assert prompts.get(charge.id) not in self.crowd.given, charge
        assert len(in_doubt) <= len(self.crowd.in_doubt)
        unanswered = set(self._bill) - {prompts[charge.id] for charge in closed}
        doubtful = total(self._bill[prompt] for prompt in unanswered)
        assert total(charge.cost_usd for charge in closed) + doubtful == total(self._bill.values())

    # --- what there is ------------------------------------------------------------------------

    @cached_property
    def _videos(self) -> dict[str, VideoJob]:
        """The crowd's, by prompt."""
        jobs = self.books.jobs.values()
        return {job.prompt: job for job in jobs if job.prompt in self.crowd.wishes}

    @cached_property
    def _made(self) -> dict[str, VideoJob | Image | Text]:
        """All that was made for the crowd, by prompt."""
        others: list[Image | Text] = [*self.books.images.values(), *self.books.texts.values()]
        theirs = {made.prompt: made for made in others if made.prompt in self.crowd.wishes}
        return {**self._videos, **theirs}

    @cached_property
    def _charges(self) -> list[Charge]:
        users = {made.user_id for made in self._made.values()}
        return [charge for charge in self.books.charges.values() if charge.user_id in users]

    @cached_property
    def _bill(self) -> dict[str, Decimal]:
        """What the provider charges for each prompt that it has taken."""
        return {
            entry["prompt"]: Decimal(0 if "sim:fail" in entry["prompt"] else str(entry["cost_usd"]))
            for entry in self.journal
            if entry["prompt"] in self.crowd.wishes and entry["accepted"]
        }
