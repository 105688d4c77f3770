"""A reward and its redemption, for the readers of the contract."""

NEW_REWARD = {
    "name": "5 off",
    "type": "discount_amount",
    "points": 25,
    "value": {"amount": 500},
    "stock": 1000,
    "valid_from": "2026-01-01T00:00:00Z",
    "valid_to": None,
    "fulfilment": "code",
}

REWARD = {**NEW_REWARD, "code": "five-off", "version": 1}

REWARDS = {"data": [REWARD], "next": None}

NEW_REDEMPTION = {"reward": "five-off", "redemption_id": "r-1001"}

REDEEMED = {
    "redemption_id": "r-1001",
    "reward": "five-off",
    "status": "confirmed",
    "points": 25,
    "voucher": {
        "code": "7KQ2-M9XD-0T4F",
        "value": {"type": "discount_amount", "amount": 500},
        "expires_at": None,
    },
}

REDEMPTION_RECEIPT = {**REDEEMED, "balance": {"available": 5, "pending": 0, "held": 0, "debt": 0}}

REDEMPTION = {**REDEEMED, "customer_id": "c-42", "redeemed_at": "2026-03-08T15:29:00Z"}
