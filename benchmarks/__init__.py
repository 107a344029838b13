"""Measures what has to be fast: ``python -m benchmarks [--quick] [--years N] [NAME…]``.

What is compared runs side by side in one process, in interleaved pairs, so that whatever else the machine does falls
on both; reported are the median of the pairs and the quartiles around it.
"""
