"""E-mail addresses checked by email-validator; nothing is looked up."""

import unicodedata

import email_validator
from email_validator import EmailNotValidError, validate_email

from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.users import EmailAddress
from aigen.ports.security import EmailParser

# Names for one's own machine and network (localhost, .local, .test, …) are refused by default;
# here they are what a self-hoster's people may well have. The library says to change this list.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


class ValidatedEmails(EmailParser):
    def parse(self, text: str) -> EmailAddress:
        typed = text.strip()
        try:
            found = validate_email(typed, check_deliverability=False, globally_deliverable=False)
        except (EmailNotValidError, UnicodeError) as error:
            raise InvalidRequest(
                f"This is not an e-mail address: {error}", field="email"
            ) from error
        local = unicodedata.normalize("NFC", found.local_part.casefold())
        domain = (found.ascii_domain or found.domain).lower()
        return EmailAddress(typed=typed, identity=f"{local}@{domain}")
