"""A verified log file's bytes to the few raw events that somebody asked for. Pure.

Only bytes whose hash has matched the signed one are handed in. What an event means to a verdict is
not decided here, and nothing that is found here can change one but through `chain`.
"""
