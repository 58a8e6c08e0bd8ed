"""Generated data that Python and Rust make alike, bit for bit: splitmix64 and plain IEEE arithmetic."""

import numpy as np

MASK = (1 << 64) - 1


def uniforms(seed, count):
    """`count` numbers in [0, 1) from splitmix64."""
    state, values = seed, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        values.append((z >> 11) / (1 << 53))
    return values


def dataset(seed, n, d, q):
    """n × d features in [-1, 1) and n × q labels: label k follows features k and k+1 with some noise."""
    u = iter(uniforms(seed, n * d + n * q))
    x = [[2.0 * next(u) - 1.0 for _ in range(d)] for _ in range(n)]
    y = [[int(row[k % d] + 0.5 * row[(k + 1) % d] + (next(u) - 0.5) > 0.25) for k in range(q)] for row in x]
    return np.array(x), np.array(y)
