"""The pages, one blueprint for each noun."""

from aigen.entrypoints.web.pages.admin import admin
from aigen.entrypoints.web.pages.dashboard import dashboard
from aigen.entrypoints.web.pages.gallery import gallery
from aigen.entrypoints.web.pages.images import images
from aigen.entrypoints.web.pages.keys import keys
from aigen.entrypoints.web.pages.profile import profile
from aigen.entrypoints.web.pages.reset import reset
from aigen.entrypoints.web.pages.sign_in import sign_in
from aigen.entrypoints.web.pages.spending import spending
from aigen.entrypoints.web.pages.texts import texts
from aigen.entrypoints.web.pages.usage import usage
from aigen.entrypoints.web.pages.videos import videos

BLUEPRINTS = (
    sign_in,
    dashboard,
    texts,
    images,
    videos,
    gallery,
    usage,
    keys,
    profile,
    reset,
    admin,
    spending,
)
