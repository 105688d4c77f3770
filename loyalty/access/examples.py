"""A key, for the readers of the contract."""

NEW_KEY = {"scopes": ["orders", "members:read"], "name": "Web shop", "expires_at": "2036-01-01T00:00:00Z"}

KEY = {
    "key_id": "019c18a3-5b00-7d2b-9f00-5a1c0de0b1e5",
    "prefix": "loy_2kGLlKD",
    "name": "Web shop",
    "scopes": ["members:read", "orders"],
    "created_at": "2026-02-20T12:00:00Z",
    "expires_at": "2036-01-01T00:00:00Z",
    "revoked_at": None,
}

KEYS = {"data": [KEY], "next": None}

ISSUED_KEY = {**KEY, "secret": "loy_2kGLlKD…"}

REVOKED_KEY = {**KEY, "revoked_at": "2026-03-08T15:29:00Z"}
