"""One file for each format that the user's own data may have."""
