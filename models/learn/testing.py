"""Testing a filed model on a year that it has not learned from."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.errors import LearnRefused, Text
from models.learn.evaluation import Trial, evaluate
from models.learn.groups import groups_of
from models.learn.history import History
from models.learn.lines import lines_for
from models.learn.model import Model
from models.learn.outcomes import firm_years
from models.learn.outlook import Scorer
from models.learn.tasks import curriculum
from models.rules.rulebook import Rulebook


def evaluated(model: Model, history: History, year: int, book: Rulebook, seed: int = 0) -> dict[str, Any]:
    """The evaluation of a model on the outcomes of ``year``, as a document (:func:`evaluate`).

    ``seen``: the model learned from that year, so the figures flatter it. Firms that it abstains from are
    counted apart. LearnRefused: L104 no outcome of that year, L107 outcomes of one kind only.
    """
    task = model.task
    years = firm_years(history, task, year, lines_for(task, book), curriculum().title_years)
    scores = Scorer(model, book).of_frame(years.frame, years.columns)
    known = np.isfinite(years.outcome)
    asked = known & (scores.why == 0)
    if not known.any():
        raise LearnRefused(
            "L104",
            Text(f"{year} 年看不出一家企业的结果", f"the outcome of {year} is known of no firm"),
            Text(
                f"历史要有 {year - 1} 年的指标和 {year} 年的营收或称号",
                f"The history needs figures of {year - 1}, and revenue or titles of {year}",
            ),
        )
    outcome = years.outcome[asked]
    if not 0 < outcome.sum() < len(outcome):
        raise LearnRefused(
            "L107",
            Text(
                f"{year} 年的结果只有一种，没法检验",
                f"outcomes of one kind only in {year}: nothing to test on",
            ),
            Text("换一年，或给更多企业", "Take another year or more firms"),
        )
    chance, rival = scores.spread(scores.score), scores.spread(scores.rival)
    tested = Trial(outcome, chance[asked], rival[asked])
    groups = groups_of(years.frame.filter(asked), year, book)
    return {
        "year": year,
        "seen": year <= int(model.card["until"]),
        "abstained": int((known & (scores.why != 0)).sum()),
        "history": history.sha256,
        **evaluate(tested, groups, seed),
    }
