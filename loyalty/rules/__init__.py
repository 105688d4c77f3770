"""Rules: the language of conditions, what a condition may name, and whether it can be answered."""
