"""The core: values in, values out. It has no client, no clock, no path and no environment."""
