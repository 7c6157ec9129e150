"""Runs the examples the way mlxp does, and checks what they leave behind.

    python3 examples/check.py

The programs are started with the interpreter that runs this file. It needs sh and awk besides, not mlxp.
"""

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


class Run:
    """A run directory, and a program that can be started in it again and again."""

    def __init__(self, folder, command, variables):
        self.dir = tempfile.mkdtemp()
        self.artifacts = os.path.join(self.dir, "artifacts")
        self.metrics = os.path.join(self.dir, "metrics.jsonl")
        os.mkdir(self.artifacts)
        self.folder = os.path.join(HERE, folder)
        self.command = command
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("MLXP_")}
        self.env.update(variables, MLXP_METRICS=self.metrics, MLXP_ARTIFACTS=self.artifacts, PYTHONDONTWRITEBYTECODE="1")

    def finish(self):
        """Starts the program and returns its status, output and error output."""
        program = self.start()
        out, err = program.communicate(timeout=300)
        return program.returncode, out, err

    def kill_after(self, lines):
        """Kills the program as soon as its metrics have that many lines, and returns its status and error output."""
        program = self.start()
        while len(self.lines()) < lines and program.poll() is None:
            time.sleep(0.001)
        program.kill()
        _, err = program.communicate()
        return program.returncode, err

    def start(self):
        return subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )

    def lines(self):
        """The whole lines of the metrics; one that is still being written is not among them."""
        if not os.path.exists(self.metrics):
            return []
        with open(self.metrics) as file:
            return [line for line in file if line.endswith("\n")]

    def checkpoint(self):
        with open(os.path.join(self.artifacts, "checkpoint.json")) as file:
            return file.read()


class Case(unittest.TestCase):
    def run_in(self, folder, command, variables):
        run = Run(folder, command, variables)
        self.addCleanup(shutil.rmtree, run.dir)
        return run

    def completes(self, run):
        status, out, err = run.finish()
        self.assertEqual((status, err), (0, ""))
        return out.splitlines()


class Digits(Case):
    def digits(self, *words, **values):
        """A run of train.py with the example's own config, in which the named leaves have other values."""
        config = defaults()
        for key, value in values.items():
            section = next((s for s in (config, config["model"], config["optimizer"]) if key in s), None)
            self.assertIsNotNone(section, key + " is not in config.yaml")
            section[key] = value
        run = self.run_in("digits", [sys.executable, "train.py"] + list(words), {})
        run.env["MLXP_CONFIG"] = os.path.join(run.dir, "config.json")
        with open(run.env["MLXP_CONFIG"], "w") as file:
            json.dump(config, file)
        run.epochs = config["epochs"]
        return run

    def results(self, run):
        """What each epoch's line of metrics says; a later line for an epoch takes the place of an earlier one."""
        epochs = {}
        for line in run.lines():
            result = json.loads(line)
            epochs[result["epoch"]] = line
        self.assertEqual(list(epochs), list(range(1, run.epochs + 1)))
        return epochs

    def accuracy(self, run):
        return json.loads(self.results(run)[run.epochs])["test"]["accuracy"]

    def test_the_defaults_learn(self):
        run = self.digits()
        out = self.completes(run)
        self.assertEqual(len(run.lines()), run.epochs)
        self.assertEqual(len(out), run.epochs)
        first, last = json.loads(run.lines()[0]), json.loads(run.lines()[-1])
        for part in "train", "test":
            self.assertLess(last[part]["loss"], first[part]["loss"])
            self.assertGreater(last[part]["accuracy"], 0.9)
            self.assertIn("%.3f" % last[part]["accuracy"], out[-1])
        self.assertEqual(os.listdir(run.artifacts), ["checkpoint.json"])

    def test_a_low_learning_rate_learns_less(self):
        accuracies = []
        for lr in 0.001, 0.01, 0.1:
            run = self.digits(lr=lr)
            self.completes(run)
            accuracies.append(self.accuracy(run))
        self.assertLess(accuracies[0], accuracies[1] - 0.1)
        self.assertLess(accuracies[1], accuracies[2] - 0.1)

    def test_softmax_regression_learns(self):
        run = self.digits(hidden=0)
        self.completes(run)
        self.assertGreater(self.accuracy(run), 0.9)

    def test_a_diverging_network_goes_on(self):
        run = self.digits(lr=1e308, epochs=3)
        self.completes(run)
        for line in self.results(run).values():
            self.assertIn('"loss": NaN', line)
            self.assertTrue(math.isnan(json.loads(line)["test"]["loss"]))

    def test_the_seed_decides_and_the_words_do_not(self):
        plain = self.digits(epochs=2)
        words = self.digits("optimizer.lr=7", "seed=7", epochs=2)
        other = self.digits(seed=2, epochs=2)
        for run in plain, words, other:
            self.completes(run)
        self.assertEqual(words.lines(), plain.lines())
        self.assertEqual(words.checkpoint(), plain.checkpoint())
        self.assertNotEqual(other.lines(), plain.lines())

    def test_killed_and_started_again(self):
        whole, killed = self.digits(), self.digits()
        self.completes(whole)
        for _ in range(2):
            self.assertEqual(killed.kill_after(len(killed.lines()) + 3), (-signal.SIGKILL, ""))
        done = json.loads(killed.lines()[-1])["epoch"]
        out = self.completes(killed)
        self.assertLessEqual(len(out), killed.epochs - done + 1, "started from the beginning")
        self.assertEqual(self.results(killed), self.results(whole))
        self.assertEqual(killed.checkpoint(), whole.checkpoint())

    def test_killed_between_metrics_and_checkpoint(self):
        whole, killed = self.digits(hidden=0, epochs=4), self.digits(hidden=0, epochs=2)
        self.completes(whole)
        self.completes(killed)
        resumed = self.digits(hidden=0, epochs=4)
        shutil.copy(os.path.join(killed.artifacts, "checkpoint.json"), resumed.artifacts)
        with open(os.path.join(resumed.artifacts, "checkpoint.json.tmp"), "w") as file:
            file.write(whole.checkpoint()[:100])
        with open(resumed.metrics, "w") as file:
            file.writelines(whole.lines()[:3])
        self.assertEqual(len(self.completes(resumed)), 2)
        self.assertEqual(len(resumed.lines()), 5)
        self.assertEqual(self.results(resumed), self.results(whole))
        self.assertEqual(resumed.checkpoint(), whole.checkpoint())
        self.assertEqual(os.listdir(resumed.artifacts), ["checkpoint.json"])

    def test_no_checkpoint_before_its_metrics(self):
        run = self.digits(hidden=0, epochs=1)
        os.mkdir(run.metrics)
        status, _, err = run.finish()
        self.assertEqual(status, 1)
        self.assertIn("IsADirectoryError", err)
        self.assertEqual(os.listdir(run.artifacts), [])

    def test_started_again_when_complete(self):
        run = self.digits(hidden=0, epochs=2)
        self.completes(run)
        lines, checkpoint = run.lines(), run.checkpoint()
        self.assertEqual(self.completes(run), [])
        self.assertEqual((run.lines(), run.checkpoint()), (lines, checkpoint))

    def test_without_mlxp(self):
        run = self.run_in("digits", [sys.executable, "train.py"], {})
        status, out, err = run.finish()
        self.assertEqual((status, out), (1, ""))
        self.assertIn("mlxp -- python3 train.py", err)
        self.assertNotIn("Traceback", err)


class AnyLanguage(Case):
    def descend(self, **config):
        variables = {"MLXP_CONFIG__" + key.upper(): str(value) for key, value in config.items()}
        return self.run_in("any-language", ["sh", "descend.sh", "lr=7"], variables)

    def test_descends(self):
        run = self.descend(lr=0.1, steps=50)
        self.completes(run)
        results = [json.loads(line) for line in run.lines()]
        self.assertEqual([r["step"] for r in results], list(range(1, 51)))
        losses = [r["loss"] for r in results]
        self.assertEqual(losses, sorted(losses, reverse=True))
        self.assertLess(losses[-1], 1e-4)

    def test_diverges(self):
        run = self.descend(lr=0.25, steps=50)
        self.assertEqual(run.finish(), (1, "", "descend.sh: diverged with lr=0.25\n"))
        losses = [json.loads(line)["loss"] for line in run.lines()]
        self.assertLess(len(losses), 50)
        self.assertGreater(losses[-1], 1e9)

    def test_without_config(self):
        run = self.descend(lr=0.1)
        status, _, err = run.finish()
        self.assertNotEqual(status, 0)
        self.assertIn("MLXP_CONFIG__STEPS", err)


def defaults():
    """digits/configs/config.yaml: sections of plain numbers, one level deep."""
    config = section = {}
    with open(os.path.join(HERE, "digits", "configs", "config.yaml")) as file:
        for line in file:
            indent, key, value = re.fullmatch(r"( *)(\w+):([^#\n]*)(?:#.*)?\n", line).groups()
            if not indent:
                section = config
            if value.strip():
                section[key] = json.loads(value)
            else:
                section = config[key] = {}
    return config


if __name__ == "__main__":
    unittest.main()
