"""A headless Chromium without any network, driven through two pipes.

It runs in a network namespace of its own in which there is nothing, not even
a loopback that is up: what a page would load it cannot. The DevTools protocol
(https://chromedevtools.github.io/devtools-protocol/) comes as JSON with a NUL
behind each message on the descriptors 3 and 4.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

READ, WRITE = 3, 4
SECONDS = 30


def pipe_above(number):
    """A pipe whose descriptors are not among the first ones."""
    ends = []
    for end in os.pipe():
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, number + 1))
        os.close(end)
    return ends


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="mailsweep-chromium.")
        theirs, self.out = pipe_above(WRITE)
        self.back, ours = pipe_above(WRITE)
        self.log = open(os.path.join(self.profile, "log"), "wb")

        def ends():
            os.dup2(theirs, READ)
            os.dup2(ours, WRITE)

        self.process = subprocess.Popen(
            ["unshare", "-n", "--", "chromium", "--headless", "--no-sandbox",
             "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-extensions",
             "--disable-component-update", "--hide-scrollbars",
             "--force-device-scale-factor=1", "--remote-debugging-pipe",
             f"--user-data-dir={self.profile}", "about:blank"],
            pass_fds=(READ, WRITE), preexec_fn=ends, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log,
            env={"PATH": os.environ["PATH"], "HOME": self.profile,
                 "LANG": "C.UTF-8"})
        os.close(theirs)
        os.close(ours)
        self.number, self.rest, self.events = 0, b"", []
        self.session = None
        target = self.call("Target.createTarget",
                           url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        for descriptor in (self.out, self.back):
            os.close(descriptor)
        shutil.rmtree(self.profile, ignore_errors=True)

    def message(self, deadline):
        """The next message; an error after the deadline or at the end."""
        while b"\0" not in self.rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.back], [], [], left)[0]:
                raise TimeoutError("the browser does not answer")
            more = os.read(self.back, 1 << 20)
            if not more:
                with open(self.log.name, errors="replace") as log:
                    raise EOFError("the browser has ended: " + log.read())
            self.rest += more
        line, self.rest = self.rest.split(b"\0", 1)
        return json.loads(line)

    def call(self, method, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        data = json.dumps(request).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        deadline = time.monotonic() + SECONDS
        while True:
            answer = self.message(deadline)
            if answer.get("id") != self.number:
                self.events.append(answer)
                continue
            if "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            return answer["result"]

    def open(self, path):
        """Load a file and wait for its load event."""
        self.events.clear()
        self.call("Page.navigate", url=f"file://{path}")
        deadline = time.monotonic() + SECONDS
        while not any(e.get("method") == "Page.loadEventFired"
                      for e in self.events):
            self.events.append(self.message(deadline))

    def run(self, script):
        """The value of a script's last expression."""
        answer = self.call("Runtime.evaluate", expression=script,
                           returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def press(self, key, code, text=""):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode=code,
                      text=text if kind == "keyDown" else "")

    def mouse(self, kind, x, y):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y,
                  button="none" if kind == "mouseMoved" else "left",
                  clickCount=0 if kind == "mouseMoved" else 1)

    def looks(self, width, dark=False, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=900, deviceScaleFactor=1, mobile=mobile)
        self.call("Emulation.setEmulatedMedia", media="", features=[
            {"name": "prefers-color-scheme",
             "value": "dark" if dark else "light"}])

    def picture(self, path, selector="html"):
        """A picture of an element, all of it."""
        box = self.run(
            f"(() => {{const r = document.querySelector({selector!r})"
            ".getBoundingClientRect(); return [r.x + scrollX, r.y + scrollY,"
            " r.width, r.height]})()")
        clip = dict(zip(("x", "y", "width", "height"), box), scale=1)
        data = self.call("Page.captureScreenshot", format="png", clip=clip,
                         captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def print(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(
                self.call("Page.printToPDF", printBackground=True)["data"]))

    def complaints(self):
        """What the page got wrong: errors, violations, requests."""
        self.run("0")  # whatever came before has been sent by now
        out = []
        for event in self.events:
            method, params = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                out.append(str(params["exceptionDetails"]))
            elif method == "Log.entryAdded":
                out.append(str(params["entry"]))
            elif method == "Runtime.consoleAPICalled":
                out.append(str(params["args"]))
            elif method == "Audits.issueAdded":
                out.append(str(params["issue"]))
            elif method == "Network.requestWillBeSent" and not \
                    params["request"]["url"].startswith(("file:", "data:")):
                out.append(params["request"]["url"])
        return out
