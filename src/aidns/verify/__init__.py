"""Ask a running server whether it blocks what a policy says, and nothing else."""
