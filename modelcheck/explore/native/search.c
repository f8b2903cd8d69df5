/* Breadth first by one thread, in order: what search.py does, and the meaning that parallel.c keeps. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GROUP 16 /* states expanded before their successors are looked up, so that memory is fetched ahead */

double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void search_free(search_t *s)
{
    store_free(&s->store);
    context_free(&s->context);
    keys_free(&s->settled);
    free(s->taken);
    free(s->layers);
    free(s->edge_starts);
    free(s->edge_steps);
    free(s->edge_targets);
    free(s->goal_states);
    free(s->goal_steps);
    program_free(&s->program);
}

static enum outcome end(search_t *s, enum outcome outcome, uint64_t state, uint32_t step)
{
    s->outcome = outcome;
    s->end_state = state;
    s->end_step = step;
    return outcome;
}

/* The first invariant that a state breaks, or -1; a layered search looks for goals alone. */
static int64_t broken(search_t *s, const uint64_t *words)
{
    for (uint32_t i = 0; i < s->program.invariant_count && !s->layered; i++)
        if (!condition_holds(&s->context, i, words))
            return i;
    return -1;
}

static bool grow(uint32_t **array, size_t *room, size_t count)
{
    if (count < *room)
        return true;
    size_t more = *room ? 2 * *room : 1024;
    uint32_t *bigger = realloc(*array, more * sizeof *bigger);
    if (!bigger)
        return false;
    *array = bigger;
    *room = more;
    return true;
}

static bool keep_edge(search_t *s, uint32_t step, uint64_t target)
{
    size_t room = s->edge_room;
    if (!grow(&s->edge_targets, &room, s->edge_count) || !grow(&s->edge_steps, &s->edge_room, s->edge_count))
        return false;
    s->edge_steps[s->edge_count] = step;
    s->edge_targets[s->edge_count++] = (uint32_t)target;
    return true;
}

static bool keep_start(search_t *s, uint64_t state)
{
    if (state + 2 > s->start_room) {
        size_t room = s->start_room ? 2 * s->start_room : 1024;
        uint64_t *more = realloc(s->edge_starts, room * sizeof *more);
        if (!more)
            return false;
        s->edge_starts = more;
        s->start_room = room;
    }
    s->edge_starts[state] = s->edge_count;
    s->edge_starts[state + 1] = s->edge_count;
    return true;
}

static bool keep_goal(search_t *s, uint64_t state, uint32_t step)
{
    size_t room = s->goal_room;
    if (!grow(&s->goal_steps, &room, s->goal_count) || !grow(&s->goal_states, &s->goal_room, s->goal_count))
        return false;
    s->goal_states[s->goal_count] = (uint32_t)state;
    s->goal_steps[s->goal_count++] = step;
    return true;
}

enum outcome search_start(search_t *s)
{
    uint64_t words[MOST_WORDS];
    bool known;
    s->started = true; /* also where memory ends it: it does not start twice */
    s->taken = calloc(s->program.step_count + 1u, 1);
    if (!s->taken || !store_make(&s->store, s->program.words) || !context_make(&s->context, &s->program))
        return end(s, OUT_MEMORY, 0, 0);
    pack_initial(&s->context, words);
    store_put(&s->store, words, hash_of(words, s->program.words), 0, UINT32_MAX, &known);
    s->layer_end = 1;
    s->next_tick = now() + TICK_SECONDS;
    int64_t condition = broken(s, words);
    if (condition >= 0) {
        s->end_condition = (uint32_t)condition;
        return end(s, OUT_INVARIANT, 0, 0);
    }
    return OUT_COMPLETE;
}

bool next_layer(search_t *s)
{
    if (s->layer_count == s->layer_room) {
        size_t more = s->layer_room ? 2 * s->layer_room : 64;
        uint64_t *layers = realloc(s->layers, more * sizeof *layers);
        if (!layers)
            return false;
        s->layers = layers;
        s->layer_room = more;
    }
    s->layers[s->layer_count++] = s->layer_end;
    s->layer_end = s->store.count;
    s->depth++;
    return true;
}

/* Whether to go on after a special step: OUT_COMPLETE; OUT_LAYER means that the step leads nowhere. */
static enum outcome special(search_t *s, uint64_t state, uint32_t number)
{
    const step_t *step = &s->program.steps[number];
    if (step->flags & STEP_BREAKS) {
        if (!s->layered)
            return end(s, OUT_BREAKS, state, number);
        return keep_goal(s, state, number) ? OUT_LAYER : end(s, OUT_MEMORY, state, number);
    }
    int32_t key[MOST_SLOTS + 1];
    uint32_t length = observed(&s->context, number, state_at(&s->store, state), key);
    if (keys_has(&s->settled, key, length))
        return OUT_COMPLETE;
    switch (s->decide(s, state, number)) {
    case ANSWER_NEVER:
        return keys_add(&s->settled, key, length) ? OUT_COMPLETE : end(s, OUT_MEMORY, state, number);
    case ANSWER_VIOLATED:
        if (!s->layered)
            return end(s, OUT_VIOLATED, state, number);
        return keep_goal(s, state, number) ? OUT_COMPLETE : end(s, OUT_MEMORY, state, number);
    case ANSWER_OPEN:
        return OUT_COMPLETE;
    default:
        return end(s, OUT_RAISED, state, number);
    }
}

/* Room for `more` states, within the bound. */
static bool room(search_t *s, uint64_t more)
{
    store_t *store = &s->store;
    if (store->count + more > MOST_STATES || (s->most_bytes && store_bytes_for(store, more, NULL) > s->most_bytes))
        return false;
    if (!store_room(store, store->count + more))
        return false;
    for (uint32_t part = 0; part < PARTS; part++)
        if (!table_room(store, part, store->tables[part].used + more))
            return false;
    return true;
}

/* Takes in the successors `from` to `to` of the context, which are those of one state. */
static enum outcome take_in(search_t *s, uint64_t state, size_t from, size_t to)
{
    context_t *c = &s->context;
    uint32_t width = s->program.words;
    if (s->keep_graph && !keep_start(s, state))
        return end(s, OUT_MEMORY, state, 0);
    for (size_t i = from; i < to; i++) {
        uint32_t step = c->steps[i];
        s->transitions++;
        s->taken[step] = 1;
        if (s->program.steps[step].flags & (STEP_BREAKS | STEP_OBSERVES)) {
            enum outcome outcome = special(s, state, step);
            if (outcome == OUT_LAYER)
                continue;
            if (outcome != OUT_COMPLETE)
                return outcome;
        }
        bool known;
        const uint64_t *words = c->words + i * width;
        uint64_t number = store_put(&s->store, words, c->hashes[i], (uint32_t)state, step, &known);
        if (!known && s->program.invariant_count) {
            int64_t condition = broken(s, words);
            if (condition >= 0) {
                s->end_condition = (uint32_t)condition;
                return end(s, OUT_INVARIANT, number, step);
            }
        }
        if (s->keep_graph && !keep_edge(s, step, number))
            return end(s, OUT_MEMORY, state, step);
    }
    if (s->keep_graph)
        s->edge_starts[state + 1] = s->edge_count;
    return OUT_COMPLETE;
}

enum outcome search_serial(search_t *s, uint64_t last)
{
    context_t *c = &s->context;
    store_t *store = &s->store;
    size_t starts[GROUP + 1];
    while (s->number < store->count && s->number < last) {
        if (s->number == s->layer_end) {
            if (!next_layer(s))
                return end(s, OUT_MEMORY, s->number, 0);
        }
        if (now() >= s->next_tick) {
            if (s->tick(s))
                return end(s, OUT_STOPPED, s->number, 0);
            s->next_tick = now() + TICK_SECONDS;
        }
        uint64_t stop = s->layer_end < last ? s->layer_end : last;
        uint64_t group = stop - s->number < GROUP ? stop - s->number : GROUP;
        c->count = 0;
        c->failed = false;
        uint64_t made = 0;
        for (; made < group && !c->failed; made++) {
            starts[made] = c->count;
            if (!expand(c, state_at(store, s->number + made)))
                return end(s, OUT_MEMORY, s->number, 0);
        }
        starts[made] = c->count;
        if (!room(s, c->count))
            return end(s, OUT_MEMORY, s->number, 0);
        for (size_t i = 0; i < c->count; i++) {
            const table_t *t = &store->tables[PART(c->hashes[i])];
            __builtin_prefetch(&t->entries[TAG(c->hashes[i]) >> 32 & t->mask]);
        }
        bool failed = c->failed;
        uint64_t first = s->number;
        for (uint64_t i = 0; i < made; i++) {
            if (s->most_states && store->count >= s->most_states)
                return end(s, OUT_STATES, first + i, 0);
            if (failed && i + 1 == made)
                return end(s, OUT_FAILED, first + i, c->failed_step);
            enum outcome outcome = take_in(s, first + i, starts[i], starts[i + 1]);
            if (outcome != OUT_COMPLETE)
                return outcome;
            s->number++;
        }
        if (s->layered && s->number == s->layer_end)
            return end(s, OUT_LAYER, s->number, 0);
    }
    return OUT_COMPLETE;
}
