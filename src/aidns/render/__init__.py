"""Rendering: a block set in one format, with a report of what the format cannot say."""
