/* Time slices: interrupts the Lua run of a VM at its next instruction when its slice is over. (And,
 * near the end, what makes library functions of ours as cheap as C's, and a count of memory.)
 *
 * Whoever runs Lua says enter(co) before it resumes a run and leave() after it, both from Lua. In
 * between a POSIX timer, aimed at the VM's own thread, makes ticks. A tick finds a run whose slice
 * is over and has a hook called before the next instruction, on the same thread; the hook yields.
 * Nothing here ever runs on another thread, no signal comes while nothing runs, and a run that is
 * quicker than a slice costs no system call.
 *
 * Two ways to the hook:
 * - PUC-Lua 5.3 and newer: the tick's handler calls lua_sethook on the thread that runs, which Lua
 *   allows (lua.c does it for Ctrl-C). So that thread must be known: resume() and close() below
 *   stand in the place of Lua's, and tell. 5.1 and 5.2 can't yield in a hook: they have the limit,
 *   not the slices.
 * - LuaJIT: compiled code looks at its profiler's flag only, and lua_sethook is never safe in a
 *   handler. So the profiler is on, its own timer is not, and the tick calls LuaJIT's handler.
 *   LuaJIT then calls at_sample() at the next instruction, which has the count hook changed for one
 *   that yields and that comes before the very same instruction. For that the count bit has to be
 *   on at all times, with a hook that mostly does nothing. The profiler is one for the process: a
 *   second LuaJIT VM takes it over, and leaves the first to a slow hook that only keeps the limit.
 *   LuaJIT's handler changes the table of instructions, which a tick may find half changed: then the
 *   flag stays set with nothing in the table that looks at it, compiled code is left as soon as it is
 *   entered, and later ticks change nothing. The count hook sees that a tick has had no effect.
 *
 * Where nothing can yield (a comparator, a finalizer, the handler of an error) the hook lets it be,
 * until the run is past what it was allowed: then it raises, at every instruction, until it is out.
 */
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include <Python.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

typedef struct lua_State lua_State;
typedef struct lua_Debug lua_Debug;
typedef void (*lua_Hook)(lua_State *, lua_Debug *);
typedef int (*lua_CFunction)(lua_State *);

enum { MASK_COUNT = 8, SELDOM = 20000, SPARSE = 1000, GLOBALS_51 = -10002 };
enum { LONGEST_PAUSE = 8 };         /* slices between two tries */
enum { SETTING_PART = 16 };         /* of the time may go into setting hooks */
enum { JIT_ENGINE = 0, JIT_OFF = 0, JIT_FLUSH = 0x0200 };       /* luaJIT_setmode */
static const int64_t SECOND = 1000000000, SHORTEST = 50000, CLOSING = 20000000;
static const char NOT_EXPORTED[] = "Lua's C interface is not exported";
static const char TOO_LONG[] = "script ran past its time limit";

/* What is used of Lua's C interface; two of its functions differ by version, see bind(). */
typedef struct {
  int (*sethook)(lua_State *, lua_Hook, int, int);
  int (*isyieldable)(lua_State *);
  int (*yield)(lua_State *, int);                               /* LuaJIT */
  int (*yieldk)(lua_State *, int, intptr_t, lua_CFunction);     /* PUC 5.3 and newer */
  int (*error)(lua_State *, const char *, ...);
  int (*status)(lua_State *);
  int (*gettop)(lua_State *);
  int (*toboolean)(lua_State *, int);
  lua_State *(*tothread)(lua_State *, int);
  lua_CFunction (*tocfunction)(lua_State *, int);
  void (*pushboolean)(lua_State *, int);
  void (*pushcclosure)(lua_State *, lua_CFunction, int);
  void (*settop)(lua_State *, int);
  int (*type)(lua_State *, int);                                /* from here on: for gates */
  int (*isinteger)(lua_State *, int);
  long long (*tointegerx)(lua_State *, int, int *);
  double (*tonumberx)(lua_State *, int, int *);
  size_t (*rawlen)(lua_State *, int);
  int (*getmetatable)(lua_State *, int);
  void (*pushvalue)(lua_State *, int);
  int (*rawget)(lua_State *, int);
  void (*rawseti)(lua_State *, int, long long);
  const char *(*tolstring)(lua_State *, int, size_t *);
  void (*rotate)(lua_State *, int, int);
  void (*callk)(lua_State *, int, int, intptr_t, int (*)(lua_State *, int, intptr_t));
  void (*setfield)(lua_State *, int, const char *);             /* 5.1 and LuaJIT */
  void (*setglobal)(lua_State *, const char *);                 /* 5.2 and newer */
  void (*profile_start)(lua_State *, const char *, void (*)(void *, lua_State *, int, int), void *);
  void (*profile_stop)(lua_State *);
  int (*setmode)(lua_State *, int, int);
} Api;

typedef struct Vm {
  Api api;
  struct Vm *next;
  lua_State *anchor;                /* any thread of the VM that lives as long as it does */
  lua_State *main;                  /* who called enter(): never interrupted, never unwound */
  lua_CFunction native_resume, native_close;
  int jit, bound, demoted;
  timer_t timer;
  int generation;                   /* of the process that the timer belongs to */
  int every;                        /* tests: interrupt before each so many instructions; else 0 */
  int64_t slice;                    /* nanoseconds */
  int64_t allowed, granted;         /* what this run may take at most; what others will be told */
  int64_t volatile started, pause;
  lua_State *volatile running;      /* the innermost thread of the run; NULL between runs */
  lua_State *volatile hooked;       /* PUC: which thread has the hook */
  volatile int armed, due, unwound, hurried;
  volatile uint64_t ticks, interrupted, passed, raised;
  volatile uint64_t hooks, hooks_seen;      /* calls of hook(), by now and at the last tick */
  int64_t set_at, set_took;         /* PUC: when a tick has set the hook last, and how long that took */
} Vm;

static Vm *all;                     /* never shrinks: a late signal still finds its VM, unbound */
static Vm *profiled;                /* which has LuaJIT's profiler */
static Vm *binding;                 /* whose main state is about to call register_main() */
static struct sigaction luajit_action;
static volatile int generation;
static _Thread_local Vm *active;    /* whose run this thread is in; read by hooks, never by the handler */

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * SECOND + t.tv_nsec;
}

/* ------------------------------------------------------------------------------ the timer */
static int make_timer(Vm *vm) {
  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGPROF;
  event.sigev_value.sival_ptr = vm;
  event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
  vm->generation = generation;
  vm->armed = 0;
  return timer_create(CLOCK_MONOTONIC, &event, &vm->timer);
}

static void arm(Vm *vm, int64_t after) {
  if (after < SHORTEST) after = SHORTEST;
  struct itimerspec when = {{0, 0}, {after / SECOND, after % SECOND}};
  vm->armed = 1;
  timer_settime(vm->timer, 0, &when, NULL);
}

/* Ends the slice of what runs now, from wherever that stands. */
static void hurry(Vm *vm) {
  if (vm->hurried || vm->demoted || !vm->running) return;
  vm->hurried = 1;
  arm(vm, SHORTEST);
}

static void forked(void) { generation++; }

/* ------------------------------------------------------------------------------ hooks */
static void at_sample(void *data, lua_State *L, int samples, int state);

/* LuaJIT's between ticks. */
static void seldom_hook(lua_State *L, lua_Debug *at) {
  (void)at;
  if (active && active->jit) at_sample(active, L, 0, 0);
}

static void rest(Vm *vm, lua_State *L) {
  if (vm->jit) vm->api.sethook(L, seldom_hook, MASK_COUNT, SELDOM);
  else vm->api.sethook(L, NULL, 0, 0);
}

/* Before the instruction that is to be interrupted. Nothing of Python is on the C stack here: on
   LuaJIT lua_yield and lua_error do not return. */
static void hook(lua_State *L, lua_Debug *at) {
  (void)at;
  Vm *vm = active;
  if (!vm || L == vm->main) return;
  vm->hooks++;
  int yieldable = vm->api.isyieldable && vm->api.isyieldable(L);
  int late = now() - vm->started > vm->allowed;
  if (!yieldable && late) {           /* and again at the next instruction */
    vm->unwound = 1;
    vm->raised++;
    vm->api.error(L, TOO_LONG);
  }
  if (!vm->every || yieldable) {
    rest(vm, L);                      /* first: see tick() */
    if (vm->hooked == L) vm->hooked = NULL;
  }
  if (!yieldable) {
    vm->passed++;
    return;
  }
  vm->interrupted++;
  if (vm->jit) vm->api.yield(L, 0);
  else vm->api.yieldk(L, 0, 0, NULL);
}

/* For a LuaJIT VM without the profiler, its compiler switched off: the limit alone. */
static void sparse_hook(lua_State *L, lua_Debug *at) {
  (void)at;
  Vm *vm = active;
  if (!vm || L == vm->main || now() - vm->started <= vm->allowed) return;
  vm->unwound = 1;
  vm->raised++;
  vm->api.sethook(L, sparse_hook, MASK_COUNT, 1);
  vm->api.error(L, TOO_LONG);
}

/* LuaJIT's profiler calls it on the VM's thread, between two instructions. */
static void at_sample(void *data, lua_State *L, int samples, int state) {
  Vm *vm = data;
  (void)samples; (void)state;
  if (!vm->running || !vm->due || L == vm->main) return;
  if (vm->api.isyieldable(L) || now() - vm->started > vm->allowed)
    vm->api.sethook(L, hook, MASK_COUNT, 1);
  else
    vm->passed++;
}

/* ------------------------------------------------------------------------------ the tick */
static void set_hook(Vm *vm, lua_State *L) {
  vm->hooked = L;
  vm->api.sethook(L, hook, MASK_COUNT, vm->every ? vm->every : 1);
}

/* Whether the hook that a tick has set may never come. PUC-Lua loses one that is set at the very moment
   when it notes, in a function that a hook has stopped before, that it has none now. Setting it walks
   the whole chain of calls, milliseconds where it is deep. */
static int is_lost(const Vm *vm) {
  return vm->hooks == vm->hooks_seen && now() - vm->set_at >= SETTING_PART * vm->set_took;
}

static void tick(Vm *vm, int number, siginfo_t *info, void *context) {
  lua_State *L = vm->running;
  if (!L || !vm->bound || vm->demoted) {
    vm->armed = 0;
    return;
  }
  int64_t left = vm->slice - (now() - vm->started);
  if (left > vm->slice / 10 && !vm->hurried) { /* armed for an earlier run */
    arm(vm, left);
    return;
  }
  vm->ticks++;
  vm->due = 1;
  if (vm->jit) {
    if (luajit_action.sa_flags & SA_SIGINFO) luajit_action.sa_sigaction(number, info, context);
    else luajit_action.sa_handler(number);
  } else if (vm->hooked != L || is_lost(vm)) {
    vm->set_at = now();
    set_hook(vm, L);
    vm->set_took = now() - vm->set_at;
  }
  vm->hooks_seen = vm->hooks;
  /* It may stand where nothing can yield, or in a long piece of C: ever more rarely; once it is too
     late, often again. */
  if (vm->pause < vm->slice * LONGEST_PAUSE) vm->pause *= 2;
  int64_t until_late = vm->started + vm->allowed - now();
  if (until_late <= 0) vm->pause = vm->slice;
  arm(vm, until_late > 0 && until_late < vm->pause ? until_late + SHORTEST : vm->pause);
}

static void on_signal(int number, siginfo_t *info, void *context) {
  int saved = errno;
  if (info->si_code == SI_TIMER)
    for (Vm *vm = all; vm; vm = vm->next)
      if (vm == info->si_value.sival_ptr) tick(vm, number, info, context);
  errno = saved;
}

static int catch_signal(struct sigaction *old) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  return sigaction(SIGPROF, &action, old);
}

/* ------------------------------------------------------------------------------ called from Lua */
/* Once: what is called on a main state finds its VM by it, and runs have `active`. (An upvalue could
   say it, but its pseudo-index and who can read it differ by version.) */
static int register_main(lua_State *L) {
  binding->main = L;
  if (!binding->jit) {
    binding->native_resume = binding->api.tocfunction(L, 1);
    binding->native_close = binding->api.tocfunction(L, 2);
  }
  return 0;
}

/* On a main state its VM, in a coroutine the one whose run it belongs to. */
static Vm *vm_for(lua_State *L) {
  Vm *vm = active ? active : all;
  while (vm && vm != active && (vm->main != L || !vm->bound)) vm = vm->next;
  return vm;
}

static void begin(Vm *vm, lua_State *co) {
  vm->due = vm->unwound = vm->hurried = 0;
  vm->pause = vm->slice / 2;
  vm->started = now();
  active = vm;
  atomic_signal_fence(memory_order_seq_cst);
  vm->running = co;
  atomic_signal_fence(memory_order_seq_cst);
  if (vm->demoted) {
    vm->due = 1;
    vm->api.sethook(vm->anchor, sparse_hook, MASK_COUNT, SPARSE);
    return;
  }
  if (vm->generation != generation) make_timer(vm);
  if (!vm->armed) arm(vm, vm->slice);
  if (!vm->every) return;
  vm->due = 1;
  if (vm->jit) vm->api.sethook(vm->anchor, hook, MASK_COUNT, vm->every);
  else set_hook(vm, co);
}

/* enter(co [, closing]): co is about to be resumed. Closing, it has a short time only: the pending
   <close> variables of a thread that died run where nothing can be interrupted. */
static int enter(lua_State *L) {
  Vm *vm = vm_for(L);
  int closing = vm->api.toboolean(L, 2);
  vm->allowed = closing && vm->granted > CLOSING ? CLOSING : vm->granted;
  begin(vm, vm->api.tothread(L, 1));
  return 0;
}

/* leave(): the run is over or waits. True if it has been unwound. */
static int leave(lua_State *L) {
  Vm *vm = active;
  if (!vm) return 0;
  vm->running = NULL;
  active = NULL;
  atomic_signal_fence(memory_order_seq_cst);
  if (vm->due) {
    if (vm->jit) rest(vm, vm->anchor);
    else if (vm->hooked) rest(vm, vm->hooked);
    vm->hooked = NULL;
  }
  vm->api.pushboolean(L, vm->unwound);
  return 1;
}

/* expired(): whether the run is past what it was allowed. If so it is raised in from here on: what
   was interrupted below could yield, but the one who asks can't. */
static int expired(lua_State *L) {
  Vm *vm = active;
  if (!vm) return 0;
  int late = now() - vm->started > vm->allowed;
  if (late) {
    vm->due = vm->unwound = 1;
    if (vm->jit) vm->api.sethook(L, hook, MASK_COUNT, 1);
    else set_hook(vm, L);
  }
  vm->api.pushboolean(L, late);
  return 1;
}

/* The hook goes with the run: what is suspended or dead by the time it would come may be gone. */
static void move(Vm *vm, lua_State *from, lua_State *to) {
  vm->running = to;
  atomic_signal_fence(memory_order_seq_cst);
  if (vm->hooked != from) return;
  rest(vm, from);
  set_hook(vm, to);
}

/* coroutine.resume and coroutine.close of PUC-Lua, for runs. Where the native one will not get to
   run `co` it may raise, and `co` must not stay named as what runs. */
static int in_coroutine(lua_State *L, int closing) {
  Vm *vm = vm_for(L);
  lua_CFunction native = closing ? vm->native_close : vm->native_resume;
  lua_State *co = vm->api.tothread(L, 1), *outer = vm->running;
  if (!co || !outer || co == outer) return native(L);
  int status = vm->api.status(co);                              /* 0: not begun, or dead */
  int runs = closing ? status != 0 : status == 1 || (!status && vm->api.gettop(co));
  if (!runs) return native(L);
  move(vm, outer, co);
  int results = native(L);
  move(vm, co, outer);
  return results;
}

static int resume(lua_State *L) { return in_coroutine(L, 0); }
static int close_coroutine(lua_State *L) { return in_coroutine(L, 1); }

/* ------------------------------------------------------------------------------ gates */
/* A library function of ours, in Lua, costs PUC-Lua two to three times the native one. A gate is a C
   function in its place: a call that takes no time and raises nothing is done here, or by the native
   function in the gate's own frame; any other goes on to ours. (In an error the native function would
   look for its own name, and does not find the gate's.) gates.lua says which and why.
   Upvalues: the native function, ours, and what is known for the first. A gate knows no Vm, because a
   finalizer may call one after unbind(): it is made once for each library of Lua's, which all stay. */
static Api gate_api[3];             /* of 5.3, 5.4, 5.5 */
static const int registry_index[] = {-1001000, -1001000, -(INT_MAX / 2 + 1000)};
enum { TYPE_NIL = 0, TYPE_NUMBER = 3, TYPE_STRING = 4, TYPE_TABLE = 5 };
enum { SHIFT = 262144 };            /* elements that C may move: 3 ms */
enum { SHORT_TEXT = 1048576 };      /* bytes that C may change or read a number of: 1.5 ms */
enum { SHORT_RESULT = 65536 };      /* bytes that C may make of a short string, at 5 ns each */
enum { LONG_TEXT = 262144 };        /* bytes that C may format: as in format.lua */

/* Into the function for each version, where what differs is a constant. */
#define INLINED static inline __attribute__((always_inline))
#define UPVALUE(i) (registry_index[api - gate_api] - (i))

INLINED int native(lua_State *L, const Api *api) { return api->tocfunction(L, UPVALUE(1))(L); }

static int returned(lua_State *L, int status, intptr_t api) {
  (void)status;
  return ((const Api *)api)->gettop(L);
}

static int ours(lua_State *L, const Api *api) {
  api->pushvalue(L, UPVALUE(2));
  api->rotate(L, 1, 1);
  api->callk(L, api->gettop(L) - 1, -1, (intptr_t)api, returned);
  return api->gettop(L);
}

/* f(s): a number, or a text. */
INLINED int short_text(lua_State *L, const Api *api) {
  int type = api->type(L, 1);
  int quick = type == TYPE_NUMBER || (type == TYPE_STRING && api->rawlen(L, 1) <= SHORT_TEXT);
  return quick && api->gettop(L) == 1 ? native(L, api) : ours(L, api);
}

/* rep(s, n) */
INLINED int repeat(lua_State *L, const Api *api) {
  if (api->gettop(L) != 2 || api->type(L, 1) != TYPE_STRING || !api->isinteger(L, 2)) return ours(L, api);
  long long count = api->tointegerx(L, 2, NULL);
  int quick = count <= 0 || (count <= SHORT_RESULT && (long long)api->rawlen(L, 1) * count <= SHORT_RESULT);
  return quick ? native(L, api) : ours(L, api);
}

/* f(s, pattern [, init [, plain]]): how long a text may be is known for the pattern. */
INLINED int known_pattern(lua_State *L, const Api *api) {
  size_t size;
  if (!api->tolstring(L, 1, &size) || !(api->isinteger(L, 3) || api->type(L, 3) <= TYPE_NIL))
    return ours(L, api);
  int known, limits = UPVALUE(api->toboolean(L, 4) ? 4 : 3);
  api->pushvalue(L, 2);
  api->rawget(L, limits);
  double most = api->tonumberx(L, -1, &known);
  api->settop(L, -2);
  return known && (double)size <= most ? native(L, api) : ours(L, api);
}

/* f(form, ...): which arguments a form takes is known, a letter for each: "d" for an integer, "f" for a
   number, "s" for a number or a text. */
INLINED int known_form(lua_State *L, const Api *api) {
  api->pushvalue(L, 1);
  api->rawget(L, UPVALUE(3));
  const char *letters = api->tolstring(L, -1, NULL);            /* stays in the table */
  api->settop(L, -2);
  if (!letters) return ours(L, api);
  size_t size = 0;
  for (int i = 2; *letters; i++, letters++) {
    int type = api->type(L, i);
    if (type == TYPE_STRING && *letters == 's') size += api->rawlen(L, i);
    else if (type != TYPE_NUMBER || (*letters == 'd' && !api->isinteger(L, i))) return ours(L, api);
  }
  return size <= LONG_TEXT ? native(L, api) : ours(L, api);
}

INLINED int is_plain(lua_State *L, const Api *api) {
  if (api->type(L, 1) != TYPE_TABLE) return 0;
  if (!api->getmetatable(L, 1)) return 1;
  api->settop(L, -2);
  return 0;
}

/* Whether argument 2 is a place in the table that is near to its end. */
INLINED int is_near(lua_State *L, const Api *api) {
  if (!api->isinteger(L, 2)) return 0;
  long long size = (long long)api->rawlen(L, 1), place = api->tointegerx(L, 2, NULL);
  return place >= 1 && place <= size && size - place <= SHIFT;
}

INLINED int insert(lua_State *L, const Api *api) {
  int count = api->gettop(L);
  if (!is_plain(L, api)) return ours(L, api);
  if (count == 2) {
    api->rawseti(L, 1, (long long)api->rawlen(L, 1) + 1);
    return 0;
  }
  return count == 3 && is_near(L, api) ? native(L, api) : ours(L, api);
}

INLINED int remove_from(lua_State *L, const Api *api) {
  int count = api->gettop(L);
  if (!is_plain(L, api) || (count != 1 && !is_near(L, api))) return ours(L, api);
  return native(L, api);
}

#define OF_EACH_VERSION(gate) \
  static int gate##_53(lua_State *L) { return gate(L, &gate_api[0]); } \
  static int gate##_54(lua_State *L) { return gate(L, &gate_api[1]); } \
  static int gate##_55(lua_State *L) { return gate(L, &gate_api[2]); } \
  static const lua_CFunction gate##_gates[] = {gate##_53, gate##_54, gate##_55};
OF_EACH_VERSION(short_text)
OF_EACH_VERSION(repeat)
OF_EACH_VERSION(known_pattern)
OF_EACH_VERSION(known_form)
OF_EACH_VERSION(insert)
OF_EACH_VERSION(remove_from)

/* gate(kind, native, ours, ...) -> function */
static int make_gate(lua_State *L, const Api *api) {
  static const lua_CFunction *kinds[] = {
    short_text_gates, repeat_gates, known_pattern_gates, known_form_gates, insert_gates,
    remove_from_gates};
  size_t kind = (size_t)api->tointegerx(L, 1, NULL);
  if (kind >= sizeof kinds / sizeof *kinds) return api->error(L, "no such gate");
  lua_CFunction gate = kinds[kind][api - gate_api];
  api->pushcclosure(L, gate, api->gettop(L) - 1);
  return 1;
}
OF_EACH_VERSION(make_gate)

/* ------------------------------------------------------------------------------ called from Python */
static Vm *vm_of(PyObject *handle) {
  void *pointer = PyLong_AsVoidPtr(handle);
  for (Vm *vm = all; vm; vm = vm->next)
    if (vm == pointer && vm->bound) return vm;
  if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "no such VM");
  return NULL;
}

static void *symbol(void *library, const char *name, int needed, int *missing) {
  void *address = dlsym(library, name);
  if (!address && needed) *missing = 1;
  return address;
}

/* False where the library does not export what is needed. */
static int find_api(Api *api, void *library, int version) {
  int missing = 0, jit = version == 0, old = jit || version == 51;
#define NEED(field, name, needed) *(void **)&api->field = symbol(library, name, needed, &missing)
  NEED(sethook, "lua_sethook", 1);
  NEED(isyieldable, "lua_isyieldable", jit || version >= 53);
  NEED(yield, "lua_yield", jit);
  NEED(yieldk, "lua_yieldk", version >= 53);
  NEED(error, "luaL_error", 1);
  NEED(status, "lua_status", 1);
  NEED(gettop, "lua_gettop", 1);
  NEED(toboolean, "lua_toboolean", 1);
  NEED(tothread, "lua_tothread", 1);
  NEED(tocfunction, "lua_tocfunction", 1);
  NEED(pushboolean, "lua_pushboolean", 1);
  NEED(pushcclosure, "lua_pushcclosure", 1);
  NEED(settop, "lua_settop", 1);
  NEED(type, "lua_type", 1);
  NEED(isinteger, "lua_isinteger", version >= 53);
  NEED(tointegerx, "lua_tointegerx", version >= 53);
  NEED(tonumberx, "lua_tonumberx", version >= 53);
  NEED(rawlen, "lua_rawlen", version >= 53);
  NEED(getmetatable, "lua_getmetatable", 1);
  NEED(pushvalue, "lua_pushvalue", 1);
  NEED(rawget, "lua_rawget", 1);
  NEED(rawseti, "lua_rawseti", 1);
  NEED(tolstring, "lua_tolstring", 1);
  NEED(rotate, "lua_rotate", version >= 53);
  NEED(callk, "lua_callk", version >= 53);
  NEED(setfield, "lua_setfield", old);
  NEED(setglobal, "lua_setglobal", !old);
  NEED(profile_start, "luaJIT_profile_start", jit);
  NEED(profile_stop, "luaJIT_profile_stop", jit);
  NEED(setmode, "luaJIT_setmode", jit);
#undef NEED
  return !missing;
}

static void offer(Vm *vm, const char *name, lua_CFunction function) {
  vm->api.pushcclosure(vm->anchor, function, 0);
  if (vm->api.setglobal) vm->api.setglobal(vm->anchor, name);
  else vm->api.setfield(vm->anchor, GLOBALS_51, name);
}

static void stop_profiler(Vm *vm) {
  vm->api.profile_stop(vm->anchor);   /* gives the signal back to us, who had it before */
  profiled = NULL;
}

static int start_profiler(Vm *vm) {
  if (profiled) {
    Vm *old = profiled;
    stop_profiler(old);
    old->api.setmode(old->anchor, 0, JIT_ENGINE | JIT_FLUSH);
    old->api.setmode(old->anchor, 0, JIT_ENGINE | JIT_OFF);
    old->demoted = 1;
  }
  vm->api.profile_start(vm->anchor, "li1000000", at_sample, vm);
  struct { struct timeval interval, value; } none = {{0, 0}, {0, 0}};
  if (syscall(SYS_setitimer, 2 /* ITIMER_PROF */, &none, NULL)) return -1;
  profiled = vm;
  rest(vm, vm->anchor);
  return catch_signal(&luajit_action);
}

PyDoc_STRVAR(bind_doc, "bind(path, version, anchor, slice) -> handle\n\n"
  "Slices for the VM whose library was loaded from path: version 0 is LuaJIT, else 51 to 55; anchor\n"
  "is the address of a thread of it that lives on. Leaves enter, leave, expired, resume, close and\n"
  "register_main in globals of these names with slicer_ before them. slice: seconds. OSError.");
static PyObject *bind_vm(PyObject *self, PyObject *args) {
  const char *path;
  int version;
  unsigned long long anchor;
  double slice;
  (void)self;
  if (!PyArg_ParseTuple(args, "yiKd", &path, &version, &anchor, &slice)) return NULL;
  void *library = dlopen(path, RTLD_NOLOAD | RTLD_NOW);
  Vm *vm = all;
  while (vm && vm->bound) vm = vm->next;
  int fresh = !vm;
  if (fresh && !(vm = PyMem_Calloc(1, sizeof *vm))) return PyErr_NoMemory();
  Vm *next = vm->next;
  memset(vm, 0, sizeof *vm);
  vm->next = next;
  if (fresh) {
    vm->next = all;
    all = vm;
  }
  if (!library || !find_api(&vm->api, library, version)) {
    PyErr_SetString(PyExc_OSError, NOT_EXPORTED);
    return NULL;
  }
  vm->jit = version == 0;
  vm->anchor = (lua_State *)(uintptr_t)anchor;
  vm->slice = (int64_t)(slice * SECOND);
  vm->granted = vm->allowed = INT64_MAX / 4;
  if (make_timer(vm) || (!profiled && catch_signal(NULL))) return PyErr_SetFromErrno(PyExc_OSError);
  vm->bound = 1;
  if (vm->jit && start_profiler(vm)) return PyErr_SetFromErrno(PyExc_OSError);
  binding = vm;
  offer(vm, "slicer_register_main", register_main);
  offer(vm, "slicer_enter", enter);
  offer(vm, "slicer_leave", leave);
  offer(vm, "slicer_expired", expired);
  if (!vm->jit) {
    offer(vm, "slicer_resume", resume);
    offer(vm, "slicer_close", close_coroutine);
  }
  if (version >= 53) {
    gate_api[version - 53] = vm->api;
    offer(vm, "slicer_gate", make_gate_gates[version - 53]);
  }
  return PyLong_FromVoidPtr(vm);
}

PyDoc_STRVAR(unbind_doc, "unbind(handle)\n\nBefore the VM is closed, on its own thread.");
static PyObject *unbind_vm(PyObject *self, PyObject *handle) {
  (void)self;
  Vm *vm = vm_of(handle);
  if (!vm) return NULL;
  vm->bound = 0;
  vm->running = NULL;
  if (active == vm) active = NULL;
  if (vm->generation == generation) timer_delete(vm->timer);
  if (profiled == vm) stop_profiler(vm);
  Py_RETURN_NONE;
}

PyDoc_STRVAR(allow_doc, "allow(handle, seconds)\n\nWhat each run may take from now on before it is unwound.");
static PyObject *allow(PyObject *self, PyObject *args) {
  PyObject *handle;
  double seconds;
  (void)self;
  if (!PyArg_ParseTuple(args, "Od", &handle, &seconds)) return NULL;
  Vm *vm = vm_of(handle);
  if (!vm) return NULL;
  vm->granted = seconds > 1e9 ? INT64_MAX / 4 : (int64_t)(seconds * SECOND);
  Py_RETURN_NONE;
}

PyDoc_STRVAR(every_doc, "interrupt_every(handle, count)\n\n"
  "For tests: interrupt each run before each so many instructions; 0 ends it.");
static PyObject *interrupt_every(PyObject *self, PyObject *args) {
  PyObject *handle;
  int count;
  (void)self;
  if (!PyArg_ParseTuple(args, "Oi", &handle, &count)) return NULL;
  Vm *vm = vm_of(handle);
  if (!vm) return NULL;
  vm->every = count;
  Py_RETURN_NONE;
}

PyDoc_STRVAR(sliced_doc, "sliced(handle) -> bool\n\n"
  "Whether runs are interrupted; False for 5.1, 5.2, and a LuaJIT VM that another took over from.");
static PyObject *sliced(PyObject *self, PyObject *handle) {
  (void)self;
  Vm *vm = vm_of(handle);
  return vm ? PyBool_FromLong(vm->api.isyieldable && !vm->demoted) : NULL;
}

PyDoc_STRVAR(statistics_doc, "statistics(handle) -> (ticks, interrupted, passed, raised)\n\n"
  "passed: ticks that found a run where nothing can yield.");
static PyObject *statistics(PyObject *self, PyObject *handle) {
  (void)self;
  Vm *vm = vm_of(handle);
  if (!vm) return NULL;
  return Py_BuildValue("KKKK", vm->ticks, vm->interrupted, vm->passed, vm->raised);
}

/* ------------------------------------------------------------------------------ memory */
/* lupa bounds the memory of a VM by an allocator of its own, which is the C library's realloc. Among
   LuaJIT's many small objects that one scatters what belongs together: a program that makes and
   drops trees takes four times as long, and longer each time. And it can only refuse, which ends a
   script that a collection would have saved: LuaJIT never collects because of it, PUC-Lua not for the
   buffers in which library functions make text. So a VM is made without lupa's bound, and what it
   allocates with is wrapped: it counts, ends the slice of a run that comes near its limit, so that
   others get to collect, and refuses what is over the limit. */
typedef void *(*lua_Alloc)(void *, void *, size_t, size_t);

/* The begin of LuaJIT's lua_State. */
typedef struct {
  void *next;
  uint64_t kind;
  uint64_t *global;                 /* global_State, see find_jit() */
  void *gray;
  uint64_t *base, *top;             /* of the running function; where its stack ends */
} JitThread;

/* Never freed: a VM that is closed without uncount() still gives its last piece back through it. */
typedef struct {
  void (*setallocf)(lua_State *, lua_Alloc, void *);
  lua_State *anchor;
  lua_Alloc native;
  void *context;                    /* of the native one */
  size_t used, limit, early;        /* bytes; from early on the slice ends */
  JitThread **running;              /* LuaJIT's notes: which thread runs, behind it the base of compiled
                                       code or NULL. NULL elsewhere */
  const volatile int32_t *state;    /* and what LuaJIT does */
} Memory;

enum { GC_COUNT = 3, GC_COUNT_BYTES = 4, KILOBYTE = 1024 };
static const char MEMORY[] = "engines._slicer.Memory";

enum { SMALL = 128 << 10, LARGE = 32 << 20 };      /* bytes of a piece that passes: see below */
enum { MOST_OVER = 64 << 20 };      /* bytes over the limit, with such pieces */
enum { INTERPRETING = ~0, IN_C = ~1, IN_COLLECTOR = ~2, IN_EXIT = ~3 };

static uint64_t *jit_base(const Memory *memory) { return ((uint64_t **)memory->running)[1]; }

/* LuaJIT does not bear a refusal everywhere. Its collector halves the table of strings, and an error
   there unwinds compiled code by a state that is the collector's. An exit from compiled code makes
   objects that this has put off, and can't make half of them; compiled code that goes on from such an
   exit makes them first, when there is no state yet to unwind to. The compiler is left half done, which
   begins while LuaJIT still says that it interprets, with small pieces. So there a piece passes, and the
   slice ends at the next instruction. Objects are no larger than what the script's text says. */
static int passes(const Memory *memory, size_t more) {
  if (!memory->running) return 0;
  int state = *memory->state;
  if (state == IN_COLLECTOR || state == IN_EXIT) return 1;
  if (state == IN_C || memory->used + more > memory->limit + MOST_OVER) return 0;
  return more <= (state == INTERPRETING && !jit_base(memory) ? SMALL : LARGE);
}

/* Of LuaJIT's own functions those in assembler, such as string.sub, don't tell where the stack ends. The
   error that a refusal becomes in there is put wherever it ended before, which may be below the frame: what
   was there is lost, and the collector clears the frame of a dead thread, and then walks it. Compiled code
   does not tell where its frame is either, which matters in the handler of an error. */
static void *refuse(const Memory *memory) {
  JitThread *L = memory->running ? *memory->running : NULL;
  if (!L) return NULL;
  if (jit_base(memory)) L->base = jit_base(memory);
  if (L->top < L->base) L->top = L->base;
  return NULL;
}

static void *allocate(void *context, void *piece, size_t old, size_t wanted) {
  Memory *memory = context;
  if (!piece) old = 0;              /* PUC-Lua tells there what it will be */
  if (wanted > old && memory->used + (wanted - old) > memory->early) {
    if (memory->used + (wanted - old) > memory->limit && !passes(memory, wanted - old))
      return refuse(memory);
    if (active) hurry(active);
  }
  void *result = memory->native(memory->context, piece, old, wanted);
  if (result || !wanted) memory->used += wanted - old;
  return result;
}

static Memory *memory_of(PyObject *handle) { return PyCapsule_GetPointer(handle, MEMORY); }

/* Where LuaJIT notes which thread runs, which is `L` now, the base of compiled code, which there is none
   of, and what it does, which is to call C. False where this LuaJIT is not laid out as expected. */
static int find_jit(Memory *memory, void *library, lua_State *L) {
  enum { WORDS = 128 };             /* global_State has about as many, and more of its kind follow */
  enum { NEAR = 256 };              /* bytes: the main thread stands right before it */
  void (*settop)(lua_State *, int) = NULL;
  *(void **)&settop = dlsym(library, "lua_settop");
  JitThread *thread = (JitThread *)L;
  uint64_t *base = thread->base, *top = thread->top, *global = thread->global;
  if (!settop || top < base || top - base > 20) return 0;
  settop(L, (int)(top - base) + 1);
  int expected = thread->base == base && thread->top == top + 1;
  settop(L, -2);
  int running = 0, states = 0;
  for (int i = 0; expected && i < WORDS; i++) {
    if (global[i] == (uintptr_t)L && !global[i + 1]) {
      memory->running = (JitThread **)&global[i];
      running++;
    }
    if ((int32_t)global[i] == IN_C && (uintptr_t)global - global[i + 1] < NEAR) {
      memory->state = (const int32_t *)&global[i];
      states++;
    }
  }
  return running == 1 && states == 1;
}

PyDoc_STRVAR(count_doc, "count(path, anchor) -> memory\n\n"
  "Counts the memory of a VM from now on; arguments and errors as for bind(). The anchor is the\n"
  "thread that calls this.");
static PyObject *count_memory(PyObject *self, PyObject *args) {
  const char *path;
  unsigned long long anchor;
  (void)self;
  if (!PyArg_ParseTuple(args, "yK", &path, &anchor)) return NULL;
  void *library = dlopen(path, RTLD_NOLOAD | RTLD_NOW);
  lua_Alloc (*getallocf)(lua_State *, void **) = NULL;
  void (*setallocf)(lua_State *, lua_Alloc, void *) = NULL;
  int (*gc)(lua_State *, int, int) = NULL;
  if (library) {
    *(void **)&getallocf = dlsym(library, "lua_getallocf");
    *(void **)&setallocf = dlsym(library, "lua_setallocf");
    *(void **)&gc = dlsym(library, "lua_gc");
  }
  if (!getallocf || !setallocf || !gc) {
    PyErr_SetString(PyExc_OSError, NOT_EXPORTED);
    return NULL;
  }
  Memory *memory = PyMem_Calloc(1, sizeof *memory);
  if (!memory) return PyErr_NoMemory();
  lua_State *L = (lua_State *)(uintptr_t)anchor;
  if (dlsym(library, "luaJIT_setmode") && !find_jit(memory, library, L)) {
    PyMem_Free(memory);
    PyErr_SetString(PyExc_OSError, "this LuaJIT is not laid out as expected");
    return NULL;
  }
  memory->setallocf = setallocf;
  memory->anchor = L;
  memory->limit = memory->early = SIZE_MAX;
  memory->native = getallocf(L, &memory->context);
  memory->used = (size_t)gc(L, GC_COUNT, 0) * KILOBYTE + (size_t)gc(L, GC_COUNT_BYTES, 0);
  setallocf(L, allocate, memory);
  return PyCapsule_New(memory, MEMORY, NULL);
}

PyDoc_STRVAR(uncount_doc, "uncount(memory)\n\nBefore the VM is closed: LuaJIT then frees all of it at once.");
static PyObject *uncount_memory(PyObject *self, PyObject *handle) {
  (void)self;
  Memory *memory = memory_of(handle);
  if (!memory) return NULL;
  memory->setallocf(memory->anchor, memory->native, memory->context);
  Py_RETURN_NONE;
}

PyDoc_STRVAR(used_doc, "used(memory) -> bytes");
static PyObject *used_memory(PyObject *self, PyObject *handle) {
  (void)self;
  Memory *memory = memory_of(handle);
  return memory ? PyLong_FromSize_t(memory->used) : NULL;
}

PyDoc_STRVAR(limit_doc, "limit(memory, bytes)\n\nWhat the VM may hold from now on; 0: no limit.");
static PyObject *limit_memory(PyObject *self, PyObject *args) {
  PyObject *handle;
  Py_ssize_t most;
  (void)self;
  if (!PyArg_ParseTuple(args, "On", &handle, &most)) return NULL;
  Memory *memory = memory_of(handle);
  if (!memory) return NULL;
  memory->limit = most > 0 ? (size_t)most : SIZE_MAX;
  memory->early = memory->limit;
  if (memory->limit > memory->used && most > 0) memory->early -= (memory->limit - memory->used) / 4;
  Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
  {"bind", bind_vm, METH_VARARGS, bind_doc},
  {"unbind", unbind_vm, METH_O, unbind_doc},
  {"allow", allow, METH_VARARGS, allow_doc},
  {"interrupt_every", interrupt_every, METH_VARARGS, every_doc},
  {"sliced", sliced, METH_O, sliced_doc},
  {"statistics", statistics, METH_O, statistics_doc},
  {"count", count_memory, METH_VARARGS, count_doc},
  {"uncount", uncount_memory, METH_O, uncount_doc},
  {"used", used_memory, METH_O, used_doc},
  {"limit", limit_memory, METH_VARARGS, limit_doc},
  {NULL, NULL, 0, NULL},
};

static PyModuleDef module = {
  PyModuleDef_HEAD_INIT, "engines._slicer", "Time slices for Lua, see the head of the source.", -1,
  methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__slicer(void) {
  if (pthread_atfork(NULL, NULL, forked)) return PyErr_SetFromErrno(PyExc_OSError);
  return PyModule_Create(&module);
}
