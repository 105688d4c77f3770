"""What the check of a ladder looks for: a module for each thing that a marketer may get wrong. All pure."""
