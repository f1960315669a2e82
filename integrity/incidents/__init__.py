"""The records of a tick and the open incidents, to what is told to whom: no client, no clock."""
