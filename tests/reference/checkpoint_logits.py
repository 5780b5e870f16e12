"""Logits of checkpoints in files, against a float64 NumPy model that reads the files by itself.

usage: checkpoint_logits.py MODEL_LOGITS                      random small models, both kinds of file
       checkpoint_logits.py MODEL_LOGITS MODEL TEXT [TOKENS]  a real model over the beginning of a text
MODEL_LOGITS is the test program of that name. Exit status 1 if they differ by more than rounding.

Independent of the C code: the readers of GGUF and safetensors, the dequantisation, the position
encoding, the model. With PyPI's `tokenizers` installed, the token ids of a real GGUF model's text too.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

import numpy as np


def blocks_to_numbers(kind, raw):
    """GGML types 0 F32, 1 F16, 3 Q4_1, 8 Q8_0: 32 weights a block behind float16 scale (and offset)."""
    if kind in (0, 1):
        return np.frombuffer(raw, "<f4" if kind == 0 else "<f2").astype(np.float64)
    if kind == 8:
        block = np.frombuffer(raw, np.dtype([("d", "<f2"), ("q", "i1", 32)]))
        return (block["d"].astype(np.float64)[:, None] * block["q"]).ravel()
    if kind == 3:
        block = np.frombuffer(raw, np.dtype([("d", "<f2"), ("m", "<f2"), ("q", "u1", 16)]))
        nibbles = np.concatenate([block["q"] & 15, block["q"] >> 4], axis=1)
        return (block["d"].astype(np.float64)[:, None] * nibbles + block["m"].astype(np.float64)[:, None]).ravel()
    sys.exit(f"checkpoint_logits: this reference does not read tensor type {kind}")


BLOCK = {0: (1, 4), 1: (1, 2), 3: (32, 20), 8: (32, 34)}


def read_gguf(path):
    """Metadata, tensors by name, and the bytes in front of the list of tensors."""
    data, at = open(path, "rb").read(), 4

    def take(code):
        nonlocal at
        (value,) = struct.unpack_from("<" + code, data, at)
        at += struct.calcsize("<" + code)
        return value

    def text():
        nonlocal at
        size = take("Q")
        at += size
        return data[at - size : at].decode()

    def value(kind):
        if kind == 8:
            return text()
        if kind == 9:
            kind, count = take("I"), take("Q")
            return [value(kind) for _ in range(count)]
        return take({10: "Q", 11: "q", 12: "d"}.get(kind) or "BbHhIif?"[kind])

    take("I")
    tensors, keys = take("Q"), take("Q")
    meta = {}
    for _ in range(keys):
        name = text()
        meta[name] = value(take("I"))
    head = data[:at]
    found = {}
    for _ in range(tensors):
        name = text()
        shape = [take("Q") for _ in range(take("I"))][::-1]
        found[name] = shape, take("I"), take("Q")
    align = meta.get("general.alignment", 32)
    base = -(-at // align) * align
    weight = {}
    for name, (shape, kind, offset) in found.items():
        per, size = BLOCK.get(kind) or sys.exit(f"checkpoint_logits: tensor type {kind}")
        length = int(np.prod(shape)) // per * size
        weight[name] = blocks_to_numbers(kind, data[base + offset : base + offset + length]).reshape(shape)
    return meta, weight, head


def llama_of_gguf(path):
    meta, w, _ = read_gguf(path)
    key = lambda name: meta["llama." + name]
    names = {"n1": "attn_norm", "q": "attn_q", "k": "attn_k", "v": "attn_v", "o": "attn_output", "n2": "ffn_norm",
             "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down"}
    layers = [{s: w[f"blk.{i}.{long}.weight"] for s, long in names.items()} for i in range(key("block_count"))]
    return dict(heads=key("attention.head_count"), groups=key("attention.head_count_kv"), gpt2=False, pairs=True,
                base=meta.get("llama.rope.freq_base", 10000.0), epsilon=key("attention.layer_norm_rms_epsilon"),
                layers=layers, words=w["token_embd.weight"], norm=w["output_norm.weight"],
                output=w.get("output.weight", w["token_embd.weight"])), meta


def read_folder(path):
    config = json.load(open(path + "/config.json"))
    index = path + "/model.safetensors.index.json"
    files = set(json.load(open(index))["weight_map"].values()) if os.path.exists(index) else ["model.safetensors"]
    w = {}
    for name in files:
        data = open(f"{path}/{name}", "rb").read()
        (size,) = struct.unpack_from("<Q", data)
        for tensor, about in json.loads(data[8 : 8 + size]).items():
            if tensor != "__metadata__":
                first, last = about["data_offsets"]
                raw = data[8 + size + first : 8 + size + last]
                if about["dtype"] == "BF16":
                    numbers = (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
                else:
                    numbers = np.frombuffer(raw, {"F32": "<f4", "F16": "<f2"}[about["dtype"]])
                w[tensor] = numbers.astype(np.float64).reshape(about["shape"])
    if config["model_type"] == "gpt2":
        layers = []
        for i in range(config["n_layer"]):
            g = lambda name: w[f"h.{i}.{name}"]
            (q, k, v), (qb, kb, vb) = np.split(g("attn.c_attn.weight").T, 3), np.split(g("attn.c_attn.bias"), 3)
            layers.append({"n1": g("ln_1.weight"), "n1b": g("ln_1.bias"), "q": q, "k": k, "v": v, "qb": qb, "kb": kb,
                           "vb": vb, "o": g("attn.c_proj.weight").T, "ob": g("attn.c_proj.bias"),
                           "n2": g("ln_2.weight"), "n2b": g("ln_2.bias"), "up": g("mlp.c_fc.weight").T,
                           "upb": g("mlp.c_fc.bias"), "down": g("mlp.c_proj.weight").T, "downb": g("mlp.c_proj.bias")})
        return dict(heads=config["n_head"], groups=config["n_head"], gpt2=True, epsilon=config["layer_norm_epsilon"],
                    layers=layers, words=w["wte.weight"], places=w["wpe.weight"], norm=w["ln_f.weight"],
                    normb=w["ln_f.bias"], output=w["wte.weight"])
    names = {"n1": "input_layernorm", "q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj",
             "o": "self_attn.o_proj", "n2": "post_attention_layernorm", "gate": "mlp.gate_proj", "up": "mlp.up_proj",
             "down": "mlp.down_proj"}
    layers = [{s: w[f"model.layers.{i}.{long}.weight"] for s, long in names.items()}
              for i in range(config["num_hidden_layers"])]
    return dict(heads=config["num_attention_heads"], groups=config["num_key_value_heads"], gpt2=False, pairs=False,
                base=config["rope_theta"], epsilon=config["rms_norm_eps"], layers=layers,
                words=w["model.embed_tokens.weight"], norm=w["model.norm.weight"], output=w["lm_head.weight"])


def logits_of(m, ids):
    n, gpt2 = len(ids), m["gpt2"]

    def norm(x, gain, bias):
        if gpt2:
            x = x - x.mean(1, keepdims=True)
        y = x / np.sqrt((x * x).mean(1, keepdims=True) + m["epsilon"]) * gain
        return y + bias if gpt2 else y

    def turn(x):  # x[n][heads][d]
        d = x.shape[2]
        phase = np.exp(1j * np.arange(n)[:, None] * m["base"] ** (-2.0 * np.arange(d // 2) / d))[:, None, :]
        a = (slice(0, None, 2), slice(1, None, 2)) if m["pairs"] else (slice(0, d // 2), slice(d // 2, None))
        z = (x[..., a[0]] + 1j * x[..., a[1]]) * phase
        y = np.empty_like(x)
        y[..., a[0]], y[..., a[1]] = z.real, z.imag
        return y

    x = m["words"][ids] + (m["places"][:n] if gpt2 else 0.0)
    for layer in m["layers"]:
        dense = lambda name, u: u @ layer[name].T + layer.get(name + "b", 0.0)
        u = norm(x, layer["n1"], layer.get("n1b"))
        q = dense("q", u).reshape(n, m["heads"], -1)
        k, v = dense("k", u).reshape(n, m["groups"], -1), dense("v", u).reshape(n, m["groups"], -1)
        if not gpt2:
            q, k = turn(q), turn(k)
        k, v = (np.repeat(y, m["heads"] // m["groups"], axis=1) for y in (k, v))
        score = np.einsum("thd,shd->hts", q, k) / np.sqrt(q.shape[2])
        score = np.where(np.tri(n, dtype=bool), score, -np.inf)
        weight = np.exp(score - score.max(2, keepdims=True))
        weight /= weight.sum(2, keepdims=True)
        x = x + dense("o", np.einsum("hts,shd->thd", weight, v).reshape(n, -1))
        u = norm(x, layer["n2"], layer.get("n2b"))
        up = dense("up", u)
        if gpt2:
            hidden = 0.5 * up * (1 + np.tanh(np.sqrt(2 / np.pi) * (up + 0.044715 * up**3)))
        else:
            gate = dense("gate", u)
            hidden = gate / (1 + np.exp(-gate)) * up
        x = x + dense("down", hidden)
    return norm(x, m["norm"], m.get("normb")) @ m["output"].T


def compare(program, path, model, ids, folder, bound):
    np.asarray(ids, "<u4").tofile(folder + "/ids")
    subprocess.run([program, path, "run", folder + "/ids", folder + "/logits"], check=True)
    expected = logits_of(model, ids)
    got = np.fromfile(folder + "/logits", "<f4").astype(np.float64).reshape(expected.shape)
    error, rms = np.abs(got - expected), np.sqrt(np.mean(expected**2))
    same = np.mean(got.argmax(1) == expected.argmax(1))
    print(f"{os.path.basename(path)}: {len(ids)} tokens, logits differ by at most {error.max():.3g}, rms "
          f"{np.sqrt(np.mean(error**2)):.3g}, of rms {rms:.3g}; most likely token the same in {100 * same:.2f} %")
    return bool(error.max() <= bound * rms)


def write_gguf(path, rng):
    """A Llama of two layers with F32, F16, Q4_1 and Q8_0 matrices and a byte-level vocabulary."""
    width, d, heads, groups, wide, words = 64, 16, 4, 2, 96, 256
    bare = [chr(c) for c in range(33, 127)] + [chr(c) for c in range(161, 173)] + [chr(c) for c in range(174, 256)]
    text = lambda s: struct.pack("<Q", len(s.encode())) + s.encode()
    entry = lambda key, kind, body: text(key) + struct.pack("<I", kind) + body
    pieces = bare + [chr(256 + i) for i in range(256 - len(bare))]
    array = lambda kind, items: struct.pack("<IQ", kind, len(items)) + b"".join(items)
    whole = {"block_count": 2, "context_length": 64, "embedding_length": width, "feed_forward_length": wide,
             "attention.head_count": heads, "attention.head_count_kv": groups, "rope.dimension_count": d}
    meta = [entry("general.architecture", 8, text("llama")), entry("tokenizer.ggml.model", 8, text("gpt2")),
            entry("tokenizer.ggml.pre", 8, text("smollm")),
            entry("tokenizer.ggml.tokens", 9, array(8, [text(p) for p in pieces])),
            entry("tokenizer.ggml.token_type", 9, array(5, [struct.pack("<i", 1)] * words)),
            entry("tokenizer.ggml.merges", 9, array(8, [])),
            entry("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", 1e-5)),
            entry("llama.rope.freq_base", 6, struct.pack("<f", 5000.0))]
    meta += [entry("llama." + key, 4, struct.pack("<I", number)) for key, number in whole.items()]
    shapes = {"token_embd": (words, width, 8), "output_norm": (0, width, 0), "output": (words, width, 1)}
    for i in range(2):
        for name, rows, columns, kind in (
                ("attn_norm", 0, width, 0), ("attn_q", heads * d, width, 3), ("attn_k", groups * d, width, 8),
                ("attn_v", groups * d, width, 1), ("attn_output", width, heads * d, 3), ("ffn_norm", 0, width, 0),
                ("ffn_gate", wide, width, 3), ("ffn_up", wide, width, 0), ("ffn_down", width, wide, 3)):
            shapes[f"blk.{i}.{name}"] = rows, columns, kind
    index, body = b"", b""
    for name, (rows, columns, kind) in shapes.items():
        count = max(rows, 1) * columns
        body += bytes(-len(body) % 32)
        size = [columns] + ([rows] if rows else [])
        index += text(name + ".weight") + struct.pack(f"<I{len(size)}QIQ", len(size), *size, kind, len(body))
        scale = np.full(count // 32, 0.02, "<f2")[:, None].view("u1")
        if kind == 8:
            body += np.hstack([scale, rng.integers(-40, 41, (count // 32, 32)).astype("i1").view("u1")]).tobytes()
        elif kind == 3:
            scale = np.full(count // 32, 0.1, "<f2")[:, None].view("u1")
            offset = np.full(count // 32, -0.75, "<f2")[:, None].view("u1")
            body += np.hstack([scale, offset, rng.integers(0, 256, (count // 32, 16)).astype("u1")]).tobytes()
        else:
            mean = 0.0 if rows else 1.0
            body += (mean + 0.3 * rng.standard_normal(count)).astype("<f2" if kind == 1 else "<f4").tobytes()
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(meta)) + b"".join(meta) + index
    open(path, "wb").write(head + bytes(-len(head) % 32) + body)


def write_folder(path, rng, gpt2):
    """A model of two layers; GPT-2 in one file, Llama in two shards; F32, F16 and BF16 in turn."""
    width, heads, groups, wide, words = 48, 4, (4 if gpt2 else 2), 80, 70
    d = width // heads
    shapes = {}
    if gpt2:
        config = dict(model_type="gpt2", n_layer=2, n_head=heads, n_embd=width, n_positions=64, n_ctx=64,
                      vocab_size=words, layer_norm_epsilon=1e-5, activation_function="gelu_new", n_inner=wide)
        shapes = {"wte.weight": (words, width), "wpe.weight": (64, width), "ln_f.weight": (width,), "ln_f.bias": (width,)}
        for i in range(2):
            for name, size in (("ln_1", (width,)), ("attn.c_attn", (width, 3 * width)), ("attn.c_proj", (width, width)),
                               ("ln_2", (width,)), ("mlp.c_fc", (width, wide)), ("mlp.c_proj", (wide, width))):
                shapes[f"h.{i}.{name}.weight"], shapes[f"h.{i}.{name}.bias"] = size, size[-1:]
    else:
        config = dict(model_type="llama", num_hidden_layers=2, num_attention_heads=heads, num_key_value_heads=groups,
                      hidden_size=width, intermediate_size=wide, max_position_embeddings=64, vocab_size=words,
                      rms_norm_eps=1e-5, rope_theta=7000.0, hidden_act="silu", tie_word_embeddings=False)
        shapes = {"model.embed_tokens.weight": (words, width), "lm_head.weight": (words, width),
                  "model.norm.weight": (width,)}
        for i in range(2):
            for name, size in (("input_layernorm", (width,)), ("self_attn.q_proj", (width, width)),
                               ("self_attn.k_proj", (groups * d, width)), ("self_attn.v_proj", (groups * d, width)),
                               ("self_attn.o_proj", (width, width)), ("post_attention_layernorm", (width,)),
                               ("mlp.gate_proj", (wide, width)), ("mlp.up_proj", (wide, width)),
                               ("mlp.down_proj", (width, wide))):
                shapes[f"model.layers.{i}.{name}.weight"] = size
    os.mkdir(path)
    json.dump(config, open(path + "/config.json", "w"))
    shards = ["model.safetensors"] if gpt2 else ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    where = {name: shards[i % len(shards)] for i, name in enumerate(shapes)}
    for shard in shards:
        header, body = {}, b""
        for i, name in enumerate(n for n in shapes if where[n] == shard):
            gain = len(shapes[name]) == 1 and name.endswith("weight")
            number = ((1.0 if gain else 0.0) + 0.25 * rng.standard_normal(shapes[name])).astype("<f4")
            raw = (number.tobytes(), number.astype("<f2").tobytes(), (number.view("<u4") >> 16).astype("<u2").tobytes())[i % 3]
            header[name] = dict(dtype=("F32", "F16", "BF16")[i % 3], shape=list(shapes[name]),
                                data_offsets=[len(body), len(body) + len(raw)])
            body += raw
        head = json.dumps(header).encode()
        head += b" " * (-len(head) % 8)
        open(f"{path}/{shard}", "wb").write(struct.pack("<Q", len(head)) + head + body)
    if not gpt2:
        json.dump({"metadata": {}, "weight_map": where}, open(path + "/model.safetensors.index.json", "w"))


def compare_small(program, folder):
    """Bound: sums of some hundred float32 products round to about 1e-6 of their size, through some twenty products in
    a row. A swapped rotary pair or nibble shows 1, GELU's cubic coefficient wrong by 2 % shows 1e-3."""
    rng, good = np.random.default_rng(7), True
    write_gguf(folder + "/small.gguf", rng)
    write_folder(folder + "/small_llama", rng, False)
    write_folder(folder + "/small_gpt2", rng, True)
    for name in ("small.gguf", "small_llama", "small_gpt2"):
        path = f"{folder}/{name}"
        model = llama_of_gguf(path)[0] if name.endswith("gguf") else read_folder(path)
        ids = rng.integers(0, len(model["words"]), 50)
        good &= compare(program, path, model, ids, folder, 2e-5)
    return good


def compare_tokens(meta, text, ids):
    try:
        from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    except ImportError:
        print("token ids not compared: PyPI's tokenizers is not installed")
        return True
    if meta.get("tokenizer.ggml.pre") != "smollm":
        print("token ids not compared: another pattern than smollm")
        return True
    words = {piece: i for i, piece in enumerate(meta["tokenizer.ggml.tokens"])}
    merges = [tuple(pair.split(" ")) for pair in meta["tokenizer.ggml.merges"]]
    other = Tokenizer(models.BPE(words, merges))
    other.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    expected = other.encode(text).ids
    same = expected == list(ids)
    print(f"token ids of {len(text)} characters: {len(ids)} here, {len(expected)} by tokenizers, "
          f"{'all the same' if same else 'NOT the same'}")
    return same


def compare_real(program, path, text, tokens, folder):
    """Bound: as above, through some two hundred products in a row. SmolLM2 in Q4_1 shows 6e-6."""
    subprocess.run([program, path, "tokenise", text, folder + "/text"], check=True)
    ids = np.fromfile(folder + "/text", "<u4")
    model, meta = (read_folder(path), {}) if os.path.isdir(path) else llama_of_gguf(path)
    good = compare_tokens(meta, open(text, encoding="utf-8", newline="").read(), ids)
    return compare(program, path, model, ids[:tokens], folder, 1e-4) and good


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        if len(sys.argv) == 2:
            fine = compare_small(sys.argv[1], scratch)
        else:
            fine = compare_real(*sys.argv[1:4], int(sys.argv[4]) if len(sys.argv) > 4 else 256, scratch)
    sys.exit(0 if fine else 1)
