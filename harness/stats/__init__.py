"""The statistics behind every claim: pure functions over numbers, with the standard library only.

Nothing here knows a run, a batch or a specialist. What a formula cannot answer is None with a
reason, or a `ValueError` that says why; it is never NaN.
"""
