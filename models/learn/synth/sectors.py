"""Sectors of the synthetic registry: how common each is, how it does research, what its firms are called.

R&D shares and revenue per head follow the medians of listed firms by division (calibration.md); weights are a
rough Shanghai mix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.codes import industries

NEVER = float("inf")


class Sector(NamedTuple):
    """One division of GB/T 4754-2017."""

    division: str
    weight: float
    """Share of ordinary firms, %."""
    strong: float
    """Weight among strong firms."""
    doer: float
    """Share of ordinary firms that do research."""
    rd: float
    """Median R&D ÷ revenue of those that do."""
    rd_staff: float
    """Median share of R&D staff of those that do."""
    per_head: float
    """Revenue per employee, 万元."""
    size: float
    """Shift of log revenue against all sectors."""
    words: str
    """What stands before 有限公司 in a name."""


SECTORS = (
    Sector("01", 0.8, 0, 0.05, 0.01, 0.05, 40, -0.6, "农业科技 蔬果种植"),
    Sector("13", 0.5, 0, 0.06, 0.006, 0.035, 130, 0.6, "食品加工 粮油制品"),
    Sector("14", 0.6, 1, 0.10, 0.021, 0.07, 95, 0.6, "食品 烘焙食品"),
    Sector("17", 0.5, 0, 0.08, 0.034, 0.085, 80, 0.4, "纺织 新材料纺织"),
    Sector("18", 0.7, 0, 0.05, 0.024, 0.078, 75, 0.4, "服饰 服装制造"),
    Sector("22", 0.4, 0, 0.10, 0.034, 0.107, 150, 0.5, "纸制品 包装材料"),
    Sector("26", 0.8, 5, 0.35, 0.040, 0.13, 165, 1.0, "化工材料 精细化工 涂料"),
    Sector("27", 0.5, 6, 0.55, 0.051, 0.143, 92, 0.9, "生物制药 药业 医药科技"),
    Sector("29", 1.1, 3, 0.22, 0.037, 0.124, 109, 0.6, "橡塑制品 塑料科技"),
    Sector("30", 0.6, 2, 0.18, 0.035, 0.108, 109, 0.6, "新型建材 玻璃制品"),
    Sector("33", 1.8, 3, 0.18, 0.037, 0.126, 104, 0.5, "金属制品 五金制造"),
    Sector("34", 2.0, 10, 0.35, 0.043, 0.133, 98, 0.6, "精密机械 泵阀制造 轴承"),
    Sector("35", 1.6, 12, 0.45, 0.059, 0.171, 90, 0.6, "专用设备 半导体设备 医疗器械"),
    Sector("36", 0.9, 6, 0.38, 0.043, 0.121, 85, 1.0, "汽车零部件 汽车电子"),
    Sector("37", 0.3, 2, 0.40, 0.049, 0.15, 117, 0.9, "船舶设备 航空装备 轨道交通设备"),
    Sector("38", 1.5, 9, 0.38, 0.040, 0.137, 116, 0.8, "电气设备 新能源科技 电机制造"),
    Sector("39", 1.3, 12, 0.50, 0.059, 0.176, 95, 0.7, "集成电路 电子科技 通信设备"),
    Sector("40", 0.7, 7, 0.50, 0.092, 0.248, 74, 0.4, "仪器仪表 传感技术 光电仪器"),
    Sector("44", 0.2, 0, 0.05, 0.004, 0.063, 305, 1.4, "热力供应 综合能源"),
    Sector("47", 0.9, 0, 0.08, 0.02, 0.10, 220, 0.9, "建筑工程 房屋建设"),
    Sector("48", 0.9, 1, 0.12, 0.031, 0.166, 280, 1.0, "市政工程 土木工程"),
    Sector("50", 2.6, 0, 0.08, 0.032, 0.16, 180, 0.3, "建筑装饰 装修工程"),
    Sector("51", 21.0, 2, 0.03, 0.003, 0.055, 480, 0.8, "贸易 供应链管理 电子贸易"),
    Sector("52", 9.5, 0, 0.03, 0.004, 0.026, 132, -0.3, "商贸 电子商务 百货零售"),
    Sector("54", 1.8, 0, 0.03, 0.008, 0.05, 70, 0.4, "物流运输 货运"),
    Sector("59", 1.0, 0, 0.05, 0.01, 0.05, 90, 0.5, "仓储 供应链仓储"),
    Sector("61", 0.7, 0, 0.01, 0.002, 0.02, 25, 0.0, "酒店管理 宾馆"),
    Sector("62", 3.2, 0, 0.01, 0.002, 0.02, 22, -0.3, "餐饮管理 餐饮服务"),
    Sector("64", 2.0, 6, 0.40, 0.110, 0.349, 130, -0.1, "互联网科技 网络信息"),
    Sector("65", 7.5, 30, 0.48, 0.105, 0.38, 76, 0.1, "软件 信息技术 数据科技 智能科技"),
    Sector("70", 2.0, 0, 0.01, 0.003, 0.03, 150, 0.8, "置业 物业管理 房地产开发"),
    Sector("71", 1.2, 0, 0.04, 0.008, 0.05, 120, 0.1, "设备租赁 汽车租赁"),
    Sector("72", 13.5, 1, 0.04, 0.008, 0.095, 110, -0.3, "企业管理 商务咨询 广告 人力资源"),
    Sector("73", 2.4, 8, 0.45, 0.130, 0.40, 68, -0.2, "生物科技 新材料研发 医学研究"),
    Sector("74", 4.2, 8, 0.30, 0.050, 0.156, 68, 0.1, "检测技术 工程设计 环境检测"),
    Sector("75", 3.6, 6, 0.35, 0.080, 0.25, 60, -0.2, "技术服务 科技推广 节能技术"),
    Sector("77", 0.5, 1, 0.25, 0.036, 0.139, 132, 0.5, "环保工程 生态环境"),
    Sector("80", 1.4, 0, 0.01, 0.002, 0.02, 18, -0.9, "家政服务 生活服务"),
    Sector("81", 1.2, 0, 0.03, 0.005, 0.03, 40, -0.4, "汽车维修 电子维修"),
    Sector("83", 0.8, 0, 0.05, 0.01, 0.05, 30, -0.3, "教育培训 职业培训"),
    Sector("88", 1.1, 0, 0.04, 0.008, 0.05, 55, -0.4, "文化传播 艺术策划"),
)


@dataclass(frozen=True)
class SectorTable:
    """The sectors as arrays of shape (sectors,), and the codes and words as runs over flat lists."""

    weight: npt.NDArray[np.float64]
    strong: npt.NDArray[np.float64]
    upper: npt.NDArray[np.float64]
    """Over-the-counter firms: half manufacturers, a quarter software, the rest services and trade."""
    maker: npt.NDArray[np.bool_]
    """C13–C43."""
    industry: npt.NDArray[np.bool_]
    """B C D."""
    building: npt.NDArray[np.bool_]
    estate: npt.NDArray[np.bool_]
    line: npt.NDArray[np.float64]
    """规上 line in 元 (rules.md §4), infinite where there is none; construction goes by revenue here."""
    codes: Sequence[str]
    """With section letter: ``C3911``."""
    words: Sequence[str]
    code_start: npt.NDArray[np.int64]
    code_count: npt.NDArray[np.int64]
    word_start: npt.NDArray[np.int64]
    word_count: npt.NDArray[np.int64]


@cache
def sector_table() -> SectorTable:
    divisions = [int(s.division) for s in SECTORS]
    maker = np.array([13 <= d <= 43 for d in divisions])
    codes, code_start, code_count = _runs([_codes(s.division) for s in SECTORS])
    words, word_start, word_count = _runs([s.words.split() for s in SECTORS])
    return SectorTable(
        weight=_share([s.weight for s in SECTORS]),
        strong=_share([s.strong for s in SECTORS]),
        upper=_share([_upper(s) for s in SECTORS]),
        maker=maker,
        industry=maker | np.array([d in {44, 45, 46} for d in divisions]),
        building=np.array([47 <= d <= 50 for d in divisions]),
        estate=np.array([d == 70 for d in divisions]),
        line=np.array([_line(d) for d in divisions]) * 10_000,
        codes=codes,
        words=words,
        code_start=code_start,
        code_count=code_count,
        word_start=word_start,
        word_count=word_count,
    )


def column(name: str) -> npt.NDArray[np.float64]:
    """One numeric column of :data:`SECTORS`."""
    return np.array([getattr(sector, name) for sector in SECTORS], dtype=np.float64)


def _upper(sector: Sector) -> float:
    """Weight among over-the-counter firms: what does research, and a fifth of everything else."""
    return sector.strong + 0.1 + 0.22 * sector.weight * (sector.strong <= 2)


def _line(division: int) -> float:
    if division < 6:
        return NEVER
    if division == 52:
        return 500.0
    if division in {61, 62}:
        return 200.0
    if 70 <= division <= 75 or division == 83:
        return 1000.0
    return 500.0 if division >= 80 else 2000.0


def _codes(division: str) -> list[str]:
    table = industries()
    letter = table.sections[division]
    return [letter + code for code in table.names if len(code) == 4 and code.startswith(division)]


def _runs(groups: list[list[str]]) -> tuple[list[str], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    count = np.array([len(group) for group in groups], dtype=np.int64)
    return [item for group in groups for item in group], np.cumsum(count) - count, count


def _share(weights: list[float]) -> npt.NDArray[np.float64]:
    array: npt.NDArray[np.float64] = np.array(weights) / sum(weights)
    return array
