"""Templates of messages, for the readers of the contract."""

_WORDS = {
    "subject": "Masz nowe punkty: {{ points|points }}",
    "text": "{% if member.first_name %}Cześć, {{ member.first_name }}!{% else %}Cześć!{% endif %}\n\n"
    'Masz teraz {{ balance.available|plural(one="# punkt", few="# punkty", many="# punktów", other="# punktu") }}.',
}

NEW_TEMPLATE = {**_WORDS, "html": None}

TEMPLATE = {"kind": "points_earned", "language": "pl", "source": "own", "version": 1, **NEW_TEMPLATE}

SHIPPED_TEMPLATE = {
    "kind": "points_earned", "language": "pl", "source": "shipped", "version": 0,
    "subject": "{{ points|points }} na Twoim koncie", "text": "Dzień dobry!", "html": None,
}  # fmt: skip

TEMPLATE_VERSIONS = {
    "data": [
        {
            "version": 1, "withdrawn": False, **NEW_TEMPLATE, "published_at": "2026-03-01T12:00:00Z",
            "published_by": "01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5",
        }
    ],
    "next": None,
}  # fmt: skip

MESSAGE_KINDS = {
    "data": [
        {
            "kind": "points_matured",
            "category": "transactional",
            "when": "Points that were pending can be used.",
            "variables": [
                {"name": "member.first_name", "type": "text", "nullable": True},
                {"name": "points", "type": "points", "nullable": False},
            ],
            "languages": [
                {"language": "en", "source": "shipped", "version": 0},
                {"language": "pl", "source": "own", "version": 3},
            ],
        }
    ],
    "next": None,
}

TEMPLATE_REVIEW = {
    "ok": True,
    "errors": 0,
    "warnings": 1,
    "findings": [
        {
            "level": "warning",
            "code": "may-be-unknown",
            "pointer": "/text",
            "detail": "Line 1: member.first_name is not always known: ask {% if %} first, or give it |default.",
        }
    ],
}

PREVIEW = {"customer_id": "c-42", "subject": "Masz {{ points|points }} pkt"}

PREVIEWED = {
    "subject": "Masz 120 pkt",
    "text": "Cześć, Ada!",
    "html": "<!doctype html>\n<html>…</html>",
    "language": "pl",
    "sample": False,
    "message_id": "01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5",
}
