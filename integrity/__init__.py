"""Proves that AWS CloudTrail logs are what CloudTrail delivered."""

__version__ = "0.1.0"
