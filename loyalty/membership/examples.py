"""A member, for the readers of the contract. A test sends what is sent and validates what is answered."""

NEW_MEMBER = {
    "email": "ada@example.com",
    "phone": "+48221234567",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "birth_date": "1990-12-10",
    "locale": "pl",
    "attributes": {"favourite_shop": "Warszawa 3"},
    "consents": {"email": True},
    "enrolled_at": "2026-02-01T09:00:00+01:00",
}

CONTACT = {"email": "ada@example.com"}

MEMBER = {
    **NEW_MEMBER,
    "customer_id": "c-42",
    "member_id": "019c18a3-5b00-7d2b-9f00-5a1c0de0b1e5",
    "status": "active",
    "enrolled_at": "2026-02-01T08:00:00Z",
    "tier": None,
    "balance": {"available": 30, "pending": 0, "held": 0, "debt": 0},
    "referral_code": "7KQ2-M9XD-0T",
    "referred_by": None,
    "merged_into": None,
}

MEMBERS = {"data": [MEMBER], "next": None}
