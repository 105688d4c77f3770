"""What the templates of messages refuse."""

from collections.abc import Sequence
from typing import Any

from loyalty.core.errors import NotFound, RuleRefused
from loyalty.core.findings import meant


class MessageKindNotFound(NotFound):
    """Members are told of no such thing."""

    code = "message-kind-not-found"

    def __init__(self, kind: str, known: Sequence[str]) -> None:
        super().__init__(f"There is no kind of message '{kind}'.{meant(kind, known)}", kind=kind)


class TemplateNotFound(NotFound):
    """There is no template for this kind of message in this language."""

    code = "template-not-found"

    def __init__(self, kind: str, language: str) -> None:
        super().__init__(f"There is no template for '{kind}' in '{language}'.", kind=kind, language=language)


class LanguageUnknown(RuleRefused):
    """Nobody speaks this language, as far as is known."""

    code = "language-unknown"

    def __init__(self, language: str) -> None:
        super().__init__(f"'{language}' is no language that is known. Write it as in pl or pt-BR.", language=language)


class TemplateInvalid(RuleRefused):
    """The template cannot be used as it is."""

    code = "template-invalid"

    def __init__(self, errors: Sequence[dict[str, Any]]) -> None:
        super().__init__("The template cannot be used as it is: POST …/check says more.", errors=list(errors))
