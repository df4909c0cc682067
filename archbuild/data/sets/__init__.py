"""One file for each dataset that has a name."""
