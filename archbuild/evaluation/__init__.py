"""Metrics with and without labels, k-means, the matching of clusters to classes, collapse."""
