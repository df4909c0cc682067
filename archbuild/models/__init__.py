"""The read side: what a run folder holds, opened."""
