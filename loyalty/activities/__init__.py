"""What members do that is not an order: reviews, birthdays, referrals."""
