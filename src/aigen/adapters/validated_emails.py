"""E-mail addresses checked by email-validator; nothing is looked up."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.users import EmailAddress
from aigen.ports.security import EmailParser


class ValidatedEmails(EmailParser):
    def parse(self, text: str) -> EmailAddress:
        typed = text.strip()
        try:
            # Not only deliverable ones: somebody may well be ann@localhost on her own machine.
            found = validate_email(typed, check_deliverability=False, globally_deliverable=False)
        except (EmailNotValidError, UnicodeError) as error:
            raise InvalidRequest(
                f"This is not an e-mail address: {error}", field="email"
            ) from error
        local = unicodedata.normalize("NFC", found.local_part.casefold())
        domain = (found.ascii_domain or found.domain).lower()
        return EmailAddress(typed=typed, identity=f"{local}@{domain}")
