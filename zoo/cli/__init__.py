"""The typer front end: one module for each group of commands; parses, calls the API, prints."""
