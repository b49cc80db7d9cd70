"""Bind lists to the clients of a Pi-hole: groups, lists and networks, over its API."""
