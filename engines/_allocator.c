/* The memory of a LuaJIT VM, counted and bounded, in LuaJIT's own allocator.
 *
 * lupa bounds the memory of a VM by an allocator of its own, which is the C library's realloc. Among
 * LuaJIT's many small objects that one scatters what belongs together: a program that makes and drops
 * trees takes four times as long, and longer each time. So the VM is made without lupa's bound, and
 * what LuaJIT allocates with is wrapped: it counts, and refuses what is over the limit.
 *
 * PUC-Lua has no allocator of its own; there lupa's costs nothing.
 */
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include <Python.h>
#include <dlfcn.h>
#include <stdint.h>

typedef struct lua_State lua_State;
typedef void *(*lua_Alloc)(void *, void *, size_t, size_t);

typedef struct {
  lua_Alloc (*getallocf)(lua_State *, void **);
  void (*setallocf)(lua_State *, lua_Alloc, void *);
  int (*gc)(lua_State *, int, int);
} Api;

enum { GC_COUNT = 3, GC_COUNT_BYTES = 4, KILOBYTE = 1024 };

/* Never freed: a VM that is closed without unbind() still gives its last piece back through it. */
typedef struct {
  Api api;
  lua_State *anchor;                /* any thread of the VM that lives as long as it does */
  lua_Alloc native;
  void *context;                    /* of the native one */
  size_t used, limit;               /* bytes; a limit of 0 is none */
} Memory;

static const char NAME[] = "engines._allocator.Memory";

static void *allocate(void *context, void *piece, size_t old, size_t wanted) {
  Memory *memory = context;
  if (memory->limit && wanted > old && memory->used + (wanted - old) > memory->limit) return NULL;
  void *result = memory->native(memory->context, piece, old, wanted);
  if (result || !wanted) memory->used += wanted - old;
  return result;
}

static Memory *memory_of(PyObject *handle) { return PyCapsule_GetPointer(handle, NAME); }

PyDoc_STRVAR(bind_doc, "bind(path, anchor) -> handle\n\n"
  "Counts the memory of the LuaJIT VM whose library was loaded from path; anchor is the address of\n"
  "a thread of it that lives on. Raises OSError where that library does not export what it takes.");
static PyObject *bind_vm(PyObject *self, PyObject *args) {
  const char *path;
  unsigned long long anchor;
  (void)self;
  if (!PyArg_ParseTuple(args, "yK", &path, &anchor)) return NULL;
  void *library = dlopen(path, RTLD_NOLOAD | RTLD_NOW);
  Api api = {NULL, NULL, NULL};
  if (library) {
    *(void **)&api.getallocf = dlsym(library, "lua_getallocf");
    *(void **)&api.setallocf = dlsym(library, "lua_setallocf");
    *(void **)&api.gc = dlsym(library, "lua_gc");
  }
  if (!api.getallocf || !api.setallocf || !api.gc) {
    PyErr_SetString(PyExc_OSError, "Lua's C interface is not exported");
    return NULL;
  }
  Memory *memory = PyMem_Calloc(1, sizeof *memory);
  if (!memory) return PyErr_NoMemory();
  lua_State *L = (lua_State *)(uintptr_t)anchor;
  memory->api = api;
  memory->anchor = L;
  memory->native = api.getallocf(L, &memory->context);
  memory->used = (size_t)api.gc(L, GC_COUNT, 0) * KILOBYTE + (size_t)api.gc(L, GC_COUNT_BYTES, 0);
  api.setallocf(L, allocate, memory);
  return PyCapsule_New(memory, NAME, NULL);
}

PyDoc_STRVAR(unbind_doc, "unbind(handle)\n\nBefore the VM is closed: LuaJIT then frees it at once.");
static PyObject *unbind_vm(PyObject *self, PyObject *handle) {
  (void)self;
  Memory *memory = memory_of(handle);
  if (!memory) return NULL;
  memory->api.setallocf(memory->anchor, memory->native, memory->context);
  Py_RETURN_NONE;
}

PyDoc_STRVAR(used_doc, "used(handle) -> bytes");
static PyObject *used(PyObject *self, PyObject *handle) {
  (void)self;
  Memory *memory = memory_of(handle);
  return memory ? PyLong_FromSize_t(memory->used) : NULL;
}

PyDoc_STRVAR(limit_doc, "limit(handle, bytes)\n\nWhat the VM may hold from now on; 0: no limit.");
static PyObject *limit(PyObject *self, PyObject *args) {
  PyObject *handle;
  Py_ssize_t most;
  (void)self;
  if (!PyArg_ParseTuple(args, "On", &handle, &most)) return NULL;
  Memory *memory = memory_of(handle);
  if (!memory) return NULL;
  memory->limit = most > 0 ? (size_t)most : 0;
  Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
  {"bind", bind_vm, METH_VARARGS, bind_doc},
  {"unbind", unbind_vm, METH_O, unbind_doc},
  {"used", used, METH_O, used_doc},
  {"limit", limit, METH_VARARGS, limit_doc},
  {NULL, NULL, 0, NULL},
};

static PyModuleDef module = {
  PyModuleDef_HEAD_INIT, "engines._allocator", "A bound for LuaJIT's memory, see the head of the source.",
  -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__allocator(void) { return PyModule_Create(&module); }
