"""HDF5: arrays by name, and the counts of single cells."""
