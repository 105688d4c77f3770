"""Who someone is: ladders of tiers, and how members go up and down on them."""
