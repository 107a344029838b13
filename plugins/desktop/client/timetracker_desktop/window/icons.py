"""The icons of the web application (Tabler), drawn in the colour of the theme at any resolution."""

import re
from functools import cache
from importlib.resources import files

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

_BRAND = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="6" fill="{fill}"/>'
    '<path d="M12 6.5V12l4.5 3" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round"'
    ' stroke-linejoin="round"/>{dot}</svg>'
)
_DOT = '<circle cx="19" cy="5" r="4.6" fill="#bf2f27" stroke="#fff" stroke-width="1.4"/>'


@cache
def _symbols() -> dict[str, str]:
    text = (files("timetracker_desktop") / "assets" / "icons.svg").read_text(encoding="utf-8")
    return dict(re.findall(r'<symbol id="([a-z0-9-]+)"[^>]*>(.*?)</symbol>', text))


@cache
def icon(name: str, colour: str) -> QIcon:
    """An icon as the sprite names it."""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="{colour}" stroke-width="1.75"'
        f' stroke-linecap="round" stroke-linejoin="round">{_symbols()[name]}</svg>'
    )
    return QIcon(_drawn(svg, 18))


def brand(*, running: bool = False, size: int = 64) -> QIcon:
    """The mark of the application; with a red dot while a timer runs."""
    return QIcon(_drawn(_BRAND.format(fill="#3f4fc4", dot=_DOT if running else ""), size))


def _drawn(svg: str, size: int) -> QPixmap:
    ratio = max((screen.devicePixelRatio() for screen in QGuiApplication.screens()), default=1.0)
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
