"""The object graph: which adapter stands behind which port, and who is given what."""

from collections.abc import Mapping
from typing import Any

from aigen.adapters.bcrypt_passwords import BcryptPasswords
from aigen.adapters.file_journal import FileJournal
from aigen.adapters.jwt_tokens import JwtTokens
from aigen.adapters.media.bucket import Bucket
from aigen.adapters.media.links import BucketLinks, SignedLinks
from aigen.adapters.openrouter.catalogue import OpenRouterCatalogue
from aigen.adapters.openrouter.chats import OpenRouterChats
from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.costs import OpenRouterCosts
from aigen.adapters.openrouter.images import OpenRouterImages
from aigen.adapters.openrouter.texts import OpenRouterTexts
from aigen.adapters.openrouter.videos import OpenRouterVideos
from aigen.adapters.system_clock import SystemIds
from aigen.adapters.validated_emails import ValidatedEmails
from aigen.domain.model.retention import RetentionPolicy
from aigen.domain.model.sessions import SessionPolicy
from aigen.domain.model.video_requests import VideoPolicy
from aigen.domain.services.accounts import Accounts
from aigen.domain.services.administration import Administration
from aigen.domain.services.background import Background
from aigen.domain.services.chats import Chats
from aigen.domain.services.costs import Costs
from aigen.domain.services.files import Files
from aigen.domain.services.guesses import Guesses, LoginPolicy
from aigen.domain.services.history import History
from aigen.domain.services.housekeeping import Housekeeping
from aigen.domain.services.images import Images
from aigen.domain.services.keys import Keys
from aigen.domain.services.models import Models
from aigen.domain.services.money import Money
from aigen.domain.services.provider_health import ProviderHealth
from aigen.domain.services.retention import Retention
from aigen.domain.services.sessions import Sessions
from aigen.domain.services.text_calls import TextCalls
from aigen.domain.services.texts import Texts
from aigen.domain.services.videos import Videos
from aigen.domain.services.work import Work, WorkPolicy
from aigen.domain.services.worker import Worker, WorkerPolicy
from aigen.entrypoints.database import clock_of, database_of, events_of, store_of
from aigen.entrypoints.injection import containers, providers
from aigen.entrypoints.media import bucket_of, media_of
from aigen.entrypoints.secrets_file import Secrets
from aigen.entrypoints.settings import Settings
from aigen.ports.media import MediaLinks


def _provider_key(settings: Settings) -> str:
    return settings.openrouter_api_key.get_secret_value() if settings.openrouter_api_key else "demo"


def _session_policy(settings: Settings) -> SessionPolicy:
    return SessionPolicy(
        access_ttl=settings.access_token_ttl,
        refresh_ttl=settings.refresh_token_ttl,
        max_age=settings.session_max_age,
        reuse_window=settings.refresh_reuse_window,
        retry_window=settings.refresh_retry_window,
    )


def _login_policy(settings: Settings) -> LoginPolicy:
    return LoginPolicy(
        failures_per_account=settings.login_failures,
        failures_per_address=settings.login_failures_per_address,
    )


def _video_policy(settings: Settings) -> VideoPolicy:
    return VideoPolicy(deadline=settings.job_deadline, jobs_per_user=settings.jobs_per_user)


def _work_policy(settings: Settings) -> WorkPolicy:
    return WorkPolicy(
        lease=settings.lease,
        deadline=settings.job_deadline,
        callback_base=settings.callback_base,
        is_single_process=settings.postgres_url is None,
    )


def _retention_policy(settings: Settings) -> RetentionPolicy:
    return RetentionPolicy(
        days=settings.retention_days or None,
        bytes_per_user=settings.retention_bytes_per_user or None,
    )


def _worker_policy(settings: Settings) -> WorkerPolicy:
    return WorkerPolicy(
        sweep=settings.worker_interval,
        poll=settings.poll_interval,
        concurrency=settings.worker_concurrency,
        lease=settings.lease,
        largest_film=settings.max_media,
    )


def _links(settings: Settings, secrets: Secrets, clock: Any, bucket: Bucket | None) -> MediaLinks:
    if bucket is not None:
        return BucketLinks(bucket, clock)
    return SignedLinks(settings.public_base, secrets.derived("media-links"), clock)


class Container(containers.DeclarativeContainer):
    """Only constructors are called here; what has to be opened and closed is the library's."""

    settings: providers.Dependency[Settings] = providers.Dependency(instance_of=Settings)
    #: Where the provider is: from the settings, or the simulator's address in demo mode.
    provider_url: providers.Dependency[str] = providers.Dependency(instance_of=str)

    # --- adapters -------------------------------------------------------------------------
    secrets = providers.Singleton(Secrets.of, settings)
    database = providers.Singleton(database_of, settings)
    clock = providers.Singleton(clock_of, database)
    ids = providers.Singleton(SystemIds)
    store = providers.Singleton(store_of, settings, database)
    passwords = providers.Singleton(
        BcryptPasswords, secrets.provided.pepper, settings.provided.bcrypt_cost
    )
    tokens = providers.Singleton(JwtTokens, secrets.provided.keys, clock)
    emails = providers.Singleton(ValidatedEmails)
    events = providers.Singleton(events_of, database, ids)
    bucket = providers.Singleton(bucket_of, settings)
    media = providers.Singleton(media_of, settings, bucket)
    links = providers.Singleton(_links, settings, secrets, clock, bucket)
    journal = providers.Singleton(
        FileJournal, providers.Callable(lambda found: found.data_dir / "journals", settings)
    )
    clients = providers.Singleton(
        OpenRouterClients,
        base_url=provider_url,
        api_key=providers.Callable(_provider_key, settings),
        submit_timeout=settings.provided.submit_timeout,
        text_timeout=settings.provided.text_timeout,
        image_timeout=settings.provided.image_timeout,
    )
    text_provider = providers.Singleton(OpenRouterTexts, clients)
    chat_provider = providers.Singleton(OpenRouterChats, clients)
    image_provider = providers.Singleton(
        OpenRouterImages, clients, route=settings.provided.image_route
    )
    video_provider = providers.Singleton(OpenRouterVideos, clients)
    catalogue = providers.Singleton(OpenRouterCatalogue, clients)
    cost_lookup = providers.Singleton(OpenRouterCosts, clients)

    # --- services -------------------------------------------------------------------------
    background = providers.Singleton(Background)
    health = providers.Singleton(ProviderHealth, catalogue)
    files = providers.Singleton(Files, store, media)
    models = providers.Singleton(Models, catalogue, background, clock)
    money = providers.Singleton(Money, store, models, clock, ids)
    keys = providers.Singleton(Keys, store, background, clock, ids)
    guesses = providers.Singleton(
        Guesses, store, clock, providers.Callable(_login_policy, settings)
    )
    users = providers.Singleton(
        Accounts,
        store,
        passwords,
        emails,
        files,
        events,
        clock,
        ids,
        guesses,
        is_registration_open=providers.Callable(
            lambda found: found.registration == "open", settings
        ),
    )
    sessions = providers.Singleton(
        Sessions,
        store,
        passwords,
        tokens,
        emails,
        clock,
        ids,
        providers.Callable(_session_policy, settings),
        guesses,
    )
    text_calls = providers.Singleton(
        TextCalls, store, media, health, clock, ids, timeout=settings.provided.text_timeout
    )
    texts = providers.Singleton(Texts, store, text_calls, text_provider, money, background)
    chats = providers.Singleton(Chats, text_calls, chat_provider, money, background)
    images = providers.Singleton(
        Images,
        store,
        image_provider,
        media,
        files,
        money,
        health,
        background,
        clock,
        ids,
        timeout=settings.provided.image_timeout,
        largest=settings.provided.max_media,
    )
    videos = providers.Singleton(
        Videos,
        store,
        media,
        files,
        money,
        events,
        clock,
        ids,
        providers.Callable(_video_policy, settings),
    )
    admin = providers.Singleton(
        Administration, store, events, clock, ids, deadline=settings.provided.job_deadline
    )
    work = providers.Singleton(
        Work, store, media, events, clock, ids, providers.Callable(_work_policy, settings)
    )
    costs = providers.Singleton(Costs, store, cost_lookup, clock)
    history = providers.Singleton(History, store, files, clock)
    retention = providers.Singleton(
        Retention, store, files, clock, ids, providers.Callable(_retention_policy, settings)
    )
    housekeeping = providers.Singleton(
        Housekeeping, store, files, images, costs, health, retention, clock
    )
    worker = providers.Factory(
        Worker,
        work,
        video_provider,
        media,
        events,
        journal,
        clock,
        ids,
        providers.Callable(_worker_policy, settings),
        is_inside=True,
    )


def new_container(
    settings: Settings, provider_url: str, adapters: Mapping[str, object]
) -> Container:
    """A container with some of its adapters replaced by given ones."""
    container = Container(settings=settings, provider_url=provider_url)
    for name, adapter in adapters.items():
        getattr(container, name).override(providers.Object(adapter))
    return container
