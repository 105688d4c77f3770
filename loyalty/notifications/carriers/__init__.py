"""Those who carry messages out of the house. Each knows one way out, and none knows the database."""
