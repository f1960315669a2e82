"""From a trail and a window to a record: plan segments, check each, join their results."""
