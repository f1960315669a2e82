"""The service: one tick of it, and what it needs of the rooms below."""
