"""What both databases share: how values become rows, and the questions about history."""
