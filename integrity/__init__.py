"""Proves that AWS CloudTrail logs are what CloudTrail delivered."""
