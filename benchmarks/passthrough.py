"""The least that a service in between can do: `python -m benchmarks.passthrough PORT KIND URL`.

KIND is `httpx` or `httpx-aiohttp` for FastAPI with that client, or `raw` for plain ASGI with
aiohttp. No accounts, no checks, nothing recorded.
"""

import sys
from typing import Any

import aiohttp
import httpx
from fastapi import FastAPI, Request, Response
from httpx_aiohttp import AiohttpTransport

from benchmarks.provider import serve

KIND, PROVIDER = sys.argv[2:4]


def fastapi_app() -> FastAPI:
    app = FastAPI()
    transport = AiohttpTransport() if KIND == "httpx-aiohttp" else None
    client = httpx.AsyncClient(transport=transport, trust_env=False)

    @app.get("/")
    async def ready() -> dict[str, str]:
        return {}

    @app.post("/generate/text")
    async def generate(request: Request) -> Response:
        answer = await client.post(
            f"{PROVIDER}/chat/completions",
            content=await request.body(),
            headers={"content-type": "application/json"},
        )
        return Response(answer.content, answer.status_code, media_type="application/json")

    return app


class RawApp:
    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        async with self._session.post(f"{PROVIDER}/chat/completions", data=body) as answer:
            content = await answer.read()
        headers = [(b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})


if __name__ == "__main__":
    serve(RawApp() if KIND == "raw" else fastapi_app())
