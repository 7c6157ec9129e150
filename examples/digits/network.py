"""A fully connected network, trained by mini-batch gradient descent.

A network is one matrix per layer: a list of rows, one row for each input and a last one for the bias. An example is a pair
of input numbers and a label.

Every function here depends on its arguments alone, and the same arguments give the same floats, bit for bit, under every
version of Python. So sums are loops: since Python 3.12 the built-in sum() rounds differently. A network that diverged
goes on with NaN.
"""

import math


def new(sizes, rng):
    """A network with random weights that has sizes[0] inputs and sizes[-1] classes."""
    return [
        [[rng.uniform(-1, 1) / math.sqrt(inputs) for _ in range(outputs)] for _ in range(inputs)] + [[0.0] * outputs]
        for inputs, outputs in zip(sizes, sizes[1:])
    ]


def train(network, examples, lr, batch_size):
    """The network after one pass over the examples, in their order."""
    for start in range(0, len(examples), batch_size):
        batch = examples[start : start + batch_size]
        step = lr / len(batch)
        network = [
            [[w - step * g for w, g in zip(*rows)] for rows in zip(*layers)]
            for layers in zip(network, gradient(network, batch))
        ]
    return network


def evaluate(network, examples):
    """The mean cross-entropy, and the share of the examples whose likeliest class is the right one."""
    loss, correct = 0.0, 0
    for inputs, label in examples:
        _, scores = forward(network, inputs)
        loss -= log_softmax(scores)[label]
        correct += scores.index(max(scores)) == label
    return {"loss": loss / len(examples), "accuracy": correct / len(examples)}


def gradient(network, batch):
    """The gradient of the cross-entropy, summed over the batch; in the shape of the network."""
    total = [[[0.0] * len(row) for row in layer] for layer in network]
    for inputs, label in batch:
        values, scores = forward(network, inputs)
        error = [math.exp(s) for s in log_softmax(scores)]
        error[label] -= 1.0
        for depth in reversed(range(len(network))):
            rows = total[depth]
            for i, x in enumerate(values[depth]):
                if x:
                    rows[i] = [g + x * e for g, e in zip(rows[i], error)]
            if depth:
                error = [(1.0 - x * x) * dot(row, error) for x, row in zip(values[depth][:-1], network[depth])]
    return total


def forward(network, inputs):
    """What each layer gets, a 1 for its bias included, and the scores of the classes."""
    values = [inputs + [1.0]]
    for layer in network[:-1]:
        values.append([math.tanh(s) for s in weigh(layer, values[-1])] + [1.0])
    return values, weigh(network[-1], values[-1])


def weigh(layer, values):
    sums = [0.0] * len(layer[0])
    for x, row in zip(values, layer):
        if x:  # half of the pixels are blank
            sums = [s + x * w for s, w in zip(sums, row)]
    return sums


def log_softmax(scores):
    top = max(scores)
    total = 0.0
    for s in scores:
        total += math.exp(s - top)
    norm = top + math.log(total)
    return [s - norm for s in scores]


def dot(a, b):
    total = 0.0
    for x, y in zip(a, b):
        total += x * y
    return total
