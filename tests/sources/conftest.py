"""The fixtures of an AWS that is the lab's."""

from tests.lab_aws import aws, bare_environment, lab, recipe, world

__all__ = ["aws", "bare_environment", "lab", "recipe", "world"]
