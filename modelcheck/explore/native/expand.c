/* The meaning of a program: what the steps of a packed state lead to.  See successors.py for the same in Python. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

bool context_make(context_t *context, const program_t *program)
{
    context->program = program;
    context->count = 0;
    context->room = 256;
    context->failed = false;
    context->words = malloc(context->room * program->words * sizeof(uint64_t));
    context->hashes = malloc(context->room * sizeof(uint64_t));
    context->steps = malloc(context->room * sizeof(uint32_t));
    return context->words && context->hashes && context->steps;
}

void context_free(context_t *context)
{
    free(context->words);
    free(context->hashes);
    free(context->steps);
    context->words = context->hashes = NULL;
    context->steps = NULL;
}

static bool context_room(context_t *c)
{
    if (c->count < c->room)
        return true;
    size_t room = 2 * c->room;
    uint64_t *words = realloc(c->words, room * c->program->words * sizeof *words);
    c->words = words ? words : c->words;
    uint64_t *hashes = realloc(c->hashes, room * sizeof *hashes);
    c->hashes = hashes ? hashes : c->hashes;
    uint32_t *steps = realloc(c->steps, room * sizeof *steps);
    c->steps = steps ? steps : c->steps;
    if (!words || !hashes || !steps)
        return false;
    c->room = room;
    return true;
}

uint64_t hash_of(const uint64_t *words, uint32_t count)
{
    uint64_t h = UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t i = 0; i < count; i++) {
        h = (h ^ words[i]) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ (h >> 29);
}

void unpack(const program_t *p, const uint64_t *words, int32_t *value)
{
    for (uint32_t i = 0; i < p->slot_count; i++) {
        const slot_t *s = &p->slots[i];
        value[i] = (int32_t)((int64_t)(words[s->word] >> s->shift & s->mask) + s->lo);
    }
}

static inline void put(const slot_t *s, int32_t value, uint64_t *words)
{
    words[s->word] = (words[s->word] & ~(s->mask << s->shift)) | (uint64_t)((int64_t)value - s->lo) << s->shift;
}

/* Renames the members of one sort in `value`: to their rank, or to the order of their first places. */
static void rename_sort(const sort_t *s, int32_t *value, int32_t *rank)
{
    if (s->named) {
        memset(rank, 0xff, ((size_t)s->most + 1) * sizeof *rank);
        int32_t next = 0;
        for (uint32_t i = 0; i < s->count; i++) {
            int32_t *v = &value[s->places[i]];
            if (*v < 0)
                continue;
            if (rank[*v] < 0)
                rank[*v] = next++;
            *v = rank[*v];
        }
        return;
    }
    if (s->most < 64) {
        uint64_t seen = 0;
        for (uint32_t i = 0; i < s->count; i++)
            if (value[s->places[i]] >= 0)
                seen |= UINT64_C(1) << value[s->places[i]];
        if ((seen & (seen + 1)) == 0)
            return;
        for (int32_t next = 0; seen; seen &= seen - 1)
            rank[__builtin_ctzll(seen)] = next++;
    } else {
        memset(rank, 0, ((size_t)s->most + 1) * sizeof *rank);
        for (uint32_t i = 0; i < s->count; i++)
            if (value[s->places[i]] >= 0)
                rank[value[s->places[i]]] = 1;
        int32_t next = 0;
        for (int32_t v = 0; v <= s->most; v++)
            rank[v] = rank[v] ? next++ : 0;
    }
    for (uint32_t i = 0; i < s->count; i++)
        if (value[s->places[i]] >= 0)
            value[s->places[i]] = rank[value[s->places[i]]];
}

bool pack_initial(context_t *c, uint64_t *words)
{
    const program_t *p = c->program;
    for (uint32_t i = 0; i < p->slot_count; i++)
        c->value[i] = p->slots[i].initial;
    for (uint32_t k = 0; k < p->sort_count; k++)
        rename_sort(&p->sorts[k], c->value, c->rank);
    memset(words, 0, p->words * sizeof *words);
    for (uint32_t i = 0; i < p->slot_count; i++)
        put(&p->slots[i], c->value[i], words);
    return true;
}

enum taken { DISABLED, TAKEN, FAILED };

static inline bool member(int64_t value, const int32_t *arg)
{
    int64_t bit = value - arg[0];
    return bit >= 0 && bit < 32 * (int64_t)arg[1] && ((uint32_t)arg[2 + bit / 32] >> (bit % 32) & 1);
}

static inline int64_t fresh(const context_t *c, const sort_t *s)
{
    int32_t newest = 0;
    for (uint32_t i = 0; i < s->count; i++)
        if (c->value[s->places[i]] > newest)
            newest = c->value[s->places[i]];
    return (int64_t)newest + 1;
}

/* Runs code on c->value.  For a condition its value is left in *answer; for a step, values are saved at BEGIN. */
static enum taken run(context_t *c, const int32_t *code, const step_t *step, int64_t *answer)
{
    const program_t *p = c->program;
    int64_t stack[MOST_STACK + 1], *top = stack; /* top points one past the last value */
    int32_t *value = c->value;
    const slot_t *slots = p->slots;
    int64_t v;
    int32_t slot;
    for (;;) {
        switch (*code) {
        case OP_END:
            if (answer)
                *answer = top[-1];
            return TAKEN;
        case OP_BEGIN:
            c->begun = true;
            for (uint32_t i = 0; i < step->writes.count; i++)
                c->saved[i] = value[p->writes[step->writes.first + i]];
            code++;
            break;
        case OP_CONST:
            *top++ = code[1];
            code += 2;
            break;
        case OP_SLOT:
            *top++ = value[code[1]];
            code += 2;
            break;
#define BINARY(op, expr)                                                                                             \
    case op:                                                                                                         \
        top--;                                                                                                       \
        top[-1] = (expr);                                                                                            \
        code++;                                                                                                      \
        break
        BINARY(OP_EQ, top[-1] == top[0]);
        BINARY(OP_NE, top[-1] != top[0]);
        BINARY(OP_LT, top[-1] < top[0]);
        BINARY(OP_LE, top[-1] <= top[0]);
        BINARY(OP_ADD, (int64_t)((uint64_t)top[-1] + (uint64_t)top[0]));
        BINARY(OP_SUB, (int64_t)((uint64_t)top[-1] - (uint64_t)top[0]));
        BINARY(OP_AND, top[-1] && top[0]);
        BINARY(OP_OR, top[-1] || top[0]);
#undef BINARY
        case OP_NOT:
            top[-1] = !top[-1];
            code++;
            break;
        case OP_ITE:
            top -= 2;
            top[-1] = top[-1] ? top[0] : top[1];
            code++;
            break;
        case OP_IN:
            top[-1] = member(top[-1], code + 1);
            code += 3 + code[2];
            break;
        case OP_FRESH:
            *top++ = fresh(c, &p->sorts[code[1]]);
            code += 2;
            break;
        case OP_GUARD:
            if (!*--top)
                return DISABLED;
            code++;
            break;
        case OP_GUARD_EQ:
            if (value[code[1]] != code[2])
                return DISABLED;
            code += 3;
            break;
        case OP_GUARD_NE:
            if (value[code[1]] == code[2])
                return DISABLED;
            code += 3;
            break;
        case OP_GUARD_SAME:
            if (value[code[1]] != value[code[2]])
                return DISABLED;
            code += 3;
            break;
        case OP_STORE:
            v = *--top, slot = code[1];
            code += 2;
            goto store;
        case OP_SET:
            v = code[2], slot = code[1];
            code += 3;
            goto store;
        case OP_COPY:
            v = value[code[2]], slot = code[1];
            code += 3;
        store:
            if (v < slots[slot].lo || v > slots[slot].most) {
                c->failed_slot = (uint32_t)slot;
                c->failed_value = v;
                return FAILED;
            }
            value[slot] = (int32_t)v;
            break;
        default: /* refused by program_make */
            return FAILED;
        }
    }
}

/* Runs one step on the unpacked state; where it is taken, packs what it leads to.  c->value is as before. */
static enum taken take(context_t *c, const step_t *step, const uint64_t *from, uint64_t *to)
{
    const program_t *p = c->program;
    const uint32_t *writes = p->writes + step->writes.first;
    uint32_t count = step->writes.count;
    c->begun = false; /* guards before BEGIN change nothing; one after it has stores to take back */
    enum taken result = run(c, p->code + step->code, step, NULL);
    if (result == TAKEN) {
        c->value[step->process] = (int32_t)step->target;
        for (uint32_t k = 0, sorts = step->sorts; sorts; k++, sorts >>= 1)
            if (sorts & 1)
                rename_sort(&p->sorts[k], c->value, c->rank);
        memcpy(to, from, p->words * sizeof *to);
        for (uint32_t i = 0; i < count; i++)
            put(&p->slots[writes[i]], c->value[writes[i]], to);
    }
    if (c->begun)
        for (uint32_t i = 0; i < count; i++)
            c->value[writes[i]] = c->saved[i];
    return result;
}

/* Appends what the process's steps lead to; true where none was enabled or room was made for all. */
static bool expand_process(context_t *c, const uint64_t *words, uint32_t q, bool silent)
{
    const program_t *p = c->program;
    const span_t *local = &p->locals[p->processes[q].first_local + (uint32_t)c->value[q]];
    for (uint32_t i = local->first; i < local->first + local->count; i++) {
        const step_t *step = &p->steps[i];
        if (silent && step->flags & STEP_PROGRESS)
            continue;
        if (!context_room(c))
            return false;
        uint64_t *to = c->words + c->count * p->words;
        switch (take(c, step, words, to)) {
        case TAKEN:
            c->hashes[c->count] = hash_of(to, p->words);
            c->steps[c->count++] = i;
            break;
        case FAILED:
            c->failed = true;
            c->failed_step = i;
            return true;
        case DISABLED:
            break;
        }
    }
    return true;
}

static inline uint32_t lowest(uint32_t set)
{
    return (uint32_t)__builtin_ctz(set);
}

/* The clusters of ample_set.py for the present local states, as sets of processes, in the order they are tried. */
static uint32_t clusters(const context_t *c, uint32_t *found)
{
    const program_t *p = c->program;
    uint32_t running = 0, count = 0, disturbs[MOST_PROCESSES], sticky = 0;
    for (uint32_t q = 0; q < p->process_count; q++)
        if (p->locals[p->processes[q].first_local + (uint32_t)c->value[q]].count)
            running |= UINT32_C(1) << q;
    for (uint32_t set = running; set; set &= set - 1) {
        uint32_t a = lowest(set);
        const int32_t *mine = p->processes[a].effects + 3 * (size_t)c->value[a];
        disturbs[a] = 0;
        if (mine[2])
            sticky |= UINT32_C(1) << a;
        for (uint32_t others = running & ~(UINT32_C(1) << a); others; others &= others - 1) {
            uint32_t b = lowest(others);
            int32_t later = p->processes[b].effects[3 * (size_t)c->value[b] + 1];
            if (p->dependent[a][b][(size_t)mine[0] * p->processes[b].futures + (size_t)later])
                disturbs[a] |= UINT32_C(1) << b;
        }
    }
    for (uint32_t set = running; set; set &= set - 1) {
        uint32_t cluster = set & -set, todo = cluster;
        while (todo && cluster != running) {
            uint32_t more = disturbs[lowest(todo)] & ~cluster;
            todo &= todo - 1;
            cluster |= more;
            todo |= more;
        }
        if (cluster == running || cluster & sticky)
            continue;
        /* smallest first; of equal size the one with the lowest differing process first */
        uint32_t at = count;
        bool known = false;
        for (uint32_t i = 0; i < count && !known; i++)
            known = found[i] == cluster;
        if (known)
            continue;
        while (at > 0) {
            uint32_t other = found[at - 1], differ = other ^ cluster;
            int size = __builtin_popcount(cluster), its = __builtin_popcount(other);
            if (size > its || (size == its && other & differ & -differ))
                break;
            found[at] = other;
            at--;
        }
        found[at] = cluster;
        count++;
    }
    return count;
}

bool expand(context_t *c, const uint64_t *words)
{
    const program_t *p = c->program;
    size_t before = c->count;
    unpack(p, words, c->value);
    uint32_t stuck = 0, all = p->process_count == 32 ? UINT32_MAX : (UINT32_C(1) << p->process_count) - 1;
    if (p->ample) {
        uint32_t found[MOST_PROCESSES];
        uint32_t count = clusters(c, found);
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t set = found[i] & ~stuck; set; set &= set - 1)
                if (!expand_process(c, words, lowest(set), false))
                    return false;
                else if (c->failed)
                    return true;
            if (c->count > before)
                return true;
            stuck |= found[i];
        }
    }
    for (uint32_t set = all & ~stuck; set; set &= set - 1) {
        if (!expand_process(c, words, lowest(set), false))
            return false;
        if (c->failed)
            return true;
    }
    return true;
}

bool expand_alone(context_t *c, const uint64_t *words, uint32_t process)
{
    unpack(c->program, words, c->value);
    return expand_process(c, words, process, true);
}

bool condition_holds(context_t *c, uint32_t condition, const uint64_t *words)
{
    int64_t answer = 0;
    unpack(c->program, words, c->value);
    run(c, c->program->code + c->program->conditions[condition], NULL, &answer);
    return answer != 0;
}

uint32_t observed(context_t *c, uint32_t step, const uint64_t *words, int32_t *key)
{
    const program_t *p = c->program;
    const observation_t *o = &p->observations[p->steps[step].observation];
    uint32_t length = 0;
    key[length++] = p->steps[step].observation;
    int32_t seen[MOST_STAMPS];
    int32_t most = NOTHING;
    for (uint32_t i = 0; i < o->stamps + o->forms; i++) {
        const slot_t *s = &p->slots[o->slots[i]];
        key[length] = (int32_t)((int64_t)(words[s->word] >> s->shift & s->mask) + s->lo);
        if (i < o->stamps && key[length] > most)
            most = key[length];
        length++;
    }
    /* which versions are older than which is all that counts: rank the stamps shown among themselves */
    if (most >= 0) {
        memset(seen, 0, ((size_t)most + 1) * sizeof *seen);
        for (uint32_t i = 1; i <= o->stamps; i++)
            if (key[i] >= 0)
                seen[key[i]] = 1;
        int32_t next = 0;
        for (int32_t v = 0; v <= most; v++)
            seen[v] = seen[v] ? next++ : 0;
        for (uint32_t i = 1; i <= o->stamps; i++)
            if (key[i] >= 0)
                key[i] = seen[key[i]];
    }
    return length;
}
