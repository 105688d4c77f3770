"""Offers as they were published, and the life of an offer that was given to a member: an assignment."""
