"""Reads which kernels each release can take, and for what, from the releases' own sources."""
