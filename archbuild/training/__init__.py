"""Training: stages, schedules, checkpoints and progress events."""
