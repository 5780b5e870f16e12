#!/usr/bin/env python3
"""Writes small tokenizers and what the `tokenizers` package makes of a nasty text with them.

Needs `pip install tokenizers` (written with 0.23.3). words_gpt2.json and words_digits.json are byte-level BPE
with all 256 bytes, pieces.json is Llama's BPE with byte fallback; NAME.ids are the text's ids, u32
little-endian. The text is tokenizer.txt: prose, then random characters of every general category.
"""
import json
import random
import unicodedata
import numpy
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

random.seed(20260511)
PROSE = """It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want
of a wife. However little known the feelings or views of such a man may be on his first entering a neighbourhood,
this truth is so well fixed in the minds of the surrounding families, that he's considered as the rightful property
of some one or other of their daughters. "My dear Mr. Bennet," said his lady to him one day, "have you heard that
Netherfield Park is let at last? I've 4000 or 5,000 a year!" They'll come; we're glad, I'm sure; I'd say: don't.
"""
SPACES = [9, 10, 11, 12, 13, 28, 31, 32, 32, 32, 0x85, 0xa0, 0x1680, 0x180e, 0x2003, 0x200b, 0x2028, 0x202f, 0x205f,
          0x3000, 0xfeff]
# Letters, numbers and so on that Unicode 3 had already: no two libraries disagree about those
OLD = [c for c in range(0x3000) if unicodedata.ucd_3_2_0.category(chr(c)) not in ("Cn", "Cs", "Co")
       and unicodedata.ucd_3_2_0.category(chr(c)) == unicodedata.category(chr(c))]


def nasty(count):
    parts = []
    while len(parts) < count:
        kind = random.random()
        if kind < 0.25:
            parts.append(chr(random.choice(OLD)))
        elif kind < 0.50:
            parts.append(chr(random.choice(SPACES)) * random.randint(1, 3))
        elif kind < 0.60:
            parts.append(random.choice(["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "''", "'", " '", "\u2019s"]))
        elif kind < 0.72:
            parts.append(random.choice("0123456789\u00bd\u00b2\u2167\u0663") * random.randint(1, 2))
        elif kind < 0.90:
            parts.append(random.choice(["the", "house", "don", "x", "\u00e9", "e\u0301", "\u65e5\u672c", "<|end|>",
                                        "<s>", "\U0001f469\u200d\U0001f467", "\U00020000"]))
        else:
            parts.append(chr(random.randint(0, 0x7f)))
    return "".join(parts)


text = " " + PROSE + nasty(1200)
text = text.replace("<s>", "<z>").replace("<|end|>", "<|and|>") # control tokens are spelt elsewhere in the tests
with open("tokenizer.txt", "wb") as out:
    out.write(text.encode())


def write(name, tokenizer):
    tokenizer.save(f"{name}.json", pretty=False)
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    numpy.array(ids, "<u4").tofile(f"{name}.ids")
    print(name, tokenizer.get_vocab_size(), "tokens,", len(ids), "ids")


byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
for name, words in (("words_gpt2", byte_level),
                    ("words_digits", pre_tokenizers.Sequence([pre_tokenizers.Digits(True), byte_level]))):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = words
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=480, show_progress=False, special_tokens=["<|end|>"],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([PROSE], trainer)
    write(name, tokenizer)

# Llama's: trained over whole sentences with the space mark, byte tokens and <unk> first
tokenizer = Tokenizer(models.BPE())
tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
tokenizer.pre_tokenizer = pre_tokenizers.Split("\u2581", "merged_with_next")
trainer = trainers.BpeTrainer(vocab_size=250, show_progress=False)
tokenizer.train_from_iterator([PROSE.replace("\n", " ")], trainer)
trained = json.loads(tokenizer.to_str())
first = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
pieces = sorted(trained["model"]["vocab"], key=trained["model"]["vocab"].get)
model = models.BPE(vocab={piece: index for index, piece in enumerate(first + pieces)},
                   merges=[tuple(merge) for merge in trained["model"]["merges"]],
                   unk_token="<unk>", fuse_unk=True, byte_fallback=True)
tokenizer = Tokenizer(model)
tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in first[:3]])
write("pieces", tokenizer)
