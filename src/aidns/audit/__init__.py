"""Anybody's published list, looked over: holes, faults, injected lines and collateral."""
