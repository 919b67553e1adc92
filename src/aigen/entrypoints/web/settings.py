"""What the frontend has to be told."""

from datetime import timedelta

from attrs import field, frozen


@frozen(kw_only=True)
class WebSettings:
    """`keys` are secrets of the frontend's own, 32 bytes each: the first encrypts cookies, all
    decrypt them. `web_url` is the frontend as browsers see it, None if any `Host` will do.
    `web_token` makes the API believe us whose request we pass on."""

    api_url: str
    keys: tuple[bytes, ...] = field(repr=False)
    web_token: str = field(repr=False)
    web_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    max_body: int = 16 * 2**20
    retry_window: timedelta = timedelta(seconds=30)

    @property
    def is_https(self) -> bool:
        return self.web_url is not None and self.web_url.startswith("https://")
