"""What the linter of earning rules looks for: a module for each thing that a marketer may get wrong. All pure."""
