"""Passes over programs: valid in, valid out."""
