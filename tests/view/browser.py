"""A headless Chromium for the tests of the pages, driven over a pipe by its DevTools protocol.

Nothing but the standard library: messages are JSON ended by a zero byte on two pipes (`--remote-debugging-pipe`), so no
port is opened and no WebSocket library is needed.  https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 60  # seconds after which an answer will not come
KEYS = {"Home": 36, "End": 35, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9, "Enter": 13}


def find() -> str | None:
    """The path of the browser, or None where there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One process of the browser; `page` opens pages one after the other."""

    def __init__(self, path: str) -> None:
        self.profile = tempfile.mkdtemp(prefix="modelcheck-browser-")
        to_browser, self.write = os.pipe()
        self.read, from_browser = os.pipe()
        command = [
            path, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "--no-first-run",
            "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--hide-scrollbars",
            "--disable-background-networking", "--disable-component-update", "--force-color-profile=srgb",
            "about:blank",
        ]
        # The protocol is on descriptors 3 and 4: a shell puts the pipes there.
        shell = f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'
        self.process = subprocess.Popen(
            ["bash", "-c", shell, *command], pass_fds=(to_browser, from_browser), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.pending = b""
        self.count = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            self.send("Browser.close")
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.write)
        os.close(self.read)
        shutil.rmtree(self.profile, ignore_errors=True)

    def send(self, method: str, session: str = "", **parameters: object) -> dict[str, Any]:
        """One command and its result; events that come meanwhile are kept in `events`."""
        self.count += 1
        number = self.count
        message = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def wait_for(self, method: str) -> dict[str, Any]:
        """The next event of this name, also one that has come already."""
        while True:
            for place, event in enumerate(self.events):
                if event.get("method") == method:
                    return self.events.pop(place)
            self.events.append(self._receive())

    def _receive(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while b"\0" not in self.pending:
            ready, _, _ = select.select([self.read], [], [], max(end - time.monotonic(), 0))
            data = os.read(self.read, 1 << 20) if ready else b""
            if not data:
                raise TimeoutError("the browser does not answer")
            self.pending += data
        line, self.pending = self.pending.split(b"\0", 1)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def page(self, path: Path, width: int = 1440, height: int = 900, **how: Any) -> Page:
        """The file opened in a new tab; `dark`, `scripts=False`, `reduced`, `fragment` as its own say."""
        return Page(self, path, width, height, **how)


class Page:
    """A tab: what it logged and what it asked the network for is kept from the start."""

    def __init__(self, browser: Browser, path: Path, width: int, height: int, dark: bool = False, scripts: bool = True,
                 fragment: str = "", mobile: bool = False) -> None:
        self.browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.target = target
        self.session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.events.clear()
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        if not scripts:
            self.send("Emulation.setScriptExecutionDisabled", value=True)
        self.send("Page.navigate", url=path.resolve().as_uri() + fragment)
        browser.wait_for("Page.loadEventFired")

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        return self.browser.send(method, self.session, **parameters)

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        told = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def ready(self) -> Page:
        """Itself, once its script has drawn."""
        self.run("new Promise(done => { const look = () => document.documentElement.classList.contains('live')"
                 " ? done(true) : setTimeout(look, 5); look(); })")
        return self

    def key(self, name: str) -> None:
        """One key pressed and let go, as a user does it."""
        code = KEYS.get(name, ord(name.upper()[0]))
        common = {"key": name, "windowsVirtualKeyCode": code}
        text = {"text": name} if len(name) == 1 else {"text": "\r"} if name == "Enter" else {}
        self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **common, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def click(self, selector: str) -> None:
        """A press of the mouse in the middle of the first element that the selector finds."""
        x, y = self.run(f"(() => {{ const found = document.querySelector({json.dumps(selector)});"
                        " found.scrollIntoView({block: 'center', inline: 'center'});"
                        " const box = found.getBoundingClientRect();"
                        " return [box.x + box.width / 2, box.y + box.height / 2]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def text(self, selector: str) -> str:
        """The text one sees in the first element that the selector finds, "" for none."""
        found: str = self.run(f"(document.querySelector({json.dumps(selector)})?.innerText ?? '')")
        return found

    def complaints(self) -> list[str]:
        """What the page logged as an error or warning, and the exceptions of its script."""
        self.run("0")
        told = []
        for event in self.browser.events:
            if event.get("method") == "Runtime.exceptionThrown":
                told.append(str(event["params"]["exceptionDetails"]))
            elif event.get("method") == "Log.entryAdded":
                told.append(event["params"]["entry"]["text"])
            elif event.get("method") == "Runtime.consoleAPICalled":
                told.append(str(event["params"]["args"]))
        return told

    def requests(self) -> list[str]:
        """Every address the page asked for."""
        self.run("0")
        return [event["params"]["request"]["url"] for event in self.browser.events
                if event.get("method") == "Network.requestWillBeSent"]

    def screenshot(self, path: Path, whole: bool = False) -> None:
        picture = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **(
            {"clip": {**self.send("Page.getLayoutMetrics")["cssContentSize"], "scale": 1}} if whole else {}))
        path.write_bytes(base64.b64decode(picture["data"]))

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.send("Page.printToPDF", printBackground=True)["data"])

    def close(self) -> None:
        self.browser.send("Target.closeTarget", targetId=self.target)
