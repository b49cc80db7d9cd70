"""Publishing: what is published, what shall be, the plan between them, and the one switch that makes it so.

read(out)                            -> Published   [I/O] manifest of the current build, damaged files
plan(published, desired, request, t) -> Plan        pure: sorted changes with reasons, guards, target manifest
apply(plan, out)                     -> Receipt     [I/O] a new build beside the old one, then one rename
"""
