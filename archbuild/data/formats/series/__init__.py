"""Series of the UCR and UEA archives."""
