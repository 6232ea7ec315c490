"""How Chinese characters are read: syllables without tones, a second reading for the commonest polyphones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import islice, product

from pypinyin import lazy_pinyin
from pypinyin.constants import PINYIN_DICT
from pypinyin.contrib.tone_convert import to_normal

Way = tuple[tuple[str, ...], str]
"""Syllables, and the letters of an unfinished last one."""
MOST_READINGS = 8
"""Readings of one name that are considered."""
_LONGEST_SYLLABLE = 6

_POLYPHONES = (
    "重chong/zhong 行hang/xing 长chang/zhang 乐le/yue 朝chao/zhao 曾zeng/ceng 单shan/dan 厦xia/sha "
    "都du/dou 会hui/kuai 传chuan/zhuan 藏zang/cang 调diao/tiao 盛sheng/cheng 车che/ju 柏bai/bo "
    "奇qi/ji 宿su/xiu 降jiang/xiang 解jie/xie 便bian/pian 参can/shen 弹tan/dan 率lv/shuai "
    "校xiao/jiao 系xi/ji 轧zha/ya 卡ka/qia 种zhong/chong 翟zhai/di 仇qiu/chou 尉wei/yu 覃qin/tan "
    "区qu/ou 查cha/zha 折zhe/she 沈shen/chen 大da/dai 秘mi/bi 澄cheng/deng 泊bo/po 仔zi/zai "
    "露lu/lou 薄bo/bao 绿lv/lu 六liu/lu 陆lu/liu 堡bao/pu 埔pu/bu 贾jia/gu 畜xu/chu 省sheng/xing "
    "数shu/shuo 色se/shai 强qiang/jiang 桔ju/jie 莘xin/shen 圩wei/xu 歙she/xi 铅qian/yan 合he/ge "
    "咖ka/ga 角jiao/jue 觉jue/jiao 壳ke/qiao 落luo/la 脉mai/mo 模mo/mu 圈quan/juan 什shi/shen "
    "熟shu/shou 提ti/di 万wan/mo 血xue/xie 叶ye/xie 扎zha/za 粘zhan/nian 识shi/zhi 属shu/zhu "
    "俞yu/shu 员yuan/yun 洗xi/xian 冯feng/ping 费fei/bi 盖gai/ge 繁fan/po 朴pu/piao 缪miao/mou "
    "召zhao/shao 茄qie/jia 磅bang/pang 称cheng/chen 石shi/dan 拓tuo/ta 塔ta/da 峙zhi/shi 浒hu/xu "
    "济ji/qi 蚌bang/beng 厂chang/an 南nan/na 地di/de 和he/huo"
)


@cache
def _polyphones() -> dict[str, tuple[str, ...]]:
    return {word[0]: tuple(word[1:].split("/")) for word in _POLYPHONES.split()}


@lru_cache(maxsize=65536)
def syllables(char: str) -> tuple[str, ...]:
    """Readings of one character of a normal form, the likelier first; a letter or digit reads as itself."""
    return _polyphones().get(char) or (lazy_pinyin(char)[0].lower(),)


def readings(text: str) -> Iterator[tuple[str, ...]]:
    """Readings of a whole normal form, at most :data:`MOST_READINGS`."""
    return islice(product(*map(syllables, text)), MOST_READINGS)


@cache
def known_syllables() -> frozenset[str]:
    """Every syllable there is, with v for ü."""
    toned = set(",".join(PINYIN_DICT.values()).split(","))
    found = {to_normal(each) for each in toned}
    return frozenset(each for each in found if re.fullmatch(r"[aoe]|(?![nmh][nmgh]*$)[a-z]{2,6}", each))


def split(letters: str, *, most: int = 6) -> Sequence[Way]:
    """Ways to read letters as syllables, each with an unfinished last one (``jingso`` → jing, so…).

    Whole readings before unfinished ones, fewest syllables first.
    """
    ways = list(islice(_ways(letters, 0, _ends(letters)), most * 8))
    return sorted(ways, key=lambda way: (bool(way[1]), len(way[0])))[:most]


def _ends(letters: str) -> Sequence[bool]:
    """For each place, whether the rest can be read at all: without it a long jumble takes for ever."""
    fine = [*(_unfinished(letters[at:]) for at in range(len(letters))), True]
    for at in range(len(letters) - 1, -1, -1):
        fine[at] = fine[at] or any(fine[end] for end in _syllable_ends(letters, at))
    return fine


def _ways(letters: str, at: int, fine: Sequence[bool]) -> Iterator[Way]:
    if at == len(letters):
        yield (), ""
        return
    for end in _syllable_ends(letters, at):
        if fine[end]:
            for rest, unfinished in _ways(letters, end, fine):
                yield (letters[at:end], *rest), unfinished
    if _unfinished(letters[at:]):
        yield (), letters[at:]


def _syllable_ends(letters: str, at: int) -> Iterator[int]:
    """Where a syllable that begins here may end, the longest first."""
    for end in range(min(at + _LONGEST_SYLLABLE, len(letters)), at, -1):
        if letters[at:end] in known_syllables():
            yield end


def _unfinished(letters: str) -> bool:
    return letters in _beginnings()


@cache
def _beginnings() -> frozenset[str]:
    return frozenset(each[:size] for each in known_syllables() for size in range(1, len(each)))
