"""Tests of my_app."""
