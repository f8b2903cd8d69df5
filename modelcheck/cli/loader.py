"""Finds a spec: by its name under `specs`, or in a user's own file.

Its one invariant: looking for a name imports no spec but the one of that name, and running a user's file writes nothing
beside it.  A file is one module; it defines `SPEC`, a Spec, or `model()`, which returns a Model.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import importlib
import linecache
import os
import pkgutil
import sys
import types
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from modelcheck.errors import ModelcheckError, SpecError, UsageError
from modelcheck.spec import PropertyInfo, Setting, Spec

if TYPE_CHECKING:
    from modelcheck.system.model import Model

PACKAGE = "specs"


def spec_names() -> tuple[str, ...]:
    """The names of the specs there are, sorted; imports none of them."""
    package = importlib.import_module(PACKAGE)
    found = (module.name for module in pkgutil.iter_modules(package.__path__))
    return tuple(sorted(name for name in found if name[0] != "_" and name not in package.SHARED))


def default_name() -> str:
    """The spec a check takes when none is named."""
    return str(importlib.import_module(PACKAGE).DEFAULT)


def load(name_or_path: str) -> Spec:
    """The spec of that name, or in the file at that path; raises UsageError or SpecError."""
    if name_or_path.endswith(".py") or "/" in name_or_path or os.sep in name_or_path:
        return load_file(name_or_path)
    return load_name(name_or_path)


def load_all() -> tuple[Spec, ...]:
    """Every spec there is, the default first."""
    names = spec_names()
    return tuple(load_name(name) for name in sorted(names, key=lambda name: name != default_name()))


def load_name(name: str) -> Spec:
    """The spec `specs.<name>.SPEC`."""
    names = spec_names()
    if name not in names:
        hint = f"; for your own file say ./{name}.py" if Path(f"{name}.py").is_file() else ", or a path to a .py file"
        raise UsageError(f"there is no spec {name!r}; there are {', '.join(names) or 'none'}{hint}")
    spec = getattr(importlib.import_module(f"{PACKAGE}.{name}"), "SPEC", None)
    if not isinstance(spec, Spec):
        raise SpecError(f"it defines no SPEC that is a modelcheck.Spec, but {_kind(spec)}", f"{PACKAGE}.{name}")
    return spec


def file_digest(path: str) -> str:
    """The sha256 of a user's file, in hex; runs nothing of it."""
    return hashlib.sha256(_read(path)).hexdigest()


def load_file(path: str) -> Spec:
    """The spec in a user's file, with the path and the sha256 that a trace names it by."""
    content = _read(path)
    digest = hashlib.sha256(content).hexdigest()
    module = _execute(path, content, digest)
    spec = getattr(module, "SPEC", None)
    model = getattr(module, "model", None)
    if spec is not None:
        if not isinstance(spec, Spec):
            raise SpecError(f"SPEC must be a modelcheck.Spec, and is {_kind(spec)}", path)
    elif callable(model):
        spec = _wrapped(path, module, model)
    elif model is not None:
        raise SpecError(f"model must be a function that returns a modelcheck.Model, and is {_kind(model)}", path)
    else:
        raise SpecError("it defines neither a function model() that returns a modelcheck.Model nor a SPEC", path)
    return dataclasses.replace(spec, path=path, digest=digest)


def _read(path: str) -> bytes:
    try:
        if os.path.isdir(path):
            raise UsageError(f"cannot read the spec {path}: it is a directory; name a .py file")
        if not path.endswith(".py"):
            raise UsageError(f"cannot read the spec {path}: a spec file's name ends in .py")
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the spec {path}: {(error.strerror or str(error)).lower()}") from None
    except ValueError as error:  # a null byte in the name
        raise UsageError(f"cannot read the spec {path!r}: {error}") from None


def _execute(path: str, content: bytes, digest: str) -> types.ModuleType:
    """The file as a module under a name of its own: two specs of one name never meet in sys.modules."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(f"it is not UTF-8 text (byte {error.start} is {content[error.start]:#04x})", path) from None
    try:
        code = compile(text, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise SpecError(f"syntax error: {error.msg}", f"{path}:{error.lineno or 1}") from None
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes; nested too deeply
        raise SpecError(f"it cannot be compiled: {error}", path) from None
    module = types.ModuleType(f"_modelcheck_user_spec_{digest[:16]}")
    module.__file__ = path
    sys.modules[module.__name__] = module  # dataclasses and pickling look their module up there
    linecache.checkcache(path)
    with _no_bytecode(), _blamed(path, "it raises"):
        exec(code, module.__dict__)
    return module


@contextlib.contextmanager
def _no_bytecode() -> Iterator[None]:
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


@contextlib.contextmanager
def _blamed(path: str, what: str) -> Iterator[None]:
    """Turns what the user's own code raises into a SpecError that names the deepest line of the file."""
    try:
        yield
    except ModelcheckError as error:
        if isinstance(error, SpecError) and error.where:
            raise
        raise SpecError(str(error), _place(path, error)) from None
    except (Exception, SystemExit) as error:
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise SpecError(f"{what} {said}", _place(path, error)) from error


def _place(path: str, error: BaseException) -> str:
    place, trace = path, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            place = f"{path}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _wrapped(path: str, module: types.ModuleType, model: Callable[[], object]) -> Spec:
    """A `model()` as a spec of one version without parameters."""
    first = _model(path, model)
    properties = tuple(PropertyInfo(name, text) for name, text in first.property_names())
    if not properties:
        raise SpecError("model() states no property; declare one, such as model.deadlock()", path)
    summary = (module.__doc__ or model.__doc__ or "").strip().partition("\n")[0]
    return Spec(Path(path).stem, summary, functools.partial(_build, path, model), properties=properties)


def _build(path: str, model: Callable[[], object], setting: Setting, projection: Hashable) -> Model:
    return _model(path, model)


def _model(path: str, model: Callable[[], object]) -> Model:
    from modelcheck.system.model import Model

    with _blamed(path, "model() raises"):
        made = model()
    if not isinstance(made, Model):
        line = getattr(getattr(model, "__code__", None), "co_firstlineno", 0)
        raise SpecError(f"model() must return a modelcheck.Model, and returns {_kind(made)}",
                        f"{path}:{line}" if line else path)
    return made


def _kind(value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, types.FunctionType):
        return f"the function {value.__name__}()"
    return f"a value of type {type(value).__name__}"
