"""What the program earns: reports on rollups and outcomes. Reads every slice's tables, writes none of them."""
