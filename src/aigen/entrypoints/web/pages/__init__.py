"""The pages, one blueprint for each noun."""

from aigen.entrypoints.web.pages.dashboard import dashboard
from aigen.entrypoints.web.pages.profile import profile
from aigen.entrypoints.web.pages.reset import reset
from aigen.entrypoints.web.pages.sign_in import sign_in
from aigen.entrypoints.web.pages.texts import texts

BLUEPRINTS = (sign_in, dashboard, texts, profile, reset)
