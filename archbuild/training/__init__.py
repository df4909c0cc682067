"""Training: stages, schedules, checkpoints and the job that strings them together."""
