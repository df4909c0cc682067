"""Zarr: arrays in chunks, a folder or a zip archive of small files."""
