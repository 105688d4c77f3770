"""The member as shops see one: who it is, what it holds, at which tier."""
