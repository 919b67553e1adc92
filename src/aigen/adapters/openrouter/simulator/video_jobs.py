"""The life of a video job between submit and end: it is made, moved, shown and announced."""

from typing import Any

from attrs import evolve

from aigen.adapters.openrouter.simulator.errors import ApiError, invalid
from aigen.adapters.openrouter.simulator.jobs import COMPLETED, PENDING, Job
from aigen.adapters.openrouter.simulator.ledger import Generation, random_name, usd
from aigen.adapters.openrouter.simulator.media import Media
from aigen.adapters.openrouter.simulator.scripts import Script
from aigen.adapters.openrouter.simulator.state import State
from aigen.adapters.openrouter.simulator.video_requests import VideoRequest
from aigen.adapters.openrouter.simulator.webhooks import deliver, payload


class VideoJobs:
    def __init__(self, state: State, media: Media) -> None:
        self._state = state
        self._media = media
        self._recall()

    def check_previous(self, asked: VideoRequest) -> None:
        if asked.previous_job_id is None:
            return
        previous = self._state.jobs.get(asked.previous_job_id)
        if previous is None or previous.status != COMPLETED:
            raise invalid(f"Job {asked.previous_job_id} is not completed", "previous_job_id")

    def submit(self, asked: VideoRequest, script: Script, origin: str) -> Job:
        """A new job, charged; each POST makes one, there is no idempotency."""
        state, now = self._state, self._state.clock()
        job = Job(
            id=self._new_id(),
            generation_id=state.ledger.new_id(),
            model=asked.model.id,
            seed=asked.clip_seed(),
            ratio=asked.ratio,
            seconds=asked.seconds,
            cost=asked.cost,
            script=script.afterwards(),
            origin=origin,
            ready_at=self._ready_at(script, now),
            polls_needed=state.options.video_polls,
            callback_url=asked.callback_url,
        )
        state.ledger.charge(_generation(job, asked.model.provider, now))
        self._keep(job)
        state.memory.note(job)
        if job.callback_url is not None and job.ready_at is not None:
            state.spawn(self._end_by_clock(job.id, job.ready_at - now))
        return job

    def find(self, job_id: str) -> Job:
        """The job as of now."""
        job = self._state.jobs.get(job_id)
        if job is None:
            raise ApiError(404, f"Video job {job_id} not found")
        return self._moved(job, job.seen(self._state.clock()))

    def poll(self, job_id: str, origin: str) -> Job:
        """One poll later. Addresses are told as whoever asks now can reach them: the job may have
        been submitted to a process before this one, on another port."""
        job = evolve(self.find(job_id), origin=origin)
        return self._moved(job, job.polled(self._state.clock()))

    def download(self, job: Job) -> Job:
        return self._moved(job, job.downloaded())

    def shown(self, job: Job) -> dict[str, Any]:
        """The body of a poll."""
        body = self.submitted(job) | {
            "generation_id": job.generation_id,
            "status": job.status,
        }
        if job.error is not None:
            body["error"] = job.error
        is_charged = job.status == COMPLETED or self._state.options.failed_videos_cost
        if job.is_terminal and is_charged and not job.script.has("nocost"):
            body["usage"] = {"cost": usd(job.cost), "is_byok": False}
        if job.status == COMPLETED and not job.script.has("nourl"):
            body |= self._addresses(job)
        return body

    def submitted(self, job: Job) -> dict[str, Any]:
        """The body of the 202."""
        options = self._state.options
        path = f"/api/v1/videos/{job.id}"
        url = path if options.polling_url_style == "relative" else job.origin + path
        body = {"id": job.id, "polling_url": url, "status": PENDING}
        return body | (
            {"generation_id": job.generation_id} if options.generation_id_at_submit else {}
        )

    def _recall(self) -> None:
        """Go on with the jobs of the process before this one; they were charged then."""
        state = self._state
        for job in state.memory.recall():
            self._keep(job)
            state.ledger.charge(_generation(job, job.model.partition("/")[0], state.clock()))
        state.ledger.start_anew()

    def expires_at(self, job: Job) -> float:
        return (job.finished_at or 0) + self._state.options.content_seconds

    def _addresses(self, job: Job) -> dict[str, Any]:
        options, expires_at = self._state.options, int(self.expires_at(job))
        body: dict[str, Any] = {}
        if options.unsigned_urls:
            content = f"{job.origin}/api/v1/videos/{job.id}/content?index=0"
            body["unsigned_urls"] = [content]
        if options.signed_urls:
            body["urls"] = [self._media.video_url(job.origin, job, expires_at)]
        return body | ({"expires_at": expires_at} if options.expires_at else {})

    def _moved(self, before: Job, after: Job) -> Job:
        """Keep the job; at its end settle the bill and tell the callback."""
        self._keep(after)
        if after.is_terminal and not before.is_terminal:
            failed = after.status != COMPLETED
            refund = failed and not self._state.options.failed_videos_cost
            self._state.ledger.settle(after.generation_id, refund=refund)
            if after.callback_url is not None:
                self._announce(after)
        return after

    def _announce(self, job: Job) -> None:
        options, now = self._state.options, self._state.clock()
        body = payload(job, self.shown(job), now)
        secret, copies = options.webhook_secret, options.webhook_copies
        self._state.spawn(deliver(job, body, secret=secret, copies=copies, now=now))

    async def _end_by_clock(self, job_id: str, seconds: float) -> None:
        """Nobody may be polling, and the webhook is due nevertheless."""
        await self._state.sleep(seconds)
        if (job := self._state.jobs.get(job_id)) is not None:
            self._moved(job, job.ended(self._state.clock()))

    def _keep(self, job: Job) -> None:
        self._state.jobs.put(job, self._state.options.finished_jobs)

    def _new_id(self) -> str:
        if self._state.options.job_id_style == "short":
            return random_name()
        return f"gen-vid-{int(self._state.clock())}-{random_name()}"

    def _ready_at(self, script: Script, now: float) -> float | None:
        seconds = self._state.options.video_seconds
        if script.has("sleep"):
            return now + script.seconds("sleep")
        return None if seconds is None else now + seconds


def _generation(job: Job, provider: str, now: float) -> Generation:
    return Generation(
        id=job.generation_id,
        api_type="video",
        model=job.model,
        provider=provider,
        cost=job.cost,
        created_at=now,
        pictures=1,
        is_settled=False,
    )
