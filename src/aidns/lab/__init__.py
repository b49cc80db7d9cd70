"""Real DNS servers in private, fed by an upstream that remembers every question it got."""
