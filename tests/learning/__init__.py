"""Learning from orders."""
