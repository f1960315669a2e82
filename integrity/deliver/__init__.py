"""Places to tell: a message, or a tick's numbers, handed over to one of them. One file a place."""
