/* Starts a program as the interpreter starts one: with nothing below it on the stack.
 *
 * The frames of the command `tamis` that wait for its end would be seen by whoever walks the stack (a warning with
 * a stack level, a debugger, a logger), and would be counted against the limit of recursion. They are put aside
 * meanwhile, where the fields that this takes are known.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdio.h>
#include <unistd.h>

#if !defined(Py_GIL_DISABLED) && (PY_VERSION_HEX >> 16 == 0x030C || PY_VERSION_HEX >> 16 == 0x030D)
#  define TAMIS_ASIDE 1
#endif

struct aside {
    PyThreadState *thread;
    struct _PyInterpreterFrame *frame;
    int depth;
};

#ifdef TAMIS_ASIDE
static inline struct _PyInterpreterFrame **innermost(PyThreadState *thread)
{
#  if PY_VERSION_HEX >= 0x030D0000
    return &thread->current_frame;
#  else
    return &thread->cframe->current_frame;
#  endif
}
#endif

/* The limit itself stays as it is, for the program may ask for it. */
static struct aside put_aside(void)
{
    struct aside kept = {PyThreadState_Get(), NULL, 0};
#ifdef TAMIS_ASIDE
    kept.frame = *innermost(kept.thread);
    kept.depth = kept.thread->py_recursion_limit - kept.thread->py_recursion_remaining;
    *innermost(kept.thread) = NULL;
    kept.thread->py_recursion_remaining += kept.depth;
#endif
    return kept;
}

static void put_back(struct aside kept)
{
#ifdef TAMIS_ASIDE
    *innermost(kept.thread) = kept.frame;
    kept.thread->py_recursion_remaining -= kept.depth;
#endif
}

/* Runs the source that a descriptor gives, which is closed. The interpreter's own way for scripts: what it says of
 * a source that cannot be read depends on it. */
PyObject *tamis_run_file(int descriptor, const char *name, PyObject *namespace)
{
    FILE *file = fdopen(descriptor, "rb");
    if (!file) {
        PyErr_SetFromErrno(PyExc_OSError);
        close(descriptor);
        return NULL;
    }
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    struct aside kept = put_aside();
    PyObject *result = PyRun_FileExFlags(file, name, Py_file_input, namespace, namespace, 1, &flags);
    put_back(kept);
    return result;
}

PyObject *tamis_run_code(PyObject *code, PyObject *namespace)
{
    struct aside kept = put_aside();
    PyObject *result = PyEval_EvalCode(code, namespace, namespace);
    put_back(kept);
    return result;
}

PyObject *tamis_run_function(PyObject *function, PyObject *arguments)
{
    struct aside kept = put_aside();
    PyObject *result = PyObject_Call(function, arguments, NULL);
    put_back(kept);
    return result;
}

/* Takes over the reference to `error`. */
void tamis_print_uncaught(PyObject *error)
{
    struct aside kept = put_aside();
    PyErr_SetRaisedException(error);
    PyErr_PrintEx(1);
    put_back(kept);
}
