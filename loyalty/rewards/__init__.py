"""What points are spent on: the catalogue, and redemption."""
