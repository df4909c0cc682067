"""Modules that learn by exchanging messages on top of latents."""
