"""What the product costs, measured against a floor in the same run: `python -m bench`."""
