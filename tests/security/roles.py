"""Everybody who may come to a route, and what they find there: objects of ann's."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from attrs import frozen

from aigen.domain.model.images import ImageRequest
from aigen.domain.model.texts import TextRequest
from aigen.domain.model.users import Role
from aigen.domain.model.video_requests import VideoRequest
from tests.api.world import PASSWORD, UNKNOWN_ID, Client, Person, World

ROLES = ("nobody", "key", "user", "other", "admin", "removed", "demoted", "operator", "worker")

GENERATION = {"model": "m", "prompt": "p"}
_TURN = {"role": "user", "content": "p"}

#: These refuse a video that is still being made; and events of one would not end.
_OF_ENDED_VIDEOS = {
    "DELETE /generate/video/{video_id}",
    "DELETE /v1/videos/{video_id}",
    "POST /generate/video/{video_id}/retry",
    "GET /generate/video/{video_id}/events",
}

#: What stands in addresses beside the ids of objects.
_INNER = {
    "{worker_id}": UNKNOWN_ID,
    "{nonce}": "x.y",
    "{epoch}": "1",
    "{folder}": "a/b/",
    "{key}": "a/b/c",
}


@frozen(kw_only=True, eq=False)
class Cast:
    """The people by their roles. The `user` owns what is asked for, the `key` is hers; the
    `removed` and the `demoted` were administrators when they logged in."""

    world: World
    clients: dict[str, Client]
    user: Person

    @classmethod
    async def of(cls, world: World) -> "Cast":
        user, other, admin = await world.ann(), await world.bob(), await world.root()
        removed, demoted = await world.root(), await world.root()
        await world.aigen.users.remove(removed.id)
        await world.aigen.users.set_role(demoted.id, Role.USER)
        key = (await world.aigen.keys.make(user.id, "a program")).text
        found = {
            "nobody": world.anonymous,
            "key": world.bearing(key),
            "user": user,
            "other": other,
            "admin": admin,
            "removed": removed,
            "demoted": demoted,
            "operator": world.operator,
            "worker": world.worker,
        }
        assert found.keys() == set(ROLES)
        return cls(world=world, clients=found, user=user)

    async def path(self, route: str) -> str:
        """The address of a route, leading to an object that nobody has touched yet."""
        makers: dict[str, Callable[[], Awaitable[str]]] = {
            "{user_id}": self._victim,
            "{key_id}": self._key,
            "{text_id}": self._text,
            "{image_id}": self._image,
            "{video_id}": self._ended_video if route in _OF_ENDED_VIDEOS else self._video,
        }
        path = route.partition(" ")[2]
        for name, make in makers.items():
            if name in path:
                path = path.replace(name, await make())
        for name, value in _INNER.items():
            path = path.replace(name, value)
        return path

    async def body(self, route: str) -> Any:
        """What has to be sent along for the route to do its work."""
        if route == "POST /generate/archive":
            return {"ids": [await self._text()]}
        email = f"{uuid4()}@example.org"
        session = await self.world.login(self.user.email) if "/auth/" in route else self.user
        bodies: dict[str, Any] = {
            "POST /auth/register": {"email": email, "password": PASSWORD},
            "POST /auth/login": {"email": self.user.email, "password": PASSWORD},
            "POST /auth/refresh": {"refresh_token": session.refresh_token},
            "POST /auth/logout": {"refresh_token": session.refresh_token},
            "POST /auth/reset": {"token": "x", "new_password": PASSWORD},
            "PUT /users/me": {"current_password": PASSWORD, "email": email},
            "POST /users": {"email": email, "password": PASSWORD},
            "PUT /users/{user_id}/role": {"role": "user"},
            "PUT /users/{user_id}/limits": {"usd_day": None, "usd_month": None},
            "PUT /admin/limits": {"usd_day": None, "usd_month": None},
            "POST /admin/videos/{video_id}/resolve": {"charged": False},
            "POST /keys": {"name": "another"},
            "POST /v1/chat/completions": {"model": "m", "messages": [_TURN]},
            "POST /v1/images/generations": GENERATION,
            "POST /v1/videos": GENERATION,
            "POST /generate/delete": {"ids": [UNKNOWN_ID]},
            "POST /maintenance/prune": {},
            "POST /generate/quote": GENERATION | {"kind": "text"},
            "POST /generate/text": GENERATION,
            "POST /generate/image": GENERATION,
            "POST /generate/video": GENERATION,
            "POST /generate/video/from-image": GENERATION | {"image_url": "https://a.org/b.png"},
        }
        return bodies.get(route)

    # --- what they find -------------------------------------------------------------------

    async def _victim(self) -> str:
        """Somebody whom nobody here is."""
        user = await self.world.aigen.users.add(f"{uuid4()}@example.org", PASSWORD)
        return user.id

    async def _key(self) -> str:
        for old in await self.world.aigen.keys.list(self.user.id):
            if old.name == "one more":
                await self.world.aigen.keys.revoke(self.user.id, old.id)
        return (await self.world.aigen.keys.make(self.user.id, "one more")).key.id

    async def _text(self) -> str:
        request = TextRequest(model="m", prompt="p")
        return (await self.world.aigen.texts.generate(self.user.id, request)).id

    async def _image(self) -> str:
        request = ImageRequest(model="m", prompt="p")
        return (await self.world.aigen.images.generate(self.user.id, request)).id

    async def _video(self) -> str:
        request = VideoRequest(model="m", prompt="p")
        return (await self.world.aigen.videos.submit(self.user.id, request)).id

    async def _ended_video(self) -> str:
        video_id = await self._video()
        await self.world.aigen.videos.cancel(self.user.id, video_id)
        return video_id
