"""Tables of Arrow: Parquet and Feather."""
