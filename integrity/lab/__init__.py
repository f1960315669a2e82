"""A CloudTrail in a box: real signed chains, named attacks on them, and a server to show them."""
