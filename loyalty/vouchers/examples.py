"""Vouchers, for the readers of the contract."""

VALUE = {"type": "discount_amount", "amount": 500}

# Codes of your own; with `"count": 2` in their place, new ones are drawn.
CODES = ["7KQ2-M9XD-0T4F", "1VDN-8Y3C-HGA5"]

NEW_BATCH = {
    "batch_id": "spring-2026",
    "codes": CODES,
    "value": VALUE,
    "valid_from": "2026-03-01T00:00:00Z",
    "expires_at": None,
    "uses_allowed": 1,
    "per_customer": None,
}

BATCH = {"batch_id": "spring-2026", "count": 2, "codes": CODES}

WISH = {"order_id": "A-1001", "customer_id": "c-42", "order_total": 3490}

RELEASE = {"order_id": "A-1001"}

VALIDATION = {
    "code": "7KQ2-M9XD-0T4F",
    "valid": False,
    "value": VALUE,
    "discount": 500,
    "uses": {"allowed": 1, "used": 1, "left": 0},
    "valid_from": "2026-03-01T00:00:00Z",
    "expires_at": "2026-07-01T00:00:00Z",
    "reasons": [
        {
            "code": "voucher-used-up",
            "detail": "'7KQ2-M9XD-0T4F' can be used once, and it was.",
            "voucher": "7KQ2-M9XD-0T4F",
            "allowed": 1,
            "used": 1,
        }
    ],
}

REDEEMED = {
    "code": "7KQ2-M9XD-0T4F",
    "order_id": "A-1001",
    "customer_id": "c-42",
    "order_total": 3490,
    "value": VALUE,
    "discount": 500,
    "uses": {"allowed": 1, "used": 1, "left": 0},
    "redeemed_at": "2026-03-08T15:29:00Z",
}

RELEASED = {
    "code": "7KQ2-M9XD-0T4F",
    "order_id": "A-1001",
    "uses": {"allowed": 1, "used": 0, "left": 1},
    "released_at": "2026-03-08T16:00:00Z",
}

VOUCHER = {
    "code": "7KQ2-M9XD-0T4F",
    "status": "active",
    "value": VALUE,
    "bound": True,
    "uses": {"allowed": 1, "used": 0, "left": 1},
    "per_customer": None,
    "issued_at": "2026-03-01T12:00:00Z",
    "valid_from": None,
    "expires_at": "2026-07-01T00:00:00Z",
    "voided_at": None,
    "void_reason": None,
    "origin": "reward",
    "batch_id": None,
    "redemption_id": "r-1001",
    "assignment_id": None,
}

VOUCHERS = {"data": [VOUCHER], "next": None}

OF_BATCH = {
    **VOUCHER, "bound": False, "origin": "batch", "batch_id": "spring-2026", "redemption_id": None, "customer_id": None,
}  # fmt: skip

BATCH_VOUCHERS = {"data": [OF_BATCH], "next": None}

VOID = {"reason": "printed twice"}

VOIDED = {**VOUCHER, "status": "void", "voided_at": "2026-03-08T16:00:00Z", "void_reason": "printed twice"}
