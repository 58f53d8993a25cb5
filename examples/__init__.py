"""Short scripts to read top to bottom; run one by python -m examples.NAME."""
