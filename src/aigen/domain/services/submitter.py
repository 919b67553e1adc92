"""Handing one job to the provider, and making sure that the answer is not forgotten."""

import logging

from aigen.domain.model.errors import AigenError, NotFound
from aigen.domain.services.inputs import give_out
from aigen.domain.services.patience import NOT_NOW, until_taken
from aigen.ports.clock import Clock
from aigen.ports.jobs import Answer, Claim, JobBoard, Journal
from aigen.ports.media import MediaFiles
from aigen.ports.provider import (
    Accepted,
    NotSent,
    Refused,
    SubmitOutcome,
    Unknown,
    VideoProvider,
    VideoSubmission,
)

logger = logging.getLogger(__name__)


class Submitter:
    def __init__(
        self,
        board: JobBoard,
        provider: VideoProvider,
        media: MediaFiles,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._board = board
        self._provider = provider
        self._media = media
        self._journal = journal
        self._clock = clock

    async def send(self, claim: Claim) -> SubmitOutcome:
        """Send it, at most once; whatever happens is an outcome."""
        try:
            submission = VideoSubmission(
                model=claim.model,
                prompt=claim.prompt,
                aspect_ratio=claim.aspect_ratio,
                resolution=claim.resolution,
                duration=claim.duration,
                generate_audio=claim.generate_audio,
                seed=claim.seed,
                first_frame=await give_out(self._media, claim.first_frame),
                last_frame=await give_out(self._media, claim.last_frame),
                callback_url=claim.callback_url,
            )
        except NotFound:
            return Refused(reason="the picture to begin or end with has been deleted")
        except (AigenError, OSError) as error:
            return NotSent(reason=f"the picture to begin with could not be read: {error}")
        try:
            return await self._provider.submit(submission)
        except Exception:
            logger.exception("submitting failed in a way that should not be possible")
            return Unknown(reason="the worker failed while it was sending")

    async def record(self, claim: Claim, outcome: SubmitOutcome) -> Claim | None:
        """Write the answer down; an acceptance that the board does not take goes to the journal."""
        nonce = claim.nonce or ""
        answer = _answer(claim, outcome) if isinstance(outcome, Accepted) else None
        try:
            return await self._board.record(claim.video_id, nonce, outcome)
        except Exception as error:
            if answer is not None:
                await self._keep(answer)
            if not isinstance(error, NOT_NOW):
                raise
        if answer is not None:
            return await self._deliver(answer)
        return await until_taken(
            self._clock, lambda: self._board.record(claim.video_id, nonce, outcome)
        )

    async def replay_journal(self) -> None:
        """Record what a process before this one could not; claims take the jobs up from there."""
        try:
            for answer in await self._journal.kept():
                await self._deliver(answer)
        except Exception:
            # What is left waits for the next start; new jobs need not.
            logger.exception("the journal could not be replayed")

    async def _keep(self, answer: Answer) -> None:
        try:
            await self._journal.keep(answer)
        except OSError:
            # Nowhere to write it but memory: it is lost only if the process dies now as well.
            logger.exception("an acceptance could not be written to the journal")

    async def _deliver(self, answer: Answer) -> Claim | None:
        outcome = Accepted(provider_job_id=answer.provider_job_id, polling_url=answer.polling_url)
        claim = await until_taken(
            self._clock, lambda: self._board.record(answer.video_id, answer.nonce, outcome)
        )
        try:
            await self._journal.discard(answer)
        except OSError:
            # Replaying it once more changes nothing.
            logger.exception("an acceptance could not be taken out of the journal")
        return claim


def _answer(claim: Claim, accepted: Accepted) -> Answer:
    return Answer(
        video_id=claim.video_id,
        nonce=claim.nonce or "",
        provider_job_id=accepted.provider_job_id,
        polling_url=accepted.polling_url,
    )
