"""Tables of text, of spreadsheets, and in memory."""
