"""Shapes of what a check finds."""

from typing import Any

from marshmallow import Schema, fields, pre_dump
from marshmallow.validate import OneOf

from loyalty.core.findings import Finding

# Who has more to mend begins with these.
FINDINGS_MAX = 1_000


class FindingSchema(Schema):
    """Something about a draft. An error keeps it from being published; a warning is probably not meant."""

    level = fields.String(required=True, validate=OneOf(["error", "warning"]))
    code = fields.String(required=True)
    pointer = fields.String(required=True)
    detail = fields.String(required=True)


class ReviewSchema(Schema):
    """What there is to be said of a draft, errors first, at most a thousand; `ok` without errors."""

    ok = fields.Boolean(required=True)
    errors = fields.Integer(required=True)
    warnings = fields.Integer(required=True)
    findings = fields.List(fields.Nested(FindingSchema), required=True)

    @pre_dump
    def _counted(self, found: list[Finding], **_kwargs: Any) -> dict[str, Any]:
        errors = sum(finding.level == "error" for finding in found)
        return {"ok": not errors, "errors": errors, "warnings": len(found) - errors, "findings": found[:FINDINGS_MAX]}
