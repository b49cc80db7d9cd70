"""The catalogue: where it lies, how it is read, what is wrong with it."""
