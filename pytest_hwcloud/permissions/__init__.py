"""Permissions that tests need, declare and have: findings, lock, proof, reports."""
