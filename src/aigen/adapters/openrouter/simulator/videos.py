"""POST /videos, GET /videos/{id} and GET /videos/{id}/content."""

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aigen.adapters.openrouter.simulator.connections import Stream, StreamCut
from aigen.adapters.openrouter.simulator.errors import ApiError, invalid
from aigen.adapters.openrouter.simulator.fields import Fields
from aigen.adapters.openrouter.simulator.intake import Intake, Work
from aigen.adapters.openrouter.simulator.jobs import COMPLETED, Job
from aigen.adapters.openrouter.simulator.media import BAD_MEDIA, clip_of
from aigen.adapters.openrouter.simulator.scripts import Script
from aigen.adapters.openrouter.simulator.state import State, entry_number, origin_of
from aigen.adapters.openrouter.simulator.video_jobs import VideoJobs
from aigen.adapters.openrouter.simulator.video_requests import VideoRequest

_PIECE_BYTES = 64 * 1024


class Videos:
    def __init__(self, state: State, intake: Intake, jobs: VideoJobs) -> None:
        self._state = state
        self._intake = intake
        self._jobs = jobs

    def routes(self) -> list[Route]:
        path = "/api/v1/videos"
        return [
            Route(path, self.submit, methods=["POST"]),
            Route(path + "/{job_id}", self.poll),
            Route(path + "/{job_id}/content", self.content),
        ]

    async def submit(self, request: Request) -> Response:
        self._state.authorise(request)
        asked = VideoRequest.of(
            await Fields.of(request),
            https_callbacks_only=self._state.options.https_callbacks_only,
        )
        self._jobs.check_previous(asked)
        accepted: list[Job] = []

        def accept(script: Script) -> str:
            accepted.append(self._jobs.submit(asked, script, origin_of(request)))
            return accepted[0].id

        async def answer(script: Script) -> Response:
            body = self._jobs.submitted(accepted[0])
            if script.has("noid"):
                del body["id"], body["polling_url"]
            return JSONResponse(body, status_code=202)

        work = Work(
            kind="videos",
            model=asked.model.id,
            prompt=asked.prompt,
            cost=asked.cost,
            accept=accept,
            answer=answer,
            success_status=202,
        )
        return await self._intake.take(request, work)

    async def poll(self, request: Request) -> Response:
        self._state.authorise(request)
        job_id = self._noted(request)
        job = self._jobs.poll(job_id, origin_of(request))
        if job.poll_fault == 500:  # noqa: PLR2004  (see Job.poll_fault)
            raise ApiError(500, "Internal Server Error")
        if job.poll_fault is not None:
            raise ApiError(job.poll_fault, f"Video job {job_id} not found")
        return JSONResponse(self._jobs.shown(job))

    async def content(self, request: Request) -> Response:
        self._state.authorise(request)
        job = self._jobs.find(self._noted(request))
        index = request.query_params.get("index") or "0"
        if not index.isdecimal():
            raise invalid("index must be a whole number of 0 or more", "index")
        self._check_fetchable(job, int(index))
        job = self._jobs.download(job)
        if job.downloads <= job.script.count("content-error"):
            raise ApiError(500, "Internal Server Error")
        if job.script.has("badmedia"):
            return Response(BAD_MEDIA, media_type="video/mp4")
        faulty = job.script.count("content-error") + job.script.count("content-cut")
        pieces = _pieces(await clip_of(job), is_cut=job.downloads <= faulty)
        number = entry_number(request.scope)
        # Proxied bytes: no Content-Length, no ranges; the signed urls have the former.
        return Stream(
            pieces,
            media_type="video/mp4",
            on_leave=lambda: self._state.journal.hung_up(number),
        )

    def _check_fetchable(self, job: Job, index: int) -> None:
        if job.status != COMPLETED:
            status = self._state.options.unfinished_content_status
            raise ApiError(status, f"Video job {job.id} is not completed: {job.status}")
        if job.script.has("nocontent") or index > 0:
            raise ApiError(404, "There is no such output")
        if job.script.has("gone") or self._state.clock() > self._jobs.expires_at(job):
            raise ApiError(410, "The output has expired")

    def _noted(self, request: Request) -> str:
        job_id: str = request.path_params["job_id"]
        self._state.journal.touch(entry_number(request.scope), job_id=job_id)
        return job_id


async def _pieces(content: bytes, *, is_cut: bool) -> AsyncIterator[bytes]:
    end = len(content) // 2 if is_cut else len(content)
    for start in range(0, end, _PIECE_BYTES):
        yield content[start : min(start + _PIECE_BYTES, end)]
    if is_cut:
        raise StreamCut
