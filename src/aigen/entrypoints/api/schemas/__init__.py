"""What goes over the wire, one module for each noun; unknown fields are refused."""
