"""专精特新 by No. 63 written by hand in polars, as an analyst would: the yardstick for the table reader.

Same output as the table reader on the pack ``srdi.n63``: verdict, low, high, unmet, open.
"""

from __future__ import annotations

import polars as pl

from models.rules.rulebook import rulebook
from models.rules.size import SizeTable

MET, REVIEW, UNKNOWN, UNMET = 3, 2, 1, 0
Expr = pl.Expr


def srdi_n63(frame: pl.LazyFrame, year: int) -> pl.LazyFrame:
    """``frame``: canonical columns; ``year``: Y-1. Returns uscc and the five result columns."""
    c = pl.col
    y1, y2, y3 = (str(year - back) for back in range(3))
    revenue, assets = c(f"revenue_{y1}"), c(f"total_assets_{y1}")
    over = pl.when(revenue > 0).then(revenue)
    rd = c(f"rd_expense_{y1}")
    m1, m2, m3 = (c(f"main_revenue_{y}") for y in (y1, y2, y3))
    frame = frame.with_columns(
        _revenue=over,
        _assets=pl.when(assets > 0).then(assets),
        _staff=pl.when(c(f"employees_{y1}") > 0).then(c(f"employees_{y1}")),
        _m2=pl.when(m2 > 0).then(m2),
        _m3=pl.when(m3 > 0).then(m3),
        _row=sector(c("industry"), size_table()),
    )
    frame = frame.with_columns(
        _grown=m1.cast(pl.Int128) * c("_m3").cast(pl.Int128)
        + c("_m2").cast(pl.Int128) * c("_m2").cast(pl.Int128),
        _base=c("_m2").cast(pl.Int128) * c("_m3").cast(pl.Int128),
        _sme=not_large(year),
    )
    growth = [c("_grown") * 100 >= c("_base") * line for line in (220, 216, 212, 208, 200)]
    main = [m1 * 100 >= c("_revenue") * line for line in (80, 70, 60)]
    debt = [c(f"total_liabilities_{y1}") * 100 <= c("_assets") * line for line in (50, 60, 70)]
    margin = [c(f"net_profit_{y1}") * 100 >= c("_revenue") * line for line in (10, 8, 6, 4, 2)]
    share = [rd * 100 >= c("_revenue") * line for line in (10, 8, 6, 4, 3)]
    amount = [rd >= line for line in (5_000_000, 4_000_000, 3_000_000, 2_000_000, 1_000_000)]
    people = [c(f"rd_staff_{y1}") * 100 >= c("_staff") * line for line in (20, 10, 5)]
    falling = (10, 8, 6, 4, 2)
    ends = {}
    for end in ("low", "high"):
        top = end == "high"
        quality = [
            points([c(flag)], (3,), 0, 3 * top)
            for flag in ("quality_award", "quality_certificate", "own_brand", "standards_participant")
        ]
        ends[end] = (
            points(main, (5, 3, 1), 0, 5 * top)
            + points(growth, falling, 0, 10 * top)
            + points([c("niche_years") >= line for line in falling], (5, 4, 3, 2, 1), 0, 5 * top)
            + pl.max_horizontal(
                points([c("fills_chain_gap")], (5,), 0, 5 * top),
                *(
                    points([c(flag)], (3,), 0, 3 * top)
                    for flag in ("six_basics", "time_honoured", "serves_chain_leader")
                ),
            )
            + points([c("digital_level") >= 3, c("digital_level") >= 2], (5, 3), 0, 5 * top)
            + pl.min_horizontal(quality[0] + quality[1] + quality[2] + quality[3], pl.lit(5, dtype=pl.Int16))
            + points(margin, falling, 0, 10 * top)
            + points(debt, (5, 3, 1), 0, 5 * top)
            + pl.max_horizontal(
                points([c("ip_class1_high_value") >= 1], (10,), 0, 10 * top),
                points([c("ip_class1_self") >= 1], (8,), 0, 8 * top),
                points([c("ip_class1") >= 1], (6,), 0, 6 * top),
                points([c("ip_class2") >= 1], (2,), 0, 2 * top),
            )
            + pl.max_horizontal(points(amount, falling, 0, 10 * top), points(share, falling, 0, 10 * top))
            + points(people, (5, 3, 1), 0, 5 * top)
            + institution(c("rd_institution"), 10 * top)
            + c("local_feature_score").fill_null(15 * top)
        )
    frame = frame.with_columns(low=ends["low"], high=ends["high"])
    score = (
        pl.when(c("low") >= 60).then(MET).when(c("high") >= 60).then(UNKNOWN).otherwise(UNMET).cast(pl.Int8)
    )
    equity = (c(f"equity_raised_{y1}"), c(f"equity_raised_{y2}"))
    provincial, national = c("award_provincial_rank"), c("award_national_rank")
    terms = {
        "legal_person": judged(c("legal_person"), REVIEW),
        "not_abnormal": judged(~c("abnormal_listed"), REVIEW),
        "not_dishonest": judged(~c("dishonest_listed"), REVIEW),
        "not_prohibited": judged(~c("prohibited_product"), REVIEW),
        "no_incident_3y": judged(~c("incident_3y"), REVIEW),
        "sme": c("_sme"),
        "niche_years": judged(c("niche_years") >= 2),
        "rd_amount": judged(rd >= 1_000_000),
        "rd_ratio": judged(share[-1]),
        "revenue_or_equity": pl.max_horizontal(judged(revenue >= 10_000_000), reached(equity, 20_000_000)),
        "score_or_direct": pl.max_horizontal(
            score,
            judged((provincial >= 1) & (provincial <= 3)),
            judged((national >= 1) & (national <= 5)),
            reached((rd, c(f"rd_expense_{y2}")), 20_000_000),
            reached(equity, 60_000_000),
            judged(c("maker_contest").is_in(["top500", "top50"])),
        ),
    }
    frame = frame.with_columns(**terms)
    names = list(terms)
    return frame.select(
        "uscc",
        pl.min_horizontal(names)
        .replace_strict([0, 1, 2, 3], ["unmet", "unknown", "review", "met"])
        .alias("verdict"),
        "low",
        "high",
        listed(names, [UNMET]).alias("unmet"),
        listed(names, [UNKNOWN, REVIEW]).alias("open"),
    )


def judged(truth: Expr, missing: int = UNKNOWN) -> Expr:
    return pl.when(truth.is_null()).then(missing).when(truth).then(MET).otherwise(UNMET).cast(pl.Int8)


def reached(figures: tuple[Expr, Expr], line: int) -> Expr:
    total = figures[0].fill_null(0) + figures[1].fill_null(0)
    known = figures[0].is_not_null() & figures[1].is_not_null()
    return pl.when(total >= line).then(MET).when(known).then(UNMET).otherwise(UNKNOWN).cast(pl.Int8)


def points(truths: list[Expr], given: tuple[int, ...], otherwise: int, missing: int) -> Expr:
    chain = pl.when(truths[0].is_null()).then(pl.lit(missing, dtype=pl.Int16))
    for truth, value in zip(truths, given, strict=True):
        chain = chain.when(truth).then(pl.lit(value, dtype=pl.Int16))  # type: ignore[assignment]
    return chain.otherwise(pl.lit(otherwise, dtype=pl.Int16))


def institution(level: Expr, missing: int) -> Expr:
    table = {"national": 10, "provincial": 8, "city": 4, "below_city": 2, "own": 2, "none": 0}
    return level.replace_strict(list(table), list(table.values()), default=missing, return_dtype=pl.Int16)


def size_table() -> SizeTable:
    table = rulebook()["size.n300"].size_table
    assert table is not None
    return table


def sector(code: Expr, table: SizeTable) -> Expr:
    chain = pl.when(code.is_null() | code.is_in(table.unclear)).then(pl.lit(None, dtype=pl.Int8))
    for row in table.rows:
        for low, high in row.runs:
            chain = chain.when(code.is_between(low, high)).then(pl.lit(row.number, dtype=pl.Int8))  # type: ignore[assignment]
    return chain.otherwise(pl.lit(None, dtype=pl.Int8))


def not_large(year: int) -> Expr:
    """Met as soon as one known figure is below the sector's bound for large."""
    table = size_table()
    parts = []
    for place, field in enumerate(table.figures):
        figure = pl.col(field.column(year))
        bounds = {row.number: bound[0] for row in table.rows if (bound := row.bounds[place])}
        line = pl.col("_row").replace_strict(
            list(bounds), list(bounds.values()), default=None, return_dtype=pl.Int64
        )
        below = pl.when(line.is_null()).then(UNMET).when(figure.is_null()).then(UNKNOWN)
        parts.append(below.when(figure < line).then(MET).otherwise(UNMET).cast(pl.Int8))
    return (
        pl.when(pl.col("_row").is_null())
        .then(pl.lit(UNKNOWN, dtype=pl.Int8))
        .otherwise(pl.max_horizontal(parts))
    )


def listed(names: list[str], verdicts: list[int]) -> Expr:
    shown = [pl.when(pl.col(name).is_in(verdicts)).then(pl.lit(name)) for name in names]
    return pl.concat_str(shown, separator=";", ignore_nulls=True)
