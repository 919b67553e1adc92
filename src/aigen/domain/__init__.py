"""The inside of aigen: what is true whatever database, provider or framework surrounds it."""
