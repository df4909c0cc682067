"""Arrays by name or alone, and matrices of text."""
