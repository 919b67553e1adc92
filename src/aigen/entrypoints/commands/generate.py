"""`aigen generate …`: one generation from the terminal."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from aigen.adapters.http.client import ApiClient
from aigen.entrypoints.settings import Settings

_UNFINISHED = {"queued", "processing"}
_POLL_SECONDS = 1.0


def _options(*options: Callable[..., Any]) -> Callable[[Any], Any]:
    """What all kinds share, after their own options."""

    def decorated(command: Any) -> Any:
        for option in reversed((*options, *_SHARED)):
            command = option(command)
        return command

    return decorated


_SHARED = (
    click.option("--model", required=True, help="As in GET /models."),
    click.option(
        "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where to save it."
    ),
)


@click.group()
def generate() -> None:
    """Make a text, an image or a video through a running API.

    Signs in with AIGEN_API_KEY, or AIGEN_EMAIL and AIGEN_PASSWORD, or asks.

    \b
    Example:
      aigen generate video "a fox in the snow" --model google/veo-3.1-lite --duration 4
    """


@generate.command()
@click.argument("prompt")
@_options(
    click.option("--system", help="What the model is told beforehand."),
    click.option("--temperature", type=float),
    click.option("--max-tokens", type=int),
)
def text(prompt: str, output: Path | None, **fields: Any) -> None:
    """Make a text.

    \b
    Example:
      aigen generate text "Say hello" --model openai/gpt-4o-mini
    """
    with _signed_in() as api:
        made = api.ask("POST", "/generate/text", body=_body(prompt, fields))
    if output is None:
        click.echo(made["text"])
    else:
        output.write_text(made["text"], encoding="utf-8")
        click.echo(f"saved {output}")


@generate.command()
@click.argument("prompt")
@_options(
    click.option("--size", help="In pixels, as in 1024x1024."),
    click.option("--n", type=int),
    click.option("--aspect-ratio", help="As in 16:9."),
    click.option("--image-size", help="1K, 2K or 4K."),
    click.option("--image-url", help="A picture to edit."),
)
def image(prompt: str, output: Path | None, **fields: Any) -> None:
    """Make an image.

    \b
    Example:
      aigen generate image "a fox" --model black-forest-labs/flux.2-pro --aspect-ratio 16:9
    """
    with _signed_in() as api:
        made = api.ask("POST", "/generate/image", body=_body(prompt, fields))
        for place, picture in enumerate(made["images"], 1):
            extension = picture["media_type"].rpartition("/")[2].replace("jpeg", "jpg")
            target = output or Path(f"{made['id']}.{extension}")
            if place > 1:
                target = target.with_stem(f"{target.stem}-{place}")
            _save(api, picture["url"], target)


@generate.command()
@click.argument("prompt")
@_options(
    click.option("--aspect-ratio", help="As in 16:9."),
    click.option("--resolution", help="As in 720p."),
    click.option("--duration", type=int, help="Seconds."),
    click.option("--generate-audio/--no-generate-audio", default=None),
    click.option("--seed", type=int),
    click.option("--image-url", help="The picture to begin with."),
    click.option("--last-image-url", help="The picture to end with."),
)
def video(prompt: str, output: Path | None, **fields: Any) -> None:
    """Make a video; waits until it is finished.

    \b
    Example:
      aigen generate video "a fox" --model google/veo-3.1-lite --duration 4 --output fox.mp4
    """
    body = _body(prompt, fields)
    path = "/generate/video/from-image" if "image_url" in body else "/generate/video"
    with _signed_in() as api:
        job = _wait(api, api.ask("POST", path, body=body))
        if job["status"] != "completed":
            reason = job["error"] or f"the job is {job['status']}"
            raise click.ClickException(f"{reason} ({job['id']})")
        _save(api, job["video_url"], output or Path(f"{job['id']}.mp4"))


def _wait(api: ApiClient, job: Any) -> Any:
    """Watch the job until it is over, with a line of progress on a terminal."""
    began = time.monotonic()
    while job["status"] in _UNFINISHED:
        if sys.stderr.isatty():
            click.echo(f"\r{job['status']}, {time.monotonic() - began:.0f} s ", nl=False, err=True)
        time.sleep(_POLL_SECONDS)
        job = api.ask("GET", f"/generate/video/{job['id']}/status")
    if sys.stderr.isatty():
        click.echo(f"\r{job['status']} after {time.monotonic() - began:.0f} s ", err=True)
    return job


def _save(api: ApiClient, url: str, target: Path) -> None:
    with target.open("wb") as file:
        for chunk in api.download(url):
            file.write(chunk)
    click.echo(f"saved {target}")


def _body(prompt: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"prompt": prompt} | {name: value for name, value in fields.items() if value is not None}


def _signed_in() -> ApiClient:
    base = Settings().api_base
    key = os.environ.get("AIGEN_API_KEY")
    if key:
        return ApiClient(base, key)
    email = os.environ.get("AIGEN_EMAIL") or click.prompt("E-mail", err=True)
    password = os.environ.get("AIGEN_PASSWORD") or click.prompt(
        "Password", hide_input=True, err=True
    )
    with ApiClient(base) as api:
        tokens = api.ask("POST", "/auth/login", body={"email": email, "password": password})
    return ApiClient(base, tokens["access_token"])
