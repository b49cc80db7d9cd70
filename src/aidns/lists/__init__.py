"""Anybody's lists: read strictly, compiled by the million, fetched in a step of their own."""
