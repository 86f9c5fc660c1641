"""Containers that agents work in and that their work is graded in."""
