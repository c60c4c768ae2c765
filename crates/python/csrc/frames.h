/* What crates/python/src/ffi.rs declares. Pointers to objects are borrowed unless a comment says otherwise. */
#include <stdint.h>

struct tamis_code {
    PyObject *filename, *qualname, *name;
    PyObject *names, *kinds; /* of all slots: a tuple of names, a bytes of kinds (0x40: the slot holds a cell) */
    int32_t flags, first_line, arguments;
};

/* Whether frames and instances can be read by slot on this interpreter. */
int tamis_layout_known(void);
PyThreadState *tamis_thread(uint64_t *id);
/* What an event is about, in one call: the thread and its id, what is kept for the code object under the index, and the
 * innermost frame with its locals if it runs this code (else NULL, as where the layout is not known). */
struct tamis_scene {
    PyThreadState *thread;
    uint64_t id;
    void *extra;
    void *frame;
    PyObject **locals;
};
void tamis_scene(PyObject *code, Py_ssize_t index, struct tamis_scene *scene);
/* The innermost frame and its slots; NULL when it does not run `code`. */
void *tamis_frame(PyThreadState *thread, PyObject *code, PyObject ***locals);
PyObject *tamis_frame_globals(PyThreadState *thread, PyObject *code);
/* Code objects and globals of the frames that run, innermost first; returns how many were written. */
int tamis_stack(PyThreadState *thread, PyObject **codes, PyObject **globals, int room);
/* The values that an instance keeps inline (unset ones are NULL), one for each name that its type knows; NULL
 * when it keeps them in a dictionary, which is then in `dict` (NULL when it has none). */
PyObject **tamis_instance(PyObject *object, Py_ssize_t *count, PyObject **dict);
/* The name of an inline value. */
PyObject *tamis_shared_key(PyTypeObject *type, Py_ssize_t index);
/* The slots that the class statement of `type` itself made. */
PyMemberDef *tamis_slots(PyTypeObject *type, Py_ssize_t *count);
/* The public way: the frame object, which lives while the frame runs, and a variable as a new reference (NULL,
 * and no error set, when it is unbound). */
void *tamis_public_frame(PyObject *code);
PyObject *tamis_public_local(PyObject *name);
/* Like PyDict_Next. */
int tamis_set_next(PyObject *set, Py_ssize_t *position, PyObject **key);
void tamis_code(PyObject *code, struct tamis_code *out);
PyObject *tamis_type_qualname(PyTypeObject *type);
PyObject *tamis_type_dict(PyTypeObject *type);
/* The qualified name of a function or bound method, NULL for other objects. */
PyObject *tamis_function_qualname(PyObject *object, PyObject **module);
PyObject *tamis_exception_args(PyObject *exception);
PyObject *tamis_exception_traceback(PyObject *exception);
PyObject *tamis_traceback_next(PyObject *traceback);
PyObject *tamis_traceback_frame(PyObject *traceback);
PyObject *tamis_traceback_code(PyObject *traceback, PyObject **globals);
int tamis_is_interned(PyObject *text);

/* What a text is made of; `ascii` tells whether it holds nothing else. */
struct tamis_text {
    const void *data;
    Py_ssize_t length;
    int32_t width, ascii;
};
void tamis_text(PyObject *text, struct tamis_text *out);
/* Whether a number is a small one (30 bits), and then which. */
int tamis_small(PyObject *number, int64_t *value);
/* An int of any size: its bits in all, its sign, and (when they fit) the bytes of its magnitude; returns how
 * many bytes were written. */
Py_ssize_t tamis_long(PyObject *number, uint8_t *bytes, Py_ssize_t room, uint64_t *bits, int *negative);
/* Writes a date, time or timedelta of the C implementation as text; returns its length, 0 when it is none. */
Py_ssize_t tamis_moment(PyObject *object, int which, char *text, Py_ssize_t room);
