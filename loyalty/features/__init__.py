"""What purchases say of members: sums that one purchase changes in O(1), and what the whole program's say together."""
