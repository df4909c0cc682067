"""The read side: runs, stages and models, opened from a run folder."""
