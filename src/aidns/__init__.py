"""DNS blocklists for generative-AI services, chosen by policy, backed by evidence and proved on real servers."""

__version__ = "0.1.0"
