/*
 * The native twin of the reference search (modelcheck/explore/search.py): the same linked tables, run as compact code.
 *
 * program.c   checks a program that comes in as arrays of numbers, and refuses one that could step out of bounds
 * expand.c    the meaning of a program: unpack, run the steps of a state, rename stamps and names, pack
 * store.c     the set of states met: whole packed states, where each came from, and a hash table of their numbers
 * search.c    breadth first, by one thread in order
 * parallel.c  the same by several threads, with the same numbers for the same states
 * graph.c     what is asked of a finished graph: stuck processes, loops of one process, distinct projections
 * module.c    the Python type
 *
 * Its one invariant: for any number of threads a state's number is its place in the order in which one thread that
 * expands states in turn, processes in order and steps in order, meets it.  So counts, parents and paths are those of
 * the reference search.
 */
#ifndef MODELCHECK_ENGINE_H
#define MODELCHECK_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOST_SLOTS 4096
#define MOST_PROCESSES 32
#define MOST_SORTS 32
#define MOST_STACK 32
#define MOST_STAMPS 1024 /* values of one sort before renaming */
#define MOST_WORDS 64    /* 64-bit words of a packed state */
#define MOST_THREADS 64
#define PARTS 16         /* sub-tables, by the top bits of the hash */
#define BLOCK_BITS 17    /* states in one block of the store */
#define NOTHING (-1)

/* The operations of a program; module.c hands the numbers to Python, so that they stand once. */
enum operation {
    OP_END, OP_BEGIN, OP_CONST, OP_SLOT, OP_EQ, OP_NE, OP_LT, OP_LE, OP_ADD, OP_SUB, OP_NOT, OP_AND, OP_OR, OP_ITE,
    OP_IN, OP_FRESH, OP_GUARD, OP_GUARD_EQ, OP_GUARD_NE, OP_GUARD_SAME, OP_STORE, OP_SET, OP_COPY, OP_COUNT
};

enum step_flag { STEP_BREAKS = 1, STEP_OBSERVES = 2, STEP_PROGRESS = 4 };

typedef struct {
    int32_t lo, hi, initial;
    int32_t most;  /* the largest value before renaming; hi for a slot of no sort */
    int32_t sort;  /* -1: of no sort */
    uint32_t word, shift;
    uint64_t mask; /* unshifted */
} slot_t;

typedef struct {
    bool named; /* renamed by the order of first places, else by rank */
    int32_t most;
    uint32_t count;
    const int32_t *places;
} sort_t;

typedef struct {
    uint32_t first, count;
} span_t;

typedef struct {
    uint32_t code, process, target;
    uint32_t flags;
    int32_t observation;
    span_t writes;  /* in program->writes: every slot that may differ after the step */
    uint32_t sorts; /* bits of the sorts to rename after it */
} step_t;

typedef struct {
    uint32_t stamps, forms;
    const int32_t *slots; /* the stamps, then the forms */
} observation_t;

typedef struct {
    uint32_t locals;
    uint32_t first_local; /* in program->locals */
    uint32_t nows, futures;
    const int32_t *effects; /* now, future, sticky for each local state */
} process_t;

typedef struct {
    int32_t *numbers; /* everything that came in; the pointers below lead into it */
    uint32_t slot_count, process_count, sort_count, step_count, code_count, observation_count, condition_count;
    uint32_t invariant_count; /* the first conditions: every state must satisfy them */
    uint32_t words, most_seen;
    slot_t *slots;
    sort_t *sorts;
    process_t *processes;
    span_t *locals;
    step_t *steps;
    uint32_t *writes;
    const int32_t *code;
    observation_t *observations;
    const int32_t *conditions; /* places in code */
    bool ample;
    const int32_t *dependent[MOST_PROCESSES][MOST_PROCESSES];
} program_t;

typedef struct {
    const int32_t *slots, *sorts, *locals, *steps, *code, *observations, *conditions, *ample;
    size_t slot_count, sort_count, local_count, step_count, code_count, observation_count, condition_count;
    size_t ample_count;
    size_t invariants;
} parts_t;

/* NULL, or why the program is refused; *out is the caller's to free with program_free, on a refusal too. */
const char *program_make(const parts_t *parts, program_t *out);
void program_free(program_t *program);

/* One thread's working memory. */
typedef struct {
    const program_t *program;
    int32_t value[MOST_SLOTS];
    int32_t saved[MOST_SLOTS];
    int32_t rank[MOST_STAMPS];
    /* the successors of the states expanded since the last reset */
    uint64_t *words;
    uint64_t *hashes;
    uint32_t *steps;
    size_t count, room;
    bool begun; /* whether the running step has saved what it writes */
    /* the first step that left a slot's domain; steps after it are not run */
    bool failed;
    uint32_t failed_step, failed_slot;
    int64_t failed_value;
} context_t;

bool context_make(context_t *context, const program_t *program);
void context_free(context_t *context);
void unpack(const program_t *program, const uint64_t *words, int32_t *value);
bool pack_initial(context_t *context, uint64_t *words);
/* Appends the successors of a state to the context; false where memory is short.  On a failure `failed` is set. */
bool expand(context_t *context, const uint64_t *words);
/* The same for the steps of one process that make no progress. */
bool expand_alone(context_t *context, const uint64_t *words, uint32_t process);
bool condition_holds(context_t *context, uint32_t condition, const uint64_t *words);
uint64_t hash_of(const uint64_t *words, uint32_t count);
/* The observed values of a state as a key: at most program->most_seen + 1 numbers; answers how many. */
uint32_t observed(context_t *context, uint32_t step, const uint64_t *words, int32_t *key);

/* An entry of the table: 0, or bit 63 provisional, bits 32..62 tag, bits 0..31 the number + 1 (parallel.c: a record). */
typedef struct {
    uint64_t *entries;
    uint64_t mask;
    uint64_t used;
} table_t;

typedef struct {
    uint64_t *words;
    uint32_t *parent, *step;
} block_t;

typedef struct {
    uint32_t width; /* words of a state */
    uint64_t count;
    block_t *blocks;
    size_t block_count, block_room;
    table_t tables[PARTS];
    size_t block_bytes; /* the tables' not counted: several threads grow them at once */
} store_t;

#define PROVISIONAL (UINT64_C(1) << 63)
#define TAG(hash) (((hash) & UINT64_C(0x7fffffff)) << 32)
#define PART(hash) ((uint32_t)((hash) >> 60))
#define MOST_STATES UINT64_C(0xfffffff0)

bool store_make(store_t *store, uint32_t width);
void store_free(store_t *store);
bool store_room(store_t *store, uint64_t states); /* blocks for that many states in all */
bool table_full(const store_t *store, uint32_t part, uint64_t entries); /* whether table_room would make room */
bool table_room(store_t *store, uint32_t part, uint64_t entries);
uint64_t store_bytes(const store_t *store); /* in use now: what a block has room for and nobody wrote is not */
/* The most bytes held while room is made for so many more states, `in_part` of them in each table (NULL: all in each). */
uint64_t store_bytes_for(const store_t *store, uint64_t more, const uint64_t *in_part);

static inline uint64_t *state_at(const store_t *store, uint64_t number)
{
    return store->blocks[number >> BLOCK_BITS].words
           + (number & ((UINT64_C(1) << BLOCK_BITS) - 1)) * store->width;
}
static inline uint32_t *parent_at(const store_t *store, uint64_t number)
{
    return &store->blocks[number >> BLOCK_BITS].parent[number & ((UINT64_C(1) << BLOCK_BITS) - 1)];
}
static inline uint32_t *step_at(const store_t *store, uint64_t number)
{
    return &store->blocks[number >> BLOCK_BITS].step[number & ((UINT64_C(1) << BLOCK_BITS) - 1)];
}
static inline bool same_words(const uint64_t *a, const uint64_t *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (a[i] != b[i])
            return false;
    return true;
}
/* The number of a state; *known tells whether it was there.  Room must have been made.  UINT64_MAX is "not there". */
uint64_t store_put(store_t *store, const uint64_t *words, uint64_t hash, uint32_t parent, uint32_t step, bool *known);
uint64_t store_find(const store_t *store, const uint64_t *words, uint64_t hash);

/* A set of keys of numbers: the observations that are decided for good. */
typedef struct {
    int32_t *keys;
    uint32_t *lengths;
    size_t *starts;
    size_t count, room, used, key_room;
    uint32_t *entries;
    size_t mask;
} keys_t;

bool keys_has(const keys_t *keys, const int32_t *key, uint32_t length);
bool keys_add(keys_t *keys, const int32_t *key, uint32_t length);
void keys_free(keys_t *keys);

enum outcome {
    OUT_COMPLETE, OUT_BREAKS, OUT_VIOLATED, OUT_INVARIANT, OUT_STOPPED, OUT_STATES, OUT_MEMORY, OUT_FAILED, OUT_RAISED,
    OUT_LAYER
};
enum answer { ANSWER_NEVER, ANSWER_VIOLATED, ANSWER_OPEN, ANSWER_RAISED };

typedef struct search search_t;
struct search {
    program_t program;
    store_t store;
    context_t context;
    keys_t settled;
    uint64_t number; /* the next state to expand */
    uint64_t layer_end;
    uint64_t *layers; /* where each finished layer ended */
    size_t layer_count, layer_room;
    uint64_t transitions;
    uint64_t depth;
    uint8_t *taken; /* by step */
    bool started;
    /* the graph, where it is kept: targets and steps of the edges of each state */
    bool keep_graph;
    uint64_t *edge_starts;
    uint32_t *edge_steps, *edge_targets;
    size_t edge_count, edge_room, start_room;
    /* the goals of the present layer, where the search stops at the end of each */
    bool layered;
    uint32_t *goal_states, *goal_steps;
    size_t goal_count, goal_room;
    /* bounds and questions to the caller */
    uint64_t most_states, most_bytes;
    enum answer (*decide)(search_t *search, uint64_t number, uint32_t step);
    bool (*tick)(search_t *search); /* true: stop */
    void *caller;
    double next_tick;
    /* how it ended */
    enum outcome outcome;
    uint64_t end_state;
    uint32_t end_step;
    uint32_t end_condition;
};

#define TICK_SECONDS 0.04

double now(void);
enum outcome search_start(search_t *search);
bool next_layer(search_t *search);
/* Expands states in order, up to state `end` (excluded); OUT_COMPLETE where nothing ended it before. */
enum outcome search_serial(search_t *search, uint64_t end);
enum outcome search_parallel(search_t *search, uint32_t threads);
void search_free(search_t *search);

/* For each state whether some continuation lets `process` step, as one byte a state; false where memory is short. */
bool graph_alive(const search_t *search, uint32_t process, uint8_t *alive);
/* Whether `process` alone can loop without progress from a state where the condition holds: 1, 0, -1 no memory. */
int graph_loops(search_t *search, uint32_t process, uint32_t condition, const uint64_t *touched);
/* The edges on shortest paths to the goals, as triples (state, step, next state); false where memory is short. */
bool graph_to_goals(const search_t *search, uint32_t **triples, size_t *count);
/* The first states with each value of the slots in `touched`; appends their numbers.  condition -1: all states. */
bool graph_distinct(search_t *search, const uint64_t *touched, int32_t condition, uint32_t **numbers, size_t *count);

#endif
