"""Handing one job to the provider, and making sure that the answer is not forgotten."""

import logging

from aigen.domain.model.errors import AigenError, Busy, DatabaseUnavailable, NotFound
from aigen.domain.services.inputs import give_out
from aigen.domain.services.patience import until_taken
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
        """Write the answer down; an acceptance goes to the journal while the board is away."""
        nonce = claim.nonce or ""
        try:
            return await self._board.record(claim.video_id, nonce, outcome)
        except (DatabaseUnavailable, Busy):
            pass
        if isinstance(outcome, Accepted):
            answer = Answer(
                video_id=claim.video_id,
                nonce=nonce,
                provider_job_id=outcome.provider_job_id,
                polling_url=outcome.polling_url,
            )
            await self._keep(answer)
            return await self._deliver(answer)
        return await until_taken(
            self._clock, lambda: self._board.record(claim.video_id, nonce, outcome)
        )

    async def replay_journal(self) -> None:
        """Record what a process before this one could not; claims take the jobs up from there."""
        for answer in await self._journal.kept():
            await self._deliver(answer)

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
        await self._journal.discard(answer)
        return claim
