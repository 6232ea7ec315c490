"""Webhooks: who is told of movements, signed messages (Standard Webhooks) and their delivery."""
