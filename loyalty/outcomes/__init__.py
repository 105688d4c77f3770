"""What members spent before and after something: an offer, a holdout, an answer. Increment is worked out of it."""
