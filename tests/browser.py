"""A real browser for tests: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

from tests.services import missing

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync")  # fmt: skip
"""As root in a container; and nothing of Chromium's own leaves the machine."""


@contextmanager
def page(width: int = 1280, height: int = 900) -> Iterator[Page]:
    """A page of a browser of its own. ``TIDUI_TEST_CHROMIUM`` names another binary."""
    path = (
        os.environ.get("TIDUI_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if path is None:
        missing("browser", "no chromium on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser.new_page(viewport={"width": width, "height": height}, locale="zh-CN")
        finally:
            browser.close()
