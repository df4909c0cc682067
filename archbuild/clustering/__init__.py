"""Ways to find clusters in points: k-means, t-SNE, starts of heads. NumPy and scikit-learn only."""
