"""A counter at which a simulator is asked, and its sleeps are noted."""

import asyncio
from typing import Any

import httpx
from attrs import frozen

from aigen.adapters.openrouter.simulator import RunningSimulator


@frozen
class Desk:
    """Asks a simulator whose sleeps are noted instead of slept."""

    running: RunningSimulator
    client: httpx.AsyncClient
    sleeps: list[float]

    async def chat(self, prompt: str, **more: Any) -> httpx.Response:
        messages = [{"role": "user", "content": prompt}]
        return await self.client.post("/chat/completions", json={"messages": messages} | more)

    async def image(self, prompt: str, **more: Any) -> httpx.Response:
        body = {"model": "openai/gpt-5-image", "prompt": prompt} | more
        return await self.client.post("/images", json=body)

    async def video(self, prompt: str) -> httpx.Response:
        return await self.client.post("/videos", json={"model": "openai/sora-2", "prompt": prompt})

    async def anywhere(self, route: str, prompt: str) -> httpx.Response:
        ask = {"chat": self.chat, "images": self.image, "videos": self.video}[route]
        return await ask(prompt)

    async def job(self, prompt: str) -> str:
        job_id: str = (await self.video(prompt)).json()["id"]
        return job_id

    async def poll(self, job_id: str) -> httpx.Response:
        return await self.client.get(f"/videos/{job_id}")

    async def content(self, job_id: str) -> httpx.Response:
        return await self.client.get(f"/videos/{job_id}/content")

    async def polled(self, prompt: str, times: int = 2) -> dict[str, Any]:
        job_id = await self.job(prompt)
        answers = [await self.poll(job_id) for _ in range(times)]
        body: dict[str, Any] = answers[-1].json()
        return body

    async def fetched(self, prompt: str) -> httpx.Response:
        return await self.content((await self.polled(prompt))["id"])

    async def hangs(self, route: str, prompt: str) -> bool:
        """Whether the work is taken and nothing is answered, not even to a second request."""
        request = asyncio.create_task(self.anywhere(route, prompt))
        for _ in range(100):
            if (await self.accepted())[route] > 0:
                break
        await self.accepted()
        is_open = not request.done()
        request.cancel()
        await asyncio.wait([request])
        return is_open

    async def accepted(self) -> dict[str, int]:
        summary = (await self.client.get(f"{self.running.origin}/simulator/summary")).json()
        counts: dict[str, int] = summary["accepted"]
        return counts
