/* Reads what CPython keeps in frames, instances and sets, by slot.
 *
 * Nothing here runs code of the program or makes a dictionary of an instance's values. Each minor version has one
 * block; `tamis_layout_known` says whether there is one, and Python code compares what it reads with what the
 * interpreter says before it is relied on (tamis.record.monitoring). Where the layout is not known, the public
 * functions of the C API serve, and of objects only the type is told.
 */

#define PY_SSIZE_T_CLEAN
#include <patchlevel.h>
#include <pyconfig.h>

#if !defined(Py_GIL_DISABLED) && (PY_VERSION_HEX >> 16 == 0x030C || PY_VERSION_HEX >> 16 == 0x030D)
#  if __has_include("internal/pycore_frame.h")
#    define TAMIS_LAYOUT 1
/* Before the public headers, which on 3.12 otherwise define macros by the names of internal functions. */
#    define Py_BUILD_CORE 1
#  endif
#endif

#include <Python.h>
#include <datetime.h>

#ifdef TAMIS_LAYOUT
#  include "internal/pycore_frame.h"
#  include "internal/pycore_dict.h"
#  include "internal/pycore_object.h"
#  include "internal/pycore_code.h"
#  undef Py_BUILD_CORE
/* What stands in a set's table where a member was removed; not declared in public headers. */
PyAPI_DATA(PyObject *) _PySet_Dummy;
#endif

#include "frames.h"

#include <string.h>

#include <stddef.h>

int tamis_layout_known(void)
{
#ifdef TAMIS_LAYOUT
    return 1;
#else
    return 0;
#endif
}

PyThreadState *tamis_thread(uint64_t *id)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyThreadState *thread = PyThreadState_GetUnchecked();
#else
    PyThreadState *thread = _PyThreadState_UncheckedGet();
#endif
    *id = thread->id;
    return thread;
}

#ifdef TAMIS_LAYOUT

/* The innermost frame of a thread, if it runs `code`. */
static inline _PyInterpreterFrame *innermost(PyThreadState *thread, PyObject *code)
{
#if PY_VERSION_HEX >= 0x030D0000
    _PyInterpreterFrame *frame = thread->current_frame;
    return frame && frame->f_executable == code ? frame : NULL;
#else
    _PyInterpreterFrame *frame = thread->cframe->current_frame;
    return frame && (PyObject *)frame->f_code == code ? frame : NULL;
#endif
}

void *tamis_frame(PyThreadState *thread, PyObject *code, PyObject ***locals)
{
    _PyInterpreterFrame *frame = innermost(thread, code);
    *locals = frame ? frame->localsplus : NULL;
    return frame;
}

void tamis_scene(PyObject *code, Py_ssize_t index, struct tamis_scene *scene)
{
    /* As `codeobject.c` declares it, in both versions. */
    struct kept {
        Py_ssize_t size;
        void *values[1];
    } *kept = ((PyCodeObject *)code)->co_extra;
    scene->thread = tamis_thread(&scene->id);
    scene->extra = kept && index < kept->size ? kept->values[index] : NULL;
    scene->frame = tamis_frame(scene->thread, code, &scene->locals);
}

PyObject *tamis_frame_globals(PyThreadState *thread, PyObject *code)
{
    _PyInterpreterFrame *frame = innermost(thread, code);
    return frame ? frame->f_globals : NULL;
}

int tamis_stack(PyThreadState *thread, PyObject **codes, PyObject **globals, int room)
{
#if PY_VERSION_HEX >= 0x030D0000
    _PyInterpreterFrame *frame = thread->current_frame;
#else
    _PyInterpreterFrame *frame = thread->cframe->current_frame;
#endif
    int count = 0;
    for (; frame && count < room; frame = frame->previous) {
        if (_PyFrame_IsIncomplete(frame)) {
            /* Stands for a call from C, or for the end of an `__init__`, whose globals are never set. */
            continue;
        }
#if PY_VERSION_HEX >= 0x030D0000
        PyObject *code = frame->f_executable;
#else
        PyObject *code = (PyObject *)frame->f_code;
#endif
        if (code && PyCode_Check(code)) {
            codes[count] = code;
            globals[count++] = frame->f_globals;
        }
    }
    return count;
}

PyObject *tamis_shared_key(PyTypeObject *type, Py_ssize_t index)
{
    return DK_UNICODE_ENTRIES(((PyHeapTypeObject *)type)->ht_cached_keys)[index].me_key;
}

PyObject **tamis_instance(PyObject *object, Py_ssize_t *count, PyObject **dict)
{
    PyTypeObject *type = Py_TYPE(object);
    *dict = NULL;
    *count = 0;
#if PY_VERSION_HEX >= 0x030D0000
    if (type->tp_flags & Py_TPFLAGS_INLINE_VALUES) {
        PyDictValues *values = _PyObject_InlineValues(object);
        if (values->valid) {
            PyDictKeysObject *keys = ((PyHeapTypeObject *)type)->ht_cached_keys;
            *count = keys->dk_nentries < values->capacity ? keys->dk_nentries : values->capacity;
            return values->values;
        }
    }
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        *dict = (PyObject *)_PyObject_GetManagedDict(object);
        return NULL;
    }
#else
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        PyDictOrValues kept = *_PyObject_DictOrValuesPointer(object);
        if (_PyDictOrValues_IsValues(kept)) {
            /* Shared keys never grow in place on 3.12, so every array of values has room for every name. */
            *count = ((PyHeapTypeObject *)type)->ht_cached_keys->dk_nentries;
            return _PyDictOrValues_GetValues(kept)->values;
        }
        *dict = _PyDictOrValues_GetDict(kept);
        return NULL;
    }
#endif
    if (type->tp_dictoffset != 0 && !PyType_FastSubclass(type, Py_TPFLAGS_LONG_SUBCLASS)) {
        Py_ssize_t offset = type->tp_dictoffset;
        if (offset < 0) {
            Py_ssize_t items = Py_SIZE(object);
            offset += (Py_ssize_t)_PyObject_VAR_SIZE(type, items < 0 ? -items : items);
        }
        *dict = *(PyObject **)((char *)object + offset);
    }
    return NULL;
}

PyMemberDef *tamis_slots(PyTypeObject *type, Py_ssize_t *count)
{
    *count = type->tp_flags & Py_TPFLAGS_HEAPTYPE ? Py_SIZE(type) : 0;
    return *count > 0 ? (PyMemberDef *)((char *)type + Py_TYPE(type)->tp_basicsize) : NULL;
}

#else  /* the layout is not known */

void *tamis_frame(PyThreadState *thread, PyObject *code, PyObject ***locals)
{
    (void)thread, (void)code;
    *locals = NULL;
    return NULL;
}

void tamis_scene(PyObject *code, Py_ssize_t index, struct tamis_scene *scene)
{
    scene->thread = tamis_thread(&scene->id);
    scene->extra = NULL;
    PyUnstable_Code_GetExtra(code, index, &scene->extra);
    scene->frame = NULL;
    scene->locals = NULL;
}

PyObject *tamis_frame_globals(PyThreadState *thread, PyObject *code)
{
    (void)thread;
    return tamis_public_frame(code) ? PyEval_GetGlobals() : NULL;
}

int tamis_stack(PyThreadState *thread, PyObject **codes, PyObject **globals, int room)
{
    int count = 0;
    PyFrameObject *frame = PyThreadState_GetFrame(thread);
    while (frame && count < room) {
        /* Borrowed: the frames run, and hold what they need. */
        PyCodeObject *code = PyFrame_GetCode(frame);
        Py_DECREF(code);
        PyObject *names = PyFrame_GetGlobals(frame);
        Py_DECREF(names);
        codes[count] = (PyObject *)code;
        globals[count++] = names;
        PyFrameObject *outer = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = outer;
    }
    Py_XDECREF(frame);
    return count;
}

PyObject *tamis_shared_key(PyTypeObject *type, Py_ssize_t index)
{
    (void)type, (void)index;
    return NULL;
}

PyObject **tamis_instance(PyObject *object, Py_ssize_t *count, PyObject **dict)
{
    (void)object;
    *count = 0;
    *dict = NULL;
    return NULL;
}

PyMemberDef *tamis_slots(PyTypeObject *type, Py_ssize_t *count)
{
    (void)type;
    *count = 0;
    return NULL;
}

#endif

void *tamis_public_frame(PyObject *code)
{
    PyFrameObject *frame = PyEval_GetFrame();
    if (frame == NULL) {
        return NULL;
    }
    PyCodeObject *runs = PyFrame_GetCode(frame);
    Py_DECREF(runs); /* the frame holds it */
    return (PyObject *)runs == code ? frame : NULL;
}

PyObject *tamis_public_local(PyObject *name)
{
    PyFrameObject *frame = PyEval_GetFrame();
    PyObject *value = frame ? PyFrame_GetVar(frame, name) : NULL;
    if (value == NULL) {
        PyErr_Clear();
    }
    return value;
}

int tamis_set_next(PyObject *set, Py_ssize_t *position, PyObject **key)
{
#ifdef TAMIS_LAYOUT
    PySetObject *table = (PySetObject *)set;
    while (*position <= table->mask) {
        PyObject *entry = table->table[(*position)++].key;
        if (entry != NULL && entry != _PySet_Dummy) {
            *key = entry;
            return 1;
        }
    }
#else
    (void)set, (void)position, (void)key;
#endif
    return 0;
}

void tamis_code(PyObject *object, struct tamis_code *out)
{
    PyCodeObject *code = (PyCodeObject *)object;
    out->filename = code->co_filename;
    out->qualname = code->co_qualname;
    out->name = code->co_name;
    out->names = code->co_localsplusnames;
    out->kinds = code->co_localspluskinds;
    out->flags = code->co_flags;
    out->first_line = code->co_firstlineno;
    out->arguments = code->co_argcount + code->co_kwonlyargcount
        + !!(code->co_flags & CO_VARARGS) + !!(code->co_flags & CO_VARKEYWORDS);
}

PyObject *tamis_type_qualname(PyTypeObject *type)
{
    return type->tp_flags & Py_TPFLAGS_HEAPTYPE ? ((PyHeapTypeObject *)type)->ht_qualname : NULL;
}

PyObject *tamis_type_dict(PyTypeObject *type)
{
    return type->tp_dict;
}

PyObject *tamis_function_qualname(PyObject *object, PyObject **module)
{
    *module = NULL;
    if (Py_IS_TYPE(object, &PyMethod_Type)) {
        object = ((PyMethodObject *)object)->im_func;
    }
    if (Py_IS_TYPE(object, &PyFunction_Type)) {
        *module = ((PyFunctionObject *)object)->func_module;
        return ((PyFunctionObject *)object)->func_qualname;
    }
    return NULL;
}

PyObject *tamis_exception_args(PyObject *exception)
{
    return ((PyBaseExceptionObject *)exception)->args;
}

PyObject *tamis_exception_traceback(PyObject *exception)
{
    return ((PyBaseExceptionObject *)exception)->traceback;
}

PyObject *tamis_traceback_next(PyObject *traceback)
{
    return (PyObject *)((PyTracebackObject *)traceback)->tb_next;
}

PyObject *tamis_traceback_code(PyObject *traceback, PyObject **globals)
{
    PyFrameObject *frame = ((PyTracebackObject *)traceback)->tb_frame;
    PyCodeObject *code = PyFrame_GetCode(frame);
    Py_DECREF(code); /* the frame holds it */
    *globals = PyFrame_GetGlobals(frame);
    Py_DECREF(*globals);
    return (PyObject *)code;
}

_Static_assert(offsetof(PyWeakReference, wr_object) == sizeof(PyObject), "ffi.rs reads it there");

int tamis_is_interned(PyObject *text)
{
    return PyUnicode_CHECK_INTERNED(text) != 0;
}

void tamis_text(PyObject *text, struct tamis_text *out)
{
    out->data = PyUnicode_DATA(text);
    out->length = PyUnicode_GET_LENGTH(text);
    out->width = PyUnicode_KIND(text);
    out->ascii = PyUnicode_IS_ASCII(text);
}

int tamis_small(PyObject *number, int64_t *value)
{
    if (!PyUnstable_Long_IsCompact((PyLongObject *)number)) {
        return 0;
    }
    *value = PyUnstable_Long_CompactValue((PyLongObject *)number);
    return 1;
}

Py_ssize_t tamis_long(PyObject *number, uint8_t *bytes, Py_ssize_t room, uint64_t *bits, int *negative)
{
    *negative = _PyLong_Sign(number) < 0;
    *bits = _PyLong_NumBits(number);
    Py_ssize_t length = (Py_ssize_t)(*bits / 8 + 1);
    if (length > room) {
        return 0;
    }
    /* Two's complement, which has a bit more than the magnitude: turned into the magnitude here. */
#if PY_VERSION_HEX >= 0x030D0000
    int failed = _PyLong_AsByteArray((PyLongObject *)number, bytes, (size_t)length, 1, 1, 0);
#else
    int failed = _PyLong_AsByteArray((PyLongObject *)number, bytes, (size_t)length, 1, 1);
#endif
    if (failed) {
        PyErr_Clear();
        return 0;
    }
    if (*negative) {
        int carry = 1;
        for (Py_ssize_t i = 0; i < length; i++) {
            int inverted = (uint8_t)~bytes[i] + carry;
            bytes[i] = (uint8_t)inverted;
            carry = inverted >> 8;
        }
    }
    return length;
}

PyObject *tamis_traceback_frame(PyObject *traceback)
{
    return (PyObject *)((PyTracebackObject *)traceback)->tb_frame;
}

/* The structs of the datetime module are public; its type objects are found by name (tamis_core's types), so the
 * module need not be imported. */
/* How `datetime` keeps a fixed offset. It tells nobody, so the size of the type is compared before it is believed. */
struct fixed_zone {
    PyObject_HEAD
    PyObject *offset;
    PyObject *name;
};

/* Whether a type is this one of the interpreter's own. The table of `datetime` is not asked: to get it would import. */
static int is_builtin(PyTypeObject *type, const char *name, size_t size)
{
    return !(type->tp_flags & Py_TPFLAGS_HEAPTYPE) && strcmp(type->tp_name, name) == 0 &&
           type->tp_basicsize == (Py_ssize_t)size;
}

/* The offset of a fixed time zone; of any other only that there is one, because its code would have to be asked. */
static int zone_text(PyObject *zone, char *text, Py_ssize_t room)
{
    PyObject *offset = NULL;
    if (is_builtin(Py_TYPE(zone), "datetime.timezone", sizeof(struct fixed_zone))) {
        offset = ((struct fixed_zone *)zone)->offset;
    }
    if (offset == NULL || !is_builtin(Py_TYPE(offset), "datetime.timedelta", sizeof(PyDateTime_Delta))) {
        return snprintf(text, (size_t)room, "[tz]");
    }
    int seconds = PyDateTime_DELTA_GET_DAYS(offset) * 86400 + PyDateTime_DELTA_GET_SECONDS(offset);
    char sign = seconds < 0 ? '-' : '+';
    seconds = seconds < 0 ? -seconds : seconds;
    int length = snprintf(text, (size_t)room, "%c%02d:%02d", sign, seconds / 3600, seconds / 60 % 60);
    if (seconds % 60) {
        length += snprintf(text + length, (size_t)(room - length), ":%02d", seconds % 60);
    }
    return length;
}

Py_ssize_t tamis_moment(PyObject *object, int which, char *text, Py_ssize_t room)
{
    int length = 0;
    switch (which) {
    case 0:
        length = snprintf(text, (size_t)room, "%04d-%02d-%02dT%02d:%02d:%02d", PyDateTime_GET_YEAR(object),
                          PyDateTime_GET_MONTH(object), PyDateTime_GET_DAY(object),
                          PyDateTime_DATE_GET_HOUR(object), PyDateTime_DATE_GET_MINUTE(object),
                          PyDateTime_DATE_GET_SECOND(object));
        if (PyDateTime_DATE_GET_MICROSECOND(object)) {
            length += snprintf(text + length, (size_t)(room - length), ".%06d",
                               PyDateTime_DATE_GET_MICROSECOND(object));
        }
        if (((PyDateTime_DateTime *)object)->hastzinfo) {
            length += zone_text(((PyDateTime_DateTime *)object)->tzinfo, text + length, room - length);
        }
        break;
    case 1:
        length = snprintf(text, (size_t)room, "%04d-%02d-%02d", PyDateTime_GET_YEAR(object),
                          PyDateTime_GET_MONTH(object), PyDateTime_GET_DAY(object));
        break;
    case 2:
        length = snprintf(text, (size_t)room, "%02d:%02d:%02d", PyDateTime_TIME_GET_HOUR(object),
                          PyDateTime_TIME_GET_MINUTE(object), PyDateTime_TIME_GET_SECOND(object));
        if (PyDateTime_TIME_GET_MICROSECOND(object)) {
            length += snprintf(text + length, (size_t)(room - length), ".%06d",
                               PyDateTime_TIME_GET_MICROSECOND(object));
        }
        if (((PyDateTime_Time *)object)->hastzinfo) {
            length += zone_text(((PyDateTime_Time *)object)->tzinfo, text + length, room - length);
        }
        break;
    case 3:
        length = snprintf(text, (size_t)room, "%d days, %d.%06d s", PyDateTime_DELTA_GET_DAYS(object),
                          PyDateTime_DELTA_GET_SECONDS(object), PyDateTime_DELTA_GET_MICROSECONDS(object));
        break;
    }
    return length < room ? length : 0;
}
