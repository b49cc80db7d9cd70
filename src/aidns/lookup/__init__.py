"""Ask resolvers about names and remember what they said: spec → questions → answers → observations → spans."""
