"""Simulates how shards that share a corpus by copying once per slice learn features (docs/scale.md).

A feature stands on the features before it: a shard finds feature k while it knows k - 1, with a chance per slice that
falls with k. Prints a row of the table per number of shards.
"""
import random
import sys

FEATURES = 2000
WANTED = int(FEATURES * 0.95)


def chance(feature):
    """The chance that one shard finds the next feature within a slice."""
    return min(0.9, 30.0 / (feature + 30))


def slices_until_known(shards, is_shared, seed=1):
    """Returns the slices until half of the shards know enough, and the files in the corpus then."""
    draw = random.Random(seed)
    known = [0] * shards  # features are found in their order, so a number says which
    files = 0
    slices = 0
    while sorted(known)[shards // 2] < WANTED:
        slices += 1
        before = max(known) if is_shared else 0
        for shard in range(shards):
            at = max(known[shard], before)
            # A slice goes on with what it finds.
            while at < FEATURES and draw.random() < chance(at):
                at += 1
                files += 1
            known[shard] = at
    return slices, files


def main():
    alone, _ = slices_until_known(1, False)
    print(f"one shard: {alone} slices")
    for shards in [int(word) for word in sys.argv[1:]] or [10, 100, 1000]:
        slices, files = slices_until_known(shards, True)
        print(f"| {shards:,} | {slices:,} | {alone / slices:.1f} | {files:,} |")


if __name__ == "__main__":
    main()
