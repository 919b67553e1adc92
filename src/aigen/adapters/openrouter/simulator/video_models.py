"""The video models of the catalogue; names, abilities and prices resemble the real ones."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import frozen

from aigen.adapters.openrouter.simulator.listings import listing, token_pricing

CREATED = 1_767_225_600
_WIDE_AND_TALL = ("16:9", "9:16")
_BOTH_FRAMES = ("first_frame", "last_frame")
_HD = ("1280x720", "720x1280")
_FULL_HD = ("1920x1080", "1080x1920")


@frozen(kw_only=True)
class VideoModel:
    """A model that makes clips.

    `prices` is USD by resolution, a second or, with `price_per_video`, a whole clip. The first
    resolution, duration and aspect ratio are the defaults.
    """

    id: str
    name: str
    provider: str
    description: str
    prices: Mapping[str, Decimal]
    durations: tuple[int, ...]
    aspect_ratios: tuple[str, ...] = _WIDE_AND_TALL
    sizes: tuple[str, ...] | None = None
    frames: tuple[str, ...] | None = None
    audio: bool | None = None
    seed: bool | None = None
    passthrough: tuple[str, ...] = ()
    price_per_video: bool = False
    images_suffice: bool = False
    continues_jobs: bool = False
    created: int = CREATED

    @property
    def outputs(self) -> tuple[str, ...]:
        return ("video",)

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("text", "image") if self.frames else ("text",)

    @property
    def resolutions(self) -> tuple[str, ...]:
        return tuple(self.prices)

    def price(self, resolution: str, seconds: int) -> Decimal:
        return self.prices[resolution] * (1 if self.price_per_video else seconds)

    def listed_for_videos(self) -> dict[str, Any]:
        """The entry of GET /videos/models."""
        return {
            "id": self.id,
            "canonical_slug": self.id,
            "name": self.name,
            "created": self.created,
            "description": self.description,
            "hugging_face_id": None,
            "supported_durations": list(self.durations),
            "supported_resolutions": list(self.resolutions),
            "supported_aspect_ratios": list(self.aspect_ratios),
            "supported_sizes": list(self.sizes) if self.sizes else None,
            "supported_frame_images": list(self.frames) if self.frames else None,
            "generate_audio": self.audio,
            "seed": self.seed,
            "creativity": None,
            "upscale_factor": None,
            "pricing_skus": self._skus(),
            "allowed_passthrough_parameters": list(self.passthrough),
        }

    def listed(self) -> dict[str, Any]:
        """The entry of GET /models, which knows no prices of videos."""
        return listing(
            self.id,
            name=self.name,
            description=self.description,
            created=self.created,
            inputs=self.inputs,
            outputs=self.outputs,
            pricing=token_pricing(Decimal(0), Decimal(0)),
            parameters=("seed",) if self.seed else (),
        )

    def _skus(self) -> dict[str, str]:
        name = "generate" if self.price_per_video else "per-video-second"
        default, *others = self.prices
        skus = {name: f"{self.prices[default]:f}"}
        return skus | {f"{name}-{other}": f"{self.prices[other]:f}" for other in others}


VIDEO_MODELS = (
    VideoModel(
        id="google/veo-3.1",
        name="Google: Veo 3.1",
        provider="Google",
        description="Clips with sound, up to 4K, with first and last frame.",
        prices={"720p": Decimal("0.4"), "1080p": Decimal("0.4"), "4K": Decimal("0.6")},
        durations=(8, 4, 6),
        sizes=(*_HD, *_FULL_HD, "3840x2160", "2160x3840"),
        frames=_BOTH_FRAMES,
        audio=True,
        seed=True,
        passthrough=("negativePrompt", "enhancePrompt"),
        continues_jobs=True,
    ),
    VideoModel(
        id="google/veo-3.1-lite",
        name="Google: Veo 3.1 Lite",
        provider="Google",
        description="The cheap Veo.",
        prices={"720p": Decimal("0.05"), "1080p": Decimal("0.08")},
        durations=(8, 4, 6),
        frames=_BOTH_FRAMES,
        audio=True,
        passthrough=("negativePrompt", "enhancePrompt"),
    ),
    VideoModel(
        id="openai/sora-2",
        name="OpenAI: Sora 2",
        provider="OpenAI",
        description="Physics, speech and sound in one go.",
        prices={"720p": Decimal("0.1")},
        durations=(4, 8, 12),
        sizes=_HD,
        frames=("first_frame",),
        audio=True,
    ),
    VideoModel(
        id="kwaivgi/kling-v3.0-pro",
        name="Kling: Video v3.0 Pro",
        provider="Kling",
        description="Animates a picture without words, too.",
        prices={"720p": Decimal("0.112"), "1080p": Decimal("0.168")},
        durations=(5, 10),
        aspect_ratios=(*_WIDE_AND_TALL, "1:1"),
        frames=_BOTH_FRAMES,
        audio=False,
        passthrough=("negative_prompt", "cfg_scale"),
        images_suffice=True,
    ),
    VideoModel(
        id="bytedance/seedance-1-5-pro",
        name="ByteDance: Seedance 1.5 Pro",
        provider="Seed",
        description="Many shapes and lengths; sound is checked after rendering.",
        prices={"720p": Decimal("0.052"), "480p": Decimal("0.024"), "1080p": Decimal("0.12")},
        durations=(5, 4, 6, 7, 8, 9, 10, 11, 12),
        aspect_ratios=(*_WIDE_AND_TALL, "1:1", "4:3", "3:4", "21:9", "9:21"),
        frames=_BOTH_FRAMES,
        audio=True,
        seed=True,
    ),
    VideoModel(
        id="minimax/hailuo-2.3",
        name="MiniMax: Hailuo 2.3",
        provider="Minimax",
        description="One price a clip, whatever its length.",
        prices={"768p": Decimal("0.28"), "1080p": Decimal("0.49")},
        durations=(6, 10),
        aspect_ratios=("16:9", "1:1"),
        frames=("first_frame",),
        price_per_video=True,
    ),
)
