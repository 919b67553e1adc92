"""OpenRouter's own SDK can use the simulator and understands every answer."""

import base64
from collections.abc import AsyncIterator

import httpx
import pytest

from aigen.adapters.openrouter.simulator import RunningSimulator
from openrouter import OpenRouter, components, errors

PNG = b"\x89PNG\r\n\x1a\n"


def said(text: str) -> list[components.ChatMessages]:
    return [components.ChatUserMessage(role="user", content=text)]


@pytest.fixture
async def sdk(running: RunningSimulator) -> AsyncIterator[OpenRouter]:
    # The SDK's retries (an hour of them, even of POST) are off, its proxies too.
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        OpenRouter(
            api_key="sk-or-v1-test",
            server_url=running.url,
            async_client=client,
            retry_config=None,
        ) as sdk,
    ):
        yield sdk


async def test_it_lists_the_text_models(sdk: OpenRouter) -> None:
    page = await sdk.models.list_async()
    assert page is not None
    listed = page.result
    assert "openai/gpt-4o-mini" in [model.id for model in listed.data]
    assert all("text" in model.architecture.output_modalities for model in listed.data)
    assert listed.total_count == len(listed.data)


async def test_it_lists_the_models_of_all_kinds(sdk: OpenRouter) -> None:
    page = await sdk.models.list_async(output_modalities="all")
    assert page is not None
    ids = {model.id for model in page.result.data}
    assert {"openai/dall-e-3", "google/veo-3.1", "openai/gpt-5.2"} <= ids


async def test_it_lists_the_image_models_and_their_endpoints(sdk: OpenRouter) -> None:
    models = (await sdk.images.list_models_async()).data
    assert len(models) == 8
    for model in models:
        for ability in model.supported_parameters.values():
            assert ability.type != "UNKNOWN"
        author, _, slug = model.id.partition("/")
        found = await sdk.images.list_model_endpoints_async(author=author, slug=slug)
        assert found.id == model.id
        assert all(price.cost_usd > 0 for price in found.endpoints[0].pricing)


async def test_it_lists_the_video_models(sdk: OpenRouter) -> None:
    models = {
        model.id: model for model in (await sdk.video_generation.list_videos_models_async()).data
    }
    assert set(models["google/veo-3.1"].supported_durations or []) == {4, 6, 8}
    assert models["google/veo-3.1-lite"].pricing_skus == {
        "per-video-second": "0.05",
        "per-video-second-1080p": "0.08",
    }


async def test_it_chats(sdk: OpenRouter) -> None:
    result = await sdk.chat.send_async(
        model="anthropic/claude-sonnet-4.5",
        messages=said("Explain tides to a child"),
        stream=False,
    )
    answer = result.choices[0].message.content
    assert isinstance(answer, str)
    assert "Explain tides to a child" in answer
    assert len(answer.split()) > 20
    assert result.usage is not None
    assert result.usage.cost
    assert result.choices[0].finish_reason == "stop"


async def test_it_streams(sdk: OpenRouter) -> None:
    stream = await sdk.chat.send_async(
        model="openai/gpt-4o-mini",
        messages=said("Explain tides to a child"),
        stream=True,
    )
    async with stream as chunks:
        received = [chunk async for chunk in chunks]
    words = [choice.delta.content for chunk in received for choice in chunk.choices]
    assert len([word for word in words if word]) > 20
    assert received[-2].choices[0].finish_reason == "stop"
    assert received[-1].choices == []
    assert received[-1].usage is not None
    assert received[-1].usage.cost


async def test_it_sees_an_error_inside_a_stream(sdk: OpenRouter) -> None:
    stream = await sdk.chat.send_async(messages=said("Explain tides sim:midstream"), stream=True)
    async with stream as chunks:
        received = [chunk async for chunk in chunks]
    assert received[-1].error is not None
    assert received[-1].error.code == 502
    assert received[-1].choices[0].finish_reason == "error"


async def test_it_draws_in_a_chat(sdk: OpenRouter) -> None:
    result = await sdk.chat.send_async(
        model="google/gemini-2.5-flash-image",
        messages=said("a red fox"),
        modalities=["image", "text"],
        image_config={"aspect_ratio": "16:9"},
        stream=False,
    )
    images = result.choices[0].message.images
    assert images
    header, _, encoded = images[0].image_url.url.partition(",")
    assert header == "data:image/png;base64"
    assert base64.b64decode(encoded).startswith(PNG)


async def test_it_draws(sdk: OpenRouter) -> None:
    result = await sdk.images.generate_async(
        model="openai/gpt-5-image", prompt="a red fox", n=2, stream=False
    )
    pictures = [base64.b64decode(item.b64_json) for item in result.data]
    assert [picture[:8] for picture in pictures] == [PNG, PNG]
    assert pictures[0] != pictures[1]
    assert result.usage is not None
    assert result.usage.cost == pytest.approx(2 * 0.19, abs=0.001)


async def test_it_streams_a_picture(sdk: OpenRouter) -> None:
    stream = await sdk.images.generate_async(
        model="openai/gpt-5-image", prompt="a red fox sim:preview", stream=True
    )
    async with stream as events:
        received = [event async for event in events]
    assert [event.type for event in received] == [
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert isinstance(received[1], components.ImageGenCompletedEvent)
    assert base64.b64decode(received[1].b64_json).startswith(PNG)


async def test_it_makes_a_video(sdk: OpenRouter) -> None:
    videos = sdk.video_generation
    job = await videos.generate_async(
        model="google/veo-3.1-lite", prompt="a red fox", duration=4, aspect_ratio="9:16"
    )
    assert job.status == "pending"
    assert (await videos.get_generation_async(job_id=job.id)).status == "in_progress"
    done = await videos.get_generation_async(job_id=job.id)
    assert done.status == "completed"
    assert done.usage is not None
    assert done.usage.cost == pytest.approx(0.2)
    assert done.unsigned_urls
    assert done.urls
    assert done.expires_at
    content = await videos.get_video_content_async(job_id=job.id)
    assert b"ftyp" in (await content.aread())[:12]


# The SDK warns of its own deprecated fields when it meets them.
@pytest.mark.filterwarnings("ignore:warning. .. DEPRECATED:DeprecationWarning")
async def test_it_reads_the_key(sdk: OpenRouter) -> None:
    await sdk.chat.send_async(messages=said("hello"), stream=False)
    key = (await sdk.api_keys.get_current_key_metadata_async()).data
    assert key.usage > 0
    assert key.limit is None
    assert key.free_model_daily_requests.remaining > 0


async def test_it_reads_the_credits(sdk: OpenRouter, running: RunningSimulator) -> None:
    with pytest.raises(errors.ForbiddenResponseError):
        await sdk.credits.get_credits_async()
    running.simulator.change(management_key=True, credits_usd=12.5)
    credit = (await sdk.credits.get_credits_async()).data
    assert (credit.total_credits, credit.total_usage) == (12.5, 0)


async def test_it_reads_a_generation(sdk: OpenRouter) -> None:
    answer = await sdk.chat.send_async(messages=said("hi"), stream=False)
    with pytest.raises(errors.NotFoundResponseError):
        await sdk.generations.get_generation_async(id=answer.id)
    found = (await sdk.generations.get_generation_async(id=answer.id)).data
    assert answer.usage is not None
    assert found.total_cost == answer.usage.cost
    assert found.api_type == "completions"


@pytest.mark.parametrize(
    ("keyword", "error"),
    [
        ("refuse", errors.BadRequestResponseError),
        ("badkey", errors.UnauthorizedResponseError),
        ("credits", errors.PaymentRequiredResponseError),
        ("moderation", errors.ForbiddenResponseError),
        ("notfound", errors.NotFoundResponseError),
        ("http=408", errors.RequestTimeoutResponseError),
        ("toolarge", errors.PayloadTooLargeResponseError),
        ("semantic", errors.UnprocessableEntityResponseError),
        ("ratelimit=3", errors.TooManyRequestsResponseError),
        ("http=500", errors.InternalServerResponseError),
        ("raw502", errors.BadGatewayResponseError),
        ("overloaded", errors.ServiceUnavailableResponseError),
        ("http=524", errors.EdgeNetworkTimeoutResponseError),
        ("http=529", errors.ProviderOverloadedResponseError),
    ],
)
async def test_it_raises_its_typed_errors(
    sdk: OpenRouter, keyword: str, error: type[errors.OpenRouterError]
) -> None:
    with pytest.raises(error) as caught:
        await sdk.chat.send_async(messages=said(f"hello sim:{keyword}"), stream=False)
    assert caught.value.message


async def test_it_raises_its_typed_errors_for_content(sdk: OpenRouter) -> None:
    job = await sdk.video_generation.generate_async(model="openai/sora-2", prompt="fox sim:gone")
    with pytest.raises(errors.ConflictResponseError):
        await sdk.video_generation.get_video_content_async(job_id=job.id)
    for _ in range(2):
        await sdk.video_generation.get_generation_async(job_id=job.id)
    with pytest.raises(errors.GoneResponseError):
        await sdk.video_generation.get_video_content_async(job_id=job.id)
