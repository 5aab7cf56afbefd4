"""Build, pseudonymise, verify and submit radiotherapy-trial QA packages from one reviewed manifest."""

__version__ = "0.1.0"
