"""Values are read, never run: recording calls nothing of the program, and leaves its objects as they are."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import recording
from recording import Recorded

# Every hook that reading a value could call. They shout once the program has armed them.
HOSTILE = """
    import sys

    ARMED = False

    HOOKS = '''
        repr str format bytes bool len iter next contains getitem missing reversed length_hint index int float
        complex hash eq ne lt le gt ge getattr getattribute dir sizeof reduce reduce_ex getstate instancecheck
        subclasscheck subclasshook class_getitem fspath buffer get call copy deepcopy abs enter aenter
    '''.split()

    def hook(name, original=None):
        def shout(*args, **kwargs):
            if ARMED:
                print("called", name)
                raise RuntimeError(name)
            return NotImplemented if original is None else original(*args, **kwargs)
        return shout

    def hooks(base, *without):
        found = {}
        for name in HOOKS:
            dunder = f"__{name}__"
            if name not in without and (hasattr(base, dunder) or name in ("getattr", "index", "fspath")):
                found[dunder] = hook(f"{base.__name__}.{dunder}", getattr(base, dunder, None))
        return found

    def loop(*_):
        while ARMED:
            pass

    def shouting(base, **more):
        body = {**hooks(base, "class_getitem", "subclasshook"), **more}
        return type(base)(f"Loud{base.__name__.title()}", (base,), body)

    class Properties:
        __class__ = property(hook("__class__", lambda self: int))
        __dict__ = property(hook("__dict__", lambda self: {}))
        __slots__ = ("field", "__weakref__")
        value = property(hook("property"))
        args = property(hook("args"))

    LoudMeta = type("LoudMeta", (type,), {
        "__getattribute__": hook("meta.__getattribute__", type.__getattribute__),
        "__instancecheck__": loop, "__subclasscheck__": loop,
        "__len__": hook("meta.__len__"), "__repr__": loop, "__hash__": hook("meta.__hash__", type.__hash__),
        "__eq__": hook("meta.__eq__", type.__eq__), "__call__": type.__call__,
        "__dict__": property(loop), "__name__": property(hook("meta.__name__")),
        "__module__": property(hook("meta.__module__")),
        "mro": type.mro,
    })

    class Namespace(dict):
        def __getitem__(self, key):
            if ARMED:
                print("namespace", key)
            return super().__getitem__(key)
        def __iter__(self):
            print("iterated")
            return super().__iter__()

    class PrepareMeta(type):
        @classmethod
        def __prepare__(cls, name, bases):
            return Namespace()

    def keep(*values, **named):
        return values

    objects = []
    for base in (object, int, str, float, bytes, list, dict, tuple, set, frozenset, Exception):
        made = shouting(base)
        objects.append(made())
        one = made()
        try:
            object.__setattr__(one, "field", one)
        except AttributeError:
            pass
        objects.append(one)
    plain = Properties()
    plain.field = 1
    objects.append(plain)
    objects.append(LoudMeta("Quiet", (), {})())
    objects.append(LoudMeta("QuietClass", (), {"__module__": 5}))
    Key = shouting(str)
    OddKey = shouting(object)
    objects.append({Key("password"): 1, OddKey(): 2})
    objects.append({OddKey()})

    import datetime, decimal, enum, pathlib, uuid, collections
    class Zone(datetime.tzinfo):
        utcoffset = tzname = dst = hook("tzinfo")
    objects.append(datetime.datetime(2026, 1, 2, tzinfo=Zone()))
    objects.append(datetime.time(3, tzinfo=Zone()))
    objects.append(shouting(datetime.datetime, isoformat=hook("isoformat"))(2026, 1, 2))
    objects.append(shouting(decimal.Decimal)("1.5"))
    texts = {"__str__": hook("path"), "__fspath__": hook("path")}
    objects.append(type("P", (pathlib.PurePosixPath,), texts)("a"))
    objects.append(type("U", (uuid.UUID,), {"__str__": hook("uuid"), "hex": property(hook("hex"))})(int=5))
    class E(enum.Enum):
        ONE = 1
        @property
        def name(self): hook("enum.name")()
        @property
        def value(self): hook("enum.value")()
        __repr__ = __str__ = hook("enum")
    objects.append(E.ONE)
    class N(collections.namedtuple("N", "a b")):
        __slots__ = ()
        a = property(hook("field"))
        __getitem__ = __iter__ = __len__ = hook("namedtuple")
    objects.append(N(1, 2))
    class Error(Exception):
        args = property(hook("args"))
        __str__ = __repr__ = hook("error")
        __traceback__ = property(hook("traceback"))
        __cause__ = property(hook("cause"))
    class Descriptor:
        __get__ = hook("descriptor")
    class HasDescriptor:
        field = Descriptor()
    objects.append(HasDescriptor())
    class Module(type(sys)):
        __getattribute__ = hook("module", type(sys).__getattribute__)
    objects.append(Module("odd"))

    globals_ = shouting(dict)(keep=keep)
    globals_["__name__"] = shouting(str)("odd")
    globals_["__spec__"] = shouting(object)()
    code = compile("def inside(a): return a\\nresult = inside(5)", "<odd>", "exec")

    def raises():
        raise Error()
    def generator(value):
        try:
            yield value
        finally:
            pass

    ARMED = True
    keep(*objects)
    for item in objects:
        keep(item, named=item)
        keep([item], {1: item}, (item,))
        for yielded in generator(item):
            pass
    class Prepared(metaclass=PrepareMeta):
        x = 1
        def method(self): return 2
    keep(Prepared, Prepared())
    ARMED = False
    exec(code, globals_)
    ARMED = True
    try:
        raises()
    except Exception as error:
        keep(error)
    ARMED = False
    print("done")
"""


@pytest.mark.parametrize("how", ["default", "deep", "public"])
def test_no_hook_is_called(tmp_path: Path, how: str) -> None:
    """Properties, `__repr__`, `__getattr__`, `__eq__`, `__hash__`, `__len__`, `__class__` and `__dict__`
    properties, `__prepare__` namespaces, metaclasses, subclasses of builtin and well-known types whose hooks
    print, raise or loop: none is ever called by recording."""
    script = tmp_path / "plain.py"
    script.write_text(textwrap.dedent(HOSTILE), encoding="utf-8")
    plain = recording.plain([sys.executable, str(script)], tmp_path)
    assert (plain.returncode, plain.stderr) == (0, b"")
    options = ["--depth", "6", "--receiver", "3"] if how == "deep" else []
    api = "by_slot=False" if how == "public" else None
    recorded = recording.record(tmp_path, HOSTILE, options=options, api=api, timeout=30).ok()
    assert recorded.stdout == plain.stdout.decode()
    assert recorded.stdout.splitlines()[-1] == "done"
    assert len(recorded.calls("keep")) > 50
    assert "$corrupt" not in recorded.everything()
    recorded.trace.close()


# Memory

MEASURED = """
    import gc, sys, weakref

    class Inline:
        def __init__(self):
            self.a, self.text = 1, "ä" * 1000
            self.inner = [self.text]

    class Slots:
        __slots__ = ("a", "text", "__weakref__")
        def __init__(self):
            self.a, self.text = 1, "ö" * 1000

    class Late: pass

    def keep(value, *rest, **named):
        return value

    def generator(value):
        yield value

    def size(value):
        below = [(type(item).__name__, sys.getsizeof(item)) for item in gc.get_referents(value)]
        return sys.getsizeof(value), below

    late = Late()
    for index in range(40):
        setattr(late, f"field{index}", index)
    text, wide, bad = "ü" * 1000, "€" * 1000, "\\udc80" * 10
    key = "schlüssel" + str(len(text))
    error = ValueError(text)
    values = [Inline(), Slots(), late, text, wide, bad, error, {key: text}, [text], {text}, (text,), key]
    values += [type("Größe", (), {"größe": text})(), bytearray(b"abc"), 2 ** 100]
    refs = [weakref.ref(value) for value in values[:3]]
    sizes = [size(value) for value in values]
    counts = [sys.getrefcount(value) for value in values]
    names = [sys.getsizeof(keep.__code__.co_qualname), sys.getsizeof(keep.__code__.co_filename)]
    for value in values:
        for _ in range(3):
            keep(value, value, named=value)
            list(generator([value]))
            try:
                raise ValueError(value)
            except ValueError:
                pass
    # The traceback of the last one is gone, and so is everything that the loop held.
    del value, _
    for index, value in enumerate(values):
        assert size(value) == sizes[index], (value, size(value), sizes[index])
        assert index > 2 or sys.getrefcount(value) - 1 == counts[index], index
    del value
    assert names == [sys.getsizeof(keep.__code__.co_qualname), sys.getsizeof(keep.__code__.co_filename)]
    assert not any(type(item) is dict for item in gc.get_referents(values[0])), "a dictionary was made"
    try:
        import _testinternalcapi
        inline = _testinternalcapi.has_inline_values
    except (ImportError, AttributeError):
        pass
    else:
        assert inline(values[0]) and inline(values[-3])
    values.clear()
    del late, error
    assert [ref() for ref in refs] == [None] * 3, "an object is kept alive"
"""


@pytest.mark.parametrize("filtered", [False, True])
def test_objects_stay_as_they_are(tmp_path: Path, filtered: bool) -> None:
    """No object's memory changes: no dictionary is made of an instance's values, no text keeps a UTF-8 copy,
    nothing is kept alive; the same when `attr` rules look at every name."""
    rules = """
        [[scope.rules]]
        selector = "pkg:*"
        [[scope.rules.value_patterns]]
        selector = "attr:regex:(?i).*(schl.ssel|field1|gr..e)"
        action = "redact"
        """
    filters = [recording.filter_text(rules)] if filtered else []
    recording.record(tmp_path, MEASURED, filters=filters, options=["--depth", "3", "--receiver", "2"]).ok()


def test_attribute_speed(tmp_path: Path) -> None:
    """Attributes of an object stay as quick as they were: the interpreter's own inline values stay inline
    after the object was recorded, and the code that reads them stays specialised."""
    source = """
        import dis
        class Point:
            def __init__(self, x): self.x = x
        def keep(value): pass
        def read(point):
            total = 0
            for _ in range(200):
                total += point.x
            return total
        point = Point(1)
        for _ in range(20):
            keep(point)
            read(point)
        names = {i.opname for i in dis.get_instructions(read, adaptive=True)}
        print(sorted(name for name in names if name.startswith("LOAD_ATTR")))
        """
    recorded = recording.record(tmp_path, source).ok()
    plain = recording.plain([sys.executable, str(tmp_path / "app.py")], tmp_path)
    assert recorded.stdout == plain.stdout.decode() == "['LOAD_ATTR_INSTANCE_VALUE']\n"


def test_finalisers_run_when_they_did(record: Callable[..., Recorded]) -> None:
    """Objects die when they would have died: `__del__` and weak references see no delay, and neither do
    classes and code objects that are thrown away."""
    source = """
        import gc, weakref
        class Noisy:
            def __init__(self, name): self.name = name
            def __del__(self): print("gone", self.name)
        def use(value): return None
        def make(): return Noisy("result")
        use(Noisy("argument")); print("after argument")
        make(); print("after result")
        def fail():
            local = Noisy("local")
            raise ValueError
        try:
            fail()
        except ValueError:
            print("handled")
        print("after exception")
        def scope():
            class Short: pass
            use(Short())
            space = {}
            exec("def made(a): return a", space)
            space["made"](Short())
            return weakref.ref(Short), weakref.ref(space["made"].__code__)
        refs = scope()
        gc.collect()
        print([ref() for ref in refs])
        """
    recorded = record(source).ok()
    script = recorded.path.parent / "app.py"
    plain = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert recorded.stdout == plain.stdout
    assert plain.stdout.endswith("[None, None]\n")
