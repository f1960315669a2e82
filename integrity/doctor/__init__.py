"""Whether a configuration would work: tried against AWS, before a night depends on it."""
