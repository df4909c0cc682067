"""A layer, a head and a dataset for archbuild."""
