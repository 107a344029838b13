"""Bars of hours in whole pixels."""

from hypothesis import given
from hypothesis import strategies as st

from plugins.standard.dashboard.chart import HEIGHT, Column, column_chart, scale


def column(minutes: int, expected: int = 0) -> Column:
    return Column("Mon", "23", "Monday", "", minutes, expected)


def test_the_scale_is_a_round_number_of_hours() -> None:
    assert [scale(minutes) for minutes in (0, 60, 61, 480, 481, 1440, 90 * 60, 100 * 60)] == [
        60,
        60,
        120,
        480,
        600,
        1440,
        6000,
        6000,
    ]


def test_bars_share_a_scale_and_what_is_little_is_seen() -> None:
    chart = column_chart([column(480, 480), column(240, 480), column(1, 0), column(0)])
    assert [(bar.recorded, bar.expected) for bar in chart.bars] == [
        (HEIGHT, HEIGHT),
        (HEIGHT // 2, HEIGHT),
        (1, 0),
        (0, 0),
    ]
    assert column_chart([]).bars == ()


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 1440))))
def test_no_bar_leaves_the_chart_and_order_is_kept(hours: list[tuple[int, int]]) -> None:
    chart = column_chart(column(*pair) for pair in hours)
    assert all(0 <= height <= HEIGHT for bar in chart.bars for height in (bar.recorded, bar.expected))
    by_minutes = sorted(chart.bars, key=lambda bar: bar.column.minutes)
    assert [bar.recorded for bar in by_minutes] == sorted(bar.recorded for bar in chart.bars)
