"""What the linter of offers looks for: a module for each thing that a marketer may get wrong. All pure."""
