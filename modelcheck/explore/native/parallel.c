/*
 * Breadth first by several threads, batch by batch, with the numbers of search.c.
 *
 * A batch is a run of numbered states, cut into chunks.  Three phases, a barrier between each two:
 *   1. chunks are expanded; the tables are only read, and successors that are not in them become records of the chunk;
 *   2. each thread owns some of the sub-tables and puts the records of all chunks, in order, into its own: the first
 *      of equal records is new.  A new entry is provisional: it names the record;
 *   3. new records get the numbers they would have got in order, and are copied into the store.
 * So which thread expands which chunk decides nothing.  Where anything is met that only order can settle (a violation,
 * an observation not yet decided, a bound, a failure), the batch's records are dropped after phase 1, when nothing has
 * been written, and the batch is run by search_serial.
 */
#include "engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* .ci/run builds this with others too, so that every search of every test is one of several threads */
#ifndef CHUNK
#define CHUNK 512u /* states */
#endif
#ifndef SMALL
#define SMALL 2048u /* fewer states than this are run in order */
#endif
#ifndef AWAKE
#define AWAKE 20000u /* looks at a barrier before a thread sleeps there */
#endif
#define CHUNKS 128u                           /* in a batch, at the most */
#define MOST_BATCH ((uint64_t)CHUNK * CHUNKS) /* states */
#define RECENT (1u << 15)                     /* states a thread knows again, a power of two */
#define NUMBERED (UINT64_C(1) << 32)
#define AHEAD 8u         /* records between fetching a table's line and using it */
#define BATCH_SECONDS 0.03
_Static_assert(SMALL <= CHUNK * CHUNKS, "a batch of the least size is too large");

typedef struct {
    uint64_t *words, *hashes;
    uint32_t *parent, *step;
    uint32_t *owned; /* for each thread, `room` places: the records of its sub-tables, in order */
    uint32_t owned_count[MOST_THREADS];
    size_t count, room;
    uint64_t first_new; /* the number of its first new record, after phase 2 */
    uint32_t in_part[PARTS];
    uint64_t transitions;
} chunk_t;

typedef struct team team_t;

/* The new records of one chunk in the sub-tables of one thread: which, in order, and where in its sub-table each is.
   A thread writes no list of another's: two that wrote into one line of the cache would wait for each other. */
typedef struct {
    uint32_t *record;
    uint64_t *entry;
    size_t count, room;
} news_t;

typedef struct {
    team_t *team;
    uint32_t index;
    news_t *news; /* by chunk */
    uint64_t *recent; /* by hash: bits of the hash, NUMBERED, and 1 + the state's number or this thread's record of it */
    context_t context;
    uint8_t *taken;
    pthread_t thread;
    bool running;
} worker_t;

struct team {
    search_t *search;
    uint32_t threads;
    worker_t *workers;
    chunk_t *chunks;
    uint64_t first, end; /* the states of the batch */
    uint32_t chunk_count;
    uint64_t in_part[PARTS]; /* records of the batch */
    uint32_t owner[PARTS];   /* the thread that puts records into each sub-table */
    atomic_uint next, careful;
    pthread_mutex_t mutex;
    pthread_cond_t go;
    uint32_t waiting;
    atomic_ullong round;
    int phase; /* 0: end */
};

static void chunk_free(chunk_t *k)
{
    free(k->words);
    free(k->hashes);
    free(k->parent);
    free(k->owned);
}

static bool chunk_room(chunk_t *k, uint32_t width, uint32_t threads)
{
    if (k->count < k->room)
        return true;
    size_t room = k->room ? 2 * k->room : 1024;
    if (room > UINT32_MAX >> 9)
        return false;
    uint64_t *words = realloc(k->words, room * width * sizeof *words);
    k->words = words ? words : k->words;
    uint64_t *hashes = realloc(k->hashes, room * sizeof *hashes);
    k->hashes = hashes ? hashes : k->hashes;
    uint32_t *parent = malloc(2 * room * sizeof *parent);
    uint32_t *owned = malloc(threads * room * sizeof *owned);
    if (!words || !hashes || !parent || !owned) {
        free(parent);
        free(owned);
        return false;
    }
    if (k->count) {
        memcpy(parent, k->parent, k->count * sizeof *parent);
        memcpy(parent + room, k->step, k->count * sizeof *parent);
    }
    for (uint32_t i = 0; i < threads && k->count; i++)
        memcpy(owned + i * room, k->owned + i * k->room, k->owned_count[i] * sizeof *owned);
    free(k->parent);
    free(k->owned);
    k->owned = owned;
    k->parent = parent;
    k->step = parent + room;
    k->room = room;
    return true;
}

static bool settled(const search_t *s, context_t *c, uint64_t state, uint32_t step)
{
    int32_t key[MOST_SLOTS + 1];
    uint32_t length = observed(c, step, state_at(&s->store, state), key);
    return keys_has(&s->settled, key, length);
}

static bool breaks_invariant(const search_t *s, context_t *c, const uint64_t *words)
{
    for (uint32_t i = 0; i < s->program.invariant_count; i++)
        if (!condition_holds(c, i, words))
            return true;
    return false;
}

/* Whether a successor is known: it has a number, or this thread has an equal record in this chunk or an earlier one.  A
   thread takes chunks in order, so the equal record comes first.  What was met last is asked first: states next to one
   another in a batch lead to many of the same. */
static bool known(worker_t *w, const chunk_t *k, uint64_t hash, const uint64_t *words)
{
    const store_t *store = &w->team->search->store;
    uint64_t *recent = &w->recent[hash & (RECENT - 1)], tag = hash & ~((NUMBERED << 1) - 1);
    uint64_t last = (*recent & UINT64_C(0xffffffff)) - 1;
    if (*recent && (*recent & ~((NUMBERED << 1) - 1)) == tag) {
        const uint64_t *met = *recent & NUMBERED ? state_at(store, last)
                                                 : w->team->chunks[last % CHUNKS].words + last / CHUNKS * store->width;
        if (same_words(met, words, store->width))
            return true;
    }
    uint64_t number = store_find(store, words, hash);
    if (number != UINT64_MAX)
        *recent = tag | NUMBERED | (number + 1);
    else
        *recent = tag | (k->count * CHUNKS + (uint64_t)(k - w->team->chunks) + 1);
    return number != UINT64_MAX;
}

/* Phase 1 for one chunk; false: run the batch in order. */
static bool expand_chunk(worker_t *w, chunk_t *k, uint64_t first, uint64_t end)
{
    const search_t *s = w->team->search;
    const store_t *store = &s->store;
    context_t *c = &w->context;
    uint32_t width = s->program.words;
    k->count = 0;
    k->transitions = 0;
    memset(k->in_part, 0, sizeof k->in_part);
    memset(k->owned_count, 0, sizeof k->owned_count);
    uint64_t group = 16;
    for (uint64_t from = first; from < end; from += group) {
        uint64_t to = from + group < end ? from + group : end;
        size_t starts[17];
        c->count = 0;
        c->failed = false;
        for (uint64_t state = from; state < to; state++) {
            starts[state - from] = c->count;
            if (!expand(c, state_at(store, state)) || c->failed)
                return false;
        }
        starts[to - from] = c->count;
        for (size_t i = 0; i < c->count; i++) {
            const table_t *t = &store->tables[PART(c->hashes[i])];
            __builtin_prefetch(&t->entries[TAG(c->hashes[i]) >> 32 & t->mask]);
        }
        k->transitions += c->count;
        for (uint64_t state = from; state < to; state++) {
            for (size_t i = starts[state - from]; i < starts[state - from + 1]; i++) {
                uint32_t step = c->steps[i], flags = s->program.steps[step].flags;
                w->taken[step] = 1;
                if (flags & STEP_BREAKS || (flags & STEP_OBSERVES && !settled(s, c, state, step)))
                    return false;
                const uint64_t *words = c->words + i * width;
                if (known(w, k, c->hashes[i], words))
                    continue;
                if (breaks_invariant(s, c, words))
                    return false;
                if (!chunk_room(k, width, w->team->threads))
                    return false;
                memcpy(k->words + k->count * width, words, width * sizeof *words);
                k->hashes[k->count] = c->hashes[i];
                k->parent[k->count] = (uint32_t)state;
                k->step[k->count] = step;
                uint32_t part = PART(c->hashes[i]), owner = w->team->owner[part];
                k->in_part[part]++;
                k->owned[owner * k->room + k->owned_count[owner]++] = (uint32_t)k->count++;
            }
        }
    }
    return true;
}

static void expand_chunks(worker_t *w)
{
    team_t *t = w->team;
    memset(w->recent, 0, RECENT * sizeof *w->recent);
    for (;;) {
        uint32_t i = atomic_fetch_add(&t->next, 1);
        if (i >= t->chunk_count || atomic_load(&t->careful))
            return;
        uint64_t first = t->first + (uint64_t)i * CHUNK;
        uint64_t end = first + CHUNK < t->end ? first + CHUNK : t->end;
        if (!expand_chunk(w, &t->chunks[i], first, end))
            atomic_store(&t->careful, 1);
    }
}

static bool news_room(news_t *news, size_t count)
{
    if (count <= news->room)
        return true;
    uint32_t *record = realloc(news->record, 2 * count * sizeof *record);
    news->record = record ? record : news->record;
    uint64_t *entry = realloc(news->entry, 2 * count * sizeof *entry);
    news->entry = entry ? entry : news->entry;
    if (record && entry)
        news->room = 2 * count;
    return record && entry;
}

/* Before phase 2, for one thread: room in its sub-tables. */
static void grow_tables(worker_t *w)
{
    team_t *t = w->team;
    store_t *store = &t->search->store;
    for (uint32_t part = w->index; part < PARTS; part += t->threads)
        if (!table_room(store, part, store->tables[part].used + t->in_part[part]))
            atomic_store(&t->careful, 1);
}

/* Phase 2 for one thread: the records of its sub-tables, chunk by chunk. */
static void put_records(worker_t *w)
{
    team_t *t = w->team;
    store_t *store = &t->search->store;
    uint32_t width = store->width;
    for (uint32_t i = 0; i < t->chunk_count; i++) {
        const chunk_t *k = &t->chunks[i];
        news_t *news = &w->news[i];
        news->count = 0;
        uint32_t count = k->owned_count[w->index];
        const uint32_t *owned = k->owned + w->index * k->room;
        if (!news_room(news, count)) {
            atomic_store(&t->careful, 1);
            return;
        }
        for (uint32_t j = 0; j < count; j++) {
            uint32_t r = owned[j], part = PART(k->hashes[r]);
            if (j + AHEAD < count) {
                uint64_t hash = k->hashes[owned[j + AHEAD]];
                const table_t *ahead = &store->tables[PART(hash)];
                __builtin_prefetch(&ahead->entries[TAG(hash) >> 32 & ahead->mask]);
            }
            table_t *table = &store->tables[part];
            uint64_t tag = TAG(k->hashes[r]), at = tag >> 32 & table->mask, entry;
            const uint64_t *words = k->words + (size_t)r * width;
            bool known = false;
            for (; (entry = table->entries[at]) != 0; at = (at + 1) & table->mask) {
                /* records were looked up among numbered states already: only provisional entries can be equal */
                if ((entry & ~UINT64_C(0xffffffff)) != (tag | PROVISIONAL))
                    continue;
                const chunk_t *other = &t->chunks[(entry & UINT64_C(0xffffffff)) % CHUNKS];
                if (same_words(other->words + (entry & UINT64_C(0xffffffff)) / CHUNKS * width, words, width)) {
                    known = true;
                    break;
                }
            }
            if (known)
                continue;
            table->entries[at] = PROVISIONAL | tag | ((uint64_t)r * CHUNKS + i);
            table->used++;
            news->record[news->count] = r;
            news->entry[news->count++] = at;
        }
    }
}

/* Phase 3: the new records of a chunk, whichever thread put them, get their numbers in order. */
static void number_chunks(worker_t *w)
{
    team_t *t = w->team;
    store_t *store = &t->search->store;
    uint32_t width = store->width;
    for (;;) {
        uint32_t i = atomic_fetch_add(&t->next, 1);
        if (i >= t->chunk_count)
            return;
        const chunk_t *k = &t->chunks[i];
        size_t at[MOST_THREADS] = {0};
        for (uint64_t number = k->first_new;; number++) {
            const news_t *least = NULL;
            uint32_t owner = 0;
            for (uint32_t j = 0; j < t->threads; j++) {
                const news_t *news = &t->workers[j].news[i];
                if (at[j] < news->count && (!least || news->record[at[j]] < least->record[at[owner]]))
                    least = news, owner = j;
            }
            if (!least)
                break;
            uint32_t r = least->record[at[owner]];
            memcpy(state_at(store, number), k->words + r * (size_t)width, width * sizeof *k->words);
            *parent_at(store, number) = k->parent[r];
            *step_at(store, number) = k->step[r];
            store->tables[PART(k->hashes[r])].entries[least->entry[at[owner]++]] = TAG(k->hashes[r]) | (number + 1);
        }
    }
}

/* Everybody waits for everybody: awake for a moment, as phases are short, then asleep. */
static void meet(team_t *t)
{
    pthread_mutex_lock(&t->mutex);
    uint64_t round = atomic_load(&t->round);
    if (++t->waiting == t->threads) {
        t->waiting = 0;
        atomic_store(&t->round, round + 1);
        pthread_cond_broadcast(&t->go);
        pthread_mutex_unlock(&t->mutex);
        return;
    }
    pthread_mutex_unlock(&t->mutex);
    for (uint32_t i = 0; i < AWAKE; i++)
        if (atomic_load(&t->round) != round)
            return;
    pthread_mutex_lock(&t->mutex);
    while (atomic_load(&t->round) == round)
        pthread_cond_wait(&t->go, &t->mutex);
    pthread_mutex_unlock(&t->mutex);
}

static void do_phase(worker_t *w, int phase)
{
    switch (phase) {
    case 1:
        expand_chunks(w);
        break;
    case 2:
        put_records(w);
        break;
    case 4:
        grow_tables(w);
        break;
    case 3:
        number_chunks(w);
        break;
    default:
        break;
    }
}

static void *work(void *argument)
{
    worker_t *w = argument;
    for (;;) {
        meet(w->team); /* the leader has set the phase */
        int phase = w->team->phase;
        if (phase == 0)
            return NULL;
        do_phase(w, phase);
        meet(w->team);
    }
}

static void all_do(team_t *t, int phase)
{
    t->phase = phase;
    atomic_store(&t->next, 0);
    meet(t);
    do_phase(&t->workers[0], phase);
    if (phase)
        meet(t);
}

/* One batch; OUT_COMPLETE also where it was left to search_serial. */
static enum outcome batch(team_t *t, uint64_t end)
{
    search_t *s = t->search;
    store_t *store = &s->store;
    t->first = s->number;
    t->end = end;
    t->chunk_count = (uint32_t)((end - s->number + CHUNK - 1) / CHUNK);
    atomic_store(&t->careful, 0);
    all_do(t, 1);
    uint64_t records = 0, in_part[PARTS] = {0}, transitions = 0;
    bool careful = atomic_load(&t->careful);
    for (uint32_t i = 0; i < t->chunk_count && !careful; i++) {
        records += t->chunks[i].count;
        transitions += t->chunks[i].transitions;
        for (uint32_t part = 0; part < PARTS; part++)
            in_part[part] += t->chunks[i].in_part[part];
    }
    if (!careful) {
        careful = (s->most_states && store->count + records >= s->most_states)
                  || store->count + records > MOST_STATES
                  || (s->most_bytes && store_bytes_for(store, records, in_part) > s->most_bytes);
    }
    bool full = false;
    for (uint32_t part = 0; part < PARTS; part++)
        full = full || table_full(store, part, store->tables[part].used + in_part[part]);
    if (!careful && full) {
        memcpy(t->in_part, in_part, sizeof in_part);
        all_do(t, 4);
        careful = atomic_load(&t->careful);
    }
    for (uint32_t i = 0; i < t->threads; i++) { /* what a dropped batch took, search_serial notes */
        uint8_t *taken = t->workers[i].taken;
        for (uint32_t k = 0; k < s->program.step_count && !careful; k++)
            s->taken[k] |= taken[k];
        memset(taken, 0, s->program.step_count);
    }
    if (careful)
        return search_serial(s, end);
    all_do(t, 2);
    uint64_t number = store->count;
    for (uint32_t i = 0; i < t->chunk_count; i++) {
        t->chunks[i].first_new = number;
        for (uint32_t j = 0; j < t->threads; j++)
            number += t->workers[j].news[i].count;
    }
    if (atomic_load(&t->careful) || !store_room(store, number)) {
        s->outcome = OUT_MEMORY; /* provisional entries are in the tables: nothing can go on from here */
        return OUT_MEMORY;
    }
    all_do(t, 3);
    store->count = number;
    s->transitions += transitions;
    s->number = end;
    return OUT_COMPLETE;
}

static enum outcome lead(team_t *t)
{
    search_t *s = t->search;
    uint64_t size = SMALL;
    while (s->number < s->store.count) {
        if (s->number == s->layer_end && !next_layer(s)) {
            s->outcome = OUT_MEMORY;
            return OUT_MEMORY;
        }
        uint64_t left = s->layer_end - s->number;
        double before = now();
        enum outcome outcome;
        if (left < SMALL) {
            outcome = search_serial(s, s->layer_end);
        } else {
            if (before >= s->next_tick) {
                if (s->tick(s)) {
                    s->outcome = OUT_STOPPED;
                    return OUT_STOPPED;
                }
                s->next_tick = now() + TICK_SECONDS;
            }
            uint64_t take = left < size ? left : size;
            outcome = batch(t, s->number + take);
            double spent = now() - before;
            if (spent < BATCH_SECONDS)
                size = 2 * size < MOST_BATCH ? 2 * size : MOST_BATCH;
            else if (spent > 2 * BATCH_SECONDS && size > SMALL)
                size /= 2;
        }
        if (outcome != OUT_COMPLETE)
            return outcome;
    }
    return OUT_COMPLETE;
}

enum outcome search_parallel(search_t *s, uint32_t threads)
{
    team_t team = {.search = s, .threads = threads};
    enum outcome outcome = OUT_MEMORY;
    uint32_t started = 1;
    team.workers = calloc(threads, sizeof *team.workers);
    team.chunks = calloc(CHUNKS, sizeof *team.chunks);
    pthread_mutex_init(&team.mutex, NULL);
    pthread_cond_init(&team.go, NULL);
    bool ready = team.workers && team.chunks;
    for (uint32_t i = 0; i < threads && ready; i++) {
        worker_t *w = &team.workers[i];
        w->team = &team;
        w->index = i;
        w->taken = calloc(s->program.step_count + 1u, 1);
        w->news = calloc(CHUNKS, sizeof *w->news);
        w->recent = malloc(RECENT * sizeof *w->recent);
        ready = context_make(&w->context, &s->program) && w->taken && w->news && w->recent;
    }
    for (; started < threads && ready; started++) {
        if (pthread_create(&team.workers[started].thread, NULL, work, &team.workers[started]) != 0)
            break;
        team.workers[started].running = true;
    }
    if (ready) {
        pthread_mutex_lock(&team.mutex);
        team.threads = started; /* fewer than asked for where the system gave no more */
        for (uint32_t part = 0; part < PARTS; part++)
            team.owner[part] = part % started;
        pthread_mutex_unlock(&team.mutex);
        outcome = started > 1 ? lead(&team) : search_serial(s, UINT64_MAX);
        if (started > 1)
            all_do(&team, 0);
    }
    for (uint32_t i = 0; i < threads && team.workers; i++) {
        worker_t *w = &team.workers[i];
        if (w->running)
            pthread_join(w->thread, NULL);
        for (uint32_t k = 0; k < CHUNKS && w->news; k++) {
            free(w->news[k].record);
            free(w->news[k].entry);
        }
        free(w->news);
        free(w->recent);
        free(w->taken);
        context_free(&w->context);
    }
    for (uint32_t i = 0; i < CHUNKS && team.chunks; i++)
        chunk_free(&team.chunks[i]);
    free(team.workers);
    free(team.chunks);
    pthread_mutex_destroy(&team.mutex);
    pthread_cond_destroy(&team.go);
    s->outcome = outcome;
    return outcome;
}
