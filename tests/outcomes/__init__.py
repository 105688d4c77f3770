"""What members spend after something."""
