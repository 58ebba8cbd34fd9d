"""What engines do to numbers: recipes, quantized arrays, and the quality of weights."""
