"""Turns what the interpreter reports into a trace."""
