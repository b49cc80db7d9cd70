"""Prove policies on the real servers of this machine: each list on the server that reads it, in private."""
