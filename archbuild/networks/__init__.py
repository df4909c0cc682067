"""From a plan to a Keras network."""
