"""Training: stages, schedules, checkpoints and the events that they emit."""
