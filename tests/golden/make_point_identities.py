"""Writes point_identities.txt: manifests and the identities of their first points, computed from the definition in
experiments/sweep/point_identity.h alone. Run it again when an experiment's version or parameters, or the version of
the training recipe, are changed on purpose."""
import hashlib
import os

TRAINING = 2  # FQ_CODEBOOK_TRAINING_VERSION
FILE_TEXT = "a file that points name\n"


def identity(experiment, version, pairs, seed=1, replicate=0):
    text = f"fibquant point 1\nexperiment={experiment}\nversion={version}\ntraining={TRAINING}\nseed={seed}\n"
    text += f"replicate={replicate}\n" + "".join(f"{n}={v}\n" for n, v in sorted(pairs.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def law(dim, block, samples=200000, bins=40, **more):
    return identity("source-law", 1, dict(dim=dim, block=block, samples=samples, bins=bins), **more)


def distortion(codec, dim=64, source="block", samples=1000000, **more):
    return identity("rate-distortion", 4, dict(codec=codec, dim=dim, source=source, samples=samples), **more)


def universality(**more):
    pairs = dict(cache="sha256:" + hashlib.sha256(FILE_TEXT.encode()).hexdigest(), codec="tq:b=2", tokens=128,
                 rotations=32, sphere_vectors=200000, family_error="0.01")
    pairs.update(more)
    return identity("universality", 2, pairs)


CASES = [
    (law(64, 4), "{experiment: source-law, grid: {dim: 64, block: 4}}"),
    (law(64, 4), "{experiment: source-law, grid: {block: 4.0, bins: 4e1, dim: '+64'}}"),
    (law(4, 3), "{experiment: source-law, grid: {dim: 4, block: 3}}"),
    (law(64, 4, bins=41), "{experiment: source-law, grid: {dim: 64, block: 4, bins: 41}}"),
    (law(64, 4, seed=18446744073709551615),
     "{experiment: source-law, seed: 18446744073709551615, grid: {dim: 64, block: 4}}"),
    (law(64, 4, seed=7), "{experiment: source-law, seeds: [7, 8], replicates: 3, grid: {dim: 64, block: 4}}"),
    (distortion("tq:b=2"), "{experiment: rate-distortion, grid: {codec: 'tq:b=2.0'}}"),
    (distortion("fib:k=4,N=256", dim=128),
     "{experiment: rate-distortion, grid: {dim: 128, codec: 'fib:N=256,k=4,recipe=population'}}"),
    (distortion("fib:k=4,N=256,recipe=paper,seed=3", source="vector", samples=600),
     "{experiment: rate-distortion, grid: {samples: 600, source: vector, codec: 'fib:k=4,N=256,seed=3,recipe=paper'}}"),
    (universality(), "{experiment: universality, grid: {cache: some.file, codec: 'tq:b=2'}}"),
    (universality(), "{experiment: universality, grid: {cache: ./some.file, codec: 'tq:b=2', family_error: 1.0e-2}}"),
    (universality(family_error="1e-06"),
     "{experiment: universality, grid: {cache: some.file, codec: 'tq:b=2', family_error: 0.000001}}"),
]

if __name__ == "__main__":
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "point_identities.txt"), "w") as file:
        for digest, manifest in CASES:
            file.write(f"{digest} {manifest}\n")
