"""The write side: a request, its data and spec, and the stages that it trains."""
