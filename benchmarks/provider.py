"""A provider that answers at once and costs next to nothing: `benchmarks.provider PORT`."""

import json
import sys

import uvicorn

ANSWER = json.dumps(
    {
        "id": "gen-1",
        "object": "chat.completion",
        "model": "openai/gpt-4o-mini",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Hello, how are you today?"},
            }
        ],
        "usage": {
            "prompt_tokens": 13,
            "completion_tokens": 6,
            "total_tokens": 19,
            "cost": 0.00000555,
        },
    }
).encode()
MODELS = json.dumps(
    {
        "data": [
            {
                "id": "openai/gpt-4o-mini",
                "name": "GPT-4o mini",
                "context_length": 128_000,
                "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
                "pricing": {"prompt": "0.00000015", "completion": "0.0000006"},
            }
        ]
    }
).encode()
TOKENS = [
    b"data: " + json.dumps({"id": "gen-1", "object": "chat.completion.chunk", **rest}).encode()
    for rest in (
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hello"}}]},
        {"choices": [{"index": 0, "delta": {"content": " you"}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 13, "completion_tokens": 2, "cost": 0.000003}},
    )
]


async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message.get("more_body")
    if scope["method"] == "GET":
        await _answer(send, MODELS)
    elif b'"stream":true' in body.replace(b" ", b""):
        await _stream(send)
    else:
        await _answer(send, ANSWER)


async def _answer(send, body: bytes) -> None:  # type: ignore[no-untyped-def]
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _stream(send) -> None:  # type: ignore[no-untyped-def]
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for token in (*TOKENS, b"data: [DONE]"):
        await send({"type": "http.response.body", "body": token + b"\n\n", "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def serve(served: object) -> None:
    """Serve an ASGI application as aigen's API is served."""
    uvicorn.run(
        served,  # type: ignore[arg-type]
        port=int(sys.argv[1]),
        log_level="error",
        access_log=False,
        loop="uvloop",
        http="httptools",
        lifespan="off",
    )


if __name__ == "__main__":
    serve(app)
