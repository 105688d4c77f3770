"""What members say when they are asked: NPS, CSAT, CES."""
