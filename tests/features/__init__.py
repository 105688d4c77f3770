"""What purchases say of members."""
