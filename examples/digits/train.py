"""Learns to read handwritten digits.

    mlxp -- python3 train.py optimizer.lr=0.01,0.1 seed=1,2

The words after train.py are for mlxp. What they change is in the config, so the program does not look at them.
"""

import gzip
import json
import os
import random
import sys

import network


def main():
    if "MLXP_CONFIG" not in os.environ:
        sys.exit("train.py: MLXP_CONFIG is not set; start the program with: mlxp -- python3 train.py")
    with open(os.environ["MLXP_CONFIG"], "rb") as file:
        config = json.load(file)
    checkpoint = os.path.join(os.environ["MLXP_ARTIFACTS"], "checkpoint.json")

    train, test = load_digits()
    if os.path.exists(checkpoint):
        with open(checkpoint) as file:
            done, net = json.load(file)
    else:
        done, net = 0, new_network(config)

    for epoch in range(done + 1, config["epochs"] + 1):
        net = train_epoch(net, train, epoch, config)
        scores = {"epoch": epoch, "train": network.evaluate(net, train), "test": network.evaluate(net, test)}

        # The metrics first: whoever is stopped before the checkpoint repeats the epoch and writes the same line again.
        with open(os.environ["MLXP_METRICS"], "a") as file:
            file.write(json.dumps(scores) + "\n")
        replace(checkpoint, json.dumps([epoch, net]))

        print(
            "epoch {epoch:2}: train loss {train[loss]:.3f}, accuracy {train[accuracy]:.3f};"
            " test loss {test[loss]:.3f}, accuracy {test[accuracy]:.3f}".format(**scores),
            flush=True,
        )


def new_network(config):
    hidden = config["model"]["hidden"]
    sizes = [64, hidden, 10] if hidden else [64, 10]
    return network.new(sizes, random.Random(config["seed"]))


def train_epoch(net, examples, epoch, config):
    # The order depends on seed and epoch alone, so a checkpoint need not hold the state of a random generator.
    order = list(examples)
    random.Random("{} {}".format(config["seed"], epoch)).shuffle(order)
    return network.train(net, order, config["optimizer"]["lr"], config["optimizer"]["batch_size"])


def load_digits():
    """Training and test examples: 64 pixels from 0 to 1, and the digit. Every fifth image is for the test."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "digits.csv.gz")
    examples = []
    with gzip.open(path, "rt") as file:
        for line in file:
            *pixels, digit = map(int, line.split(","))
            examples.append(([p / 16 for p in pixels], digit))
    test = examples[::5]
    del examples[::5]
    return examples, test


def replace(path, text):
    """Writes the file as a whole: at every moment it holds the old text or the new one."""
    with open(path + ".tmp", "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".tmp", path)


if __name__ == "__main__":
    main()
