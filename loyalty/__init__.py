"""A loyalty program engine in which every point is accounted for, always."""
