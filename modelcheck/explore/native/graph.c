/* What is asked of a finished graph; see analysis.py and canonical.py, which say what each answer is for. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

bool graph_alive(const search_t *s, uint32_t process, uint8_t *alive)
{
    uint64_t states = s->store.count, expanded = s->number;
    size_t edges = s->edge_starts[expanded]; /* those of a state that was left half expanded do not count */
    uint64_t *starts = calloc(states + 2, sizeof *starts);
    uint32_t *before = malloc((edges + 1) * sizeof *before), *todo = malloc((states + 1) * sizeof *todo);
    memset(alive, 0, states);
    if (!starts || !before || !todo) {
        free(starts);
        free(before);
        free(todo);
        return false;
    }
    for (size_t i = 0; i < edges; i++)
        starts[s->edge_targets[i] + 1]++;
    for (uint64_t i = 0; i < states; i++)
        starts[i + 1] += starts[i];
    uint64_t *at = malloc((states + 1) * sizeof *at);
    size_t waiting = 0;
    if (at) {
        memcpy(at, starts, (states + 1) * sizeof *at);
        for (uint64_t n = 0; n < expanded; n++)
            for (uint64_t e = s->edge_starts[n]; e < s->edge_starts[n + 1]; e++) {
                before[at[s->edge_targets[e]]++] = (uint32_t)n;
                if (s->program.steps[s->edge_steps[e]].process == process && !alive[n]) {
                    alive[n] = 1;
                    todo[waiting++] = (uint32_t)n;
                }
            }
        while (waiting) {
            uint32_t n = todo[--waiting];
            for (uint64_t i = starts[n]; i < starts[n + 1]; i++)
                if (!alive[before[i]]) {
                    alive[before[i]] = 1;
                    todo[waiting++] = before[i];
                }
        }
    }
    free(starts);
    free(before);
    free(todo);
    bool done = at != NULL;
    free(at);
    return done;
}

static void project(const uint64_t *words, const uint64_t *touched, uint32_t width, uint64_t *key)
{
    for (uint32_t i = 0; i < width; i++)
        key[i] = words[i] & touched[i];
}

static bool put_key(store_t *keys, const uint64_t *key, uint64_t *number, bool *known)
{
    uint64_t hash = hash_of(key, keys->width);
    uint32_t part = PART(hash);
    if (keys->count >= MOST_STATES || !store_room(keys, keys->count + 1)
        || !table_room(keys, part, keys->tables[part].used + 1))
        return false;
    *number = store_put(keys, key, hash, 0, 0, known);
    return true;
}

bool graph_distinct(search_t *s, const uint64_t *touched, int32_t condition, uint32_t **numbers, size_t *count)
{
    store_t keys;
    uint64_t key[MOST_WORDS], number;
    uint32_t width = s->program.words;
    size_t room = 0;
    bool ready = store_make(&keys, width);
    *numbers = NULL;
    *count = 0;
    for (uint64_t n = 0; n < s->store.count && ready; n++) {
        bool known;
        project(state_at(&s->store, n), touched, width, key);
        if (condition >= 0 && !condition_holds(&s->context, (uint32_t)condition, state_at(&s->store, n)))
            continue;
        ready = put_key(&keys, key, &number, &known);
        if (!ready || known)
            continue;
        if (*count == room) {
            room = room ? 2 * room : 1024;
            uint32_t *more = realloc(*numbers, room * sizeof *more);
            ready = more != NULL;
            if (!ready)
                break;
            *numbers = more;
        }
        (*numbers)[(*count)++] = (uint32_t)n;
    }
    store_free(&keys);
    if (!ready) {
        free(*numbers);
        *numbers = NULL;
    }
    return ready;
}

typedef struct {
    uint64_t key;       /* the projection it stands on */
    size_t next, count; /* its successors, in `outs` from `first` on */
    size_t first;
} frame_t;

typedef struct {
    frame_t *frames;
    size_t depth, frame_room;
    uint64_t *outs;
    size_t out_count, out_room;
    uint8_t *color; /* by projection: 1 on the path, 2 without a loop */
    size_t color_room;
} walk_t;

static bool push(search_t *s, walk_t *w, uint32_t process, uint64_t key, const uint64_t *words)
{
    context_t *c = &s->context;
    uint32_t width = s->program.words;
    c->count = 0;
    c->failed = false;
    if (!expand_alone(c, words, process))
        return false;
    if (w->depth == w->frame_room) {
        size_t room = w->frame_room ? 2 * w->frame_room : 256;
        frame_t *more = realloc(w->frames, room * sizeof *more);
        if (!more)
            return false;
        w->frames = more;
        w->frame_room = room;
    }
    if (w->out_count + c->count > w->out_room) {
        size_t room = 2 * (w->out_count + c->count);
        uint64_t *more = realloc(w->outs, room * width * sizeof *more);
        if (!more)
            return false;
        w->outs = more;
        w->out_room = room;
    }
    if (key >= w->color_room) {
        size_t room = 2 * key + 1024;
        uint8_t *more = realloc(w->color, room);
        if (!more)
            return false;
        memset(more + w->color_room, 0, room - w->color_room);
        w->color = more;
        w->color_room = room;
    }
    if (c->count)
        memcpy(w->outs + w->out_count * width, c->words, c->count * width * sizeof *w->outs);
    w->frames[w->depth++] = (frame_t){.key = key, .next = 0, .count = c->count, .first = w->out_count};
    w->out_count += c->count;
    w->color[key] = 1;
    return true;
}

int graph_loops(search_t *s, uint32_t process, uint32_t condition, const uint64_t *touched)
{
    store_t keys;
    walk_t w = {0};
    uint32_t width = s->program.words;
    uint64_t key[MOST_WORDS], from[MOST_WORDS], number;
    int answer = store_make(&keys, width) ? 0 : -1;
    for (uint64_t n = 0; n < s->store.count && answer == 0; n++) {
        bool known;
        const uint64_t *words = state_at(&s->store, n);
        if (!condition_holds(&s->context, condition, words))
            continue;
        project(words, touched, width, key);
        if (!put_key(&keys, key, &number, &known) || (!known && !push(s, &w, process, number, words)))
            answer = -1;
        while (w.depth && answer == 0) {
            if (s->context.failed) {
                answer = -1;
                break;
            }
            frame_t *top = &w.frames[w.depth - 1];
            if (top->next == top->count) {
                w.color[top->key] = 2;
                w.out_count = top->first;
                w.depth--;
                continue;
            }
            memcpy(from, w.outs + (top->first + top->next++) * width, width * sizeof *from);
            project(from, touched, width, key);
            if (!put_key(&keys, key, &number, &known) || (!known && !push(s, &w, process, number, from)))
                answer = -1;
            else if (known && w.color[number] == 1)
                answer = 1;
        }
    }
    free(w.frames);
    free(w.outs);
    free(w.color);
    store_free(&keys);
    return answer;
}

bool graph_to_goals(const search_t *s, uint32_t **triples, size_t *count)
{
    uint8_t *marked = calloc(s->store.count + 1, 1);
    size_t room = 0;
    *triples = NULL;
    *count = 0;
    if (!marked)
        return false;
    for (size_t i = 0; i < s->goal_count; i++)
        marked[s->goal_states[i]] = 1;
    /* layer by layer from the last: an edge of a shortest path leads from a layer to the next */
    size_t layer = s->layer_count;
    uint64_t layer_end = s->layer_end;
    for (uint64_t n = s->number; n-- > 0;) {
        while (layer > 0 && n < s->layers[layer - 1])
            layer_end = s->layers[--layer];
        for (uint64_t e = s->edge_starts[n]; e < s->edge_starts[n + 1]; e++) {
            if (s->edge_targets[e] < layer_end || !marked[s->edge_targets[e]])
                continue;
            marked[n] = 1;
            if (*count == room) {
                room = room ? 2 * room : 1024;
                uint32_t *more = realloc(*triples, room * 3 * sizeof *more);
                if (!more) {
                    free(*triples);
                    *triples = NULL;
                    free(marked);
                    return false;
                }
                *triples = more;
            }
            uint32_t *t = *triples + 3 * (*count)++;
            t[0] = (uint32_t)n, t[1] = s->edge_steps[e], t[2] = s->edge_targets[e];
        }
    }
    free(marked);
    return true;
}
