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
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(ANSWER)).encode()),
    ],
}


async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send(_START)
    await send({"type": "http.response.body", "body": ANSWER})


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
