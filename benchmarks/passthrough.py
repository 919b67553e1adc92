"""The least that a service in between can do: `python -m benchmarks.passthrough PORT KIND URL`.

KIND is `httpx` or `httpx-aiohttp` for FastAPI with that client, or `raw` for plain ASGI with
aiohttp: no accounts, no checks, nothing recorded. `checked`, followed by a secret, is FastAPI on
aiohttp as it is usually written: it checks a token, a body and an answer, logs a line, and still
records nothing.
"""

import logging
import sys
from typing import Annotated, Any

import aiohttp
import httpx
import jwt
from fastapi import Depends, FastAPI, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from httpx_aiohttp import AiohttpTransport
from pydantic import BaseModel

from benchmarks.provider import serve

KIND, PROVIDER, *SECRET = sys.argv[2:]

logger = logging.getLogger(__name__)


class Asked(BaseModel):
    model: str
    prompt: str


class Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Answered(BaseModel):
    model: str
    prompt: str
    text: str
    usage: Usage


def bare_app() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def ready() -> dict[str, str]:
        return {}

    return app


def fastapi_app() -> FastAPI:
    app = bare_app()
    transport = AiohttpTransport() if KIND == "httpx-aiohttp" else None
    client = httpx.AsyncClient(transport=transport, trust_env=False)

    @app.post("/generate/text")
    async def generate(request: Request) -> Response:
        answer = await client.post(
            f"{PROVIDER}/chat/completions",
            content=await request.body(),
            headers={"content-type": "application/json"},
        )
        return Response(answer.content, answer.status_code, media_type="application/json")

    return app


def checked_app() -> FastAPI:
    app = bare_app()
    client = httpx.AsyncClient(transport=AiohttpTransport(), trust_env=False)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)

    async def caller(shown: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
        claims = jwt.decode(shown.credentials, SECRET[0], algorithms=["HS256"])
        return str(claims["sub"])

    @app.post("/generate/text")
    async def generate(body: Asked, user: Annotated[str, Depends(caller)]) -> Answered:
        message = {"role": "user", "content": body.prompt}
        answer = await client.post(
            f"{PROVIDER}/chat/completions", json={"model": body.model, "messages": [message]}
        )
        said = answer.raise_for_status().json()
        logger.info("text user=%s model=%s status=%s", user, body.model, answer.status_code)
        return Answered(
            model=body.model,
            prompt=body.prompt,
            text=said["choices"][0]["message"]["content"],
            usage=said["usage"],
        )

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
    apps = {"raw": RawApp, "checked": checked_app}
    serve(apps.get(KIND, fastapi_app)())
