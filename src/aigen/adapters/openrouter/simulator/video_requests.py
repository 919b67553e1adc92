"""The body of POST /videos, checked against what the model can do."""

import hashlib
from decimal import Decimal
from fractions import Fraction
from urllib.parse import urlsplit

from attrs import frozen

from aigen.adapters.openrouter.simulator.attachments import attached_image
from aigen.adapters.openrouter.simulator.catalogue import video_model
from aigen.adapters.openrouter.simulator.errors import invalid
from aigen.adapters.openrouter.simulator.fields import Fields
from aigen.adapters.openrouter.simulator.sizes import has_ratio, lines_of, pixels_of, ratio_of
from aigen.adapters.openrouter.simulator.video_models import VideoModel

_REFERENCES = ("image_url", "audio_url", "video_url")
_LONGEST_SESSION_ID = 256


@frozen(kw_only=True)
class VideoRequest:
    """A clip wanted from a model."""

    model: VideoModel
    prompt: str
    seconds: int
    resolution: str
    ratio: Fraction
    images: tuple[str, ...]
    seed: int | None
    callback_url: str | None
    previous_job_id: str | None

    @classmethod
    def of(cls, body: Fields, *, https_callbacks_only: bool) -> "VideoRequest":
        chosen = video_model(body.needed_text("model"))
        images = _images(chosen, body)
        if not (chosen.images_suffice and images):
            body.needed_text("prompt")
        _check_extras(chosen, body)
        resolution, ratio = _shape(chosen, body)
        return cls(
            model=chosen,
            prompt=body.text("prompt") or "",
            seconds=_duration(chosen, body),
            resolution=resolution,
            ratio=ratio,
            images=images,
            seed=body.whole("seed"),
            callback_url=_callback_url(body, https_only=https_callbacks_only),
            previous_job_id=_previous_job_id(chosen, body),
        )

    @property
    def cost(self) -> Decimal:
        return self.model.price(self.resolution, self.seconds)

    def clip_seed(self) -> str:
        parts = (self.model.id, self.prompt, *self.images, str(self.seed))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _duration(chosen: VideoModel, body: Fields) -> int:
    seconds = body.whole("duration", 1)
    if seconds is not None and seconds not in chosen.durations:
        known = ", ".join(map(str, sorted(chosen.durations)))
        raise invalid(f"{chosen.id} does not support duration {seconds}, only {known}", "duration")
    return seconds or chosen.durations[0]


def _shape(chosen: VideoModel, body: Fields) -> tuple[str, Fraction]:
    """Resolution and aspect ratio, from these two or from the size."""
    resolution, ratio, size = (body.text(name) for name in ("resolution", "aspect_ratio", "size"))
    if resolution is not None and resolution not in chosen.resolutions:
        raise invalid(f"{chosen.id} does not support resolution {resolution}", "resolution")
    if ratio is not None and ratio not in chosen.aspect_ratios:
        raise invalid(f"{chosen.id} does not support aspect_ratio {ratio}", "aspect_ratio")
    if size is None:
        return resolution or chosen.resolutions[0], ratio_of(ratio or chosen.aspect_ratios[0])
    return _sized(chosen, size, resolution, ratio)


def _sized(
    chosen: VideoModel, size: str, resolution: str | None, ratio: str | None
) -> tuple[str, Fraction]:
    pixels = pixels_of(size)
    if pixels is None or size not in (chosen.sizes or ()):
        raise invalid(f"{chosen.id} does not support size {size}", "size")
    if ratio is not None and not has_ratio(pixels, ratio):
        raise invalid(f"size {size} conflicts with aspect_ratio {ratio}", "size")
    fitting = [tier for tier in chosen.resolutions if lines_of(tier) == min(pixels)]
    if resolution is not None and resolution not in fitting:
        raise invalid(f"size {size} conflicts with resolution {resolution}", "size")
    return (fitting or chosen.resolutions)[0], Fraction(*pixels)


def _images(chosen: VideoModel, body: Fields) -> tuple[str, ...]:
    """Digests of the pictures. If both kinds are given, frame_images wins."""
    frames = body.objects("frame_images")
    for frame in frames:
        kind = frame.text("frame_type")
        if kind not in (chosen.frames or ()):
            raise invalid(f"{chosen.id} does not support frame_type {kind}", "frame_images")
    references = body.objects("input_references")
    for reference in references:
        reference.choice("type", _REFERENCES)
        reference.needed_text("type")
    pictures = frames or [part for part in references if part.text("type") == "image_url"]
    return tuple(f"{part.text('frame_type')} {attached_image(part)}" for part in pictures)


def _check_extras(chosen: VideoModel, body: Fields) -> None:
    if body.flag("generate_audio") and not chosen.audio:
        raise invalid(f"{chosen.id} does not support generate_audio", "generate_audio")
    for name in ("creativity", "upscale_factor"):
        if body.number(name) is not None:
            raise invalid(f"{chosen.id} does not support {name}", name)
    body.text("session_id", _LONGEST_SESSION_ID)


def _callback_url(body: Fields, *, https_only: bool) -> str | None:
    url = body.text("callback_url")
    if url is not None:
        parts = urlsplit(url)
        if parts.scheme not in ({"https"} if https_only else {"https", "http"}) or not parts.netloc:
            raise invalid("callback_url must be an HTTPS URL", "callback_url")
    return url


def _previous_job_id(chosen: VideoModel, body: Fields) -> str | None:
    job_id = body.text("previous_job_id")
    if job_id is not None and not chosen.continues_jobs:
        raise invalid(f"{chosen.id} does not support previous_job_id", "previous_job_id")
    return job_id
