/* The Python type: a program and one search of it.  Every number that comes in is checked by program.c. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include "engine.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    PyObject_HEAD
    search_t *search;
    PyObject *decide, *tick;
    PyThreadState *thread;
    bool running;
    bool calling; /* inside a callback: the search stands still */
} Search;

static bool get_numbers(PyObject *object, const char *name, Py_buffer *view, const int32_t **numbers, size_t *count)
{
    if (PyObject_GetBuffer(object, view, PyBUF_SIMPLE) != 0)
        return false;
    if (view->len % 4) {
        PyErr_Format(PyExc_ValueError, "%s: not a whole number of 32-bit numbers", name);
        PyBuffer_Release(view);
        return false;
    }
    *numbers = view->buf;
    *count = (size_t)view->len / 4;
    return true;
}

static void free_search(Search *self)
{
    if (self->search) {
        search_free(self->search);
        free(self->search);
    }
    self->search = NULL;
}

static PyObject *Search_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"slots", "sorts", "locals", "steps", "code", "observations", "conditions", "ample",
                            "invariants", "keep_graph", "layered", NULL};
    PyObject *objects[8];
    Py_ssize_t invariants;
    int keep_graph, layered;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOOOOOOOnpp", names, &objects[0], &objects[1], &objects[2],
                                     &objects[3], &objects[4], &objects[5], &objects[6], &objects[7], &invariants,
                                     &keep_graph, &layered))
        return NULL;
    if (invariants < 0) {
        PyErr_SetString(PyExc_ValueError, "the number of invariants is negative");
        return NULL;
    }
    parts_t parts = {.invariants = (size_t)invariants};
    const int32_t **numbers[] = {&parts.slots, &parts.sorts, &parts.locals, &parts.steps,
                                 &parts.code,  &parts.observations, &parts.conditions, &parts.ample};
    size_t *counts[] = {&parts.slot_count, &parts.sort_count, &parts.local_count, &parts.step_count,
                        &parts.code_count, &parts.observation_count, &parts.condition_count, &parts.ample_count};
    Py_buffer views[8];
    int got = 0;
    while (got < 8 && get_numbers(objects[got], names[got], &views[got], numbers[got], counts[got]))
        got++;
    PyObject *result = NULL;
    if (got == 8) {
        allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
        Search *self = (Search *)allocate(type, 0);
        search_t *search = self ? calloc(1, sizeof *search) : NULL;
        if (self && !search)
            PyErr_NoMemory();
        if (search) {
            self->search = search;
            search->keep_graph = keep_graph || layered;
            search->layered = layered;
            const char *why = program_make(&parts, &search->program);
            if (!why) {
                result = (PyObject *)self;
            } else {
                PyErr_SetString(PyExc_ValueError, why);
            }
        }
        if (self && !result)
            Py_DECREF((PyObject *)self);
    }
    while (got-- > 0)
        PyBuffer_Release(&views[got]);
    return result;
}

static int Search_traverse(Search *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->decide);
    Py_VISIT(self->tick);
    return 0;
}

static int Search_clear(Search *self)
{
    Py_CLEAR(self->decide);
    Py_CLEAR(self->tick);
    return 0;
}

static void Search_dealloc(Search *self)
{
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack((PyObject *)self);
    Search_clear(self);
    free_search(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF((PyObject *)type);
}

/* -- calls back ---------------------------------------------------------------------------------------------------- */

static enum answer call_decide(search_t *search, uint64_t number, uint32_t step)
{
    Search *self = search->caller;
    enum answer answer = ANSWER_RAISED;
    PyEval_RestoreThread(self->thread);
    self->calling = true;
    PyObject *result = PyObject_CallFunction(self->decide, "KI", (unsigned long long)number, (unsigned int)step);
    if (result) {
        long value = PyLong_AsLong(result);
        Py_DECREF(result);
        if (value >= ANSWER_NEVER && value <= ANSWER_OPEN)
            answer = (enum answer)value;
        else if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "decide answers never, violated or open");
    }
    self->calling = false;
    self->thread = PyEval_SaveThread();
    return answer;
}

static bool call_tick(search_t *search)
{
    Search *self = search->caller;
    int stop = 1;
    PyEval_RestoreThread(self->thread);
    self->calling = true;
    if (PyErr_CheckSignals() == 0) {
        PyObject *result = PyObject_CallFunction(self->tick, "KKK", (unsigned long long)search->store.count,
                                                 (unsigned long long)search->depth,
                                                 (unsigned long long)(search->store.count - search->number));
        if (result) {
            stop = PyObject_IsTrue(result);
            Py_DECREF(result);
        }
    }
    stop = stop != 0 || PyErr_Occurred();
    self->calling = false;
    self->thread = PyEval_SaveThread();
    return stop;
}

/* -- methods ------------------------------------------------------------------------------------------------------- */

static bool busy(Search *self)
{
    if (self->running)
        PyErr_SetString(PyExc_RuntimeError, "this search is running");
    return self->running;
}

/* The same for what callbacks may ask: another thread may not, while states are added. */
static bool moving(Search *self)
{
    return !self->calling && busy(self);
}

/* A whole number that is not negative; "K" and "I" would cut off what does not fit. */
static int get_number(PyObject *object, void *number)
{
    unsigned long long value = PyLong_AsUnsignedLongLong(object);
    if (value == ULLONG_MAX && PyErr_Occurred())
        return 0;
    *(unsigned long long *)number = value;
    return 1;
}

static PyObject *Search_run(Search *self, PyObject *args)
{
    PyObject *decide, *tick;
    unsigned long long threads, most_states, most_bytes;
    if (!PyArg_ParseTuple(args, "OOO&O&O&", &decide, &tick, get_number, &threads, get_number, &most_states, get_number,
                          &most_bytes)
        || busy(self))
        return NULL;
    search_t *s = self->search;
    if (s->started && s->outcome != OUT_LAYER) {
        PyErr_SetString(PyExc_RuntimeError, "this search has ended");
        return NULL;
    }
    if (threads < 1 || threads > MOST_THREADS) {
        PyErr_Format(PyExc_ValueError, "%llu threads: there are 1 to %d", threads, MOST_THREADS);
        return NULL;
    }
    Py_INCREF(decide);
    Py_INCREF(tick);
    Search_clear(self);
    self->decide = decide;
    self->tick = tick;
    s->caller = self;
    s->decide = call_decide;
    s->tick = call_tick;
    s->most_states = most_states;
    s->most_bytes = most_bytes;
    self->running = true;
    self->thread = PyEval_SaveThread();
    enum outcome outcome = s->started ? OUT_COMPLETE : search_start(s);
    if (outcome == OUT_COMPLETE) {
        s->goal_count = 0;
        outcome = threads > 1 && !s->keep_graph ? search_parallel(s, (uint32_t)threads) : search_serial(s, UINT64_MAX);
        s->outcome = outcome;
    }
    PyEval_RestoreThread(self->thread);
    self->running = false;
    Search_clear(self);
    return PyErr_Occurred() ? NULL : PyLong_FromLong(outcome);
}

static bool is_state(Search *self, unsigned long long number)
{
    if (number < self->search->store.count)
        return true;
    PyErr_Format(PyExc_IndexError, "state %llu: there are %llu", number,
                 (unsigned long long)self->search->store.count);
    return false;
}

static PyObject *Search_state(Search *self, PyObject *args)
{
    unsigned long long number;
    if (!PyArg_ParseTuple(args, "O&", get_number, &number) || moving(self) || !is_state(self, number))
        return NULL;
    const program_t *p = &self->search->program;
    int32_t *value = malloc(p->slot_count * sizeof *value);
    if (!value)
        return PyErr_NoMemory();
    unpack(p, state_at(&self->search->store, number), value); /* before anything that may let another thread run */
    PyObject *result = PyTuple_New(p->slot_count);
    for (uint32_t i = 0; i < p->slot_count && result; i++) {
        PyObject *each = PyLong_FromLong(value[i]);
        if (!each || PyTuple_SetItem(result, i, each) != 0)
            Py_CLEAR(result);
    }
    free(value);
    return result;
}

static PyObject *Search_path(Search *self, PyObject *args)
{
    unsigned long long number;
    if (!PyArg_ParseTuple(args, "O&", get_number, &number) || moving(self) || !is_state(self, number))
        return NULL;
    const store_t *store = &self->search->store;
    size_t length = 0;
    for (uint64_t n = number; n; n = *parent_at(store, n))
        length++;
    uint32_t *steps = malloc((length + 1) * sizeof *steps);
    if (!steps)
        return PyErr_NoMemory();
    for (size_t i = length; i-- > 0; number = *parent_at(store, number))
        steps[i] = *step_at(store, number);
    PyObject *result = PyList_New((Py_ssize_t)length);
    for (size_t i = 0; i < length && result; i++) {
        PyObject *step = PyLong_FromUnsignedLong(steps[i]);
        if (!step || PyList_SetItem(result, (Py_ssize_t)i, step) != 0)
            Py_CLEAR(result);
    }
    free(steps);
    return result;
}

static PyObject *Search_edges(Search *self, PyObject *args)
{
    unsigned long long number;
    if (!PyArg_ParseTuple(args, "O&", get_number, &number) || busy(self) || !is_state(self, number))
        return NULL;
    search_t *s = self->search;
    PyObject *result = PyList_New(0);
    if (!s->keep_graph || number >= s->number)
        return result;
    self->running = true; /* what is made here may let another thread run */
    for (uint64_t e = s->edge_starts[number]; e < s->edge_starts[number + 1] && result; e++) {
        PyObject *edge = Py_BuildValue("(II)", s->edge_steps[e], s->edge_targets[e]);
        if (!edge || PyList_Append(result, edge) != 0)
            Py_CLEAR(result);
        Py_XDECREF(edge);
    }
    self->running = false;
    return result;
}

static PyObject *Search_taken(Search *self, PyObject *Py_UNUSED(ignored))
{
    search_t *s = self->search;
    if (busy(self))
        return NULL;
    return s->taken ? PyBytes_FromStringAndSize((const char *)s->taken, s->program.step_count)
                    : PyBytes_FromStringAndSize("", 0);
}

static PyObject *Search_goals(Search *self, PyObject *Py_UNUSED(ignored))
{
    search_t *s = self->search;
    if (busy(self))
        return NULL;
    PyObject *result = PyList_New(0);
    self->running = true;
    for (size_t i = 0; i < s->goal_count && result; i++) {
        PyObject *goal = Py_BuildValue("(II)", s->goal_states[i], s->goal_steps[i]);
        if (!goal || PyList_Append(result, goal) != 0)
            Py_CLEAR(result);
        Py_XDECREF(goal);
    }
    self->running = false;
    return result;
}

static PyObject *Search_to_goals(Search *self, PyObject *Py_UNUSED(ignored))
{
    search_t *s = self->search;
    uint32_t *triples;
    size_t count;
    if (busy(self))
        return NULL;
    if (!s->started || !s->keep_graph)
        return PyBytes_FromStringAndSize("", 0);
    if (!graph_to_goals(s, &triples, &count))
        return PyErr_NoMemory();
    PyObject *result = PyBytes_FromStringAndSize((const char *)triples, (Py_ssize_t)(count * 3 * sizeof *triples));
    free(triples);
    return result;
}

static bool is_process(Search *self, unsigned long long process)
{
    if (process < self->search->program.process_count)
        return true;
    PyErr_Format(PyExc_IndexError, "process %llu: there are %u", process, self->search->program.process_count);
    return false;
}

static PyObject *Search_alive(Search *self, PyObject *args)
{
    unsigned long long process;
    if (!PyArg_ParseTuple(args, "O&", get_number, &process) || busy(self) || !is_process(self, process))
        return NULL;
    search_t *s = self->search;
    if (!s->keep_graph || !s->edge_starts) {
        PyErr_SetString(PyExc_RuntimeError, "this search kept no graph");
        return NULL;
    }
    uint8_t *alive = malloc(s->store.count);
    PyObject *result = NULL;
    if (alive && graph_alive(s, (uint32_t)process, alive))
        result = PyBytes_FromStringAndSize((const char *)alive, (Py_ssize_t)s->store.count);
    else
        PyErr_NoMemory();
    free(alive);
    return result;
}

/* The mask of the slots in a sequence of numbers. */
static bool get_touched(Search *self, PyObject *object, uint64_t *touched)
{
    const program_t *p = &self->search->program;
    memset(touched, 0, MOST_WORDS * sizeof *touched);
    Py_ssize_t count = PySequence_Size(object);
    if (count < 0)
        return false;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(object, i);
        if (!item)
            return false;
        long slot = PyLong_AsLong(item);
        Py_DECREF(item);
        if (slot == -1 && PyErr_Occurred())
            return false;
        if (slot < 0 || (unsigned long)slot >= p->slot_count) {
            PyErr_Format(PyExc_IndexError, "slot %ld: there are %u", slot, p->slot_count);
            return false;
        }
        touched[p->slots[slot].word] |= p->slots[slot].mask << p->slots[slot].shift;
    }
    return true;
}

static bool is_condition(Search *self, int condition, int least)
{
    if (condition >= least && (condition < 0 || (unsigned int)condition < self->search->program.condition_count))
        return true;
    PyErr_Format(PyExc_IndexError, "condition %d: there are %u", condition, self->search->program.condition_count);
    return false;
}

static PyObject *Search_loops(Search *self, PyObject *args)
{
    unsigned long long process;
    int condition;
    PyObject *slots;
    uint64_t touched[MOST_WORDS];
    if (!PyArg_ParseTuple(args, "O&iO", get_number, &process, &condition, &slots) || !is_process(self, process)
        || !is_condition(self, condition, 0) || !get_touched(self, slots, touched) || busy(self))
        return NULL;
    if (!self->search->started) {
        PyErr_SetString(PyExc_RuntimeError, "this search has not run");
        return NULL;
    }
    self->running = true;
    PyThreadState *thread = PyEval_SaveThread();
    int answer = graph_loops(self->search, (uint32_t)process, (uint32_t)condition, touched);
    PyEval_RestoreThread(thread);
    self->running = false;
    if (answer < 0)
        return PyErr_NoMemory();
    return PyBool_FromLong(answer);
}

static PyObject *Search_distinct(Search *self, PyObject *args)
{
    PyObject *slots;
    int condition;
    uint64_t touched[MOST_WORDS];
    if (!PyArg_ParseTuple(args, "Oi", &slots, &condition) || !is_condition(self, condition, -1)
        || !get_touched(self, slots, touched) || busy(self))
        return NULL;
    if (!self->search->started) {
        PyErr_SetString(PyExc_RuntimeError, "this search has not run");
        return NULL;
    }
    uint32_t *numbers;
    size_t count;
    if (!graph_distinct(self->search, touched, condition, &numbers, &count))
        return PyErr_NoMemory();
    PyObject *result = PyBytes_FromStringAndSize((const char *)numbers, (Py_ssize_t)(count * sizeof *numbers));
    free(numbers);
    return result;
}

static PyObject *Search_figures(Search *self, PyObject *Py_UNUSED(ignored))
{
    const search_t *s = self->search;
    if (busy(self))
        return NULL;
    return Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:I,s:I,s:I,s:I,s:L,s:K,s:I}", "states",
                         (unsigned long long)s->store.count, "expanded", (unsigned long long)s->number, "transitions",
                         (unsigned long long)s->transitions, "depth", (unsigned long long)s->depth, "end_state",
                         (unsigned long long)s->end_state, "end_step", s->end_step, "end_condition", s->end_condition,
                         "failed_step", s->context.failed_step, "failed_slot", s->context.failed_slot, "failed_value",
                         (long long)s->context.failed_value, "bytes",
                         (unsigned long long)(s->started ? store_bytes(&s->store) : 0), "words", s->program.words);
}

static PyMethodDef methods[] = {
    {"run", (PyCFunction)(void (*)(void))Search_run, METH_VARARGS,
     "run(decide, tick, threads, most_states, most_bytes): goes on until something ends it; answers what."},
    {"state", (PyCFunction)(void (*)(void))Search_state, METH_VARARGS, "state(number): its slots, as a tuple."},
    {"path", (PyCFunction)(void (*)(void))Search_path, METH_VARARGS, "path(number): the steps from the start to it."},
    {"edges", (PyCFunction)(void (*)(void))Search_edges, METH_VARARGS, "edges(number): [(step, next state)]."},
    {"taken", (PyCFunction)(void (*)(void))Search_taken, METH_NOARGS, "taken(): a byte for each step."},
    {"goals", (PyCFunction)(void (*)(void))Search_goals, METH_NOARGS, "goals(): [(state, step)] of the last layer."},
    {"to_goals", (PyCFunction)(void (*)(void))Search_to_goals, METH_NOARGS,
     "to_goals(): (state, step, next state) of every shortest path to a goal, as 32-bit numbers."},
    {"alive", (PyCFunction)(void (*)(void))Search_alive, METH_VARARGS,
     "alive(process): for each state, a byte: whether the process may step again."},
    {"loops", (PyCFunction)(void (*)(void))Search_loops, METH_VARARGS,
     "loops(process, condition, slots): whether it can loop alone without progress."},
    {"distinct", (PyCFunction)(void (*)(void))Search_distinct, METH_VARARGS,
     "distinct(slots, condition): the first states that differ in the slots, as 32-bit numbers."},
    {"figures", (PyCFunction)(void (*)(void))Search_figures, METH_NOARGS, "figures(): counts, and how it ended."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot type_slots[] = {
    {Py_tp_new, Search_new},
    {Py_tp_dealloc, Search_dealloc},
    {Py_tp_traverse, Search_traverse},
    {Py_tp_clear, Search_clear},
    {Py_tp_methods, methods},
    {Py_tp_doc, "A program and one breadth-first search of it; see engine.h and program.py."},
    {0, NULL},
};

static PyType_Spec type_spec = {
    .name = "modelcheck.explore.native._engine.Search",
    .basicsize = sizeof(Search),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = type_slots,
};

static int execute(PyObject *module)
{
    static const struct {
        const char *name;
        int value;
    } numbers[] = {
        {"END", OP_END}, {"BEGIN", OP_BEGIN}, {"CONST", OP_CONST}, {"SLOT", OP_SLOT}, {"EQ", OP_EQ}, {"NE", OP_NE},
        {"LT", OP_LT}, {"LE", OP_LE}, {"ADD", OP_ADD}, {"SUB", OP_SUB}, {"NOT", OP_NOT}, {"AND", OP_AND},
        {"OR", OP_OR}, {"ITE", OP_ITE}, {"IN", OP_IN}, {"FRESH", OP_FRESH}, {"GUARD", OP_GUARD},
        {"GUARD_EQ", OP_GUARD_EQ}, {"GUARD_NE", OP_GUARD_NE}, {"GUARD_SAME", OP_GUARD_SAME}, {"STORE", OP_STORE},
        {"SET", OP_SET}, {"COPY", OP_COPY},
        {"BREAKS", STEP_BREAKS}, {"OBSERVES", STEP_OBSERVES}, {"PROGRESS", STEP_PROGRESS},
        {"COMPLETE", OUT_COMPLETE}, {"BROKEN", OUT_BREAKS}, {"VIOLATED", OUT_VIOLATED}, {"INVARIANT", OUT_INVARIANT},
        {"STOPPED", OUT_STOPPED}, {"STATES", OUT_STATES}, {"MEMORY", OUT_MEMORY}, {"FAILED", OUT_FAILED},
        {"RAISED", OUT_RAISED}, {"LAYER", OUT_LAYER},
        {"MOST_SLOTS", MOST_SLOTS}, {"MOST_PROCESSES", MOST_PROCESSES}, {"MOST_STACK", MOST_STACK},
        {"MOST_THREADS", MOST_THREADS},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (PyModule_AddIntConstant(module, numbers[i].name, numbers[i].value) != 0)
            return -1;
    PyObject *type = PyType_FromModuleAndSpec(module, &type_spec, NULL);
    if (!type)
        return -1;
    int result = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return result;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, (void *)execute}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_engine",
    .m_doc = "The native twin of the reference search.",
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__engine(void)
{
    return PyModuleDef_Init(&definition);
}
