"""A part of the rule context, for the readers of the contract."""

RULE_CONTEXT = {
    "scopes": [
        {
            "scope": "member",
            "description": "Segments, rewards and offers, asked of a member.",
            "variables": ["member", "history", "features", "now", "local"],
        }
    ],
    "variables": [
        {
            "name": "member",
            "type": "object",
            "optional": False,
            "description": "The member, as known when the order was placed.",
            "example": None,
            "scopes": ["line", "order", "activity", "member"],
            "fields": [
                {
                    "name": "age",
                    "type": "int",
                    "optional": True,
                    "description": "Age in years; null without a date of birth.",
                    "example": 34,
                    "scopes": ["line", "order", "activity", "member"],
                    "fields": [],
                }
            ],
        }
    ],
    "functions": [{"name": "startsWith", "example": 'line.sku.startsWith("A-")'}],
    "macros": [{"name": "exists", "example": "order.lines.exists(l, l.quantity >= 10)"}],
    "bounds": {"length": 1000, "nesting": 12, "list_items": 100, "branches": 50, "pattern_length": 100},
    "examples": [
        {
            "scope": "member",
            "when": "member.age != null && member.age >= 18",
            "description": "Adults, where the age is known.",
        }
    ],
}
