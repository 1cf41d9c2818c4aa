"""Runs one phase of a CLS_Allscripts checkout and reports as JSON lines.

    python checkout-shim.py (check|run) <phase> <checkout folder>

Every line on standard output is one object {t, level, phase, msg}; the last one also has `result`:
    {"ok": true, "returned": <what the phase returned, if JSON can hold it, else null>}
    {"ok": false, "kind": "missing" | "entry" | "exit" | "crash", "what": "...", "missing": [...]}
Standard input is a life line: when it ends, whoever started this is gone, and the whole process group goes too.
Needs Python 3.8 or newer and nothing but its standard library.
"""

import ast
import asyncio
import datetime
import hashlib
import importlib
import importlib.util
import inspect
import io
import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
import traceback

PHASES = ("sync", "integrate", "classify", "export")
LOCK_POLL_SECONDS = 0.2
MAX_RETURNED_CHARS = 64 * 1024
LEVELS = ((logging.NOTSET, "info"), (logging.WARNING, "warn"), (logging.ERROR, "error"))


class Reporter:
    """Writes whole JSON lines to the real standard output, from any thread."""

    def __init__(self, phase):
        self.phase = phase
        self.lock = threading.Lock()
        # The checkout's own writes, and those of programs it starts, must not end up inside a JSON line:
        # the real output is kept under another number, and number 1 becomes standard error.
        self.fd = os.dup(1)
        os.dup2(2, 1)

    def line(self, level, msg, **more):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        record = {"t": now, "level": level, "phase": self.phase, "msg": msg}
        record.update(more)
        data = (json.dumps(record) + "\n").encode("utf-8")
        with self.lock:
            while data:
                data = data[os.write(self.fd, data) :]


class PrintedLines(io.TextIOBase):
    """Stands in for sys.stdout: each printed line becomes one log record."""

    def __init__(self, reporter):
        self.reporter = reporter
        self.rest = ""

    def writable(self):
        return True

    def write(self, text):
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            if line.strip():
                self.reporter.line("info", line.rstrip("\r"))
        return len(text)

    def end(self):
        if self.rest.strip():
            self.reporter.line("info", self.rest)
        self.rest = ""


class ReportHandler(logging.Handler):
    """Turns records of the `logging` module into report lines."""

    def __init__(self, reporter):
        super().__init__()
        self.reporter = reporter

    def emit(self, record):
        try:
            above = [name for limit, name in LEVELS if record.levelno >= limit]
            self.reporter.line(above[-1], record.getMessage())
        except Exception:
            self.handleError(record)


def watch_life_line():
    """Ends the process group when standard input ends."""
    life = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)

    def watch():
        try:
            while os.read(life, 4096):
                pass
        except OSError:
            pass
        if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
            os.killpg(os.getpgrp(), signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def lock_checkout(folder, reporter):
    """Waits until no other run uses the checkout. The system frees the lock however the process ends."""
    try:
        import fcntl
    except ImportError:
        return lock_by_file(folder, reporter)
    handle = os.open(folder, os.O_RDONLY)
    wait_for(lambda: fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB), folder, reporter)
    return handle


def lock_by_file(folder, reporter):
    """Folders cannot be locked here; a file in the temporary folder stands for the checkout."""
    import msvcrt

    name = hashlib.sha256(os.path.normcase(folder).encode("utf-8")).hexdigest()[:16]
    handle = os.open(os.path.join(tempfile.gettempdir(), "msgsys-" + name), os.O_RDWR | os.O_CREAT)
    wait_for(lambda: msvcrt.locking(handle, msvcrt.LK_NBLCK, 1), folder, reporter)
    return handle


def wait_for(take, folder, reporter):
    told = False
    while True:
        try:
            return take()
        except OSError:
            if not told:
                reporter.line("info", "waits for another run of the checkout " + folder)
                told = True
            time.sleep(LOCK_POLL_SECONDS)


def missing_imports(folder):
    """Names of modules that main.py and the checkout's modules it imports need and that nobody provides."""
    seen, missing, todo = set(), {}, [os.path.join(folder, "main.py")]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        with open(path, "rb") as source:
            tree = ast.parse(source.read(), path)
        package = package_of(folder, path)
        for name, line in needed(tree, package):
            todo.extend(local_files(folder, name))
            top = name.split(".")[0]
            if not is_known(top):
                missing.setdefault(top, "%s:%d" % (os.path.relpath(path, folder), line))
    return ["%s (%s)" % entry for entry in sorted(missing.items())]


def package_of(folder, path):
    parts = os.path.relpath(os.path.dirname(path), folder).split(os.sep)
    return [part for part in parts if part != "."]


def needed(node, package):
    """Imports that run when a module is loaded. A try that catches the failure makes an import optional."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield alias.name, child.lineno
        elif isinstance(child, ast.ImportFrom):
            base = package[: len(package) - child.level + 1] if child.level else []
            name = ".".join(base + ([child.module] if child.module else []))
            if name:
                yield name, child.lineno
            for alias in child.names:
                if child.level and alias.name != "*":
                    yield ".".join(base + ([child.module] if child.module else []) + [alias.name]), child.lineno
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        elif isinstance(child, ast.Try) and any(catches_import(handler) for handler in child.handlers):
            continue
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        else:
            for found in needed(child, package):
                yield found


def catches_import(handler):
    if handler.type is None:
        return True
    words = ast.dump(handler.type)
    return any(word in words for word in ("ImportError", "ModuleNotFoundError", "'Exception'"))


def local_files(folder, name):
    """Files of the checkout that importing `name` loads; none when it is not one of the checkout's modules."""
    found, parts = [], name.split(".")
    for end in range(1, len(parts) + 1):
        base = os.path.join(folder, *parts[:end])
        for path in (base + ".py", os.path.join(base, "__init__.py")):
            if os.path.isfile(path):
                found.append(path)
    return found


def is_known(name):
    try:
        return name in sys.builtin_module_names or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def failed(kind, what, missing=()):
    return {"ok": False, "kind": kind, "what": what, "missing": list(missing)}


def check(folder):
    """None when the checkout can be loaded as far as can be told without running it."""
    if not os.path.isfile(os.path.join(folder, "main.py")):
        return failed("entry", "it has no main.py")
    try:
        missing = missing_imports(folder)
    except (SyntaxError, ValueError) as error:
        return failed("entry", "its source cannot be parsed: %s" % error)
    if missing:
        return failed("missing", "Python %s has no module %s" % (sys.version.split()[0], ", ".join(missing)), missing)
    return None


def run(phase, folder, reporter):
    main = importlib.import_module("main")
    names = ("load_config", "get_config_paths", "process_" + phase)
    absent = [name for name in names if not callable(getattr(main, name, None))]
    if absent:
        return failed("entry", "its main.py has no " + ", ".join(name + "()" for name in absent))
    logger = logging.getLogger("cls")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(ReportHandler(reporter))
    config = main.load_config()
    paths = main.get_config_paths(config) if wants_argument(main.get_config_paths) else main.get_config_paths()
    returned = getattr(main, "process_" + phase)(config, paths, logger)
    if inspect.iscoroutine(returned):
        returned = asyncio.run(returned)
    return {"ok": True, "returned": plain(returned)}


def wants_argument(function):
    """Checkouts differ in whether the paths are made from the configuration that was loaded."""
    return any(
        parameter.default is parameter.empty and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        for parameter in inspect.signature(function).parameters.values()
    )


def plain(value):
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None
    return json.loads(text) if len(text) <= MAX_RETURNED_CHARS else None


def attempt(mode, phase, folder, reporter):
    problem = check(folder)
    if problem is not None or mode == "check":
        return problem or {"ok": True, "returned": None}
    lock_checkout(folder, reporter)
    try:
        return run(phase, folder, reporter)
    except SystemExit as error:
        if error.code in (None, 0):
            return {"ok": True, "returned": None}
        return failed("exit", "it left with %r" % (error.code,))
    except BaseException as error:
        traceback.print_exc()
        return failed("crash", "%s: %s" % (type(error).__name__, error))


def start():
    mode, phase, folder = sys.argv[1:4]
    if mode not in ("check", "run") or phase not in PHASES:
        raise SystemExit("usage: checkout-shim.py (check|run) (%s) <folder>" % "|".join(PHASES))
    folder = os.path.realpath(folder)
    reporter = Reporter(phase)
    watch_life_line()
    printed = PrintedLines(reporter)
    sys.stdout = printed
    # As if `python main.py` had been called there: the checkout's folder stands first, the shim's not at all.
    sys.path[0] = folder
    sys.argv = [os.path.join(folder, "main.py")]
    sys.dont_write_bytecode = True
    os.chdir(folder)
    result = attempt(mode, phase, folder, reporter)
    printed.end()
    reporter.line("info" if result["ok"] else "error", "ended", result=result)
    # Threads the checkout left behind must not keep the process: all that matters has been said.
    sys.stderr.flush()
    os._exit(0 if result["ok"] else 1)


if __name__ == "__main__":
    start()
