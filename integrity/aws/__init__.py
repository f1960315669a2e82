"""AWS as every room meets it: the session that clients come from, and what a refusal means."""
