"""Folders of images, and single ones."""
