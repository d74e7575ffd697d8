"""Rival matchers on the pairs that come in by standard input; run by the Python of their own environment.

Reads a JSON list of [asked name, asked births, listed name, listed births], answers a JSON object: by matcher, the
microseconds of processor time of each pair in a first and a second pass, and each pair's score from 0 to 1.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

Pair = tuple[str, list[str], str, list[str]]
Scorer = Callable[[Any, Any], float]


def _nomenklatura() -> Iterator[tuple[str, Callable[[str, list[str]], Any], Scorer]]:
    from followthemoney import model
    from nomenklatura.matching import get_algorithm

    numbers = count()  # entities of one id would be taken for one person

    def entity(name: str, births: list[str]) -> Any:
        properties = {"name": [name], "birthDate": births}
        return model.get_proxy({"id": f"x-{next(numbers)}", "schema": "Person", "properties": properties})

    for name in ("logic-v2", "name-based"):
        algorithm = get_algorithm(name)
        config = algorithm.default_config()

        def score(asked: Any, listed: Any, algorithm: Any = algorithm, config: Any = config) -> float:
            return float(algorithm.compare(asked, listed, config).score)

        yield f"nomenklatura {name}", entity, score


def _rapidfuzz() -> Iterator[tuple[str, Callable[[str, list[str]], Any], Scorer]]:
    from rapidfuzz import fuzz

    def plain(name: str, _births: list[str]) -> str:
        return name.casefold()

    yield "rapidfuzz token_sort", plain, lambda asked, listed: fuzz.token_sort_ratio(asked, listed) / 100
    yield "rapidfuzz token_set", plain, lambda asked, listed: fuzz.token_set_ratio(asked, listed) / 100


def main() -> None:
    pairs: list[Pair] = json.load(sys.stdin)
    answer = {}
    for rivals in (_nomenklatura, _rapidfuzz):
        for name, make, score in rivals():
            sides = [(make(a, b), make(c, d)) for a, b, c, d in pairs]
            passes = []
            for _ in range(2):
                times, scores = [], []
                for asked, listed in sides:
                    began = time.thread_time()
                    scores.append(score(asked, listed))
                    times.append(1e6 * (time.thread_time() - began))
                passes.append(times)
            answer[name] = {"first": passes[0], "second": passes[1], "scores": scores}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
