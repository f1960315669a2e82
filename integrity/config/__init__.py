"""The configuration: a text and an environment, parsed once into one frozen value. Pure."""
