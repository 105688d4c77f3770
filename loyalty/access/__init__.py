"""Who may call: keys, their scopes, and the guard on every blueprint. It knows programs only by id."""
