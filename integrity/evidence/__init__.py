"""What travels to whoever was not there: bundles of what a verification read."""
