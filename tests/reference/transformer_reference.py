"""Logits of a small GPT-2 or Llama model in float64 NumPy, token by token, written from the formulae.

usage: transformer_reference.py MODEL LOGITS
MODEL: one line of JSON (configuration, tokens, tensors as [name, layer, rows, columns]), then the
tensors' float32 numbers in that order. LOGITS: float64, tokens x vocabulary.
"""
import json
import sys

import numpy as np

with open(sys.argv[1], "rb") as file:
    head = json.loads(file.readline())
    weight = {}
    for name, layer, rows, columns in head["tensors"]:
        data = np.frombuffer(file.read(4 * rows * columns), "<f4").astype(np.float64)
        weight[name, layer] = data.reshape(rows, columns)
    assert file.read() == b""

gpt2 = head["gpt2"]
H, G, d = head["heads"], head["kv_heads"], head["head_dim"]


def get(name, layer=0):
    return weight.get((name, layer))


def linear(name, layer, x):
    bias = get(name + "_BIAS", layer)
    y = get(name, layer) @ x
    return y if bias is None else y + bias[0]


def norm(name, layer, x):
    if gpt2:
        centred = x - np.mean(x)
        unit = centred / np.sqrt(np.var(x) + head["epsilon"])
        return unit * get(name, layer)[0] + get(name + "_BIAS", layer)[0]
    return x / np.sqrt(np.mean(x * x) + head["epsilon"]) * get(name, layer)[0]


def rope(x, position):
    """Complex multiplication of pair i by exp(j position base^(-2i/d))."""
    turn = np.exp(1j * position * head["rope_base"] ** (-2.0 * np.arange(d // 2) / d))
    out = np.empty_like(x)
    if head["interleaved"]:
        z = (x[:, 0::2] + 1j * x[:, 1::2]) * turn
        out[:, 0::2], out[:, 1::2] = z.real, z.imag
    else:
        z = (x[:, : d // 2] + 1j * x[:, d // 2 :]) * turn
        out[:, : d // 2], out[:, d // 2 :] = z.real, z.imag
    return out


cache = [([], []) for _ in range(head["layers"])]
logits = []
for position, token in enumerate(head["tokens"]):
    x = get("TOKEN_EMBEDDING")[token].copy()
    if gpt2:
        x += get("POSITION_EMBEDDING")[position]
    for layer in range(head["layers"]):
        u = norm("ATTENTION_NORM", layer, x)
        q = linear("QUERY", layer, u).reshape(H, d)
        k = linear("KEY", layer, u).reshape(G, d)
        v = linear("VALUE", layer, u).reshape(G, d)
        if not gpt2:
            q, k = rope(q, position), rope(k, position)
        keys, values = cache[layer]
        keys.append(k)
        values.append(v)
        mixed = []
        for h in range(H):
            g = h * G // H
            score = np.array([q[h] @ past[g] for past in keys]) / np.sqrt(d)
            w = np.exp(score - score.max())
            w /= w.sum()
            mixed.append(sum(a * past[g] for a, past in zip(w, values)))
        x = x + linear("ATTENTION_OUTPUT", layer, np.concatenate(mixed))
        u = norm("FFN_NORM", layer, x)
        up = linear("FFN_UP", layer, u)
        if gpt2:
            hidden = 0.5 * up * (1 + np.tanh(np.sqrt(2 / np.pi) * (up + 0.044715 * up**3)))
        else:
            gate = linear("FFN_GATE", layer, u)
            hidden = gate / (1 + np.exp(-gate)) * up
        x = x + linear("FFN_DOWN", layer, hidden)
    x = norm("OUTPUT_NORM", 0, x)
    output = get("OUTPUT")
    logits.append((get("TOKEN_EMBEDDING") if output is None else output) @ x)
np.array(logits, "<f8").tofile(sys.argv[2])
