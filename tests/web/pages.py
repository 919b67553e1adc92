"""Every page in every state that is worth a look: one line each, for whoever looks at them all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import frozen
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import ConsoleMessage, Page, Request, ViewportSize

from tests.e2e.processes import ADMIN
from tests.web.furnished import Furnished

WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 390, "height": 844}


def _nothing(_: Page) -> None:
    pass


@frozen
class View:
    """A page, and what is done on it before one looks. In its address stand the furnished
    house's ids; `who` is one of its people, or a guest."""

    name: str
    path: str
    who: str = "ann"
    after: Callable[[Page], None] = _nothing
    site: str = "usual"

    @contextmanager
    def opened(self, chromium: Chromium, of: Furnished) -> Iterator[Page]:
        """The page in a tab of its own, wide and light. Afterwards it must have asked no stranger
        for anything, and no script may have failed or been forbidden."""
        site = of.sites[self.site]
        context = chromium.new_context(base_url=site, viewport=WIDE, reduced_motion="reduce")
        if self.who in of.cookies:
            context.add_cookies([{"name": "aigen", "value": of.cookies[self.who], "url": site}])
        page = context.new_page()
        complaints = listen(page, site, of.house.url)
        page.goto(self.path.format_map(of.ids))
        self.after(page)
        yield page
        context.close()
        assert not complaints


def listen(page: Page, *hosts: str) -> list[str]:
    """What goes wrong in a tab from now on: requests to others than these hosts, scripts that
    fail, and whatever the content security policy forbids."""
    complaints: list[str] = []

    def on_request(request: Request) -> None:
        if not request.url.startswith((*(f"{host}/" for host in hosts), "data:", "blob:")):
            complaints.append(f"asks {request.url}")

    def on_line(line: ConsoleMessage) -> None:
        if "Content Security Policy" in line.text:
            complaints.append(line.text)

    page.on("request", on_request)
    page.on("console", on_line)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def _log_in_wrongly(page: Page) -> None:
    page.get_by_label("E-mail").fill("ann@example.org")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("alert").wait_for()


def _ask_for_what_is_refused(page: Page) -> None:
    page.get_by_label("Prompt", exact=True).fill("Something bad sim:refuse")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("alert").wait_for()


def _draw(page: Page) -> None:
    page.get_by_label("Prompt", exact=True).fill("A harbour in the fog")
    page.get_by_role("button", name="Draw").click()
    page.locator("#results figure").wait_for()


def _draw_what_is_refused(page: Page) -> None:
    page.get_by_label("Prompt", exact=True).fill("Something bad sim:moderation")
    page.get_by_role("button", name="Draw").click()
    page.get_by_role("alert").wait_for()


def _film_without_a_picture(page: Page) -> None:
    page.get_by_label("Prompt", exact=True).fill("The clouds drift")
    page.get_by_role("button", name="Film").click()
    page.locator(".wrong").first.wait_for()


def _choose_what_is_too_dear(page: Page) -> None:
    page.get_by_label("Model").select_option("google/veo-3.1")
    page.get_by_text("It renews at").wait_for()


def _tick_all(page: Page) -> None:
    page.get_by_role("button", name="Tick all").click()


def _open_the_lightbox(page: Page) -> None:
    page.locator("a[data-light=image]").first.click()
    page.locator("#lightbox img").wait_for()


def _change_the_password_wrongly(page: Page) -> None:
    page.get_by_label("New password").fill("a brand new phrase")
    page.locator("#password_for_password").fill("wrong")
    page.get_by_role("button", name="Change the password").click()
    page.get_by_role("alert").wait_for()


def _open_a_user(page: Page) -> None:
    page.locator(".people summary").nth(1).click()


def _demote_the_last_admin(page: Page) -> None:
    me = page.locator(".people li", has_text=ADMIN["email"])
    me.locator("summary").click()
    me.get_by_role("button", name="Make a plain user").click()
    page.get_by_role("alert").wait_for()


def _make_a_reset_link(page: Page) -> None:
    _open_a_user(page)
    page.locator(".people details[open]").get_by_role("button", name="reset link").click()
    page.wait_for_url("**/reset-link")


def _make_a_key(page: Page) -> None:
    page.get_by_label("Name").fill("a notebook")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_role("heading", name="A new key").wait_for()


def _make_a_key_that_has_expired(page: Page) -> None:
    page.get_by_label("Name").fill("a notebook")
    page.get_by_label("Last day").fill("2020-01-01")
    page.get_by_role("button", name="Make the key").click()
    page.locator(".wrong").wait_for()


VIEWS = (
    View("login", "/login", "guest"),
    View("login-refused", "/login", "guest", _log_in_wrongly),
    View("login-demo", "/login", "guest", site="troubled"),
    View("reset", "/reset/{reset}", "guest"),
    View("nothing-here", "/nothing", "guest"),
    View("dashboard", "/"),
    View("dashboard-empty", "/", "new"),
    View("dashboard-troubled", "/", "root", site="troubled"),
    View("text", "/text"),
    View("text-empty", "/text", "new"),
    View("text-answered", "/text?turn={text}"),
    View("text-refused", "/text", after=_ask_for_what_is_refused),
    View("text-nothing-found", "/text?q=giraffe"),
    View("image", "/image"),
    View("image-empty", "/image", "new"),
    View("image-drawn", "/image", after=_draw),
    View("image-refused", "/image", after=_draw_what_is_refused),
    View("image-edited", "/image?picture=image/{image}/1"),
    View("image-looked-at", "/image/{several}"),
    View("video", "/video"),
    View("video-too-dear", "/video", after=_choose_what_is_too_dear),
    View("video-empty", "/video", "new"),
    View("video-from-image", "/video?tab=image"),
    View("video-animated", "/video?tab=image&picture=image/{image}/1"),
    View("video-without-picture", "/video?tab=image", after=_film_without_a_picture),
    View("video-queued", "/video/{queued}"),
    View("video-processing", "/video/{processing}"),
    View("video-completed", "/video/{completed}"),
    View("video-completed-tall", "/video/{tall}"),
    View("video-failed", "/video/{failed}"),
    View("video-unknown", "/video/{unknown}"),
    View("video-cancelled", "/video/{cancelled}"),
    View("gallery", "/gallery"),
    View("gallery-empty", "/gallery", "new"),
    View("gallery-ticked", "/gallery", after=_tick_all),
    View("gallery-lightbox", "/gallery", after=_open_the_lightbox),
    View("gallery-nothing-found", "/gallery?q=giraffe"),
    View("gallery-refused", "/gallery?since=2026-01-02&until=2026-01-01"),
    View("usage", "/usage"),
    View("usage-empty", "/usage", "new"),
    View("keys", "/keys"),
    View("keys-empty", "/keys", "new"),
    View("keys-refused", "/keys", "new", _make_a_key_that_has_expired),
    View("keys-made", "/keys", "root", _make_a_key),
    View("profile", "/users/profile"),
    View("profile-refused", "/users/profile", after=_change_the_password_wrongly),
    View("admin", "/admin", "root"),
    View("admin-user", "/admin", "root", _open_a_user),
    View("admin-nobody-found", "/admin?q=giraffe", "root"),
    View("admin-last-admin", "/admin?q=root", "root", _demote_the_last_admin),
    View("admin-reset-link", "/admin", "root", _make_a_reset_link),
    View("admin-audit", "/admin/audit", "root"),
    View("admin-spending", "/admin/usage", "root"),
    View("admin-spending-by-model", "/admin/usage?group=model", "root"),
    View("admin-spending-never", "/admin/usage?from=2020-01-02&to=2020-01-02", "root"),
    View("admin-limits", "/admin/users/{bob}/limits", "root"),
    View("admin-not-for-you", "/admin"),
)
