"""The HTTP kit: problems, fields, idempotency, versions, the contract. It knows no slice."""
