"""Which way of a metric is good, by what the version declares or else by its name.

Names are read as whole tokens against a table, never as substrings, and an unknown name has no
direction: no colour, no arrow and no verdict is better than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache

_NEUTRAL = frozenset(
    {
        "lr", "weight", "weights", "norm", "std", "stdev", "sd", "stddev", "var", "variance",
        "count", "counts", "n", "num", "number", "support", "size", "drift", "stat",
        "statistic", "ks", "threshold", "seed", "scale", "temperature", "param", "params",
        "parameters", "flops", "macs", "layers", "delta", "diff", "difference", "change", "gap",
        "ratio", "reduction", "improvement", "margin", "timestamp", "bias", "ci", "lower",
        "upper", "momentum", "decay",
    }
)  # fmt: skip
"""Tokens that make any name neutral: amounts, settings, spreads and changes."""

_HIGHER = frozenset(
    {
        "acc", "accuracy", "precision", "recall", "sensitivity", "specificity", "tpr", "tnr",
        "ppv", "npv", "f1", "f2", "f05", "fbeta", "fscore", "auc", "auroc", "rocauc", "roc",
        "auprc", "prauc", "aucpr", "ap", "map", "iou", "miou", "jaccard", "dice", "mcc",
        "kappa", "gini", "ndcg", "mrr", "hit", "hits", "hitrate", "r2", "spearman",
        "spearmanr", "pearson", "pearsonr",
        "kendall", "correlation", "silhouette", "homogeneity", "completeness", "ari", "ami",
        "nmi", "bleu", "sacrebleu", "rouge", "rougel", "rougelsum", "meteor", "chrf",
        "bertscore", "ssim", "psnr", "clipscore", "pass", "reward", "return", "em",
        "throughput", "qps", "tps", "fps", "uptime", "utility",
    }
)  # fmt: skip

_LOWER = frozenset(
    {
        "loss", "losses", "error", "errors", "err", "mae", "mse", "rmse", "rmsle", "msle",
        "mape", "smape", "wape", "medae", "mase", "crps", "pinball", "nll", "deviance", "brier",
        "ece", "perplexity", "ppl", "bpb", "bpc", "wer", "cer", "eer", "fpr", "fnr", "fdr",
        "fid", "kid", "lpips", "kl", "kld", "divergence", "latency", "ttft", "tpot", "regret",
        "hallucination", "hallucinations", "toxicity", "cost", "energy", "emissions", "co2",
        "misclassification",
    }
)  # fmt: skip

_PHRASES: tuple[tuple[tuple[str, ...], bool | None], ...] = (
    (("negative", "log", "likelihood"), False),
    (("log", "likelihood"), True),
    (("davies", "bouldin"), False),
    (("calinski", "harabasz"), True),
    (("brier", "score"), False),
    (("brier", "skill"), True),
    (("explained", "variance"), True),
    (("adjusted", "rand"), True),
    (("v", "measure"), True),
    (("f", "score"), True),
    (("f", "measure"), True),
    (("exact", "match"), True),
    (("inception", "score"), True),
    (("true", "positive", "rate"), True),
    (("true", "negative", "rate"), True),
    (("false", "positive", "rate"), False),
    (("false", "negative", "rate"), False),
    (("false", "discovery", "rate"), False),
    (("error", "rate"), False),
    (("failure", "rate"), False),
    (("success", "rate"), True),
    (("win", "rate"), True),
    (("pass", "rate"), True),
    (("hit", "rate"), True),
    (("reciprocal", "rank"), True),
    (("hausdorff", "distance"), False),
    (("edit", "distance"), False),
    (("per", "second"), True),
    (("per", "sec"), True),
    (("inference", "time"), False),
    (("response", "time"), False),
    (("training", "time"), False),
    (("train", "time"), False),
    (("peak", "memory"), False),
    (("memory", "usage"), False),
    (("learning", "rate"), None),
    (("class", "weight"), None),
    (("model", "size"), None),
)
"""Runs of tokens that mean something else together than each alone; longer ones come first."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")
_BETWEEN = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Directions:
    """Which way the user says that metrics are good; None as a value means neither way.

    ``own`` goes by the metric's name and stands before what a version declares; ``configured``
    goes by patterns such as ``*_drift``, of which the first that fits counts, and stands after.
    """

    own: Mapping[str, bool | None] = field(default_factory=dict)
    configured: Mapping[str, bool | None] = field(default_factory=dict)

    def of(self, name: str, declared: bool | None = None) -> bool | None:
        """Return whether higher is better: the user's own, declared, configured, by the table."""
        if name in self.own:
            return self.own[name]
        if declared is not None:
            return declared
        for pattern, good in self.configured.items():
            if fnmatchcase(name, pattern):
                return good
        return direction(name)


NO_DIRECTIONS = Directions()
"""Nothing set: only versions and the table say."""


def direction(name: str, declared: bool | None = None) -> bool | None:
    """Return whether higher is better, None where neither the version nor the table says.

    ``declared`` is what the version says and decides. Of several known tokens the last one
    decides, as in English compounds: ``top5_error`` is an error. The prefix ``neg`` turns a
    direction round. What follows ``@`` is a setting: ``pass@1``, ``mAP@50``.
    """
    return declared if declared is not None else _by_name(name[:200])


@lru_cache(maxsize=4096)
def _by_name(name: str) -> bool | None:
    tokens = [token for token in _BETWEEN.split(_CAMEL.sub(" ", name).lower()) if token]
    tokens = _without_settings(name, tokens)
    rest, good = _phrase(tokens)
    if any(_known(token, _NEUTRAL) for token in rest):
        return None
    if len(rest) == len(tokens):
        for token in tokens:
            if _known(token, _HIGHER):
                good = True
            elif _known(token, _LOWER):
                good = False
    return good if good is None or "neg" not in tokens else not good


def _phrase(tokens: list[str]) -> tuple[list[str], bool | None]:
    """Return the tokens outside the first known phrase, and which way that phrase is good."""
    for phrase, good in _PHRASES:
        for start in range(len(tokens) - len(phrase) + 1):
            end = start + len(phrase)
            if tuple(tokens[start:end]) == phrase:
                return tokens[:start] + tokens[end:], good
    return tokens, None


def _without_settings(name: str, tokens: list[str]) -> list[str]:
    if "@" not in name:
        return tokens
    settings = set(re.findall(r"@([a-z0-9]+)", name.lower()))
    return [token for token in tokens if token not in settings]


def _known(token: str, table: frozenset[str]) -> bool:
    """Whether a token stands in the table, itself or without the digits at its end (``map50``)."""
    if token in table or token in _HIGHER or token in _LOWER:
        return token in table
    bare = token.rstrip("0123456789")
    return len(bare) > 1 and bare in table
